"""The heap at a moment as it was read there: exact links with names, titles, and running frames.

The log's own links are as old as the last look at their source. Where all of the heap was read at
the moment, at a mark or at the end, its readings take their place. References that neither accounts
for stay external. Elsewhere readings of before name the links that the log has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gcreplay.store.events import NO_OBJECT, OPAQUE_LABEL, U32, UNKNOWN_LABEL
from gcreplay.store.log import EventLog
from gcreplay.store.readings import Readings, Reason

from .lives import I64, Heap

_NEAR = 2
"""So many events may stand between a moment and its readings."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """heap: objects, and behind them the running frames that were read, with id NO_OBJECT. title:
    uint32, id in labels of what a person calls each, 0 none. frames: how many there are. whole: all
    of the heap was read at the moment. named: some links have names."""

    heap: Heap
    title: U32
    frames: int
    whole: bool
    named: bool


def seen(log: EventLog, heap: Heap, stop: int) -> Seen:
    """What is known of the heap before event `stop`."""
    readings = log.readings()
    readings = readings.part(0, int(np.searchsorted(readings.sequence, stop, side="right")))
    title = np.zeros(len(heap), np.uint32)
    vertex = np.full(log.object_count + 1, -1, np.int64)
    vertex[heap.id] = np.arange(len(heap))
    rows, of = _last(readings, vertex)
    title[of] = readings.title[rows]
    whole = _whole(log, readings, stop)
    exact = whole & (readings.object != NO_OBJECT)
    frames = np.flatnonzero(whole & (readings.object == NO_OBJECT))
    rows_now = np.flatnonzero(exact)
    at = vertex[readings.object[rows_now]]
    rows_now, at = rows_now[at >= 0], at[at >= 0]
    parts = [_links(readings, rows_now, at, vertex), _links(readings, frames, len(heap), vertex)]
    unread = np.ones(len(heap), bool)
    unread[at] = False
    source = np.repeat(np.arange(len(heap)), np.diff(heap.begin.astype(np.int64)))
    kept = unread[source] | (heap.label == OPAQUE_LABEL)
    old = source[kept], heap.target[kept], heap.label[kept]
    parts.append((*old[:2], _with_names(heap.id, old, readings, rows[unread[of]])))
    n = len(heap) + len(frames)
    source, target, label = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(source, kind="stable")
    source, target, label = source[order], target[order], label[order]
    begin = np.searchsorted(source, np.arange(n + 1)).astype(np.uint64)
    linked_before = np.bincount(heap.target, minlength=len(heap))
    linked = np.bincount(target, minlength=n)[: len(heap)]
    external = np.maximum(heap.external + linked_before - linked, 0)
    nothing = np.zeros(len(frames), np.int64)
    as_read = Heap(
        np.concatenate([heap.id, np.full(len(frames), NO_OBJECT, np.uint32)]),
        np.concatenate([heap.shape, nothing.astype(np.uint32)]),
        np.concatenate([external, nothing]),
        np.concatenate([heap.owned, nothing]),
        begin,
        target.astype(np.uint32),
        label.astype(np.uint32),
    )
    titles = np.concatenate([title, readings.title[frames]])
    named = bool((as_read.label > OPAQUE_LABEL).any())
    return Seen(as_read, titles, len(frames), len(at) > 0, named)


def _whole(log: EventLog, readings: Readings, stop: int) -> np.ndarray:
    """Which readings are of all of the heap, at the moment."""
    if stop == log.event_count:
        found = readings.reason == Reason.END
        if found.any():
            return found
    marks = (readings.reason == Reason.MARK) & (readings.sequence + np.uint64(_NEAR) >= stop)
    return marks & (readings.sequence == readings.sequence[marks].max(initial=0))


def _last(readings: Readings, vertex: I64) -> tuple[np.ndarray, np.ndarray]:
    """The last reading of each object alive, and the vertex that it is."""
    rows = np.flatnonzero(readings.object != NO_OBJECT)
    objects, places = np.unique(readings.object[rows][::-1], return_index=True)
    rows = rows[::-1][places]
    alive = vertex[objects] >= 0
    return rows[alive], vertex[objects[alive]]


def _links(
    readings: Readings, rows: np.ndarray, of: np.ndarray | int, vertex: I64
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Source, target and label of what those readings hold that is alive; `of`: the vertex of each,
    or of the first, when the others follow."""
    if isinstance(of, int):
        of = of + np.arange(len(rows))
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
