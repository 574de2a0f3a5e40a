"""What is alive at the end of a program, or born between two marks and alive at the second; what of
that grows, and what holds it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from gcreplay.store.errors import NotFound
from gcreplay.store.events import U32
from gcreplay.store.log import EventLog
from gcreplay.store.marks import spelled

from ..results.phases import IMPORTS, intervals
from .growth import LEAST_BYTES, LEAST_OBJECTS, Clock, Growth, Series, clock, growth, series
from .holding import GREW, NOWHERE, Holding
from .lives import I64, Lives, lives
from .result import Holder, Kind, Leak, Leaks, Step

_LOOKED_AT: Final = 24
"""Objects of a kind whose ways are compared, to show the usual one."""
_DEEP: Final = 64
"""A way that is longer is not compared."""
_EXAMINED: Final = 40
"""So many kinds that grow are examined, those of most bytes."""


def leaks(log: EventLog, *, between: tuple[str, str] | None = None) -> Leaks:
    """What is alive at the end of the log, or at the second of two marks and born since the first.

    Raises UsageError for marks that there are not, InvalidLog for a log that breaks its rules,
    DamagedFile for one that cannot be read.
    """
    since, stop = _bounds(log, between)
    return _Search(log, lives(log, stop), since, between).found()


def _bounds(log: EventLog, between: tuple[str, str] | None) -> tuple[int, int]:
    """From which event on what is born counts, and the event before which it has to be alive."""
    if between is None:
        return 0, log.event_count
    marks = log.marks()
    first = _mark(marks, between[0], 0, "")
    return first, _mark(marks, between[1], first + 1, f" behind the mark {between[0]}")


def _mark(marks: Sequence[tuple[int, str]], wanted: str, since: int, behind: str) -> int:
    for at, label in marks:
        if at >= since and label == wanted:
            return at
    raise NotFound(
        f"there is no mark {wanted!r}{behind}; marks there: "
        f"{spelled(label for at, label in marks if at >= since)}"
    )


@dataclass(eq=False)
class _Search:
    log: EventLog
    lives: Lives
    since: int
    between: tuple[str, str] | None

    def __post_init__(self) -> None:
        of, block, _ = self.log.shape_arrays()
        heap = self.lives.heap
        self.type_of, self.block = of.astype(np.int64), block.astype(np.int64)
        self.size = np.maximum(self.block[heap.shape] + heap.owned, 0)
        asked = self.lives.birth[heap.id] >= self.since
        self.asked = np.flatnonzero(asked)
        sites = max(1, len(self.log.sites))
        key = self.type_of[heap.shape[self.asked]] * sites + self.lives.site[heap.id[self.asked]]
        keys, which = np.unique(key, return_inverse=True)
        self.type, self.site = keys // sites, keys % sites
        self.kind_of = np.full(len(heap), -1, np.int64)
        self.kind_of[self.asked] = which
        self.count = np.bincount(which, minlength=len(keys))
        self.bytes = np.bincount(which, self.size[self.asked], len(keys)).astype(np.int64)

    def found(self) -> Leaks:
        kinds = self._kinds()
        growing = [i for i in self._order(range(len(kinds))) if kinds[i].growing]
        found, holder = self._leaks(kinds, growing[:_EXAMINED]) if growing else ([], None)
        return Leaks(
            sequence=self.lives.stop,
            between=self.between,
            objects=len(self.asked),
            bytes=int(self.size[self.asked].sum()),
            unit=self.clock.unit,
            steps=self.clock.steps,
            enough=self.clock.enough,
            named=self.names.named,
            kinds=tuple(kinds[i] for i in self._order(range(len(kinds)))),
            growing=tuple(found),
            holder=holder,
        )

    def _order(self, kinds: Iterable[int]) -> list[int]:
        return sorted(kinds, key=lambda i: (-self.bytes[i], -self.count[i], i))

    # Growth

    @cached_property
    def clock(self) -> Clock:
        marks = self.log.marks()
        if self.between is not None:
            return clock(marks, self.since, self.lives.stop, warm_up=False)
        first = intervals(self.log)[0]
        begin = first.stop if first.phase == IMPORTS else first.begin
        return clock(marks, begin, self.lives.stop)

    @cached_property
    def told(self) -> I64:
        """The kinds of which growth is told: others are too few."""
        _, resized, _ = self.lives.resized
        own = self.kind_of[np.isin(self.lives.heap.id, resized)]
        changing = np.bincount(own[own >= 0], minlength=len(self.count)) > 0
        return np.flatnonzero((self.count >= LEAST_OBJECTS) | changing)

    @cached_property
    def series(self) -> Series:
        """Of the kinds whose growth is told, in that order; of all their objects, also of the dead
        and those born before: what takes the place of another is no growth."""
        number = np.full(len(self.count), -1, np.int64)
        number[self.told] = np.arange(len(self.told))
        sites = max(1, len(self.log.sites))
        keys = self.type * sites + self.site
        key = self.type_of[self.lives.shape] * sites + self.lives.site
        place = np.minimum(np.searchsorted(keys, key), max(0, len(keys) - 1))
        of = np.where(keys[place] == key, number[place], -1) if len(keys) else key * 0 - 1
        return series(self.lives, of, len(self.told), self.block, self.clock.at)

    def _kinds(self) -> list[Kind]:
        grows: dict[int, tuple[Growth, Growth]] = {}
        if self.clock.enough:
            judged = self.clock.judged
            for i, objects, nbytes in zip(
                self.told.tolist(), self.series.objects, self.series.bytes, strict=True
            ):
                grows[i] = (
                    growth(objects, judged, LEAST_OBJECTS),
                    growth(nbytes, judged, LEAST_BYTES),
                )
        types, sites = self.log.types, self.log.sites
        kinds = []
        for i in range(len(self.count)):
            site = sites[self.site[i]]
            kinds.append(
                Kind(
                    types[self.type[i]].qualified,
                    site.file,
                    site.line,
                    site.function,
                    bool(site.near),
                    int(self.count[i]),
                    int(self.bytes[i]),
                    *grows.get(i, (None, None)),
                )
            )
        return kinds

    # What holds it

    @cached_property
    def names(self) -> _Names:
        return _Names(self.log, self.lives)

    @cached_property
    def holding(self) -> Holding:
        return Holding(self.lives.heap, self.names.known, self.size)

    def _leaks(
        self, kinds: Sequence[Kind], growing: Sequence[int]
    ) -> tuple[list[Leak], Holder | None]:
        heap = self.lives.heap
        more = [i for i in growing if (g := kinds[i].growth) is not None and g.steady]
        late = self.lives.birth[heap.id] >= self.clock.at[self.clock.judged]
        grown = np.where(np.isin(self.kind_of, more), self.kind_of, -1)
        grown[late & (grown >= 0)] = GREW
        weights = {
            i: np.where((self.kind_of == i) & (late if i in more else True), self.size, 0)
            for i in growing
        }
        together: dict[tuple[int, int], list[int]] = {}
        for i in growing:
            vertex, _ = self.holding.holder(weights[i], grown)
            together.setdefault((vertex, i if vertex == NOWHERE else NOWHERE), []).append(i)
        found = [
            self._leak(kinds, alike, vertex, sum(weights[i] for i in alike))  # type: ignore[arg-type]
            for (vertex, _), alike in together.items()
        ]
        found.sort(key=lambda leak: -leak.growth.whole)
        weight = sum(weights.values())
        vertex, kept = self.holding.holder(weight, grown)  # type: ignore[arg-type]
        return found, self._holder(vertex, kept, int(np.sum(weight)))

    def _leak(self, kinds: Sequence[Kind], alike: list[int], vertex: int, weight: I64) -> Leak:
        members = {i: np.flatnonzero(self.kind_of == i) for i in alike}
        depth = {i: float(np.median(self.holding.depth[members[i]])) for i in alike}
        first = min(alike, key=lambda i: (depth[i], -self.bytes[i], i))
        rows = np.searchsorted(self.told, alike)
        kept = int(self.holding.summed(weight)[vertex]) if vertex != NOWHERE else 0
        path, usual = self._usual_path(members[first])
        return Leak(
            kind=kinds[first],
            similar=tuple(kinds[i] for i in alike if i != first),
            retained=self.holding.retained_by(members[first]),
            path=path,
            alike=usual,
            unseen=int((self.lives.heap.external[members[first]] > 0).sum()),
            holder=self._holder(vertex, kept, int(weight.sum())),
            growth=growth(self.series.bytes[rows].sum(axis=0), self.clock.judged, LEAST_BYTES),
        )

    def _holder(self, vertex: int, kept: int, total: int) -> Holder | None:
        if vertex == NOWHERE:
            return None
        path = self._path(vertex)
        return Holder(
            path=path,
            name=dotted(path),
            kept=kept,
            share=kept / total if total else 0.0,
            retained=int(self.holding.retained[vertex]),
            shallow=int(self.size[vertex]),
        )

    def _usual_path(self, members: I64) -> tuple[tuple[Step, ...], tuple[int, int]]:
        """The path to one of these objects that most of those looked at have, and how many do."""
        depth = self.holding.depth[members]
        near = members[depth <= _DEEP]
        if not len(near):
            return self._path(int(members[np.argmin(depth)])), (1, 1)
        chosen = near[np.unique(np.linspace(0, len(near) - 1, _LOOKED_AT).astype(np.int64))]
        paths = [self._path(int(vertex)) for vertex in chosen]
        shapes = [tuple((without_numbers(s.edge), s.type) for s in path) for path in paths]
        usual, times = Counter(shapes).most_common(1)[0]
        return paths[shapes.index(usual)], (times, len(paths))

    def _path(self, vertex: int) -> tuple[Step, ...]:
        way = list(self.holding.way(vertex))
        return tuple(self.names.step(link, each) for link, each in reversed(way))


def without_numbers(edge: str) -> str:
    """The edge, with any index for the others."""
    return "[#]" if edge[1:-1].isdigit() else edge


def dotted(path: Sequence[Step]) -> str:
    """The path as code would name it; empty where it does not begin at a module or type, or a
    reference has no name."""
    if not path or not path[0].title or not all(step.edge for step in path[1:]):
        return ""
    return path[0].title + "".join(s.edge for s in path[1:] if s.edge != ".__dict__")


class _Names:
    """What objects and references are called at the moment."""

    def __init__(self, log: EventLog, lives: Lives) -> None:
        self._heap = lives.heap
        self._labels = log.labels
        self._types = log.types
        self._type_of = np.array([shape.type for shape in log.shapes] or [0], np.int64)
        self.named = bool((lives.heap.label > 1).any())
        modules = [t.id for t in self._types if t.qualified == "module" or t.kind == "type"]
        self.known = np.isin(self._type_of[self._heap.shape], modules)

    def step(self, link: int, vertex: int) -> Step:
        label = int(self._heap.label[link]) if link >= 0 else 0
        shape: U32 = self._heap.shape[vertex]
        return Step(
            self._labels[label] if label > 1 else "",
            int(self._heap.id[vertex]),
            self._types[self._type_of[shape]].qualified,
            "",
        )
