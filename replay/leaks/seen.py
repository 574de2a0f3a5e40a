"""The heap at a moment as it was read there: exact links with names, titles, and running frames.

The log's own links are as old as the last probe of their source. Where all of the heap was read at
the moment, at a mark or at the end, its readings take their place. References that neither accounts
for stay external. Elsewhere readings of before name the links that the log has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gcreplay.store.events import I64, NO_OBJECT, OPAQUE_LABEL, U32, UNKNOWN_LABEL
from gcreplay.store.log import EventLog
from gcreplay.store.readings import Readings, Reason

from .lives import Heap

WHOLE_HEAP = (Reason.MARK, Reason.END)
_NEAR = 2
"""So many events may stand between a moment and its readings."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """heap: objects, and behind them the running frames that were read, with id NO_OBJECT. title:
    uint32 by frame, id in labels of what a person calls its function. whole: all of the heap was
    read at the moment. named: some links have names."""

    heap: Heap
    title: U32
    whole: bool
    named: bool


def seen(log: EventLog, heap: Heap, stop: int) -> Seen:
    """What is known of the heap before event `stop`."""
    every = log.readings(frames=True)
    now = int(np.searchsorted(every.sequence, stop, side="right"))
    readings = every.part(0, now)
    vertex = np.full(log.object_count + 1, -1, np.int64)
    vertex[heap.id] = np.arange(len(heap))
    last, of = _last(readings, np.ones(len(readings), bool), vertex)
    whole = _read_at(readings, stop, log.event_count)
    all_of_it = np.isin(readings.reason, WHOLE_HEAP) & (whole is not None)
    rows, at = _last(readings, all_of_it, vertex)
    frames = np.flatnonzero(
        all_of_it & (readings.object == NO_OBJECT) & (readings.sequence == (whole or 0))
    )
    unread = np.ones(len(heap), bool)
    unread[at] = False
    begin = heap.begin.astype(np.int64)
    source = np.repeat(np.arange(len(heap)), begin[1:] - begin[:-1])
    kept = unread[source] | (heap.label == OPAQUE_LABEL)
    old = source[kept], heap.target[kept], heap.label[kept]
    parts = [
        _links(readings, rows, at, vertex),
        _links(readings, frames, len(heap) + np.arange(len(frames)), vertex),
        (*old[:2], _with_names(heap.id, old, readings, last[unread[of]])),
    ]
    if whole is None and now < len(every):
        parts.append(_seen_next(every.part(now, len(every)), heap, vertex))
    as_read = _joined(heap, len(frames), parts)
    named = bool((as_read.label > OPAQUE_LABEL).any())
    return Seen(as_read, readings.title[frames], whole is not None, named)


def _joined(
    heap: Heap, frames: int, parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]
) -> Heap:
    """The heap with frames behind its objects, and with these links (source, target, label)."""
    n = len(heap) + frames
    source, target, label = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(source, kind="stable")
    source, target, label = source[order], target[order], label[order]
    linked_before = np.bincount(heap.target, minlength=len(heap))
    linked = np.bincount(target, minlength=n)[: len(heap)]
    external = np.maximum(heap.external + linked_before - linked, 0)
    nothing = np.zeros(frames, np.int64)
    return Heap(
        np.concatenate([heap.id, np.full(frames, NO_OBJECT, np.uint32)]),
        np.concatenate([heap.shape, nothing.astype(np.uint32)]),
        np.concatenate([external, nothing]),
        np.concatenate([heap.owned, nothing]),
        np.searchsorted(source, np.arange(n + 1)).astype(np.uint64),
        target.astype(np.uint32),
        label.astype(np.uint32),
    )


def _read_at(readings: Readings, stop: int, end: int) -> int | None:
    """Where all of the heap was read, if that was at the moment."""
    reason = Reason.END if stop == end else Reason.MARK
    at = readings.sequence[readings.reason == reason]
    if not len(at) or (reason == Reason.MARK and int(at[-1]) + _NEAR < stop):
        return None
    return int(at[-1])


def _last(readings: Readings, wanted: np.ndarray, vertex: I64) -> tuple[np.ndarray, np.ndarray]:
    """The last of the wanted readings of each object alive, and the vertex that it is. Of what had
    not changed since the heap was read before, nothing was written."""
    rows = np.flatnonzero(wanted & (readings.object != NO_OBJECT))
    objects, places = np.unique(readings.object[rows][::-1], return_index=True)
    rows = rows[::-1][places]
    alive = vertex[objects] >= 0
    return rows[alive], vertex[objects[alive]]


def _seen_next(
    later: Readings, heap: Heap, vertex: I64
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of what no link leads to, the first that a later reading shows: it was there by then."""
    rows = np.flatnonzero(later.object != NO_OBJECT)
    of = vertex[later.object[rows]]
    rows, of = rows[of >= 0], of[of >= 0]
    source, target, label = _links(later, rows, of, vertex)
    alone = np.bincount(heap.target, minlength=len(heap)) == 0
    places = np.flatnonzero(alone[target])
    _, first = np.unique(target[places], return_index=True)
    chosen = np.sort(places[first])
    return source[chosen], target[chosen], label[chosen]


def _links(
    readings: Readings, rows: np.ndarray, of: np.ndarray, vertex: I64
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Source, target and label of what those readings hold that is alive; `of`: the vertex of
    each."""
    number, places = _spread(readings, rows)
    target = vertex[readings.target[places]]
    alive = target >= 0
    return of[number[alive]], target[alive], readings.label[places[alive]]


def _spread(readings: Readings, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each link of those readings: which of them has it, and where it stands."""
    begin, end = readings.first[rows].astype(np.int64), readings.first[rows + 1].astype(np.int64)
    lengths = end - begin
    number = np.repeat(np.arange(len(rows)), lengths)
    return number, np.arange(len(number)) + (begin - np.cumsum(lengths) + lengths)[number]


def _with_names(
    id: U32, links: tuple[np.ndarray, U32, U32], readings: Readings, rows: np.ndarray
) -> U32:
    """The labels of those links of the log (source, target, label); one without a name gets the
    first that the last reading of its source has for the target."""
    source, target, label = links
    number, places = _spread(readings, rows)
    if not len(places):
        return label
    holder = readings.object[rows].astype(np.uint64)[number]
    known = holder << np.uint64(32) | readings.target[places]
    keys, first = np.unique(known, return_index=True)
    bare = np.flatnonzero(label == UNKNOWN_LABEL)
    wanted = id[source[bare]].astype(np.uint64) << np.uint64(32) | id[target[bare]]
    found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    hit = keys[found] == wanted
    label = label.copy()
    label[bare[hit]] = readings.label[places[first[found[hit]]]]
    return label
