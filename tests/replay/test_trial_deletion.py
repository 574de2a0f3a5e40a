"""Trial deletion with a buffer of roots, as PHP and Nim have it, by hand."""

from __future__ import annotations

import pytest
from cycles import self_cycle, self_cycles

from gcreplay.replay import OWN_SPACE, PERMANENT, Heap, Policy, make_policy, replay
from gcreplay.replay.policies.php import PHP
from gcreplay.replay.testing import check
from gcreplay.store import EventLog, TraceBuilder
from gcreplay.store.events import StartState


def roots_that_live(b: TraceBuilder, n: int) -> None:
    """So many objects that lose one of two references."""
    for _ in range(n):
        node = b.alloc("Node", module="demo")
        b.incref(node)
        b.decref(node)


def made(log: EventLog, policy: str) -> list[tuple[int, int, int]]:
    collections = replay(log, policy).collections
    assert {c.cause for c in collections} == {"threshold"}
    return [(c.allocation, c.candidates, c.collected) for c in collections]


def test_php_collects_when_the_10001st_root_finds_no_place() -> None:
    """It is held meanwhile, and a root behind it: the next 10,000 fill the buffer again."""
    b = TraceBuilder()
    self_cycles(b, 25_000)
    with b.build() as log:
        assert made(log, "php") == [(10_001, 10_000, 10_000), (20_001, 10_000, 10_000)]
        assert replay(log, "php").peak_floating_objects == 10_001


def test_php_waits_longer_when_little_is_freed_and_less_when_much_is() -> None:
    """99 of 10,000 are too few: 20,000 may be in the buffer, of which one is there. 100 of the next
    20,000 are not: 10,000 again."""
    b = TraceBuilder()
    self_cycles(b, 99)
    roots_that_live(b, 9_902)
    self_cycles(b, 100)
    roots_that_live(b, 19_900)
    self_cycles(b, 10_000)
    with b.build() as log:
        assert made(log, "php") == [
            (10_001, 10_000, 99),
            (30_001, 20_000, 100),
            (40_001, 10_000, 9_999),
        ]


@pytest.mark.parametrize(
    ("garbage", "alive", "second"),
    [(128, 0, 256), (64, 64, 128 + 128 + 16), (63, 65, 128 + 128 + 192)],
)
def test_nim_adapts_the_number_of_roots(garbage: int, alive: int, second: int) -> None:
    """The 128th root collects. All garbage: 128 more; half of it: 16 more than that; less: 128 and
    half of it again."""
    b = TraceBuilder()
    self_cycles(b, garbage)
    roots_that_live(b, alive)
    self_cycles(b, 500)
    with b.build() as log:
        first, *later = made(log, "nim-orc")
        assert first == (128, 128, garbage)
        assert later[0] == (second, second - 128, second - 128)


class Three(PHP):
    default = 3


def test_a_collection_visits_what_roots_lead_to_and_at_nothing_else() -> None:
    """Two roots fit. A ring of three is let go of, of which 0 alone is a root, as 1 and 2 lost
    nothing: their makers' references were handed over. Node 3 holds 4, which is let go of: a root,
    and held. Of 5 and 6, 6 is the third root: 0, 1, 2 and 4 are visited, and 0, 1, 2 are
    garbage."""
    b = TraceBuilder()
    nodes = [b.alloc("Node", module="demo") for _ in range(7)]
    b.link(0, 1)
    b.link(1, 2)
    b.link(2, 0)
    b.link(3, 4)
    b.gc_call("disable")
    b.decref(4)
    b.decref(1)
    b.decref(2)
    b.gc_call("collect", 2)  # 4, 1 and 2, and 0 behind them, are visited and no roots any more
    b.decref(0)
    b.incref(5)
    b.decref(5)
    b.gc_call("enable")
    b.link(5, 6)
    b.decref(6)
    with b.build() as log:
        called, full = replay(log, Three()).collections
        assert (called.candidates, called.collected) == (4, 0)
        assert (full.candidates, full.collected, full.cause) == (5, 3, "threshold")
        assert len(nodes) == 7


def test_what_garbage_held_is_a_root_in_php() -> None:
    """0 lives and is held by the garbage 1 too: its death makes 0 a root, which the next call
    visits. Nim forgets the reference with the marking: no root, and the call has nothing to do."""
    b = TraceBuilder()
    b.alloc("Node", module="demo")
    self_cycle(b)
    b.link(1, 0)
    for _ in range(2):
        b.gc_call("collect", 2)
    with b.build() as log:
        assert [c.candidates for c in replay(log, "php").collections] == [2, 1]
        assert [c.candidates for c in replay(log, "nim-orc").collections] == [2]


@pytest.mark.parametrize("finalizer", [0, 1])
def test_the_root_that_found_no_place_dies_with_what_held_it(finalizer: int) -> None:
    """Two roots fit: the garbage 0, and 1, which lives. 2 is the third, and 0 alone holds it: it is
    visited as 0 leads to it, dies in that collection, and is freed but not collected. Its
    finalizer runs then, and what it makes is freed too."""
    b = TraceBuilder()
    self_cycle(b)
    roots_that_live(b, 1)
    last = b.alloc("Node", module="demo", finalizer=finalizer)
    b.link(0, last)
    b.decref(last)
    if finalizer:
        with b.inside(last):
            b.decref(b.alloc("Node", module="demo"))
    with b.build() as log:
        result = check(log, Three)
        (made,) = result.collections
        assert (made.candidates, made.collected, made.freed) == (3, 1, 2 + finalizer)
        assert (result.live_objects, result.regions_run) == (1, finalizer)


class Spares(Policy):
    """At T0 = 2 it collects a generation but for its newest object."""

    summary = "for the test"
    counts_links = True
    spaces = 1

    def __init__(self, generation: int, into: int) -> None:
        self.generation, self.into = generation, into

    def begin(self, heap: Heap, start: StartState) -> None:
        heap.arm(allocations=2)

    def on_allocations(self, heap: Heap) -> None:
        heap.collect(self.generation, into=self.into, spare=True)
        self.left = heap.size(self.generation)


@pytest.mark.parametrize("into", [0, 1, 2, PERMANENT, OWN_SPACE])
def test_the_newest_is_no_candidate_wherever_survivors_go(into: int) -> None:
    """Of two tracked nodes the newer is spared, and stays where it is."""
    b = TraceBuilder()
    for _ in range(3):
        b.alloc("Node", module="demo")
    with b.build() as log:
        policy = Spares(0, into)
        (made,) = replay(log, policy).collections
        assert made.candidates == 1
        assert policy.left == (2 if into == 0 else 1)


def test_recordings_by_probes_make_it_a_lower_bound() -> None:
    for policy in ("php", "nim-orc"):
        for counts, notes in (("probed", 2), ("exact", 1)):
            b = TraceBuilder(counts=counts)
            self_cycle(b)
            with b.build() as log:
                found = replay(log, policy).notes
                assert len(found) == notes
                assert ("lower bound" in found[0]) == (counts == "probed")


class OneSuspect(Policy):
    """Collects what is let go of, one at a time."""

    summary = "for the test"
    counts_links = True
    spaces, suspects = 1, OWN_SPACE

    def begin(self, heap: Heap, start: StartState) -> None:
        heap.arm(suspects=0)

    def on_suspects(self, heap: Heap) -> None:
        assert heap.size(OWN_SPACE) == 1
        heap.collect(OWN_SPACE, into=0, reach=True)


def test_a_policy_of_ones_own_has_suspects() -> None:
    b = TraceBuilder()
    self_cycles(b, 3)
    with b.build() as log:
        result = replay(log, OneSuspect())
        assert [(c.candidates, c.collected, c.generation) for c in result.collections] == [
            (1, 1, 0)
        ] * 3
        assert result.peak_objects == 1


@pytest.mark.parametrize("calls", [(), ("enable",)])
def test_a_suspect_of_a_finalizer_is_asked_for_behind_its_region(calls: tuple[str, ...]) -> None:
    """The owner is the suspect of event 4. Its region runs in that collection, and lets go of a
    node: a suspect. The log passes over the region next, to its end; there the policy is asked,
    before the event behind it, also where a call of the gc module has interrupted the passing."""
    b = TraceBuilder()
    owner = b.alloc("Owner", module="demo", finalizer=1)
    b.link(owner, owner)
    node = b.alloc("Node", module="demo")
    b.incref(node)
    b.decref(owner)
    with b.inside(owner):
        b.decref(node)
        for call in calls:
            b.gc_call(call)
    b.incref(node)
    with b.build() as log:
        result = replay(log, OneSuspect())
        assert [(c.sequence, c.collected) for c in result.collections] == [
            (4, 1),
            (7 + len(calls), 0),
        ]
        assert result.regions_run == 1


def test_disabled_until_a_mark() -> None:
    """Roots gather meanwhile: the first behind the mark finds the buffer full."""
    b = TraceBuilder()
    self_cycles(b, 200)
    b.mark("ready")
    self_cycles(b, 1)
    with b.build() as log:
        assert [c.candidates for c in replay(log, "disabled-until:ready+nim-orc").collections] == [
            201
        ]
    assert make_policy("disabled-until:ready+php").suspects == OWN_SPACE
