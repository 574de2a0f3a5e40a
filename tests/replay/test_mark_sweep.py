"""Mark and sweep by heap growth, by hand."""

from __future__ import annotations

import pytest
from cycles import self_cycles

from gcreplay.replay import make_policy, replay
from gcreplay.store import EventLog, TraceBuilder
from gcreplay.store.errors import UsageError


def kept_and_garbage(kept: int, cycles: int) -> EventLog:
    b = TraceBuilder()
    for _ in range(kept):
        b.alloc("Node", module="demo")
    b.gc_call("collect", 0)
    self_cycles(b, cycles)
    return b.build()


@pytest.mark.parametrize(
    ("policy", "behind"),
    [
        ("mark-sweep", [(8, 8, 4), (13, 9, 5), (18, 9, 5)]),
        ("mark-sweep:50", [(6, 6, 2), (9, 7, 3), (12, 7, 3), (15, 7, 3), (18, 7, 3)]),
    ],
)
def test_the_heap_grows_by_its_percentage(policy: str, behind: list[tuple[int, int, int]]) -> None:
    """Four nodes stay. With nothing alive birth 1 (from 0) is more than the least growth, 1; with
    one alive so is birth 3. The program collects, generation 0 by name, and four are alive: 100 %
    are exceeded by the fifth birth, number 8, which is not tracked yet; 50 % by the third, 6."""
    with kept_and_garbage(4, 15) as log:
        made = [(c.allocation, c.candidates, c.collected) for c in replay(log, policy).collections]
        assert made == [(1, 1, 0), (3, 3, 0), (4, 4, 0), *behind]


@pytest.mark.parametrize("arguments", ["0", "x", "1.5", "-1"])
def test_malformed(arguments: str) -> None:
    with pytest.raises(UsageError, match="is no growth"):
        make_policy(f"mark-sweep:{arguments}")
