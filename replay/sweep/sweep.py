"""Many settings of CPython 3.11's collector in one pass over a log.

When garbage became unreachable is a fact about the log; so is the order in which objects came to be
tracked. Under the rules of 3.11 generations are cuts in that order, and a collection frees all
garbage that stands, with all that reaches it, behind its cut. So no setting needs a heap of its
own: each is a lane of counters, and all events are counted in all lanes at once.

This is exact unless the log has something that lanes do not follow; then `inexact` says what, and
the figures are for finding settings, which are replayed in full before they are results.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from gcreplay.store.errors import InvalidLog
from gcreplay.store.events import Events, GcCall, StartState
from gcreplay.store.log import EventLog
from gcreplay.store.rules.operands import BAD_ARGUMENT, RULES, Taken
from gcreplay.store.values import I32_MOST
from gcreplay.store.words import describe

from ..engine import _engine
from ..engine.annotation import Garbage
from ..engine.storage import engine_for, free_counts
from ..policies.policy import OLDEST
from ..run import DEBUG_SAVEALL
from . import _sweep
from .groups import Groups, groups_of

Setting = tuple[int, int, int]
_PROOFS = 2
"""Objects visited to prove that what is touched can be reached, at most, by event of the log."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a setting comes to. visited, links: the work of all collections. pauses: made by
    `priced`, of each collection; none without it."""

    setting: Setting
    collections_by_generation: tuple[int, int, int]
    collected: int
    freed: int
    freed_by_refcount: int
    visited: int
    links: int
    peak_objects: int
    peak_bytes: int
    peak_floating_objects: int
    peak_floating_bytes: int
    pauses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SweepResult:
    """inexact: why the figures may differ from a replay's; empty where they do not. made: every
    collection of every setting, where it was asked for."""

    settings: tuple[Swept, ...]
    inexact: tuple[str, ...]
    made: npt.NDArray[Any] | None = field(default=None, compare=False)


Priced = Callable[[npt.NDArray[Any]], npt.NDArray[np.int64]]


class Sweep:
    """One pass: feeds the engine, obeys the program's calls, sums what the lanes collect.

    `price` gives the nanoseconds of each collection of a table with the columns of
    `MADE_DTYPE`. `keep` keeps them all, which takes memory by setting.
    """

    def __init__(
        self,
        log: EventLog,
        settings: Sequence[Setting],
        *,
        price: Priced | None = None,
        keep: bool = False,
        found: tuple[Garbage, Groups] | None = None,
    ) -> None:
        self.log = log
        self.settings = tuple(settings)
        self._price = price
        self._kept: list[npt.NDArray[Any]] | None = [] if keep else None
        self._taken = Taken(log.arguments)
        garbage, groups = found or groups_of(log)
        start = log.start or StartState()
        columns = np.array(self.settings, np.int32).reshape(-1, 3).T
        self._engine = engine_for(log, _engine.COUNTING, modelled=True)
        self._engine.count_links()
        self._engine.schedule(garbage.due, garbage.alive)
        if garbage.regions is not None:
            self._engine.know_regions(garbage.regions)
        self._lanes = _sweep.Lanes(
            self._engine,
            np.ascontiguousarray(columns),
            [min(waiting, I32_MOST) for waiting in free_counts(start.free_lists)],
            groups,
            _PROOFS * log.event_count + 1_000_000,
        )
        self._because = [
            name
            for name, there in (
                ("regions", garbage.regions is not None),
                ("dies inside", bool(garbage.dies_inside.any())),
            )
            if there
        ]
        n = len(self.settings)
        self._counts = np.zeros((n, 3), np.int64)
        self._sums = {
            name: np.zeros(n, np.int64) for name in ("collected", "freed", "candidates", "links")
        }
        self._pauses: list[list[npt.NDArray[np.int64]]] = [[] for _ in range(n)]

    def run(self, passed: Callable[[int], None] | None = None) -> SweepResult:
        """The whole log; `passed` is told of each so many events. Raises InvalidLog."""
        if self.log.start is None:
            self._lanes.begin(StartState())
        for segment in self.log.segments():
            self.apply(segment)
            if passed is not None:
                passed(len(segment))
        return self.result()

    def apply(self, events: Events) -> None:
        """Apply the next events of the log."""
        self._engine.feed(*events.columns(), events.first_sequence)
        while (reason := self._lanes.advance()) != _engine.END:
            if reason == _engine.START:
                self._lanes.begin(self.log.start or StartState())
            elif reason == _engine.CALL:
                self._obey()
        self._take_made()

    def _obey(self) -> None:
        """The program's call of the gc module, in all lanes; their thresholds stay."""
        op, call, argument, c = self._engine.event
        if not self._taken.fits(op, call, argument):
            event = describe(op, call, argument, c)
            raise InvalidLog(self._engine.sequence, event, RULES[BAD_ARGUMENT])
        arguments = json.loads(self.log.arguments[argument])
        match GcCall(call):
            case GcCall.COLLECT:
                self._lanes.collect(arguments[0] if arguments else OLDEST)
            case GcCall.ENABLE:
                self._lanes.enable(True)
            case GcCall.DISABLE:
                self._lanes.enable(False)
            case GcCall.FREEZE:
                self._lanes.freeze()
            case GcCall.UNFREEZE:
                self._lanes.unfreeze()
            case GcCall.SET_DEBUG if arguments[0] & DEBUG_SAVEALL:
                self._because.append("saved")

    def _take_made(self) -> None:
        made = self._lanes.take_made()
        if not len(made):
            return
        lane = made["lane"]
        np.add.at(self._counts, (lane, made["generation"]), 1)
        for name, total in self._sums.items():
            total += np.bincount(lane, made[name], len(total)).astype(np.int64)
        if self._kept is not None:
            self._kept.append(made)
        if self._price is not None:
            order = np.argsort(lane, kind="stable")
            pauses = self._price(made)[order]
            ends = np.cumsum(np.bincount(lane, minlength=len(self.settings)))
            for of, part in zip(self._pauses, np.split(pauses, ends[:-1]), strict=True):
                if len(part):
                    of.append(part)

    def result(self) -> SweepResult:
        """What it came to, after the last event."""
        self._lanes.end()
        figures = self._lanes.figures()
        died = self._engine.figures()["freed_by_refcount"]
        swept = tuple(
            Swept(
                setting=setting,
                collections_by_generation=tuple(self._counts[i].tolist()),
                collected=int(self._sums["collected"][i]),
                freed=int(self._sums["freed"][i]),
                freed_by_refcount=died + int(figures["early"][i]),
                visited=int(self._sums["candidates"][i]),
                links=int(self._sums["links"][i]),
                peak_objects=int(figures["peak_objects"][i]),
                peak_bytes=int(figures["peak_bytes"][i]),
                peak_floating_objects=int(figures["peak_floating_objects"][i]),
                peak_floating_bytes=int(figures["peak_floating_bytes"][i]),
                pauses=tuple(np.concatenate(self._pauses[i]).tolist()) if self._pauses[i] else (),
            )
            for i, setting in enumerate(self.settings)
        )
        because = tuple(dict.fromkeys([*self._because, *self._lanes.inexact]))
        made = None
        if self._kept is not None:
            made = np.concatenate([*self._kept, np.empty(0, _sweep.MADE_DTYPE)])
        return SweepResult(swept, because, made)
