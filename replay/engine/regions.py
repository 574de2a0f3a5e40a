"""Regions with an owner: what finalizers and callbacks did, lifted out of the log.

A replay passes over them where they were recorded, and runs them when its own collection finds the
owner. Calls of the gc module, marks, safepoints and ticks stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import NO_OBJECT, U32, U64, Events, Op

_KEEP_THEIR_PLACE = (Op.GC_CALL, Op.INSIDE, Op.SAFEPOINT, Op.MARK, Op.TICK)


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """By region, in the order of the log: `owner`, the first id born in it, `birth`, and how many
    are, `births`; `begin` is the place of its first event among the events of all, op, a, b and c,
    with the end of the last behind. `sequence` is where in the log each event stands."""

    owner: U32
    birth: U32
    births: U32
    begin: U64
    op: npt.NDArray[np.uint8]
    a: U32
    b: U32
    c: U32
    sequence: U64


class Lifting:
    """Gathers the regions of a log, segment by segment."""

    def __init__(self) -> None:
        self._owners: list[U32] = []
        self._births: list[U32] = []
        self._parts: list[tuple[U32, npt.NDArray[np.uint8], U32, U32, U32, U64]] = []
        self._regions = 0
        self._open = False

    def take(self, events: Events) -> None:
        op, a, b, c = events.columns()
        marks = np.flatnonzero(op == Op.INSIDE)
        if not (len(marks) or self._open):
            return
        marks = marks[a[marks] != NO_OBJECT]
        begins = marks[b[marks] == 1]
        ends = marks[b[marks] == 0]
        depth = np.zeros(len(op), np.int64)
        depth[begins] = 1
        number = np.cumsum(depth) + (self._regions - 1)  # of the region begun last
        depth[ends] = -1
        inside = np.cumsum(depth) + self._open > 0
        inside &= ~np.isin(op, _KEEP_THEIR_PLACE)
        self._owners.append(a[begins])
        births = np.flatnonzero(op == Op.ALLOC)
        first = events.first_object + np.searchsorted(births, begins)
        self._births.append(first.astype(np.uint32))
        region = number[inside].astype(np.uint32)
        sequence = np.flatnonzero(inside) + events.first_sequence
        self._parts.append(
            (region, op[inside], a[inside], b[inside], c[inside], sequence.astype(np.uint64))
        )
        self._regions += len(begins)
        self._open = bool(self._open + len(begins) - len(ends))

    def regions(self) -> Regions | None:
        """All of them; None where there are none."""
        if not self._regions:
            return None
        number, op, a, b, c, sequence = (
            np.concatenate(column) for column in zip(*self._parts, strict=True)
        )
        lengths = np.bincount(number, minlength=self._regions)
        births = np.bincount(number[op == Op.ALLOC], minlength=self._regions)
        return Regions(
            owner=np.concatenate(self._owners),
            birth=np.concatenate(self._births),
            births=births.astype(np.uint32),
            begin=np.concatenate([[0], np.cumsum(lengths)]).astype(np.uint64),
            op=op,
            a=a,
            b=b,
            c=c,
            sequence=sequence,
        )
