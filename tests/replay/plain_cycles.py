"""Cycles as a plain program finds them: the reference that `gcreplay.replay.garbage` equals.

Two objects are in one cycle if each reaches the other: asked of every pair, by walking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Graph = Mapping[int, Iterable[int]]


def reached(graph: Graph, start: int) -> set[int]:
    """What a walk of one step or more from an object comes to."""
    found: set[int] = set()
    todo = list(graph[start])
    while todo:
        at = todo.pop()
        if at not in found:
            found.add(at)
            todo += graph[at]
    return found


def components(graph: Graph) -> set[frozenset[int]]:
    """The cycles."""
    reach = {one: reached(graph, one) for one in graph}
    return {
        frozenset(other for other in reach[one] if one in reach[other])
        for one in graph
        if one in reach[one]
    }


def hanging(graph: Graph, cycles: Iterable[frozenset[int]]) -> dict[int, frozenset[int]]:
    """By object in no cycle: of the cycles that reach it the one with the oldest object."""
    inside = {one for cycle in cycles for one in cycle}
    owner: dict[int, frozenset[int]] = {}
    for cycle in sorted(cycles, key=min):
        for one in _outside(graph, cycle, inside):
            owner.setdefault(one, cycle)
    return owner


def _outside(graph: Graph, cycle: frozenset[int], inside: set[int]) -> set[int]:
    """What hangs from a cycle and from no other below it."""
    found: set[int] = set()
    todo = [target for one in cycle for target in graph[one]]
    while todo:
        at = todo.pop()
        if at not in found and at not in inside:
            found.add(at)
            todo += graph[at]
    return found
