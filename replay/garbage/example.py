"""One cycle out of a component, to show: the one that tells most in fewest steps."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

from ..references.names import Edge

MOST_OBJECTS = 300
"""So many objects of a component are searched, nearest first; all where those have no cycle."""
_STARTS = 16


def weight(label: str) -> int:
    """How little a name tells: attributes, locals, keys and indices are what people write."""
    if not label:
        return 6
    if label.startswith(".__") or label.startswith("("):
        return 3
    return 4 if label == ":(stack)" else 2


def shortest_cycle(edges: Sequence[Edge], objects: Sequence[int]) -> list[Edge]:
    """The cycle through one of the first objects whose names weigh least, and of those the first;
    [] where there is none. Dijkstra's algorithm from each."""
    outgoing: dict[int, list[Edge]] = {}
    for edge in edges:
        outgoing.setdefault(edge.source, []).append(edge)
    best: list[Edge] = []
    least = 1 << 30
    for start in objects[:_STARTS]:
        cycle, cost = _through(start, outgoing, least)
        if cycle:
            best, least = cycle, cost
    return best


def _through(start: int, outgoing: dict[int, list[Edge]], least: int) -> tuple[list[Edge], int]:
    """The cycle through an object that costs less than `least`, and its cost."""
    queue: list[tuple[int, int, int]] = [(0, 0, start)]
    came: dict[int, Edge] = {}
    cost = {start: 0}
    turn = 0
    closing: Edge | None = None
    while queue:
        so_far, _, at = heappop(queue)
        if so_far > cost[at] or so_far >= least:
            continue
        for edge in outgoing.get(at, ()):
            price = so_far + weight(edge.label)
            if price >= least:
                continue
            if edge.target == start:
                closing, least = edge, price
            elif price < cost.get(edge.target, least):
                cost[edge.target], came[edge.target] = price, edge
                turn += 1
                heappush(queue, (price, turn, edge.target))
    if closing is None:
        return [], least
    cycle = [closing]
    while cycle[-1].source != start:
        cycle.append(came[cycle[-1].source])
    return cycle[::-1], least


def turned(cycle: list[Edge], tells: Sequence[bool]) -> list[Edge]:
    """The cycle from its oldest object on whose type is not of the language itself; `tells`: of the
    source of each of its edges, whether that is so."""
    wanted = [edge.source for edge, telling in zip(cycle, tells, strict=True) if telling]
    first = min(wanted or [edge.source for edge in cycle])
    at = next(i for i, edge in enumerate(cycle) if edge.source == first)
    return cycle[at:] + cycle[:at]
