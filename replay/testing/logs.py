"""Random valid logs, as hypothesis strategies.

`valid_logs` draws a random program and plays it on a small model heap, so that every log is
valid: nothing touches the dead, every undone link exists. Hypothesis draws only an integer per
decision, which shrinks to short and simple logs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hypothesis import strategies as st

from gcreplay.store.builder import TraceBuilder
from gcreplay.store.events import REPAIR_LABELS, UNFREEABLE, Flag, FreeLists
from gcreplay.store.log import EventLog

PLAIN = Flag.GC | Flag.COUNTED
LABELS = (None, None, "next", "[0]", "(opaque)")
REASONS = (None, None, *REPAIR_LABELS.values())
"""Labels of INCREF, DECREF and UNLINK: no reason given, or a repair."""


Pick = Callable[[int], int]
"""A number below the given one; StopIteration ends the program."""


@dataclass
class Heap:
    """A model heap beside a builder: what a program may do next.

    Reference counts are held and linked references; what reaches 0 dies with its links, if it is
    not immortal.
    """

    builder: TraceBuilder
    held: Counter[int] = field(default_factory=Counter)
    links: dict[int, list[tuple[int, str | None]]] = field(default_factory=dict)
    incoming: Counter[int] = field(default_factory=Counter)
    alive: list[int] = field(default_factory=list)
    containers: set[int] = field(default_factory=set)
    immortal: set[int] = field(default_factory=set)
    keepable: dict[int, str] = field(default_factory=dict)
    weak: dict[int, int] = field(default_factory=dict)
    region: int | None = None
    in_region: bool = False
    found_heap: bool = False

    def allocate(self, kind: str, flags: Flag, size: int, finalizer: int) -> int:
        module = "builtins" if kind != "other" else "demo"
        name = kind if kind != "other" else f"Node{finalizer}"
        new = self.builder.alloc(
            name,
            module=module,
            kind=kind,
            size=size,
            flags=flags,
            finalizer=finalizer,
            site=("demo.py", 1 + size % 7, "main"),
        )
        self.held[new] = 1
        self.links[new] = []
        self.alive.append(new)
        if flags & Flag.GC:
            self.containers.add(new)
        if flags & Flag.IMMORTAL:
            self.immortal.add(new)
        if kind in ("list", "dict", "tuple", "slice", "context"):
            self.keepable[new] = kind
        return new

    def link(self, source: int, target: int, label: str | None) -> None:
        self.builder.link(source, target, label=label)
        self.links[source].append((target, label))
        self.incoming[target] += 1

    def unlink(self, source: int, index: int, label: str | None) -> list[int]:
        """Undo a link to the target of that one, of this label if there is one."""
        target, _ = self.links[source].pop(index)
        self.builder.unlink(source, target, label=label)
        self.incoming[target] -= 1
        return self._reap(target)

    def release(self, target: int, n: int, label: str | None = None) -> list[int]:
        self.builder.decref(target, n, label)
        self.held[target] -= n
        return self._reap(target)

    def releasable(self, target: int) -> int:
        """How many references running code can drop, now."""
        if self.found_heap and not self.incoming[target]:
            return self.held[target] - 1
        return self.held[target]

    def _reap(self, first: int) -> list[int]:
        """What dies when `first` has lost a reference, in some order."""
        dead: list[int] = []
        waiting = [first]
        while waiting:
            target = waiting.pop()
            if self.held[target] or self.incoming[target] or target not in self.links:
                continue
            if target in self.immortal:
                continue
            self.alive.remove(target)
            dead.append(target)
            for child, _ in self.links.pop(target):
                self.incoming[child] -= 1
                waiting.append(child)
        return dead


@st.composite
def valid_builders(
    draw: st.DrawFn,
    *,
    max_steps: int = 120,
    found_heap: bool = True,
    gc_calls: bool = True,
    regions: bool = True,
    owned: bool = True,
    threshold: int | None = None,
) -> TraceBuilder:
    """A builder holding a random valid log of up to about `max_steps` program steps.

    Logs have cycles, tracking and untracking, free lists (births without COUNTED, BYPASS,
    `kept`), finalizers, weak references, INSIDE regions and gc calls; half of them begin with a
    found heap and START; a third has many safepoints. `owned`: regions may have an owner, and some
    do. `threshold` fixes START's young threshold, else it is small, so that automatic collections
    happen in short logs.
    """
    # One run of bytes up front: much faster to draw than thousands of small choices.
    size = 8 * draw(st.integers(0, max_steps))
    numbers = memoryview(draw(st.binary(min_size=size, max_size=size))).cast("H")
    picks = iter(numbers)

    def pick(n: int) -> int:
        return next(picks) % n

    builder = TraceBuilder()
    heap = Heap(builder)
    try:
        if found_heap and pick(2):
            _found_heap(heap, pick, threshold)
        deferring = pick(3) == 0
        while True:
            _step(heap, pick, gc_calls=gc_calls, regions=regions, owned=owned)
            if deferring and pick(4) == 0:
                builder.safepoint()
    except StopIteration:
        pass
    if heap.in_region:
        builder.end_inside(heap.region)
    return builder


@st.composite
def valid_logs(draw: st.DrawFn, /, **options: object) -> EventLog:
    """A validated log in memory; options as `valid_builders`."""
    return draw(valid_builders(**options)).build()  # type: ignore[arg-type]


def _found_heap(heap: Heap, pick: Pick, threshold: int | None) -> None:
    heap.found_heap = True
    try:
        for _ in range(pick(12)):
            _allocate(heap, pick)
        for _ in range(pick(12)):
            if heap.alive:
                _link(heap, pick)
        for target in sorted(heap.containers):
            if pick(5):
                heap.builder.track(target, pick(4))
            elif pick(2):
                heap.builder.untrack(target)
        for target in list(heap.alive):
            if heap.incoming[target] and heap.held[target] and pick(2):
                heap.release(target, 1)
    finally:
        heap.found_heap = False
        start: dict[str, Any] = {}
        try:
            start["count"] = (pick(6), pick(3), pick(3))
            start["threshold"] = (threshold or 1 + pick(12), 1 + pick(3), 1 + pick(3))
            start["enabled"] = pick(8) != 0
            start["long_lived_total"] = pick(20)
            start["long_lived_pending"] = pick(6)
            start["free_lists"] = FreeLists(
                list=pick(4), dict=pick(4), slice=pick(2), tuple=(pick(3), pick(3)) + (0,) * 18
            )
        except StopIteration:
            pass
        heap.builder.start(**start)


def _allocate(heap: Heap, pick: Pick) -> int:
    kind = ("other", "other", "list", "dict", "tuple", "slice", "leaf")[pick(7)]
    if kind == "leaf":
        return heap.allocate("other", Flag(0), 32, 0)
    flags = PLAIN
    tracked = pick(4) != 0 and kind != "dict" and not heap.found_heap
    if kind in ("list", "dict", "tuple", "slice") and not heap.found_heap:
        flags = (PLAIN, Flag.GC, PLAIN | Flag.BYPASS)[pick(3)]
    flags |= (Flag(0), Flag(0), Flag.BARRED)[pick(3)] if Flag.COUNTED in flags else Flag(0)
    flags |= Flag(0) if pick(16) else Flag.IMMORTAL
    size = {"tuple": 40 + 8 * (1 + pick(3)), "list": 56, "dict": 64, "slice": 56}.get(kind, 48)
    finalizer = (0, 0, 0, 0, 1, 2)[pick(6)] if kind == "other" else 0
    return heap.allocate(kind, flags | (Flag.TRACKED if tracked else Flag(0)), size, finalizer)


def _link(heap: Heap, pick: Pick) -> None:
    sources = sorted(heap.containers.intersection(heap.alive)) or heap.alive
    source = sources[pick(len(sources))]
    heap.link(source, heap.alive[pick(len(heap.alive))], LABELS[pick(len(LABELS))])


def _die(heap: Heap, pick: Pick, dead: list[int]) -> None:
    for target in dead:
        if target in heap.keepable and pick(2):
            heap.builder.kept(target)


def _step(heap: Heap, pick: Pick, *, gc_calls: bool, regions: bool, owned: bool = True) -> None:
    """One thing a program does; a log with few objects grows first."""
    builder = heap.builder
    never_freed = partial(builder.track, generation=UNFREEABLE)
    action = pick(26)
    if action < 6 or len(heap.alive) < 3:
        _allocate(heap, pick)
    elif action < 11:
        _link(heap, pick)
    elif action < 16:
        target = heap.alive[pick(len(heap.alive))]
        if heap.releasable(target):
            reason = REASONS[pick(len(REASONS))]
            _die(heap, pick, heap.release(target, 1 + pick(heap.releasable(target)), reason))
    elif action < 18:
        sources = [source for source in heap.alive if heap.links[source]]
        if sources:
            source = sources[pick(len(sources))]
            label = (*LABELS, *REASONS)[pick(len(LABELS) + len(REASONS))]
            _die(heap, pick, heap.unlink(source, pick(len(heap.links[source])), label))
    elif action == 18:
        target = heap.alive[pick(len(heap.alive))]
        builder.incref(target, n := 1 + pick(2), REASONS[pick(len(REASONS))])
        heap.held[target] += n
    elif action == 19:
        containers = sorted(heap.containers.intersection(heap.alive))
        if containers:
            target = containers[pick(len(containers))]
            (builder.untrack, builder.track, never_freed)[pick(3)](target)
    elif action == 20:
        reference = heap.alive[pick(len(heap.alive))]
        if reference not in heap.weak:
            target = heap.weak[reference] = heap.alive[pick(len(heap.alive))]
            builder.weakref(reference, target, callback=bool(pick(2)))
        else:
            target = heap.weak[reference]
            builder.weakref_used(reference, target, hit=target in heap.alive)
    elif action == 21 and gc_calls:
        _gc_call(heap, pick)
    elif action == 22 and regions:
        if heap.in_region:
            builder.end_inside(heap.region)
        else:
            heap.region = (None, *heap.alive)[pick(1 + len(heap.alive))] if owned else None
            builder.begin_inside(heap.region)
        heap.in_region = not heap.in_region
    elif action == 23:
        other = pick(8)
        if other == 0:
            builder.resize(heap.alive[pick(len(heap.alive))], pick(2**16) << pick(32))
        elif other == 1:
            builder.safepoint()
        elif other > 3:
            builder.mark(f"m{pick(3)}")
        else:
            builder.tick(pick(2**16) << pick(48))
    elif action > 23 and regions and owned and not heap.in_region:
        _garbage_with_a_region(heap, pick, gc_calls=gc_calls)


def _garbage_with_a_region(heap: Heap, pick: Pick, *, gc_calls: bool) -> None:
    """A cycle that running code lets go of, and what its finalizer, or the callback of a weak
    reference to it, does when the program's collection has found it: anything a program does, and
    often to the cycle."""
    builder = heap.builder
    ring = [_allocate(heap, pick) for _ in range(1 + pick(3))]
    for node, following in zip(ring, ring[1:] + ring[:1], strict=True):
        heap.link(node, following, None)
    owner = ring[0]
    if pick(2):
        owner = _allocate(heap, pick)
        heap.weak[owner] = ring[0]
        builder.weakref(owner, ring[0], callback=pick(4) != 0)
        if pick(3) == 0:
            heap.link(heap.alive[pick(len(heap.alive))], owner, None)
    for node in ring:
        heap.release(node, heap.held[node])
    for _ in range(pick(4)):
        _step(heap, pick, gc_calls=gc_calls, regions=False)
    if gc_calls and pick(2):
        builder.gc_call("collect", pick(3))
    if owner not in heap.links:
        return
    heap.region, heap.in_region = owner, True
    builder.begin_inside(owner)
    for _ in range(pick(5)):
        node = ring[pick(len(ring))]
        what = pick(4)
        if what == 0 and node in heap.links and heap.links[node]:
            heap.unlink(node, pick(len(heap.links[node])), None)  # breaks it
        elif what == 1 and node in heap.links:
            heap.link(heap.alive[pick(len(heap.alive))], node, None)  # saves it
        elif what == 2:
            heap.link(_allocate(heap, pick), heap.alive[pick(len(heap.alive))], None)
        else:
            _step(heap, pick, gc_calls=gc_calls, regions=False)
    builder.end_inside(owner)
    heap.in_region = False


def _gc_call(heap: Heap, pick: Pick) -> None:
    builder = heap.builder
    call = pick(10)
    if call < 4:
        from_c = pick(2) == 1
        site = None if from_c or pick(2) else ("calls.py", 1 + pick(3), "clean")
        builder.gc_call("collect", pick(3), from_c=from_c, site=site)
    elif call < 8:
        builder.gc_call(("enable", "disable", "freeze", "unfreeze")[call - 4])
    elif call == 8:
        builder.gc_call("set_threshold", pick(12), pick(4), pick(4))
    else:
        builder.gc_call("set_debug", (0, 1, 32)[pick(3)])  # 32: gc.DEBUG_SAVEALL
