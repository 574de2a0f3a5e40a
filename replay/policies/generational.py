"""Three generations by allocation counts, as the gc module's documentation describes them."""

from __future__ import annotations

from collections.abc import Sequence

from gcreplay.store.events import GcCall, StartState

from ..results.result import Collection
from .policy import OLDEST, Heap
from .thresholds import WithThresholds


class Generational(WithThresholds):
    """Collects the youngest generation when net container allocations exceed T0, the middle one
    when it did so more than T1 times, the oldest when that happened more than T2 times.
    """

    summary = "three generations: T0 net allocations, T1 and T2 collections of the next younger"

    def __init__(self, thresholds: Sequence[int] | None = None) -> None:
        super().__init__(thresholds)
        self.counts = [0, 0, 0]  # [0] is the heap's young counter
        self.min_interval = 0
        """So many ns of program time lie between two full collections, if the second is automatic;
        what a combination sets."""
        self.last_full: int | None = None

    def begin(self, heap: Heap, start: StartState) -> None:
        self.counts = list(start.count)
        super().begin(heap, start)

    def arm(self, heap: Heap) -> None:
        """T0 = 0 switches automatic collection off; a negative one collects at every birth."""
        heap.arm(allocations=self.thresholds[0] or None)

    def on_allocations(self, heap: Heap) -> None:
        self.collect(heap, self.due(heap))

    def due(self, heap: Heap) -> int:
        """The oldest generation whose count exceeds its threshold, and that may be collected."""
        oldest = 1 if self.waits(heap) else OLDEST
        return next((g for g in range(oldest, 0, -1) if self.counts[g] > self.thresholds[g]), 0)

    def waits(self, heap: Heap) -> bool:
        """Whether a full collection has to wait for something else than its count."""
        return self.last_full is not None and heap.tick < self.last_full + self.min_interval

    def collect(self, heap: Heap, generation: int) -> Collection:
        """Collect, and count it for the next older generation."""
        if generation == OLDEST:
            self.last_full = heap.tick
        self.counts[: generation + 1] = [0] * (generation + 1)
        if generation < OLDEST:
            self.counts[generation + 1] += 1
        return self.made(heap, generation)

    def made(self, heap: Heap, generation: int) -> Collection:
        """The collection itself."""
        return heap.collect(generation)

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        super().on_call(heap, call, arguments)
        if call is GcCall.FREEZE:
            self.counts = [0, 0, 0]
