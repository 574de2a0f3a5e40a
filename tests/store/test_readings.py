"""Readings: what objects held, by name, is kept as it was given, or said to be damaged."""

import io
import sqlite3
import struct
import zlib
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import valid_builders

from gcreplay.store import EventLog, TraceBuilder
from gcreplay.store.encoding import readings as rows
from gcreplay.store.errors import DamagedFile, MalformedLine
from gcreplay.store.events import NO_OBJECT, SEGMENT_EVENTS, Op
from gcreplay.store.exchange.jsonl import export_jsonl, import_jsonl
from gcreplay.store.readings import (
    INDEX,
    MOST_NUMBER,
    POSITION,
    Readings,
    Reason,
    empty,
    label_text,
)
from gcreplay.store.rules.unrepaired import unrepaired

names = st.none() | st.integers(0, MOST_NUMBER) | st.text(st.characters(exclude_categories=["Cs"]))


def shown(log: EventLog) -> list[tuple]:
    """The readings in words: sequence, object, reason, title, links."""
    readings, labels = log.readings(frames=True), log.labels
    links = [
        (target, label_text(labels, label))
        for target, label in zip(readings.target.tolist(), readings.label.tolist(), strict=True)
    ]
    return [
        (
            int(readings.sequence[i]),
            int(readings.object[i]),
            Reason(readings.reason[i]),
            labels[readings.title[i]],
            links[readings.first[i] : readings.first[i + 1]],
        )
        for i in range(len(readings))
    ]


def order() -> TraceBuilder:
    """An order and its line hold each other."""
    b = TraceBuilder()
    order, lines, line = b.alloc("Order"), b.alloc("list"), b.alloc("Line")
    b.link(order, lines)
    b.link(lines, line)
    b.link(line, order)
    b.decref(lines)
    b.read(order, [(lines, ".lines")], "class Order", Reason.MARK)
    b.decref(line)
    b.decref(order)
    b.read(order, [(lines, ".lines"), (order, None)], reason=Reason.GARBAGE)
    b.read(lines, [(line, 0), (line, POSITION | 7)])
    return b


def test_readings_stand_where_they_were_made(tmp_path):
    with order().build(tmp_path / "log"):
        pass
    with EventLog.open(tmp_path / "log") as log:
        assert shown(log) == [
            (7, 0, Reason.MARK, "class Order", [(1, ".lines")]),
            (9, 0, Reason.GARBAGE, "", [(1, ".lines"), (0, "(child 1)")]),
            (9, 1, Reason.GARBAGE, "", [(2, "[0]"), (2, "(child 7)")]),
        ]
        assert log.event_count == 9


def test_a_log_without_any_has_none():
    assert TraceBuilder().build().readings() == empty()
    assert len(empty()) == 0


@settings(max_examples=25)
@given(valid_builders(max_steps=30), st.data())
def test_what_is_read_comes_back_through_the_file_and_through_json_lines(builder, data):
    for _ in range(data.draw(st.integers(0, 4)) if builder.objects else 0):
        one = st.sampled_from(builder.objects)
        links = data.draw(st.lists(st.tuples(one, names), max_size=4))
        title = data.draw(st.sampled_from(["", "f"]))
        builder.read(data.draw(st.none() | one), links, title, Reason.LOOK)
        if data.draw(st.booleans()):
            builder.mark("between")
    log = builder.build()
    out = io.StringIO()
    assert export_jsonl(log, out) == log.event_count
    again = import_jsonl(out.getvalue().splitlines())
    assert again.readings(frames=True) == log.readings(frames=True)
    assert again.events() == log.events()


def many(n: int, links: list[int], sequence: int = 0, seed: int = 0) -> Readings:
    """Of n objects, all of which have these numbers of links; what they are is random."""
    draw = np.random.default_rng(seed)
    first = np.concatenate([[0], np.cumsum(links)]).astype(np.uint32)
    m = int(first[-1])
    return Readings(
        np.full(len(links), sequence, np.uint64),
        draw.integers(0, n, len(links), np.uint32),
        draw.integers(0, 4, len(links), np.uint8),
        draw.integers(0, 2, len(links), np.uint32),
        first,
        draw.integers(0, n, m, np.uint32),
        draw.integers(INDEX, 2**32, m, np.uint32),
    )


def objects(n: int) -> list[np.ndarray]:
    ids = np.arange(n, dtype=np.uint32)
    return [np.full(n, Op.ALLOC, np.uint8), ids, 0 * ids, 0 * ids]


def begun(log: EventLog) -> EventLog:
    log.add_shape(log.add_type("builtins", "list", "list"), 56, 3)
    return log


@pytest.mark.parametrize(
    "links",
    [[1] * (2 * rows.MOST + 3), [0, 3 * rows.MOST, 0], [2] * rows.MOST, [0] * (rows.MOST + 1)],
    ids=["many readings", "an object with many links", "full", "no links"],
)
def test_many_readings_take_more_than_a_row(links):
    with begun(EventLog.in_memory()) as log:
        log.append(*objects(1000))
        given = many(1000, links, 1000)
        log.add_readings(given)
        assert log.readings() == given


def test_readings_are_stored_with_the_events_before_them(tmp_path):
    path = tmp_path / "log"
    with begun(EventLog.create(path)) as log:
        parts = [many(5, [1, 2], n) for n in (5, SEGMENT_EVENTS, SEGMENT_EVENTS + 1)]
        log.append(*(column[:5] for column in objects(5)))
        for part in parts:
            log.add_readings(part)
        kept = [
            np.full(SEGMENT_EVENTS, x, t) for x, t in ((Op.SAFEPOINT, np.uint8), (0, np.uint32))
        ]
        log.append(kept[0], *[kept[1]] * 3)
        with EventLog.open(path) as reader:
            assert reader.event_count == SEGMENT_EVENTS
            assert reader.readings().sequence.tolist() == [5, 5, SEGMENT_EVENTS, SEGMENT_EVENTS]
    with EventLog.open(path) as log:
        assert log.readings().sequence[-1] == SEGMENT_EVENTS + 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"object": np.array([1, 9], np.uint32)}, "an object has not been allocated"),
        ({"target": np.array([0, 9, 0], np.uint32)}, "an object has not been allocated"),
        ({"label": np.array([0, INDEX - 1, 0], np.uint32)}, "a label is not in the log's table"),
        ({"title": np.array([0, 2], np.uint32)}, "a label is not in the log's table"),
        ({"reason": np.array([0, 4], np.uint8)}, "no such reason"),
        ({"sequence": np.array([9, 8], np.uint64)}, "in no order"),
        ({"first": np.array([0, 4, 3], np.uint32)}, "ends before it begins"),
        ({"first": np.array([0, 1, 2], np.uint32)}, "belong to no reading"),
        ({"first": np.array([0, 3], np.uint32)}, "columns of different length"),
    ],
)
def test_what_no_readings_are_is_refused(change, says):
    with begun(EventLog.in_memory()) as log:
        log.append(*objects(9))
        with pytest.raises(ValueError, match=says):
            log.add_readings(replace(many(9, [1, 2], 9), **change))
        log.add_readings(many(9, [1, 2], 9))
        with pytest.raises(ValueError, match="in no order"):
            log.add_readings(many(9, [1, 2], 8))
        assert len(log.readings()) == 2


def test_readings_move_with_the_events_that_are_left_out():
    b = TraceBuilder()
    x, y = b.alloc("list"), b.alloc("list")
    b.start()
    b.link(x, y)
    b.unlink(x, y, label="(stale link)")
    b.link(x, y)
    b.read(x, [(y, 0)])
    b.read(None, [(y, ":y")], "main")
    b.mark("end")
    with b.build() as log, unrepaired(log) as rest:
        assert shown(log)[0][0] == 6
        assert shown(rest) == [
            (5, x, Reason.GARBAGE, "", [(y, "[0]")]),
            (5, NO_OBJECT, Reason.GARBAGE, "main", [(y, ":y")]),
        ]


@pytest.mark.parametrize(
    "record",
    [
        '{"op": "read", "object": 1, "links": []}',
        '{"op": "read", "object": 0, "links": [[1, ".x"]]}',
        '{"op": "read", "object": 0, "links": [0]}',
        '{"op": "read", "object": 0, "links": [[0, null]]}',
        '{"op": "read", "object": 0, "links": [[0, {"child": -1}]]}',
        '{"op": "read", "object": 0, "links": [[0, 1073741824]]}',
        '{"op": "read", "object": 0, "links": [], "reason": "why"}',
        '{"op": "read", "object": 0}',
    ],
)
def test_a_line_that_is_no_reading_is_named(record):
    lines = ['{"gcreplay": 1}', '{"op": "alloc", "object": 0}', record]
    with pytest.raises(MalformedLine, match="line 3"):
        import_jsonl(lines)


@pytest.fixture
def file(tmp_path):
    with order().build(tmp_path / "log"):
        pass
    return tmp_path / "log"


def changed(file, statement: str, *values: object) -> str:
    """What is said of the file when its readings are read after that change."""
    with sqlite3.connect(file) as connection:
        connection.execute(statement, values)
    with EventLog.open(file) as log:
        assert log.intact_events() == 9
        with pytest.raises(DamagedFile) as caught:
            log.readings()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DELETE FROM readings", "its table readings is not what was written"),
        ("UPDATE readings SET readings = 2", "its table readings is not what was written"),
        ("UPDATE readings SET links = 3", "a checksum does not match"),
        ("UPDATE readings SET links = 'many'", "missing or damaged"),
        ("UPDATE readings SET id = 1", "missing or damaged"),
        ("UPDATE readings SET payload = 'text'", "missing or damaged"),
        ("UPDATE readings SET payload = x''", "a checksum does not match"),
    ],
)
def test_damaged_readings_are_named_and_the_rest_is_read(file, statement, says):
    assert says in changed(file, statement)


@pytest.mark.parametrize(
    ("readings", "links", "payload"),
    [
        (3, rows.MOST + 1, b""),
        (3, 5, b"\0"),
        (3, 5, b"\xff\xff\xff\xff" + bytes(99)),
        (3, rows.MOST, b"\0\0\0\0"),
    ],
)
def test_a_row_cannot_hold_more_than_it_is_long(file, readings, links, payload):
    checksum = zlib.crc32(payload, zlib.crc32(struct.pack("<QQ", readings, links)))
    change = "UPDATE readings SET readings = ?, links = ?, checksum = ?, payload = ?"
    says = changed(file, change, readings, links, checksum, payload)
    assert "a row is not what was encoded" in says


def test_what_compresses_to_nothing_is_filled_up(tmp_path):
    """So that the file's size bounds what reading takes."""
    path = tmp_path / "log"
    with begun(EventLog.create(path)) as log:
        log.append(*objects(2))
        none = np.zeros(10 * rows.MOST, np.uint32)
        one, first = np.ones(1, np.uint64), np.array([0, len(none)], np.uint32)
        log.add_readings(
            Readings(one, none[:1], none[:1].astype(np.uint8), none[:1], first, none, none)
        )
    with sqlite3.connect(path) as connection:
        lengths = [n for (n,) in connection.execute("SELECT length(payload) FROM readings")]
    assert len(lengths) == 10
    assert all(n >= 8 * rows.MOST // 256 for n in lengths)
    with EventLog.open(path) as log:
        assert log.readings().first.tolist() == [0, len(none)]


def test_a_flipped_bit_of_a_payload_is_noticed(file):
    with sqlite3.connect(file) as connection:
        (payload,) = connection.execute("SELECT payload FROM readings").fetchone()
    for at in range(len(payload)):
        with sqlite3.connect(file) as connection, suppress(sqlite3.Error):
            flipped = payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]
            connection.execute("UPDATE readings SET payload = ?", (flipped,))
        with EventLog.open(file) as log, pytest.raises(DamagedFile, match="checksum"):
            log.readings()
