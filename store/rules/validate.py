"""Is a log valid? Judged under `never`: reference counting alone, no collector.

What a log may say does not depend on a policy, so neither does this.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import DamagedFile
from ..events import U32, Events, Op
from ..log import EventLog
from ._validate import State
from .operands import BAD_ARGUMENT, Taken, broken


class Validator:
    """Checks events as they come, segment by segment.

    `flags` are the flags of all shapes (uint32), `sites` and `labels` how many there are,
    `arguments` their JSON texts; `found_heap` says that a START event is to come.
    """

    def __init__(
        self, flags: U32, sites: int, labels: int, arguments: Sequence[str], *, found_heap: bool
    ) -> None:
        self._taken = Taken(arguments)
        self._state = State(flags, sites, labels, len(arguments), found_heap)

    @property
    def live(self) -> int:
        """Number of objects alive now, cyclic garbage included."""
        return self._state.live

    def feed(self, events: Events) -> None:
        """Check the next events; raises InvalidLog for the first that breaks a rule."""
        index, rule = self._state.feed(*events.columns())
        culprit = self._state.culprit
        for i in np.flatnonzero((events.op == Op.START) | (events.op == Op.GC_CALL)).tolist():
            if i < index and not self._taken(events, i):
                index, rule = i, BAD_ARGUMENT
        if rule:
            raise broken(events, index, rule, culprit)


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
