"""What holds some objects at one moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gcreplay.store.log import EventLog

from .growth import Windows
from .lives import lives
from .result import Step
from .search import Search


def held(log: EventLog, stop: int, objects: Sequence[int]) -> list[tuple[Step, ...]]:
    """Of each of these objects the way from a root to it, right before event `stop`; empty for what
    is not alive then. Raises as `leaks`."""
    every = lives(log, stop)
    search = Search(log, every, 0, None, Windows(np.zeros(3, np.uint64), 1))
    ids = search.seen.heap.id[: search.objects]
    ways = []
    for one in objects:
        vertex = int(np.searchsorted(ids, one))
        alive = vertex < len(ids) and int(ids[vertex]) == one
        ways.append(search.paths.path(search.holding.way(vertex)) if alive else ())
    return ways
