"""Events that name what the log does not have: whoever looks is told which event, and reads no
further."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import valid_builders

from gcreplay.replay import diff, replay, verify
from gcreplay.screen.wording import Wording
from gcreplay.store import EventLog, GcreplayError, InvalidLog, TraceBuilder
from gcreplay.store.exchange.jsonl import export_jsonl
from gcreplay.store.exchange.records import records
from gcreplay.store.rules.unrepaired import unrepaired
from gcreplay.store.rules.validate import validate

POLICIES = ("never", "cpython-3.11", "generational:3,1,1", "manual", "clairvoyant", "every:m0,2")


def unjudged(builder: TraceBuilder, changes: list[tuple[int, int, int]] = ()) -> EventLog:
    """The log with operands (event, column, value) changed, as no builder would build it."""
    columns = builder.columns()
    for event, column, value in changes:
        columns[column][event % len(columns[0])] = value
    log = EventLog.in_memory(meta={"counts": "exact"})
    log.take_names(builder._names)
    log.append(*columns)
    log.flush()
    return log


def words(log: EventLog) -> list[object]:
    wording = Wording(log)
    return [line for segment in log.named() for line in wording.lines(segment)]


READERS = {
    "records": lambda log: list(records(log)),
    "words": words,
    "lines": lambda log: export_jsonl(log, io.StringIO()),
    "marks": EventLog.marks,
    "calls": EventLog.gc_calls,
    "start": lambda log: log.start,
    "projections": EventLog.rebuild_projections,
    "validate": validate,
    "unrepaired": unrepaired,
    "verify": verify,
    "diff": lambda log: diff((log, "never"), (log, "cpython-3.11")),
    **{name: lambda log, name=name: replay(log, name) for name in POLICIES},
}


def begun() -> TraceBuilder:
    b = TraceBuilder()
    b.alloc("list", site=("f.py", 1, "f"))
    b.start()
    b.alloc("list")
    b.link(0, 1, label="x")
    b.mark("m0")
    b.gc_call("collect", 2)
    b.unlink(0, 1)
    b.weakref(1, 0)
    return b


@pytest.mark.parametrize(
    ("event", "column", "value", "says"),
    [
        (0, 2, 7, "the shape is not in the log's table of shapes"),
        (0, 3, 7, "the site is not in the log's table of sites"),
        (1, 1, 7, "the argument is missing, or is not what this event takes"),
        (1, 1, 1, "the argument is missing, or is not what this event takes"),  # that of collect
        (3, 1, 7, "object 7 has not been allocated yet"),
        (3, 2, 7, "object 7 has not been allocated yet"),
        (3, 3, 7, "the label is not in the log's table of labels"),
        (4, 1, 7, "the label is not in the log's table of labels"),
        (5, 1, 7, "there is no such gc call"),
        (5, 2, 7, "the argument is missing, or is not what this event takes"),
        (7, 3, 4, "an operand is out of range"),
        (5, 2, 0, "the argument is missing, or is not what this event takes"),  # that of START
    ],
)
@pytest.mark.parametrize("reader", ["records", "words", "lines", "projections", "diff"])
def test_who_looks_up_what_an_event_names_is_told(reader, event, column, value, says):
    log = unjudged(begun(), [(event, column, value)])
    with pytest.raises(InvalidLog) as caught:
        READERS[reader](log)
    assert caught.value.sequence == event
    if reader != "diff":  # there the engine says it in its own words
        assert caught.value.rule == says


@given(
    valid_builders(max_steps=40),
    st.lists(
        st.tuples(
            st.integers(0, 10**6),
            st.integers(0, 3),
            st.sampled_from([0, 1, 2, 3, 4, 15, 2**31, 2**32 - 2, 2**32 - 1]) | st.integers(0, 15),
        ),
        max_size=3,
    ),
)
def test_random_operands_are_told_or_harmless(builder, changes):
    """Every reader and the engine under every policy, without the validator before it."""
    if not len(builder):
        return
    changes = [
        (event, column, value % (16 if column == 0 else 2**32)) for event, column, value in changes
    ]
    try:
        log = unjudged(builder, changes)
    except InvalidLog:
        return  # it cannot even be stored
    for read in READERS.values():
        try:
            read(log)
        except GcreplayError as error:
            assert str(error).isprintable()
