"""Segments are decoded in a thread while the one before them is used."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from gcreplay.store import EventLog, Events, Flag, Op
from gcreplay.store.encoding import codec
from gcreplay.store.errors import DamagedSegment
from gcreplay.store.events import Segment

SEGMENTS = 8
DECODE = codec.decode


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    """A log of SEGMENTS segments with one event each."""
    path = tmp_path / "log.gcreplay"
    with EventLog.create(path) as made:
        made.add_shape(made.add_type("app", "Node"), 48, Flag.GC)
        for i in range(SEGMENTS):
            column = np.array([i], np.uint32)
            made.append(np.array([Op.ALLOC], np.uint8), column, 0 * column, 0 * column)
            made.flush()
    with EventLog.open(path) as opened:
        yield opened


class Decoding:
    """Stands for `codec.decode` and notes who decodes what."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.decoded: list[int] = []
        self.threads: set[threading.Thread] = set()
        self.done = threading.Condition()
        monkeypatch.setattr(codec, "decode", self)

    def __call__(self, payload: bytes, segment: Segment, version: int) -> Events:
        events = DECODE(payload, segment, version)
        with self.done:
            self.decoded.append(segment.id)
            self.threads.add(threading.current_thread())
            self.done.notify()
        return events

    def has_done(self, count: int) -> bool:
        with self.done:
            return self.done.wait_for(lambda: len(self.decoded) >= count, timeout=60)


def test_two_segments_are_decoded_while_one_is_used(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoding = Decoding(monkeypatch)
    for used, _ in enumerate(log.segments(), start=1):
        assert decoding.has_done(min(used + 2, SEGMENTS))
        assert len(decoding.decoded) <= used + 2
    assert decoding.decoded == list(range(SEGMENTS))
    assert len(decoding.threads) == 1
    assert threading.main_thread() not in decoding.threads


def test_who_leaves_off_leaves_no_thread(log: EventLog) -> None:
    before = threading.active_count()
    with closing(log.segments()) as segments:
        next(segments)
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_a_single_segment_needs_no_thread(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    decoding = Decoding(monkeypatch)
    assert log.window(3, 4).first_sequence == 3
    assert decoding.threads == {threading.main_thread()}


def test_an_interrupted_reader_leaves_no_thread(log: EventLog) -> None:
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        for _ in log.segments():
            raise KeyboardInterrupt
    assert threading.active_count() == before


def test_a_damaged_segment_is_told_at_its_turn(log: EventLog) -> None:
    assert log.path is not None
    engine = create_engine(f"sqlite:///{log.path}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE segments SET checksum = checksum + 1 WHERE id = 2"))
        connection.execute(text("DELETE FROM segments WHERE id = 5"))
    engine.dispose()
    for start, given, broken in ((0, [0, 1], 2), (3, [3, 4], 5)):
        read = []
        with pytest.raises(DamagedSegment) as told:
            for events in log.segments(start):
                read.append(events.first_sequence)
        assert read == given
        assert told.value.first_sequence == broken
