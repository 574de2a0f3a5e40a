"""How the objects of a recording ended: which garbage collections freed, by type and line, with the
cycles in it, and how old everything became. One replay tells all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import Site
from gcreplay.store.log import EventLog

from ..policies.policy import Policy
from ..results.ages import Ages
from .cycles import RECORDED, Cycles, found_by
from .gathering import GarbageReplay

_SUMS = ("freed", "freed_bytes", "floating", "floating_bytes", "visited")


@dataclass(frozen=True, slots=True)
class GarbageAt:
    """Garbage of one type from one site.

    type: its qualified name. site: where it was made, file "" where nobody knows it. freed,
    freed_bytes: what died in collections, in cycles or with them, and what finalizers let go there.
    floating, floating_bytes: what is garbage at the end and not freed. visited: how often
    collections looked at any of it while it was garbage.
    """

    type: str
    site: Site
    freed: int
    freed_bytes: int
    floating: int
    floating_bytes: int
    visited: int


@dataclass(frozen=True, slots=True)
class Ended:
    """cycles: as `cycles` finds them. garbage: every freed or floating object, once, in the order
    of types and sites in the log. ages: of all that died."""

    cycles: Cycles
    garbage: tuple[GarbageAt, ...]
    ages: Ages


def ended(log: EventLog, policy: str | Policy | None = None) -> Ended:
    """Of a whole recording under a policy; None: under the recorded setting.

    Raises as `cycles`.
    """
    play = _Whole(log, RECORDED if policy is None else policy, 0, log.event_count + 1)
    play.note_deaths()
    found = found_by(play)
    assert play.deaths is not None
    ages = Ages.of(log, play.deaths, play.by_collector, play.births.shape)
    return Ended(found, play.told(), ages)


class _Whole(GarbageReplay):
    """by_collector: bool by object id, whether a collection freed it."""

    def __init__(self, log: EventLog, *rest: Any) -> None:
        super().__init__(log, *rest)
        self.by_collector = np.zeros(log.object_count, np.bool_)
        self._at_end = False
        self._sums: dict[int, list[int]] = {}

    def finish(self) -> None:
        self._group_noted()  # the rest of what was freed, before what floats
        self._at_end = True
        super().finish()

    def _group_noted(self) -> None:
        self._sum_up(self.gathering.objects())
        super()._group_noted()

    def _sum_up(self, objects: npt.NDArray[Any]) -> None:
        ids = objects["id"]
        if not self._at_end:
            self.by_collector[ids] = True
        kind = self.type_of[self.births.shape[ids]].astype(np.uint64)
        keys, member = np.unique(
            kind << np.uint64(32) | self.births.site[ids].astype(np.uint64), return_inverse=True
        )
        none = np.zeros(len(ids), np.uint64)
        ones = np.ones(len(ids), np.uint64)
        amounts = (ones, objects["bytes"])
        columns = (none, none, *amounts) if self._at_end else (*amounts, none, none)
        sums = np.zeros((len(keys), len(_SUMS)), np.uint64)
        for i, column in enumerate((*columns, objects["visits"])):
            np.add.at(sums[:, i], member, column.astype(np.uint64))  # exact, as floats are not
        for key, row in zip(keys.tolist(), sums.tolist(), strict=True):
            before = self._sums.get(key)
            added = row if before is None else [a + b for a, b in zip(before, row, strict=True)]
            self._sums[key] = added

    def told(self) -> tuple[GarbageAt, ...]:
        nowhere = Site(0, "", 0, "", False)
        return tuple(
            GarbageAt(
                self.types[key >> 32],
                self.sites[key & 0xFFFFFFFF] if self.sites else nowhere,
                *sums,
            )
            for key, sums in sorted(self._sums.items())
        )
