"""Large programs as logs: the published ones, written as columns of events."""

from __future__ import annotations

from collections import deque

import numpy as np

from gcreplay.store import TraceBuilder
from gcreplay.store.events import Op


class Program:
    """A log that grows by hundreds of thousands of events; `node` is the shape of its objects."""

    def __init__(
        self, found: tuple[int, int, int] = (0, 0, 0), aside: int = 0, **start: object
    ) -> None:
        """`found`: so many objects in each generation when the recording starts, all held, and
        `aside` more in the oldest that only an untracked object holds."""
        self.b = TraceBuilder()
        for generation, n in enumerate(found):
            first = self.born(n)
            self.add([(Op.TRACK, first + i, generation, 0) for i in range(n)])
        if aside:
            holder = self.born(1)
            first = self.born(aside)
            self.add([(Op.UNTRACK, holder, 0, 0)])
            self.add([(Op.TRACK, first + i, 2, 0) for i in range(aside)])
            self.add([(Op.LINK, holder, first + i, 0) for i in range(aside)])
            self.add([(Op.DECREF, first + i, 1, 0) for i in range(aside)])
        self.before = self.b._objects
        self.b.start(**start)  # type: ignore[arg-type]

    def add(self, events: list[tuple[int, int, int, int]]) -> None:
        """These events, of objects that `born` has numbered."""
        if events:
            self._extend(np.array(events, dtype=np.int64).T)

    def born(self, n: int) -> int:
        """So many nodes, each held by running code; the first id returns."""
        first = self.b._objects
        if n:
            shape, site = self._shape()
            ids = np.arange(first, first + n)
            column = np.ones(n, dtype=np.int64)
            self._extend(np.array([column * Op.ALLOC, ids, column * shape, column * site]))
            self.b._objects += n
        return first

    def node(self, events: list[tuple[int, int, int, int]]) -> int:
        """A node, whose birth is among the events."""
        shape, site = self._shape()
        self.b._objects += 1
        events.append((Op.ALLOC, self.b._objects - 1, shape, site))
        return self.b._objects - 1

    def _shape(self) -> tuple[int, int]:
        names = self.b._names
        kind = names.types.intern(("demo", "Node", "other", 0))
        return names.shapes.intern((kind, 48, 7)), 0

    def _extend(self, columns: np.ndarray) -> None:
        for column, values in zip(self.b._columns, columns, strict=True):
            column.frombytes(values.astype(column.typecode).tobytes())


def queue(length: int, nodes: int, **start: object) -> Program:
    """A deque of so many instances that refer to themselves; `__init__` is where a collection may
    run first, before the instance refers to itself."""
    program = Program(**start)  # type: ignore[arg-type]
    events: list[tuple[int, int, int, int]] = []
    alive: deque[int] = deque()
    for _ in range(nodes):
        alive.append(node := program.node(events))
        events += [(Op.SAFEPOINT, 0, 0, 0), (Op.LINK, node, node, 0)]
        if len(alive) > length:
            events.append((Op.DECREF, alive.popleft(), 1, 0))
    program.add(events)
    return program


def chain(n: int, hold: int, nodes: int, **start: object) -> Program:
    """Cycles of n nodes, each with a witness that one of them holds, in a list that is cleared when
    it has `hold` nodes. A collection may run when a node's call returns."""
    program = Program(**start)  # type: ignore[arg-type]
    events: list[tuple[int, int, int, int]] = []
    holder = program.node(events)
    held: list[int] = []
    safepoint = (Op.SAFEPOINT, 0, 0, 0)
    for _ in range(nodes // n):
        ring = []
        for _ in range(n):
            ring.append(program.node(events))
            events.append(safepoint)
        for node, following in zip(ring, ring[1:] + ring[:1], strict=True):
            events.append((Op.LINK, node, following, 0))
        witness = program.node(events)
        events += [safepoint, (Op.LINK, ring[0], witness, 0), (Op.DECREF, witness, 1, 0)]
        for node in ring:
            events += [(Op.LINK, holder, node, 0), (Op.DECREF, node, 1, 0)]
        held += ring
        if len(held) >= hold:
            events += [(Op.UNLINK, holder, node, 0) for node in held]
            held = []
    program.add(events)
    return program


def node_loop(nodes: int, **start: object) -> Program:
    """`x = Node(); x.me = x`, so often; a call checks when it returns, before x is bound anew."""
    program = Program(**start)  # type: ignore[arg-type]
    events: list[tuple[int, int, int, int]] = []
    old = None
    for _ in range(nodes):
        node = program.node(events)
        events.append((Op.SAFEPOINT, 0, 0, 0))
        if old is not None:
            events.append((Op.DECREF, old, 1, 0))
        events.append((Op.LINK, node, node, 0))
        old = node
    program.add(events)
    return program
