"""What lives when: birth, end, site and size of every object of a log, and the heap at one moment.

Alive is what something reaches: an object ends where its count falls to 0, or where it becomes
garbage, whatever collector frees that later. That is what the clairvoyant policy does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import I64, U32, U64, Events, Op, joined, positions, resizes
from gcreplay.store.log import EventLog

from ..engine.annotation import garbage_of
from ..run import Replay
from . import _graph

_PERFECT = "clairvoyant"


@dataclass(frozen=True, slots=True, eq=False)
class Heap:
    """The objects alive at a moment, by ascending id, and their links as the log has them.

    id, shape: uint32[n]. external: int64[n], references that no link of the log accounts for.
    owned: int64[n], bytes outside the block. begin: uint64[n + 1], target and label: uint32[m]: the
    links of object v are begin[v] up to begin[v + 1], targets are places in these arrays.
    """

    id: U32
    shape: U32
    external: I64
    owned: I64
    begin: U64
    target: U32
    label: U32

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True, slots=True, eq=False)
class Lives:
    """All objects of a log, by id, what becomes of them up to event `stop`, and the heap before it.

    birth, end: uint64, sequence numbers; `end` is past the log for what is alive at `stop`.
    shape, site: uint32. resized: sequence uint64, object uint32, bytes int64 by which that object
    grew there.
    """

    stop: int
    birth: U64
    end: U64
    shape: U32
    site: U32
    resized: tuple[U64, U32, I64]
    heap: Heap


def lives(log: EventLog, stop: int) -> Lives:
    """The lives of the log's objects up to event `stop`; raises what `replay` raises."""
    perfect = Replay(log, _PERFECT)
    perfect.note_deaths()
    perfect.begin()
    none = joined([], 0)
    parts, grown = [_births(none)], [resizes(none)]
    for events in log.named():
        parts.append(_births(events))  # of all: finalizers may run, and make objects, early
        before = events.part(0, max(0, min(len(events), stop - events.first_sequence)))
        grown.append(resizes(before))
        perfect.apply(before)
    assert perfect.deaths is not None
    birth, shape, site = (_joined(column) for column in zip(*parts, strict=True))
    heap = _heap(perfect, log)
    end = perfect.deaths
    end[heap.id] = log.event_count + 1
    return Lives(stop, birth, end, shape, site, _all(grown), heap)


def _births(events: Events) -> tuple[U64, U32, U32]:
    at = positions(events.op, Op.ALLOC)
    return at.astype(np.uint64) + np.uint64(events.first_sequence), events.b[at], events.c[at]


def _all(parts: list[tuple[U64, U32, I64]]) -> tuple[U64, U32, I64]:
    """In order of objects, and with what changed in place of what there is from then on."""
    sequence, object_, owned = (_joined(column) for column in zip(*parts, strict=True))
    order = np.argsort(object_, kind="stable")
    sequence, object_, owned = sequence[order], object_[order], owned[order]
    before = np.zeros_like(owned)
    same = object_[1:] == object_[:-1]
    before[1:][same] = owned[:-1][same]
    return sequence, object_, owned - before


def _joined(parts: tuple[npt.NDArray, ...]) -> npt.NDArray:  # type: ignore[type-arg]
    return np.concatenate(parts)


def _heap(replay: Replay, log: EventLog) -> Heap:
    """The engine holds one reference more to all that reference counting alone leaves alive."""
    id_, shape, count, owned, begin, target, label = _graph.export(replay.engine.address)
    linked = np.bincount(target, minlength=len(id_))
    external = count.astype(np.int64) - linked - np.isin(id_, garbage_of(log).alive)
    return Heap(id_, shape, np.maximum(external, 0), owned, begin, target, label)
