"""What each event of a log does to the heap, and when a collector runs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from gcreplay.store.events import (
    NO_OBJECT,
    OPAQUE_LABEL,
    UNFREEABLE,
    UNKNOWN_LABEL,
    Events,
    Flag,
    GcCall,
    Op,
    StartState,
    WeakUse,
    signed64,
)
from gcreplay.store.log import EventLog

from .collector import DEFERRED, Collector
from .heap import Thing


class Reference(Collector):
    """A replay. `rules`: "never", "generational" or one of CPYTHON.

    `thresholds` override the program's own; `modelled` says whether a model of the free lists
    decides what counts, or the recorded flags. `at_marks`: (what, mark, n) in order: "freeze",
    "collect", "set" of thresholds n, and "enable", before which nothing automatic runs.
    `min_interval`: ns between full collections. `name` is then the cause of these collections.
    `killed`: what callbacks kill, as `died_inside` of a replay under "never" tells. `apply_from`:
    before this mark the rules are "cpython-3.11" as recorded. `window`: `made` holds what is made
    from the first of these marks on, and ends at the second. What finalizers and callbacks with an
    owner did runs when a collection finds it; with `in_recorded_order` where it was recorded.
    """

    def __init__(
        self,
        log: EventLog,
        rules: str,
        *,
        thresholds: tuple[int, int, int] | None = None,
        modelled: bool = True,
        at_marks: Sequence[tuple[str, str, Any]] = (),
        min_interval: int = 0,
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
        super().__init__(
            log,
            rules,
            thresholds=thresholds,
            modelled=modelled,
            killed=killed,
            in_recorded_order=in_recorded_order,
            min_interval=min_interval,
        )
        self.name = name
        self.behind_tick = self.passing = self.closed = False
        self.ticked = -2
        self.at_marks = at_marks
        self.passed: Counter[str] = Counter()
        self.labels = log.labels
        self.types, self.shapes, self.arguments = log.types, log.shapes, log.arguments
        self.displaced = self.revived = self.misled = 0
        self.kept_off = {mark for what, mark, _ in at_marks if what == "enable"}
        self.started = log.start is None
        if self.started:
            self.begin(StartState())

    def begin(self, state: StartState) -> None:
        super().begin(state)
        if self.wanted is None:
            self.take_control()

    def take_control(self) -> None:
        """The policy's own rules begin."""
        self.wished = self.enabled
        self.enabled = self.enabled and not self.kept_off

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
            self.play(op, a, b, c)

    def play(self, op: int, a: int, b: int, c: int) -> None:
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

    def pass_over(self, op: int, a: int, b: int, c: int) -> None:
        """An event of a region with an owner, where the log has it."""
        if op == Op.ALLOC:
            self.next_id = a + 1
        elif op == Op.GC_CALL:
            self.on_gc_call(a, b, c)
        elif op == Op.TICK:
            self.tick = b << 32 | a

    def on_start(self, a: int, b: int, c: int) -> None:
        self.begin(StartState.from_json(self.arguments[a]))

    def on_alloc(self, a: int, b: int, c: int) -> None:
        if self.scheduled and not self.safepoints and not self.inside:
            self.consider(self.sequence - 1)
            if self.aftermath:
                self.settle()
        shape = self.shapes[b]
        type_ = self.types[shape.type]
        thing = Thing(type_.kind, shape.size, shape.flags, type_.finalizer)
        self.things[a] = thing
        self.live_bytes += thing.size
        if not self.running:
            self.next_id = a + 1
        self.note_peaks()
        begins = False
        if self.tracking:
            if Flag.TRACKED in shape.flags and self.started:
                self.count_birth()
                barred = Flag.BARRED in shape.flags
                begins = self.exceeds() and not self.inside and not barred
        elif self.started and Flag.GC in shape.flags:
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
        if begins and self.rules in DEFERRED:
            self.scheduled, begins = True, False
        if begins:
            self.newborn = a if Flag.TRACKED in shape.flags else None
            self.collect(self.due(), "threshold")
        elif Flag.TRACKED in shape.flags:
            self.track(a, 0)

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
        if label == OPAQUE_LABEL and not (a in self.things and b in self.things):
            return  # what it held goes with its holder, whenever that is
        if not self.known(a, b):
            return
        source = self.things[a]
        source.links.append((b, label))
        self.things[b].count += 1
        # A tuple untracked before its links were known to the log was untracked by mistake.
        derived = source.kind in ("dict", "tuple") and source.generation is None
        visible = (
            a != self.newborn and self.started and label != OPAQUE_LABEL and a not in self.dying
        )
        if derived and visible and self.may_be_tracked(b):
            self.track(a, 0)
            self.count_track(a)

    def on_unlink(self, a: int, b: int, label: int) -> None:
        if not self.known(a, b):
            return
        links = self.things[a].links
        at = [i for i, link in enumerate(links) if link == (b, label)]
        at = at or [i for i, link in enumerate(links) if link == (b, UNKNOWN_LABEL)]
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
        if generation != UNFREEABLE and self.known(a) and a not in self.dying:
            self.newborn = None if self.newborn == a else self.newborn
            before = self.things[a].generation
            self.track(a, before if self.started and before is not None else generation)
            if before is None:
                self.count_track(a)

    def on_untrack(self, a: int, b: int, c: int) -> None:
        if self.known(a) and a not in self.dying:
            self.newborn = None if self.newborn == a else self.newborn
            self.pending_frees += self.tracking and self.things[a].generation is not None
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
        if self.scheduled and not self.inside:
            self.consider(self.sequence)

    def on_tick(self, a: int, b: int, c: int) -> None:
        self.ticked = self.sequence
        self.tick = b << 32 | a
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
            elif mark == label and what == "set":
                self.fixed = self.thresholds = n
            elif mark == label and mark in self.kept_off and what == "enable":
                self.kept_off.remove(mark)
                self.enabled = self.wished and not self.kept_off
            elif mark == label and what == "collect" and self.passed[label] % n == 0:
                self.collect(2, self.name)

    def take_over(self) -> None:
        assert self.wanted is not None
        _, self.rules, self.fixed = self.wanted
        self.wanted = None
        self.thresholds = self.fixed or self.own(self.thresholds)
        self.counts[0], self.pending_frees = self.young, 0
        self.modelled = True
        self.take_control()

    def on_gc_call(self, a: int, b: int, c: int) -> None:
        call, arguments = GcCall(a), json.loads(self.arguments[b])
        if self.rules == "never":
            return
        if call is GcCall.COLLECT and not self.inside:
            self.collect(arguments[0], "call")
        elif call in (GcCall.ENABLE, GcCall.DISABLE):
            self.wished = call is GcCall.ENABLE
            self.enabled = self.wished and not self.kept_off
        elif call is GcCall.SET_THRESHOLD and self.fixed is None:
            self.thresholds = tuple(arguments)
        elif call is GcCall.SET_DEBUG:
            self.saves_all = bool(arguments[0] & 32)
        elif call is GcCall.FREEZE:
            self.freeze()
        elif call is GcCall.UNFREEZE:
            self.move_list(3, 2)


def killed_inside(log: EventLog) -> set[int]:
    """What callbacks and finalizers of the recorded collections killed: the same in every run."""
    plain = Reference(log, "never", in_recorded_order=True)
    plain.apply(log.events())
    return plain.died_inside
