"""The program's own time at any event of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import U64
from gcreplay.store.log import EventLog

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

TICKS_FOR_AN_AXIS: Final = 200
"""With fewer readings of the clock, what really came evenly stands in clumps: between two readings
time is spread by the number of events, and those of a busy stretch take less time each."""


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """Ticks of a recording, from the START event on, which is 0: sequence numbers and nanoseconds
    of program time, both int64 (n,) and ascending. Waiting is counted, collections and what
    recording cost are not."""

    sequence: I64
    ns: I64

    @classmethod
    def of(cls, log: EventLog) -> Clock | None:
        """None for a log that has no ticks."""
        sequence, ns = (told.astype(np.int64) for told in log.ticks())
        later = sequence > log.start_sequence
        if not later.any():
            return None
        return cls(
            np.append(log.start_sequence, sequence[later]),
            np.maximum.accumulate(np.append(0, ns[later])),
        )

    def at(self, sequence: Sequence[int]) -> list[int]:
        """Nanoseconds at these events: between two ticks by the number of events from each."""
        return [round(ns) for ns in np.interp(sequence, self.sequence, self.ns).tolist()]

    def seconds(self, events: U64) -> F64:
        """The same in seconds, float64 (n,); an event past all stands at the end."""
        at: F64 = np.interp(events, self.sequence, self.ns) / 1e9
        return at


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Where events stand in a chart. unit: `s` or `events`; known, place: events ascending and
    their places, between which the others are interpolated; ticks: how often the recording's clock
    was read."""

    unit: str
    known: F64
    place: F64
    ticks: int = 0

    @classmethod
    def of(cls, log: EventLog) -> Axis:
        """In seconds of the recorded run where its clock was read often enough, else in events;
        both from the START event on, what is before it stands at 0."""
        clock = Clock.of(log)
        ticks = 0 if clock is None else len(clock.ns) - 1
        if clock is None or ticks < TICKS_FOR_AN_AXIS:
            return cls.in_events(log, ticks)
        return cls("s", clock.sequence.astype(np.float64), clock.ns / 1e9, ticks)

    @classmethod
    def in_events(cls, log: EventLog, ticks: int = 0) -> Axis:
        start, end = float(log.start_sequence), float(log.event_count)
        return cls(
            "events", np.array([start, max(end, start)]), np.array([0.0, end - start]), ticks
        )

    def places(self, sequence: npt.ArrayLike) -> F64:
        """float64 (n,): where these events stand."""
        return np.interp(np.asarray(sequence, np.float64), self.known, self.place)

    @property
    def end(self) -> float:
        return float(self.place[-1])

    def edges(self, bins: int) -> F64:
        """float64 (bins + 1,): bins of equal width over the whole."""
        return np.linspace(0.0, self.end, bins + 1)
