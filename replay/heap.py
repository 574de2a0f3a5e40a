"""The heap as policies see it, on top of the engine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gcreplay.store.values import I64_MOST, switch, whole

from .engine import _engine
from .policies.policy import OLDEST, OWN_SPACE, PERMANENT, Heap, Untrack
from .results.result import Collection

FOREVER = 2**64 - 1
_ANY_COUNT = (-I64_MOST - 1, I64_MOST)
_ALL_UNTRACKING = int(~Untrack.NOTHING)
_GROW = ("candidates", "links", "collected", "bytes", "survivors", "freed", "uncollectable")


@dataclass(slots=True)
class Course:
    """How the replay goes: why a policy is asked, where it stops next, what was collected."""

    cause: str = "call"
    at_birth: bool = False
    stop: int = FOREVER
    collections: list[Collection] = field(default_factory=list)


class EngineHeap:
    """The heap that policies see, on top of the engine: what `Heap` says, and no place for more."""

    __slots__ = ("_armed", "_course", "_enabled", "_engine", "_last_space", "_suspects")

    def __init__(self, engine: _engine.Engine, course: Course) -> None:
        self._engine = engine
        self._course = course
        self._enabled = True
        self._armed: tuple[int | None, ...] = (None,) * 5
        self._suspects = 0
        self._last_space = 0

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
        suspects: int | None = None,
    ) -> None:
        self._armed = (
            None if suspects is None else whole("suspects", suspects, 0, I64_MOST),
            None if allocations is None else whole("allocations", allocations, *_ANY_COUNT),
            None if bytes is None else whole("bytes", bytes, 0, FOREVER),
            None if tick is None else whole("tick", tick, 0, FOREVER),
            None if recheck is None else whole("recheck", recheck, *_ANY_COUNT),
        )
        self.set_limits()

    def set_limits(self) -> None:
        suspects, *triggers, recheck = self._armed
        allocations, nbytes, tick = triggers if self._enabled else (None, None, None)
        self._engine.set_limits(
            _engine.NO_LIMIT if allocations is None else allocations,
            FOREVER if nbytes is None else nbytes,
            FOREVER if tick is None else tick,
            self._course.stop,
        )
        dropped = recheck is not None and not self._enabled
        self._engine.defer(_engine.NO_LIMIT if dropped else recheck)
        if self._suspects:
            most = suspects if self._enabled else None
            self._engine.suspect(self._suspects, _engine.NO_LIMIT if most is None else most)

    def give_spaces(self, spaces: int, suspects: int) -> None:
        """From here on there are so many of the policy's own, and suspects stand in that one; 0: in
        none."""
        self._last_space = OWN_SPACE + spaces - 1 if spaces else 0
        self._suspects = suspects
        self.set_limits()

    def _space(self, name: str, number: int, oldest: int = PERMANENT) -> int:
        """A generation up to the oldest, or a space of the policy's own."""
        number = whole(name, number, 0, max(oldest, self._last_space))
        return whole(name, number, 0, oldest) if number < OWN_SPACE else number

    def size(self, generation: int) -> int:
        return self._engine.list_length(self._space("generation", generation))

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
        reach: bool = False,
        spare: bool = False,
        called: int | None = None,
        goes_on: bool = False,
    ) -> Collection:
        generation = self._space("generation", generation, OLDEST)
        target = min(generation + 1, OLDEST) if into is None else self._space("into", into)
        untracking = whole("untrack", untrack, 0, _ALL_UNTRACKING)
        origin, size = front or (OLDEST, 0)
        if generation < OWN_SPACE:
            origin = whole("front", origin, generation + (size != 0), max(OLDEST, self._last_space))
        origin = self._space("front", origin, OLDEST)
        size = whole("the size of front", size, 0, I64_MOST)
        named = (
            (generation if generation < OWN_SPACE else 0)
            if called is None
            else whole("called", called, 0, OLDEST)
        )
        tracked = self._engine.tracked
        figures = self._engine.collect(
            generation,
            target,
            untracking,
            origin,
            size,
            switch("reach", reach),
            switch("spare", spare),
        )
        return self._made(named, tracked, *figures, goes_on=goes_on)

    def mark(self, into: int, *, roots: int | None = None, called: int | None = None) -> int:
        target = self._space("into", into, OLDEST)
        origin = -1 if roots is None else self._space("roots", roots, OLDEST)
        tracked = self._engine.tracked
        moved, links = self._engine.mark(origin, target)
        self._marked(called, tracked, moved, links)
        return moved

    def scan(
        self,
        space: int,
        among: int,
        into: int,
        *,
        limit: int,
        called: int | None = None,
        goes_on: bool = False,
    ) -> int:
        tracked = self._engine.tracked
        moved, links = self._engine.scan(
            self._space("space", space, OLDEST),
            self._space("among", among, OLDEST),
            self._space("into", into, OLDEST),
            whole("limit", limit, 0, I64_MOST),
        )
        self._marked(called, tracked, moved, links, goes_on=goes_on)
        return moved

    def _marked(
        self, called: int | None, tracked: int, moved: int, links: int, *, goes_on: bool = False
    ) -> None:
        if called is not None:
            named = whole("called", called, 0, OLDEST)
            self._made(named, tracked, moved, links, 0, 0, moved, 0, 0, goes_on=goes_on)

    def untrack_tuples(self, generation: int) -> None:
        self._engine.untrack_tuples(self._space("generation", generation, OLDEST))

    def move(self, generation: int, into: int, *, held: bool = False) -> None:
        origin = self._space("generation", generation)
        target = self._space("into", into)
        if origin != target:
            self._engine.move_list(origin, target, switch("held", held))

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
        *,
        goes_on: bool,
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
        done = self._course.collections
        before = done[-1] if done else None
        if switch("goes_on", goes_on) and before and before.sequence == made.sequence:
            done[-1] = replace(
                before, **{name: getattr(before, name) + getattr(made, name) for name in _GROW}
            )
        else:
            done.append(made)
        return made

    def freeze(self) -> None:
        for generation in self._engine.spaces:
            self._engine.move_list(generation, PERMANENT)

    def unfreeze(self) -> None:
        self._engine.move_list(PERMANENT, OLDEST)


_: type[Heap] = EngineHeap
