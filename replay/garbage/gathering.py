"""A replay in which everything that collections free is grouped."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gcreplay.store.errors import UsageError
from gcreplay.store.events import U32, Events, Site
from gcreplay.store.log import EventLog

from ..engine.annotation import garbage_of
from ..modules import Origin, installed_name, origin
from ..policies.policy import Policy
from ..references.births import births_of
from ..references.names import Edge, Names, folded
from ..run import Replay
from ._garbage import Gathering
from .example import MOST_OBJECTS, shortest_cycle
from .joining import SUMS, Gathered, Key, joined
from .shapes import LabelTable, Shape, shapes_of

BATCH = 1 << 18
"""As many objects at least are grouped together."""
_RANK = {Origin.OWN: 4, Origin.INSTALLED: 2, Origin.STANDARD: 2, Origin.UNKNOWN: 0}
"""How well a site tells where a cycle was made; one less where the line is only near."""
NO_CYCLE: Shape = ()
"""The shape of what hangs from no cycle that the log shows."""


class GarbageReplay(Replay):
    """A replay that knows the cycles among what its collections free, and what floats at its end.

    Of garbage that is unreachable from event `since` on and before `until`. Raises UsageError for a
    policy that frees garbage without collections.
    """

    def __init__(
        self, log: EventLog, policy: str | Policy, since: int, until: int, **options: Any
    ) -> None:
        super().__init__(log, policy, **options)
        if self.wanted.foresees:
            raise UsageError(f"{self.name} frees garbage without collections: name another policy")
        self.since, self.until = since, until
        self.names = Names(log)
        self.births = births_of(log)
        self.types = [each.qualified for each in log.types]
        first: dict[str, int] = {}
        same = [first.setdefault(name, i) for i, name in enumerate(self.types)]
        self.type_of = np.array([same[shape.type] for shape in log.shapes] or [0], np.uint32)
        self.labels = LabelTable.of(self.names.labels)
        self.sites = sites = log.sites
        numbers: dict[str, int] = {}
        functions = [_function(site) for site in sites] or [""]
        self.function_of = np.array(
            [numbers.setdefault(function, len(numbers)) for function in functions], np.uint32
        )
        self.functions = list(numbers)
        self.rank = np.array(
            [_RANK[origin(site.file)] - (site.file != "" and site.near) for site in sites] or [0],
            np.uint8,
        )
        self.exact = (self.rank != 0) & (self.rank % 2 == 0)
        self.shapes: dict[Shape, int] = {}
        self.groups: dict[Key, Gathered] = {}

    def begin(self) -> None:
        super().begin()
        log = self.log
        due = np.full(log.object_count, 2**64 - 1, np.uint64)
        garbage = garbage_of(log).due
        due[garbage["id"]] = garbage["sequence"]
        readings = self.names.readings
        last = np.zeros(log.object_count, np.uint32)
        last[readings.object] = np.arange(1, len(readings) + 1)
        types = log.types
        dicts = [types[shape.type].kind == "dict" for shape in log.shapes]
        self.gathering = Gathering(
            self.engine,
            due,
            log.start_sequence,
            self.births.site,
            self.rank,
            self.type_of,
            np.array(dicts or [False], np.uint8),
            self.labels.folded,
            self.labels.attribute,
            self.labels.own_dict,
            self.labels.indexed,
            last,
            readings.first,
            readings.target,
            readings.label,
        )

    def apply(self, events: Events) -> None:
        super().apply(events)
        if self.gathering.noted >= BATCH:
            self._group_noted()

    def finish(self) -> None:
        """After the last event: what floats is grouped as well."""
        self.gathering.note_floating()
        self._group_noted()
        self._join()

    def _join(self) -> None:
        (self.groups,) = joined([self.groups], self.exact)

    def _group_noted(self) -> None:
        """Add what is written down to the groups."""
        components, ids, of, links = self.gathering.take()
        components, rest = components[:-1], components[-1]
        if rest["hanging_objects"]:
            self._group(NO_CYCLE, 0).sums = {
                name: total + int(rest[name])
                for name, total in self._group(NO_CYCLE, 0).sums.items()
            }
        if len(components):
            self._add(components, ids, of, links)
        self.gathering.forget()

    def _group(self, shape: Shape, function: int, unsure: bool = False) -> Gathered:
        number = self.shapes.setdefault(shape, len(self.shapes))
        key = (number, function, unsure)
        if key not in self.groups:
            self.groups[key] = Gathered(shape, self.functions[function], unsure)
        return self.groups[key]

    def _add(self, components: npt.NDArray[Any], ids: U32, of: U32, links: U32) -> None:
        shape, shapes = shapes_of(links, len(components), self.types, self.labels.texts)
        site = self.births.site[components["closing"]]
        inside = (components["due"] >= self.since) & (components["due"] < self.until)
        rows = np.flatnonzero(inside)
        if not len(rows):
            return
        key = shape.astype(np.uint64) * np.uint64(len(self.functions)) + self.function_of[site]
        key = key << np.uint64(1) | components["unsure"]
        keys, group = np.unique(key, return_inverse=True)
        counts = np.bincount(group[rows], minlength=len(keys)).tolist()
        into: list[Gathered | None] = []
        for one, count in zip(keys.tolist(), counts, strict=True):
            kind, function = divmod(one >> 1, len(self.functions))
            into.append(self._group(shapes[kind], function, bool(one & 1)) if count else None)
        for name in SUMS:
            sums = np.zeros(len(keys), np.uint64)
            np.add.at(sums, group[rows], components[name][rows].astype(np.uint64))
            for found, total in zip(into, sums.tolist(), strict=True):
                if found is not None:
                    found.sums[name] += total
        for found, count in zip(into, counts, strict=True):
            if found is not None:
                found.count += count
        member = inside[of]
        member_group = group[of[member]]
        kind = self.type_of[self.births.shape[ids[member]]]
        self._tally(into, member_group, kind, "types")
        self._tally(into, member_group, self.births.site[ids[member]], "sites")
        self._tally(into, group[rows], site[rows], "closing")
        order = rows[np.lexsort((rows, components["objects"][rows], group[rows]))]
        first = np.unique(group[order], return_index=True)[1]
        for row in order[first].tolist():
            found = into[group[row]]
            if found is not None and components["objects"][row] < found.smallest:
                found.smallest = int(components["objects"][row])
                found.example = self._example_of(components[row])

    def _tally(
        self, into: list[Gathered | None], group: npt.NDArray[Any], what: U32, name: str
    ) -> None:
        """Count, by group, how often each number stands in `what`."""
        wide = np.uint64(int(what.max(initial=0)) + 1)
        pairs, counts = np.unique(
            group.astype(np.uint64) * wide + what.astype(np.uint64), return_counts=True
        )
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            one = into[pair // int(wide)]
            assert one is not None
            numbers = getattr(one, name)
            numbers[pair % int(wide)] = numbers.get(pair % int(wide), 0) + count

    def _example_of(self, component: npt.NDArray[Any]) -> list[Edge]:
        """A cycle of the component."""
        number, closing = int(component["number"]), int(component["closing"])
        for most in (MOST_OBJECTS, (1 << 32) - 1):
            ids, links = self.gathering.example(number, closing, most)
            edges = [
                Edge(ids[source], folded(text) if key else text, ids[target])
                for source, label, target, key in links
                for text in [self.names.text(label)]
            ]
            if found := shortest_cycle(edges, ids):
                return found
        return []


def _function(site: Site) -> str:
    """The function of a site, with a file name that stays the same in every folder."""
    if not site.file:
        return ""
    return f"{installed_name(site.file) or site.file.rpartition('/')[2]}:{site.function}"
