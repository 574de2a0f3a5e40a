"""The collector of free-threaded CPython 3.14: gc_free_threading.c, without its memory gate."""

from __future__ import annotations

from typing import Any

from gcreplay.store.log import EventLog

from .heap import Thing
from .player import Reference


class FreeThreaded(Reference):
    """A replay; `buffer`: how many births or deaths a thread adds up before they are counted."""

    def __init__(self, log: EventLog, rules: str, *, buffer: int = 512, **options: Any) -> None:
        self.buffer, self.alloc_count, self.flushed = buffer, 0, False
        super().__init__(log, rules, **options)

    def free(self) -> None:
        """record_deallocation, of those since the last birth."""
        for _ in range(self.pending_frees):
            self.alloc_count -= 1
            if self.alloc_count <= -self.buffer:
                self.counts[0] += self.alloc_count
                self.alloc_count = 0
        self.pending_frees = 0

    def count_birth(self) -> None:
        """record_allocation."""
        self.free()
        self.alloc_count += 1
        self.flushed = self.alloc_count >= self.buffer
        if self.flushed:
            self.counts[0] += self.alloc_count
            self.alloc_count = 0

    def exceeds(self) -> bool:
        return self.flushed and self.enabled and self.should_collect()

    def should_collect(self) -> bool:
        """gc_should_collect."""
        t0, t1, _ = self.thresholds
        return t0 != 0 and self.counts[0] > t0 and (t1 == 0 or self.counts[0] > self.total // 4)

    @property
    def young(self) -> int:
        self.free()
        return self.counts[0]

    def bury(self, id: int, thing: Thing) -> None:
        super().bury(id, thing)
        self.late_frees = 0

    def consider(self, sequence: int) -> None:
        self.scheduled = False
        self.free()
        if self.enabled and self.should_collect():
            self.collect(0, "threshold", sequence, self.next_id)

    def collect(
        self, g: int, cause: str, sequence: int | None = None, allocation: int | None = None
    ) -> None:
        self.free()
        self.counts[0] = 0
        young = [id for space in (2, 0, 1) for id in self.lists[space]]
        tracked = len(young)
        for space in range(3):
            self.lists[space] = {}
        at = self.next_id if allocation is None else allocation
        made = self.collect_these(young, 2, 2, cause, sequence, at, tracked)
        self.late_frees = 0
        made.generation = g
        self.total = made.survivors + len(self.lists[3])

    def freeze(self) -> None:
        for g in range(3):
            self.move_list(g, 3)

    def mortal(self, young: list[int]) -> list[int]:
        return young
