"""How each object of the recorded run ended: a replay notes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gcreplay.replay import Collection
from gcreplay.replay.engine.annotation import garbage_of
from gcreplay.replay.run import Replay
from gcreplay.store import EventLog
from gcreplay.store.events import U8, U64, Events, resizes

NEVER = 2**64 - 1
"""An event that does not come."""


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """By object id, 26 bytes an object.

    deaths: the event of its death (NEVER: alive). died_in: the space in which it stood then.
    freed: whether a collection freed it. garbage: the event after which it was cyclic garbage
    (NEVER: it was not). owned: the bytes that it had beside its block.
    """

    deaths: U64
    died_in: U8
    freed: U8
    garbage: U64
    owned: npt.NDArray[np.int64]

    @classmethod
    def of(cls, log: EventLog, policy: str) -> tuple[Ends, tuple[Collection, ...]]:
        """What the replay notes, and its collections."""
        play = Replay(log, policy)
        play.note_deaths()
        play.begin()
        deaths, died_in, freed = play.deaths, play.died_in, play.freed
        assert deaths is not None and died_in is not None and freed is not None
        owned = np.zeros(len(deaths), np.int64)
        for events in log.named():
            play.apply(events)
            _take_resized(events, deaths, owned)
        collections = play.result().collections
        deaths[deaths >= play.events] = NEVER
        garbage = np.full(len(deaths), NEVER, np.uint64)
        due = garbage_of(log).due
        garbage[due["id"]] = due["sequence"]
        return cls(deaths, died_in, freed, garbage, owned), collections


def _take_resized(events: Events, deaths: U64, owned: npt.NDArray[np.int64]) -> None:
    """What these events say of objects that had not died by then; of one object the last stands."""
    at, who, has = resizes(events)
    alive = at <= deaths[who]
    owned[who[alive]] = has[alive]
