"""The cycles in a recording that only a collector frees, in groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gcreplay.store.events import Site
from gcreplay.store.log import EventLog

from ..modules import Origin, origin
from ..policies.policy import Policy
from ..references.names import Edge
from ..results.result import RunResult
from ..run import find_mark
from .example import turned
from .finalizers import Ran, ran_inside
from .gathering import GarbageReplay
from .joining import SUMS, Gathered
from .shapes import Shape, signature

RECORDED = "cpython-3.11"


@dataclass(frozen=True, slots=True)
class MadeAt:
    """A place where objects of cycles were made, and how many. near: the line is only near it."""

    file: str
    line: int
    function: str
    objects: int
    near: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "line": self.line,
            "function": self.function,
            "objects": self.objects,
        }


@dataclass(frozen=True, slots=True)
class ExampleObject:
    """An object of the cycle that is shown: its id, qualified type, how it is called, and where it
    was made, None where nobody knows it."""

    id: int
    type: str
    called: str
    made: Site | None

    @property
    def site(self) -> str:
        """FILE:LINE FUNCTION, or ""."""
        made = self.made
        return f"{made.file}:{made.line} {made.function}" if made else ""

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "type": self.type, "site": self.site}


@dataclass(frozen=True, slots=True)
class Example:
    """A cycle: its objects, and the edges from each to the next, the last to the first."""

    objects: tuple[ExampleObject, ...] = ()
    edges: tuple[Edge, ...] = ()

    @property
    def path(self) -> str:
        """`Order.lines -> list[0] -> Line.order -> Order`."""
        if not self.edges:
            return ""
        steps = [
            f"{one.called}{edge.label}" for one, edge in zip(self.objects, self.edges, strict=True)
        ]
        return " -> ".join([*steps, self.objects[0].called])

    def to_json(self) -> dict[str, Any]:
        return {
            "objects": [one.to_json() for one in self.objects],
            "edges": [
                {"from": edge.source, "label": edge.label, "to": edge.target} for edge in self.edges
            ],
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Cycles of one shape that one function makes.

    A cycle is a strongly connected component of what a collection freed, or of what floats at the
    end. shape: its links by type, name and type. types: objects in cycles by type. sites: where
    these were made; first the place of the object that tells best where the cycle was. count:
    cycles; objects, bytes: in them; hanging_objects, hanging_bytes: what is freed with them, once
    (with the cycle that has the oldest object, where several hold it). visited: how often
    collections visited any of it when it was garbage. floating_object_events: objects times the
    events for which each was garbage. example: one cycle. own: the user's own code makes it.
    """

    shape: Shape
    types: dict[str, int]
    sites: tuple[MadeAt, ...]
    count: int
    objects: int
    bytes: int
    hanging_objects: int
    hanging_bytes: int
    visited: int
    floating_object_events: int
    example: Example
    function: str

    @property
    def own(self) -> bool:
        return bool(self.sites) and origin(self.sites[0].file) is Origin.OWN

    @property
    def signature(self) -> str:
        """The same in every recording, as long as types, names and the function stay the same."""
        return signature(self.shape, [self.function])

    def to_json(self) -> dict[str, Any]:
        return {
            "shape": [edge.to_json() for edge in self.shape],
            "types": self.types,
            "sites": [site.to_json() for site in self.sites],
            "count": self.count,
            **{name: getattr(self, name) for name in SUMS},
            "example": self.example.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Cycles:
    """The cycles of a recording under a policy, the groups that cost most first.

    run: the whole replay. named: the recording has names of references. gc_visited: how often its
    collections visited any object. ran: what ran in collections of the recorded program, whatever
    the policy.
    """

    policy: str
    groups: tuple[Group, ...]
    run: RunResult
    named: bool
    gc_visited: int
    ran: tuple[Ran, ...]

    def total(self, groups: Sequence[Group] | None = None) -> dict[str, int]:
        """The sums over groups; None: over all."""
        chosen = self.groups if groups is None else groups
        return {name: sum(getattr(group, name) for group in chosen) for name in ("count", *SUMS)}

    def share(self, groups: Iterable[Group]) -> float:
        """Of all that collections visited, what these groups are."""
        return sum(group.visited for group in groups) / self.gc_visited if self.gc_visited else 0.0

    def to_json(self, groups: Sequence[Group] | None = None) -> dict[str, Any]:
        """With these groups; None: with all."""
        chosen = self.groups if groups is None else groups
        return {
            "policy": self.policy,
            "groups": [group.to_json() for group in chosen],
            "total": {
                **self.total(chosen),
                "gc_visited": self.gc_visited,
                "ran_in_collections": [one.to_json() for one in self.ran],
            },
        }


def cycles(
    log: EventLog,
    policy: str | Policy | None = None,
    *,
    since: str | int | None = None,
    until: str | int | None = None,
    modelled: bool = False,
) -> Cycles:
    """The cycles that the collections of a policy free, and those that float at the end.

    policy: as `replay` takes it; None: the recorded setting. since, until: marks, or sequence
    numbers, between which the garbage becomes unreachable. modelled: births and deaths follow the
    free-list model also where a recorded setting is replayed, as for a log that was cut. Raises as
    `replay`, and UsageError for a policy that frees garbage without collections.
    """
    begin = _place(log, since, 0)
    end = log.event_count + 1 if until is None else _place(log, until, begin + 1)
    play = GarbageReplay(log, RECORDED if policy is None else policy, begin, end)
    play.modelled |= modelled
    return found_by(play)


def found_by(play: GarbageReplay) -> Cycles:
    """Those that a replay finds, which is run here."""
    run = play.run()
    play.finish()
    groups = [group_of(play, one) for one in play.groups.values()]
    groups.sort(key=lambda group: (-group.visited, -group.objects, group.signature))
    return Cycles(
        run.policy,
        tuple(groups),
        run,
        play.names.known,
        sum(one.candidates for one in run.collections if one.sequence >= play.since),
        ran_inside(play.log, play.names.readings),
    )


def _place(log: EventLog, mark: str | int | None, since: int) -> int:
    if isinstance(mark, int):
        return mark
    return since if mark is None else find_mark(log, log.marks(), mark, since)


def group_of(play: GarbageReplay, found: Gathered) -> Group:
    sites = play.sites
    made = sorted(
        ((sites[site], n) for site, n in found.sites.items() if site),
        key=lambda one: (-found.closing.get(one[0].id, 0), -one[1], one[0].id),
    )
    types = sorted(found.types.items(), key=lambda one: (-one[1], play.types[one[0]]))
    return Group(
        shape=found.shape,
        types={play.types[kind]: n for kind, n in types},
        sites=_places(made),
        count=found.count,
        **found.sums,
        example=_example(sites, play, found.example),
        function=found.function,
    )


def _places(made: Sequence[tuple[Site, int]]) -> tuple[MadeAt, ...]:
    """One for each line and function, though some objects are only known to be made near it."""
    places: dict[tuple[str, int, str], MadeAt] = {}
    for site, n in made:
        key = site.file, site.line, site.function
        before = places.get(key)
        places[key] = (
            replace(before, objects=before.objects + n)
            if before
            else MadeAt(*key, n, bool(site.near))
        )
    return tuple(places.values())


def _example(sites: tuple[Site, ...], play: GarbageReplay, cycle: list[Edge]) -> Example:
    if not cycle:
        return Example()
    tells = ["." in play.names.type(edge.source) for edge in cycle]
    objects = []
    cycle = turned(cycle, tells)
    for edge in cycle:
        site = sites[int(play.births.site[edge.source])] if sites else None
        made = site if site and site.file else None
        names = play.names
        objects.append(
            ExampleObject(edge.source, names.type(edge.source), names.called(edge.source), made)
        )
    return Example(tuple(objects), tuple(cycle))
