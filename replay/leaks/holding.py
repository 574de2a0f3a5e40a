"""What holds what at a moment: ways from roots, dominators, retained bytes.

Roots are what more refers to than links tell: running functions, C code, the interpreter itself.
Modules and types are roots too: people know them by name. A way from one of these is shown before
any other, then one from a frame that runs, as what that holds will soon be free.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from gcreplay.store.events import I64

from . import _graph
from .lives import Heap

NOWHERE: Final = -1
"""In place of a vertex: no single one."""
GREW: Final = -2
_MOST: Final = 0.4
"""A holder keeps so much at least of what is asked about."""
_NEARLY_AS_MUCH: Final = 0.7
"""What keeps so much of what another keeps, below that, is the holder rather than that."""


@dataclass(eq=False)
class Holding:
    """The heap with its roots. by_rank: bool[n] of each kind of root, those whose ways are shown
    first before the others. size: int64[n], shallow bytes.

    Vertices are places in the heap's arrays.
    """

    heap: Heap
    by_rank: tuple[np.ndarray, ...]
    size: I64

    def __post_init__(self) -> None:
        n = len(self.heap)
        self.via = np.full(n, _graph.NOT_REACHED, np.uint64)
        self.above = np.zeros(n, np.uint32)
        self.depth = np.zeros(n, np.uint32)
        free = np.zeros(n, np.uint8)
        for roots in self.by_rank:
            self._reach(free, roots, self.via, self.above, self.depth)

    def _reach(self, barred: np.ndarray, roots: np.ndarray, *into: np.ndarray) -> None:
        starts = np.flatnonzero(roots).astype(np.uint32)
        _graph.reach(self.heap.begin, self.heap.target, starts, barred, *into)

    @cached_property
    def roots(self) -> np.ndarray:
        roots: np.ndarray = np.logical_or.reduce(self.by_rank)
        return roots

    @cached_property
    def _tree(self) -> tuple[I64, np.ndarray]:
        return _graph.dominators(self.heap.begin, self.heap.target, self.roots.astype(np.uint8))

    @property
    def dominator(self) -> I64:
        """int64[n]: what every way from a root passes through last, -1 where that is nothing."""
        return self._tree[0]

    def summed(self, weight: I64) -> I64:
        """What each vertex dominates of the weights, its own included."""
        sums = weight.copy()
        _graph.sum_up(self._tree[1], self.dominator, sums)
        return sums

    @cached_property
    def retained(self) -> I64:
        """int64[n]: bytes that would be free without it."""
        return self.summed(self.size)

    def retained_by(self, vertices: np.ndarray) -> int:
        """Bytes that would be free without all of these."""
        n = len(self.heap)
        barred = np.zeros(n, np.uint8)
        barred[vertices] = 1
        via = np.full(n, _graph.NOT_REACHED, np.uint64)
        rooms = np.zeros((2, n), np.uint32)
        self._reach(barred, self.roots, via, rooms[0], rooms[1])
        return int(self.size[(via == _graph.NOT_REACHED) & (self.via != _graph.NOT_REACHED)].sum())

    def holder(self, weight: I64, grown: I64) -> tuple[int, int]:
        """The vertex that keeps most of these weights as closely as one does, and how much it
        keeps; NOWHERE where none keeps two fifths.

        grown: int64[n], the kind of what grows, else -1; `GREW` for what came while it did, which
        holds nothing but its like. Of a kind one object may hold the others.

        Down the tree of dominators, as long as one child keeps nearly as much as its parent: the
        accumulation point of Eclipse's Memory Analyzer.
        """
        kept = self.summed(weight)
        some = np.flatnonzero((kept > 0) & (grown != GREW) & (self.dominator != -2))
        some = some[np.lexsort((-some, kept[some]))]
        best: dict[int, int] = dict(
            zip(self.dominator[some].tolist(), some.tolist(), strict=True)  # the last one stays
        )
        at, least, passed = NOWHERE, _MOST * int(weight.sum()), {GREW}
        while (below := best.get(at)) is not None and kept[below] >= max(1, least):
            kind = int(grown[below])
            if kind in passed:
                break
            if kind != NOWHERE:
                passed.add(kind)
            at, least = below, _NEARLY_AS_MUCH * int(kept[below])
        return at, int(kept[at]) if at != NOWHERE else 0

    def way(self, vertex: int) -> Iterator[tuple[int, int]]:
        """(link, vertex) from the vertex up to its root, which has link -1."""
        while (link := int(self.via[vertex])) < _graph.IS_START:
            yield link, vertex
            vertex = int(self.above[vertex])
        yield -1, vertex
