"""What pauses would take: a model of the collector's time, fitted to measured collections.

A collection of CPython 3.11 (gc_collect_main of Modules/gcmodule.c) walks its candidates three
times: update_refs copies their counts, subtract_refs and move_unreachable follow every reference.
A full one walks on to untrack dicts and to measure its list. Then it deletes what it found. So

    ns = per_collection + per_candidate * candidates + per_link * links + per_freed * freed
         + per_doubling * visits * log2(1 + visits / 1000) + per_old * (visits of a full one)

with visits = candidates + links. The last terms are the memory's: what is walked three times is
found in the nearest cache when it is small, and each doubling moves more of it to the next cache,
the next level of page tables, or to memory; and what only a full collection visits has not been
touched for long. On real programs a visit costs 10 ns in a young collection and 100 ns in a full
one.

No coefficient is negative. Times depend on the machine and on how the program was measured, so
estimates are no part of a result and of its hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, TypeAlias

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

ELSEWHERE = 0.3
"""How far estimates may be off under settings that the model was not fitted to: of 36 sums in
`bench/results`, 28 were within (31 of models fitted to unrecorded runs)."""

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

    source: "recorded", of collections whose objects a probe had just looked at, or "measured", of
    an unrecorded run. collections: how many it was fitted to.
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

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PauseModel:
        """The inverse of `to_json`; the first models had no `per_old`. Raises ValueError."""
        given = mapping("a model", {"per_old": 0.0, **values}, cls.__slots__)
        errors = mapping("error", given.pop("error", None), PauseError.__slots__)
        if len(given) + 1 < len(cls.__slots__) or len(errors) < len(PauseError.__slots__):
            raise ValueError("a model lacks some of its figures")
        return cls(
            source=text("source", given.pop("source")),
            collections=whole("collections", given.pop("collections")),
            error=PauseError(**{name: _figure(name, value) for name, value in errors.items()}),
            **{name: _figure(name, value) for name, value in given.items()},
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def sums_off(self) -> float:
        """How far a sum of pauses may be off under another setting, relative."""
        return max(abs(self.error.total), self.error.median, ELSEWHERE)

    @property
    def singles_off(self) -> float:
        """How far nine of ten single pauses are off at most, relative."""
        return max(abs(self.error.total), self.error.p90, ELSEWHERE)

    def estimate(self, collections: Sequence[Collection]) -> Pauses:
        """What these collections would take."""
        return Pauses(tuple(self._nanoseconds(_terms(collections)).tolist()))

    def estimate_table(self, made: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Of each collection of a table with candidates, links, freed and generation."""
        candidates, links, freed = (
            made[name].astype(np.float64) for name in ("candidates", "links", "freed")
        )
        return self._nanoseconds(_terms_of(candidates, links, freed, made["generation"] == OLDEST))

    def _nanoseconds(self, terms: F64) -> npt.NDArray[np.int64]:
        coefficients = np.array([getattr(self, term) for term in _TERMS])
        rounded: npt.NDArray[np.int64] = np.rint(terms @ coefficients).astype(np.int64)
        return rounded


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


TYPICAL = PauseModel(
    per_collection=1_000.0,
    per_candidate=15.0,
    per_link=5.0,
    per_freed=60.0,
    per_doubling=1.5,
    per_old=10.0,
    source="typical",
    collections=0,
    error=PauseError(0.0, 0.5, 1.0),
)
"""Of programs on a machine of 2023, for one that made too few collections to tell of its own."""


def fit(
    collections: Sequence[Collection], durations_ns: Sequence[int], source: str
) -> PauseModel | None:
    """The model of collections and what each took; None for fewer than LEAST of them.

    Nonnegative least squares on residuals relative to the square root of the pause, so that short
    and long ones weigh alike in the total; outliers, which waited for something else, weigh
    less (Huber's weights, reweighted _ROUNDS times from the same start: deterministic).
    """
    if len(collections) < LEAST:
        return None
    terms = _terms(collections)
    took = np.maximum(np.asarray(durations_ns, np.float64), 1.0)
    coefficients = dict(zip(_TERMS, _fitted(terms, took).tolist(), strict=True))
    error = _held_out(terms, took)
    return PauseModel(**coefficients, source=source, collections=len(took), error=error)


def least(runs: Iterable[Sequence[int]]) -> list[int]:
    """The least duration of each collection over repeated runs that made the same collections."""
    return [min(each) for each in zip(*runs, strict=True)]


def _terms(collections: Sequence[Collection]) -> F64:
    """Float64, one row a collection, one column a coefficient."""
    rows = [(c.candidates, c.links, c.freed, c.generation == OLDEST) for c in collections]
    return _terms_of(*np.array(rows, np.float64).reshape(-1, 4).T)


def _terms_of(candidates: F64, links: F64, freed: F64, full: npt.NDArray[Any]) -> F64:
    visits = candidates + links
    doublings = visits * np.log2(1 + visits / NEAR)
    ones = np.ones(len(visits))
    return np.column_stack([ones, candidates, links, freed, doublings, full * visits])


def _fitted(terms: F64, took: F64) -> F64:
    expected, trust = took, np.ones_like(took)
    for _ in range(_ROUNDS):
        weight = np.sqrt(trust / expected)
        coefficients = _nonnegative(terms * weight[:, None], took * weight)
        expected = np.maximum(terms @ coefficients, 1.0)
        residual = np.abs(took - expected) / expected
        usual = max(1.4826 * float(np.median(residual)), 1e-9)
        trust = np.minimum(1.0, _OUTLYING * usual / np.maximum(residual, 1e-12))
    return coefficients


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
        expected[half] = terms[half] @ _fitted(terms[other], took[other])
    off = np.abs(expected - took) / took
    return PauseError(
        total=float(expected.sum() / took.sum() - 1),
        median=float(np.median(off)),
        p90=float(np.quantile(off, 0.9)),
    )


def _figure(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12:
        return value
    raise ValueError(f"{name} must be a number of nanoseconds, not {shown(value)}")
