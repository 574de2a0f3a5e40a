"""The incremental collectors of CPython 3.14: gc.c of 3.14.2, and what 3.14.0 does otherwise.

List 1 is the visited space, list 2 the pending one.
"""

from __future__ import annotations

from typing import Any

from gcreplay.store.events import Flag, GcCall, StartState
from gcreplay.store.log import EventLog

from .collector import INCREMENTAL, Made
from .player import Reference

VISITED, PENDING = 1, 2


class Incremental(Reference):
    """A replay. `rules`: one of INCREMENTAL; all else as `Reference`."""

    def __init__(self, log: EventLog, rules: str, **options: Any) -> None:
        assert rules in INCREMENTAL
        self.work = 0
        self.phase = "mark"
        super().__init__(log, rules, **options)

    @property
    def newest(self) -> bool:
        """Whether it is that of 3.14.2."""
        return self.rules == "cpython-3.14.2"

    def take_control(self) -> None:
        self.tracking = self.newest
        self.move_list(VISITED, PENDING)
        super().take_control()

    def consider(self, sequence: int) -> None:
        """_Py_RunGC asks for nothing but whether the collector is enabled."""
        self.scheduled = False
        if self.enabled:
            self.at = sequence
            self.proceed("threshold")

    def proceed(self, cause: str) -> None:
        """gc_collect_increment."""
        new, self.counts[0], self.pending_frees = self.young, 0, 0
        self.work += new + min(self.share(), 2 * new if self.newest else 3 * new // 2)
        if self.newest and self.work < 0:
            return
        self.untrack_young()
        if self.phase == "mark":
            before = sum(map(len, self.lists[:3]))
            marked, links = self.mark(self.roots(0, 2))
            self.show(marked, links, before, cause)
            self.work -= 2 * marked
            self.phase = "collect"
            return
        self.work -= self.mark(self.roots(0))[0]
        before = sum(map(len, self.lists[:3]))
        increment = list(self.lists[0])
        self.lists[0] = {}
        while len(increment) < self.work and self.lists[PENDING]:
            self.expand(increment)
        # Immortal objects leave the lists before anything is counted here.
        done = self.region(increment, VISITED, 1, cause, before)
        if not self.newest:
            self.work += self.share()
        self.work -= done.candidates
        if not self.lists[PENDING]:
            self.complete()

    def share(self) -> int:
        """heap_size // SCAN_RATE_DIVISOR // scale_factor."""
        if self.newest:
            heap_size = sum(map(len, self.lists))
        else:
            heap_size = sum(Flag.GC in thing.flags for thing in self.things.values())
        return heap_size // 10 // max(2, self.thresholds[1])

    def untrack_young(self) -> None:
        """untrack_tuples."""
        for id in list(self.lists[0]):
            thing = self.things[id]
            if thing.kind == "tuple" and not any(map(self.may_be_tracked, thing.shown())):
                self.untrack(id)

    def roots(self, *lists: int) -> list[int]:
        """What something else than objects of the log refers to."""
        linked = [target for thing in self.things.values() for target, _ in thing.links]
        return [
            id
            for g in lists
            for id in self.lists[g]
            if self.things[id].count > linked.count(id) and self.mortal_one(id)
        ]

    def mortal_one(self, id: int) -> bool:
        return Flag.IMMORTAL not in self.things[id].flags

    def mark(self, reachable: list[int]) -> tuple[int, int]:
        """mark_all_reachable; how many moved, and their links."""
        links = 0
        for id in reachable:
            self.track(id, VISITED)
        for id in reachable:  # which grows
            self.track(id, VISITED)  # again: at the end of the list, in the order of this walk
            for target in self.things[id].shown():
                links += 1
                if self.things[target].generation in (0, PENDING) and self.mortal_one(target):
                    self.track(target, VISITED)
                    reachable.append(target)
        return len(reachable), links

    def expand(self, increment: list[int]) -> None:
        """The oldest pending object and expand_region_transitively_reachable from it."""
        region = [next(iter(self.lists[PENDING]))]
        del self.lists[PENDING][region[0]]
        for id in region:  # which grows
            for target in self.things[id].shown():
                if target in self.lists[PENDING] and self.mortal_one(target):
                    del self.lists[PENDING][target]
                    region.append(target)
        increment += region

    def region(self, young: list[int], into: int, g: int, cause: str, tracked: int) -> Made:
        sequence = self.at if cause == "threshold" else None
        return self.collect_these(young, into, g, cause, sequence, self.next_id, tracked)

    def show(self, marked: int, links: int, tracked: int, cause: str) -> None:
        self.made.append(
            Made(
                sequence=self.at if cause == "threshold" else self.sequence,
                allocation=self.next_id,
                cause=cause,
                generation=1,
                candidates=marked,
                tracked=tracked,
                links=links,
                collected=0,
                uncollectable=0,
                survivors=marked,
                freed=0,
                bytes=0,
            )
        )

    def complete(self) -> None:
        """completed_scavenge."""
        self.move_list(VISITED, PENDING)
        self.work, self.phase = 0, "mark"

    def collect(
        self, g: int, cause: str, sequence: int | None = None, allocation: int | None = None
    ) -> None:
        """gc.collect(g)."""
        tracked = sum(map(len, self.lists[:3]))
        if g == 1:
            self.proceed(cause)
            return
        self.untrack_young()
        tracked = sum(map(len, self.lists[:3]))
        self.counts[0] = 0
        spaces = (VISITED, PENDING, 0) if g == 2 else (0,)
        young = [id for space in spaces for id in self.lists[space]]
        for space in spaces:
            self.lists[space] = {}
        self.region(young, VISITED, g, cause, tracked)
        if g == 2:
            self.complete()

    def on_gc_call(self, a: int, b: int, c: int) -> None:
        if GcCall(a) is GcCall.UNFREEZE:
            self.move_list(3, VISITED)
        else:
            super().on_gc_call(a, b, c)

    def begin(self, state: StartState) -> None:
        self.at = 0
        super().begin(state)
