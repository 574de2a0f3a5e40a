"""The generational collectors of CPython: gcmodule.c of 3.11, from its counters to its deletions,
and what gcmodule.c of 3.12 and gc.c of 3.13 to 3.15 do otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gcreplay.store.events import Flag, Op, StartState
from gcreplay.store.log import EventLog

from .heap import CAPACITY
from .regions import Regions

DEFERRED = {
    "cpython-3.12": (700, 10, 10),
    "cpython-3.13": (2000, 10, 10),
    "cpython-3.14.5": (2000, 10, 10),
    "cpython-3.15": (2000, 10, 10),
}
"""Those that ask for a collection and run it at a safepoint, with their thresholds."""
INCREMENTAL = {"cpython-3.14.0": (2000, 10, 0), "cpython-3.14.2": (2000, 10, 0)}
DEFERRED |= INCREMENTAL
DEFERRED["cpython-3.14t"] = (2000, 10, 0)
CPYTHON = ("cpython-3.11", *DEFERRED)
UNTRACK_DICTS = ("cpython-3.11", "cpython-3.12", "cpython-3.13")


@dataclass
class Made:
    """A collection that was made."""

    sequence: int
    allocation: int
    cause: str
    generation: int
    candidates: int
    tracked: int
    links: int
    collected: int
    uncollectable: int
    survivors: int
    freed: int
    bytes: int


class Collector(Regions):
    """When it collects, and what; see `Reference` for what it is told."""

    def __init__(
        self,
        log: EventLog,
        rules: str,
        *,
        thresholds: tuple[int, int, int] | None,
        modelled: bool,
        killed: Collection[int],
        in_recorded_order: bool,
        min_interval: int = 0,
    ) -> None:
        super().__init__(log, in_recorded_order=in_recorded_order, modelled=modelled)
        self.rules = rules
        self.fixed = thresholds
        self.min_interval = min_interval
        self.last_full: int | None = None
        self.tick = 0
        self.killed = killed
        self.counts = [0, 0, 0]
        self.made: list[Made] = []
        self.next_id = self.sequence = 0
        self.saves_all = self.aftermath = self.fruitless = self.scheduled = False
        self.safepoints = bool((log.events().op == Op.SAFEPOINT).any())

    def begin(self, state: StartState) -> None:
        self.started = True
        self.enabled = state.enabled
        self.thresholds = self.fixed or self.own(state.threshold)
        self.counts = list(state.count)
        self.pending_frees = 0
        self.total, self.pending = state.long_lived_total, state.long_lived_pending
        lists = state.free_lists
        self.waiting = Counter({kind: getattr(lists, kind) for kind in CAPACITY})
        self.waiting.update(dict(enumerate(lists.tuple, start=1)))

    def own(self, recorded: tuple[int, int, int]) -> tuple[int, int, int]:
        """Another version begins with thresholds of its own, if the recorded ones are a version's
        own too: those of 3.11 and 3.12, of 3.13 and 3.14.5, and of 3.14.0."""
        versions = ((700, 10, 10), (2000, 10, 10), (2000, 10, 0))
        return DEFERRED[self.rules] if self.rules in DEFERRED and recorded in versions else recorded

    def count_birth(self) -> None:
        self.counts[0] = max(0, self.counts[0] - self.pending_frees) + 1
        self.pending_frees = 0

    def count_track(self, id: int) -> None:
        """Where the young counter counts tracking: an object that was untracked is tracked."""
        if self.tracking and self.started:
            self.count_birth()
            barred = Flag.BARRED in self.things[id].flags
            self.scheduled |= self.exceeds() and not self.inside and not barred

    def exceeds(self) -> bool:
        automatic = self.rules in ("generational", *CPYTHON) and self.enabled
        return automatic and self.thresholds[0] != 0 and self.counts[0] > self.thresholds[0]

    @property
    def young(self) -> int:
        return max(0, self.counts[0] - self.pending_frees)

    def due(self) -> int:
        """Which generation an automatic collection takes."""
        for g in (2, 1):
            if self.counts[g] > self.thresholds[g]:
                if g == 2 and self.rules in CPYTHON and self.pending < self.total // 4:
                    continue
                early = (
                    self.last_full is not None and self.tick - self.last_full < self.min_interval
                )
                if g == 2 and early:
                    continue
                return g
        return 0

    def consider(self, sequence: int) -> None:
        """_Py_RunGC at a safepoint: gc_select_generation may say none, after all."""
        self.scheduled = False
        chosen = self.due()
        if self.enabled and (chosen or self.young > self.thresholds[0]):
            self.collect(chosen, "threshold", sequence, self.next_id)

    def collect(
        self, g: int, cause: str, sequence: int | None = None, allocation: int | None = None
    ) -> None:
        """A generation and all younger ones, with the counters that go with it."""
        if g == 2:
            self.last_full = self.tick
        if g < 2:
            self.counts[g + 1] += 1
        self.counts[: g + 1] = [0] * (g + 1)
        young = [id for i in (g, *range(g)) for id in self.lists[i]]
        tracked = sum(len(generation) for generation in self.lists[:3])
        for i in range(g + 1):
            self.lists[i] = {}
        self.collect_these(young, min(g + 1, 2), g, cause, sequence, allocation, tracked)

    def collect_these(
        self,
        young: list[int],
        into: int,
        g: int,
        cause: str,
        sequence: int | None,
        allocation: int | None,
        tracked: int,
    ) -> Made:
        """gc_collect_main, or gc_collect_region, of objects that stand in no list."""
        self.pending_frees = self.late_frees = 0
        young = self.mortal(young)
        candidates = len(young)
        links = sum(len(self.things[id].shown()) for id in young)
        survivors, aside = self.reached(young)
        survivors = self.kept_tracked(survivors, g)
        self.lists[into].update(dict.fromkeys(survivors))
        for id in survivors:
            self.things[id].generation = into

        uncollectable = self.legacy(aside)
        garbage = [id for id in aside if id not in uncollectable]
        freed, size = self.freed_by_refcount + self.freed_by_collector, self.bytes_died
        self.dying, self.causing = set(aside), self.moving
        killed = self.call_back(garbage, into)
        self.finalize(garbage)
        saved, again = self.reached([id for id in garbage if id in self.things])
        garbage = list(again)
        uncollectable = [id for id in uncollectable if id in self.things]
        kept = [id for id in garbage if self.saves_all or id in self.unfreeable]
        self.dying = set(garbage).difference(kept)
        for id in saved + uncollectable + kept:
            self.things[id].generation = into
            self.lists[into][id] = None
        self.let_go(kept)
        self.delete([id for id in garbage if id in self.dying])
        self.run_waiting()
        self.causing = False
        if g == 2:
            slices = self.waiting.pop("slice", 0)  # clear_freelists leaves them
            self.late_frees += sum(self.waiting.values())
            self.waiting = Counter({"slice": slices})
        self.fruitless = not aside
        self.made.append(
            Made(
                sequence=self.sequence if sequence is None else sequence,
                allocation=self.next_id - (cause == "threshold")
                if allocation is None
                else allocation,
                cause=cause,
                generation=g,
                candidates=candidates,
                tracked=tracked,
                links=links,
                collected=len(garbage) - sum(id in self.killed for id in garbage) + killed,
                uncollectable=len(uncollectable),
                survivors=len(survivors),
                freed=self.freed_by_refcount + self.freed_by_collector - freed,
                bytes=self.bytes_died - size,
            )
        )
        self.aftermath = True
        return self.made[-1]

    def mortal(self, young: list[int]) -> list[int]:
        """update_refs: immortal objects leave the lists; those of 3.12 and 3.13 are permanent."""
        if self.rules not in DEFERRED:
            return young
        for id in young:
            if Flag.IMMORTAL in self.things[id].flags:
                self.things[id].generation = None
                if self.rules in UNTRACK_DICTS:
                    self.track(id, 3)
        return [id for id in young if Flag.IMMORTAL not in self.things[id].flags]

    def kept_tracked(self, survivors: list[int], g: int) -> list[int]:
        """What is left of them when untrack_tuples and, in a full collection up to 3.13,
        untrack_dicts have been over them; the long-lived ones are counted."""
        if self.rules not in CPYTHON:
            return survivors
        for kind in ("tuple", "dict") if g == 2 and self.rules in UNTRACK_DICTS else ("tuple",):
            for id in survivors:
                thing = self.things[id]
                if thing.kind == kind and not any(map(self.may_be_tracked, thing.shown())):
                    thing.generation = None
            survivors = [id for id in survivors if self.things[id].generation is not None]
        if g == 1:
            self.pending += len(survivors)
        elif g == 2:
            self.total, self.pending = len(survivors), 0
        return survivors

    def legacy(self, aside: Iterable[int]) -> list[int]:
        """move_legacy_finalizers: those with tp_del, which go to gc.garbage, and what they lead
        to."""
        unreachable = set(aside)
        found = [id for id in aside if self.things[id].finalizer == 2]
        for id in found:
            self.things[id].in_garbage = True
        for id in found:  # which grows
            for target in self.things[id].shown():
                if target in unreachable and target not in found:
                    found.append(target)
        return found

    def call_back(self, garbage: list[int], into: int) -> int:
        """handle_weakrefs: clears them and calls their callbacks; how many it counts as dead."""
        called = []
        killed = 0
        for id in garbage:
            for weakref, (target, callback) in reversed(self.weakrefs.items()):
                if target == id and callback and weakref not in self.dying:
                    if self.things[weakref].generation is not None:
                        self.track(weakref, into)
                    # handle_weakrefs counts a weak reference that its callback kills. One that
                    # outlives it and then dies with the garbage that held it is not counted.
                    # Where regions have owners it dies in that of its own.
                    killed += not self.moving and weakref in self.killed
                    called.append(weakref)
        self.weakrefs = {w: (t, cb) for w, (t, cb) in self.weakrefs.items() if t not in garbage}
        for weakref in called:
            self.hold(weakref, 1)
        for weakref in called:
            self.run(weakref)
            killed += not self.hold(weakref, -1)
        self.run_waiting()
        return killed

    def finalize(self, garbage: list[int]) -> None:
        """finalize_garbage."""
        for id in garbage:
            if id in self.things and id not in self.callers:
                self.hold(id, 1)
                self.run(id)
                self.hold(id, -1)
        self.run_waiting()

    def let_go(self, kept: list[int]) -> None:
        """What is found and stays refers no more to what goes, and nothing weakly to it."""
        for id in kept:
            links = self.things[id].links
            self.things[id].links = [link for link in links if link[0] not in self.dying]
        self.weakrefs = {w: (t, cb) for w, (t, cb) in self.weakrefs.items() if t not in kept}

    def delete(self, garbage: list[int]) -> None:
        """delete_garbage: all of it at once, then what dies with it."""
        self.collecting = True
        buried = {id: self.things.pop(id) for id in garbage}
        for id, thing in buried.items():
            self.bury(id, thing)
        for thing in buried.values():
            for target, _ in thing.links:
                if target in self.things:
                    self.lose(target, 1)
        self.collecting = False

    def reached(self, ids: list[int]) -> tuple[list[int], dict[int, None]]:
        """deduce_unreachable: which of these are referenced from outside them, and the rest."""
        things, walk = self.things, list(ids)
        refs = {id: things[id].count + things[id].in_garbage for id in ids}
        for id in ids:
            for target in things[id].shown():
                if target in refs:
                    refs[target] -= 1
        # move_unreachable: the list grows at its end while it is walked.
        survivors: list[int] = []
        aside: dict[int, None] = {}
        walked: set[int] = set()
        for id in walk:
            if refs[id] == 0:
                aside[id] = None
                continue
            survivors.append(id)
            walked.add(id)
            for target in things[id].shown():
                if target not in refs or target in walked:
                    continue
                if target in aside:
                    del aside[target]
                    walk.append(target)
                    refs[target] = 1
                elif refs[target] == 0:
                    refs[target] = 1
        return survivors, aside

    def freeze(self) -> None:
        for g in range(3):
            self.move_list(g, 3)
        self.counts = [0, 0, 0]
        self.pending_frees = 0

    def settle(self) -> None:
        """The collection is over, and so are its regions of finalizers and callbacks."""
        self.aftermath = False
        if not self.fruitless:  # else no finalizer ran: these frees find the counter at 0
            self.pending_frees += self.late_frees
        self.late_frees = 0
        if self.newborn is not None:
            self.track(self.newborn, 0)
            self.newborn = None
