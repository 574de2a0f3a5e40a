"""The table `objects`: what was made where, when and how it died, a group of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gcreplay.exporting.ends import NEVER, Ends
from gcreplay.replay.policies.policy import PERMANENT
from gcreplay.replay.results.clock import Clock
from gcreplay.store import EventLog
from gcreplay.store.events import U32, U64, UNKNOWN_SITE, Op, positions

GROUP = 1 << 17
"""Rows of a group, about: the births of a segment stay together."""

_FREED_BY = pa.array(["refcount", "collector", "alive"])
_ALIVE = 2


class Texts:
    """Texts by number, of which many are the same: each is kept once."""

    def __init__(self, texts: Sequence[str]) -> None:
        known = {text: i for i, text in enumerate(dict.fromkeys(texts))}
        self._texts = pa.array(list(known), pa.string())
        self._codes = np.array([known[text] for text in texts], np.int32)

    def of(self, numbers: npt.NDArray[Any], null: npt.NDArray[np.bool_] | None = None) -> Any:
        """Those with these numbers, null where that is asked for."""
        codes = pa.array(self._codes[numbers], mask=null)
        return pa.DictionaryArray.from_arrays(codes, self._texts)


def object_rows(log: EventLog, ends: Ends, clock: Clock | None) -> Iterator[dict[str, Any]]:
    """Columns of the table, for some segments at a time."""
    rows = _Rows(log, ends, clock)
    births, shapes, sites = [], [], []
    waiting = first = 0
    for events in log.named():
        at = positions(events.op, Op.ALLOC)
        births.append(at.astype(np.uint64) + np.uint64(events.first_sequence))
        shapes.append(events.b[at])
        sites.append(events.c[at])
        waiting += len(at)
        if waiting >= GROUP or first + waiting == log.object_count:
            parts = (np.concatenate(column) for column in (births, shapes, sites))
            yield rows.of(first, *parts)
            first, waiting = first + waiting, 0
            births, shapes, sites = [], [], []


class _Rows:
    def __init__(self, log: EventLog, ends: Ends, clock: Clock | None) -> None:
        self._ends, self._clock, self._start = ends, clock, log.start_sequence
        type_of, self._sizes, _ = log.shape_arrays()
        types = log.types
        self._type_of = type_of
        self._type = Texts([types[one].name for one in type_of.tolist()])
        self._module = Texts([types[one].module for one in type_of.tolist()])
        sites = log.sites
        self._file = Texts([one.file for one in sites])
        self._function = Texts([one.function for one in sites])
        self._line = np.array([one.line for one in sites], np.uint32)
        self._near = np.array([one.near != 0 for one in sites], np.bool_)

    def of(self, first: int, births: U64, shapes: U32, sites: U32) -> dict[str, Any]:
        """Columns of the objects from `first` on."""
        here = slice(first, first + len(births))
        ends = self._ends
        deaths, died_in, garbage = ends.deaths[here], ends.died_in[here], ends.garbage[here]
        alive, unknown = deaths == NEVER, sites == UNKNOWN_SITE
        found = births < self._start
        how = np.where(alive, _ALIVE, ends.freed[here]).astype(np.int32)
        return {
            "id": np.arange(here.start, here.stop, dtype=np.uint32),
            "type": self._type.of(shapes),
            "module": self._module.of(shapes),
            "file": self._file.of(sites, unknown),
            "line": pa.array(self._line[sites], mask=unknown),
            "function": self._function.of(sites, unknown),
            "near": self._near[sites],
            "birth": pa.array(births, mask=found),
            "birth_s": self._seconds(births, found),
            "death": pa.array(deaths, mask=alive),
            "death_s": self._seconds(deaths, alive),
            "freed_by": pa.DictionaryArray.from_arrays(pa.array(how), _FREED_BY),
            "generation": pa.array(died_in, mask=alive | (died_in > PERMANENT)),
            "garbage": pa.array(garbage, mask=garbage == NEVER),
            "garbage_s": self._seconds(garbage, garbage == NEVER),
            "bytes": (self._sizes[shapes].astype(np.int64) + ends.owned[here]).astype(np.uint64),
            "type_id": self._type_of[shapes],
            "site_id": sites,
        }

    def _seconds(self, events: U64, null: npt.NDArray[np.bool_]) -> Any:
        """Program time at these events."""
        if self._clock is None:
            return pa.nulls(len(events), pa.float64())
        return pa.array(self._clock.seconds(events), mask=null)
