"""Random programs that touch only what they can reach, as real ones do, written to logs.

Every step is drawn from a seeded generator. Objects hang from each other in cycles, chains and
trees; young ones hold old ones and the other way round; parts are let go of at any moment.
"""

from __future__ import annotations

import random

from gcreplay.store.builder import TraceBuilder
from gcreplay.store.events import Flag, FreeLists
from gcreplay.store.log import EventLog

PLAIN = Flag.GC | Flag.COUNTED
KINDS = ("other", "other", "other", "list", "dict", "tuple", "slice", "leaf")
SIZES = {"list": 56, "dict": 64, "slice": 56, "leaf": 32, "other": 48}


class Program:
    """A model heap beside a builder: `held` is what running code has, by object."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.builder = TraceBuilder()
        self.held: dict[int, int] = {}
        self.links: dict[int, list[int]] = {}
        self.kind: dict[int, str] = {}

    def reachable(self) -> list[int]:
        seen = dict.fromkeys(one for one, n in self.held.items() if n)
        waiting = list(seen)
        while waiting:
            for target in self.links[waiting.pop()]:
                if target not in seen:
                    seen[target] = None
                    waiting.append(target)
        return sorted(seen)

    def birth(self, kind: str) -> int:
        flags = Flag(0) if kind == "leaf" else PLAIN
        if kind not in ("leaf", "dict"):
            flags |= Flag.TRACKED
        if kind in ("list", "slice", "tuple") and not self.random.randrange(4):
            flags |= Flag.BYPASS
        if flags and not self.random.randrange(12):
            flags |= Flag.BARRED
        size = SIZES.get(kind) or 40 + 8 * self.random.randint(1, 3)
        name = "Node" if kind in ("other", "leaf") else kind
        new = self.builder.alloc(
            name, kind="other" if kind == "leaf" else kind, size=size, flags=flags
        )
        self.held[new], self.links[new], self.kind[new] = 1, [], kind
        return new

    def link(self, source: int, target: int) -> None:
        self.builder.link(source, target)
        self.links[source].append(target)

    def let_go(self, target: int) -> None:
        self.builder.decref(target, 1)
        self.held[target] -= 1
        self._reap(target)

    def unlink(self, source: int, target: int) -> None:
        self.builder.unlink(source, target)
        self.links[source].remove(target)
        self._reap(target)

    def _reap(self, first: int) -> None:
        waiting = [first]
        while waiting:
            one = waiting.pop()
            if one not in self.held or self.held[one]:
                continue
            if any(one in targets for targets in self.links.values()):
                continue
            del self.held[one]
            waiting += self.links.pop(one)

    # Steps

    def holders(self, among: list[int]) -> list[int]:
        return [one for one in among if self.kind[one] in ("other", "list", "dict")]

    def step(self) -> None:
        """One thing that a program does."""
        pick, alive = self.random.randrange, self.reachable()
        action = pick(20)
        if action < 6 or len(alive) < 3:
            new = self.birth(KINDS[pick(len(KINDS))])
            if self.kind[new] == "tuple":
                leaves = [one for one in alive if self.kind[one] in ("leaf", "other", "list")]
                for _ in range(pick(3)):
                    if leaves:
                        self.link(new, leaves[pick(len(leaves))])
        elif action < 11:
            if sources := self.holders(alive):
                self.link(sources[pick(len(sources))], alive[pick(len(alive))])
        elif action < 16:
            held = [one for one in alive if self.held[one]]
            self.let_go(held[pick(len(held))])
        elif action == 16:
            sources = [one for one in alive if self.links[one] and self.kind[one] != "tuple"]
            if sources:
                source = sources[pick(len(sources))]
                self.unlink(source, self.links[source][pick(len(self.links[source]))])
        elif action == 17:
            self.cycle()
        elif action == 18:
            one = alive[pick(len(alive))]
            self.builder.incref(one, 1)
            self.held[one] += 1
        else:
            self.rare(pick(16))

    def cycle(self) -> None:
        """A cycle with things that hang from it, let go of but perhaps for one of them."""
        pick, alive = self.random.randrange, self.reachable()
        ring = [self.birth("other" if pick(3) else "list") for _ in range(1 + pick(3))]
        for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
            self.link(one, other)
        for _ in range(pick(3)):
            self.link(ring[pick(len(ring))], alive[pick(len(alive))])
        kept = pick(2 * len(ring))
        for i, one in enumerate(ring):
            if i != kept:
                self.let_go(one)

    def rare(self, what: int) -> None:
        builder = self.builder
        if what < 3:
            builder.gc_call("collect", what)
        elif what == 3:
            builder.gc_call("disable")
        elif what < 6:
            builder.gc_call("enable")
        elif what == 6:
            builder.gc_call("freeze")
        elif what == 7:
            builder.gc_call("unfreeze")
        elif what < 10:
            builder.tick(1000 * len(builder))
        elif what < 12:
            builder.begin_inside(None)
            for _ in range(self.random.randrange(4)):
                self.birth(KINDS[self.random.randrange(len(KINDS))])
            builder.end_inside(None)


def program(seed: int, steps: int = 300) -> EventLog:
    """The log of such a program; every other one begins with a found heap."""
    made = Program(seed)
    pick = made.random.randrange
    if seed % 2:
        found = [made.birth(KINDS[pick(len(KINDS))]) for _ in range(pick(12))]
        for one in found:
            if made.kind[one] in ("other", "list", "dict"):
                made.link(one, found[pick(len(found))])
                made.builder.track(one, pick(4))
        made.builder.start(
            count=(pick(6), pick(3), pick(3)),
            threshold=(700, 10, 10),
            enabled=bool(pick(8)),
            long_lived_total=pick(20),
            long_lived_pending=pick(6),
            free_lists=FreeLists(list=pick(4), dict=pick(4), slice=pick(2)),
        )
    for _ in range(steps):
        made.step()
    return made.builder.build()
