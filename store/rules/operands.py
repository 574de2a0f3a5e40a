"""What an event names by number stands in the log's tables, and is what the event takes.

Not every log that is read was judged whole by `validate`: whoever looks up what events name asks
here first. The sentences are those of the rules.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import values
from ..errors import InvalidLog
from ..events import (
    NO_OBJECT,
    UNFREEABLE,
    Events,
    GcCall,
    Op,
    StartState,
    WeakUse,
    call_arguments,
    positions,
)
from ..words import describe

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
    "only the found heap names generation 1, 2 or 3, and only what follows it 4; none is above",
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
    "all objects that ever were have together fewer than 2 ** 63 bytes",
)
"""The rules, by the number that the native code gives; {0} is an object id."""

BAD_ARGUMENT = 15
_NOT_BORN, _SHAPE, _SITE, _LABEL, _GENERATION, _CALL, _VALUE = 5, 3, 4, 10, 13, 14, 18
_OBJECT_OPS = tuple(
    op for op in Op if op not in (Op.START, Op.GC_CALL, Op.INSIDE, Op.SAFEPOINT, Op.MARK, Op.TICK)
)
_TARGET_OPS = (Op.LINK, Op.UNLINK, Op.WEAKREF)
_LABEL_OPS = (Op.INCREF, Op.DECREF, Op.LINK, Op.UNLINK)
_ANY = 2**32


class Taken:
    """Whether the argument of a START or GC_CALL event is what it takes; each is read once."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._known: dict[tuple[int, int, int], bool] = {}

    def __call__(self, events: Events, i: int) -> bool:
        return self.fits(int(events.op[i]), int(events.a[i]), int(events.b[i]))

    def fits(self, op: int, a: int, b: int) -> bool:
        """The same of the operands of one event."""
        key = op, a, b
        if key not in self._known:
            self._known[key] = self._fits(*key)
        return self._known[key]

    def _fits(self, op: int, a: int, b: int) -> bool:
        try:
            if op == Op.START:
                StartState.from_json(self._arguments[a])
            else:
                call_arguments(GcCall(a), values.from_json(self._arguments[b]))
        except (ValueError, IndexError):
            return False
        return True


class Operands:
    """The bounds of operands: how many objects, shapes, sites and labels a log has."""

    def __init__(
        self, objects: int, shapes: int, sites: int, labels: int, arguments: Sequence[str]
    ) -> None:
        self._taken = Taken(arguments)
        self._bounds = np.full((3, len(Op)), _ANY, np.int64)
        self._rules = np.zeros((3, len(Op)), np.int64)
        a, b, c = range(3)
        for operand, ops, bound, rule in (
            (a, _OBJECT_OPS, objects, _NOT_BORN),
            (b, _TARGET_OPS, objects, _NOT_BORN),
            (b, (Op.ALLOC,), shapes, _SHAPE),
            (c, (Op.ALLOC,), sites, _SITE),
            (c, _LABEL_OPS, labels, _LABEL),
            (b, (Op.TRACK,), UNFREEABLE + 1, _GENERATION),
            (a, (Op.START,), len(arguments), BAD_ARGUMENT),
            (a, (Op.GC_CALL,), len(GcCall), _CALL),
            (b, (Op.GC_CALL,), len(arguments), BAD_ARGUMENT),
            (c, (Op.GC_CALL,), max(2, sites + 1), _VALUE),
            (a, (Op.MARK,), labels, _LABEL),
            (c, (Op.WEAKREF,), len(WeakUse), _VALUE),
        ):
            self._bounds[operand, list(ops)] = min(bound, _ANY)
            self._rules[operand, list(ops)] = rule
        self._objects = min(objects, _ANY)

    def check(self, events: Events) -> None:
        """Raises InvalidLog for the first event that names what the log does not have."""
        columns = np.stack(events.columns()[1:])
        beyond = columns >= self._bounds[:, events.op]
        inside = (
            (events.op == np.uint8(Op.INSIDE))
            & (events.a != NO_OBJECT)
            & (events.a >= self._objects)
        )
        bad = beyond.any(axis=0) | inside
        for i in positions(events.op, Op.START, Op.GC_CALL).tolist():
            bad[i] |= not self._taken(events, i)
        if not bad.any():
            return
        i = int(np.argmax(bad))
        rules = self._rules[beyond[:, i], events.op[i]].tolist()
        rule = _NOT_BORN if inside[i] else rules[0] if rules else BAD_ARGUMENT
        culprit = events.b if beyond[1, i] else events.a
        raise broken(events, i, rule, int(culprit[i]))


def broken(events: Events, index: int, rule: int, culprit: int) -> InvalidLog:
    """The error that names the event at `index`, its broken rule and the object it speaks of."""
    event = describe(*(int(column[index]) for column in events.columns()))
    return InvalidLog(events.first_sequence + index, event, RULES[rule].format(culprit))
