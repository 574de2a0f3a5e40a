"""CPython 3.12 and later: a birth asks for a collection, a safepoint makes it if still due."""

from __future__ import annotations

import pytest
from cycles import self_cycle

from gcreplay.replay import make_policy, replay
from gcreplay.replay.policies.policy import Recording
from gcreplay.replay.run import Replay
from gcreplay.store import EventLog, TraceBuilder
from gcreplay.store.events import Flag

NEWER = ("cpython-3.12", "cpython-3.13", "cpython-3.14.5", "cpython-3.15")
BORN = Flag.GC | Flag.COUNTED | Flag.TRACKED


def made(log: EventLog, policy: str) -> list[tuple[int, int, int, int, int]]:
    """(sequence, next object or the one being born, generation, candidates, collected)."""
    return [
        (c.sequence, c.allocation, c.generation, c.candidates, c.collected)
        for c in replay(log, policy).collections
    ]


def node_loop(n: int, *, safepoints: bool) -> EventLog:
    """`x = Node(); x.me = x`, n times; a call checks when it returns, before x is bound anew."""
    b = TraceBuilder()
    b.start()
    old = None
    for _ in range(n):
        node = b.alloc("Node", module="demo")
        if safepoints:
            b.safepoint()
        if old is not None:
            b.decref(old)
        b.link(node, node)
        old = node
    return b.build()


def test_up_to_3_11_only_the_newest_node_of_a_loop_survives() -> None:
    """Events: 0 START, three a node, the first without a DECREF: birth n (from 0) is event 3 n.
    T0 = 2: birth 2 collects inside its allocation, untracked itself: node 1 is alive still."""
    with node_loop(8, safepoints=False) as log:
        assert made(log, "cpython-3.11:2,10,10") == [(6, 2, 0, 2, 1), (15, 5, 0, 3, 2)]


@pytest.mark.parametrize("version", NEWER)
def test_from_3_12_on_the_two_newest_survive(version: str) -> None:
    """Four events a node. Birth 2 is over T0 = 2 and the safepoint behind it collects: node 1 is
    bound, node 2 on the stack, and node 0 is garbage. Three births later again: of 3, 4 and 5, the
    last two survive, beside 1 and 2, which the young collection does not see."""
    with node_loop(8, safepoints=True) as log:
        assert made(log, f"{version}:2,10,10") == [(9, 3, 0, 3, 1), (21, 6, 0, 3, 1)]


@pytest.mark.parametrize("version", NEWER)
def test_without_safepoints_the_next_allocation_decides(version: str) -> None:
    """Birth 2 is event 6; DECREF and LINK follow; the collection runs before event 9, birth 3."""
    with node_loop(8, safepoints=False) as log:
        assert made(log, f"{version}:2,10,10") == [(8, 3, 0, 3, 2), (17, 6, 0, 3, 2)]


def falls_back(*, older_due: bool) -> EventLog:
    """The counter crosses T0 = 2 and falls below it before the safepoint."""
    b = TraceBuilder()
    b.start(count=(0, 11 if older_due else 0, 0))
    first, *_ = [b.alloc("Node", module="demo") for _ in range(3)]
    b.decref(first)
    b.safepoint()
    return b.build()


@pytest.mark.parametrize("version", NEWER)
def test_a_counter_that_fell_below_the_threshold_collects_nothing(version: str) -> None:
    with falls_back(older_due=False) as log:
        assert made(log, f"{version}:2,10,10") == []


@pytest.mark.parametrize("version", NEWER)
def test_an_older_generation_that_is_due_is_collected_all_the_same(version: str) -> None:
    """gc_select_generation compares the second counter, 11 > 10, before the first, 2."""
    with falls_back(older_due=True) as log:
        assert made(log, f"{version}:2,10,10") == [(5, 3, 1, 2, 0)]


@pytest.mark.parametrize("version", NEWER)
def test_disabling_before_the_safepoint_drops_the_collection(version: str) -> None:
    """And enabling afterwards does not bring it back: the next birth over T0 does."""
    b = TraceBuilder()
    b.start()
    for _ in range(2):
        self_cycle(b)
    b.gc_call("disable")
    b.safepoint()
    b.gc_call("enable")
    b.safepoint()
    self_cycle(b)
    b.safepoint()
    with b.build() as log:
        assert made(log, f"{version}:1,10,10") == [(14, 3, 0, 3, 3)]


@pytest.mark.parametrize("version", NEWER)
def test_a_long_call_into_c_makes_one_collection(version: str) -> None:
    """20,000 sets in one call: 28 collections up to 3.11, of 701 births each, one from 3.12 on."""
    b = TraceBuilder()
    b.start()
    for _ in range(20_000):
        b.alloc("set")
    b.safepoint()
    with b.build() as log:
        assert len(made(log, "cpython-3.11:700,10,10")) == 28
        assert made(log, f"{version}:700,10,10") == [(20_001, 20_000, 0, 20_000, 0)]


@pytest.mark.parametrize(
    ("version", "generation"), [("cpython-3.12", 3), ("cpython-3.13", 3), ("cpython-3.14.5", 4)]
)
def test_immortal_objects_leave_the_lists(version: str, generation: int) -> None:
    """They become permanent (3), from 3.14 on untracked (4), and are no candidates any more. The
    set is one beside the ordinary node."""
    b = TraceBuilder()
    b.start()
    forever = b.alloc("Node", module="demo", flags=BORN | Flag.IMMORTAL)
    b.alloc("Node", module="demo")
    b.gc_call("collect", 0)
    b.gc_call("collect", 2)
    with b.build() as log:
        run = Replay(log, version)
        result = run.run()
        assert run.engine.snapshot()[forever][1] == generation
        assert [(c.candidates, c.survivors) for c in result.collections] == [(1, 1), (1, 1)]
        assert [c.candidates for c in replay(log, "cpython-3.11").collections] == [2, 2]


@pytest.mark.parametrize(("version", "left"), [("cpython-3.13", 1), ("cpython-3.14.5", 2)])
def test_dicts_are_untracked_up_to_3_13(version: str, left: int) -> None:
    """A dict with nothing in it, and a node: only a full collection of 3.13 untracks the dict."""
    b = TraceBuilder()
    b.start()
    b.alloc("dict", flags=BORN)
    b.alloc("Node", module="demo")
    b.gc_call("collect", 1)
    b.gc_call("collect", 2)
    with b.build() as log:
        assert [c.survivors for c in replay(log, version).collections] == [2, left]


@pytest.mark.parametrize(
    ("policy", "recorded", "begins"),
    [
        ("cpython-3.12", (700, 10, 10), 700),
        ("cpython-3.13", (700, 10, 10), 2000),
        ("cpython-3.13", (50, 10, 10), 50),
        ("cpython-3.13:90,10,10", (50, 10, 10), 90),
    ],
)
def test_a_version_begins_with_its_own_thresholds_unless_others_were_set(
    policy: str, recorded: tuple[int, int, int], begins: int
) -> None:
    """Births of nodes: the first collection comes behind birth T0 + 1, that is number T0."""
    b = TraceBuilder()
    b.start(threshold=recorded)
    for _ in range(begins + 1):
        b.alloc("Node", module="demo")
        b.safepoint()
    with b.build() as log:
        assert [c.allocation for c in replay(log, policy).collections] == [begins + 1]


def test_a_result_says_that_only_the_collector_is_swapped_and_that_safepoints_are_missing() -> None:
    b = TraceBuilder(python="3.11.7")
    b.start()
    b.mark("m")
    with b.build() as log:
        assert replay(log, "cpython-3.11").notes == ()
        swapped, missing = replay(log, "freeze@m+cpython-3.13").notes
        assert swapped == (
            "recorded on CPython 3.11.7: only the collector is that of CPython 3.13; object "
            "layout, free lists and what is tracked at birth stay the recording's"
        )
        assert missing == (
            "the recording has no safepoints: a collection that is due runs at the next allocation"
        )
        assert replay(log, "cpython-3.13").to_json()["notes"] == [swapped, missing]


def test_a_result_over_the_same_version_says_nothing_of_it() -> None:
    for python in ("3.13.1", ""):
        recording = Recording(python, safepoints=True, probed=False)
        assert make_policy("cpython-3.13").notes(recording) == ()
