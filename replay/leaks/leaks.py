"""What is alive at the end of a program, or born between two marks and alive at the second; what of
that grows, and what holds it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from gcreplay.store.errors import NotFound
from gcreplay.store.log import EventLog
from gcreplay.store.marks import spelled

from ..results.phases import IMPORTS, intervals
from .growth import Clock, Windows, clock
from .lives import lives
from .result import Leaks
from .search import Search


def leaks(log: EventLog, *, between: tuple[str, str] | None = None) -> Leaks:
    """What is alive at the end of the log, or at the second of two marks and born since the first,
    or larger since.

    Raises UsageError for marks that there are not, InvalidLog for a log that breaks its rules,
    DamagedFile for one that cannot be read.
    """
    marks = log.marks()
    if between is None:
        return Search(log, lives(log, log.event_count), 0, None, _whole_run(log, marks)).found()
    first = _mark(marks, between[0], 0, "")
    stop = _mark(marks, between[1], first + 1, f" behind the mark {between[0]}")
    steps = clock(marks, first, stop, warm_up=False)
    return Search(log, lives(log, stop + 1), first, between, steps).found()


def grown(log: EventLog, marks: tuple[str, str, str], calls: int) -> Leaks:
    """What grew in both of two windows of so many calls each, of the same work: from the first of
    three marks to the second, and from there to the third. What came before is warm-up.

    `kinds` of the result is what was born since the first mark and is alive at the third; growth
    is counted in calls. Raises as `leaks`.
    """
    known = log.marks()
    at = [_mark(known, marks[0], 0, "")]
    for before, wanted in pairwise(marks):
        at.append(_mark(known, wanted, at[-1] + 1, f" behind the mark {before}"))
    windows = Windows(np.array(at, np.uint64), calls)
    return Search(log, lives(log, at[-1] + 1), at[0], (marks[0], marks[2]), windows).found()


def _whole_run(log: EventLog, marks: Sequence[tuple[int, str]]) -> Clock:
    """Behind the imports, which make objects all the time."""
    first = intervals(log)[0]
    begin = first.stop if first.phase == IMPORTS else first.begin
    return clock(marks, begin, log.event_count)


def _mark(marks: Sequence[tuple[int, str]], wanted: str, since: int, behind: str) -> int:
    for at, label in marks:
        if at >= since and label == wanted:
            return at
    raise NotFound(
        f"there is no mark {wanted!r}{behind}; marks there: "
        f"{spelled(label for at, label in marks if at >= since)}"
    )
