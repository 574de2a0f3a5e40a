"""Where a program depends on its collector, in logs made by hand."""

import pytest

from gcreplay.replay import Dependence, replay
from gcreplay.replay.results.dependence import Example
from gcreplay.store.builder import TraceBuilder


def cached() -> tuple[TraceBuilder, int, int]:
    """A ring of one that only a weak reference leads to: that, and the ring."""
    b = TraceBuilder()
    ring = b.alloc("Node", module="demo")
    weak = b.alloc("weakref", module="weakref")
    b.link(ring, ring)
    b.weakref(weak, ring)
    b.decref(ring)
    return b, weak, ring


def found(b: TraceBuilder, policy: str) -> Dependence:
    return replay(b.build(), policy).depends_on_collector


def test_to_be_given_what_the_policy_has_freed_is_dependence() -> None:
    b, weak, ring = cached()
    b.gc_call("collect")
    b.weakref_used(weak, ring, hit=True)
    b.weakref_used(weak, ring, hit=True)
    assert found(b, "cpython-3.11") == Dependence(2, Example(6, "demo.Node", "hit"))


def test_to_be_given_what_the_policy_holds_is_none() -> None:
    b, weak, ring = cached()
    b.weakref_used(weak, ring, hit=True)
    b.gc_call("collect")
    assert found(b, "cpython-3.11") == Dependence()


def test_to_be_given_nothing_where_the_policy_holds_it_is_dependence() -> None:
    """No collection is in the log, but one was where it was recorded: None was got."""
    b, weak, ring = cached()
    b.weakref_used(weak, ring, hit=False)
    assert found(b, "never") == Dependence(1, Example(5, "demo.Node", "miss"))


def test_to_be_given_nothing_where_it_is_gone_is_none() -> None:
    b, weak, ring = cached()
    b.gc_call("collect")
    b.weakref_used(weak, ring, hit=False)
    assert found(b, "cpython-3.11") == Dependence()


def test_a_weak_reference_that_is_gone_itself_tells_of_something_used_again() -> None:
    """That the program still asked it is what the log did not know: it counts as revived."""
    b, weak, ring = cached()
    b.link(weak, weak)
    b.decref(weak)
    b.gc_call("collect")
    b.weakref_used(weak, ring, hit=True)
    result = replay(b.build(), "cpython-3.11")
    assert result.depends_on_collector == Dependence()
    assert result.revived == 1


def test_a_use_of_a_weak_reference_is_a_touch_of_what_it_gives() -> None:
    """The clairvoyant bound frees garbage behind its last touch."""
    b, weak, ring = cached()
    b.weakref_used(weak, ring, hit=True)
    b.alloc("list")
    log = b.build()
    assert replay(log, "clairvoyant").depends_on_collector == Dependence()
    assert replay(log, "clairvoyant").collected == 1


@pytest.mark.parametrize(
    ("dependence", "said"),
    [
        (Dependence(), ""),
        (
            Dependence(1, Example(1234, "demo.Node", "hit")),
            "this program depends on its collector: once it would have met something else (at "
            "event 1,234: it asks a weak reference for an object of type demo.Node that this "
            "policy has freed), so its figures are no prediction",
        ),
        (
            Dependence(1234, Example(5, "list", "miss")),
            "this program depends on its collector: 1,234 times it would have met something else "
            "(first at event 5: it asks a weak reference in vain for an object of type list that "
            "this policy still holds), so its figures are no prediction",
        ),
        (
            Dependence(2, Example(5, "list", "region")),
            "this program depends on its collector: 2 times it would have met something else "
            "(first at event 5: it uses an object of type list of a finalizer or callback that "
            "this policy has not run), so its figures are no prediction",
        ),
    ],
)
def test_it_is_said_in_one_sentence(dependence: Dependence, said: str) -> None:
    assert dependence.sentence() == said


def test_results_hold_it_as_json() -> None:
    b, weak, ring = cached()
    b.weakref_used(weak, ring, hit=False)
    assert replay(b.build(), "never").to_json()["depends_on_collector"] == {
        "count": 1,
        "first": {"event": 5, "type": "demo.Node", "what": "miss"},
    }
