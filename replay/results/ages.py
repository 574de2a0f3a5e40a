"""How old objects are when they die, counted in objects that are made meanwhile.

That is the clock of a collector that begins when so many were made: what dies young dies before it
looks. Most objects do (the weak generational hypothesis: Ungar, "Generation scavenging", 1984).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import I64, U32, U64, Op, positions, resizes
from gcreplay.store.log import EventLog


@dataclass(frozen=True, slots=True, eq=False)
class Ages:
    """Of every object that was made and died while recording ran.

    An age is how many objects were made from its birth, itself included, to its death: at least 1.
    edges: int64[n + 1], powers of two; an age is in bin i if edges[i] <= age < edges[i + 1].
    objects, bytes: int64[2, n]; row 0 died by reference count, row 1 in a collection. Bytes are
    those of the death. made: objects made in that time; found: those that were there before, of
    which nobody knows the age; within: a number of objects, and `died_within` of those that died
    were no older than it.
    """

    edges: I64
    objects: I64
    bytes: I64
    made: int
    found: int
    within: int
    died_within: int

    @classmethod
    def of(
        cls, log: EventLog, deaths: U64, by_collector: npt.NDArray[np.bool_], shape: U32
    ) -> Ages:
        """deaths: by object id, the event at which it died, the number of events if it did not.
        `within` is the recorded young threshold, 700 where that is 0."""
        births, size = _births_and_sizes(log, deaths, shape)
        first = int(np.searchsorted(births, np.uint64(log.start_sequence)))
        ids = first + np.flatnonzero(deaths[first:] < np.uint64(log.event_count))
        age = np.searchsorted(births, deaths[ids]) - ids
        within = (log.start.threshold[0] if log.start else 0) or 700
        top = int(age.max(initial=1)).bit_length()
        edges = np.left_shift(np.int64(1), np.arange(top + 1, dtype=np.int64))
        place = np.searchsorted(edges, age, side="right") - 1
        row = by_collector[ids].astype(np.int64)
        objects, held = (np.zeros((2, top), np.int64) for _ in range(2))
        np.add.at(objects, (row, place), 1)
        np.add.at(held, (row, place), size[ids])
        return cls(
            edges,
            objects,
            held,
            len(births) - first,
            first,
            within,
            int(np.count_nonzero(age <= within)),
        )

    @property
    def died(self) -> int:
        return int(self.objects.sum())


def _births_and_sizes(log: EventLog, deaths: U64, shape: U32) -> tuple[U64, I64]:
    """By object id: the event of its birth (uint64), and its bytes when it died or at the end."""
    sizes = np.array([one.size for one in log.shapes] or [0], np.int64)
    born, size = [np.zeros(0, np.uint64)], sizes[shape]
    owned = np.zeros(len(shape), np.int64)
    for events in log.segments():
        first = np.uint64(events.first_sequence)
        born.append(positions(events.op, Op.ALLOC).astype(np.uint64) + first)
        at, who, has = resizes(events)
        alive = at < deaths[who]
        owned[who[alive]] = has[alive]  # of the same object the last stands
    return np.concatenate(born), size + owned
