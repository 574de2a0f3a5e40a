"""How objects ended: sums by type and line, and ages, against the run's own figures and by hand."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import valid_logs

from gcreplay.replay import replay
from gcreplay.replay.garbage import ended
from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder

POLICIES = ("cpython-3.11:2,1,1", "generational:3,2,1", "never")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(valid_logs(), st.sampled_from(POLICIES))
def test_the_sums_are_those_of_the_run(log: EventLog, policy: str) -> None:
    with log:
        found = ended(log, policy)
        run = replay(log, policy)
    assert found.cycles.run == run
    every = found.garbage
    assert sum(one.floating for one in every) == run.floating_objects
    assert sum(one.floating_bytes for one in every) == run.floating_bytes
    assert sum(one.visited for one in every) == sum(g.visited for g in found.cycles.groups)
    total = found.cycles.total()
    assert sum(one.freed + one.floating for one in every) == (
        total["objects"] + total["hanging_objects"]
    )
    assert sum(one.freed_bytes + one.floating_bytes for one in every) == (
        total["bytes"] + total["hanging_bytes"]
    )
    ages = found.ages
    died = run.freed_by_refcount + run.freed_by_collector
    freed = sum(one.freed for one in every)
    if not run.regions_run:  # else finalizers let go of some, too
        assert freed == run.freed_by_collector
    assert died - ages.found <= ages.died <= died
    assert ages.objects[1].sum() <= freed
    if not ages.found:
        assert ages.objects.sum(axis=1).tolist() == [died - freed, freed]


def test_ages_count_what_is_made_from_the_birth_to_the_death() -> None:
    b = TraceBuilder()
    found = b.alloc("list", size=40)  # there before: nobody knows its age
    b.start(threshold=(3, 1, 1))
    kept = b.alloc("list", size=56)
    b.incref(kept)
    short = b.alloc("list", size=100)
    b.decref(short)  # made last, dies first: 1
    older = b.alloc("dict", size=64)
    for _ in range(3):
        b.decref(b.alloc("tuple", size=48))  # three of 1
    b.resize(older, 1000)
    b.decref(older)  # itself and three: 4
    ring = b.alloc("list", size=56)
    b.link(ring, ring)
    b.decref(ring)
    b.alloc("list", size=56)
    b.decref(found)
    b.gc_call("collect")  # the ring: itself and one: 2
    with b.build() as log:
        ages = ended(log).ages
    assert ages.edges.tolist() == [1, 2, 4, 8]
    assert ages.objects.tolist() == [[4, 0, 1], [0, 1, 0]]
    assert ages.bytes.tolist() == [[100 + 3 * 48, 0, 1064], [0, 56, 0]]
    assert (ages.made, ages.found, ages.died) == (8, 1, 6)
    assert (ages.within, ages.died_within) == (3, 5)


def test_what_types_and_lines_have_freed_and_left_is_told_apart() -> None:
    b = TraceBuilder()
    b.start()
    for line, type in ((1, "Node"), (1, "Node"), (2, "Leaf")):
        ring = b.alloc(type, module="app", size=64, site=("app.py", line, "f"))
        held = b.alloc("list", size=56, site=("app.py", 9, "f"))
        b.link(ring, ring)
        b.link(ring, held)
        b.decref(held)
        b.decref(ring)
    b.gc_call("collect")
    last = b.alloc("Leaf", module="app", size=64, site=("app.py", 2, "f"))
    b.link(last, last)
    b.decref(last)
    with b.build() as log:
        found = ended(log)
    rows = {
        (one.type, one.site.line): (one.freed, one.freed_bytes, one.floating, one.floating_bytes)
        for one in found.garbage
    }
    assert rows == {
        ("app.Node", 1): (2, 128, 0, 0),
        ("list", 9): (3, 168, 0, 0),
        ("app.Leaf", 2): (1, 64, 1, 64),
    }
    assert [one.visited for one in found.garbage] == [2, 3, 1]


def test_a_log_without_objects_has_no_ages() -> None:
    with TraceBuilder().build() as log:
        ages = ended(log).ages
    assert ages.died == ages.made == ages.died_within == 0
    assert np.array_equal(ages.edges, [1, 2])
