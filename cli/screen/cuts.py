"""What a cut does, and which are worth making, in words."""

from __future__ import annotations

import builtins
import textwrap
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gcreplay.assigned import Line, Taken
from gcreplay.replay.cuts import Cut, CutLog, cut_log
from gcreplay.replay.cuts.suggest import MOST_CUTS, WORTH, Suggestion, suggest
from gcreplay.replay.estimates.pauses import PauseModel
from gcreplay.replay.garbage import Cycles
from gcreplay.report.words.places import short
from gcreplay.report.words.text import plain
from gcreplay.screen.garbage import MOST_LINES, Code, place_of
from gcreplay.screen.outcome import Outcome, from_to, longest_words, peak_words, time_words
from gcreplay.screen.output import PIPE_WIDTH, filled
from gcreplay.screen.progress import Tries, reading, working
from gcreplay.store import EventLog

_NEVER_WEAK = frozenset(
    kind.__name__
    for kind in (*vars(builtins).values(), *vars(types).values())
    if isinstance(kind, type) and not kind.__weakrefoffset__
)
"""Types of the interpreter to whose objects there are no weak references, such as list."""

_TOGETHER = (
    "More than one reference may hold a cycle together, such as an attribute and a variable of the "
    "same error: cut those by name in `cycles --all` at once, with --cut repeated."
)
"""Only single references are tried."""


@contextmanager
def without(log: EventLog, cuts: Sequence[Cut]) -> Iterator[CutLog | None]:
    """The log without these references, while the block lasts; None where there are none."""
    if not cuts:
        yield None
        return
    with reading(log, "cutting references"):
        cut = cut_log(log, cuts)
    with cut:
        yield cut


def found_cuts(log: EventLog, found: Cycles) -> list[Suggestion]:
    """Those that are worth making; a replay for each reference that is tried."""
    tries = Tries(MOST_CUTS)
    with working(tries):
        return suggest(log, found, tries.begin)


def cut_json(cut: CutLog) -> dict[str, Any]:
    """How many references are cut, and what the program misses then."""
    chosen = cut.chosen
    return {
        "references": [str(one) for one in cut.cuts],
        "named": chosen.labelled,
        "alike": chosen.alike,
        "older": chosen.older,
        "still_used": cut.lost.to_json(),
    }


def effect(before: Outcome, after: Outcome, cut: CutLog) -> str:
    """What it gains under one policy, in a sentence."""
    return f"Without {named(cut)}: {gained(before, after)}."


def gained(before: Outcome, after: Outcome) -> str:
    """What is collected, how long that takes, and the peak: before and after."""
    first, second = before.run, after.run
    told = [from_to("objects to collect", f"{first.collected:,}", f"{second.collected:,}")]
    if before.pauses is not None and after.pauses is not None:
        told.append(time_words(before.pauses, after.pauses, None))
        told.append(longest_words(before.pauses, after.pauses))
    return ", ".join([*told, peak_words(first.peak_bytes, second.peak_bytes)])


def named(cut: CutLog) -> str:
    """The references that are cut."""
    return " and ".join(map(str, cut.cuts))


def counted(cut: CutLog) -> str:
    """How many references are cut, in a sentence."""
    chosen = cut.chosen
    told = f"{named(cut)}: {chosen.labelled:,} references bear this name"
    if len(cut.cuts) > 1:
        told = f"{named(cut)}: {chosen.labelled:,} references bear these names"
    if chosen.alike:
        told += (
            f", {chosen.alike:,} more have no name and are taken for such, as all with a name "
            f"between objects of the same types are"
        )
    if chosen.older:
        told += f"; {chosen.older:,} were there before the recording began, and stay"
    return f"{told}. {_COARSE}" if cut.coarse else f"{told}."


_COARSE = (
    "This recording was probed at its collections alone, and what dies in between dies late "
    "in it: that may leave too much here. `gcreplay record --for what-if` probes more often."
)


def suggested(
    suggestions: Sequence[Suggestion],
    taken: Sequence[Taken],
    model: PauseModel | None,
    code: Code,
) -> list[str]:
    """The lines that say which references to cut, where each is taken, how to cut it, and what that
    gains behind those above."""
    if not suggestions:
        told = (
            f"No reference in the largest kinds of cycles frees {WORTH:.0%} of what is collected."
        )
        return [filled(f"{told} {_TOGETHER}")]
    lines: list[str] = []
    for number, (one, where) in enumerate(zip(suggestions, taken, strict=True), start=1):
        before, after = (Outcome.of(run, model, None) for run in (one.before, one.after))
        lines += ["", filled(f"{number}  cut {one.cut}: {gained(before, after)}.")]
        lines += [f"   made at {plain(place_of(one.group, code))}"]
        lines += [at("set at", line, code) for line in where.set_at[:MOST_LINES]]
        if where.last_used_at:
            lines += [at("last used at", where.last_used_at, code)]
        for way in ways(one):
            lines += textwrap.wrap(
                plain(way),
                PIPE_WIDTH,
                initial_indent="   ",
                subsequent_indent="     ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        if one.lost.objects:
            lines += [filled(f"   Take care: {one.lost.sentence()}.")]
    left, all_ = suggestions[-1].after.collected, suggestions[0].before.collected
    if left >= WORTH * all_:
        lines += ["", filled(f"{left:,} objects are left to collect. {_TOGETHER}")]
    return lines


def at(what: str, line: Line, code: Code) -> str:
    """A line of source, as much of it as there is room for."""
    told = plain(f"   {what} {short(line.file, *code.roots)}:{line.number}  {line.text}")
    return told if len(told) <= PIPE_WIDTH else f"{told[: PIPE_WIDTH - 3]}..."


def ways(one: Suggestion) -> tuple[str, ...]:
    """How to cut it: first what suits best, then the other way."""
    return in_package(one) if one.owner else in_own_code(one)


def in_package(one: Suggestion) -> tuple[str, ...]:
    """What one can do where the code that takes the reference is not one's own."""
    holder, label = one.cut.holder, one.cut.label
    whose = f"{holder} is {one.owner}'s, not yours"
    if label[0] == ":":
        return (
            "by hand: traceback.clear_frames(error.__traceback__) where it is handled",
            f"({whose}: there, `del {label[1:]}` at its end)",
        )
    if label == ".cell_contents":
        return (f"in your code: let go of what {holder} holds when it is done with", f"({whose})")
    return (
        f"in your code: let go of the {holder}, or close it, when it is done with",
        f"({whose})",
    )


def in_own_code(one: Suggestion) -> tuple[str, ...]:
    """What one changes in the code that takes the reference."""
    holder, label = one.cut.holder, one.cut.label
    if label[0] == ":":
        name = label[1:]
        return (
            f"by hand: `del {name}` at the end of {holder}, in a `finally:`",
            "or: traceback.clear_frames(error.__traceback__) where the error is handled",
        )
    if label == ".cell_contents":
        return (
            f"by hand: `{holder} = None` in the function that defines it, behind its last use",
            f"or: let {holder} be a method, or a function of the module",
        )
    if label[0] == "[":
        return (
            f"weak: let the dict be a weakref.WeakValueDictionary, of {holder}",
            f"by hand: `del holder{label}` when it is done with",
        )
    attribute = label[1:]
    target = one.target.removeprefix("builtins.")
    kind = "WeakMethod" if target == "method" else "ref"
    by_hand = f"by hand: `it.{attribute} = None` when the {holder} is done with"
    if kind == "ref" and target in _NEVER_WEAK:
        return (by_hand,)
    if kind == "ref" and not one.back:
        called = target.rpartition(".")[2]
        return by_hand, f"weak: only where something else holds the {called} while it is used"
    return (
        f"weak: `self.{attribute} = weakref.{kind}(...)` in {holder}, "
        f"asked as `self.{attribute}()`",
        by_hand,
    )
