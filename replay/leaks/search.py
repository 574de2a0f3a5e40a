"""The search for what grows and what holds it, in the heap at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from gcreplay.store.events import I64
from gcreplay.store.log import EventLog

from .growth import LEAST_OBJECTS, Clock, Growth, Series, Windows, series
from .holding import GREW, NOWHERE, Holding
from .lives import Lives
from .paths import Paths, dotted, usual
from .result import Holder, Kind, Leak, Leaks
from .seen import Seen, seen

_EXAMINED: Final = 40
"""So many kinds that grow are examined, those of most bytes."""


@dataclass(eq=False)
class Search:
    """What was born from event `since` on, or has more bytes since, and is alive at the end of
    these lives."""

    log: EventLog
    lives: Lives
    since: int
    between: tuple[str, str] | None
    clock: Clock | Windows

    def __post_init__(self) -> None:
        of, block, _ = self.log.shape_arrays()
        self.objects, heap = len(self.lives.heap), self.seen.heap
        self.type_of, self.block = of.astype(np.int64), block.astype(np.int64)
        self.size = np.zeros(len(heap), np.int64)
        self.size[: self.objects] = (self.block[heap.shape] + heap.owned)[: self.objects]
        self.birth = self.lives.birth[heap.id[: self.objects]]
        self.asked = np.flatnonzero((self.birth >= self.since) | self._larger())
        sites = max(1, len(self.log.sites))
        key = self.type_of[heap.shape[self.asked]] * sites + self.lives.site[heap.id[self.asked]]
        keys, which = np.unique(key, return_inverse=True)
        self.type, self.site = keys // sites, keys % sites
        self.kind_of = np.full(len(heap), -1, np.int64)
        self.kind_of[self.asked] = which
        self.count = np.bincount(which, minlength=len(keys))
        self.bytes = np.bincount(which, self.size[self.asked], len(keys)).astype(np.int64)

    def _larger(self) -> np.ndarray:
        """Which objects have more bytes of their own than at `since`."""
        sequence, object_, change = self.lives.resized
        since = sequence >= self.since
        more = np.zeros(len(self.lives.birth), np.int64)
        np.add.at(more, object_[since], change[since])
        larger: np.ndarray = more[self.lives.heap.id] > 0
        return larger

    def found(self) -> Leaks:
        kinds = self._kinds()
        growing = [i for i in self._order(range(len(kinds))) if kinds[i].growing]
        found, holder = self._leaks(kinds, growing[:_EXAMINED]) if growing else ([], None)
        staying: list[Leak] = []
        if self.between is not None and not growing and isinstance(self.clock, Clock):
            order = self._order(range(len(kinds)))
            staying, holder = self._leaks(kinds, order[:_EXAMINED])
        return Leaks(
            sequence=self.lives.stop,
            between=self.between,
            objects=len(self.asked),
            bytes=int(self.size[self.asked].sum()),
            unit=self.clock.unit,
            steps=self.clock.steps,
            enough=self.clock.enough,
            named=self.seen.named,
            whole=self.seen.whole or self.log.meta.get("counts") == "exact",
            kinds=tuple(kinds[i] for i in self._order(range(len(kinds)))),
            growing=tuple(found),
            staying=tuple(staying),
            holder=holder,
        )

    def _order(self, kinds: Iterable[int]) -> list[int]:
        return sorted(kinds, key=lambda i: (-self.bytes[i], -self.count[i], i))

    # Growth

    @cached_property
    def told(self) -> I64:
        """The kinds of which growth is told: others are too few."""
        _, resized, _ = self.lives.resized
        own = self.kind_of[: self.objects][np.isin(self.lives.heap.id, resized)]
        changing = np.bincount(own[own >= 0], minlength=len(self.count)) > 0
        least = 1 if isinstance(self.clock, Windows) else LEAST_OBJECTS
        return np.flatnonzero((self.count >= least) | changing)

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
            for i, objects, nbytes in zip(
                self.told.tolist(), self.series.objects, self.series.bytes, strict=True
            ):
                grows[i] = self.clock.of_objects(objects), self.clock.of_bytes(nbytes)
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
    def seen(self) -> Seen:
        return seen(self.log, self.lives.heap, self.lives.stop)

    @cached_property
    def holding(self) -> Holding:
        heap, frames = self.seen.heap, np.zeros(len(self.seen.heap), bool)
        known = [t.id for t in self.log.types if t.qualified == "module" or t.kind == "type"]
        by_name = np.isin(self.type_of[heap.shape], known)
        by_name[self.objects :] = False
        frames[self.objects :] = True
        return Holding(heap, (by_name, frames, heap.external > 0), self.size)

    @cached_property
    def paths(self) -> Paths:
        return Paths(self.log, self.seen, self.objects)

    def _leaks(
        self, kinds: Sequence[Kind], growing: Sequence[int]
    ) -> tuple[list[Leak], Holder | None]:
        grows = any(kinds[i].growing for i in growing)
        more = [i for i in growing if kinds[i].multiplies or not grows]
        since = int(self.clock.at[self.clock.judged]) if grows else self.since
        late = np.zeros(len(self.kind_of), bool)
        late[: self.objects] = self.birth >= since
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
        found.sort(key=lambda leak: (not leak.kind.own, -_rise(leak), -leak.retained))
        weight = sum(weights.values())
        vertex, kept = self.holding.holder(weight, grown)  # type: ignore[arg-type]
        return found, self._holder(vertex, kept, int(np.sum(weight)))

    def _leak(self, kinds: Sequence[Kind], together: list[int], vertex: int, weight: I64) -> Leak:
        members = {i: np.flatnonzero(self.kind_of == i) for i in together}
        depth = {i: float(np.median(self.holding.depth[members[i]])) for i in together}
        first = min(
            together,
            key=lambda i: (
                not kinds[i].multiplies,
                not kinds[i].own,
                kinds[i].built_in,
                depth[i],
                -self.bytes[i],
                i,
            ),
        )
        kept = int(self.holding.summed(weight)[vertex]) if vertex != NOWHERE else 0
        path, alike = usual(self.holding, self.paths, members[first])
        return Leak(
            kind=kinds[first],
            similar=tuple(kinds[i] for i in together if i != first),
            retained=self.holding.retained_by(members[first]),
            path=path,
            alike=alike,
            unseen=int((self.seen.heap.external[members[first]] > 0).sum()),
            holder=self._holder(vertex, kept, int(weight.sum())),
            growth=self._growth_of(kinds, together),
        )

    def _growth_of(self, kinds: Sequence[Kind], together: Sequence[int]) -> Growth | None:
        if not any(kinds[i].growing for i in together):
            return None
        rows = np.searchsorted(self.told, together)
        return self.clock.of_bytes(self.series.bytes[rows].sum(axis=0))

    def _holder(self, vertex: int, kept: int, total: int) -> Holder | None:
        if vertex == NOWHERE:
            return None
        path = self.paths.path(self.holding.way(vertex))
        return Holder(
            path=path,
            name=dotted(path),
            kept=kept,
            share=kept / total if total else 0.0,
            retained=int(self.holding.retained[vertex]),
            shallow=int(self.size[vertex]),
        )


def _rise(leak: Leak) -> float:
    return leak.growth.whole if leak.growth is not None else 0.0
