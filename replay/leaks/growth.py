"""Which kinds of objects grow: steadily, up to the end, and not only while something fills.

What is alive is counted at many moments, at the marks of one kind or at equal steps of events. The
first third is warm-up. The rest is cut into blocks, and the least of each block taken, which leaves
out what lives for a moment. A kind grows where later blocks have more than earlier ones nearly
always (Goodman and Kruskal's gamma), and the last quarter takes its part in that: a cache that
fills and stays does not. How fast is the median of all slopes between two blocks (Theil, Sen).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import I64
from gcreplay.store.marks import kind

from .lives import Lives

BLOCKS: Final = 16
SAMPLES: Final = 12 * BLOCKS
"""So many moments at most, over the whole run."""
WARM_UP: Final = 3
"""One part in so many."""
LEAST_OBJECTS: Final = 8
LEAST_BYTES: Final = 1024
"""What grows by less over the run may be chance."""
REFERENCE: Final = 8
_GAMMA: Final = 0.85
_DIFFERENT: Final = 0.5
"""So much of all pairs of blocks have to differ."""
_LAST: Final = 0.5
"""The last quarter has so much of what a quarter would have."""


@dataclass(frozen=True, slots=True)
class Growth:
    """From and to how much, in the first and last block; by how much over the whole clock, at the
    median slope; and whether that is steady."""

    first: int
    last: int
    whole: float
    steady: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "last": self.last,
            "over_the_run": round(self.whole, 3),
            "steady": self.steady,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """Moments at which what is alive is counted: sequence numbers, ascending (uint64).

    unit: the kind of marks that they are; empty for equal steps of events. steps: marks, or
    events, from the first moment to the last. judged: the first moment behind the warm-up.
    """

    at: npt.NDArray[np.uint64]
    unit: str
    steps: int
    judged: int

    @property
    def enough(self) -> bool:
        """Whether growth can be told."""
        return len(self.at) - self.judged >= BLOCKS

    def of_objects(self, counts: I64) -> Growth:
        """How a number of objects grows."""
        return growth(counts, self.judged, LEAST_OBJECTS)

    def of_bytes(self, counts: I64) -> Growth:
        """How their bytes do."""
        return growth(counts, self.judged, LEAST_BYTES)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Two windows of so many `calls` each, between three moments: a clock as well. What grows does
    so in both, by one object in ten calls, or by the bytes of a reference a call."""

    at: npt.NDArray[np.uint64]
    calls: int
    unit = "call"
    judged = 0
    enough = True

    @property
    def steps(self) -> int:
        return 2 * self.calls

    def of_objects(self, counts: I64) -> Growth:
        return _in_both(counts, max(1, self.calls // 10))

    def of_bytes(self, counts: I64) -> Growth:
        return _in_both(counts, REFERENCE * self.calls)


def _in_both(counts: I64, least: int) -> Growth:
    first, middle, last = counts.tolist()
    return Growth(first, last, last - first, min(middle - first, last - middle) >= least)


def clock(
    marks: Sequence[tuple[int, str]], begin: int, stop: int, *, warm_up: bool = True
) -> Clock:
    """Moments from event `begin` on before `stop`: the marks of the most frequent kind where they
    are enough, else equal steps."""
    inside = [(at, label) for at, label in marks if begin <= at < stop]
    kinds = Counter(kind(label) for _, label in inside)
    part = WARM_UP if warm_up else 1 << 30
    if kinds:
        unit, n = kinds.most_common(1)[0]
        if n - n // part >= BLOCKS:
            every = [at for at, label in inside if kind(label) == unit]
            chosen = np.unique(np.linspace(0, n - 1, min(n, SAMPLES)).round().astype(np.int64))
            at = np.array(every, np.uint64)[chosen]
            return Clock(at, unit, n - 1, len(at) // part)
    n = min(SAMPLES, stop - begin)
    at = np.linspace(begin, stop, n + 1)[1:].astype(np.uint64) if n > 0 else np.empty(0, np.uint64)
    return Clock(at, "", stop - begin, len(at) // part)


def unit_words(unit: str, n: int) -> str:
    """`n` steps of a clock in words: 1,000 requests, 1,000 marks 'batch:#'."""
    if unit == "call":
        return "call" if n == 1 else f"{n:,} calls"
    if word := re.fullmatch(r"([a-z]+)[ _:-]?#", unit):
        return f"{n:,} {word[1]}s"
    return f"{n:,} marks '{unit}'"


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """By kind of objects, at each moment: how many are alive, and their bytes (int64[kinds, n])."""

    objects: I64
    bytes: I64


def series(lives: Lives, of: I64, kinds: int, block: I64, at: npt.NDArray[np.uint64]) -> Series:
    """`of`: the kind of each object, -1 for none; `block`: bytes of each shape."""
    n = len(at)
    born = np.searchsorted(at, lives.birth, side="right")  # the first moment behind it
    gone = np.searchsorted(at, lives.end, side="right")
    seen = np.flatnonzero((of >= 0) & (born < gone))
    born, gone, which = born[seen], gone[seen], of[seen]
    size = block[lives.shape[seen]]
    objects = _changes(kinds, n, which, born, None) - _changes(kinds, n, which, gone, None)
    nbytes = _changes(kinds, n, which, born, size) - _changes(kinds, n, which, gone, size)
    sequence, object_, change = lives.resized
    told = of[object_] >= 0
    sequence, object_, change = sequence[told], object_[told], change[told]
    then = np.searchsorted(at, sequence, side="right")
    end = np.searchsorted(at, lives.end[object_], side="right")
    there = then < end
    which, change = of[object_[there]], change[there]
    nbytes += _changes(kinds, n, which, then[there], change)
    nbytes -= _changes(kinds, n, which, end[there], change)
    return Series(objects.cumsum(axis=1), nbytes.cumsum(axis=1))


def _changes(kinds: int, n: int, which: I64, at: npt.NDArray[np.intp], weight: I64 | None) -> I64:
    """The sum of weights (1 each) by kind and moment; what comes behind the last is left out."""
    inside = at < n
    key = which[inside] * n + at[inside]
    if weight is None:
        sums = np.bincount(key, minlength=kinds * n)
    else:
        sums = np.bincount(key, weight[inside], minlength=kinds * n)  # exact below 2 ** 53
    return sums.astype(np.int64).reshape(kinds, n)


def growth(counts: I64, judged: int, least: int) -> Growth:
    """How the counts at the moments of a clock grow: steadily by `least` at least, or not. There
    must be as many moments to be judged as blocks."""
    told = counts[judged:]
    cuts = np.linspace(0, len(told), BLOCKS + 1).astype(np.int64)
    levels = np.minimum.reduceat(told, cuts[:-1])
    i, j = np.triu_indices(BLOCKS, 1)
    rise = levels[j] - levels[i]
    up, down = int((rise > 0).sum()), int((rise < 0).sum())
    first, last, quarter = int(levels[0]), int(levels[-1]), BLOCKS // 4
    lately = last - int(levels[-1 - quarter])
    steady = (
        last - first >= least
        and up + down >= _DIFFERENT * len(rise)
        and up - down >= _GAMMA * (up + down)
        and lately >= _LAST * (last - first) * quarter / (BLOCKS - 1)
    )
    slope = float(np.median(rise / (j - i)))
    return Growth(first, last, slope * BLOCKS * len(counts) / len(told), steady)
