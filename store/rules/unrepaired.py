"""What a recording says without its repairs: the events that were not seen, only concluded.

A repair makes an object die where it really died, although the looks at the heap have not shown
why. Left out, the object lives on: as long as the stale link that leads to it, or for good where
nothing is known to have dropped a reference. What the log says of it afterwards is left out, too,
and so on freely; nothing is ever set right again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from ..errors import Unmarked
from ..events import REPAIR_LABELS, Op
from ..log import EventLog
from ._validate import State
from .operands import broken


def unrepaired(log: EventLog, kinds: Collection[str] = tuple(REPAIR_LABELS)) -> EventLog:
    """A valid log, in memory, of what remains of a valid one without these kinds of repairs.

    Left out are the events after START that are such a repair, what names an object that is dead
    by then, the undoing of a link that is gone, and what would drop more references than running
    code still holds. Objects keep their ids; sequence numbers are new, also those of `observed`
    and of readings.

    Raises Unmarked for a recording that does not say which of its events are repairs, InvalidLog
    and as `EventLog.segments`.
    """
    _require_marks(log, kinds)
    chosen = {REPAIR_LABELS[kind] for kind in kinds}
    left_out = np.array([label in chosen for label in log.labels], np.uint8)
    recorded, remaining = _begun(log), _begun(log)
    rest = EventLog.in_memory(meta={**log.meta, "repairs": {}})
    rest.take_names(log.names)
    kept = [np.empty(0, np.bool_)]
    for events in log.segments():
        op, a, b, c = events.op, events.a.copy(), events.b.copy(), events.c
        keep = np.zeros(len(events), np.uint8)
        index, rule = remaining.sift(recorded, op, a, b, c, left_out, keep)
        if rule:
            raise broken(events, index, rule, recorded.culprit)
        kept.append(keep.astype(np.bool_))
        rest.append(*(column[kept[-1]] for column in (op, a, b, c)))
    old = np.flatnonzero(np.concatenate(kept))
    readings = log.readings()
    sequence = np.searchsorted(old, readings.sequence).astype(np.uint64)
    rest.add_readings(replace(readings, sequence=sequence))
    new = np.searchsorted(old, [seen.sequence for seen in log.observed]).tolist()
    rest.add_observed(
        replace(seen, sequence=sequence) for seen, sequence in zip(log.observed, new, strict=True)
    )
    return rest


def _begun(log: EventLog) -> State:
    """The state before the first event."""
    _, sizes, flags = log.shape_arrays()
    state = State(log.op_counts[Op.START] > 0)
    state.know(sizes, flags, len(log.sites), len(log.labels), len(log.arguments))
    return state


def _require_marks(log: EventLog, kinds: Collection[str]) -> None:
    counted = log.meta.get("repairs")
    had = isinstance(counted, Mapping) and any(counted.get(kind) for kind in kinds)
    if had and not set(REPAIR_LABELS.values()) <= set(log.labels):
        raise Unmarked(
            f"{log.path}: an older gcreplay recorded it and did not mark its repairs: record the "
            "program once more"
        )
