"""Which row of a comparison is best, for what, and why: one line that answers it.

Goals bear the names that the JVM's tools give them: throughput (least time in the collector),
latency (the shortest longest pause), footprint (least memory).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from gcreplay.replay.estimates.pauses import PauseModel, work_of
from gcreplay.report.words.numbers import in_ms, in_percent
from gcreplay.screen.outcome import Outcome, longest_words, peak_words, time_words

MOST_MEMORY: Final = 1.25
"""What is best for time may have so many times the peak memory of the present setting."""

LESS_MEMORY: Final = 0.95
"""Predicted peaks were within 5 % of the real ones: a row must be below to be smaller."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The best row for each goal, by policy; None where none is better than the present setting by
    more than the estimates may be off."""

    sentence: str
    throughput: str | None = None
    latency: str | None = None
    footprint: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "throughput": self.throughput,
            "latency": self.latency,
            "footprint": self.footprint,
            "sentence": self.sentence,
        }


def verdict(now: Outcome, others: Sequence[Outcome], model: PauseModel) -> Verdict:
    """The present setting against the others; those whose figures are no prediction, as the
    program depends on its collector, are left out."""
    known = [one for one in others if not one.run.depends_on_collector.count]
    allowed = [one for one in known if one.run.peak_bytes <= MOST_MEMORY * now.run.peak_bytes]
    found = {
        "throughput": _least(now, allowed, _total, partial(_total_off, now, model)),
        "latency": _least(now, allowed, _longest, lambda _: model.singles_off * _longest(now)),
        "footprint": _least(now, known, _peak, lambda _: (1 - LESS_MEMORY) * _peak(now)),
    }
    goals = {goal: best for goal, best in found.items() if best is not None}
    if not goals:
        return Verdict(_nothing(now, known, allowed, model))
    told = []
    for policy, best in {one.run.policy: one for one in goals.values()}.items():
        wanted = [goal for goal, one in goals.items() if one.run.policy == policy]
        told.append(f"Best for {' and '.join(wanted)}: {_against(now, best)}.")
    return Verdict(" ".join(told), **{goal: one.run.policy for goal, one in goals.items()})


def _total(one: Outcome) -> int:
    return one.pauses.total if one.pauses is not None else 0


def _longest(one: Outcome) -> int:
    return one.pauses.longest if one.pauses is not None else 0


def _peak(one: Outcome) -> int:
    return one.run.peak_bytes


def _total_off(now: Outcome, model: PauseModel, one: Outcome) -> float:
    return model.difference_off(work_of(now.run.collections), work_of(one.run.collections))


def _least(
    now: Outcome,
    others: Sequence[Outcome],
    figure: Callable[[Outcome], int],
    off: Callable[[Outcome], float],
) -> Outcome | None:
    """The one with the least figure of those where it is less than now by more than it may be
    off."""
    sure = [one for one in others if figure(now) - figure(one) > off(one)]
    return min(sure, key=figure, default=None)


def _against(now: Outcome, best: Outcome) -> str:
    told = [peak_words(_peak(now), _peak(best))]
    if now.pauses is not None and best.pauses is not None:
        times = time_words(now.pauses, best.pauses, now.own_ns)
        told = [times, longest_words(now.pauses, best.pauses), *told]
    return f"{best.name}. Predicted: {', '.join(told)}"


def _nothing(
    now: Outcome, known: Sequence[Outcome], allowed: Sequence[Outcome], model: PauseModel
) -> str:
    """Why no row is worth it."""
    share = "" if now.share is None else f", {in_percent(now.share)} of CPU"
    takes = f"The collector takes {in_ms(_total(now))} ms{share}"
    if not known:
        return f"{takes}. Compare it with other settings by -p."
    within = "no row"
    if len(allowed) < len(known):
        within = f"no row with up to {MOST_MEMORY - 1:.0%} more memory"
    told = f"{takes}, and {within} saves more of it than the estimate may be off"
    return f"Leave it as it is. {told}."


def compared(before: int, after: int, off: float, name: str, other: str) -> str:
    """GC time of `name` beside that of `other`, `before`, in a sentence; in nanoseconds, and off:
    how far their difference may be off."""
    if abs(before - after) <= off:
        return (
            f"{name} and {other} take the same GC time as far as estimates tell: {in_ms(after)} "
            f"and {in_ms(before)} ms, and their difference may be {in_ms(int(off))} ms off."
        )
    how, change = ("less", before - after) if after < before else ("more", after - before)
    both = f"{in_ms(after)} for {in_ms(before)}"
    return f"{name} takes {in_ms(change)} ms {how} in the collector than {other} ({both})."
