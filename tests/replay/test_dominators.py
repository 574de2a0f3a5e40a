"""Dominators and ways from roots, against their plain definitions on random graphs."""

from __future__ import annotations

from itertools import chain

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gcreplay.replay.leaks import _graph

Graph = tuple[list[list[int]], list[bool]]
"""The targets of each vertex, and which are roots."""


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    n = draw(st.integers(0, 12))
    vertex = st.integers(0, max(0, n - 1))
    targets = [draw(st.lists(vertex, max_size=4)) for _ in range(n)]
    return targets, [draw(st.integers(0, 3)) == 0 for _ in range(n)]


def arrays(graph: Graph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    targets, roots = graph
    begin = np.cumsum([0, *map(len, targets)]).astype(np.uint64)
    return begin, np.array(list(chain(*targets)), np.uint32), np.array(roots, np.uint8)


def reached(graph: Graph, without: int | None = None) -> set[int]:
    """What roots lead to when one vertex is not there."""
    targets, roots = graph
    todo = [v for v, is_root in enumerate(roots) if is_root and v != without]
    seen = set(todo)
    while todo:
        new = set(targets[todo.pop()]) - seen - {without}
        seen |= new
        todo += new
    return seen


def dominating(graph: Graph) -> dict[int, set[int]]:
    """By vertex that is reached: those without which it would not be, itself aside."""
    everything = reached(graph)
    lost = {v: everything - reached(graph, without=v) for v in everything}
    return {v: {d for d in everything if v in lost[d] and d != v} for v in everything}


@given(graphs())
def test_a_dominator_is_the_last_without_which_nothing_leads_there(graph: Graph) -> None:
    above = dominating(graph)
    found, order = _graph.dominators(*arrays(graph))
    for v, of in enumerate(found.tolist()):
        if v not in above:
            assert of == -2
        elif not above[v]:
            assert of == -1
        else:
            assert of in above[v]
            assert above[v] == above[of] | {of}
    assert sorted(order.tolist()) == sorted(above)
    place = {v: i for i, v in enumerate(order.tolist())}
    assert all(place[of] < place[v] for v, of in enumerate(found.tolist()) if of >= 0)


@given(graphs())
def test_what_is_dominated_is_what_would_be_lost(graph: Graph) -> None:
    found, order = _graph.dominators(*arrays(graph))
    everything = reached(graph)
    sums = 1 << np.arange(len(found), dtype=np.int64)  # each vertex is a bit of its own
    _graph.sum_up(order, found, sums)
    for v in everything:
        assert int(sums[v]) == sum(1 << lost for lost in everything - reached(graph, without=v))


@given(graphs(), st.data())
def test_the_way_from_the_roots_is_a_shortest_one(graph: Graph, data: st.DataObject) -> None:
    begin, target, root = arrays(graph)
    n = len(root)
    barred = np.array([data.draw(st.integers(0, 5)) == 0 for _ in range(n)], np.uint8)
    via = np.full(n, _graph.NOT_REACHED, np.uint64)
    above, depth = np.zeros(n, np.uint32), np.zeros(n, np.uint32)
    starts = np.flatnonzero(root).astype(np.uint32)
    _graph.reach(begin, target, starts, barred, via, above, depth)
    level = {v for v in starts.tolist() if not barred[v]}
    seen: set[int] = set()
    for distance in range(n + 1):
        seen |= level
        for v in level:
            assert depth[v] == distance
            if distance == 0:
                assert via[v] == _graph.IS_START
            else:
                assert target[via[v]] == v
                assert begin[above[v]] <= via[v] < begin[above[v] + 1]
                assert depth[above[v]] == distance - 1
        level = {t for v in level for t in graph[0][v] if not barred[t]} - seen
    assert all(via[v] == _graph.NOT_REACHED for v in range(n) if v not in seen)


def test_a_chain_of_which_all_hold_one_object_is_no_deep_recursion() -> None:
    n = 200_000
    graph = [[v + 1, n] for v in range(n - 1)] + [[n], [0]]
    begin, target, root = arrays((graph, [v == 0 for v in range(n + 1)]))
    found, _ = _graph.dominators(begin, target, root)
    assert found.tolist() == [-1, *range(n - 1), 0]
