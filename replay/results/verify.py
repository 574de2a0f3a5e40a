"""Does a replay under the recorded settings do what the interpreter really did?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import ObservedCollection
from gcreplay.store.log import EventLog

from ..run import Replay, replay
from .cause import TypeNumbers, causes, end_of_regions, type_numbers
from .result import Collection

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first collection, by `index`, that differs, in `what`; None where one has no more.

    types: whose numbers differ, where both ran at one place. causes: what the recording knows that
    may have made the difference, in sentences.
    """

    index: int
    what: tuple[str, ...]
    recorded: Mapping[str, Any] | None
    replayed: Mapping[str, Any] | None
    types: tuple[TypeNumbers, ...]
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """Recorded and replayed collections, compared one by one in order, never resynchronised.

    position: the object whose birth triggered it, or the next one at a call. The `_equal` values
    count collections, the `collected_` others the objects that all of them found unreachable.
    repairs: how often, by kind, the recording had to be mended. Of a recording that was cut short
    what it holds is compared. verdict: what came of it, in words.
    """

    verdict: str
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


def verify(log: EventLog, *, under_way: bool = False) -> VerifyResult:
    """Replay `cpython-3.11` under the recorded settings and compare with the log's own record.

    `under_way`: somebody is recording it, so that it is not cut short, but goes on.
    """
    recorded = log.observed
    replayed = _with_an_end(log, len(recorded), replay(log, "cpython-3.11").collections)
    pairs = list(zip_longest(recorded, replayed))
    unequal = [_unequal(*pair) for pair in pairs]
    first = next((i for i, what in enumerate(unequal) if set(what) - {"candidates"}), None)
    repairs = log.meta.get("repairs", {})
    difference = None if first is None else _difference(log, first, recorded, replayed)
    return VerifyResult(
        verdict=_verdict(_extent(log, under_way), unequal, difference),
        recorded=len(recorded),
        replayed=len(replayed),
        position_equal=sum("position" not in what for what in unequal),
        generation_equal=sum("generation" not in what for what in unequal),
        collected_equal=sum("collected" not in what for what in unequal),
        candidates_equal=sum("candidates" not in what for what in unequal),
        collected_recorded=sum(one.collected for one in recorded),
        collected_replayed=sum(one.collected for one in replayed),
        first_difference=difference,
        repairs=dict(repairs) if isinstance(repairs, Mapping) else {},
    )


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
    log: EventLog,
    index: int,
    observed: Sequence[ObservedCollection],
    made: Sequence[Collection],
) -> Difference:
    recorded = observed[index] if index < len(observed) else None
    replayed = made[index] if index < len(made) else None
    what = _unequal(recorded, replayed)
    one = recorded or replayed
    assert one is not None
    types: tuple[TypeNumbers, ...] = ()
    if recorded and replayed and recorded.sequence == replayed.sequence:
        since = [c.sequence for c in made[:index] if c.generation >= replayed.generation]
        end = end_of_regions(log, one.sequence)
        types = type_numbers(log, _deaths(log), since[-1] if since else 0, one.sequence, end)
    return Difference(
        index,
        what,
        asdict(recorded) if recorded else None,
        asdict(replayed) if replayed else None,
        types,
        causes(log, one.sequence, what),
    )


def _deaths(log: EventLog) -> I64:
    """At which event each object died in the replay."""
    run = Replay(log, "cpython-3.11")
    run.note_deaths()
    run.run()
    assert run.deaths is not None
    return run.deaths.astype(np.int64)


def _extent(log: EventLog, under_way: bool) -> str:
    """What of the run was compared, in words, where that is not all of it."""
    if log.meta.get("complete", True):
        return ""
    if under_way:
        return " (of what it holds so far: it is being recorded)"
    return " (of what the cut recording holds)"


def _verdict(of: str, unequal: Sequence[tuple[str, ...]], difference: Difference | None) -> str:
    if difference is None:
        if not unequal:
            return f"equal: no collection was made, and none is replayed{of}"
        many = "the one collection is" if len(unequal) == 1 else f"{len(unequal):,} collections are"
        return f"equal: {many} replayed in place, and found as much{of}"
    differ = sum(bool(set(what) - {"candidates"}) for what in unequal)
    return (
        f"unequal: {differ:,} of {len(unequal):,} collections differ{of}; the first is collection"
        f" {difference.index:,}: {_told(difference)}"
    )


def _told(difference: Difference) -> str:
    """How the two collections differ, in words."""
    was, made = difference.recorded, difference.replayed
    if was is None or made is None:
        return "the interpreter made none there" if was is None else "the replay makes none there"
    words = []
    if "position" in difference.what:
        words.append(
            f"it ran at object {was['allocation']:,} ({was['cause']}), in the replay at object"
            f" {made['allocation']:,} ({made['cause']})"
        )
    if "generation" in difference.what:
        words.append(f"generation {was['generation']}, in the replay {made['generation']}")
    if "collected" in difference.what:
        words.append(f"{was['collected']:,} objects collected, in the replay {made['collected']:,}")
    return "; ".join(words)
