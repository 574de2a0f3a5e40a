"""What remains of a valid log when some of its events are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..events import NO_OBJECT, U8, U32, Events, Op
from ..log import EventLog
from ._validate import State
from .operands import broken


@dataclass(frozen=True, slots=True, eq=False)
class Sifted:
    """A segment, judged: `events` with operands that may say less than what was recorded.

    keep: uint8, by event, 1 for what remains. missed: uint32, by event, the object that is dead by
    then although the event names it, of one that does not remain for that; else NO_OBJECT.
    """

    events: Events
    keep: U8
    missed: U32


def sifted(log: EventLog, left_out: Callable[[Events], U8]) -> Iterator[Sifted]:
    """The segments of a log without those events of each for which `left_out` gives 1.

    What cannot happen then is left out, too: events that name an object that is dead by then,
    undo a link that is gone, or drop more references than running code still holds.

    Raises InvalidLog for a log that breaks its rules, and as `EventLog.segments`.
    """
    recorded, remaining = _begun(log), _begun(log)
    for events in log.segments():
        a, b = events.a.copy(), events.b.copy()
        keep = np.zeros(len(events), np.uint8)
        missed = np.full(len(events), NO_OBJECT, np.uint32)
        index, rule = remaining.sift(
            recorded, events.op, a, b, events.c, left_out(events), keep, missed
        )
        if rule:
            raise broken(events, index, rule, recorded.culprit)
        less = Events(events.op, a, b, events.c, events.first_sequence, events.first_object)
        yield Sifted(less, keep, missed)


def _begun(log: EventLog) -> State:
    """The state before the first event."""
    _, sizes, flags = log.shape_arrays()
    state = State(log.op_counts[Op.START] > 0)
    state.know(sizes, flags, len(log.sites), len(log.labels), len(log.arguments))
    return state
