"""A series in so many columns as a drawing is wide: no peak is lost, no mean is shifted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gcreplay.report.view import F64, Line


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """edges float64 (n + 1,); low, high, mean float64 (n,), NaN where there is nothing."""

    edges: F64
    low: F64
    high: F64
    mean: F64


def columns(start: F64, line: Line, number: int) -> Columns:
    """The line in `number` columns of equal width. A bin that touches several counts in each of
    them for low and high, and by the length that lies within for the mean."""
    edges = np.linspace(start[0], start[-1], number + 1)
    first = np.searchsorted(start, edges[:-1], side="left")
    first = np.where(start[first] == edges[:-1], first, first - 1)
    behind = np.maximum(np.searchsorted(start, edges[1:], side="left"), first + 1)
    first, behind = np.clip(first, 0, len(line.low) - 1), np.clip(behind, 1, len(line.low))
    cuts = np.column_stack([first, behind]).ravel()

    def extreme(of: np.ufunc, values: F64) -> F64:
        """The pairs of `cuts` are ranges; `reduceat` needs each of them to lie within."""
        return np.asarray(of.reduceat(np.append(values, np.nan), cuts)[::2], dtype=np.float64)

    known = np.isfinite(line.mean)
    length = np.where(known, np.diff(start), 0.0)
    area = np.concatenate([[0.0], np.cumsum(np.where(known, line.mean, 0.0) * length)])
    covered = np.concatenate([[0.0], np.cumsum(length)])
    sums, lengths = (np.diff(np.interp(edges, start, whole)) for whole in (area, covered))
    mean = np.divide(sums, lengths, out=np.full(number, np.nan), where=lengths > 0)
    low, high = extreme(np.fmin, line.low), extreme(np.fmax, line.high)
    return Columns(edges, low, high, np.clip(mean, low, high))


def as_given(start: F64, line: Line) -> Columns:
    """The line as it is, where it has no more bins than the drawing has columns."""
    return Columns(start, line.low, line.high, line.mean)
