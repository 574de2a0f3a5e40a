"""The program's own time at any event of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gcreplay.store import EventLog
from gcreplay.store.events import U64

I64: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """Ticks of a recording: sequence numbers and nanoseconds of program time, both int64 (n,) and
    ascending. Waiting is counted, collections and what recording cost are not."""

    sequence: I64
    ns: I64

    @classmethod
    def of(cls, log: EventLog) -> Clock | None:
        """None for a log that has no ticks."""
        sequence, ns = (
            np.append(first, told.astype(np.int64))
            for first, told in zip((log.start_sequence, 0), log.ticks(), strict=True)
        )
        if len(sequence) == 1:
            return None
        return cls(sequence, np.maximum.accumulate(ns))

    def at(self, sequence: Sequence[int]) -> list[int]:
        """Nanoseconds at these events: between two ticks by the number of events from each."""
        return [round(ns) for ns in np.interp(sequence, self.sequence, self.ns).tolist()]

    def seconds(self, events: U64) -> npt.NDArray[np.float64]:
        """The same in seconds, float64 (n,); an event past all stands at the end."""
        at: npt.NDArray[np.float64] = np.interp(events, self.sequence, self.ns) / 1e9
        return at
