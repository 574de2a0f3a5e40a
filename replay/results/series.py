"""The heap over the time of a run: live and floating bytes and objects, as step functions.

They follow from births, deaths and sizes alone, so that no replay has to be stopped to look. Where
there are more steps than a chart has points they are thinned into bins, each with its least, its
greatest and its mean value: no peak is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import I64, U32, U64, Op, positions, resizes

from ..engine.annotation import garbage_of
from ..engine.regions import Regions
from ..run import Replay
from .result import RunResult

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Thinned:
    """float64 (n,): the least, greatest and mean value of each bin; the mean is weighted by how
    long a value held."""

    low: F64
    high: F64
    mean: F64


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A step function. at: int64 (n,), events, ascending; value: int64 (n,), what holds from that
    event up to the next one named. Where an event is named more than once, all but the last of its
    values hold for a moment within it. Before the first it is 0."""

    at: I64
    value: I64

    @property
    def peak(self) -> int:
        return int(self.value.max(initial=0))

    def integral(self, start: int, end: int) -> int:
        """Value times events from `start` up to `end`."""
        bounds = np.clip(np.append(self.at, end), start, end)
        return sum(int(one) for one in self.value * np.diff(bounds))

    def thinned(self, where: F64, edges: F64) -> Thinned:
        """In bins from edges[i] up to edges[i + 1]; where: float64 (n,), ascending, the place of
        each step on the axis of the edges (n + 1,), none of it outside."""
        begin = edges[:-1]
        first = np.searchsorted(where, begin, side="left")
        padded_where, padded = np.append(where, np.inf), np.append(self.value, 0)
        before = np.append(0, self.value)[first]
        # Each bin begins with what held there, so that none is empty.
        begins_with = np.where(padded_where[first] == begin, padded[first], before)
        value = np.insert(self.value, first, begins_with).astype(np.float64)
        lengths = np.diff(np.append(np.insert(where, first, begin), edges[-1]))
        starts = first + np.arange(len(begin))
        sums, spans = np.add.reduceat(value * lengths, starts), np.diff(edges)
        mean = np.divide(sums, spans, out=value[starts], where=spans > 0)
        low, high = np.minimum.reduceat(value, starts), np.maximum.reduceat(value, starts)
        return Thinned(low, high, np.clip(mean, low, high))


@dataclass(frozen=True, slots=True, eq=False)
class HeapSteps:
    """A run's heap: what is alive, and of it what is floating garbage: unreachable, and not freed
    yet. start: the event from which on that is a time, and no heap found at the beginning."""

    start: int
    end: int
    live_bytes: Steps
    live_objects: Steps
    floating_bytes: Steps
    floating_objects: Steps


def heap_steps(run: Replay, result: RunResult) -> HeapSteps:
    """The heap of a run that noted deaths, over all of its log.

    Where finalizers ran, what they made and freed within one event stands in no certain order: a
    peak within that event is then told as high as it may be, but never higher than the run's.
    There, too, floating garbage may be off from the run's: what became garbage in the recording is
    dated by it, and this run may have run the finalizer at another moment. Figures that are told in
    numbers (peaks, integrals) are those of the result; this is for a chart.
    """
    assert run.deaths is not None
    log = run.log
    birth, death, size, grown = _lives(run)
    end = np.int64(log.event_count)
    born = birth < end
    dies = born & (death < end)
    at, who, change = grown
    last = size.copy()
    np.add.at(last, who, change)
    live_at = [birth[born], at, death[dies]]
    live_bytes = _steps(live_at, [size[born], change, -last[dies]], result.peak_bytes)
    ones = [np.ones(int(born.sum()), np.int64), -np.ones(int(dies.sum()), np.int64)]
    live_objects = _steps([birth[born], death[dies]], ones, result.peak_objects)

    due = garbage_of(log).due
    since = np.full(len(birth), end + 1)
    since[due["id"]] = due["sequence"]
    floats = born & (birth <= since) & (since <= death) & (since < end)
    begin = size.copy()
    early = at <= since[who]
    np.add.at(begin, who[early], change[early])
    late = ~early & floats[who]
    ends = floats & dies
    floating_bytes = _steps(
        [since[floats], at[late], death[ends]],
        [begin[floats], change[late], -last[ends]],
        result.peak_floating_bytes,
    )
    ones = [np.ones(int(floats.sum()), np.int64), -np.ones(int(ends.sum()), np.int64)]
    floating_objects = _steps([since[floats], death[ends]], ones, result.peak_floating_objects)
    return HeapSteps(
        log.start_sequence, int(end), live_bytes, live_objects, floating_bytes, floating_objects
    )


def _steps(at: list[I64], change: list[I64], peak: int) -> Steps:
    """Of changes, of which within an event those come first that add."""
    when, by = np.concatenate(at), np.concatenate(change)
    order = np.argsort(when * 2 + (by < 0), kind="stable")
    return Steps(when[order], np.minimum(np.cumsum(by[order]), peak))


def _lives(run: Replay) -> tuple[I64, I64, I64, tuple[I64, U32, I64]]:
    """By object: when it is born and dies in this run and its bytes at birth; and what objects
    grow by: events, objects, bytes. What did not happen does so at the end of the log."""
    log = run.log
    assert run.deaths is not None
    births, shapes, resized = [], [], []
    for events in log.named():
        sequence = np.uint64(events.first_sequence)
        born = positions(events.op, Op.ALLOC)
        births.append(born.astype(np.uint64) + sequence)
        shapes.append(events.b[born])
        resized.append(resizes(events))
    birth = _joined(births, np.uint64).astype(np.int64)
    at = _joined([one[0] for one in resized], np.uint64)
    who = _joined([one[1] for one in resized], np.uint32)
    owned = _joined([one[2] for one in resized], np.int64)
    regions = garbage_of(log).regions
    when = at.astype(np.int64)
    if regions is not None:
        _move(regions, run.engine.regions_ran, birth, at, when, log.event_count)
    death = run.deaths.astype(np.int64)
    kept = (when >= birth[who]) & (when <= death[who]) & (when < log.event_count)
    when, who, owned = when[kept], who[kept], owned[kept]
    order = np.lexsort((when, who))
    when, who, owned = when[order], who[order], owned[order]
    change = owned.copy()
    again = np.flatnonzero(who[1:] == who[:-1]) + 1
    change[again] -= owned[again - 1]
    sizes = np.array([shape.size for shape in log.shapes] or [0], np.int64)
    return birth, death, sizes[_joined(shapes, np.uint32)], (when, who, change)


def _move(regions: Regions, ran: U64, birth: I64, at: U64, when: I64, end: int) -> None:
    """To where this run has run the finalizers: births and growth in them."""
    ran_at = np.where(ran > 0, ran.astype(np.int64) - 1, end)
    lengths = np.diff(regions.begin).astype(np.int64)
    of_event = np.repeat(ran_at, lengths)
    place = np.searchsorted(regions.sequence, at)
    place[place == len(of_event)] = 0
    inside = regions.sequence[place] == at if len(of_event) else np.zeros(len(at), bool)
    when[inside] = of_event[place[inside]]
    born = regions.op == Op.ALLOC
    birth[regions.a[born]] = of_event[born]


def _joined(parts: list[npt.NDArray], dtype: type) -> npt.NDArray:  # type: ignore[type-arg]
    return np.concatenate(parts) if parts else np.zeros(0, dtype)
