"""What the collector cost, and what would be better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from gcreplay.report.parts.runs import Played
from gcreplay.report.view import Block, Figure, Figures, Finding, Level, Section, Words
from gcreplay.report.words.numbers import counted, in_ms, in_percent, size_words

Outcomes = Literal["change", "leave", "unknown"]


@dataclass(frozen=True, slots=True)
class Advice:
    """What the search for a setting came to.

    outcome: `change`, `leave` or `unknown`, where the program depends on its collector. sentence:
    what to do. gain: what that gains, or why nothing is better; "" where the sentence says all.
    code: lines to paste. undo: what takes them back. saves_ns: GC time that the setting saves.
    notes: what else was seen.
    """

    outcome: Outcomes
    sentence: str
    gain: str = ""
    code: tuple[str, ...] = ()
    undo: str = ""
    saves_ns: int = 0
    notes: tuple[str, ...] = ()


_LEVELS: Final[dict[str, Level]] = {"change": "notice", "leave": "info", "unknown": "warning"}


def cost(
    now: Played, bounds: tuple[Played, ...], advice: Advice | None, why_not: str, tune: str
) -> tuple[Section, list[Finding]]:
    """`advice`: None where no settings were searched; why_not: why there are no times, "" if there
    are; tune: the command line that looks for a setting."""
    findings = []
    blocks: list[Block] = [Figures(_figures(now, bounds))]
    if why_not:
        blocks.append(Words(why_not, "notice"))
    if advice is None:
        blocks.append(Words(f"No other settings were tried. To try them: {tune}"))
    else:
        level = _LEVELS[advice.outcome]
        told = " ".join(filter(None, (advice.sentence, advice.gain)))
        blocks.append(Words(told, level))
        if advice.code:
            blocks.append(Words("\n".join(advice.code), code=True))
        blocks += [Words(note) for note in advice.notes]
        figure = advice.saves_ns / 1e6 if advice.outcome == "change" else None
        findings.append(Finding("setting", level, told, figure, tune))
    meaning = (
        "The collector stops the program to look for objects that only refer to each other. "
        "This is what that took, and whether another setting would take less."
    )
    return Section("cost", "What the collector cost", meaning, tune, tuple(blocks)), findings


def _figures(now: Played, bounds: tuple[Played, ...]) -> tuple[Figure, ...]:
    shown = []
    made = counted(len(now.run.collections), "collection")
    if now.pauses is not None:
        shown.append(Figure("GC time", f"{in_ms(now.pauses.total)} ms", f"in {made}"))
        if now.share is not None:
            shown.append(Figure("share of CPU", in_percent(now.share), "of program and collector"))
        p99 = f"99 % take up to {in_ms(now.pauses.p99)} ms"
        shown.append(Figure("longest pause", f"{in_ms(now.pauses.longest)} ms", p99))
    else:
        shown.append(Figure("collections", f"{len(now.run.collections):,}", "times are not known"))
    least = min((one.run.peak_bytes for one in bounds), default=None)
    note = "" if least is None else f"at least {size_words(least)} under any collector"
    shown.append(Figure("peak memory", size_words(now.run.peak_bytes), note))
    return tuple(shown)
