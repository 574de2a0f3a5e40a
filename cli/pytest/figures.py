"""What a recording says of each test: garbage, the collector's work, and what stays alive.

Nothing here depends on where the recorded collections fell. Garbage is what only a collector can
free, found by whichever. Work is what the recorded collector would do if all that is older than the
test were frozen and its counters stood at 0. What stays alive is what was made in the test, is
alive when the next one begins, and never becomes garbage.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import CodeType

import _pytest
import numpy as np
import numpy.typing as npt
import pluggy

from gcreplay import blocks
from gcreplay.replay.engine.annotation import garbage_of
from gcreplay.replay.garbage import Group as CycleGroup
from gcreplay.replay.garbage import MadeAt, cycles_made
from gcreplay.replay.leaks import held
from gcreplay.replay.leaks.lives import lives
from gcreplay.replay.policies.cpython311 import CPython311
from gcreplay.replay.policies.policy import Heap
from gcreplay.replay.run import Replay
from gcreplay.report.words.leaks import path_words
from gcreplay.store import events as store
from gcreplay.store.events import U32, U64, GcCall
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

_SENT = "<string>"
"""The file of code that came as text."""

_HELD = 2
"""Of so many groups it is told what holds them."""

_UNKNOWN = 0xFFFFFFFF
_NOWHERE = store.Site(0, "", 0, "", 1)


@dataclass(frozen=True, slots=True)
class Group:
    """Objects of one kind that were made at one place.

    sites: that one place; without a file nothing is known of it. example: one of them, of the log.
    held: what holds it, where that was asked for.
    """

    types: dict[str, int]
    sites: tuple[MadeAt, ...]
    objects: int
    bytes: int
    example: int
    held: str = ""

    @property
    def signature(self) -> str:
        """The same for the same kind and function, in whichever line it stands."""
        return f"{next(iter(self.types))} in {self.sites[0].file}:{self.sites[0].function}"


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted in a stretch; groups with most objects first.

    ids: the first object that it made, and the first made after it. cycles: what of its garbage is
    in cycles, where that was asked for.
    """

    stretch: Stretch
    ids: tuple[int, int]
    garbage: tuple[Group, ...]
    leaked: tuple[Group, ...]
    visited: int
    cycles: tuple[CycleGroup, ...] = ()


def figures(log: EventLog) -> list[Figures]:
    """Those of every stretch of a recording."""
    found = stretches(log.marks())
    if not found:
        return []
    work = _work(log, found)
    objects = _Objects.of(log, max(one.after for one in found))
    return [
        Figures(one, objects.ids(one.begin, one.stop), *objects.of_stretch(one), visited)
        for one, visited in zip(found, work, strict=True)
    ]


def with_evidence(log: EventLog, every: Sequence[Figures]) -> list[Figures]:
    """The same, with the cycles, and with what holds the first of the leaked objects."""
    made = cycles_made(log, [one.ids for one in every]) if every else []
    return [
        replace(
            one,
            cycles=tuple(_placed(group) for group in groups if not _is_ours(group)),
            leaked=_with_holders(log, one),
        )
        for one, groups in zip(every, made, strict=True)
    ]


def _with_holders(log: EventLog, figures: Figures) -> tuple[Group, ...]:
    first = figures.leaked[:_HELD]
    ways = held(log, figures.stretch.after + 1, [one.example for one in first]) if first else []
    told = [
        replace(one, held=path_words(way)) if len(way) > 1 else one
        for one, way in zip(first, ways, strict=True)
    ]
    return (*told, *figures.leaked[_HELD:])


def _placed(group: CycleGroup) -> CycleGroup:
    """Without the places of our code, which ran when they were seen."""
    return replace(group, sites=tuple(one for one in group.sites if not _ours(one)))


def _is_ours(group: CycleGroup) -> bool:
    return any(not site.near and _ours(site) for site in group.sites[:1])


def _ours(site: MadeAt | store.Site) -> bool:
    """Whether it is code of pytest, of pytest-xdist's workers, or of this package."""
    sent = site.file == _SENT and (site.function, site.line) in _of_execnet()
    return sent or site.file.startswith(_OURS)


@cache
def _of_execnet() -> frozenset[tuple[str, int]]:
    """Functions and lines of the code that pytest-xdist sends to a worker as text: in a thread of
    its own it reads, beside the tests, what the controller says."""
    try:
        from execnet import gateway_base
    except ImportError:
        return frozenset()
    found: set[tuple[str, int]] = set()
    left = [compile(inspect.getsource(gateway_base), _SENT, "exec")]
    while left:
        code = left.pop()
        found.update((code.co_qualname, line) for _, _, line in code.co_lines() if line)
        left += [one for one in code.co_consts if isinstance(one, CodeType)]
    return frozenset(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Objects:
    """All objects of a log up to the last test, by id. birth, end: sequence numbers. kind: type id.
    bytes: with what it owns. place: its site, or `_UNKNOWN`. theirs: whether a test may have made
    it. garbage: whether only a collector can free it."""

    log: EventLog
    birth: U64
    end: U64
    kind: U32
    bytes: Ids
    place: U64
    theirs: Bools
    garbage: Bools

    @classmethod
    def of(cls, log: EventLog, stop: int) -> _Objects:
        every = lives(log, stop)
        due = np.zeros(log.object_count, np.bool_)
        due[garbage_of(log).due["id"]] = True
        ours = np.array([_ours(one) for one in log.sites])
        # Our code ran when they were seen, right behind that of the test which made them.
        unknown = ours & np.array([one.near == 1 for one in log.sites])
        place = np.where(unknown, _UNKNOWN, np.arange(len(ours))).astype(np.uint64)
        type_of, size_of, _ = log.shape_arrays()
        nbytes = size_of[every.shape].astype(np.int64)
        _, grown, change = every.resized
        np.add.at(nbytes, grown, change)
        return cls(
            log,
            every.birth,
            every.end,
            type_of[every.shape],
            nbytes,
            place[every.site],
            (~ours | unknown)[every.site],
            due[: len(nbytes)],
        )

    def of_stretch(self, stretch: Stretch) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
        """Its garbage, and what is alive behind it."""
        made = self._made(stretch.begin, stretch.stop)
        dropped = self.groups(made[self.garbage[made]])
        if stretch.middle is None:
            return dropped, self.groups(self._alive(made, stretch.after))
        first = self.groups(self._alive(self._made(stretch.begin, stretch.middle), stretch.after))
        then = self.groups(self._alive(self._made(stretch.middle, stretch.stop), stretch.after))
        both = {kind for group in first for kind in group.types}  # lines are not always known
        return dropped, tuple(group for group in then if both & group.types.keys())

    def ids(self, begin: int, stop: int) -> tuple[int, int]:
        """The first object born from event `begin` on, and from `stop` on."""
        first, last = np.searchsorted(self.birth, (begin, stop))
        return int(first), int(last)

    def _made(self, begin: int, stop: int) -> Ids:
        made = np.arange(*self.ids(begin, stop))
        return made[self.theirs[made]]

    def _alive(self, made: Ids, after: int) -> Ids:
        """Those that are alive then, and never become garbage."""
        return made[~self.garbage[made] & (self.end[made] >= after)]

    def groups(self, ids: Ids) -> tuple[Group, ...]:
        """By type and site, most objects first."""
        keys = self.kind[ids].astype(np.uint64) << np.uint64(32) | self.place[ids]
        kinds, member, counts = np.unique(keys, return_inverse=True, return_counts=True)
        first = ids[np.unique(member, return_index=True)[1]].tolist()
        nbytes = np.bincount(member, self.bytes[ids], minlength=len(kinds)).astype(np.int64)
        types, sites = self.log.types, self.log.sites
        groups = []
        columns = kinds.tolist(), counts.tolist(), nbytes.tolist(), first
        for key, n, size, example in zip(*columns, strict=True):
            at = _NOWHERE if key & _UNKNOWN == _UNKNOWN else sites[key & _UNKNOWN]
            place = MadeAt(at.file, at.line, at.function, n, at.near == 1)
            groups.append(Group({types[key >> 32].qualified: n}, (place,), n, size, example))
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
