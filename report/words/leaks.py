"""What is alive, what of it grows and what holds it, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gcreplay.replay.leaks import Growth, Holder, Kind, Leak, Leaks, Step
from gcreplay.replay.leaks.growth import unit_words

from .numbers import counted, size_words
from .places import made_at

LONG: Final = 10
"""A path of more steps is shown by its ends."""
UNSEEN: Final = "something that no recorded object shows: running code, or C"
_KNOWN_ROOTS: Final = ("module ", "class ", "frame of ")
UNREAD: Final = "not known: the heap was not read at that moment"
UNSEEN_MANY: Final = (
    "nothing that the collector sees: C code, such as an extension type without tp_traverse, or "
    "running code"
)


def verdict(found: Leaks, target: str | None = None) -> str:
    """The answer in a sentence; `target`: the function that was called again and again."""
    if target is not None and not found.growing:
        return f"Nothing grows with the calls of {target}, {found.steps:,} behind the warm-up."
    where = "at the end" if found.between is None else "at the second mark"
    alive = f"{counted(found.objects, 'object')} ({size_words(found.bytes)}) alive {where}"
    if found.staying:
        kept = "" if found.holder is None else f"; {found.holder.share:.0%} kept by "
        return f"{alive}{kept}{called(found.holder) if found.holder else ''}"
    if not found.enough:
        return f"{alive}. The recording is too short to tell what grows."
    if not found.growing:
        return f"Nothing grows: {alive}, and no kind of them became steadily more."
    kinds = sum(1 + len(leak.similar) for leak in found.growing)
    with_calls = "" if target is None else f" with each call of {target}"
    told = f"Growing{with_calls}: {counted(kinds, 'kind')} of objects"
    if found.holder is None:
        return f"{told}; no single holder keeps 40 % of what grew."
    return f"{told}; one holder keeps {found.holder.share:.0%} of what grew: {called(found.holder)}"


def called(holder: Holder) -> str:
    """The holder in a few words."""
    return holder.name or path_words(holder.path)


def path_words(path: Sequence[Step]) -> str:
    """A path as people read it: `module shop.audit.HISTORY -> list[3] -> Entry.payload -> list`."""
    words = [path[0].called]
    for step in path[1:]:
        words[-1] += step.edge
        words.append(step.called)
    if len(words) > LONG:
        left = len(words) - LONG + 1
        words = [*words[: LONG // 2], f"({left:,} more)", *words[-(LONG // 2 - 1) :]]
    return " -> ".join(words)


def rate(growth: Growth, found: Leaks) -> str:
    """How much more that is, in steps of the clock."""
    if not found.unit:
        return f"{size_words(round(growth.whole / 10))} more in each tenth of the run"
    n = 1
    while n * 20 <= found.steps:
        n *= 10
    more = size_words(round(growth.whole * n / found.steps))
    if found.unit == "call":
        more = size_words(round(growth.whole / found.steps))
        return f"{more} more with each call"
    return f"{more} more every {unit_words(found.unit, n)}"


def leak_facts(leak: Leak, found: Leaks, roots: Sequence[str]) -> tuple[str, list[tuple[str, str]]]:
    """The heading, and facts under keys. roots: folders to name files from."""
    kind = leak.kind
    where = "at the end" if found.between is None else "at the second mark"
    if found.unit == "call":
        where = "since the warm-up"
    facts = [("made at", site_words(kind, roots))]
    if 2 * leak.unseen > kind.objects and leak.holder is None and found.whole:
        many = leak.unseen > 100
        facts.append(("held by", f"{UNSEEN_MANY if many else UNSEEN} ({leak.unseen:,} of them)"))
    elif leak.unseen and len(leak.path) == 1 and not found.whole:
        facts.append(("held by", UNREAD))
    else:
        root = leak.path[0].called if leak.path else ""
        unseen = found.whole and len(leak.path) > 1 and not root.startswith(_KNOWN_ROOTS)
        end = f"; the {root} by {UNSEEN}" if unseen else ""
        facts.append(("held by", f"{path_words(leak.path)}{end}"))
    sizes = f"{size_words(leak.retained)} retained, {size_words(kind.bytes)} shallow"
    facts.append(("keeps", sizes))
    if leak.holder is not None:
        what = "of what grew here" if leak.growth is not None else "of it"
        share = f"{called(leak.holder)} keeps {leak.holder.share:.0%} {what}"
        facts.append(("holder", share))
    if leak.similar:
        names = [f"{one.type} {one.objects:,}" for one in leak.similar[:3]]
        more = ", ..." if len(leak.similar) > 3 else ""
        facts.append(("similar", f"leaks: {len(leak.similar)} ({', '.join(names)}{more})"))
    more = "" if leak.growth is None else f", {rate(leak.growth, found)}"
    return f"{kind.type}: {kind.objects:,} alive {where}{more}", facts


def site_words(kind: Kind, roots: Sequence[str]) -> str:
    return made_at(kind.file, kind.line, kind.function, kind.near, roots)
