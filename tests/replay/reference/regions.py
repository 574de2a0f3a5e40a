"""What finalizers and callbacks with an owner did, moved to the collection that finds the owner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from gcreplay.store.events import NO_OBJECT, UNFREEABLE, Op
from gcreplay.store.log import EventLog

from .heap import Heap, Thing


class Regions(Heap, ABC):
    """A heap with the regions of a log."""

    def __init__(self, log: EventLog, *, in_recorded_order: bool, modelled: bool) -> None:
        super().__init__(modelled=modelled)
        self.died_inside: set[int] = set()
        self.owned = {} if in_recorded_order else owned_regions(log)
        self.unfreeable = {a for op, a, b, _ in rows(log) if op == Op.TRACK and b == UNFREEABLE}
        self.moving = bool(self.owned)
        moving = [event for all in self.owned.values() for one in all for event in one]
        self.unborn = {a for op, a, *_ in moving if op == Op.ALLOC}
        self.running = self.causing = self.after_collection = False
        self.callers: set[int] = set()
        self.waiting_owners: list[int] = []
        self.inside = self.unmoved = self.lapsed = self.regions_run = 0

    @abstractmethod
    def play(self, op: int, a: int, b: int, c: int) -> None:
        """What an event does."""

    def hold(self, id: int, n: int) -> bool:
        """The collector takes a reference, or gives it back; whether the object is alive then."""
        self.things[id].called += n
        self.things[id].count += n
        if self.things[id].count == 0:
            self.die(id)
        return id in self.things

    def run(self, owner: int) -> None:
        """What its finalizer or callback did, once, with what of it still makes sense."""
        for region in self.owned.pop(owner, []):
            self.regions_run += 1
            self.unborn -= {a for op, a, *_ in region if op == Op.ALLOC}
            inside, self.inside, self.running = self.inside, 1, True
            for op, *operands in region:
                self.play(op, *operands)
            self.inside, self.running = inside, False

    def run_waiting(self) -> None:
        while self.waiting_owners:
            together, self.waiting_owners = sorted(self.waiting_owners), []
            for id in together:
                if id not in self.callers:
                    self.run(id)
                elif id in self.things:
                    self.hold(id, 1)
                    self.run(id)
                    self.hold(id, -1)

    def bury(self, id: int, thing: Thing) -> None:
        self.dying.discard(id)
        if self.causing:
            self.await_regions(id)
        if self.inside and self.after_collection and not self.collecting:
            self.died_inside.add(id)
        super().bury(id, thing)

    def await_regions(self, id: int) -> None:
        """What dies by its count in a collection has its finalizer and callbacks called too."""
        if id in self.owned and id not in self.callers:
            self.waiting_owners.append(id)
        for weakref, (target, callback) in self.weakrefs.items():
            if target == id and callback and weakref in self.owned and weakref not in self.dying:
                self.waiting_owners.append(weakref)

    def lack(self) -> None:
        """An event finds less than it was recorded with, as a region runs elsewhere or not yet."""
        if self.running:
            self.lapsed += 1
        else:
            self.unmoved += 1


def rows(log: EventLog) -> Iterator[tuple[int, ...]]:
    """The events, one after another."""
    return zip(*(column.tolist() for column in log.events().columns()), strict=True)


def owned_regions(log: EventLog) -> dict[int, list[list[tuple[int, ...]]]]:
    """By owner: the regions that have one, each as the events that move with it."""
    stay = (Op.GC_CALL, Op.SAFEPOINT, Op.MARK, Op.TICK)
    regions: dict[int, list[list[tuple[int, ...]]]] = {}
    open: list[tuple[int, ...]] | None = None
    for op, a, b, c in rows(log):
        if op == Op.INSIDE:
            open = [] if b and a != NO_OBJECT else None
            if open is not None:
                regions.setdefault(a, []).append(open)
        elif open is not None and op not in stay:
            open.append((op, a, b, c))
    return regions
