"""What pauses would take: a model of the collector's time, fitted to measured collections.

A collection of CPython 3.11 (gc_collect_main of Modules/gcmodule.c) walks its candidates three
times: update_refs copies their counts, subtract_refs and move_unreachable follow every reference.
A full one walks on to untrack dicts and to measure its list. Garbage is walked six times more, and
deleted. So

    ns = per_collection + per_candidate * candidates + per_link * links + per_freed * freed
         + per_doubling * visits * log2(1 + visits / 1000) + per_old * (visits of a full one)

with visits = candidates + links. The last two terms are the memory's. What is walked three times
is found in the nearest cache when it is small. Each doubling moves more of it to the next cache,
the next level of page tables, or to memory. What only a full collection visits has not been touched
for long. On real programs a candidate costs 15 to 40 ns in a young collection and 50 to
150 ns in a full one, and one that is freed 70 ns.

A program's own collections cover a narrow range of sizes and do not tell one term from another. So
the fit begins at what is usual (CALIBRATED), scaled to the speed of this machine. It moves each
coefficient as far as the collections say more than is known (DOUBT). What they leave open remains
as `spread`, the covariance of the coefficients. The error of a difference follows from it: what
both runs do, as freeing the same garbage, falls out.

No coefficient is negative. Times depend on the machine and on how the program was measured, so
estimates are no part of a result and of its hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from gcreplay.store.values import mapping, shown, text, whole

from ..policies.policy import OLDEST
from ..results.phases import quantile
from ..results.result import Collection

F64: TypeAlias = npt.NDArray[np.float64]

LEAST = 20
"""Collections below which no model is fitted: three for each coefficient, and two more."""

NEAR = 1000
"""Candidates and links that the nearest cache holds, about 100 bytes each."""

ELSEWHERE = 0.4
"""How far a sum of pauses may be off under settings that the model was not fitted to. Of 98 sums of
real runs (14 programs, thresholds 100 to 50,000), each predicted from the program's own default
setting and a calibration of the other 13, 82 were within (median 17 %, most 89 %). How the fit
weighs what it knows (DOUBT, _TOLD) and SURE were chosen on most of these cases: elsewhere it may be
worse."""

HELD = "82 of 98"

LONGEST_ELSEWHERE = 0.5
"""The same of the longest pause: 82 of 98 (median 18 %, most 81 %)."""

SURE = 2.5
"""Standard errors by which a difference must exceed 0; with STILL, 89 of the 98 lay within. 35
gains of a tenth and more were larger, and one of these was a loss."""

STILL = 0.05
"""Of the first sum: what two runs of one setting differ by on a quiet machine."""

RECORDED_LONGER = 1.2
"""Recorded pauses over unrecorded ones: 1.0 to 1.33 in `bench/results`, up to 1.6 on a busy
machine."""

_TOLD = 0.2
"""How far a program's collections together may mislead about their mean, relative: load, caches."""

_ROUNDS = 25
_OUTLYING = 2.0  # in robust standard deviations: counts less from there on
_TERMS = (
    "per_collection",
    "per_candidate",
    "per_link",
    "per_freed",
    "per_doubling",
    "per_old",
)


@dataclass(frozen=True, slots=True)
class PauseError:
    """Relative errors on collections that the fit did not see, every other one in turn.

    total: of the sum of all pauses, predicted over measured less 1. median, p90: of single pauses,
    without sign.
    """

    total: float
    median: float
    p90: float


@dataclass(frozen=True, slots=True)
class PauseModel:
    """Coefficients in nanoseconds, see the module.

    source: "recorded", of collections whose objects a probe had just read, or "measured", of
    an unrecorded run. collections: how many it was fitted to. spread: the covariance of the
    coefficients, in their order; empty where nobody knows.
    """

    per_collection: float
    per_candidate: float
    per_link: float
    per_freed: float
    per_doubling: float
    per_old: float
    source: str
    collections: int
    error: PauseError
    spread: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PauseModel:
        """The inverse of `to_json`; the first models had neither `per_old` nor `spread`. Raises
        ValueError."""
        given = mapping("a model", {"per_old": 0.0, "spread": [], **values}, cls.__slots__)
        errors = mapping("error", given.pop("error", None), PauseError.__slots__)
        if len(given) + 1 < len(cls.__slots__) or len(errors) < len(PauseError.__slots__):
            raise ValueError("a model lacks some of its figures")
        return cls(
            source=text("source", given.pop("source")),
            collections=whole("collections", given.pop("collections")),
            error=PauseError(**{name: _figure(name, value) for name, value in errors.items()}),
            spread=_square(given.pop("spread")),
            **{name: _figure(name, value) for name, value in given.items()},
        )

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "spread": [list(row) for row in self.spread]}

    @property
    def sums_off(self) -> float:
        """How far a sum of pauses may be off under another setting, relative."""
        return max(abs(self.error.total), self.error.median, ELSEWHERE)

    @property
    def singles_off(self) -> float:
        """How far nine of ten single pauses are off at most, relative."""
        return max(abs(self.error.total), self.error.p90, LONGEST_ELSEWHERE)

    def difference_off(self, before: F64, after: F64) -> float:
        """How far the difference of the times of two sums of work may be off, in nanoseconds: less
        than the sums, as far as both are the same work."""
        total = float(before @ self._coefficients())
        if not self.spread:
            return self.sums_off * total
        change = before - after
        variance = float(change @ np.array(self.spread) @ change)
        return float(SURE * max(variance, 0.0) ** 0.5 + STILL * total)

    def estimate(self, collections: Sequence[Collection]) -> Pauses:
        """What these collections would take."""
        return Pauses(tuple(self._nanoseconds(_terms(collections)).tolist()))

    def estimate_table(self, made: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Of each collection of a table with candidates, links, freed and generation."""
        return self._nanoseconds(_terms_of_table(made))

    def _nanoseconds(self, terms: F64) -> npt.NDArray[np.int64]:
        rounded: npt.NDArray[np.int64] = np.rint(terms @ self._coefficients()).astype(np.int64)
        return rounded

    def _coefficients(self) -> F64:
        return np.array([getattr(self, term) for term in _TERMS])


def work_of(collections: Sequence[Collection]) -> F64:
    """What they did in sum, float64: a figure for each coefficient of a model."""
    total: F64 = _terms(collections).sum(axis=0)
    return total


def work_of_table(made: npt.NDArray[Any]) -> F64:
    """The same of a table, as `estimate_table` takes it."""
    total: F64 = _terms_of_table(made).sum(axis=0)
    return total


class Times(Protocol):
    """Nanoseconds of pauses: their sum, the longest, and what 99 % of them do not exceed."""

    @property
    def total(self) -> int: ...
    @property
    def longest(self) -> int: ...
    @property
    def p99(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Pauses:
    """Nanoseconds of each collection, in their order."""

    each: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.each)

    @property
    def longest(self) -> int:
        return max(self.each, default=0)

    @property
    def p99(self) -> int:
        """The least pause that 99 % of all do not exceed."""
        return quantile(self.each, 99) if self.each else 0


def _named(coefficients: F64) -> dict[str, float]:
    return dict(zip(_TERMS, coefficients.tolist(), strict=True))


CALIBRATED: F64 = np.array([800.0, 12.5, 8.0, 30.0, 3.4, 25.0])
"""What each term usually costs: rounded from real runs of eleven programs on a machine of 2023."""

DOUBT: F64 = np.array([0.5, 0.5, 0.5, 0.5, 1.0, 1.0])
"""How far a program's own cost of each is from that, relative, on an equally fast machine."""

TYPICAL = PauseModel(
    **_named(CALIBRATED),
    source="typical",
    collections=0,
    error=PauseError(0.0, 0.5, 1.0),
    spread=tuple(map(tuple, np.diag((CALIBRATED * DOUBT) ** 2).tolist())),
)
"""For a program that made too few collections to tell of its own."""


def fit(
    collections: Sequence[Collection], durations_ns: Sequence[int], source: str
) -> PauseModel | None:
    """The model of collections and what each took; None for fewer than LEAST of them.

    Nonnegative least squares on two things: residuals relative to the square root of the pause, so
    that short and long ones weigh alike in the total, and the coefficients' distance from what is
    usual on such a machine. Outliers, which waited for something else, weigh less (Huber's
    weights, reweighted _ROUNDS times from the same start: deterministic). Recorded pauses are
    taken for as much longer than real ones as they usually are.
    """
    if len(collections) < LEAST:
        return None
    terms = _terms(collections)
    longer = RECORDED_LONGER if source == "recorded" else 1.0
    took = np.maximum(np.asarray(durations_ns, np.float64) / longer, 1.0)
    coefficients, spread = _fitted(terms, took)
    return PauseModel(
        **_named(coefficients),
        source=source,
        collections=len(took),
        error=_held_out(terms, took),
        spread=tuple(map(tuple, spread.tolist())),
    )


def least(runs: Iterable[Sequence[int]]) -> list[int]:
    """The least duration of each collection over repeated runs that made the same collections."""
    return [min(each) for each in zip(*runs, strict=True)]


def _terms(collections: Sequence[Collection]) -> F64:
    """Float64, one row a collection, one column a coefficient."""
    rows = [(c.candidates, c.links, c.freed, c.generation == OLDEST) for c in collections]
    return _terms_of(*np.array(rows, np.float64).reshape(-1, 4).T)


def _terms_of_table(made: npt.NDArray[Any]) -> F64:
    candidates, links, freed = (
        made[name].astype(np.float64) for name in ("candidates", "links", "freed")
    )
    return _terms_of(candidates, links, freed, made["generation"] == OLDEST)


def _terms_of(candidates: F64, links: F64, freed: F64, full: npt.NDArray[Any]) -> F64:
    visits = candidates + links
    doublings = visits * np.log2(1 + visits / NEAR)
    ones = np.ones(len(visits))
    return np.column_stack([ones, candidates, links, freed, doublings, full * visits])


def _fitted(terms: F64, took: F64) -> tuple[F64, F64]:
    """The coefficients and their covariance."""
    usual = CALIBRATED * _speed(terms, took)
    doubt = np.diag(1 / (usual * DOUBT))
    whole = took.sum() * _TOLD**2
    expected, trust = took, np.ones_like(took)
    for _ in range(_ROUNDS):
        weight = np.sqrt(trust / expected / whole)
        rows = np.vstack([terms * weight[:, None], doubt])
        coefficients = _nonnegative(rows, np.concatenate([took * weight, 1 / DOUBT]))
        expected = np.maximum(terms @ coefficients, 1.0)
        residual = np.abs(took - expected) / expected
        typical = max(1.4826 * float(np.median(residual)), 1e-9)
        trust = np.minimum(1.0, _OUTLYING * typical / np.maximum(residual, 1e-12))
    return coefficients, np.linalg.inv(rows.T @ rows)


def _speed(terms: F64, took: F64) -> float:
    """So many times what is usual these collections took: half of the work took more, half less."""
    usual = terms @ CALIBRATED
    times = took / usual
    order = np.argsort(times, kind="stable")
    done = np.cumsum(usual[order])
    return float(times[order][np.searchsorted(done, done[-1] / 2)])


def _nonnegative(a: F64, b: F64) -> F64:
    """The x >= 0 of the least |a x - b|: the best of all subsets of terms, each solved freely,
    that come out positive. With six terms these are 63, each solved in the six dimensions that
    the rows span (QR)."""
    scale = np.maximum(np.sqrt((a * a).sum(axis=0)), 1e-300)
    basis, triangle = np.linalg.qr(a / scale)
    target = basis.T @ b
    best, chosen = float(target @ target), np.zeros(a.shape[1])
    for size in range(1, a.shape[1] + 1):
        for subset in combinations(range(a.shape[1]), size):
            part, *_ = np.linalg.lstsq(triangle[:, subset], target, rcond=None)
            if (part < 0).any():
                continue
            off = triangle[:, subset] @ part - target
            squares = float(off @ off)
            if squares < best * (1 - 1e-12):
                best, chosen = squares, np.zeros(a.shape[1])
                chosen[list(subset)] = part
    result: F64 = chosen / scale
    return result


def _held_out(terms: F64, took: F64) -> PauseError:
    """Each half of the collections, every other one, is predicted from the other half."""
    expected = np.empty_like(took)
    for half in (slice(0, None, 2), slice(1, None, 2)):
        other = slice(1 - (half.start or 0), None, 2)
        coefficients, _ = _fitted(terms[other], took[other])
        expected[half] = terms[half] @ coefficients
    off = np.abs(expected - took) / took
    return PauseError(
        total=float(expected.sum() / took.sum() - 1),
        median=float(np.median(off)),
        p90=float(np.quantile(off, 0.9)),
    )


def _figure(name: str, value: object, most: float = 1e12) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < most:
        return value
    raise ValueError(f"{name} must be a number of nanoseconds, not {shown(value)}")


def _square(value: object) -> tuple[tuple[float, ...], ...]:
    rows = value if isinstance(value, list | tuple) else (None,)
    whole = all(isinstance(row, list | tuple) and len(row) == len(_TERMS) for row in rows)
    if whole and len(rows) in (0, len(_TERMS)):
        return tuple(tuple(_figure("spread", one, 1e24) for one in row) for row in rows)
    raise ValueError(f"spread must have {len(_TERMS)} rows of as many numbers, or none")
