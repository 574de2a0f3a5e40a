"""What was made where, and how long it lived: of one run, by place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import I64, U32, U64, Events, Op, resizes
from gcreplay.store.log import EventLog

from ..run import Replay
from .matching import Place


@dataclass(frozen=True, slots=True)
class Held:
    """Objects of one place in one run: how many were made, how many lived at its end, and for how
    long they and their bytes lived: objects (bytes) times events."""

    objects: int = 0
    alive: int = 0
    object_events: int = 0
    byte_events: int = 0

    def __add__(self, other: Held) -> Held:
        return Held(
            self.objects + other.objects,
            self.alive + other.alive,
            self.object_events + other.object_events,
            self.byte_events + other.byte_events,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Lives:
    """Of every object of a run, by id: events of its birth and its death, its shape and site, and
    its bytes times the events that it lived. `end`: the event at which the run ends."""

    log: EventLog
    end: int
    births: U64
    deaths: U64
    shapes: U32
    sites: U32
    byte_events: I64

    @classmethod
    def of(cls, run: Replay) -> Lives:
        """Raises AssertionError where the run did not note deaths."""
        assert run.deaths is not None
        births, shapes, sites = [], [], []
        end = np.uint64(run.window[1])
        owned = _Owned(run.log.object_count, np.minimum(run.deaths, end))
        for segment in run.log.named():
            sequence = np.arange(len(segment), dtype=np.uint64) + np.uint64(segment.first_sequence)
            at = np.flatnonzero(segment.op == Op.ALLOC)
            births.append(sequence[at])
            shapes.append(segment.b[at])
            sites.append(segment.c[at])
            owned.take(segment)
        born = _joined(births, np.uint64)
        # An object of a window's end is alive there, whatever happens later.
        deaths = np.minimum(run.deaths, end)
        deaths = np.maximum(deaths, np.minimum(born, end))
        shape_of = _joined(shapes, np.uint32)
        sizes = np.array([shape.size for shape in run.log.shapes] or [0], np.int64)
        lived = (deaths - np.minimum(born, deaths)).astype(np.int64)
        return cls(
            run.log,
            run.window[1],
            born,
            deaths,
            shape_of,
            _joined(sites, np.uint32),
            sizes[shape_of] * lived + owned.byte_events[: len(born)],
        )

    def by_place(self) -> dict[Place, Held]:
        """What was born before the end, by type and site; objects of no known site have file ""."""
        types, shapes, sites = self.log.types, self.log.shapes, self.log.sites
        type_of = np.array([shape.type for shape in shapes] or [0], dtype=np.uint64)
        here = self.births < self.end
        keys = (type_of[self.shapes[here]] << np.uint64(32)) | self.sites[here]
        groups, member = np.unique(keys, return_inverse=True)
        sums = [_summed(column, member, len(groups)) for column in self._columns()]
        found: defaultdict[Place, Held] = defaultdict(Held)
        for key, *held in zip(groups.tolist(), *sums, strict=True):
            site = sites[key & 0xFFFFFFFF]
            name = types[key >> 32].qualified
            place = (
                Place(name, site.file, site.function, bool(site.near), site.line)
                if site.id
                else Place(name, "", "", False, 0)
            )
            found[place] += Held(*held)
        return dict(found)

    def held(self) -> Held:
        """All of it."""
        return Held(*(int(column.sum()) for column in self._columns()))

    def _columns(self) -> tuple[I64, I64, I64, I64]:
        """What Held holds, of each object that was born before the end."""
        here = self.births < self.end
        births, deaths = self.births[here], self.deaths[here]
        return (
            np.ones(len(births), np.int64),
            (deaths >= self.end).astype(np.int64),
            (deaths - births).astype(np.int64),
            self.byte_events[here],
        )


class _Owned:
    """Bytes that objects have beside their blocks of birth, from when they have them to death."""

    def __init__(self, objects: int, deaths: U64) -> None:
        self.byte_events = np.zeros(objects, np.int64)
        self._now = np.zeros(objects, np.int64)
        self._deaths = deaths

    def take(self, events: Events) -> None:
        """The next events: a RESIZE says what an object has from then on."""
        sequence, who, has = resizes(events)
        order = np.argsort(who, kind="stable")
        sequence, who, has = sequence[order], who[order], has[order]
        had = self._now[who]
        again = np.flatnonzero(who[1:] == who[:-1]) + 1
        had[again] = has[again - 1]
        self._now[who] = has  # of the same object the last stands
        death = self._deaths[who]
        left = (death - np.minimum(sequence, death)).astype(np.int64)
        np.add.at(self.byte_events, who, (has - had) * left)


def _summed(values: I64, member: npt.NDArray[np.intp], groups: int) -> list[int]:
    """Exact sums of each group, which floats would round."""
    sums = np.zeros(groups, np.int64)
    np.add.at(sums, member, values)
    return [int(one) for one in sums]


def _joined(parts: Sequence[Any], dtype: type) -> Any:
    return np.concatenate(parts) if parts else np.zeros(0, dtype)
