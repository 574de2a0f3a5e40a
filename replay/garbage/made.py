"""The cycles of which each was made in one of given stretches, whenever they are dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import U32
from gcreplay.store.log import EventLog

from .cycles import RECORDED, Group, group_of
from .gathering import GarbageReplay
from .joining import Gathered, Key, joined


def cycles_made(log: EventLog, stretches: Sequence[tuple[int, int]]) -> list[tuple[Group, ...]]:
    """For each stretch, the cycles that were made in it, in groups; those with most objects first.

    A stretch is objects `first` up to `stop`, in the order of their births. A cycle was made in it
    if the object that tells best where the cycle was made is one of them.

    Which collection frees them, or none, makes no difference. Raises as `replay`.
    """
    play = _MadeIn(log, stretches)
    play.run()
    play.finish()
    every = []
    for gathered in play.by_stretch:
        groups = [group_of(play, one) for one in gathered.values()]
        groups.sort(key=lambda one: (-one.objects - one.hanging_objects, one.signature))
        every.append(tuple(groups))
    return every


class _MadeIn(GarbageReplay):
    """One replay for all stretches."""

    def __init__(self, log: EventLog, stretches: Sequence[tuple[int, int]]) -> None:
        super().__init__(log, RECORDED, 0, 1)
        self.stretches = stretches
        self.by_stretch: list[dict[Key, Gathered]] = [{} for _ in stretches]

    def _join(self) -> None:
        self.by_stretch = joined(self.by_stretch, self.exact)

    def _add(self, components: npt.NDArray[Any], ids: U32, of: U32, links: U32) -> None:
        made, rest = components["closing"], self.groups
        for (first, stop), groups in zip(self.stretches, self.by_stretch, strict=True):
            here = (made >= first) & (made < stop)
            if here.any():
                self.groups = groups
                chosen = components.copy()
                chosen["due"] = np.where(here, 0, 1)  # only those of event 0 are taken
                super()._add(chosen, ids, of, links)
        self.groups = rest
