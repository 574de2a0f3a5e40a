"""The collector of CPython 3.12 (Modules/gcmodule.c and Python/ceval_gil.c, tag v3.12.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from gcreplay.store.events import GcCall, StartState

from ..results.result import Collection
from .cpython311 import CPython311
from .policy import OLDEST, Heap, Recording, Untrack


class CPython312(CPython311):
    """CPython 3.11's rules with a deferred trigger.

    A birth that takes the young counter over T0 (_PyObject_GC_Link) only asks for a collection
    (_Py_ScheduleGC). It runs at the next safepoint of the evaluation loop (_Py_RunGC), where
    gc_collect_generations selects a generation anew: an older one that is due is collected although
    the young counter has fallen, and where none is due nothing happens. `gc.disable()` before the
    safepoint drops the collection. The object that caused it is tracked by then.

    Immortal objects move to the permanent generation when a collection meets them (update_refs).

    Without thresholds: this version's own, unless the recording begins with others than a version
    of CPython does.
    """

    summary = "CPython 3.12's collector: 3.11's, run at the next safepoint if still due"
    versions: ClassVar[tuple[str, ...]] = ("3.12",)
    defaults = (700, 10, 10)
    untracks = Untrack.TUPLES | Untrack.FREEZE_IMMORTALS
    untracks_in_full = Untrack.TUPLES | Untrack.DICTS | Untrack.FREEZE_IMMORTALS

    def recorded_storage(self, start: StartState) -> bool:
        return False

    def notes(self, recording: Recording) -> Sequence[str]:
        return (*super().notes(recording), *without_safepoints(recording))

    def arm(self, heap: Heap) -> None:
        """Where an older generation is due, or may be by then, the young counter does not decide
        at the safepoint."""
        t0 = self.thresholds[0]
        may_be = self.min_interval and self.counts[OLDEST] > self.thresholds[OLDEST]
        heap.arm(allocations=t0 or None, recheck=-1 if may_be or self.due(heap) else t0)

    def on_safepoint(self, heap: Heap) -> None:
        generation = self.due(heap)
        if generation or heap.young > self.thresholds[0]:
            self.collect(heap, generation)

    def collect(self, heap: Heap, generation: int) -> Collection:
        done = super().collect(heap, generation)
        self.arm(heap)
        return done

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        super().on_call(heap, call, arguments)
        self.arm(heap)


def without_safepoints(recording: Recording) -> tuple[str, ...]:
    """What to say of a deferred collector where the recording has no safepoints."""
    if recording.safepoints:
        return ()
    return (
        "the recording has no safepoints: a collection that is due runs at the next allocation",
    )
