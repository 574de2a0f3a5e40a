"""What a person asks of a run first: the collector's time and its share of the program's own, the
longest pause, full collections, memory. Work is counted after that.

Times stand outside `result_hash`: a result is the same on every machine, a time is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from gcreplay.replay import RunResult
from gcreplay.replay.estimates.pauses import PauseModel, Pauses, Times
from gcreplay.replay.policies.policy import OLDEST
from gcreplay.replay.tuning.choice import Option
from gcreplay.report.words.numbers import in_ms, in_percent, size_words
from gcreplay.screen.tables.table import Cell, Counts, Figure, Size
from gcreplay.store import EventLog
from gcreplay.store.marks import with_marks_read

PRESENT: Final = "cpython-3.11"
"""The policy that does what the recorded program's own collector did."""

RARE: Final = {
    "uncollectable": "uncollectable",
    "revived": "used after free",
    "displaced": "not where recorded",
    "unmoved": "not yet there",
}
"""Figures that are 0 in most runs, and their headings."""

TIMES: Final = ("GC ms", "% CPU", "longest ms")
MEMORY: Final = ("full", "peak memory", "peak garbage")
WORK: Final = (
    "collections",
    "collected",
    "objects visited",
    "links followed",
    "peak waiting",
    "freed by GC",
    "freed by count",
)


def is_recorded(log: EventLog) -> bool:
    """Whether the log is of a real program, and not written by hand."""
    return log.meta.get("counts") == "probed"


@dataclass(frozen=True, slots=True)
class OwnTime:
    """Nanoseconds that the program took for itself, its collections left out, and of what."""

    ns: int
    source: str

    def words(self) -> str:
        """What shares are shares of, in a sentence."""
        return f"% CPU is of {_SOURCES[self.source]}."


MEASURED: Final = "own_cpu_measured_ns"
"""In the meta of a recording: CPU time of unrecorded runs under its own setting, as `prove` has
measured it."""

_SOURCES: Final = {
    "measured": "the CPU time of unrecorded runs",
    "recorded": "the CPU time of the recorded run, 1.2 to 2 times that of real ones",
    "clock": "the recorded run by the clock, waiting included",
}


def own_time(log: EventLog) -> OwnTime | None:
    """What is known best of the program's own time; None where no clock was read."""
    meta = log.meta
    for source, key in (("measured", MEASURED), ("recorded", "own_cpu_ns")):
        if isinstance(ns := meta.get(key), int) and ns > 0:
            return OwnTime(ns, source)
    ns = max(log.program_times(), default=0)
    return OwnTime(ns, "clock") if ns else None


ASSUMED_SHARE: Final = 20
"""Where nobody knows a program's own time: so many times what its collector takes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run, with the estimated pauses of its collections where there is a model; the clairvoyant
    bound makes none. `own_ns`: as `own_time` gives it. `cuts`: the references that are cut."""

    run: RunResult
    pauses: Pauses | None
    own_ns: int | None
    cuts: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        run: RunResult,
        model: PauseModel | None,
        own: OwnTime | None,
        cuts: tuple[str, ...] = (),
    ) -> Outcome:
        known = model is not None and not run.bound
        pauses = model.estimate(run.collections) if model is not None and known else None
        return cls(run, pauses, None if own is None else own.ns, cuts)

    @property
    def name(self) -> str:
        return with_marks_read(self.run.policy) + ", cut" * bool(self.cuts)

    @property
    def full(self) -> int:
        """Collections of the oldest generation, which visit everything."""
        return self.run.collections_by_generation[OLDEST]

    @property
    def share(self) -> float | None:
        """The collector's time over all."""
        return None if self.pauses is None else share_of(self.pauses, self.own_ns)

    def times(self) -> tuple[Cell, ...]:
        """Cells under TIMES."""
        return time_cells(self.pauses, self.own_ns)

    def memory(self) -> tuple[Cell, ...]:
        """Cells under MEMORY."""
        full = None if self.run.bound else self.full
        return (full, Size(self.run.peak_bytes), Size(self.run.peak_floating_bytes))

    def work(self) -> tuple[Cell, ...]:
        """Cells under WORK."""
        result = self.run
        return (
            Counts(tuple(result.collections_by_generation)),
            result.collected,
            sum(each.candidates for each in result.collections),
            sum(each.links for each in result.collections),
            result.peak_floating_objects,
            result.freed_by_collector,
            result.freed_by_refcount,
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON of the run; where pauses are estimated also `pauses`, `gc_share`, and a
        `pause_ns` for each collection."""
        values = self.run.to_json()
        if self.cuts:
            values["cuts"] = list(self.cuts)
        if self.pauses is None:
            return values
        each = zip(values["collections"], self.pauses.each, strict=True)
        values["collections"] = [{**made, "pause_ns": ns} for made, ns in each]
        return {**values, "pauses": sums(self.pauses), "gc_share": self.share}


def share_of(pauses: Times, own_ns: int | None) -> float | None:
    """Of the time that both take, the program and the collector; None where that is not known."""
    return pauses.total / (own_ns + pauses.total) if own_ns else None


def time_cells(pauses: Times | None, own_ns: int | None) -> tuple[Cell, ...]:
    """Cells under TIMES."""
    if pauses is None:
        return (None, None, None)
    share = share_of(pauses, own_ns)
    percent = None if share is None else Figure(100 * share)
    return (milliseconds(pauses.total), percent, milliseconds(pauses.longest))


def milliseconds(ns: int) -> Figure:
    return Figure(ns / 1e6)


def from_to(what: str, before: str, after: str, unit: str = "") -> str:
    """A figure before and after, in words."""
    return f"{what} from {before} to {after}{unit}"


def time_words(now: Times, then: Times, own_ns: int | None) -> str:
    """The collector's time now and then, and its share where that is known."""
    told = from_to("GC time", in_ms(now.total), in_ms(then.total), " ms")
    before, after = share_of(now, own_ns), share_of(then, own_ns)
    if before is None or after is None:
        return told
    return f"{told} ({in_percent(before)} to {in_percent(after)} of CPU)"


def longest_words(now: Times, then: Times, what: str = "longest pause") -> str:
    """The longest pause now and then."""
    return from_to(what, in_ms(now.longest), in_ms(then.longest), " ms")


def peak_words(now: int, then: int, what: str = "peak memory") -> str:
    """Bytes at the peak now and then."""
    was, new = size_words(now), size_words(then)
    return from_to(what, was, new) if was != new else f"{what} {was} as before"


def change_words(now: Option, then: Option, own_ns: int | None) -> str:
    """What a setting gains and costs beside that of now, in a sentence."""
    return (
        f"Predicted: {time_words(now.pauses, then.pauses, own_ns)}, "
        f"{longest_words(now.pauses, then.pauses)}, {peak_words(now.peak, then.peak)}."
    )


def sums(pauses: Times) -> dict[str, int]:
    """The JSON of pauses."""
    return {"total_ns": pauses.total, "longest_ns": pauses.longest, "p99_ns": pauses.p99}


def rare_figures(runs: Sequence[RunResult]) -> list[str]:
    """Those of RARE that are not 0 in all runs."""
    results = [run.to_json() for run in runs]
    return [name for name in RARE if any(result[name] for result in results)]


def program_words(log: EventLog, own: OwnTime | None) -> str:
    """What was recorded: the program, its time, and the setting it ran under."""
    argv = log.meta.get("argv")
    told = program(argv if isinstance(argv, list) else [])
    if own is not None:
        told += f": {own.ns / 1e9:,.2f} s of its own"
    if log.start is not None:
        told += f", recorded under {','.join(map(str, log.start.threshold))} ({PRESENT})"
    return told


def program(argv: Sequence[object]) -> str:
    """The command line, with a script's name for its path."""
    first, *others = map(str, argv or ["the program"])
    return " ".join([PurePath(first).name, *others])
