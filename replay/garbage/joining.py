"""Groups of cycles that are of one kind, though the recording does not know it of each cycle.

A cycle that no recorded collection found may have no names. An object from a free list may have a
site that is only near, or none; then the place of another tells where its cycle was made, in
another function perhaps. What comes from a free list differs from run to run; a kind must not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..references.names import Edge
from .shapes import Shape, types_of

SUMS = (
    "objects",
    "bytes",
    "hanging_objects",
    "hanging_bytes",
    "visited",
    "floating_object_events",
)
Key = tuple[int, int, bool]
"""Numbers of a shape and of a function, and whether another might have made it."""


@dataclass(slots=True)
class Gathered:
    """Cycles of one shape that one function makes. unsure: of each, an object as young or younger
    than the one that tells so has no exact site. types and sites: objects in cycles, by type id and
    site id. closing: cycles by the site that tells best where they were made. example: a cycle of
    the smallest of them, of so many objects."""

    shape: Shape
    function: str
    unsure: bool = False
    count: int = 0
    sums: dict[Any, int] = field(default_factory=lambda: dict.fromkeys(SUMS, 0))
    types: dict[int, int] = field(default_factory=dict)
    sites: dict[int, int] = field(default_factory=dict)
    closing: dict[int, int] = field(default_factory=dict)
    example: list[Edge] = field(default_factory=list)
    smallest: int = 1 << 62

    def add(self, other: Gathered) -> None:
        """Those of another group are of this kind, too. What is sure says where it is made."""
        self.count += other.count
        tallies = [
            (self.sums, other.sums),
            (self.types, other.types),
            (self.sites, other.sites),
        ]
        if self.unsure or not other.unsure:
            tallies.append((self.closing, other.closing))
        if self.shape == other.shape and other.smallest < self.smallest:
            self.smallest, self.example = other.smallest, other.example
        for mine, theirs in tallies:
            for what, n in theirs.items():
                mine[what] = mine.get(what, 0) + n

    @property
    def named(self) -> bool:
        return any(edge.label for edge in self.shape)

    @property
    def file(self) -> str:
        return self.function.rpartition(":")[0]


def joined(
    stretches: Sequence[dict[Key, Gathered]], exact: npt.NDArray[np.bool_]
) -> list[dict[Key, Gathered]]:
    """The groups of each stretch of a recording, those that are of one kind joined; which are so is
    the same in all stretches. exact: by site, whether its line is known."""
    found = list(stretches)
    for kinds in (_placed, _unnamed):
        every: dict[Key, Gathered] = {}
        for key, one in (each for groups in found for each in groups.items()):
            every.setdefault(key, Gathered(one.shape, one.function, one.unsure)).add(one)
        moves = kinds(every, exact)
        found = [_moved(groups, moves, every) for groups in found] if moves else found
    return found


def _placed(every: dict[Key, Gathered], exact: npt.NDArray[np.bool_]) -> dict[Key, Key]:
    """Where those go of which it is not sure which function made them."""
    sure: dict[int, list[Key]] = {}
    for key in every:
        if not key[2]:
            sure.setdefault(key[0], []).append(key)
    moves: dict[Key, Key] = {}
    for key, one in every.items():
        if one.unsure and key[0] in sure:
            of = _same(key, sure[key[0]]) or _only(one, sure[key[0]], every, exact)
            moves |= {key: of} if of else {}
    return moves


def _unnamed(every: dict[Key, Gathered], exact: npt.NDArray[np.bool_]) -> dict[Key, Key]:
    """Where those go that have no names: to what has the same links by type."""
    if all(one.named for one in every.values()):
        return {}
    named: dict[Any, list[Key]] = {}
    for key, one in every.items():
        if one.named:
            named.setdefault(types_of(one.shape), []).append(key)
    moves: dict[Key, Key] = {}
    for key, one in every.items():
        if not one.named and (alike := named.get(types_of(one.shape))):
            of = _same(key, alike)
            if of is None and one.unsure:
                of = _only(one, [other for other in alike if not other[2]], every, exact)
            moves |= {key: of} if of else {}
    return moves


def _same(key: Key, others: Sequence[Key]) -> Key | None:
    """The first that the same function makes."""
    return next((other for other in others if other[1] == key[1]), None)


def _only(
    one: Gathered,
    others: Sequence[Key],
    every: dict[Key, Gathered],
    exact: npt.NDArray[np.bool_],
) -> Key | None:
    """The only one that it can be, or the only one of the same file: what is known exactly of its
    places must be places of that, too."""
    places = {site for site in one.closing if exact[site]}
    able = [other for other in others if places <= every[other].sites.keys()]
    here = [other for other in able if every[other].file == one.file]
    return next((found[0] for found in (able, here) if len(found) == 1), None)


def _moved(
    groups: dict[Key, Gathered], moves: dict[Key, Key], every: dict[Key, Gathered]
) -> dict[Key, Gathered]:
    found = {key: one for key, one in groups.items() if key not in moves}
    for key, one in groups.items():
        if (of := moves.get(key)) is None:
            continue
        kind = every[of]
        found.setdefault(of, Gathered(kind.shape, kind.function, one.unsure)).add(one)
        if not found[of].example:
            found[of].example = one.example
    return found
