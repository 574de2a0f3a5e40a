"""The incremental collectors of CPython 3.14.0 to 3.14.4, by hand and against what was measured."""

from __future__ import annotations

import pytest
from cycles import self_cycle
from programs import node_loop, queue

from gcreplay.replay import make_policy, replay
from gcreplay.store import EventLog, TraceBuilder
from gcreplay.store.events import Flag

MARKED, ASIDE = 21_815, 1_060
"""The interpreter that was measured: what its roots reach at the first line of the loop, two nodes
short of the 21,817 that it marked, and about as many more that only C code held."""


def test_a_loop_of_self_cycles_waits_until_the_marking_is_repaid() -> None:
    """3.14.2, T0 = 2000: 21,817 are marked and taken from the work twice; each run repays 2,001 and
    a hundredth of the heap. The first node is freed at node 38,018 (measured and predicted)."""
    program = node_loop(40_000, found=(0, 0, MARKED), aside=ASIDE, threshold=(2000, 10, 0))
    with program.b.build() as log:
        marking, first = replay(log, "cpython-3.14.2").collections
        assert (marking.candidates, marking.collected) == (21_817, 0)
        assert first.allocation - program.before - 1 == 38_018
        assert first.collected > 0


def test_3_14_0_frees_young_garbage_in_every_run_but_those_that_mark() -> None:
    """The same loop: about 2,000 outstanding (published), 4,000 over the run that marks."""
    program = node_loop(40_000, found=(0, 0, MARKED), aside=ASIDE, threshold=(2000, 10, 0))
    with program.b.build() as log:
        runs = replay(log, "cpython-3.14.0").collections
        assert [c.allocation - program.before for c in runs] == list(range(2001, 40_001, 2001))
        assert all(c.collected in (1999, 3998) for c in runs if c.candidates != 21_817)


def test_queue() -> None:
    """A deque of 1,000 instances that refer to themselves: 3.14.2 frees first at instance 36,016,
    34,014 of them, and three times up to 100,000. Of 36,016 are in the queue 1,000 and the newest;
    as many were in it when the run marked, and are old."""
    state = {"threshold": (2000, 10, 0), "count": (2, 0, 0)}
    program = queue(1000, 100_000, found=(0, 0, 20_000), aside=ASIDE, **state)
    with program.b.build() as log:
        freed = [c for c in replay(log, "cpython-3.14.2").collections if c.collected]
        assert (freed[0].allocation - program.before, freed[0].collected) == (36_016, 34_014)
        assert len(freed) == 3


def three_held_and_garbage(pairs: int) -> EventLog:
    """Three old objects that stay, then self-cycles, with a safepoint behind every second."""
    b = TraceBuilder()
    for _ in range(3):
        b.track(b.alloc("Node", module="demo"), 2)
    b.start(threshold=(1, 0, 0))
    for _ in range(pairs):
        self_cycle(b)
        self_cycle(b)
        b.safepoint()
    return b.build()


@pytest.mark.parametrize(
    ("policy", "runs"),
    [
        ("cpython-3.14.2:1,0,0", [(3, 0), (6, 6), (3, 0)]),
        ("cpython-3.14.0:1,0,0", [(3, 0), (4, 4), (3, 0), (4, 4)]),
    ],
)
def test_a_trace_by_hand(policy: str, runs: list[tuple[int, int]]) -> None:
    """T0 = 1, a heap too small for a share. 3.14.2: run 1 has work 2, marks 3 and is left with
    2 - 6 = -4; run 2 has -2 and does nothing; run 3 has 0 and collects the six cycles. Nothing is
    pending: a new cycle begins, and run 4 marks. 3.14.0 collects in run 2, at -2, what is young."""
    with three_held_and_garbage(4) as log:
        made = replay(log, policy).collections
        assert [(c.candidates, c.collected) for c in made] == runs
        assert {c.generation for c in made} == {1}


def test_only_3_14_2_counts_what_is_tracked() -> None:
    """Births that are not tracked are no births to it; what is untracked is taken off again."""
    b = TraceBuilder()
    b.start()
    untracked = Flag.GC | Flag.COUNTED
    for _ in range(3):
        b.alloc("tuple", flags=untracked)
    b.safepoint()
    first, *_ = [b.alloc("Node", module="demo") for _ in range(2)]
    b.untrack(first)
    b.alloc("Node", module="demo")
    b.safepoint()
    b.alloc("Node", module="demo")
    b.safepoint()
    with b.build() as log:
        assert [c.allocation for c in replay(log, "cpython-3.14.0:2,0,0").collections] == [3, 6]
        assert [c.allocation for c in replay(log, "cpython-3.14.2:2,0,0").collections] == [7]


def test_a_full_collection_takes_all_and_begins_anew() -> None:
    with three_held_and_garbage(1) as log:
        assert replay(log, "cpython-3.14.2:9,0,0").collections == ()
    b = TraceBuilder()
    b.start()
    kept = b.alloc("Node", module="demo")
    self_cycle(b)
    b.gc_call("collect", 0)
    self_cycle(b)
    b.gc_call("collect", 2)
    b.decref(kept)
    with b.build() as log:
        made = replay(log, "cpython-3.14.2").collections
        assert [(c.generation, c.candidates, c.collected) for c in made] == [(0, 2, 1), (2, 2, 1)]


def test_it_says_what_it_takes_for_roots() -> None:
    with three_held_and_garbage(1) as log:
        (note,) = replay(log, "cpython-3.14.2").notes
        assert note.startswith("its roots are all objects that something outside the recorded ones")
    assert make_policy("freeze@m+cpython-3.14.2").counts_links
