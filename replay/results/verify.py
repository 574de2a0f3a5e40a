"""Does a replay under the recorded settings do what the interpreter really did?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

from gcreplay.store.events import ObservedCollection
from gcreplay.store.log import EventLog

from ..run import replay
from .result import Collection


@dataclass(frozen=True, slots=True)
class Difference:
    """The first collection, by `index`, that differs, in `what`; None where one has no more."""

    index: int
    what: tuple[str, ...]
    recorded: Mapping[str, Any] | None
    replayed: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """Recorded and replayed collections, compared one by one in order, never resynchronised.

    position: the object whose birth triggered it, or the next one at a call. The `_equal` values
    count collections, the `collected_` others the objects that all of them found unreachable.
    repairs: how often, by kind, the recording had to be mended. Of a recording that was cut short
    what it holds is compared.
    """

    recorded: int
    replayed: int
    position_equal: int
    generation_equal: int
    collected_equal: int
    candidates_equal: int
    collected_recorded: int
    collected_replayed: int
    first_difference: Difference | None
    repairs: Mapping[str, int]

    @property
    def equal(self) -> bool:
        """Every collection equal in position, generation and number collected, and none over."""
        return (
            self.recorded
            == self.replayed
            == self.position_equal
            == self.generation_equal
            == self.collected_equal
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def verify(log: EventLog) -> VerifyResult:
    """Replay `cpython-3.11` under the recorded settings and compare with the log's own record."""
    recorded = _within(log)
    replayed = _with_an_end(log, len(recorded), replay(log, "cpython-3.11").collections)
    pairs = list(zip_longest(recorded, replayed))
    unequal = [_unequal(*pair) for pair in pairs]
    first = next((i for i, what in enumerate(unequal) if set(what) - {"candidates"}), None)
    repairs = log.meta.get("repairs", {})
    return VerifyResult(
        recorded=len(recorded),
        replayed=len(replayed),
        position_equal=sum("position" not in what for what in unequal),
        generation_equal=sum("generation" not in what for what in unequal),
        collected_equal=sum("collected" not in what for what in unequal),
        candidates_equal=sum("candidates" not in what for what in unequal),
        collected_recorded=sum(one.collected for one in recorded),
        collected_replayed=sum(one.collected for one in replayed),
        first_difference=None if first is None else _difference(first, *pairs[first]),
        repairs=dict(repairs) if isinstance(repairs, Mapping) else {},
    )


def _within(log: EventLog) -> Sequence[ObservedCollection]:
    """What was recorded of collections within the log: a recording that was cut, or is still being
    made, knows of some behind its last event."""
    if log.meta.get("complete", True):
        return log.observed
    return [one for one in log.observed if one.sequence < log.event_count]


def _with_an_end(
    log: EventLog, recorded: int, replayed: Sequence[Collection]
) -> Sequence[Collection]:
    """Without the collection in whose midst the recording was cut: it begins with the very last
    event, and the log does not say how it ended."""
    cut = not log.meta.get("complete", True)
    if cut and replayed and replayed[-1].sequence == log.event_count - 1:
        return replayed[: max(recorded, len(replayed) - 1)]
    return replayed


def _unequal(recorded: ObservedCollection | None, replayed: Collection | None) -> tuple[str, ...]:
    if recorded is None or replayed is None:
        return ("position", "generation", "collected", "candidates")
    compared = {
        "position": (recorded.allocation, recorded.cause) == (replayed.allocation, replayed.cause),
        "generation": recorded.generation == replayed.generation,
        "collected": (recorded.collected, recorded.uncollectable)
        == (replayed.collected, replayed.uncollectable),
        "candidates": recorded.candidates == replayed.candidates,
    }
    return tuple(what for what, equal in compared.items() if not equal)


def _difference(
    index: int, recorded: ObservedCollection | None, replayed: Collection | None
) -> Difference:
    return Difference(
        index,
        _unequal(recorded, replayed),
        asdict(recorded) if recorded else None,
        asdict(replayed) if replayed else None,
    )
