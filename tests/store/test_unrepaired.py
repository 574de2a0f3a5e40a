"""A log without its repairs: each kind worked out by hand, and all of it against plain Python."""

from collections.abc import Collection

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_rules import Broken, Program, judge
from strategies import valid_logs

from gcreplay.store import EventLog, InvalidLog, Op, TraceBuilder, validate
from gcreplay.store.errors import Unmarked
from gcreplay.store.events import NO_OBJECT, REPAIR_LABELS, Events, ObservedCollection
from gcreplay.store.rules.unrepaired import unrepaired
from gcreplay.store.words import describe

STALE, LATE, HOLD, OPAQUE = REPAIR_LABELS.values()
ALL = tuple(REPAIR_LABELS)


def lists(n: int) -> TraceBuilder:
    """Lists 0 to n - 1, each held once by running code: as many events."""
    b = TraceBuilder()
    for _ in range(n):
        b.alloc("list")
    return b


def remains(b: TraceBuilder, after: int, kinds: Collection[str] = ALL) -> tuple[list[str], int]:
    """What remains of the events from `after` on, and how many objects are alive in the end."""
    with b.build() as log, unrepaired(log, kinds) as rest:
        events = rest.window(after, rest.event_count)
        columns = (column.tolist() for column in events.columns())
        return [describe(*event) for event in zip(*columns, strict=True)], validate(rest)


def test_an_object_lives_as_long_as_the_stale_link_to_it():
    b = lists(2)
    b.link(0, 1)
    b.decref(1)
    b.unlink(0, 1, label=STALE)  # kills 1
    b.kept(1)
    b.alloc("list")
    assert remains(b, 2) == (["LINK 0 -> 1", "DECREF 1 by 1", "ALLOC 2 of shape 0"], 3)
    b.decref(0)  # and with it 1
    assert remains(b, 5) == (["DECREF 0 by 1"], 1)


def test_a_stale_link_that_was_taken_for_a_reference_of_running_code_remains():
    # 0 holds 1, and in truth nothing: when the garbage 1 was collected, running code stood in.
    b = lists(2)
    b.link(0, 1)
    b.link(1, 1)
    b.decref(1)
    b.incref(1, label=STALE)
    b.unlink(0, 1, label=STALE)
    b.decref(1)  # held by itself only
    assert remains(b, 2) == (["LINK 0 -> 1", "LINK 1 -> 1", "DECREF 1 by 1"], 2)


def test_an_object_whose_references_nobody_saw_dropped_lives_on_with_what_it_holds():
    b = lists(2)
    b.incref(0, 2)
    b.link(0, 1)
    b.decref(1)
    b.decref(0, 3, label=LATE)  # kills 0 and 1
    b.kept(1)
    b.kept(0)
    assert remains(b, 2) == (["INCREF 0 by 2", "LINK 0 -> 1", "DECREF 1 by 1"], 2)


def test_what_was_held_dies_with_its_holder_and_is_not_heard_of_again():
    b = lists(3)
    b.link(0, 1)
    b.decref(1)
    b.incref(1, label=HOLD)
    b.decref(0)  # kills 0, and without the hold 1
    b.link(2, 1)
    b.link(1, 2)
    b.decref(1)
    b.weakref(2, 1)
    b.weakref(1, 2)
    b.resize(1, 8)
    b.track(1)
    b.untrack(1)
    with b.inside(1):
        b.unlink(2, 1)  # kills 1, which holds 2
    b.kept(1)
    b.alloc("list")
    region = ["INSIDE no object begin", "INSIDE no object end"]
    expected = ["DECREF 0 by 1", *region, "KEPT 1", "ALLOC 3 of shape 0"]
    assert remains(b, 5) == (expected, 2)


def test_an_early_death_is_not_kept_at_the_later_one():
    b = lists(2)
    b.link(0, 1)
    b.decref(1)
    b.incref(1, label=HOLD)
    b.decref(0)
    b.alloc("list")
    b.decref(1)
    b.kept(1)
    assert remains(b, 4) == (["DECREF 0 by 1", "ALLOC 2 of shape 0"], 1)


def test_no_more_is_dropped_than_running_code_holds():
    b = lists(2)
    b.link(0, 1)
    b.incref(1, label=HOLD)
    b.decref(1, 2)
    b.alloc("list")
    assert remains(b, 3) == (["DECREF 1 by 1", "ALLOC 2 of shape 0"], 3)


def test_a_region_keeps_the_object_it_began_with():
    b = lists(2)
    b.link(0, 1)
    b.decref(1)
    b.incref(1, label=HOLD)
    b.begin_inside(1)
    b.decref(0)
    b.end_inside(1)
    assert remains(b, 4) == (["INSIDE 1 begin", "DECREF 0 by 1", "INSIDE 1 end"], 0)


def test_what_an_opaque_link_took_the_place_of_is_held_still():
    b = lists(2)
    b.link(0, 0)
    b.incref(1)
    b.link(0, 1, label=OPAQUE)
    b.decref(1, 2, label=OPAQUE)
    b.decref(0)
    expected = ["LINK 0 -> 0", "INCREF 1 by 1", "LINK 0 -> 1 label 1", "DECREF 0 by 1"]
    assert remains(b, 2) == (expected, 2)


def test_kinds_are_left_out_one_by_one():
    b = lists(2)
    b.link(0, 1)
    b.decref(1)
    b.incref(1, label=HOLD)
    b.unlink(0, 1, label=STALE)
    b.decref(1, label=LATE)
    hold, stale, late = "INCREF 1 by 1 label 2", "UNLINK 0 -> 1 label 3", "DECREF 1 by 1 label 4"
    assert remains(b, 4, []) == ([hold, stale, late], 1)
    assert remains(b, 4, ["hold"]) == ([stale], 1)
    assert remains(b, 4, ["stale_link"]) == ([hold, late], 2)
    assert remains(b, 4, ["late_decref"]) == ([hold, stale], 2)


def test_what_stands_before_start_was_found_and_not_concluded():
    b = lists(1)
    b.incref(0, label=HOLD)
    b.decref(0, label=LATE)
    b.start()
    b.incref(0, label=HOLD)
    assert remains(b, 1) == (["INCREF 0 by 1 label 2", "DECREF 0 by 1 label 3", "START"], 1)


def test_a_recorded_collection_stays_with_its_event():
    b = lists(2)
    b.incref(1, label=HOLD)
    b.gc_call("collect")
    b.incref(1, label=HOLD)
    b.mark("end")
    observed = [
        ObservedCollection(sequence, 2, "call", 2, 2, 0, 0, 0, 0, 0) for sequence in (3, 5, 6)
    ]
    with b.build() as log:
        log.add_observed(observed)
        with unrepaired(log) as rest:
            assert [seen.sequence for seen in rest.observed] == [2, 3, 4]
            assert rest.events().op[2] == Op.GC_CALL


def test_a_recording_without_marks_is_refused():
    b = TraceBuilder(repairs={"hold": 3, "late_object": 2})
    with b.build() as log:
        with pytest.raises(Unmarked, match="did not mark its repairs"):
            unrepaired(log)
        unrepaired(log, ["stale_link"]).close()


def test_an_invalid_log_is_refused_with_the_event():
    with EventLog.in_memory() as log:
        log.add_shape(log.add_type("", "list"), 56, 3)
        log.append(*(np.array(x) for x in ([Op.ALLOC, Op.DECREF], [0, 0], [0, 2], [0, 0])))
        with pytest.raises(InvalidLog, match="holds fewer references to object 0") as caught:
            unrepaired(log)
        assert caught.value.sequence == 1


def plainly(log: EventLog, kinds: Collection[str]) -> list[tuple[int, ...]]:
    """What remains, by the rules in plain Python."""
    arguments = (*log.shape_arrays()[1:], len(log.sites), len(log.labels), log.arguments)
    found_heap = log.op_counts[Op.START] > 0
    recorded, rest = Program(*arguments, found_heap), Program(*arguments, found_heap)
    left_out = {log.labels.index(REPAIR_LABELS[k]) for k in kinds if REPAIR_LABELS[k] in log.labels}
    remaining = []
    for op, a, b, c in zip(*(x.tolist() for x in log.events().columns()), strict=True):
        was_dead = a not in recorded.count
        recorded.apply(op, a, b, c)
        repair = op in (Op.INCREF, Op.DECREF, Op.UNLINK) and c in left_out
        if (repair and not recorded.found_heap) or (op == Op.KEPT and was_dead and a in rest.count):
            continue
        if op == Op.INSIDE:
            a = (a if a in rest.count else NO_OBJECT) if b else rest.region[0]
        if op == Op.DECREF and a in rest.count:
            b = min(b, rest.count[a] - rest.linked(a))
        try:
            rest.apply(op, a, b, c)
        except Broken:
            continue
        remaining.append((op, a, b, c))
    return remaining


kinds_left_out = st.one_of(st.just(ALL), st.lists(st.sampled_from(ALL), unique=True))


@given(valid_logs(), kinds_left_out)
def test_what_remains_is_valid_and_what_plain_python_leaves(log: EventLog, kinds: list[str]):
    with unrepaired(log, kinds) as rest:
        validate(rest)
        assert judge(rest, rest.events()) is None
        columns = (x.tolist() for x in rest.events().columns())
        assert list(zip(*columns, strict=True)) == plainly(log, kinds)
        with unrepaired(rest, kinds) as again:
            assert again.events() == rest.events()


@given(valid_logs())
def test_a_log_without_marks_is_left_as_it_is(log: EventLog):
    op, a, b, c = log.events().columns()
    c = np.where((op == Op.INCREF) | (op == Op.DECREF) | (op == Op.UNLINK), 0, c)
    plain = Events(op, a, b, c.astype(np.uint32))
    with EventLog.in_memory() as unmarked:
        unmarked.take_names(log.names)
        unmarked.append(*plain.columns())
        with unrepaired(unmarked) as rest:
            assert rest.events() == plain
