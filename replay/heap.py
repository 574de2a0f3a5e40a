"""The heap as policies see it, on top of the engine."""

from __future__ import annotations

from dataclasses import dataclass, field

from gcreplay.store.values import I64_MOST, switch, whole

from .engine import _engine
from .policies.policy import OLDEST, PERMANENT, Heap, Untrack
from .results.result import Collection

FOREVER = 2**64 - 1
_ANY_COUNT = (-I64_MOST - 1, I64_MOST)
_ALL_UNTRACKING = int(~Untrack.NOTHING)


@dataclass(slots=True)
class Course:
    """How the replay goes: why a policy is asked, where it stops next, what was collected."""

    cause: str = "call"
    at_birth: bool = False
    stop: int = FOREVER
    collections: list[Collection] = field(default_factory=list)


class EngineHeap:
    """The heap that policies see, on top of the engine: what `Heap` says, and no place for more."""

    __slots__ = ("_armed", "_course", "_enabled", "_engine")

    def __init__(self, engine: _engine.Engine, course: Course) -> None:
        self._engine = engine
        self._course = course
        self._enabled = True
        self._armed: tuple[int | None, ...] = (None, None, None, None)

    @property
    def enabled(self) -> bool:
        return self._enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self._enabled = switch("enabled", value)
        self.set_limits()

    @property
    def young(self) -> int:
        return self._engine.young

    @young.setter
    def young(self, value: int) -> None:
        self._engine.young = whole("young", value, 0, I64_MOST // 2)

    @property
    def sequence(self) -> int:
        return self._engine.sequence

    @property
    def tick(self) -> int:
        return self._engine.tick

    @property
    def allocated_bytes(self) -> int:
        return self._engine.bytes_since

    def arm(
        self,
        *,
        allocations: int | None = None,
        bytes: int | None = None,
        tick: int | None = None,
        recheck: int | None = None,
    ) -> None:
        self._armed = (
            None if allocations is None else whole("allocations", allocations, *_ANY_COUNT),
            None if bytes is None else whole("bytes", bytes, 0, FOREVER),
            None if tick is None else whole("tick", tick, 0, FOREVER),
            None if recheck is None else whole("recheck", recheck, *_ANY_COUNT),
        )
        self.set_limits()

    def set_limits(self) -> None:
        *triggers, recheck = self._armed
        allocations, nbytes, tick = triggers if self._enabled else (None, None, None)
        self._engine.set_limits(
            _engine.NO_LIMIT if allocations is None else allocations,
            FOREVER if nbytes is None else nbytes,
            FOREVER if tick is None else tick,
            self._course.stop,
        )
        dropped = recheck is not None and not self._enabled
        self._engine.defer(_engine.NO_LIMIT if dropped else recheck)

    def size(self, generation: int) -> int:
        return self._engine.list_length(whole("generation", generation, 0, PERMANENT))

    @property
    def containers(self) -> int:
        return self._engine.containers

    def collect(
        self,
        generation: int,
        *,
        into: int | None = None,
        untrack: Untrack = Untrack.NOTHING,
        front: tuple[int, int] | None = None,
        called: int | None = None,
    ) -> Collection:
        engine = self._engine
        generation = whole("generation", generation, 0, OLDEST)
        target = min(generation + 1, OLDEST) if into is None else whole("into", into, 0, PERMANENT)
        untracking = whole("untrack", untrack, 0, _ALL_UNTRACKING)
        origin, size = front or (OLDEST, 0)
        origin = whole("front", origin, generation if size == 0 else generation + 1, OLDEST)
        size = whole("the size of front", size, 0, I64_MOST)
        named = generation if called is None else whole("called", called, 0, OLDEST)
        tracked = self._tracked()
        figures = engine.collect(generation, target, untracking, origin, size)
        return self._made(named, tracked, *figures)

    def mark(self, into: int, *, roots: int | None = None, called: int | None = None) -> int:
        target = whole("into", into, 0, OLDEST)
        origin = -1 if roots is None else whole("roots", roots, 0, OLDEST)
        tracked = self._tracked()
        moved, links = self._engine.mark(origin, target)
        if called is not None:
            named = whole("called", called, 0, OLDEST)
            self._made(named, tracked, moved, links, 0, 0, moved, 0, 0)
        return moved

    def untrack_tuples(self, generation: int) -> None:
        self._engine.untrack_tuples(whole("generation", generation, 0, OLDEST))

    def move(self, generation: int, into: int) -> None:
        origin = whole("generation", generation, 0, PERMANENT)
        target = whole("into", into, 0, PERMANENT)
        if origin != target:
            self._engine.move_list(origin, target)

    def _tracked(self) -> int:
        return sum(self._engine.list_length(g) for g in range(PERMANENT))

    def _made(
        self,
        generation: int,
        tracked: int,
        candidates: int,
        links: int,
        collected: int,
        uncollectable: int,
        survivors: int,
        freed: int,
        nbytes: int,
    ) -> Collection:
        made = Collection(
            sequence=self._engine.sequence,
            allocation=self._engine.next_id - self._course.at_birth,
            cause=self._course.cause,
            generation=generation,
            candidates=candidates,
            tracked=tracked,
            links=links,
            collected=collected,
            bytes=nbytes,
            survivors=survivors,
            freed=freed,
            uncollectable=uncollectable,
        )
        self._course.collections.append(made)
        return made

    def freeze(self) -> None:
        for generation in range(PERMANENT):
            self._engine.move_list(generation, PERMANENT)

    def unfreeze(self) -> None:
        self._engine.move_list(PERMANENT, OLDEST)


_: type[Heap] = EngineHeap
