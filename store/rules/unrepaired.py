"""What a recording says without its repairs: the events that were not seen, only concluded.

A repair makes an object die where it really died, although no probe has shown
why. Left out, the object lives on: as long as the stale link that leads to it, or for good where
nothing is known to have dropped a reference. What the log says of it afterwards is left out, too,
and so on freely; nothing is ever set right again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from ..errors import Unmarked
from ..events import REPAIR_LABELS, U8, Events, Op, positions
from ..log import EventLog
from .sifted import sifted


def unrepaired(log: EventLog, kinds: Collection[str] = tuple(REPAIR_LABELS)) -> EventLog:
    """A valid log, in memory, of what remains of a valid one without these kinds of repairs.

    Events after START that are such a repair are left out. So are events that cannot happen then:
    they name an object that is dead by then, undo a link that is gone, or drop more references
    than running code still holds. Objects keep their ids; sequence numbers are
    new, also those of `observed` and of readings.

    Raises Unmarked for a recording that does not say which of its events are repairs, InvalidLog
    and as `EventLog.segments`.
    """
    _require_marks(log, kinds)
    chosen = {REPAIR_LABELS[kind] for kind in kinds}
    labels = np.array([label in chosen for label in log.labels], np.uint8)
    start = log.start_sequence

    def repairs(events: Events) -> U8:
        left_out = np.zeros(len(events), np.uint8)
        at = positions(events.op, Op.INCREF, Op.DECREF, Op.UNLINK)
        at = at[at + events.first_sequence >= start]
        left_out[at] = labels[np.minimum(events.c[at], len(labels) - 1)]
        return left_out

    rest = EventLog.in_memory(meta={**log.meta, "repairs": {}})
    rest.take_names(log.names)
    kept = [np.empty(0, np.bool_)]
    for part in sifted(log, repairs):
        kept.append(part.keep.astype(np.bool_))
        rest.append(*(column[kept[-1]] for column in part.events.columns()))
    old = np.flatnonzero(np.concatenate(kept))
    readings = log.readings(frames=True)
    sequence = np.searchsorted(old, readings.sequence).astype(np.uint64)
    rest.add_readings(replace(readings, sequence=sequence))
    new = np.searchsorted(old, [seen.sequence for seen in log.observed]).tolist()
    rest.add_observed(
        replace(seen, sequence=sequence) for seen, sequence in zip(log.observed, new, strict=True)
    )
    return rest


def _require_marks(log: EventLog, kinds: Collection[str]) -> None:
    counted = log.meta.get("repairs")
    had = isinstance(counted, Mapping) and any(counted.get(kind) for kind in kinds)
    if had and not set(REPAIR_LABELS.values()) <= set(log.labels):
        raise Unmarked(
            f"{log.path}: an older gcreplay recorded it and did not mark its repairs: record the "
            "program once more"
        )
