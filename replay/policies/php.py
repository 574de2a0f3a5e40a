"""PHP's cycle collector (php-src, Zend/zend_gc.c of PHP 7.3 to 8.3)."""

from __future__ import annotations

from typing import ClassVar

from .policy import Heap
from .trialdeletion import TrialDeletion


class PHP(TrialDeletion):
    """Trial deletion when the buffer of roots is full; its size adapts.

    GC_THRESHOLD_DEFAULT is 10,001, of which place 0 is not used: the 10,001st root finds no place
    and begins a collection (gc_possible_root_when_full). It is held meanwhile, and becomes a root
    behind it. If fewer than GC_THRESHOLD_TRIGGER = 100 objects were freed, the threshold goes up by
    GC_THRESHOLD_STEP = 10,000, to GC_THRESHOLD_MAX = 10^9 at most, else down by as much, to the
    default at least (gc_adjust_threshold). A call, gc_collect_cycles(), changes no threshold. What
    garbage lets go of when it is freed becomes a root.

    Left out: roots that the second run behind destructors makes of live temporaries, and objects in
    no cycle, such as arrays of integers, that the count of freed ones has in PHP.
    """

    summary = "PHP's collector: trial deletion from 10,001 roots on, with its adaptive threshold"
    default: ClassVar[int] = 10_001
    step: ClassVar[int] = 10_000
    most: ClassVar[int] = 1_000_000_000
    few: ClassVar[int] = 100

    def __init__(self) -> None:
        self.threshold = self.default

    def arm(self, heap: Heap) -> None:
        heap.arm(suspects=self.threshold - 1)

    def on_suspects(self, heap: Heap) -> None:
        if self.delete(heap, spare=True).collected < self.few:
            self.threshold = min(self.threshold + self.step, self.most)
        else:
            self.threshold = max(self.threshold - self.step, self.default)
        self.arm(heap)

    def collect(self, heap: Heap) -> None:
        self.delete(heap)
