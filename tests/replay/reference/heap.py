"""Objects that live: where they are tracked, and how they die."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from gcreplay.store.events import OPAQUE_LABEL, Flag

CAPACITY = {"list": 80, "dict": 80, "slice": 1, "context": 255}
CAPACITY |= {"async_gen_asend": 80, "async_gen_value": 80}


@dataclass
class Thing:
    """A living object."""

    kind: str
    size: int
    flags: Flag
    finalizer: int
    count: int = 1
    links: list[tuple[int, int]] = field(default_factory=list)
    generation: int | None = None
    owned: int = 0
    in_garbage: bool = False
    tracked: bool = True  # when it died
    called: int = 0  # references of a collector that calls its finalizer or callback

    def __post_init__(self) -> None:
        if Flag.IMMORTAL in self.flags:
            self.count += 2**30

    def shown(self) -> list[int]:
        """Targets that a traversal shows."""
        return [target for target, label in self.links if label != OPAQUE_LABEL]

    def free_list(self) -> object:
        if Flag.GC not in self.flags:
            return None
        if self.kind == "tuple":
            length = (self.size + self.owned - 40) // 8
            return length if 1 <= length <= 20 else None
        return self.kind if self.kind in CAPACITY else None


class Heap:
    """All things, in generations and free lists."""

    def __init__(self, *, modelled: bool) -> None:
        self.modelled = modelled
        self.started = self.collecting = False
        self.tracking = False  # whether the young counter counts what is tracked and untracked
        self.things: dict[int, Thing] = {}
        self.lists: list[dict[int, None]] = [{}, {}, {}, {}]  # in order
        self.waiting: Counter[object] = Counter()
        self.pending_frees = self.late_frees = 0
        self.weakrefs: dict[int, tuple[int, bool]] = {}  # oldest first
        self.newborn: int | None = None
        self.dying: set[int] = set()
        self.freed_by_refcount = self.freed_by_collector = self.bytes_died = 0
        self.peak_objects = self.peak_bytes = self.live_bytes = 0

    def track(self, id: int, generation: int) -> None:
        self.untrack(id)
        self.things[id].generation = generation
        self.lists[generation][id] = None

    def untrack(self, id: int) -> None:
        generation = self.things[id].generation
        if generation is not None:
            if id not in self.dying:
                del self.lists[generation][id]
            self.things[id].generation = None

    def move_list(self, origin: int, to: int) -> None:
        for id in list(self.lists[origin]):
            self.track(id, to)

    def may_be_tracked(self, id: int) -> bool:
        thing = self.things[id]
        untracked_tuple = thing.kind == "tuple" and thing.generation is None
        return Flag.GC in thing.flags and not untracked_tuple

    def lose(self, id: int, n: int) -> None:
        self.things[id].count -= n
        if self.things[id].count == 0:
            self.die(id)

    def die(self, id: int) -> None:
        thing = self.things[id]
        thing.tracked = thing.generation is not None
        self.untrack(id)
        self.things.pop(id)
        self.bury(id, thing)
        for target, _ in thing.links:
            self.lose(target, 1)

    def bury(self, id: int, thing: Thing) -> None:
        """All that a death changes beside the links."""
        self.live_bytes -= thing.size + thing.owned
        self.bytes_died += thing.size + thing.owned
        if self.newborn == id:
            self.newborn = None
        self.weakrefs.pop(id, None)
        if self.weakrefs:
            self.weakrefs = {w: (t, cb) for w, (t, cb) in self.weakrefs.items() if t != id}
        if self.collecting:
            self.freed_by_collector += 1
        else:
            self.freed_by_refcount += 1
        if self.tracking and self.started and thing.tracked:
            if self.collecting:
                self.late_frees += 1
            else:
                self.pending_frees += 1
        if self.tracking or not self.started or Flag.GC not in thing.flags:
            return
        name = thing.free_list()
        capacity = 0 if name is None else 2000 if isinstance(name, int) else CAPACITY[name]
        kept = self.waiting[name] < capacity
        self.waiting[name] += kept
        if self.collecting:
            self.late_frees += not kept
        elif not (self.modelled and kept):
            self.pending_frees += 1

    def note_peaks(self) -> None:
        self.peak_objects = max(self.peak_objects, len(self.things))
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)

    def snapshot(self) -> dict[int, tuple[int, int, list[tuple[int, int]]]]:
        """{id: (count, generation or 4, links)}, as the engine gives it."""
        return {
            id: (t.count, 4 if t.generation is None else t.generation, t.links)
            for id, t in self.things.items()
        }
