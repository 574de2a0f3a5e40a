"""Two replays side by side: figures, where the heaps part, what one keeps longer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from gcreplay.store.events import Events
from gcreplay.store.log import EventLog
from gcreplay.store.words import describe

from ..policies.policy import Policy
from ..run import Replay
from .lives import Held, Lives
from .matching import Place, same_files, same_log, same_places
from .result import RunResult

FIGURES = (
    "collections",
    "collected",
    "freed_by_refcount",
    "uncollectable",
    "revived",
    "displaced",
    "unmoved",
    "peak_objects",
    "peak_bytes",
    "peak_floating_objects",
    "peak_floating_bytes",
    "visited",
    "links",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One figure in both runs; `percent` is None when it was 0 and is not any more."""

    figure: str
    first: int
    second: int
    change: int
    percent: float | None

    @classmethod
    def of(cls, figure: str, first: int, second: int) -> Change:
        percent = 100 * (second - first) / first if first else (None if second else 0.0)
        return cls(figure, first, second, second - first, percent)


@dataclass(frozen=True, slots=True)
class Parting:
    """The first event after which the live heaps differ."""

    sequence: int
    event: str


@dataclass(frozen=True, slots=True)
class KeptLonger:
    """Objects of one type from one site, and how long each run keeps them: objects times events.

    `site`: FILE:LINE in the second run, in the first where the second has none, "" where it is not
    known. In two recordings the lines may be several, of one function, if nobody knows which of
    them is which; that of most objects is the site.
    """

    type: str
    site: str
    function: str
    lines_first: tuple[int, ...]
    lines_second: tuple[int, ...]
    first: Held
    second: Held

    @classmethod
    def of(cls, first: Mapping[Place, Held], second: Mapping[Place, Held]) -> KeptLonger:
        place = max(second or first, key=lambda one: (second or first)[one].objects)
        near = "near " if place.near else ""
        return cls(
            place.type,
            f"{near}{place.file}:{place.line}" if place.file else "",
            place.function,
            tuple(sorted({each.line for each in first})),
            tuple(sorted({each.line for each in second})),
            sum(first.values(), Held()),
            sum(second.values(), Held()),
        )

    def __add__(self, other: KeptLonger) -> KeptLonger:
        """The same site in another pair of runs."""
        return replace(
            self,
            lines_first=tuple(sorted({*self.lines_first, *other.lines_first})),
            lines_second=tuple(sorted({*self.lines_second, *other.lines_second})),
            first=self.first + other.first,
            second=self.second + other.second,
        )

    @property
    def file(self) -> str:
        """The file of the site."""
        return self.site.removeprefix("near ").rpartition(":")[0]

    @property
    def change(self) -> int:
        """Above 0: the second run keeps them longer."""
        return self.second.object_events - self.first.object_events

    def to_json(self) -> dict[str, Any]:
        held = {
            f"{name}_{side}": getattr(getattr(self, side), name)
            for name in ("objects", "alive", "object_events", "byte_events")
            for side in ("first", "second")
        }
        return {
            "type": self.type,
            "site": self.site,
            "function": self.function,
            "lines_first": list(self.lines_first),
            "lines_second": list(self.lines_second),
            **held,
            "change": self.change,
        }


@dataclass(frozen=True, slots=True)
class DiffResult:
    """Two runs compared. `kept_longer` is ordered by the size of the change, largest first.
    `held`: all that each run has."""

    first: RunResult
    second: RunResult
    held: tuple[Held, Held]
    figures: tuple[Change, ...]
    parting: Parting | None
    kept_longer: tuple[KeptLonger, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "first": self.first.to_json(),
            "second": self.second.to_json(),
            "figures": [asdict(change) for change in self.figures],
            "first_difference": asdict(self.parting) if self.parting else None,
            "kept_longer": [row.to_json() for row in self.kept_longer],
        }


def diff(
    first: tuple[EventLog, str | Policy],
    second: tuple[EventLog, str | Policy],
    *,
    apply_from: str | None = None,
    window: tuple[str, str] | None = None,
) -> DiffResult:
    """Replay and compare two (log, policy) pairs; the log may be the same one.

    Raises what `replay` raises.
    """
    runs = [Replay(log, p, apply_from=apply_from, window=window) for log, p in (first, second)]
    for run in runs:
        run.note_deaths()
    results = [run.run() for run in runs]
    lives = [Lives.of(run) for run in runs]
    return DiffResult(
        results[0],
        results[1],
        (lives[0].held(), lives[1].held()),
        _changes(results[0], results[1]),
        _parting(runs[0], runs[1], lives[0], lives[1]),
        _kept_longer(lives[0], lives[1]),
    )


def _changes(first: RunResult, second: RunResult) -> tuple[Change, ...]:
    def value(result: dict[str, Any], figure: str) -> int:
        if figure == "collections":
            return sum(result["collections_by_generation"])
        return int(result["work"][figure] if figure in result["work"] else result[figure])

    before, after = first.to_json(), second.to_json()
    return tuple(
        Change.of(figure, value(before, figure), value(after, figure)) for figure in FIGURES
    )


def _kept_longer(first: Lives, second: Lives) -> tuple[KeptLonger, ...]:
    """In one log a place is itself; in two it is where its code has gone."""
    before, after = first.by_place(), second.by_place()
    same: Iterable[tuple[tuple[Place, ...], tuple[Place, ...]]]
    if same_log(first.log, second.log):
        same = (((place,), (place,)) for place in sorted(before))
    else:
        same = same_places(before, after, same_files(first.log, second.log))
    rows = [
        KeptLonger.of({one: before[one] for one in ours}, {one: after[one] for one in theirs})
        for ours, theirs in same
    ]
    changed = [row for row in rows if row.first != row.second]
    return tuple(sorted(changed, key=lambda row: -abs(row.change)))


def _parting(run_a: Replay, run_b: Replay, first: Lives, second: Lives) -> Parting | None:
    """Where logs or deaths first differ: until then equal ids are the same object."""
    end = min(run_a.events, run_b.events)
    candidates = [] if run_a.events == run_b.events else [end]
    if run_a.log is not run_b.log:
        candidates += _first_unequal(run_a.log.segments(0, end), run_b.log.segments(0, end))
    n = min(len(first.deaths), len(second.deaths))
    unequal = np.flatnonzero(first.deaths[:n] != second.deaths[:n])
    if len(unequal):
        candidates.append(int(np.minimum(first.deaths[unequal], second.deaths[unequal]).min()))
    if not candidates:
        return None
    sequence = min(candidates)
    log = run_a.log if sequence < run_a.events else run_b.log
    event = log.window(sequence, sequence + 1)
    return Parting(sequence, describe(*(int(column[0]) for column in event.columns())))


def _first_unequal(first: Iterable[Events], second: Iterable[Events]) -> list[int]:
    """The first sequence number at which two runs of events of equal length differ."""
    rest_a, rest_b = iter(first), iter(second)
    a, b = next(rest_a, None), next(rest_b, None)
    while a is not None and b is not None and len(a) and len(b):
        n = min(len(a), len(b))
        differs = np.zeros(n, dtype=np.bool_)
        differs |= a.op[:n] != b.op[:n]
        for x, y in zip(a.columns()[1:], b.columns()[1:], strict=True):
            differs |= x[:n] != y[:n]
        if differs.any():
            return [a.first_sequence + int(np.argmax(differs))]
        a = a.part(n, len(a)) if n < len(a) else next(rest_a, None)
        b = b.part(n, len(b)) if n < len(b) else next(rest_b, None)
    return []
