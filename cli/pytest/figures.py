"""What a recording says of each test: garbage, the collector's work, and what stays alive.

Nothing here depends on where the recorded collections fell. Garbage is what only a collector can
free, found by whichever. Work is what the recorded collector would do if all that is older than the
test were frozen and its counters stood at 0. What stays alive is what was made in the test, is
alive when the next one begins, and never becomes garbage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import _pytest
import numpy as np
import numpy.typing as npt
import pluggy

from gcreplay import blocks
from gcreplay.replay.engine.annotation import garbage_of
from gcreplay.replay.policies.cpython311 import CPython311
from gcreplay.replay.policies.policy import Heap
from gcreplay.replay.run import Replay
from gcreplay.store import events as store
from gcreplay.store.events import U32, U64, GcCall, Op
from gcreplay.store.log import EventLog

from .stretches import Stretch, stretches

Ids = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_OURS = (
    "<frozen ",  # imports, and the caches of abstract classes
    str(blocks.__file__),
    *(f"{Path(one).parent}/" for one in (_pytest.__file__, pluggy.__file__, __file__)),
)
"""What such code makes is no part of a test."""

_UNKNOWN = 0xFFFFFFFF
_NOWHERE = store.Site(0, "", 0, "", 1)


@dataclass(frozen=True, slots=True)
class Site:
    """Where objects were made, and how many of them there; `near`: the line may be another, and
    without a file nothing is known of it."""

    file: str
    line: int
    function: str
    objects: int
    near: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Objects of one kind that were made at one place."""

    types: tuple[str, ...]
    sites: tuple[Site, ...]
    objects: int
    bytes: int

    @property
    def signature(self) -> str:
        """The same for the same kind and function, in whichever line it stands."""
        return f"{self.types[0]} in {self.sites[0].file}:{self.sites[0].function}"


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted in a stretch; groups with most objects first."""

    stretch: Stretch
    garbage: tuple[Group, ...]
    leaked: tuple[Group, ...]
    visited: int


def figures(log: EventLog) -> list[Figures]:
    """Those of every stretch of a recording."""
    found = stretches(log.marks())
    if not found:
        return []
    work = _work(log, found)
    objects = _Objects.of(log)
    return [
        Figures(one, *objects.of_stretch(one), visited)
        for one, visited in zip(found, work, strict=True)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Objects:
    """All objects of a log, by id. place: its site, or `_UNKNOWN`. theirs: whether a test may have
    made it. garbage: whether only a collector can free it."""

    log: EventLog
    birth: U64
    death: U64
    shape: U32
    place: U64
    theirs: Bools
    garbage: Bools

    @classmethod
    def of(cls, log: EventLog) -> _Objects:
        perfect = Replay(log, "clairvoyant")
        perfect.note_deaths()
        perfect.run()
        assert perfect.deaths is not None
        garbage = np.zeros(log.object_count, np.bool_)
        garbage[garbage_of(log).due["id"]] = True
        birth, shape, site = [], [], []
        for events in log.named():
            at = np.flatnonzero(events.op == Op.ALLOC)
            birth.append(at.astype(np.uint64) + np.uint64(events.first_sequence))
            shape.append(events.b[at])
            site.append(events.c[at])
        ours = [one.file.startswith(_OURS) for one in log.sites]
        near = [one.near == 1 for one in log.sites]
        born = np.concatenate(birth), np.concatenate(shape), np.concatenate(site)
        # Our code ran when they were seen, right behind that of the test which made them.
        unknown = np.array(ours) & np.array(near)
        place = np.where(unknown, _UNKNOWN, np.arange(len(ours))).astype(np.uint64)[born[2]]
        theirs = np.append(~np.array(ours) | unknown, True)[born[2]]
        return cls(log, born[0], perfect.deaths, born[1], place, theirs, garbage)

    def of_stretch(self, stretch: Stretch) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
        """Its garbage, and what is alive behind it."""
        made = self._made(stretch.begin, stretch.stop)
        garbage = self.groups(made[self.garbage[made]])
        if stretch.middle is None:
            return garbage, self.groups(self._alive(made, stretch.after))
        first = self.groups(self._alive(self._made(stretch.begin, stretch.middle), stretch.after))
        then = self.groups(self._alive(self._made(stretch.middle, stretch.stop), stretch.after))
        both = {group.types for group in first}  # their lines are not always known
        return garbage, tuple(group for group in then if group.types in both)

    def _made(self, begin: int, stop: int) -> Ids:
        first, last = np.searchsorted(self.birth, (begin, stop))
        made = np.arange(first, last)
        return made[self.theirs[made]]

    def _alive(self, made: Ids, after: int) -> Ids:
        """Those that are alive then, and never become garbage."""
        return made[~self.garbage[made] & (self.death[made] >= after)]

    def groups(self, ids: Ids) -> tuple[Group, ...]:
        """By type and site, most objects first."""
        type_of, size_of, _ = self.log.shape_arrays()
        shape = self.shape[ids]
        keys = type_of[shape].astype(np.uint64) << np.uint64(32) | self.place[ids]
        kinds, member, counts = np.unique(keys, return_inverse=True, return_counts=True)
        nbytes = np.bincount(member, size_of[shape], minlength=len(kinds)).astype(np.int64)
        types, sites = self.log.types, self.log.sites
        groups = []
        for key, n, size in zip(kinds.tolist(), counts.tolist(), nbytes.tolist(), strict=True):
            at = _NOWHERE if key & _UNKNOWN == _UNKNOWN else sites[key & _UNKNOWN]
            place = Site(at.file, at.line, at.function, n, at.near == 1)
            groups.append(Group((types[key >> 32].qualified,), (place,), n, size))
        return tuple(sorted(groups, key=lambda one: (-one.objects, -one.bytes, one.signature)))


class _Anew(CPython311):
    """The recorded collector, for which each test begins anew."""

    def anew(self, heap: Heap) -> None:
        self.on_call(heap, GcCall.FREEZE, [])
        self.long_lived_total = self.long_lived_pending = 0

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        if call is not GcCall.UNFREEZE:  # it would bring back what was before the test
            super().on_call(heap, call, arguments)


def _work(log: EventLog, found: Iterable[Stretch]) -> list[int]:
    """Objects that collections visit in each stretch."""
    policy = _Anew()
    replay = Replay(log, policy)

    def anew() -> None:
        if not replay.engine.inside:
            replay.engine.model_free_lists()
            policy.anew(replay.heap)

    replay.actions += [(one.begin + 1, anew) for one in found if not one.part]
    replay.actions.sort(key=lambda action: action[0])
    ran = replay.run().collections
    at = [one.sequence for one in ran]
    visited = np.concatenate([[0], np.cumsum([one.candidates for one in ran])])
    ends = [np.searchsorted(at, (one.begin, one.stop)) for one in found]
    return [int(visited[last] - visited[first]) for first, last in ends]
