"""When garbage became unreachable: a fact about the log, the same for every policy.

One replay without a collector notes the last event that touched each object: named it, or took a
reference from it when its holder died. What is unreachable at the end of the log has become so
at the latest of these times among the objects that reach it. (Merlin: Hertz and others,
"Generating object lifetime traces with Merlin", TOPLAS 28(3), 2006.)

The pass also proves the log valid as far as objects and reference counts go, in the order in which
it was recorded.

Where finalizers and callbacks have owners, a second pass leaves out what they did. They hide the
garbage that they take apart, and run only when a collection has found it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import U32, Events
from gcreplay.store.log import EventLog

from . import _engine
from .regions import Lifting, Regions
from .storage import advance, engine_for

_cache: WeakKeyDictionary[EventLog, tuple[int, Garbage]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, eq=False)
class Garbage:
    """The cyclic garbage of a log.

    due: structured array (sequence uint64, id uint32), the event after which each object is
    unreachable, ascending. alive: uint32, ids of what reference counting alone leaves alive at
    the end, ascending; where regions have owners, with them and without, or garbage without.
    dies_inside: uint8 by object id, 1 of what callbacks and finalizers of the recorded collections
    killed before the garbage was freed, those with an owner aside; 2 added of what no collection
    frees. regions: those with an owner.
    """

    due: npt.NDArray[Any]
    alive: U32
    dies_inside: npt.NDArray[np.uint8]
    regions: Regions | None


def garbage_of(log: EventLog) -> Garbage:
    """The log's garbage, found once for each state of the log. Raises InvalidLog."""
    events = log.event_count
    known = _cache.get(log)
    if known is not None and known[0] == events:
        return known[1]
    return garbage_with_heap(log)[0]


def garbage_with_heap(log: EventLog) -> tuple[Garbage, _engine.Engine]:
    """The log's garbage, found anew, and the heap that is left at its end. Raises InvalidLog."""
    engine = engine_for(log, _engine.ANNOTATING, modelled=False)
    dies_inside = np.zeros(log.object_count, np.uint8)
    engine.know_inside(dies_inside)
    lifting = Lifting()
    for segment in log.segments():
        lifting.take(segment)
        _apply(engine, segment)
    due, alive = engine.find_garbage()
    regions = lifting.regions()
    if regions is not None:
        engine, due, alive = _without(log, regions, alive)
    garbage = Garbage(due, np.asarray(alive), dies_inside, regions)
    _cache[log] = (log.event_count, garbage)
    return garbage, engine


def share_garbage(log: EventLog, garbage: Garbage) -> None:
    """Of another handle on the same log: it need not be found again."""
    _cache[log] = (log.event_count, garbage)


def _apply(engine: _engine.Engine, segment: Events) -> None:
    engine.feed(*segment.columns(), segment.first_sequence)
    while advance(engine) != _engine.END:
        pass


def _without(
    log: EventLog, regions: Regions, recorded: U32
) -> tuple[_engine.Engine, npt.NDArray[Any], U32]:
    """The heap, its garbage and what stays alive when no region with an owner runs."""
    engine = engine_for(log, _engine.ANNOTATING, modelled=False)
    engine.know_regions(regions)
    for segment in log.segments():
        _apply(engine, segment)
    due, alive = engine.find_garbage()
    stays = np.isin(alive, recorded) | np.isin(alive, due["id"])
    return engine, due, alive[stays]
