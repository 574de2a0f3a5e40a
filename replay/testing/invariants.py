"""What must hold of every replay, checked object by object in plain Python.

Slow: for small logs, as `logs.valid_logs` makes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import fields
from typing import Any, NoReturn

from gcreplay.store.errors import GcreplayError
from gcreplay.store.log import EventLog

from ..engine import _engine
from ..engine.annotation import garbage_of
from ..heap import Course, EngineHeap
from ..policies.policy import OWN_SPACE, PERMANENT, Policy
from ..results.result import Collection, RunResult
from ..run import Replay

UNTRACKED = PERMANENT + 1
Snapshot = dict[int, tuple[int, int, list[tuple[int, int]]]]
"""By object: reference count, generation, links."""


class BrokenInvariant(GcreplayError):
    """A replay did what no collector may do."""


def check(log: EventLog, policy: str | Callable[[], Policy]) -> RunResult:
    """Replay a log under a policy, which is a name as for `replay`, or makes a fresh policy.

    Raises BrokenInvariant with event and object if in a collection

    * an object is freed that something reaches,
    * an object is freed that was unreachable only if one that something reaches is freed too,
    * the figures of the collection are not what came of the heap,

    or if at any event the totals do not add up, an object is in no list or in two, or if the same
    replay with whole segments at a time, in place of event by event, gives another result.
    """

    def fresh() -> str | Policy:
        return policy if isinstance(policy, str) else policy()

    watched = _Watched(log, fresh())
    watched.begin()
    for segment in log.segments():
        for i in range(len(segment)):
            if not watched.closed:
                watched.apply(segment.part(i, i + 1))
                watched.add_up()
    result = watched.result()
    again = Replay(log, fresh()).run()
    for each in fields(RunResult):
        one, other = getattr(result, each.name), getattr(again, each.name)
        if one != other:
            raise BrokenInvariant(
                f"{watched.name}: two replays of the same log differ in {each.name}: {one} and "
                f"{other}; a policy keeps its state in the instance, and uses no clock, no hash() "
                f"and no chance"
            )
    return result


class _Watched(Replay):
    """A replay that is watched."""

    def heap_of(self, engine: _engine.Engine) -> EngineHeap:
        return _WatchedHeap(engine, self.course, self)

    def add_up(self) -> None:
        """What holds between two events."""
        figures, heap = self.engine.figures(), self.engine.snapshot()
        died = figures["freed_by_refcount"] + figures["freed_by_collector"]
        if len(heap) != figures["live_objects"]:
            self.broken(f"{len(heap)} objects are alive, and {figures['live_objects']} counted")
        born = self.engine.next_id
        moves = garbage_of(self.log).regions is not None  # births of finalizers come when they run
        if len(heap) + died != born and not (moves and len(heap) + died <= self.log.object_count):
            self.broken(f"{died} objects died and {len(heap)} are alive, of {born} born")
        if not self.policy.counts_only:
            self.tracked_once(heap)

    def tracked_once(self, heap: Snapshot) -> None:
        """Each object stands in the list of its generation and in no other."""
        listed = Counter[int]()
        for generation in {PERMANENT, *self.engine.spaces}:
            for each in self.engine.order(generation):
                listed[each] += 1
                if heap[each][1] != generation:
                    self.broken(f"it stands in generation {generation}, and not by itself", each)
        for each, times in listed.items():
            if times > 1:
                self.broken("it stands in two generations", each)

    def broken(self, what: str, which: int | None = None) -> NoReturn:
        where = f"{self.name}: event {self.engine.sequence:,}"
        if which is not None:
            where += f", object {which} ({self._type_of(which)})"
        raise BrokenInvariant(f"{where}: {what}")


class _WatchedHeap(EngineHeap):
    """The heap of a policy, which checks each collection."""

    __slots__ = ("_replay",)

    def __init__(self, engine: _engine.Engine, course: Course, watched: _Watched) -> None:
        super().__init__(engine, course)
        self._replay = watched

    def collect(
        self,
        generation: int,
        *,
        front: tuple[int, int] | None = None,
        reach: bool = False,
        **options: Any,
    ) -> Collection:
        engine, watched = self._replay.engine, self._replay
        before, regions = engine.snapshot(), engine.figures()["regions_run"]
        done = super().collect(generation, front=front, reach=reach, **options)
        after = engine.snapshot()
        if engine.figures()["regions_run"] > regions:
            return done  # finalizers and callbacks ran: they free and make what they like
        held = reachable(before)
        freed = sorted(before.keys() - after.keys())
        for each in freed:
            if each in held:
                watched.broken("it is freed, and something reaches it", each)
        for each in freed:
            for holder, (_, _, links) in after.items():
                if any(target == each for target, _ in links):
                    watched.broken(f"it is freed, and object {holder} still refers to it", each)
        alone = generation >= OWN_SPACE
        there_are = sum(
            count > 0 and (where == generation if alone else where <= generation)
            for count, where, _ in before.values()
        )
        if front is None and not reach and done.candidates > there_are:
            watched.broken(f"{done.candidates} candidates, of {there_are} objects that there are")
        if len(freed) != done.freed:
            watched.broken(f"{len(freed)} objects are freed, and {done.freed} counted")
        if done.survivors + done.collected + done.uncollectable > done.candidates + len(freed):
            watched.broken(f"more came of {done.candidates} candidates than they are: {done}")
        return done


def reachable(heap: Snapshot) -> set[int]:
    """What something outside the heap's objects holds, and all that this leads to."""
    linked = Counter(target for _, _, links in heap.values() for target, _ in links)
    found = [each for each, (count, _, _) in heap.items() if count > linked[each]]
    seen = set(found)
    for each in found:  # which grows
        for target, _ in heap[each][2]:
            if target in heap and target not in seen:
                seen.add(target)
                found.append(target)
    return seen
