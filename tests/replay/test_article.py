"""What reference counting and the generational collector do, as tiny traces worked by hand.

Each test begins with the Python it stands for, and its docstring says what must happen. Running
code's references (variables, the stack) are external; references from a list are links.
"""

from __future__ import annotations

from cycles import self_cycle, self_cycles

from gcreplay.replay import RunResult, replay
from gcreplay.replay.run import Replay
from gcreplay.store import EventLog, TraceBuilder


def count_of(log: EventLog, object: int) -> int | None:
    """The reference count after the last event, None for a dead object."""
    run = Replay(log, "never")
    run.begin()
    run.apply(log.events())
    heap = run.engine.snapshot()
    return heap[object][0] if object in heap else None


def collections(result: RunResult) -> list[tuple[int, int, int, int]]:
    """(allocation, generation, candidates, collected) of each collection."""
    return [(c.allocation, c.generation, c.candidates, c.collected) for c in result.collections]


def test_a_second_name_makes_the_count_2() -> None:
    """a = [1, 2, 3]; b = a: one list, two references."""
    b = TraceBuilder()
    a = b.alloc("list")
    b.incref(a)
    assert count_of(b.build(), a) == 2


def test_del_of_one_of_two_names_leaves_1_and_of_both_frees() -> None:
    """a = []; b = a; del b; then del a: the count is 1, then the list dies at once."""
    b = TraceBuilder()
    a = b.alloc("list")
    b.incref(a)
    b.decref(a)
    assert count_of(b.build(), a) == 1
    b = TraceBuilder()
    a = b.alloc("list")
    b.incref(a)
    b.decref(a)
    b.decref(a)
    assert count_of(b.build(), a) is None


def test_rebinding_the_only_name_frees_the_old_object() -> None:
    """a = []; a = {}: the dict exists before the list loses its name and dies."""
    b = TraceBuilder()
    old = b.alloc("list")
    new = b.alloc("dict")
    b.decref(old)
    log = b.build()
    assert (count_of(log, old), count_of(log, new)) == (None, 1)
    assert replay(log, "never").freed_by_refcount == 1


def test_a_list_that_holds_an_object_twice_raises_its_count_by_2() -> None:
    """a = []; l = [a, a]: 1 from the name, 2 from the list. del l[0] takes one away."""
    b = TraceBuilder()
    a, holder = b.alloc("list"), b.alloc("list")
    b.link(holder, a, n=2)
    assert count_of(b.build(), a) == 3
    b = TraceBuilder()
    a, holder = b.alloc("list"), b.alloc("list")
    b.link(holder, a, label="[0]")
    b.link(holder, a, label="[1]")
    b.unlink(holder, a, label="[0]")
    assert count_of(b.build(), a) == 2


def test_a_list_dies_with_what_only_it_holds() -> None:
    """l = [[]]; del l: both die, no collector is needed."""
    b = TraceBuilder()
    holder, inner = b.alloc("list"), b.alloc("list")
    b.link(holder, inner)
    b.decref(inner)
    b.decref(holder)
    result = replay(b.build(), "never")
    assert (result.freed_by_refcount, result.live_objects) == (2, 0)


def test_a_list_that_holds_itself_outlives_its_name() -> None:
    """l = []; l.append(l); del l: count 1 for ever; a collection frees that one object."""
    b = TraceBuilder()
    cycle = b.alloc("list")
    b.link(cycle, cycle)
    b.decref(cycle)
    b.gc_call("collect")
    log = b.build()
    assert count_of(log, cycle) == 1
    assert replay(log, "never").floating_objects == 1
    assert collections(replay(log, "manual")) == [(1, 2, 1, 1)]


def test_two_lists_that_hold_each_other_are_freed_together() -> None:
    """a = []; b = [a]; a.append(b); del a: nothing; del b: garbage of two."""
    b = TraceBuilder()
    first, second = b.alloc("list"), b.alloc("list")
    b.link(second, first)
    b.link(first, second)
    b.decref(first)
    b.gc_call("collect")
    b.decref(second)
    b.gc_call("collect")
    result = replay(b.build(), "manual")
    # Both survive the first collection: `second` is held by its name, and holds `first`.
    assert collections(result) == [(2, 2, 2, 0), (2, 2, 2, 2)]
    assert [c.survivors for c in result.collections] == [2, 0]


def test_a_survivor_is_promoted_twice_and_then_stays_in_the_oldest_generation() -> None:
    """gc.collect(0) moves it to generation 1, gc.collect(1) to 2; gc.collect(1) then misses it."""
    b = TraceBuilder()
    b.alloc("list")
    for generation in (0, 0, 1, 1, 2):
        b.gc_call("collect", generation)
    seen = [c.candidates for c in replay(b.build(), "manual").collections]
    # in 0; then in 1, unseen by a young one; in 1; in 2, unseen; in 2
    assert seen == [1, 0, 1, 0, 1]


def test_the_701st_net_allocation_collects_the_700_before_it() -> None:
    """700 self-cycles wait; the 701st birth exceeds the threshold and is not itself examined."""
    b = TraceBuilder()
    self_cycles(b, 700)
    assert replay(b.build(), "generational:700,10,10").collections == ()
    b = TraceBuilder()
    self_cycles(b, 701)
    result = replay(b.build(), "generational:700,10,10")
    assert collections(result) == [(700, 0, 700, 700)]
    assert (result.peak_objects, result.peak_floating_objects) == (701, 700)


def test_frees_take_allocations_back() -> None:
    """10,000 objects that die at once are never 701 net allocations."""
    b = TraceBuilder()
    for _ in range(10_000):
        b.decref(b.alloc("Node", module="demo"))
    assert replay(b.build(), "generational:700,10,10").collections == ()


def test_a_full_collection_empties_the_free_lists_but_for_the_slice() -> None:
    """Of a list and a slice that wait, the list goes (clear_freelists) and the slice stays.

    After gc.collect() the birth of a list counts and that of a slice does not, so with T0 = 2 the
    third list is the one that collects.
    """
    b = TraceBuilder()
    for kind in ("list", "slice"):
        b.decref(b.alloc(kind))
    b.gc_call("collect")
    born = [b.alloc(kind) for kind in ("list", "slice", "list", "list")]
    made = replay(b.build(), "cpython-3.11:2,10,10").collections
    assert [(c.cause, c.allocation) for c in made] == [("call", 2), ("threshold", born[3])]


def test_lists_that_die_into_the_free_list_come_back_uncounted() -> None:
    """A free list holds 80 lists: of 80 lists made and freed, the next 80 births count nothing.

    T0 = 100: 80 births count; frees into the free list take nothing back; the next 80 births come
    from there. The 21 lists after those make 101 and collect.
    """
    b = TraceBuilder()
    lists = [b.alloc("list") for _ in range(80)]
    for item in lists:
        b.decref(item)
    for _ in range(80 + 21):
        b.alloc("list")
    assert [c.allocation for c in replay(b.build(), "cpython-3.11:100,10,10").collections] == [180]


def test_thresholds_700_10_5_collect_the_oldest_after_six_middle_ones() -> None:
    """(700, 10, 5): every 12th collection is a middle one, and after six of those an old one.

    The 701st birth after a reset triggers, so collection k stands at birth 701 k. Young ones 1-11
    raise the count of generation 1 to 11 > 10: the 12th is a middle one. Collections 12, 24, ...,
    72 raise the count of generation 2 to 6 > 5. The oldest generation is asked first: the next
    collection, the 73rd, is an old one; then all begins anew.
    """
    b = TraceBuilder()
    self_cycles(b, 701 * 74)
    result = replay(b.build(), "generational:700,10,5")
    generations = [c.generation for c in result.collections]
    assert generations == ([0] * 11 + [1]) * 6 + [2, 0]
    assert [c.allocation for c in result.collections] == [701 * k - 1 for k in range(1, 75)]


def test_the_quarter_rule_holds_a_full_collection_back() -> None:
    """100 long-lived objects, 24 new survivors: 24 < 100 // 4, so the middle one comes again.

    T = (1, 0, 0): every collection may be the oldest one at once.
    """

    def generations(pending: int) -> list[int]:
        b = TraceBuilder()
        b.start(
            count=(1, 1, 1),
            threshold=(1, 0, 0),
            long_lived_total=100,
            long_lived_pending=pending,
        )
        b.alloc("Node", module="demo")
        return [c.generation for c in replay(b.build(), "cpython-3.11").collections]

    assert generations(24) == [1]
    assert generations(25) == [2]


def test_a_resurrected_object_is_used_after_its_collection() -> None:
    """`__del__` of a dropped cycle stores self in a global, but the log does not say whose region
    it is: the program goes on with an object that this replay has freed. These events are skipped
    and counted as revived."""
    b = TraceBuilder()
    node = self_cycle(b, "Phoenix", finalizer=1)
    b.gc_call("collect")
    with b.inside():
        b.incref(node)
    b.mark("used again")
    b.decref(node)
    result = replay(b.build(), "manual")
    assert (result.revived, result.displaced) == (2, 1)
    assert result.first_revived is not None
    assert (result.first_revived.sequence, result.first_revived.type) == (5, "demo.Phoenix")
    # The bound knows: it frees the object after its last touch.
    assert replay(b.build(), "clairvoyant").revived == 0


def test_a_long_linked_list_dies_without_recursion() -> None:
    """Dropping the head of 100,000 nodes takes all of them along."""
    b = TraceBuilder()
    previous = None
    for _ in range(100_000):
        node = b.alloc("Node", module="demo")
        if previous is not None:
            b.link(node, previous)
            b.decref(previous)
        previous = node
    assert previous is not None
    b.decref(previous)
    assert replay(b.build(), "never").freed_by_refcount == 100_000


def test_untracked_tuples_stay_untracked_and_nested_ones_need_a_second_collection() -> None:
    """((i,),): the outer tuple stands before the inner one in the list, so the pass that untracks
    the inner one comes too late for it; the second collection untracks it."""
    b = TraceBuilder()
    outer = b.alloc("tuple", size=48)
    inner = b.alloc("tuple", size=48)
    b.link(outer, inner)
    for _ in range(3):
        b.gc_call("collect")
    result = replay(b.build(), "cpython-3.11")
    assert [(c.candidates, c.survivors) for c in result.collections] == [(2, 1), (1, 0), (0, 0)]


def test_a_weakref_whose_callback_kills_it_counts_as_collected() -> None:
    """WeakSet: the callback of a dead member discards the weak reference object, in the region
    that follows; CPython adds it to `collected`."""
    b = TraceBuilder()
    node = b.alloc("Node", module="demo")
    reference = b.alloc("weakref", kind="weakref")
    b.weakref(reference, node, callback=True)
    b.link(node, node)
    b.decref(node)
    b.gc_call("collect")
    with b.inside(reference):
        b.decref(reference)
    assert [c.collected for c in replay(b.build(), "manual").collections] == [2]


def test_a_weakref_that_outlives_its_callback_and_dies_with_the_garbage_is_not_counted() -> None:
    """Only something that tp_traverse does not show, in the garbage, holds the weak reference: to
    the collector it is reachable, so its callback is called, and it dies when the garbage goes.
    CPython 3.11 counts the node alone, in the first collection as in the second."""
    b = TraceBuilder()
    for _ in range(2):
        node = b.alloc("Node", module="demo")
        reference = b.alloc("weakref", kind="weakref")
        b.weakref(reference, node, callback=True)
        b.link(node, node)
        b.link(node, reference, label="(opaque)")
        b.decref(reference)
        b.decref(node)
        b.gc_call("collect")
    result = replay(b.build(), "manual")
    assert [(c.collected, c.freed) for c in result.collections] == [(1, 2), (1, 2)]


def test_legacy_finalizers_make_a_cycle_uncollectable() -> None:
    """Two objects, one with tp_del: both stay, once counted, then held by gc.garbage."""
    b = TraceBuilder()
    first = b.alloc("Old", module="demo", finalizer=2)
    second = b.alloc("Node", module="demo")
    b.link(first, second)
    b.link(second, first)
    b.decref(first)
    b.decref(second)
    b.gc_call("collect")
    b.gc_call("collect")
    result = replay(b.build(), "cpython-3.11")
    assert [(c.collected, c.uncollectable) for c in result.collections] == [(0, 2), (0, 0)]


def test_opaque_links_hide_a_cycle_from_the_collector() -> None:
    """A cycle through something tp_traverse does not show is never found, but it floats."""
    b = TraceBuilder()
    node = b.alloc("Node", module="demo")
    b.link(node, node, label="(opaque)")
    b.decref(node)
    b.gc_call("collect")
    result = replay(b.build(), "cpython-3.11")
    assert (result.collected, result.floating_objects) == (0, 1)
