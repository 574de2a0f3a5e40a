"""Validation: each rule by a log that breaks it, and all rules against plain Python."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_rules import judge
from strategies import valid_logs

from gcreplay.store import EventLog, Flag, InvalidLog, Op, TraceBuilder, validate
from gcreplay.store.rules.validate import Validator
from gcreplay.store.values import MOST_BYTES

SIZE = 56
"""Bytes of a list, as `TraceBuilder` has it."""


def begun() -> TraceBuilder:
    """Two lists, 0 and 1, each held once by running code: events 0 and 1."""
    b = TraceBuilder()
    b.alloc("list")
    b.alloc("list")
    return b


def leaf(b: TraceBuilder) -> None:
    b.untrack(b.alloc("int"))


def kept_late(b: TraceBuilder) -> None:
    b.decref(0)
    b.gc_call("collect")
    b.kept(0)


def kept_twice(b: TraceBuilder) -> None:
    b.decref(0)
    b.kept(0)
    b.kept(0)


def linked_child(b: TraceBuilder) -> None:
    # 0 takes a reference to 1, then running code drops two references to 1 where it held one.
    # The count would be 0 although 0 still leads there.
    b.link(0, 1)
    b.decref(1, 2)


def linked_twice(b: TraceBuilder) -> None:
    # As above, and the count would be 1, of two links.
    b.link(0, 1, n=2)
    b.decref(1, 2)


def own_link(b: TraceBuilder) -> None:
    # What an object holds of itself running code does not hold.
    b.link(0, 0)
    b.decref(0)
    b.decref(0)


def weak_twice(b: TraceBuilder) -> None:
    b.weakref(0, 1)
    b.weakref(0, 1)


def nested(b: TraceBuilder) -> None:
    b.begin_inside(0)
    b.begin_inside(1)


def other_end(b: TraceBuilder) -> None:
    b.begin_inside(0)
    b.end_inside(1)


def second_start(b: TraceBuilder) -> None:
    b.start()
    b.start()


def call_in_found_heap(b: TraceBuilder) -> None:
    b.gc_call("collect")
    b.start()


def death_in_found_heap(b: TraceBuilder) -> None:
    b.decref(0)
    b.start()


def old_after_start(b: TraceBuilder) -> None:
    b.track(0, 2)
    b.start()
    b.track(0, 2)


def huge(b: TraceBuilder) -> None:
    # Of two lists of 56 bytes and so many huge ones the sum of all bytes needs 64 bits.
    for _ in range(2**15 + 1):
        b.alloc("list", size=MOST_BYTES)


def grown_huge(b: TraceBuilder) -> None:
    # The same, of one that is said to own so much again and again.
    for _ in range(2**15 + 1):
        b.resize(0, MOST_BYTES)


def shrunk_below_nothing(b: TraceBuilder) -> None:
    b.resize(0, -SIZE)
    b.resize(0, -SIZE - 1)


def argument(b: TraceBuilder, value) -> int:
    """Number of an argument that some call takes, or none."""
    before = [["[2]"], ["[]"], ["[1]"]]
    b.take_names({"arguments": [tuple(row) for row in before]})
    return before.index([json.dumps(value)])


@pytest.mark.parametrize(
    ("breaks", "sequence", "rule"),
    [
        (lambda b: b.event(Op.ALLOC, 2, 9), 2, "the shape is not in"),
        (lambda b: b.event(Op.ALLOC, 2, 0, 9), 2, "the site is not in"),
        (lambda b: b.alloc("int", flags=Flag.COUNTED), 2, "without a GC header"),
        (lambda b: b.incref(2), 2, "object 2 has not been allocated"),
        (lambda b: b.link(0, 7), 2, "object 7 has not been allocated"),
        (lambda b: (b.decref(0), b.incref(0)), 3, "object 0 is dead"),
        (lambda b: (b.decref(0), b.link(1, 0)), 3, "object 0 is dead"),
        (lambda b: b.incref(0, 0), 2, "at least 1"),
        (lambda b: b.decref(0, 2), 2, "holds fewer references to object 0"),
        (linked_child, 3, "holds fewer references to object 1"),
        (linked_twice, 4, "holds fewer references to object 1"),
        (own_link, 4, "holds fewer references to object 0"),
        (lambda b: b.incref(0, 2**32 - 1), 2, "reference count of object 0"),
        (lambda b: b.unlink(0, 1), 2, "no such link"),
        (lambda b: b.event(Op.LINK, 0, 1, 9), 2, "the label is not in"),
        (lambda b: b.event(Op.INCREF, 0, 1, 9), 2, "the label is not in"),
        (lambda b: b.event(Op.DECREF, 0, 1, 9), 2, "the label is not in"),
        (lambda b: b.event(Op.MARK, 9), 2, "the label is not in"),
        (lambda b: b.kept(0), 2, "follows the event that killed"),
        (kept_late, 4, "follows the event that killed"),
        (kept_twice, 4, "follows the event that killed"),
        (leaf, 3, "object 2 is no container"),
        (lambda b: b.track(0, 1), 2, "generation"),
        (old_after_start, 4, "generation"),
        (lambda b: b.event(Op.GC_CALL, 9), 2, "no such gc call"),
        (lambda b: b.event(Op.GC_CALL, 0, 5), 2, "argument"),
        (lambda b: b.event(Op.GC_CALL, 5, argument(b, [1])), 2, "argument"),
        (lambda b: b.event(Op.START, argument(b, [])), 2, "argument"),
        (lambda b: b.event(Op.INSIDE, 0, 2), 2, "out of range"),
        (nested, 3, "cannot begin within another"),
        (other_end, 3, "has not begun"),
        (weak_twice, 3, "one target, once"),
        (second_start, 3, "one START"),
        (call_in_found_heap, 2, "before START"),
        (death_in_found_heap, 2, "dies in the found heap"),
        (huge, 2 + 2**15, "fewer than 2 [*][*] 63 bytes"),
        (grown_huge, 2 + 2**15, "fewer than 2 [*][*] 63 bytes"),
        (shrunk_below_nothing, 3, "out of range"),
    ],
)
def test_a_broken_rule_is_named_with_the_event(breaks, sequence, rule):
    b = begun()
    breaks(b)
    with pytest.raises(InvalidLog, match=rule) as caught:
        b.build()
    assert caught.value.sequence == sequence
    assert str(caught.value).startswith(f"event {sequence}, {Op(b.columns()[0][sequence]).name}")


def test_cyclic_garbage_stays_alive():
    # Two lists that hold each other and are dropped: counts 2 -> 1, nobody dies.
    b = begun()
    b.link(0, 1)
    b.link(1, 0)
    b.decref(0)
    b.decref(1)
    assert validate(b.build()) == 2


def test_a_chain_dies_with_its_head():
    b = TraceBuilder()
    chain = [b.alloc("list") for _ in range(10_000)]
    for source, target in pairwise(chain):
        b.link(source, target)
        b.decref(target)
    assert validate(b.build()) == 10_000
    b.decref(chain[0])
    assert validate(b.build()) == 0


def test_a_hub_emptied_from_the_front_and_the_middle_is_valid():
    # More links than a search goes through, parallel ones among them, so the index serves;
    # every object dies when its last link is undone.
    b = TraceBuilder()
    hub = b.alloc("list")
    held = [b.alloc("list") for _ in range(500)]
    for target in held:
        b.link(hub, target, n=2)
        b.decref(target)
    for target in held[:200] + held[300:]:
        b.unlink(hub, target)
        b.link(hub, target)
        b.unlink(hub, target, n=2)
    assert validate(b.build()) == 101
    b.decref(hub)
    assert validate(b.build()) == 0


def test_a_hub_has_no_link_twice():
    b = TraceBuilder()
    hub = b.alloc("list")
    held = [b.alloc("list") for _ in range(100)]
    for target in held:
        b.link(hub, target)
    b.unlink(hub, held[0])
    b.unlink(hub, held[0])
    with pytest.raises(InvalidLog, match="no such link") as caught:
        b.build()
    assert caught.value.sequence == len(b) - 1


@given(valid_logs())
def test_random_valid_logs_are_valid(log):
    assert judge(log, log.events()) is None
    validate(log)


@given(valid_logs(), st.data())
def test_native_and_plain_python_agree_on_broken_logs(log, data):
    events = log.events()
    columns = [column.copy() for column in events.columns()]
    for _ in range(data.draw(st.integers(1, 3))):
        if not len(events):
            return
        at = data.draw(st.integers(0, len(events) - 1))
        column = data.draw(st.integers(0, 3))
        columns[column][at] = data.draw(st.integers(0, 15 if column == 0 else 20))
    changed = type(events)(*columns)
    found_heap = bool((changed.op == Op.START).any())
    validator = Validator(log.names, found_heap=found_heap)
    expected = judge(log, changed)
    try:
        middle = len(changed) // 2
        validator.feed(changed.part(0, middle))
        validator.feed(changed.part(middle, len(changed)))
    except InvalidLog as error:
        assert error.sequence == expected
    else:
        assert expected is None


def test_a_shape_of_an_unknown_type_is_refused():
    with EventLog.in_memory() as log:
        log.add_shape(4, 56, 3)
        with pytest.raises(Exception, match="names a type that is not"):
            validate(log)
