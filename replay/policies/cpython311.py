"""The collector of CPython 3.8 to 3.11 (Modules/gcmodule.c, tag v3.11.7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from gcreplay.store.events import StartState

from ..results.result import Collection
from .generational import Generational
from .policy import OLDEST, Heap, Recording, Untrack


class CPython311(Generational):
    """Generational, with the rules of gc_collect_generations and gc_collect_main.

    A full collection waits until the survivors of middle collections since the last one,
    `long_lived_pending`, are a quarter of those of the last one, `long_lived_total`. Exact tuples
    that hold nothing trackable are untracked by every collection, such dicts by full ones.
    """

    summary = "CPython 3.11's collector; without arguments under the recorded settings"
    versions: ClassVar[tuple[str, ...]] = ("3.11", "3.8", "3.9", "3.10")
    untracks: ClassVar[Untrack] = Untrack.TUPLES
    untracks_in_full: ClassVar[Untrack] = Untrack.TUPLES | Untrack.DICTS

    def __init__(self, thresholds: Sequence[int] | None = None) -> None:
        super().__init__(thresholds)
        self.long_lived_total = 0
        self.long_lived_pending = 0

    def recorded_storage(self, start: StartState) -> bool:
        return self.fixed in (None, start.threshold)

    def notes(self, recording: Recording) -> Sequence[str]:
        return swapped(recording, self.versions)

    def begin(self, heap: Heap, start: StartState) -> None:
        self.long_lived_total = start.long_lived_total
        self.long_lived_pending = start.long_lived_pending
        super().begin(heap, start)

    def waits(self, heap: Heap) -> bool:
        return self.long_lived_pending < self.long_lived_total // 4 or super().waits(heap)

    def made(self, heap: Heap, generation: int) -> Collection:
        if generation < OLDEST:
            done = heap.collect(generation, untrack=self.untracks)
            if generation == 1:
                self.long_lived_pending += done.survivors
        else:
            done = heap.collect(OLDEST, untrack=self.untracks_in_full)
            self.long_lived_total, self.long_lived_pending = done.survivors, 0
        return done

    def state(self, heap: Heap) -> StartState:
        """The collector's state of now, for a policy that takes over from here."""
        t0, t1, t2 = self.thresholds
        return StartState(
            count=(heap.young, self.counts[1], self.counts[2]),
            threshold=(t0, t1, t2),
            enabled=heap.enabled,
            long_lived_total=self.long_lived_total,
            long_lived_pending=self.long_lived_pending,
        )


def swapped(recording: Recording, versions: Sequence[str]) -> tuple[str, ...]:
    """What to say where another version was recorded than those whose collector this is."""
    recorded = f"{recording.python}."
    if not recording.python or recorded.startswith(tuple(f"{one}." for one in versions)):
        return ()
    return (
        f"recorded on CPython {recording.python}: only the collector is that of CPython "
        f"{versions[0]}; object layout, free lists and what is tracked at birth stay the "
        "recording's",
    )
