"""The collector of PEP 848, by hand."""

from __future__ import annotations

from gcreplay.replay import replay
from gcreplay.replay.policies.pep848 import Pep848
from gcreplay.store import EventLog, TraceBuilder


class AtOnce(Pep848):
    """What becomes old is work at once."""

    credit = 0


def held_and_garbage(b: TraceBuilder, size: int = 600) -> int:
    """A node that stays and one that only itself holds, more than 1 kB, and a safepoint."""
    held = b.alloc("Node", module="demo", size=size)
    garbage = b.alloc("Node", module="demo", size=size)
    b.link(garbage, garbage)
    b.decref(garbage)
    b.safepoint()
    return held


def runs(log: EventLog, policy: str | Pep848) -> list[tuple[int, int, int, int]]:
    collections = replay(log, policy).collections
    return [(c.allocation // 2, c.generation, c.candidates, c.collected) for c in collections]


def test_a_trace_by_hand() -> None:
    """T0 = 1 kB, two half spaces of aging: one space. Every second pair is a young run, of what the
    four objects before the last were; the first finds the space empty.

    Run 4: 4 candidates, 2 survive and are old: work 2. Run 5: nothing is reachable or pending: the
    spaces change roles, both nodes are held and so reachable, work 0. Run 6 as 4. Run 7: the two
    reachable ones are scanned, work 0. Run 8 as 4. Run 9: reachable and pending are empty, roles
    change: six are reachable. Run 10 as 4, and run 11 scans two of six.
    """
    b = TraceBuilder()
    b.start()
    for _ in range(11):
        held_and_garbage(b)
    with b.build() as log:
        assert runs(log, AtOnce((1, 2, 0))) == [
            (2, 0, 0, 0),
            (4, 0, 4, 2),
            (6, 0, 4, 2),
            (7, 1, 2, 0),
            (8, 0, 4, 2),
            (10, 0, 4, 2),
            (11, 1, 2, 0),
        ]


def test_an_increment_by_hand() -> None:
    """The first two nodes are old after run 4 and then a ring that nothing holds. Run 5 finds no
    root and leaves both pending; run 7, with work 2, takes the ring as its increment. It frees two,
    so the work is 2 - 0 + 4, and as nothing is pending the spaces change roles in the same run: the
    two survivors of run 6 are reachable. Run 9 scans two."""
    b = TraceBuilder()
    b.start()
    first, second = held_and_garbage(b), held_and_garbage(b)
    for run in range(3, 10):
        held_and_garbage(b)
        if run == 4:
            b.link(first, second)
            b.link(second, first)
            b.decref(first)
            b.decref(second)
    with b.build() as log:
        old = [run for run in runs(log, AtOnce((1, 2, 0))) if run[1] == 1]
        assert old == [(7, 1, 2, 2), (9, 1, 2, 0)]


def test_a_run_of_several_increments_is_one_collection() -> None:
    """Five rings of one node each are old after run 4 and let go of then. Run 5 changes roles, run
    7 scans the two that are held, run 9 has work 2 and takes all five, as each makes it 2 more."""
    b = TraceBuilder()
    b.start()
    rings = []
    for run in range(1, 10):
        if run == 1:
            for _ in range(5):
                rings.append(b.alloc("Node", module="demo", size=1))
                b.link(rings[-1], rings[-1])
        held_and_garbage(b)
        if run == 4:
            for ring in rings:
                b.decref(ring)
    with b.build() as log:
        *_, last = replay(log, AtOnce((1, 2, 0))).collections
        assert (last.generation, last.candidates, last.collected, last.freed) == (1, 5, 5, 5)


def test_what_an_increment_frees_is_work_twice() -> None:
    """A ring of one and five nodes, which an untracked object holds and so no root leads to, are
    old after run 4, when the ring is let go of. Run 9 has work 2: the ring makes it 4, and with
    four of the nodes, one by one, it is done."""
    b = TraceBuilder()
    b.start()
    for run in range(1, 10):
        if run == 1:
            holder = b.alloc("Node", module="demo", size=1)
            b.untrack(holder)
            ring = b.alloc("Node", module="demo", size=1)
            b.link(ring, ring)
            for _ in range(5):
                node = b.alloc("Node", module="demo", size=1)
                b.link(holder, node)
                b.decref(node)
        held_and_garbage(b)
        if run == 4:
            b.decref(ring)
    with b.build() as log:
        *_, last = replay(log, AtOnce((1, 2, 0))).collections
        assert (last.generation, last.candidates, last.collected) == (1, 5, 1)


def test_there_is_no_old_work_before_100_000_objects_are_old() -> None:
    """By itself: 2,000 kB a half space, five spaces. Nodes of 1,000 bytes: run n comes with birth
    2,000 n + 1 (more than 2,000 kB since the last, of 2,001 births); young ones are runs 2, 4, ...
    and the first five find an empty space. 4,002 become old from run 12 on in each. Run 12 + 2 n
    makes it 4,002 (n + 1): more than 100,000 with the 25th, in run 60. Run 61 changes roles, 63
    scans 4,002."""
    b = TraceBuilder()
    b.start()
    for _ in range(63 * 2_001):
        b.alloc("Node", module="demo", size=1_000)
        b.safepoint()
    with b.build() as log:
        made = replay(log, "pep848").collections
        young = [c for c in made if c.generation == 0]
        assert [c.allocation for c in young] == [2_001 * n for n in range(2, 63, 2)]
        assert [c.candidates for c in young] == [0] * 5 + [4_002] * 26
        (old,) = [c for c in made if c.generation == 1]
        assert (old.allocation, old.candidates) == (2_001 * 63, 4_002)


def test_calls_of_the_program() -> None:
    """collect(0) takes the oldest space, collect(1) an increment, collect() everything."""
    b = TraceBuilder()
    b.start()
    for n in (0, 0, 1, 2):
        held_and_garbage(b)
        b.gc_call("collect", n)
    with b.build() as log:
        made = replay(log, AtOnce((9, 2, 0))).collections
        assert [(c.generation, c.candidates, c.collected) for c in made] == [
            (0, 0, 0),
            (0, 2, 1),
            (2, 7, 3),
        ]


def test_it_says_what_it_takes_for_roots_and_bytes() -> None:
    b = TraceBuilder()
    held_and_garbage(b)
    with b.build() as log:
        (note,) = replay(log, "pep848").notes
        assert note.startswith("its roots are all old objects that something outside")
