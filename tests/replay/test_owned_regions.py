"""What finalizers and callbacks with an owner did runs where a policy's collection finds the owner.

Numbers follow from the rules in docs/reference/policies.md, worked out beside each test.
"""

from __future__ import annotations

import pytest
from cycles import self_cycle

from gcreplay.replay import replay
from gcreplay.replay.engine.annotation import garbage_of
from gcreplay.store import EventLog, TraceBuilder


def breaking(n: int, *, found_at: int) -> EventLog:
    """n objects with a `__del__` that gives up their own cycle; the recorded program's collection
    found those before number `found_at` when it made that one."""
    b = TraceBuilder()
    b.start(threshold=(found_at, 10, 10))
    made = []
    for i in range(n):
        made.append(b.alloc("D", module="demo", finalizer=1))
        if i == found_at:
            for d in made[:found_at]:
                with b.inside(d):
                    b.unlink(d, d)
        b.link(made[i], made[i])
        b.decref(made[i])
    return b.build()


@pytest.mark.parametrize(
    ("threshold", "collections", "freed"),
    [(10, 1, 10), (5, 3, 10), (19, 1, 10), (20, 0, 0)],
)
def test_a_finalizer_breaks_its_cycle_in_the_collection_that_finds_it(
    threshold: int, collections: int, freed: int
) -> None:
    """20 births and 10 regions, recorded at T0 = 10. T0 = 5: collections at births 6, 12 and 18, of
    which the first two find the ten that have a region. What these free is garbage no more when
    the rest is deleted, so the ten count as freed by reference counting."""
    result = replay(breaking(20, found_at=10), f"generational:{threshold},10,10")
    assert len(result.collections) == collections
    assert result.regions_run == freed
    assert result.freed_by_refcount == freed
    assert (result.displaced, result.lapsed, result.unmoved) == (0, 0, 0)


def test_never_runs_no_region_and_sees_the_garbage_that_they_take_apart() -> None:
    """Each object floats from its DECREF to the end; with their regions ten of them would not."""
    log = breaking(20, found_at=10)
    result = replay(log, "never")
    assert (result.floating_objects, result.live_objects, result.regions_run) == (20, 20, 0)
    bound = replay(log, "clairvoyant")
    assert (bound.live_objects, bound.peak_floating_objects, bound.regions_run) == (0, 0, 10)
    assert (bound.peak_objects, bound.revived) == (1, 0)


def test_a_region_that_saves_its_owner_keeps_it_in_the_old_generation() -> None:
    """`__del__` stores self in a list. The first collection saves it, the one after the list has
    let go collects it, and its finalizer does not run a second time."""
    b = TraceBuilder()
    keeper = b.alloc("list")
    node = self_cycle(b, "Phoenix", finalizer=1)
    b.gc_call("collect")
    with b.inside(node):
        b.link(keeper, node)
    b.unlink(keeper, node)
    b.gc_call("collect")
    result = replay(b.build(), "manual")
    assert [c.collected for c in result.collections] == [0, 1]
    assert [c.survivors for c in result.collections] == [1, 1]
    assert result.regions_run == 1


def test_what_a_saved_object_holds_is_saved_with_it_and_the_rest_is_collected() -> None:
    """Two cycles found together; the finalizer of one saves the other's second half only."""
    b = TraceBuilder()
    keeper = b.alloc("list")
    first, second = (b.alloc("Node", module="demo") for _ in range(2))
    b.link(first, first)
    b.link(first, second)
    owner = b.alloc("Owner", module="demo", finalizer=1)
    b.link(owner, owner)
    for node in (first, second, owner):
        b.decref(node)
    b.gc_call("collect")
    with b.inside(owner):
        b.link(keeper, second)
    result = replay(b.build(), "manual")
    assert [(c.collected, c.freed) for c in result.collections] == [(2, 2)]
    assert result.live_objects == 2


def test_a_callback_runs_when_its_target_is_garbage_and_not_when_it_is_garbage_itself() -> None:
    """Two weak references with callbacks to one cycle, one held by the cycle. In the collection
    the other's callback drops it, which counts as collected: 1 + 1 with it, 2 without."""

    def collected(*, held_by_garbage: bool) -> list[int]:
        b = TraceBuilder()
        node = b.alloc("Node", module="demo")
        reference = b.alloc("weakref", kind="weakref")
        b.weakref(reference, node, callback=True)
        b.link(node, node)
        if held_by_garbage:
            b.link(node, reference)
            b.decref(reference)
        b.decref(node)
        b.gc_call("collect")
        other = b.alloc("Node", module="demo")
        with b.inside(reference):
            new = b.alloc("Node", module="demo")
            if not held_by_garbage:
                b.decref(reference)
            b.link(other, new)
            b.decref(new)
        result = replay(b.build(), "manual")
        assert result.regions_run == (not held_by_garbage)
        return [c.collected for c in result.collections]

    assert collected(held_by_garbage=False) == [2]
    assert collected(held_by_garbage=True) == [2]


def test_what_a_region_makes_is_born_when_it_runs_with_the_id_of_the_log() -> None:
    """300 births between the collection of this policy and the recorded one: the id made in the
    region lies two pages ahead of the ids of the log, and is found again when the log names it."""
    b = TraceBuilder()
    b.start(threshold=(1000, 10, 10))
    keeper = b.alloc("list")
    owner = self_cycle(b, "Owner", finalizer=1)
    others = [b.alloc("Node", module="demo") for _ in range(300)]
    b.gc_call("collect")
    with b.inside(owner):
        made = b.alloc("Made", module="demo")
        b.link(keeper, made)
        b.decref(made)
    b.mark("later")
    b.unlink(keeper, made)
    for other in others:
        b.decref(other)
    log = b.build()
    early = replay(log, "generational:50,10,10")
    assert early.collections[0].allocation < made - 128
    assert (early.unmoved, early.revived, early.lapsed) == (0, 0, 0)
    assert early.live_objects == 1
    never = replay(log, "never")
    assert (never.unmoved, never.live_objects) == (1, 2)
    assert never.first_unmoved is not None
    assert never.first_unmoved.type == "demo.Made"


def test_a_region_runs_late_and_its_ids_are_still_there() -> None:
    """The log passed over the birth long ago; its page stayed open while 300 ids came and died."""
    b = TraceBuilder()
    keeper = b.alloc("list")
    owner = self_cycle(b, "Owner", finalizer=1)
    b.gc_call("collect", 0)
    with b.inside(owner):
        made = b.alloc("Made", module="demo")
        b.link(keeper, made)
        b.decref(made)
    for _ in range(300):
        b.decref(b.alloc("Node", module="demo"))
    b.mark("late")
    b.alloc("Node", module="demo")
    late = replay(b.build(), "every:late+generational:0,10,10")
    assert (late.regions_run, late.live_objects) == (1, 3)


def test_a_reference_that_a_region_took_and_that_was_not_taken_is_not_given_back() -> None:
    """The region takes a reference to a live object, the program gives it back later. Where the
    region has not run, the DECREF takes what links do not hold: nothing; the object lives."""
    b = TraceBuilder()
    keeper = b.alloc("list")
    node = b.alloc("Node", module="demo")
    b.link(keeper, node)
    owner = self_cycle(b, "Owner", finalizer=1)
    b.decref(node)
    b.gc_call("collect")
    with b.inside(owner):
        b.incref(node)
    b.decref(node)
    never = replay(b.build(), "never")
    assert (never.live_objects, never.freed_by_refcount, never.unmoved) == (3, 0, 1)


def test_garbage_is_unreachable_from_its_last_touch_outside_of_regions() -> None:
    """The region names the object at event 5; it has been unreachable since the DECREF, event 2."""
    b = TraceBuilder()
    node = self_cycle(b, "D", finalizer=1)
    b.gc_call("collect")
    with b.inside(node):
        b.incref(node)
        b.decref(node)
    with b.build() as log:
        assert garbage_of(log).due.tolist() == [(2, node)]


def test_regions_without_an_owner_are_replayed_where_they_were_recorded() -> None:
    """As recordings before this had them: one event, displaced, under every policy."""
    b = TraceBuilder()
    node = self_cycle(b, "D", finalizer=1)
    b.gc_call("collect")
    with b.inside():
        b.unlink(node, node)
    log = b.build()
    assert [replay(log, p).displaced for p in ("never", "manual")] == [1, 1]
    assert (replay(log, "never").live_objects, replay(log, "manual").revived) == (0, 0)
