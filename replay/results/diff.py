"""Two replays side by side: figures, where the heaps part, what one keeps longer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gcreplay.store.events import U32, U64, Events, Op
from gcreplay.store.log import EventLog
from gcreplay.store.words import describe

from ..policies.policy import Policy
from ..run import Replay
from .result import RunResult

FIGURES = (
    "collections",
    "collected",
    "freed_by_refcount",
    "uncollectable",
    "revived",
    "displaced",
    "unmoved",
    "peak_objects",
    "peak_bytes",
    "peak_floating_objects",
    "peak_floating_bytes",
    "visited",
    "links",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One figure in both runs; `percent` is None when it was 0 and is not any more."""

    figure: str
    first: int
    second: int
    change: int
    percent: float | None

    @classmethod
    def of(cls, figure: str, first: int, second: int) -> Change:
        percent = 100 * (second - first) / first if first else (None if second else 0.0)
        return cls(figure, first, second, second - first, percent)


@dataclass(frozen=True, slots=True)
class Parting:
    """The first event after which the live heaps differ."""

    sequence: int
    event: str


@dataclass(frozen=True, slots=True)
class KeptLonger:
    """Objects of one type from one site, and how long each run keeps them: objects times events."""

    type: str
    site: str
    objects_first: int
    objects_second: int
    object_events_first: int
    object_events_second: int

    @property
    def change(self) -> int:
        """Above 0: the second run keeps them longer."""
        return self.object_events_second - self.object_events_first


@dataclass(frozen=True, slots=True)
class DiffResult:
    """Two runs compared. `kept_longer` is ordered by the size of the change, largest first."""

    first: RunResult
    second: RunResult
    figures: tuple[Change, ...]
    parting: Parting | None
    kept_longer: tuple[KeptLonger, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "first": self.first.to_json(),
            "second": self.second.to_json(),
            "figures": [asdict(change) for change in self.figures],
            "first_difference": asdict(self.parting) if self.parting else None,
            "kept_longer": [{**asdict(row), "change": row.change} for row in self.kept_longer],
        }


def diff(
    first: tuple[EventLog, str | Policy],
    second: tuple[EventLog, str | Policy],
    *,
    apply_from: str | None = None,
    window: tuple[str, str] | None = None,
) -> DiffResult:
    """Replay and compare two (log, policy) pairs; the log may be the same one.

    Raises what `replay` raises.
    """
    runs = [Replay(log, p, apply_from=apply_from, window=window) for log, p in (first, second)]
    for run in runs:
        run.note_deaths()
    results = [run.run() for run in runs]
    lives = [_Lives.of(run) for run in runs]
    return DiffResult(
        results[0],
        results[1],
        _changes(results[0], results[1]),
        _parting(runs[0], runs[1], lives[0], lives[1]),
        _kept_longer(lives[0], lives[1]),
    )


def _changes(first: RunResult, second: RunResult) -> tuple[Change, ...]:
    def value(result: dict[str, Any], figure: str) -> int:
        if figure == "collections":
            return sum(result["collections_by_generation"])
        return int(result["work"][figure] if figure in result["work"] else result[figure])

    before, after = first.to_json(), second.to_json()
    return tuple(
        Change.of(figure, value(before, figure), value(after, figure)) for figure in FIGURES
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Lives:
    """Birth, death, shape and site of every object of a run, by id, with the names they mean."""

    log: EventLog
    births: U64
    deaths: U64
    shapes: U32
    sites: U32

    @classmethod
    def of(cls, run: Replay) -> _Lives:
        births, shapes, sites = [], [], []
        for segment in run.log.named():
            at = np.flatnonzero(segment.op == Op.ALLOC)
            births.append(at.astype(np.uint64) + np.uint64(segment.first_sequence))
            shapes.append(segment.b[at])
            sites.append(segment.c[at])
        assert run.deaths is not None

        def joined(parts: list[Any], dtype: type) -> Any:
            return np.concatenate(parts) if parts else np.zeros(0, dtype)

        born = joined(births, np.uint64)
        # An object of a window's end is alive there, whatever happens later.
        deaths = np.minimum(run.deaths, np.uint64(run.window[1]))
        deaths = np.maximum(deaths, np.minimum(born, np.uint64(run.window[1])))
        return cls(run.log, born, deaths, joined(shapes, np.uint32), joined(sites, np.uint32))

    def by_type_and_site(self) -> dict[tuple[str, str], tuple[int, int]]:
        """(objects, objects times events) of each type and site, by name."""
        types, shapes, sites = self.log.types, self.log.shapes, self.log.sites
        type_of = np.array([shape.type for shape in shapes], dtype=np.uint64)
        if not len(self.births):
            return {}
        keys = (type_of[self.shapes] << np.uint64(32)) | self.sites
        lifetimes = self.deaths - np.minimum(self.births, self.deaths)
        groups, member, counts = np.unique(keys, return_inverse=True, return_counts=True)
        sums = np.zeros(len(groups), dtype=np.uint64)
        np.add.at(sums, member, lifetimes)
        totals: defaultdict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
        for key, count, total in zip(groups.tolist(), counts.tolist(), sums.tolist(), strict=True):
            site = sites[key & 0xFFFFFFFF]
            near = "near " if site.near else ""
            where = f"{near}{site.file}:{site.line}" if site.id else ""
            name = (types[key >> 32].qualified, where)
            objects, events = totals[name]
            totals[name] = (objects + count, events + total)
        return dict(totals)


def _kept_longer(first: _Lives, second: _Lives) -> tuple[KeptLonger, ...]:
    before, after = first.by_type_and_site(), second.by_type_and_site()
    rows = []
    for name in sorted({*before, *after}):
        (objects_a, events_a), (objects_b, events_b) = (
            before.get(name, (0, 0)),
            after.get(name, (0, 0)),
        )
        rows.append(KeptLonger(*name, objects_a, objects_b, events_a, events_b))
    changed = [row for row in rows if row.change or row.objects_first != row.objects_second]
    return tuple(sorted(changed, key=lambda row: -abs(row.change)))


def _parting(run_a: Replay, run_b: Replay, first: _Lives, second: _Lives) -> Parting | None:
    """Where logs or deaths first differ: until then equal ids are the same object."""
    end = min(run_a.events, run_b.events)
    candidates = [] if run_a.events == run_b.events else [end]
    if run_a.log is not run_b.log:
        candidates += _first_unequal(run_a.log.segments(0, end), run_b.log.segments(0, end))
    n = min(len(first.deaths), len(second.deaths))
    unequal = np.flatnonzero(first.deaths[:n] != second.deaths[:n])
    if len(unequal):
        candidates.append(int(np.minimum(first.deaths[unequal], second.deaths[unequal]).min()))
    if not candidates:
        return None
    sequence = min(candidates)
    log = run_a.log if sequence < run_a.events else run_b.log
    event = log.window(sequence, sequence + 1)
    return Parting(sequence, describe(*(int(column[0]) for column in event.columns())))


def _first_unequal(first: Iterable[Events], second: Iterable[Events]) -> list[int]:
    """The first sequence number at which two runs of events of equal length differ."""
    rest_a, rest_b = iter(first), iter(second)
    a, b = next(rest_a, None), next(rest_b, None)
    while a is not None and b is not None and len(a) and len(b):
        n = min(len(a), len(b))
        differs = np.zeros(n, dtype=np.bool_)
        differs |= a.op[:n] != b.op[:n]
        for x, y in zip(a.columns()[1:], b.columns()[1:], strict=True):
            differs |= x[:n] != y[:n]
        if differs.any():
            return [a.first_sequence + int(np.argmax(differs))]
        a = a.part(n, len(a)) if n < len(a) else next(rest_a, None)
        b = b.part(n, len(b)) if n < len(b) else next(rest_b, None)
    return []
