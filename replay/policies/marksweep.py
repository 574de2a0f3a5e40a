"""Everything, whenever the heap has grown: the pacing of Lua and, with a factor of two, of Go.

Lua 5.4, lgc.c, setpause: a cycle begins when memory in use reaches `pause` percent of what was in
use after the last one, by default 200. Go, the garbage collector guide, GOGC: by default 100
percent more than what was alive after the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from gcreplay.store.errors import UsageError
from gcreplay.store.events import GcCall, StartState
from gcreplay.store.values import I32_MOST, shown, whole_from

from .policy import OLDEST, Heap, Policy, Recording


class MarkSweep(Policy):
    """Collects the whole heap when containers have grown by so many percent of those that the last
    collection left; no generations.

    Growth is the young counter: births less deaths since the last collection, never below 0. What
    a reference count frees costs no collection, as in neither source.
    """

    summary = "mark and sweep: everything, when the heap has grown by PERCENT (100)"

    def __init__(self, percent: int = 100) -> None:
        self.percent = percent

    @classmethod
    def from_arguments(cls, arguments: str) -> Self:
        try:
            return cls(whole_from("PERCENT", arguments or "100", 1, I32_MOST))
        except ValueError as error:
            raise UsageError(f"{shown(arguments)} is no growth ({error})") from None

    def notes(self, recording: Recording) -> Sequence[str]:
        return ("growth is counted in containers, not in bytes",)

    def begin(self, heap: Heap, start: StartState) -> None:
        self.arm(heap, sum(heap.size(generation) for generation in range(OLDEST + 1)))

    def arm(self, heap: Heap, alive: int) -> None:
        heap.arm(allocations=max(1, alive * self.percent // 100))

    def on_allocations(self, heap: Heap) -> None:
        self.collect(heap)

    def collect(self, heap: Heap) -> None:
        self.arm(heap, heap.collect(OLDEST).survivors)

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        """Which generation the program names does not matter."""
        if call is GcCall.COLLECT:
            self.collect(heap)
        else:
            super().on_call(heap, call, arguments)
