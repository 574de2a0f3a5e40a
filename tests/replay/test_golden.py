"""Golden figures of the chain program: cycles of nodes held by a list that is cleared when full.

Numbers of collections and of collected nodes follow from the arithmetic beside the table; the
peaks under a collector are what the native and the plain-Python engine agree on.
"""

from __future__ import annotations

import pytest
from reference import Reference, killed_inside

from gcreplay.replay import replay
from gcreplay.store import EventLog, TraceBuilder


def chain(n: int, hold: int, nodes: int) -> EventLog:
    """Cycles of n nodes appended to a holder list that is cleared when it has `hold` nodes."""
    b = TraceBuilder()
    b.start()
    holder = b.alloc("list")
    held: list[int] = []
    for _ in range(nodes // n):
        ring = [b.alloc("Node", module="demo") for _ in range(n)]
        for node, following in zip(ring, ring[1:] + ring[:1], strict=True):
            b.link(node, following)
        for node in ring:
            b.link(holder, node)
            b.decref(node)
        held += ring
        if len(held) >= hold:
            for node in held:
                b.unlink(holder, node)
            held = []
    return b.build()


# (n, hold), policy: collections by generation, collected, peak objects, peak floating objects.
#
# Births: the holder and 9,000 nodes. T0 = 700: 9,001 // 701 = 12 collections, the 12th a middle
# one, at birth 8,412; by then 8,400 nodes (8,000 with hold = 2,000) were dropped, and it finds all
# that the young ones had promoted. T0 = 100: 9,001 // 101 = 89. T1 = T2 = 5: every 7th is a middle
# one; the sixth of those, number 42, makes number 43 an old one, and 89 = 2 * 43 + 3.
# Clairvoyant keeps what is held and the holder; `never` keeps all.
GOLDEN = [
    ((10, 100), "never", [0, 0, 0], 0, 9001, 9000),
    ((10, 100), "cpython-3.11", [11, 1, 0], 8400, 892, 880),
    ((10, 100), "generational:100,5,5", [75, 12, 2], 8630, 975, 890),
    ((10, 100), "clairvoyant", [0, 0, 0], 9000, 101, 0),
    ((10, 2000), "never", [0, 0, 0], 0, 9001, 8000),
    ((10, 2000), "cpython-3.11", [11, 1, 0], 8000, 6932, 6520),
    ((10, 2000), "generational:100,5,5", [75, 12, 2], 8000, 4326, 3760),
    ((10, 2000), "clairvoyant", [0, 0, 0], 8000, 2001, 0),
]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: f"{golden[0]} {golden[1]}")
def test_chain_figures(golden: tuple[tuple[int, int], str, list[int], int, int, int]) -> None:
    (n, hold), policy, *figures = golden
    result = replay(chain(n, hold, 9000), policy)
    assert [
        result.collections_by_generation,
        result.collected,
        result.peak_objects,
        result.peak_floating_objects,
    ] == figures


@pytest.mark.parametrize(("n", "hold"), [(10, 100), (10, 2000), (100, 100)])
def test_chain_collections_equal_the_specification(n: int, hold: int) -> None:
    with chain(n, hold, 9000) as log:
        plain = Reference(log, "cpython-3.11", modelled=False, killed=killed_inside(log))
        plain.apply(log.events())
        result = replay(log, "cpython-3.11")
        assert [
            (c.sequence, c.generation, c.candidates, c.collected) for c in result.collections
        ] == [(m.sequence, m.generation, m.candidates, m.collected) for m in plain.made]
