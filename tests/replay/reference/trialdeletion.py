"""Trial deletion by its colours: zend_gc.c of PHP and orc.nim of Nim.

List 5 is the buffer of roots.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from gcreplay.store.events import Flag, Op
from gcreplay.store.log import EventLog

from .collector import Made
from .player import Reference

ALIVE, ROOTS = 0, 5


class TrialDeletion(Reference):
    """A replay; `room`: so many roots fit into the buffer at first."""

    def __init__(self, log: EventLog, rules: str, *, room: int, **options: Any) -> None:
        self.default = self.room = room
        self.full = self.waits = self.begun = False
        self.doomed: list[int] = []
        super().__init__(log, rules, **options)
        self.lists += [{}, {}]

    def take_control(self) -> None:
        super().take_control()
        self.begun = True
        for generation in (1, 2):
            self.move_list(generation, ALIVE)

    # References that are dropped; what dies of one event dies last first.

    def lose(self, id: int, n: int) -> None:
        self.things[id].count -= n
        if self.things[id].count == 0:
            self.doomed.append(id)
            if not self.waits:
                self.reap()
        elif self.begun and n:
            self.possible_root(id)

    def reap(self) -> None:
        self.waits = True
        while self.doomed:
            id = self.doomed.pop()
            thing = self.things[id]
            for target, _ in thing.links:
                self.lose(target, 1)
            thing.tracked = thing.generation is not None
            self.untrack(id)
            del self.things[id]
            self.bury(id, thing)
        self.waits = False

    def delete(self, garbage: list[int]) -> None:
        self.waits = True
        super().delete(garbage)
        self.collecting = True
        self.reap()
        self.collecting = False

    def hold(self, id: int, n: int) -> bool:
        """What the interpreter gives back is no root."""
        self.things[id].called += n
        self.things[id].count += n
        if self.things[id].count == 0:
            self.doomed.append(id)
            self.reap()
        return id in self.things

    def possible_root(self, id: int) -> None:
        generation = self.things[id].generation
        if id in self.dying or generation in (None, 3, ROOTS):
            return
        self.track(id, ROOTS)
        self.full = self.full or (self.enabled and len(self.lists[ROOTS]) > self.room)

    def play(self, op: int, a: int, b: int, c: int) -> None:
        super().play(op, a, b, c)
        if self.full and not self.inside and op not in (Op.START, Op.GC_CALL):
            self.full = False
            if self.enabled and len(self.lists[ROOTS]) > self.room:
                self.automatic()

    # Collections

    def collectable(self, id: int) -> bool:
        generation = self.things[id].generation
        return generation not in (None, 3) and Flag.IMMORTAL not in self.things[id].flags

    def white(self, roots: list[int]) -> tuple[list[int], list[int]]:
        """Mark grey, scan and collect white: what was touched, and the garbage of it."""
        grey = list(roots)
        seen = set(grey)
        count = {}
        for id in grey:  # which grows
            count[id] = self.things[id].count + self.things[id].in_garbage
            for target in self.things[id].shown():
                if target not in seen and self.collectable(target):
                    seen.add(target)
                    grey.append(target)
        self.references = sum(count.values())
        self.edges = 0
        for id in grey:
            for target in self.things[id].shown():
                if target in seen:
                    count[target] -= 1
                    self.edges += 1
        black = {id for id in grey if count[id] > 0}
        walk = list(black)
        for id in walk:  # which grows: scanBlack
            for target in self.things[id].shown():
                if target in seen and target not in black:
                    black.add(target)
                    walk.append(target)
        return grey, [id for id in grey if id not in black]

    def delete_cycles(self, cause: str, *, spare: bool = False) -> Made:
        tracked = sum(len(self.lists[g]) for g in (0, 1, 2, ROOTS))
        newest = next(reversed(self.lists[ROOTS]), None) if spare else None
        if newest is not None:
            self.track(newest, ALIVE)
            self.hold(newest, 1)
        self.counts[0] = 0
        touched, garbage = self.white(list(self.lists[ROOTS]))
        assert set(self.reached(touched)[1]) == set(garbage)
        for id in touched:
            generation = self.things[id].generation
            assert generation is not None
            del self.lists[generation][id]
        self.found = len(garbage)
        done = self.collect_these(touched, ALIVE, 0, cause, None, self.next_id, tracked)
        if newest is not None:
            self.spare_no_more(newest, done)
        return done

    def spare_no_more(self, id: int, done: Made) -> None:
        """It is a root now, or dies; then that is part of what was done."""
        freed, size = self.freed_by_refcount + self.freed_by_collector, self.bytes_died
        self.causing = self.moving
        if self.hold(id, -1) and self.things[id].generation not in (None, 3):
            self.track(id, ROOTS)
        self.run_waiting()
        self.causing = False
        done.freed += self.freed_by_refcount + self.freed_by_collector - freed
        done.bytes += self.bytes_died - size

    @abstractmethod
    def automatic(self) -> None:
        """The buffer is full."""

    @abstractmethod
    def by_call(self, cause: str) -> None:
        """gc_collect_cycles(), GC_runOrc()."""

    def collect(
        self, g: int, cause: str, sequence: int | None = None, allocation: int | None = None
    ) -> None:
        if self.lists[ROOTS]:
            self.by_call(cause)

    def freeze(self) -> None:
        self.counts = [0, 0, 0]
        self.pending_frees = 0
        for g in (0, 1, 2, ROOTS):
            self.move_list(g, 3)


class PHP(TrialDeletion):
    """`step` and `few`: GC_THRESHOLD_STEP and GC_THRESHOLD_TRIGGER."""

    def __init__(self, log: EventLog, rules: str, *, step: int, few: int, **options: Any) -> None:
        self.step, self.few = step, few
        super().__init__(log, rules, **options)

    def automatic(self) -> None:
        """gc_possible_root_when_full and gc_adjust_threshold."""
        if self.delete_cycles("threshold", spare=True).collected < self.few:
            self.room += self.step
        elif self.room > self.default:
            self.room = max(self.default, self.room - self.step)

    def by_call(self, cause: str) -> None:
        self.delete_cycles(cause)


class NimORC(TrialDeletion):
    def __init__(self, log: EventLog, rules: str, **options: Any) -> None:
        self.roots_threshold = 0
        super().__init__(log, rules, **options)

    def automatic(self) -> None:
        self.by_call("threshold")

    def by_call(self, cause: str) -> None:
        """collectCycles; `room` is one less than what registerCycle compares with."""
        done = self.delete_cycles(cause)
        self.move_list(ROOTS, ALIVE)
        if self.references == self.edges:
            return
        if self.found * 2 >= done.candidates:
            self.roots_threshold = max(self.roots_threshold // 3 * 2, 16)
        else:
            before = self.roots_threshold if self.roots_threshold > 0 else self.default + 1
            self.roots_threshold = before // 2 + before
        self.room = self.default + self.roots_threshold
