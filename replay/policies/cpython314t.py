"""The collector of free-threaded CPython 3.14 (Python/gc_free_threading.c, tag v3.14.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from gcreplay.store.events import GcCall, StartState

from .cpython311 import swapped
from .cpython312 import without_safepoints
from .policy import OLDEST, PERMANENT, Heap, Recording, Untrack
from .thresholds import WithThresholds


class CPython314t(WithThresholds):
    """No generations: every collection visits the whole heap.

    Births and deaths go into a buffer of the thread, which is added to the counter at 512 more or
    less (record_allocation, record_deallocation). When a full buffer of births is added, and again
    at the safepoint, a collection is due if the counter exceeds T0 and, unless T1 is 0, a quarter
    of the objects that the last collection found alive (gc_should_collect). Frozen objects count
    among these (gh-142531), and what a collection frees is not taken off the counter (gh-142048).

    Left out is the gate of 3.14t that waits until the process's memory has grown by a tenth, or for
    40 times T0: a recording does not tell that memory. One thread is assumed.
    """

    summary = "free-threaded CPython 3.14's collector, without its gate on process memory"
    counts_links = True
    counts_in = 512
    versions: ClassVar[tuple[str, ...]] = ("3.14t",)
    defaults = (2000, 10, 0)

    def __init__(self, thresholds: Sequence[int] | None = None) -> None:
        super().__init__(thresholds)
        self.long_lived_total = 0

    def notes(self, recording: Recording) -> Sequence[str]:
        return (
            *swapped(recording, self.versions),
            *without_safepoints(recording),
            "without its gate on the memory of the process: the interpreter collects more rarely",
        )

    def begin(self, heap: Heap, start: StartState) -> None:
        self.long_lived_total = start.long_lived_total
        super().begin(heap, start)

    def arm(self, heap: Heap) -> None:
        """gc_should_collect."""
        t0, t1 = self.thresholds[:2]
        limit = t0 if t1 == 0 else max(t0, self.long_lived_total // 4)
        heap.arm(allocations=limit if t0 else None, recheck=limit)

    def on_safepoint(self, heap: Heap) -> None:
        self.collect(heap, 0)

    def collect(self, heap: Heap, generation: int) -> None:
        """gc_collect_internal; the generation is a name."""
        done = heap.collect(OLDEST, into=OLDEST, untrack=Untrack.TUPLES, called=generation)
        self.long_lived_total = done.survivors + heap.size(PERMANENT)
        self.arm(heap)

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        if call is GcCall.FREEZE:
            heap.freeze()
        else:
            super().on_call(heap, call, arguments)
