"""Pure reference counting: the lower bound of work, the upper bound of memory."""

from __future__ import annotations

from collections.abc import Sequence

from gcreplay.store.events import GcCall, StartState

from .policy import Heap, Policy


class Refcount(Policy):
    """Reference counts alone: cycles stay until the end. Also called `never`."""

    summary = "reference counting alone: cyclic garbage stays"
    counts_only = True

    def begin(self, heap: Heap, start: StartState) -> None:
        heap.arm()

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        """Not even `gc.collect()` does anything."""
