"""The collector of PEP 848, after the draft's pseudocode and in its names.

List 0 is the nursery, 1 `visited_space`, 2 `pending_space`, 5 `reachable`, and from 7 on stand the
aging spaces.
"""

from __future__ import annotations

from typing import Any

from gcreplay.store.events import Flag, GcCall, StartState
from gcreplay.store.log import EventLog

from .collector import Made
from .player import Reference

NURSERY, VISITED, PENDING, REACHABLE, AGING = 0, 1, 2, 5, 7


class Pep848(Reference):
    """A replay. `kb`: bytes of a kB; `credit`: what becomes old before there is work."""

    def __init__(
        self, log: EventLog, rules: str, *, kb: int = 1000, credit: int = 100_000, **options: Any
    ) -> None:
        self.kb = kb
        self.work_to_do = -credit
        self.young_next = False
        self.allocated = self.at = 0
        super().__init__(log, rules, **options)
        self.aging = list(range(AGING, AGING + self.spaces()))
        self.lists += [{} for _ in range(4, AGING + 10)]

    def begin(self, state: StartState) -> None:
        super().begin(state)
        self.aging = list(range(AGING, AGING + self.spaces()))

    def take_control(self) -> None:
        super().take_control()
        self.move_list(VISITED, PENDING)
        self.push_roots()

    def spaces(self) -> int:
        """Half spaces in pairs."""
        half = max(2, self.thresholds[1]) if self.started else 2
        return (half + half % 2) // 2

    # When

    def on_alloc(self, a: int, b: int, c: int) -> None:
        super().on_alloc(a, b, c)
        if self.started:
            self.allocated += self.shapes[b].size
            full = self.allocated > max(0, self.thresholds[0]) * self.kb
            if full and self.enabled and self.thresholds[0] and not self.inside:
                self.scheduled = True

    def exceeds(self) -> bool:
        return False

    def consider(self, sequence: int) -> None:
        self.scheduled = False
        full = self.allocated > max(0, self.thresholds[0]) * self.kb
        if not (self.enabled and self.thresholds[0] and full):
            return
        self.at = sequence
        self.cause = "threshold"
        if self.young_next:
            self.young_collection()
        else:
            self.old_collection()
        self.young_next = not self.young_next
        self.allocated = 0

    def collect(
        self, g: int, cause: str, sequence: int | None = None, allocation: int | None = None
    ) -> None:
        """gc.collect(g)."""
        self.at, self.cause = self.sequence, cause
        if g == 0:
            self.young_collection()
        elif g == 1:
            self.old_collection()
        else:
            for space in (REACHABLE, *reversed(self.aging), NURSERY):
                self.move_list(space, PENDING)
            everything = [*self.lists[PENDING], *self.lists[VISITED]]
            self.collect_cycles(everything, 2)
            self.flip()
        self.allocated = 0

    # What

    def collect_cycles(self, candidates: list[int], g: int) -> tuple[int, int]:
        """How many there were, and how many of them are left, at the end of `visited_space`."""
        tracked = sum(map(len, self.lists)) - len(self.lists[3])
        for id in candidates:
            generation = self.things[id].generation
            if generation is not None:
                self.lists[generation].pop(id, None)
        self.counts[0] = 0
        at = self.at, self.next_id
        done = self.collect_these(candidates, VISITED, g, self.cause, *at, tracked)
        return done.candidates, done.candidates - done.collected

    def young_collection(self) -> None:
        wanted = self.spaces()
        while len(self.aging) > wanted:  # the two oldest are one
            oldest = self.aging.pop()
            self.move_list(self.aging[-1], oldest)
            self.aging[-1] = oldest
        for space in range(AGING, len(self.lists)):
            if len(self.aging) < wanted and space not in self.aging:
                self.aging.append(space)
        oldest = self.aging.pop()
        _, survivors = self.collect_cycles(list(self.lists[oldest]), 0)
        self.work_to_do += survivors
        self.move_list(NURSERY, oldest)
        self.aging.insert(0, oldest)

    def scan_reachable(self, limit: int) -> int:
        moved_to_visited = 0
        while self.lists[REACHABLE]:
            root = next(reversed(self.lists[REACHABLE]))
            self.track(root, VISITED)
            moved_to_visited += 1
            for obj in self.things[root].shown():
                self.links += 1
                if obj in self.lists[PENDING] and not self.immortal(obj):
                    self.track(obj, REACHABLE)
            if moved_to_visited >= limit:
                break
        return moved_to_visited

    def old_collection(self) -> None:
        parts: list[Made] = []
        while self.work_to_do > 0:
            if self.lists[REACHABLE]:
                tracked = sum(map(len, self.lists)) - len(self.lists[3])
                self.links = 0
                moved = self.scan_reachable(self.work_to_do)
                self.work_to_do -= moved
                parts.append(self.marked(moved, tracked))
            elif not self.lists[PENDING]:
                self.flip()
            else:
                increment = self.form_transitive_closure()
                candidates, survivors = self.collect_cycles(increment, 1)
                parts.append(self.made.pop())
                self.work_to_do -= survivors
                collected = candidates - survivors
                self.work_to_do += 2 * collected
        if parts:
            self.made.append(self.one_of(parts))

    def flip(self) -> None:
        self.move_list(VISITED, PENDING)
        self.push_roots()
        self.work_to_do = 0

    def push_roots(self) -> None:
        """In place of `reachable.append(sys)`."""
        linked = [target for thing in self.things.values() for target, _ in thing.links]
        for id in list(self.lists[PENDING]):
            if self.things[id].count > linked.count(id) and not self.immortal(id):
                self.track(id, REACHABLE)

    def form_transitive_closure(self) -> list[int]:
        increment = [next(iter(self.lists[PENDING]))]
        for obj in increment:  # which grows
            for target in self.things[obj].shown():
                taken = target in increment or self.immortal(target)
                if target in self.lists[PENDING] and not taken:
                    increment.append(target)
        return increment

    def immortal(self, id: int) -> bool:
        return Flag.IMMORTAL in self.things[id].flags

    # What is shown

    def marked(self, moved: int, tracked: int) -> Made:
        nothing = {"collected": 0, "uncollectable": 0, "freed": 0, "bytes": 0}
        return Made(
            sequence=self.at,
            allocation=self.next_id,
            cause=self.cause,
            generation=1,
            candidates=moved,
            tracked=tracked,
            links=self.links,
            survivors=moved,
            **nothing,
        )

    def one_of(self, parts: list[Made]) -> Made:
        """One run is one collection."""
        first = parts[0]
        for part in parts[1:]:
            for figure in ("candidates", "links", "collected", "uncollectable", "survivors"):
                setattr(first, figure, getattr(first, figure) + getattr(part, figure))
            first.freed += part.freed
            first.bytes += part.bytes
        return first

    def mortal(self, young: list[int]) -> list[int]:
        """As in 3.14.5: immortal objects are untracked."""
        for id in young:
            if self.immortal(id):
                self.things[id].generation = None
        return [id for id in young if not self.immortal(id)]

    def kept_tracked(self, survivors: list[int], g: int) -> list[int]:
        kept = []
        for id in survivors:
            thing = self.things[id]
            if thing.kind == "tuple" and not any(map(self.may_be_tracked, thing.shown())):
                thing.generation = None
            else:
                kept.append(id)
        return kept

    def freeze(self) -> None:
        self.counts = [0, 0, 0]
        self.pending_frees = 0
        for space in range(len(self.lists)):
            if space != 3:
                self.move_list(space, 3)

    def on_gc_call(self, a: int, b: int, c: int) -> None:
        if GcCall(a) is GcCall.UNFREEZE:
            self.move_list(3, VISITED)
        else:
            super().on_gc_call(a, b, c)

    def own(self, recorded: tuple[int, int, int]) -> tuple[int, int, int]:
        versions = ((700, 10, 10), (2000, 10, 10), (2000, 10, 0))
        return (2000, 10, 10) if recorded in versions else recorded
