"""Is a log valid? Judged under `never`: reference counting alone, no collector.

What a log may say does not depend on a policy, so neither does this.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from ..errors import DamagedFile, InvalidLog
from ..events import U32, Events, GcCall, Op, StartState
from ..log import EventLog
from ..words import describe
from ._validate import State

RULES = (
    "",
    "there is no such op",
    "object ids are dense: the next object to be allocated has the next id",
    "the shape is not in the log's table of shapes",
    "the site is not in the log's table of sites",
    "object {0} has not been allocated yet",
    "object {0} is dead",
    "the number of references must be at least 1",
    "the reference count of object {0} would exceed 4294967295",
    "there is no such link to undo",
    "the label is not in the log's table of labels",
    "`kept` follows the event that killed its object, once, before the next alloc or gc call,"
    " unless only links hold it",
    "object {0} is no container: it has no GC header",
    "only the found heap names a generation other than 0, and none is above 3",
    "there is no such gc call",
    "the argument is missing, or is not what this event takes",
    "a region inside a finalizer cannot begin within another",
    "this region inside a finalizer has not begun",
    "an operand is out of range",
    "a weak reference object refers to one target, once",
    "a log has one START, at the end of the found heap",
    "before START only the found heap is described",
    "object {0} dies in the found heap, where nothing happens yet",
    "running code holds fewer references to object {0}: its count less its incoming links",
    "an object without a GC header is neither counted nor tracked",
)
"""The rules, by the number that the native code gives; {0} is an object id."""

_BAD_ARGUMENT = 15
_ARGUMENTS = {GcCall.COLLECT: 1, GcCall.SET_THRESHOLD: 3, GcCall.SET_DEBUG: 1}


class Validator:
    """Checks events as they come, segment by segment.

    `flags` are the flags of all shapes (uint32), `sites` and `labels` how many there are,
    `arguments` their JSON texts; `found_heap` says that a START event is to come.
    """

    def __init__(
        self, flags: U32, sites: int, labels: int, arguments: Sequence[str], *, found_heap: bool
    ) -> None:
        self._arguments = arguments
        self._state = State(flags, sites, labels, len(arguments), found_heap)
        self._good: set[tuple[int, int, int]] = set()

    @property
    def live(self) -> int:
        """Number of objects alive now, cyclic garbage included."""
        return self._state.live

    def feed(self, events: Events) -> None:
        """Check the next events; raises InvalidLog for the first that breaks a rule."""
        index, rule = self._state.feed(*events.columns())
        culprit = self._state.culprit
        for i in np.flatnonzero((events.op == Op.START) | (events.op == Op.GC_CALL)).tolist():
            if i < index and not self._takes(events, i):
                index, rule = i, _BAD_ARGUMENT
        if rule:
            raise broken(events, index, rule, culprit)

    def _takes(self, events: Events, i: int) -> bool:
        """Whether the argument of a START or GC_CALL event is what it takes."""
        key = op, a, b = int(events.op[i]), int(events.a[i]), int(events.b[i])
        if key not in self._good:
            try:
                if op == Op.START:
                    StartState.from_json(self._arguments[a])
                else:
                    values = json.loads(self._arguments[b])
                    wanted = _ARGUMENTS.get(GcCall(a), 0)
                    if [type(value) for value in values] != [int] * wanted:
                        return False
            except (ValueError, TypeError, KeyError, AttributeError):
                return False
            self._good.add(key)
        return True


def broken(events: Events, index: int, rule: int, culprit: int) -> InvalidLog:
    """The error that names the event at `index`, its broken rule and the object it speaks of."""
    event = describe(*(int(column[index]) for column in events.columns()))
    return InvalidLog(events.first_sequence + index, event, RULES[rule].format(culprit))


def validate(log: EventLog) -> int:
    """Check a whole log; returns how many objects are alive at its end.

    Raises InvalidLog for the first event that breaks a rule, DamagedSegment for a part that
    cannot be read.
    """
    types, _, flags = log.shape_arrays()
    if len(types) and int(types.max()) >= len(log.types):
        raise DamagedFile("a shape names a type that is not in the log's table of types")
    validator = Validator(
        flags,
        len(log.sites),
        len(log.labels),
        log.arguments,
        found_heap=log.op_counts[Op.START] > 0,
    )
    for events in log.segments():
        validator.feed(events)
    return validator.live
