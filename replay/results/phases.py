"""Where a program's time goes: its phases from mark to mark, and the collector's part in each.

A phase is start-up, up to the first mark (the program, where it sets none), or all work behind
marks of one kind. Labels that differ in numbers alone, `request 1` and `request 2`, are one kind,
`request #`. Imports are a phase of their own where the import system made objects. They last until
it has made nearly all that it makes before the first mark and the first long stretch of work.
The time there is between two that are known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from gcreplay.store.events import Op
from gcreplay.store.log import EventLog
from gcreplay.store.marks import kind
from gcreplay.store.rare import times as times_at

IMPORTS, START_UP, PROGRAM = "(imports)", "(start-up)", "(program)"
_IMPORTER = "<frozen importlib"
_NEARLY_ALL = 0.95
_FEW = 50
"""Objects of the import system below which imports are no phase of their own."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Events `begin` up to `stop`, and the program's own nanoseconds there, if they are known."""

    phase: str
    begin: int
    stop: int
    own_ns: int | None


@dataclass(frozen=True, slots=True)
class Spent:
    """A collection: where it ran, of which generation, what it took and found."""

    sequence: int
    generation: int
    ns: int
    collected: int


@dataclass(frozen=True, slots=True)
class Phase:
    """All intervals of one phase: nanoseconds of each with the collector's part, and that part."""

    name: str
    whole_ns: tuple[int, ...] | None
    gc_ns: tuple[int, ...]
    collections_by_generation: tuple[int, int, int]
    collected: int

    @property
    def times(self) -> int:
        return len(self.gc_ns)


def quantile(values: Sequence[int], percent: int) -> int:
    """The least value that so many per cent of all do not exceed."""
    return sorted(values)[-(-percent * len(values) // 100) - 1]


def before_work(imported: Sequence[int], start: int) -> Sequence[int]:
    """Of the import system's births those before the first stretch without any that is longer than
    all before it: work, and what is imported late is a part of that."""
    for i in range(_FEW, len(imported)):
        if imported[i] - imported[i - 1] > imported[i - 1] - start:
            return imported[:i]
    return imported


def intervals(log: EventLog) -> list[Interval]:
    """The recording from its start to its end, without gaps."""
    start, marks = log.start_sequence, log.marks()
    timed = "own_cpu_ns" in log.meta  # then a tick stands before each mark
    ticks, times, imported = _told(log, marks[0][0] if marks else log.event_count)

    def at(sequence: int) -> int | None:
        before = int(np.searchsorted(ticks, sequence))
        return int(times[before - 1]) if timed and before else None

    imported = before_work(imported, start)
    rest = START_UP if marks else PROGRAM
    bounds: list[tuple[int, str, int | None]] = [(start, rest, 0 if timed else None)]
    if len(imported) >= _FEW:
        stop = int(imported[int(len(imported) * _NEARLY_ALL)])
        between = np.interp(stop, [start, *ticks], [0, *times]) if timed else None
        bounds = [(start, IMPORTS, bounds[0][2]), (stop, rest, _whole(between))]
    bounds += [(sequence, kind(label), at(sequence)) for sequence, label in marks]
    ends = [*bounds[1:], (log.event_count, "", at(log.event_count))]
    return [
        Interval(phase, begin, stop, _between(since, until))
        for (begin, phase, since), (stop, _, until) in zip(bounds, ends, strict=True)
    ]


def phases(parts: Sequence[Interval], made: Iterable[Spent]) -> list[Phase]:
    """What these collections took of each phase; phases in the order in which they begin."""
    stops = [part.stop for part in parts]
    within: defaultdict[int, list[Spent]] = defaultdict(list)
    for one in made:
        within[int(np.searchsorted(stops, one.sequence, side="right"))].append(one)
    of: dict[str, list[int]] = {}
    for i, part in enumerate(parts):
        of.setdefault(part.phase, []).append(i)
    return [_phase(name, [(parts[i], within[i]) for i in them]) for name, them in of.items()]


def _phase(name: str, them: Sequence[tuple[Interval, Sequence[Spent]]]) -> Phase:
    gc_ns = tuple(sum(one.ns for one in made) for _, made in them)
    own = [part.own_ns for part, _ in them]
    known = [ns for ns in own if ns is not None]
    whole = tuple(a + b for a, b in zip(known, gc_ns, strict=False))
    every = [one for _, made in them for one in made]
    young, middle, old = (sum(one.generation == g for one in every) for g in range(3))
    return Phase(
        name,
        whole if len(known) == len(own) else None,
        gc_ns,
        (young, middle, old),
        sum(one.collected for one in every),
    )


def _told(log: EventLog, before: int) -> tuple[list[int], list[int], Sequence[int]]:
    """Sequence number and nanoseconds of each tick, and the births in the import system's code
    `before` that event."""
    importer = [site.id for site in log.sites if site.file.startswith(_IMPORTER)]
    ticks: list[int] = []
    times: list[int] = []
    imported: list[int] = []
    for events in log.segments():
        at = np.flatnonzero(events.op == Op.TICK)
        ticks += (at + events.first_sequence).tolist()
        times += times_at(events)
        if importer and events.first_sequence < before:
            born = np.flatnonzero((events.op == Op.ALLOC) & np.isin(events.c, importer))
            imported += (born + events.first_sequence).tolist()
    return ticks, times, [sequence for sequence in imported if sequence < before]


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _between(since: int | None, until: int | None) -> int | None:
    return None if since is None or until is None else max(0, until - since)
