"""The Pareto front: what no other is at least as good as in everything, and better in something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

REPLAYED: Final = 10
"""Settings on the front that are replayed in full where a sweep is not exact."""


def front(costs: Sequence[tuple[float, ...]]) -> list[int]:
    """Indices of those on the front, by their costs: less is better. Of equal ones the first."""
    order = sorted(range(len(costs)), key=lambda i: (costs[i], i))
    chosen: list[int] = []
    for i in order:
        if not any(all(a <= b for a, b in zip(costs[k], costs[i], strict=True)) for k in chosen):
            chosen.append(i)
    return sorted(chosen)


def spread(chosen: Sequence[int], costs: Sequence[tuple[float, ...]], most: int) -> list[int]:
    """At most so many of them: the best in each cost, and others evenly by the first cost."""
    if len(chosen) <= most:
        return list(chosen)
    kinds = range(len(costs[0]))
    best = dict.fromkeys(min(chosen, key=lambda i: (costs[i][k], costs[i])) for k in kinds)
    rest = sorted((i for i in chosen if i not in best), key=lambda i: costs[i])
    room = most - len(best)
    picked = [rest[(2 * k + 1) * len(rest) // (2 * room)] for k in range(room)]
    return sorted([*best, *picked])
