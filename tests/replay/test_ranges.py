"""How sure the number of collected objects is."""

from gcreplay.replay import replay, replay_in_range
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.log import EventLog


def used_again(counts: str) -> EventLog:
    """A ring of two that nothing seems to hold during a collection, and that running code then
    takes hold of, as a weak dictionary or a reference seen too late makes it; another that is
    garbage for good."""
    b = TraceBuilder()
    rings = [(b.alloc("Node", module="demo"), b.alloc("Node", module="demo")) for _ in range(2)]
    for first, second in rings:
        b.link(first, second)
        b.link(second, first)
        b.decref(first)
        b.decref(second)
    b.gc_call("collect")
    b.incref(rings[0][0])
    log = b.build()
    log.set_meta(counts=counts)
    return log


def test_what_a_later_event_uses_may_not_have_been_garbage() -> None:
    """By its references both rings go; the event after says that one was in use: 2 to 4."""
    result = replay_in_range(used_again("probed"), "cpython-3.11")
    assert (result.collected_low, result.collected, result.collected_high) == (2, 4, 4)
    assert result.revived == 1


def test_exact_counts_leave_nothing_open() -> None:
    result = replay_in_range(used_again("exact"), "cpython-3.11")
    assert (result.collected_low, result.collected_high) == (4, 4)


def test_a_range_changes_nothing_of_the_result() -> None:
    log = used_again("probed")
    assert (
        replay_in_range(log, "cpython-3.11").result_hash == replay(log, "cpython-3.11").result_hash
    )


def long_lived(pending: int) -> EventLog:
    """40 old objects, survivors of one middle collection a quarter of them or a few less; then the
    middle threshold is passed again with the old one: a full collection if `pending` are enough.
    A ring that is garbage stands in the old generation."""
    b = TraceBuilder()
    ring = [b.alloc("Node", module="demo"), b.alloc("Node", module="demo")]
    for one in ring:
        b.track(one, 2)
    b.link(ring[0], ring[1])
    b.link(ring[1], ring[0])
    b.start(
        count=(0, 0, 1),
        threshold=(1, 0, 0),
        long_lived_total=40,
        long_lived_pending=pending,
    )
    b.decref(ring[0])
    b.decref(ring[1])
    for _ in range(2):
        b.alloc("Node", module="demo")
    log = b.build()
    log.set_meta(counts="probed")
    return log


def test_a_full_collection_that_the_quarter_rule_just_lets_through_may_not_run() -> None:
    """10 of 40 is a quarter: the ring goes; with a tenth less it would stay."""
    result = replay_in_range(long_lived(10), "cpython-3.11")
    assert (result.collected_low, result.collected, result.collected_high) == (0, 2, 2)


def test_far_from_the_quarter_nothing_is_open() -> None:
    result = replay_in_range(long_lived(20), "cpython-3.11")
    assert (result.collected_low, result.collected_high) == (2, 2)
