"""Is a log valid? Judged under `never`: reference counting alone, no collector.

What a log may say does not depend on a policy, so neither does this.
"""

from __future__ import annotations

import numpy as np

from ..errors import DamagedFile
from ..events import U32, Events, Op, positions
from ..log import EventLog
from ..tables.names import Names, shape_arrays
from ._validate import State
from .operands import BAD_ARGUMENT, Taken, broken

_NONE = np.empty(0, np.uint32)


class Validator:
    """Checks events as they come, segment by segment.

    `names` may grow in between; `found_heap` says that a START event is to come.
    """

    def __init__(self, names: Names, *, found_heap: bool) -> None:
        self._names = names
        self._arguments: list[str] = []
        self._taken = Taken(self._arguments)
        self._shapes = shape_arrays(names.shapes.rows)
        self._state = State(found_heap)

    @property
    def live(self) -> int:
        """Number of objects alive now, cyclic garbage included."""
        return self._state.live

    def feed(self, events: Events, places: U32 = _NONE, gone: U32 = _NONE) -> None:
        """Check the next events; raises InvalidLog for the first that breaks a rule.

        Who knows what no later event names keeps the state as small as the heap: before the event
        at `places[i]` of these, a rising position, the object `gone[i]` leaves with its links.
        """
        self._know()
        index, rule = self._state.feed(*events.columns(), places, gone)
        culprit = self._state.culprit
        for i in positions(events.op, Op.START, Op.GC_CALL).tolist():
            if i < index and not self._taken(events, i):
                index, rule = i, BAD_ARGUMENT
        if rule:
            raise broken(events, index, rule, culprit)

    def _know(self) -> None:
        """What has been named by now."""
        names = self._names
        self._arguments += [str(text) for (text,) in names.arguments.rows[len(self._arguments) :]]
        if len(self._shapes[0]) < len(names.shapes.rows):
            self._shapes = shape_arrays(names.shapes.rows)
        counts = (len(table.rows) for table in (names.sites, names.labels, names.arguments))
        self._state.know(*self._shapes[1:], *counts)


def validate(log: EventLog) -> int:
    """Check a whole log; returns how many objects are alive at its end.

    Raises InvalidLog for the first event that breaks a rule, DamagedSegment for a part that
    cannot be read.
    """
    try:
        log.names.check_types()
    except ValueError as error:
        raise DamagedFile(str(error)) from None
    validator = Validator(log.names, found_heap=log.op_counts[Op.START] > 0)
    for events in log.segments():
        validator.feed(events)
    return validator.live
