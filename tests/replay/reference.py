"""The replay engine and its collectors in plain Python: an executable specification.

Written from docs/event-log.md and from CPython 3.11's Modules/gcmodule.c, not from the native
engine, which must equal it event by event. Nothing here is fast. Generations are dicts of
ids, in order; generation 3 is the permanent one and None means untracked.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from gcreplay.store.events import (
    NO_OBJECT,
    Events,
    Flag,
    GcCall,
    Op,
    StartState,
    WeakUse,
    signed64,
)
from gcreplay.store.log import EventLog

CAPACITY = {"list": 80, "dict": 80, "slice": 1, "context": 255}
CAPACITY |= {"async_gen_asend": 80, "async_gen_value": 80}
UNKNOWN = 0
OPAQUE = 1


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
    called: int = 0  # references of a collector that calls its finalizer or callback

    def shown(self) -> list[int]:
        """Targets that a traversal shows."""
        return [target for target, label in self.links if label != OPAQUE]

    def free_list(self) -> object:
        if Flag.GC not in self.flags:
            return None
        if self.kind == "tuple":
            length = (self.size + self.owned - 40) // 8
            return length if 1 <= length <= 20 else None
        return self.kind if self.kind in CAPACITY else None


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


class Reference:
    """A replay. `rules`: "never", "generational" or "cpython-3.11".

    `thresholds` override the program's own; `modelled` says whether a model of the free lists
    decides what counts, or the recorded flags. `at_marks`: ("freeze" or "collect", mark, n), in
    order; `name` is then the cause of these collections. `killed`: what callbacks kill, as
    `died_inside` of a replay under "never" tells. `apply_from`: before this mark the rules are
    "cpython-3.11" as recorded. `window`: `made` holds what is made from the first of these marks
    on, and ends at the second. What finalizers and callbacks with an owner did runs when a
    collection finds the owner; with `in_recorded_order` where it was recorded.
    """

    def __init__(
        self,
        log: EventLog,
        rules: str,
        *,
        thresholds: tuple[int, int, int] | None = None,
        modelled: bool = True,
        at_marks: Sequence[tuple[str, str, int]] = (),
        name: str = "",
        killed: Collection[int] = (),
        apply_from: str | None = None,
        window: tuple[str, str] | None = None,
        in_recorded_order: bool = False,
    ) -> None:
        self.wanted = None if apply_from is None else (apply_from, rules, thresholds)
        self.bounds = list(window or ())
        if self.wanted is not None:
            rules, thresholds, modelled = "cpython-3.11", None, False
        self.rules = rules
        self.name = name
        self.killed = killed
        self.died_inside: set[int] = set()
        self.after_collection = self.behind_tick = False
        self.ticked = -2
        self.owned = {} if in_recorded_order else owned_regions(log)
        self.moving = bool(self.owned)
        moving = [event for all in self.owned.values() for one in all for event in one]
        self.unborn = {a for op, a, *_ in moving if op == Op.ALLOC}
        self.passing = self.running = self.causing = self.saves_all = False
        self.callers: set[int] = set()
        self.dying: set[int] = set()
        self.waiting_owners: list[int] = []
        self.unmoved = self.lapsed = self.regions_run = self.bytes_died = 0
        self.at_marks = at_marks
        self.passed: Counter[str] = Counter()
        self.labels = log.labels
        self.fixed = thresholds
        self.modelled = modelled
        self.types, self.shapes, self.arguments = log.types, log.shapes, log.arguments
        self.things: dict[int, Thing] = {}
        self.lists: list[dict[int, None]] = [{}, {}, {}, {}]  # in order
        self.waiting: Counter[object] = Counter()
        self.counts = [0, 0, 0]
        self.pending_frees = self.late_frees = 0
        self.weakrefs: dict[int, tuple[int, bool]] = {}  # oldest first
        self.next_id = self.sequence = 0
        self.inside = self.displaced = self.revived = self.misled = 0
        self.freed_by_refcount = self.freed_by_collector = 0
        self.peak_objects = self.peak_bytes = self.live_bytes = 0
        self.made: list[Made] = []
        self.collecting = self.aftermath = self.closed = self.fruitless = False
        self.newborn: int | None = None
        self.started = log.start is None
        if self.started:
            self.begin(StartState())

    def begin(self, state: StartState) -> None:
        self.started = True
        self.enabled = state.enabled
        self.thresholds = self.fixed or state.threshold
        self.counts = list(state.count)
        self.pending_frees = 0
        self.total, self.pending = state.long_lived_total, state.long_lived_pending
        lists = state.free_lists
        self.waiting = Counter({kind: getattr(lists, kind) for kind in CAPACITY})
        self.waiting.update(dict(enumerate(lists.tuple, start=1)))

    # -- events --

    def apply(self, events: Events) -> None:
        for i in range(len(events)):
            if self.closed:
                return
            op, a, b, c = (int(column[i]) for column in events.columns())
            self.sequence = events.first_sequence + i
            after = events.op[i + 1] if op == Op.TICK and i + 1 < len(events) else op
            if self.aftermath and not self.inside and after != Op.INSIDE:
                self.settle()
            if self.passing and op != Op.INSIDE:
                self.pass_over(op, a, b, c)
                continue
            self.displaced += bool(self.inside) and op != Op.INSIDE
            getattr(self, "on_" + Op(op).name.lower())(a, b, c)

    def known(self, *ids: int) -> bool:
        """Are they alive? If this policy has freed one, the event is skipped."""
        dead = next((id for id in ids if id not in self.things), None)
        if dead is None:
            return True
        if self.running or dead in self.unborn:
            self.lack()
            return False
        # A finalizer kills what its collection has freed by now.
        expected = self.inside and self.after_collection and dead in self.killed
        self.revived += not expected
        return False

    def lack(self) -> None:
        """An event finds less than it was recorded with, as a region runs elsewhere or not yet."""
        if self.running:
            self.lapsed += 1
        else:
            self.unmoved += 1

    def pass_over(self, op: int, a: int, b: int, c: int) -> None:
        """An event of a region with an owner, where the log has it."""
        if op == Op.ALLOC:
            self.next_id = a + 1
        elif op == Op.GC_CALL:
            self.on_gc_call(a, b, c)

    def on_start(self, a: int, b: int, c: int) -> None:
        self.begin(StartState.from_json(self.arguments[a]))

    def on_alloc(self, a: int, b: int, c: int) -> None:
        shape = self.shapes[b]
        type_ = self.types[shape.type]
        thing = Thing(type_.kind, shape.size, shape.flags, type_.finalizer)
        self.things[a] = thing
        self.live_bytes += thing.size
        if not self.running:
            self.next_id = a + 1
        self.note_peaks()
        begins = False
        if self.started and Flag.GC in shape.flags:
            name = thing.free_list()
            served = self.waiting[name] > 0 and name not in (None, 20)
            if self.modelled:
                counted = not served or Flag.BYPASS in shape.flags
            else:
                counted = Flag.COUNTED in shape.flags
            if counted:
                self.count_birth()
            elif self.waiting[name] > 0:
                self.waiting[name] -= 1
            barred = Flag.BARRED in shape.flags
            begins = counted and self.exceeds() and not self.inside and not barred
        if begins:
            self.newborn = a if Flag.TRACKED in shape.flags else None
            self.collect(self.due(), "threshold")
        elif Flag.TRACKED in shape.flags:
            self.track(a, 0)

    def count_birth(self) -> None:
        self.counts[0] = max(0, self.counts[0] - self.pending_frees) + 1
        self.pending_frees = 0

    def exceeds(self) -> bool:
        automatic = self.rules in ("generational", "cpython-3.11") and self.enabled
        return automatic and self.thresholds[0] != 0 and self.counts[0] > self.thresholds[0]

    def on_incref(self, a: int, n: int, c: int) -> None:
        if self.known(a):
            self.things[a].count += n

    def on_decref(self, a: int, n: int, c: int) -> None:
        if self.known(a):
            if self.moving:  # only then can it be too many, and links are not counted each time
                free = self.things[a].count - self.things[a].called
                free -= sum(t == a for thing in self.things.values() for t, _ in thing.links)
                if n > free:
                    self.lack()
                    n = free
            self.lose(a, n)

    def on_link(self, a: int, b: int, label: int) -> None:
        if label == OPAQUE and not (a in self.things and b in self.things):
            return  # what it held goes with its holder, whenever that is
        if not self.known(a, b):
            return
        source = self.things[a]
        source.links.append((b, label))
        self.things[b].count += 1
        # A tuple untracked before its links were known to the log was untracked by mistake.
        derived = source.kind in ("dict", "tuple") and source.generation is None
        visible = a != self.newborn and self.started and label != OPAQUE and a not in self.dying
        if derived and visible and self.may_be_tracked(b):
            self.track(a, 0)

    def on_unlink(self, a: int, b: int, label: int) -> None:
        if not self.known(a, b):
            return
        links = self.things[a].links
        at = [i for i, link in enumerate(links) if link == (b, label)]
        at = at or [i for i, link in enumerate(links) if link == (b, UNKNOWN)]
        at = at or [i for i, link in enumerate(links) if link[0] == b]
        if self.moving and not at:
            self.lack()
            return
        del links[at[-1]]
        self.lose(b, 1)

    def on_kept(self, a: int, b: int, c: int) -> None:
        if not self.modelled and self.pending_frees:
            self.pending_frees -= 1

    def on_resize(self, a: int, low: int, high: int) -> None:
        if self.known(a):
            thing = self.things[a]
            owned = signed64(low, high)
            self.live_bytes += owned - thing.owned
            thing.owned = owned
            self.note_peaks()

    def on_track(self, a: int, generation: int, c: int) -> None:
        if self.known(a) and a not in self.dying:
            self.newborn = None if self.newborn == a else self.newborn
            before = self.things[a].generation
            self.track(a, before if self.started and before is not None else generation)

    def on_untrack(self, a: int, b: int, c: int) -> None:
        if self.known(a) and a not in self.dying:
            self.newborn = None if self.newborn == a else self.newborn
            self.untrack(a)

    def on_weakref(self, a: int, b: int, use: int) -> None:
        used = use in (WeakUse.HIT, WeakUse.MISS)
        if used and self.running:
            return  # at another moment than when it was asked
        if used and a in self.things:
            if use == WeakUse.HIT and b in self.unborn:
                self.lack()
            else:
                self.misled += (b in self.things) != (use == WeakUse.HIT)
        elif self.known(a, b):
            self.weakrefs.pop(a, None)
            self.weakrefs[a] = (b, use == WeakUse.CALLBACK)
            if use == WeakUse.CALLBACK:
                self.callers.add(a)

    def on_inside(self, a: int, begin: int, c: int) -> None:
        if begin and not self.inside:
            # What callbacks do after the garbage is freed stands behind a tick.
            self.behind_tick = self.ticked + 1 == self.sequence
            self.passing = self.moving and a != NO_OBJECT
            self.after_collection = not self.behind_tick and a == NO_OBJECT
            # Before a collection that was due by then: what its callbacks do moves no counter.
            behind = self.aftermath or not self.after_collection
            self.before_collection = not self.modelled and not behind
            self.due_counter = self.counts[0], self.pending_frees
        self.inside += 1 if begin else -1
        if not self.inside and self.behind_tick:
            self.ticked = self.sequence  # so is the next, if it stands right behind
        if self.passing:
            self.passing = bool(begin)
            return
        if not self.inside and self.before_collection:
            self.counts[0], self.pending_frees = self.due_counter

    def on_safepoint(self, a: int, b: int, c: int) -> None:
        """Of interest to deferred collectors only."""

    def on_tick(self, a: int, b: int, c: int) -> None:
        self.ticked = self.sequence
        if not self.inside:  # the garbage is freed before callbacks are told of the end
            self.pending_frees += self.late_frees
            self.late_frees = 0

    def on_mark(self, a: int, b: int, c: int) -> None:
        """As if the program called gc.freeze() or gc.collect() right after its mark."""
        label = self.labels[a]
        if label in self.bounds[:1]:
            del self.bounds[0]
            self.closed = not self.bounds
            self.made = self.made if self.closed else []
        if self.closed:
            return
        if self.wanted is not None and label == self.wanted[0]:
            self.take_over()
        acted_at = {mark for _, mark, _ in self.at_marks}
        if self.wanted is not None or self.inside or label not in acted_at:
            return
        self.modelled = True
        self.passed[label] += 1
        for what, mark, n in self.at_marks:
            if mark == label and what == "freeze" and self.passed[label] == 1:
                self.freeze()
            elif mark == label and what == "collect" and self.passed[label] % n == 0:
                self.collect(2, self.name)

    def take_over(self) -> None:
        assert self.wanted is not None
        _, self.rules, self.fixed = self.wanted
        self.wanted = None
        self.thresholds = self.fixed or self.thresholds
        self.counts[0], self.pending_frees = self.young, 0
        self.modelled = True

    def on_gc_call(self, a: int, b: int, c: int) -> None:
        call, arguments = GcCall(a), json.loads(self.arguments[b])
        if self.rules == "never":
            return
        if call is GcCall.COLLECT and not self.inside:
            self.collect(arguments[0], "call")
        elif call in (GcCall.ENABLE, GcCall.DISABLE):
            self.enabled = call is GcCall.ENABLE
        elif call is GcCall.SET_THRESHOLD and self.fixed is None:
            self.thresholds = tuple(arguments)
        elif call is GcCall.SET_DEBUG:
            self.saves_all = bool(arguments[0] & 32)
        elif call is GcCall.FREEZE:
            self.freeze()
        elif call is GcCall.UNFREEZE:
            self.move_list(3, 2)

    def freeze(self) -> None:
        for g in range(3):
            self.move_list(g, 3)
        self.counts = [0, 0, 0]
        self.pending_frees = 0

    # -- tracking and death --

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
        self.untrack(id)
        thing = self.things.pop(id)
        self.bury(id, thing)
        for target, _ in thing.links:
            self.lose(target, 1)

    def bury(self, id: int, thing: Thing) -> None:
        """All that a death changes beside the links."""
        self.live_bytes -= thing.size + thing.owned
        self.bytes_died += thing.size + thing.owned
        self.dying.discard(id)
        if self.causing:
            self.await_regions(id)
        if self.inside and self.after_collection and not self.collecting:
            self.died_inside.add(id)
        if self.newborn == id:
            self.newborn = None
        self.weakrefs.pop(id, None)
        if self.weakrefs:
            self.weakrefs = {w: (t, cb) for w, (t, cb) in self.weakrefs.items() if t != id}
        if self.collecting:
            self.freed_by_collector += 1
        else:
            self.freed_by_refcount += 1
        if not self.started or Flag.GC not in thing.flags:
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

    # -- collections --

    def due(self) -> int:
        """Which generation an automatic collection takes."""
        for g in (2, 1):
            if self.counts[g] > self.thresholds[g]:
                if g == 2 and self.rules == "cpython-3.11" and self.pending < self.total // 4:
                    continue
                return g
        return 0

    def collect(self, g: int, cause: str) -> None:
        cpython = self.rules == "cpython-3.11"
        if g < 2:
            self.counts[g + 1] += 1
        self.counts[: g + 1] = [0] * (g + 1)
        self.pending_frees = self.late_frees = 0
        into = min(g + 1, 2)
        tracked = sum(len(generation) for generation in self.lists[:3])

        young = [id for i in (g, *range(g)) for id in self.lists[i]]
        for i in range(g + 1):
            self.lists[i] = {}
        things = self.things
        candidates = len(young)
        links = sum(len(things[id].shown()) for id in young)
        survivors, aside = self.reached(young)

        for kind in (("tuple", "dict") if g == 2 else ("tuple",)) if cpython else ():
            for id in survivors:
                atomic = not any(map(self.may_be_tracked, things[id].shown()))
                if things[id].kind == kind and atomic:
                    things[id].generation = None
            survivors = [id for id in survivors if things[id].generation is not None]
        self.lists[into].update(dict.fromkeys(survivors))
        for id in survivors:
            things[id].generation = into
        if cpython and g == 1:
            self.pending += len(survivors)
        elif cpython and g == 2:
            self.total, self.pending = len(survivors), 0

        unreachable = set(aside)
        uncollectable = [id for id in aside if things[id].finalizer == 2]
        for id in uncollectable:
            things[id].in_garbage = True
        for id in uncollectable:
            for target in things[id].shown():
                if target in unreachable and target not in uncollectable:
                    uncollectable.append(target)
        garbage = [id for id in aside if id not in uncollectable]

        freed, size = self.freed_by_refcount + self.freed_by_collector, self.bytes_died
        self.dying, self.causing = unreachable, self.moving
        called = []
        killed = 0
        for id in garbage:
            for weakref, (target, callback) in reversed(self.weakrefs.items()):
                if target == id and callback and weakref not in unreachable:
                    if things[weakref].generation is not None:
                        self.track(weakref, into)
                    # handle_weakrefs counts a weak reference that its callback kills. One that
                    # outlives it and then dies with the garbage that held it is not counted.
                    killed += weakref in self.killed
                    called.append(weakref)
        self.weakrefs = {w: (t, cb) for w, (t, cb) in self.weakrefs.items() if t not in garbage}
        for weakref in called:
            self.hold(weakref, 1)
        for weakref in called:
            self.run(weakref)
            killed += not self.hold(weakref, -1)
        self.run_waiting()
        for id in garbage:
            if id in things and id not in self.callers:
                self.hold(id, 1)
                self.run(id)
                self.hold(id, -1)
        self.run_waiting()
        saved, again = self.reached([id for id in garbage if id in things])
        garbage = list(again)
        uncollectable = [id for id in uncollectable if id in things]
        self.dying = set() if self.saves_all else set(garbage)
        for id in saved + uncollectable + (garbage if self.saves_all else []):
            things[id].generation = into
            self.lists[into][id] = None

        self.collecting = True
        buried = {id: things.pop(id) for id in ([] if self.saves_all else garbage)}
        for id, thing in buried.items():
            self.bury(id, thing)
        for thing in buried.values():
            for target, _ in thing.links:
                if target in things:
                    self.lose(target, 1)
        self.collecting = False
        self.run_waiting()
        self.causing = False
        if g == 2:
            slices = self.waiting.pop("slice", 0)  # clear_freelists leaves them
            self.late_frees += sum(self.waiting.values())
            self.waiting = Counter({"slice": slices})
        self.fruitless = not aside
        self.made.append(
            Made(
                sequence=self.sequence,
                allocation=self.next_id - (cause == "threshold"),
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

    # -- finalizers and callbacks with an owner --

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
                getattr(self, "on_" + Op(op).name.lower())(*operands)
            self.inside, self.running = inside, False

    def await_regions(self, id: int) -> None:
        """What dies by its count in a collection has its finalizer and callbacks called too."""
        if id in self.owned and id not in self.callers:
            self.waiting_owners.append(id)
        for weakref, (target, callback) in self.weakrefs.items():
            if target == id and callback and weakref in self.owned and weakref not in self.dying:
                self.waiting_owners.append(weakref)

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

    def settle(self) -> None:
        """The collection is over, and so are its regions of finalizers and callbacks."""
        self.aftermath = False
        if not self.fruitless:  # else no finalizer ran: these frees find the counter at 0
            self.pending_frees += self.late_frees
        self.late_frees = 0
        if self.newborn is not None:
            self.track(self.newborn, 0)
            self.newborn = None

    # -- what can be seen --

    @property
    def young(self) -> int:
        return max(0, self.counts[0] - self.pending_frees)

    def snapshot(self) -> dict[int, tuple[int, int, list[tuple[int, int]]]]:
        """{id: (count, generation or 4, links)}, as the engine gives it."""
        return {
            id: (t.count, 4 if t.generation is None else t.generation, t.links)
            for id, t in self.things.items()
        }


def owned_regions(log: EventLog) -> dict[int, list[list[tuple[int, ...]]]]:
    """By owner: the regions that have one, each as the events that move with it."""
    stay = (Op.GC_CALL, Op.SAFEPOINT, Op.MARK, Op.TICK)
    regions: dict[int, list[list[tuple[int, ...]]]] = {}
    open: list[tuple[int, ...]] | None = None
    for op, a, b, c in zip(*(column.tolist() for column in log.events().columns()), strict=True):
        if op == Op.INSIDE:
            open = [] if b and a != NO_OBJECT else None
            if open is not None:
                regions.setdefault(a, []).append(open)
        elif open is not None and op not in stay:
            open.append((op, a, b, c))
    return regions


def killed_inside(log: EventLog) -> set[int]:
    """What callbacks and finalizers of the recorded collections killed: the same in every run."""
    plain = Reference(log, "never", in_recorded_order=True)
    plain.apply(log.events())
    return plain.died_inside
