"""Segments: columns to bytes and back."""

import dataclasses
import sqlite3
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcreplay.store import EventLog, TraceBuilder, validate
from gcreplay.store.encoding import _codec, codec
from gcreplay.store.events import NO_OBJECT, Events, Op, Segment

# Operands each op has; every other operand must be 0.
OPERANDS = {
    Op.START: "a",
    Op.ALLOC: "abc",
    Op.INCREF: "abc",
    Op.DECREF: "abc",
    Op.LINK: "abc",
    Op.UNLINK: "abc",
    Op.KEPT: "a",
    Op.RESIZE: "abc",
    Op.TRACK: "ab",
    Op.UNTRACK: "a",
    Op.GC_CALL: "abc",
    Op.INSIDE: "ab",
    Op.SAFEPOINT: "",
    Op.MARK: "a",
    Op.TICK: "ab",
    Op.WEAKREF: "abc",
}

numbers = st.one_of(
    st.integers(0, 3), st.sampled_from([255, 256, 65535, 65536, 2**24 - 1, 2**24, NO_OBJECT])
)


@st.composite
def runs(draw: st.DrawFn) -> Events:
    """Any columns that can be stored, also such that mean nothing."""
    first = following = draw(st.sampled_from([0, 1, 1000, 2**31]))
    rows = []
    for op in draw(st.lists(st.sampled_from(Op), max_size=40)):
        operands = [draw(numbers) if name in OPERANDS[op] else 0 for name in "abc"]
        if op == Op.ALLOC:
            operands[0] = following
            following += 1
        rows.append((op, *operands))
    op, a, b, c = zip(*rows, strict=True) if rows else ((), (), (), ())
    columns = (np.array(x, np.uint32) for x in (a, b, c))
    return Events(np.array(op, np.uint8), *columns, 0, first)


def encoded(events: Events) -> tuple[bytes, Segment]:
    result = codec.encode(*events.columns(), events.first_object)
    header = Segment(0, 0, len(events), events.first_object, result.counts)
    return result.payload, header


@given(runs())
def test_columns_round_trip(events):
    payload, header = encoded(events)
    assert codec.decode(payload, header) == events
    assert header.counts == tuple(np.bincount(events.op, minlength=16))


@given(runs(), st.data())
def test_bytes_that_are_no_streams_are_refused_or_decoded_never_worse(events, data):
    streams, _ = _codec.encode(*events.columns(), 0 if not len(events) else events.first_object)
    which = data.draw(st.integers(0, len(streams) - 1))
    streams[which] = data.draw(st.binary(max_size=80))
    op = np.empty(len(events), np.uint8)
    a, b, c = (np.empty(len(events), np.uint32) for _ in range(3))
    with suppress(ValueError):
        _codec.decode(streams, 0, op, a, b, c)


@given(runs(), st.data())
def test_a_payload_cut_anywhere_is_refused(events, data):
    payload, header = encoded(events)
    cut = data.draw(st.integers(0, len(payload) - 1))
    with pytest.raises(ValueError, match=r".+"):
        codec.decode(payload[:cut], header)


VERSION_1 = bytes.fromhex(
    "060000000f0000000c000000150000000700000010000000060000000f000000060000000f000000070000001000"
    "0000140000001d00000028b52ffd200631000011423485ea0328b52ffd200c6100000000010201010202020000"
    "0028b52ffd20073900000001020100000028b52ffd200631000000000100000028b52ffd200631000000010000"
    "000028b52ffd20073900000002000200000028b52ffd2014a100000530002c012d01000000000010a5d4e80100"
    "0000"
)
"""What `before` was encoded as when only links had a label."""


def before() -> TraceBuilder:
    """Eleven events, links with a label among them, increfs and decrefs without."""
    b = TraceBuilder()
    hub = b.alloc("list", site=("demo.py", 1, "main"))
    d = b.alloc("dict")
    b.incref(d, 300)
    b.link(hub, d, label="[0]")
    b.link(d, hub)
    b.decref(d, 301)
    b.unlink(hub, d, label="[0]")
    b.track(hub)
    b.gc_call("collect", 2)
    b.tick(10**12)
    b.decref(hub)
    return b


def test_the_former_encoding_is_read(tmp_path):
    path = tmp_path / "former.gcreplay"
    with before().build(path) as log:
        (segment,) = log.segment_table
        expected = log.events()
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE segments SET codec = 1, payload = ?, checksum = ?",
            (VERSION_1, codec.checksum(VERSION_1, segment)),
        )
    with EventLog.open(path) as log:
        assert log.events() == expected
        assert validate(log) == 0
    with pytest.raises(ValueError, match="stream of wrong length"):
        codec.decode(VERSION_1, segment)


@pytest.mark.parametrize(
    ("op", "a", "b", "c"),
    [
        (16, 0, 0, 0),  # no such op
        (Op.ALLOC, 6, 0, 0),  # the next object is 5
        (Op.KEPT, 0, 1, 0),  # KEPT has no b
        (Op.TRACK, 0, 1, 1),  # TRACK has no c
        (Op.SAFEPOINT, 1, 0, 0),  # SAFEPOINT has no operand
    ],
)
def test_what_no_stream_can_hold_is_refused_with_its_position(op, a, b, c):
    columns = [np.array([Op.INCREF, op], np.uint8)]
    columns += [np.array([0 if i else 4, x], np.uint32) for i, x in enumerate((a, b, c))]
    columns[2][0] = 1
    with pytest.raises(ValueError, match="1"):
        codec.encode(*columns, 5)


def test_the_checksum_covers_header_and_payload():
    header = Segment(0, 10, 3, 2, (0,) * 16)
    good = codec.checksum(b"payload", header)
    assert codec.checksum(b"paYload", header) != good
    assert codec.checksum(b"payload", dataclasses.replace(header, first_object=3)) != good


def test_a_plain_program_takes_less_than_one_and_a_half_bytes_an_event():
    # A made-up program: objects are allocated, referred to, linked to one of the last objects,
    # and die at an age of a few dozen allocations; ages, shapes and sites are random draws.
    draw = np.random.default_rng(1)
    n = 25_000
    new = np.arange(n, dtype=np.uint32)
    old = (new - np.minimum(new, draw.geometric(0.05, n))).astype(np.uint32)
    zero, one = np.zeros(n, np.uint32), np.ones(n, np.uint32)
    shape = draw.geometric(0.2, n).astype(np.uint32)
    rows = [
        (Op.ALLOC, new, shape, shape * 3 + draw.integers(0, 3, n, np.uint32)),
        (Op.INCREF, new, one, zero),
        (Op.LINK, old, new, zero),
        (Op.DECREF, new, one, zero),
        (Op.DECREF, old, one, zero),
    ]
    op = np.tile(np.array([row[0] for row in rows], np.uint8), n)
    a, b, c = (np.stack([row[i] for row in rows], 1).reshape(-1).copy() for i in (1, 2, 3))
    assert len(codec.encode(op, a, b, c, 0).payload) < 1.5 * len(op)
