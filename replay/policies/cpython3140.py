"""The incremental collector of CPython 3.14.0 (Python/gc.c, tag v3.14.0, before gh-140262)."""

from __future__ import annotations

from .cpython3142 import PENDING, VISITED, YOUNG, CPython3142
from .policy import Heap, Untrack


class CPython3140(CPython3142):
    """That of 3.14.2, with a counter of births and deaths, and no run without work.

    The counter is that of the generational collectors. Each run marks or collects an increment,
    so young garbage goes at every T0 + 1 births (gc_collect_increment); a share of the heap is
    added to `work` once more behind the increment; the share of a heap in the work of new objects
    is at most 3/2 of them; `heap_size` counts all living containers.
    """

    summary = "CPython 3.14.0's collector: incremental; young garbage goes in every run"
    counts_tracking = False
    versions = ("3.14.0",)

    def run(self, heap: Heap) -> None:
        self.work += self.assess(heap)
        heap.untrack_tuples(YOUNG)
        if self.marking:
            self.mark(heap)
        else:
            self.increment(heap)

    def assess(self, heap: Heap) -> int:
        new = heap.young
        heap.young = 0
        return new + min(self.share(heap.containers), 3 * new // 2)

    def increment(self, heap: Heap) -> None:
        self.work -= heap.mark(VISITED, roots=YOUNG)
        done = heap.collect(
            YOUNG,
            into=VISITED,
            untrack=Untrack.TUPLES | Untrack.IMMORTALS,
            front=(PENDING, max(0, self.work)),
            called=1,
        )
        self.work += self.share(heap.containers) - done.candidates
        if not heap.size(PENDING):
            self.complete(heap)
