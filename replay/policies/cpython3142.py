"""The incremental collector of CPython 3.14.1 to 3.14.4 (Python/gc.c, tag v3.14.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from gcreplay.store.events import GcCall, StartState

from .cpython311 import swapped
from .cpython312 import without_safepoints
from .policy import OLDEST, PERMANENT, Heap, Recording, Untrack
from .thresholds import WithThresholds

YOUNG, VISITED, PENDING = 0, 1, 2
_LEAVE = Untrack.TUPLES | Untrack.IMMORTALS


class CPython3142(WithThresholds):
    """Two generations, the old one in two spaces: visited in this cycle, and pending.

    The young counter goes up with each object tracked and down with each untracked. Over T0 it asks
    for a run (_Py_TriggerGC), which comes at the next safepoint without a second test. A run
    (gc_collect_increment) adds to `work` what is new and a share of the heap (assess_work_to_do),
    and does nothing while that is below 0. The first run of a cycle marks what roots reach
    (mark_at_start), and takes the number marked from `work` twice (gh-141890). The others collect
    the young generation with the front of the pending space and all it leads to there, as much as
    there is work, into the visited space. With nothing pending the spaces change roles.

    Roots are, of all tracked objects, those that something outside the recorded objects refers to:
    a log does not know frames and the interpreter's own tables. In an increment only new ones of
    the young generation are (mark_stacks).
    """

    summary = "CPython 3.14.2's collector: incremental, in two generations"
    counts_links = True
    counts_tracking: ClassVar[bool] = True
    versions: ClassVar[tuple[str, ...]] = ("3.14.2", "3.14.1", "3.14.3", "3.14.4")
    defaults = (2000, 10, 0)

    def __init__(self, thresholds: Sequence[int] | None = None) -> None:
        super().__init__(thresholds)
        self.work = 0
        self.marking = True

    def notes(self, recording: Recording) -> Sequence[str]:
        return (
            *swapped(recording, self.versions),
            *without_safepoints(recording),
            "its roots are all objects that something outside the recorded ones refers to: it "
            "marks more than the interpreter, which knows frames and its own tables alone",
        )

    def begin(self, heap: Heap, start: StartState) -> None:
        """All that is not young is pending."""
        heap.move(VISITED, into=PENDING)
        super().begin(heap, start)

    def arm(self, heap: Heap) -> None:
        heap.arm(allocations=self.thresholds[0] or None, recheck=-1)

    def on_safepoint(self, heap: Heap) -> None:
        self.run(heap)

    def run(self, heap: Heap) -> None:
        """gc_collect_increment."""
        self.work += self.assess(heap)
        if self.work < 0:
            return
        heap.untrack_tuples(YOUNG)
        if self.marking:
            self.mark(heap)
        else:
            self.increment(heap)

    def assess(self, heap: Heap) -> int:
        """assess_work_to_do; `heap_size` counts tracked objects, frozen ones too."""
        new = heap.young
        heap.young = 0
        tracked = sum(heap.size(generation) for generation in range(PERMANENT + 1))
        return new + min(self.share(tracked), 2 * new)

    def share(self, heap_size: int) -> int:
        return heap_size // 10 // max(2, self.thresholds[1])

    def mark(self, heap: Heap) -> None:
        """mark_at_start, and what follows it."""
        self.work -= 2 * heap.mark(VISITED, called=1)
        self.marking = False

    def increment(self, heap: Heap) -> None:
        self.work -= heap.mark(VISITED, roots=YOUNG)
        done = heap.collect(
            YOUNG, into=VISITED, untrack=_LEAVE, front=(PENDING, max(0, self.work)), called=1
        )
        self.work -= done.candidates
        if not heap.size(PENDING):
            self.complete(heap)

    def complete(self, heap: Heap) -> None:
        """completed_scavenge: what is visited is pending."""
        heap.move(VISITED, into=PENDING)
        self.work, self.marking = 0, True

    def collect_all(self, heap: Heap) -> None:
        """gc_collect_full scans the visited space, the pending one and the young generation."""
        heap.untrack_tuples(YOUNG)
        heap.move(YOUNG, into=PENDING)
        heap.move(PENDING, into=VISITED)
        heap.collect(OLDEST, into=VISITED, untrack=_LEAVE)
        self.complete(heap)

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        if call is GcCall.UNFREEZE:
            heap.move(PERMANENT, into=VISITED)
        else:
            super().on_call(heap, call, arguments)

    def collect(self, heap: Heap, generation: int) -> None:
        """gc.collect(generation)."""
        if generation == OLDEST:
            self.collect_all(heap)
        elif generation == 1:
            self.run(heap)
        else:
            heap.untrack_tuples(YOUNG)
            heap.collect(YOUNG, into=VISITED, untrack=_LEAVE)
