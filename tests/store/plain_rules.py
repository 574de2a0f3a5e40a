"""The rules of the event log once more, in plain Python, slow and direct."""

import json
from collections import Counter

from gcreplay.store.events import NO_OBJECT, UNFREEABLE, Events, Flag, GcCall, Op, WeakUse

FOUND_HEAP = {Op.ALLOC, Op.INCREF, Op.DECREF, Op.LINK, Op.RESIZE, Op.TRACK, Op.UNTRACK, Op.WEAKREF}


class Broken(Exception):
    """An event breaks a rule."""


def require(holds: bool) -> None:
    if not holds:
        raise Broken


class Program:
    """What is alive, by reference counting alone."""

    def __init__(self, sizes, flags, sites, labels, arguments, found_heap):
        self.sizes, self.bytes = [int(size) for size in sizes], 0
        self.size: dict[int, int] = {}
        self.flags, self.sites, self.labels, self.arguments = flags, sites, labels, arguments
        self.found_heap = found_heap
        self.count: dict[int, int] = {}
        self.links: dict[int, Counter[int]] = {}
        self.flag: dict[int, Flag] = {}
        self.just_died: set[int] = set()
        self.refers: set[int] = set()
        self.kept: set[int] = set()
        self.region: list[int] = []

    def linked(self, target: int) -> int:
        return sum(links[target] for links in self.links.values())

    def drop(self, target: int, n: int) -> None:
        self.count[target] -= n
        if self.count[target] == 0 and not self.flag[target] & Flag.IMMORTAL:
            require(not self.found_heap)
            del self.count[target]
            if target not in self.kept:
                self.just_died.add(target)
            for child, times in self.links.pop(target).items():
                for _ in range(times):
                    self.drop(child, 1)

    def add_bytes(self, more: int) -> None:
        self.bytes += more
        require(self.bytes < 2**63)

    def apply(self, op: int, a: int, b: int, c: int) -> None:
        if self.found_heap and op != Op.START:
            require(op in FOUND_HEAP)
        match op:
            case Op.ALLOC:
                require(a == len(self.flag) and b < len(self.flags) and c < self.sites)
                flag = Flag(int(self.flags[b]))
                require(bool(flag & Flag.GC) or not flag & (Flag.COUNTED | Flag.TRACKED))
                self.count[a], self.links[a], self.flag[a] = 1, Counter(), flag
                self.size[a] = self.sizes[b]
                self.add_bytes(self.size[a])
                self.just_died.clear()
            case Op.START:
                require(self.found_heap and a < len(self.arguments))
                require(isinstance(json.loads(self.arguments[a]), dict))
                self.found_heap = False
            case Op.GC_CALL:
                require(a < len(GcCall) and b < len(self.arguments) and c <= max(1, self.sites))
                wanted = {GcCall.COLLECT: 1, GcCall.SET_THRESHOLD: 3, GcCall.SET_DEBUG: 1}
                values = json.loads(self.arguments[b])
                require(isinstance(values, list) and len(values) == wanted.get(GcCall(a), 0))
                self.just_died.clear()
            case Op.MARK:
                require(a < self.labels)
            case Op.INSIDE:
                require(b <= 1)
                if b:
                    require(not self.region and (a == NO_OBJECT or a in self.count))
                    self.region = [a]
                else:
                    require(self.region == [a])
                    self.region = []
            case Op.KEPT if a in self.count:
                require(self.count[a] <= self.linked(a) and a not in self.kept)
                self.kept.add(a)
            case Op.KEPT:
                require(a in self.just_died)
                self.just_died.remove(a)
            case Op.SAFEPOINT | Op.TICK:
                pass
            case _:
                require(a in self.count and a not in self.kept)
                self.apply_to(op, a, b, c)

    def apply_to(self, op: int, a: int, b: int, c: int) -> None:
        match op:
            case Op.INCREF:
                require(b >= 1 and self.count[a] + b < 2**32 and c < self.labels)
                self.count[a] += b
            case Op.DECREF:
                require(1 <= b <= self.count[a] - self.linked(a) and c < self.labels)
                self.drop(a, b)
            case Op.LINK:
                require(b in self.count and c < self.labels)
                self.links[a][b] += 1
                self.count[b] += 1
            case Op.UNLINK:
                require(b in self.count and c < self.labels and self.links[a][b] > 0)
                self.links[a][b] -= 1
                self.drop(b, 1)
            case Op.WEAKREF if c == WeakUse.MISS:
                require(b < len(self.flag))
            case Op.WEAKREF if c == WeakUse.HIT:
                require(b in self.count)
            case Op.WEAKREF:
                require(b in self.count and a not in self.refers and c <= 1)
                self.refers.add(a)
            case Op.RESIZE:
                more = c << 32 | b
                more -= more >> 63 << 64
                require(-self.size[a] <= more < 2**48)
                self.add_bytes(max(more, 0))
            case Op.TRACK:
                generations = range(4) if self.found_heap else (0, UNFREEABLE)
                require(bool(self.flag[a] & Flag.GC) and b in generations)
            case Op.UNTRACK:
                require(bool(self.flag[a] & Flag.GC))


def judge(log, events: Events) -> int | None:
    """Sequence number of the first event that breaks a rule; None when all is well."""
    program = Program(
        *log.shape_arrays()[1:],
        len(log.sites),
        len(log.labels),
        log.arguments,
        bool((events.op == Op.START).any()),
    )
    for sequence, event in enumerate(zip(*(x.tolist() for x in events.columns()), strict=True)):
        try:
            program.apply(*event)
        except Broken:
            return sequence
    return None
