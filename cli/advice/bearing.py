"""Whether real runs bear out what was predicted of a setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, Literal

from gcreplay.replay.results.phases import quantile
from gcreplay.replay.tuning.choice import Limits
from gcreplay.report.words.numbers import in_ms, size_words
from gcreplay.tracer import RealRun

REPEATS: Final = 3
"""Real runs of each setting, in turn with those of the present one."""

AT_LEAST: Final = 0.5
"""Of what was predicted to be saved: less, and the prediction does not hold."""

MEMORY_SLACK: Final = 0.05
"""What real peaks may lie above a limit: they vary by as much."""


PAUSE_SLACK: Final = 0.1
"""What a real pause may lie above a limit: they vary by more."""

Figure = Literal["gc_ns", "longest_ns", "p99_ns", "peak_bytes"]


@dataclass(frozen=True, slots=True)
class Real:
    """What a setting really took, in the median of its runs; longest and p99 are the least of
    them."""

    gc_ns: int
    longest_ns: int
    p99_ns: int
    peak_bytes: int
    full: int

    @classmethod
    def of(cls, runs: Sequence[RealRun]) -> Real:
        pauses = [[one.pause_ns for one in run.collections] for run in runs]
        return cls(
            int(median(map(sum, pauses))),
            min(max(each, default=0) for each in pauses),
            min(quantile(each, 99) if each else 0 for each in pauses),
            int(median(run.peak_bytes or 0 for run in runs)),
            sum(one.generation == 2 for one in runs[0].collections),
        )

    def to_json(self) -> dict[str, int]:
        return {
            "gc_ns": self.gc_ns,
            "longest_ns": self.longest_ns,
            "p99_ns": self.p99_ns,
            "peak_bytes": self.peak_bytes,
            "full_collections": self.full,
        }


@dataclass(frozen=True, slots=True)
class Bearing:
    """A setting's real runs beside those of the present one, and whether they bear out the share
    of `figure` that was to be saved: gc_ns, longest_ns, p99_ns or peak_bytes."""

    policy: str
    now: Real
    then: Real
    figure: Figure
    share: float
    limits: Limits

    @property
    def against(self) -> str:
        """What of the prediction did not come true; empty where it did."""
        now, then = self.now, self.then
        most = (1 + self.limits.more_memory + MEMORY_SLACK) * now.peak_bytes
        if now.peak_bytes and then.peak_bytes > most:
            return f"memory grew from {size_words(now.peak_bytes)} to {size_words(then.peak_bytes)}"
        slack = 1 + PAUSE_SLACK
        if not self.limits.keeps(int(then.longest_ns / slack), int(then.p99_ns / slack)):
            return f"pauses took up to {in_ms(then.longest_ns)} ms (p99 {in_ms(then.p99_ns)})"
        before, after = getattr(now, self.figure), getattr(then, self.figure)
        if self.figure == "peak_bytes":
            return "" if after < before else f"the peak was {size_words(after)}, as before"
        if before - after >= AT_LEAST * self.share * before and before:
            return ""
        return f"{_SAID[self.figure]} {after / 1e6:.2f} ms for {before / 1e6:.2f}"

    def to_json(self) -> dict[str, Any]:
        return {
            "policy": self.policy,
            "runs": REPEATS,
            "now": self.now.to_json(),
            "then": self.then.to_json(),
            "borne_out": not self.against,
        }


_SAID: Final = {"gc_ns": "GC time was", "longest_ns": "the longest pause was", "p99_ns": "p99 was"}
