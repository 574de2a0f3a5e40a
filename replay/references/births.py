"""Where every object of a log was born, and of what shape."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from gcreplay.store.events import U32, Op, positions
from gcreplay.store.log import EventLog

_cache: WeakKeyDictionary[EventLog, tuple[int, Births]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, eq=False)
class Births:
    """uint32 by object id: ids of its shape and of its site."""

    shape: U32
    site: U32


def births_of(log: EventLog) -> Births:
    """Those of the log, read once for each state of it."""
    events = log.event_count
    known = _cache.get(log)
    if known is not None and known[0] == events:
        return known[1]
    shape, site = (np.zeros(log.object_count, np.uint32) for _ in range(2))
    for segment in log.segments():
        born = positions(segment.op, Op.ALLOC)
        ids = slice(segment.first_object, segment.first_object + len(born))
        shape[ids], site[ids] = segment.b[born], segment.c[born]
    births = Births(shape, site)
    _cache[log] = (events, births)
    return births
