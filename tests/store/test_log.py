"""EventLog: append, read whole, by window and by segment; names, results, processes."""

import os
import pwd
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import valid_builders, valid_logs

from gcreplay.store import EventLog, Flag, InvalidLog, Op, TraceBuilder
from gcreplay.store.errors import FileExists, NotFound, StorageError
from gcreplay.store.events import SEGMENT_EVENTS, FreeLists, ObservedCollection, StartState


def churn(n: int, first: int = 0) -> list[np.ndarray]:
    """`n` objects from number `first` on, each allocated and dropped: 2n events."""
    ids = np.repeat(np.arange(first, first + n, dtype=np.uint32), 2)
    op = np.tile(np.array([Op.ALLOC, Op.DECREF], np.uint8), n)
    return [op, ids, np.tile(np.array([0, 1], np.uint32), n), np.zeros(2 * n, np.uint32)]


def writing(path) -> EventLog:
    log = EventLog.create(path)
    log.add_shape(log.add_type("builtins", "list", "list"), 56, Flag.GC | Flag.COUNTED)
    return log


def segment_rows(path) -> list[tuple]:
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT * FROM segments ORDER BY id").fetchall()


NAMES = ("types", "sites", "labels", "shapes", "arguments")


@given(valid_builders())
def test_a_valid_log_round_trips_byte_for_byte(tmp_path_factory, builder):
    folder = tmp_path_factory.mktemp("log")
    first, second = folder / "first.db", folder / "second.db"
    with builder.build(first):
        pass
    with EventLog.open(first) as log, EventLog.create(second) as copy:
        expected = builder.columns()
        for column, wanted in zip(log.events().columns(), expected, strict=True):
            assert np.array_equal(column, wanted)
        copy.take_names(log.names)
        copy.append(*log.events().columns())
        copy.flush()
        for name in NAMES:
            assert getattr(copy, name) == getattr(log, name)
    assert segment_rows(first) == segment_rows(second)


@given(valid_logs(), st.lists(st.integers(0, 40), max_size=8))
def test_appending_in_pieces_or_at_once_is_the_same(log, sizes):
    columns = log.events().columns()
    with EventLog.in_memory() as pieces:
        pieces.take_names(log.names)
        at = 0
        for size in [*sizes, log.event_count]:
            pieces.append(*(column[at : at + size] for column in columns))
            at += size
        assert pieces.events() == log.events()
        assert pieces.segment_table == log.segment_table


@given(valid_logs(), st.integers(0, 150), st.integers(0, 150))
def test_a_window_is_a_slice_of_the_whole(log, start, length):
    whole = log.events()
    part = log.window(start, start + length)
    for mine, theirs in zip(part.columns(), whole.columns(), strict=True):
        assert np.array_equal(mine, theirs[start : start + length])
    if len(part):
        assert part.first_sequence == start
        assert part.first_object == np.count_nonzero(whole.op[:start] == Op.ALLOC)


def test_segments_hold_131072_events_and_carry_their_counts(tmp_path):
    n = SEGMENT_EVENTS  # objects; two events each make exactly two segments
    with writing(tmp_path / "log.db") as log:
        log.append(*churn(n))
        log.append(*(column[:0] for column in churn(1)))
    with EventLog.open(tmp_path / "log.db") as log:
        table = log.segment_table
        assert [segment.events for segment in table] == [SEGMENT_EVENTS] * 2
        assert [segment.first_object for segment in table] == [0, n // 2]
        assert [segment.objects for segment in table] == [n // 2] * 2
        assert log.op_counts[Op.DECREF] == n
        assert log.object_count == n
        assert [part.first_sequence for part in log.segments()] == [0, SEGMENT_EVENTS]
        across = log.window(SEGMENT_EVENTS - 1, SEGMENT_EVENTS + 1)
        assert across.a.tolist() == [n // 2 - 1, n // 2]


def test_a_closed_log_is_one_complete_file(tmp_path):
    with writing(tmp_path / "log.db") as log:
        log.append(*churn(10))
        assert log.meta["complete"] is False
    assert [path.name for path in tmp_path.iterdir()] == ["log.db"]
    with EventLog.open(tmp_path / "log.db") as log:
        assert log.meta == {"schema": 3, "complete": True}
        assert log.event_count == log.intact_events() == 20


def test_a_log_whose_writing_failed_is_not_complete(tmp_path):
    with pytest.raises(KeyError), writing(tmp_path / "log.db") as log:
        log.append(*churn(10))
        raise KeyError
    with EventLog.open(tmp_path / "log.db") as log:
        assert log.meta["complete"] is False
        assert log.event_count == 20


def test_an_existing_file_is_not_overwritten_unless_forced(tmp_path):
    path = tmp_path / "log.db"
    path.write_text("precious")
    with pytest.raises(FileExists, match=r"log\.db exists"):
        EventLog.create(path)
    assert path.read_text() == "precious"
    with EventLog.create(path, force=True):
        pass
    with EventLog.open(path) as log:
        assert log.event_count == 0


def test_names_are_interned_and_reserved_ones_stand_first():
    with EventLog.in_memory() as log:
        assert log.add_label("next") == log.add_label("next") == 2
        assert log.labels == ("", "(opaque)", "next")
        assert log.add_site("f.py", 3, "main") == 1
        assert log.add_type("m", "Node") == 0
        assert log.add_type("m", "Node", finalizer=1) == 1
        assert log.add_shape(1, 48, 7) == 0
        assert log.types[1].qualified == "m.Node"
        assert [array.tolist() for array in log.shape_arrays()] == [[1], [48], [7]]


def test_an_event_that_cannot_be_stored_is_named():
    with EventLog.in_memory() as log:
        log.append(*churn(3))
        with pytest.raises(InvalidLog, match=r"event 6, ALLOC a=5 .* dense") as caught:
            log.append(*(np.array([x], np.uint32) for x in (Op.ALLOC, 5, 0, 0)))
            log.flush()
        assert caught.value.sequence == 6


def test_start_marks_and_gc_calls_are_found():
    b = TraceBuilder()
    found = b.alloc("list")
    b.track(found, 2)
    state = StartState((1, 2, 3), (100, 5, 5), False, 40, 10, FreeLists(list=80, tuple=(7,) * 20))
    b.start(
        count=(1, 2, 3),
        threshold=(100, 5, 5),
        enabled=False,
        long_lived_total=40,
        long_lived_pending=10,
        free_lists=FreeLists(list=80, tuple=(7,) * 20),
    )
    b.mark("ready")
    b.gc_call("set_threshold", 10, 2, 2)
    log = b.build()
    assert log.start == state
    assert log.start_sequence == 2
    assert log.marks() == [(3, "ready")]
    assert log.gc_calls() == [(4, 5, [10, 2, 2])]


def test_observed_collections_and_runs_are_kept(tmp_path):
    seen = ObservedCollection(7, 5, "threshold", 0, 701, 12, 0, 3, 1, 4000)
    with writing(tmp_path / "log.db") as log:
        log.add_observed([seen])
        log.add_observed([seen, seen])
    with EventLog.open(tmp_path / "log.db", writable=True) as log:
        assert log.observed == (seen, seen, seen)
        first = log.save_run("never", {}, {"collected": 0}, "abc")
        assert log.save_run("never", {}, {"collected": 0}, "abc") == first
        assert log.save_run("never", {"window": "a..b"}, {"collected": 0}, "abc") == first + 1
    with EventLog.open(tmp_path / "log.db") as log:
        assert log.run(first).result == {"collected": 0}
        assert [run.options for run in log.runs()] == [{}, {"window": "a..b"}]
        assert log.meta["complete"] is True
        with pytest.raises(NotFound, match="has no run 9"):
            log.run(9)
        with pytest.raises(StorageError, match="reading only"):
            log.save_run("never", {}, {}, "x")


def test_a_recording_can_be_appended_to_later(tmp_path):
    with writing(tmp_path / "log.db") as log:
        log.append(*churn(2))
    with EventLog.open(tmp_path / "log.db", writable=True) as log:
        assert log.add_type("builtins", "list", "list") == 0
        assert log.add_label("late") == 2
        log.append(np.array([Op.MARK], np.uint8), *(np.array([x], np.uint32) for x in (2, 0, 0)))
    with EventLog.open(tmp_path / "log.db") as log:
        assert log.event_count == 5
        assert log.marks() == [(4, "late")]


WRITER = """
import sys, os, numpy as np
from gcreplay.store import EventLog, Op
log = EventLog.create(sys.argv[1])
log.add_shape(log.add_type("builtins", "list", "list"), 56, 3)
for n in range(3):
    ids = np.arange(n * 10, n * 10 + 10, dtype=np.uint32)
    zero = np.zeros(10, np.uint32)
    log.append(np.full(10, Op.ALLOC, np.uint8), ids, zero, zero)
    log.add_site("f.py", n + 1, "main")
    log.flush()
    print(n, flush=True)
    sys.stdin.readline()
os._exit(0)
"""


def test_others_read_while_a_process_appends_and_after_it_was_cut_off(tmp_path):
    path = tmp_path / "log.db"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as writer:
        assert writer.stdin is not None and writer.stdout is not None
        for n in range(3):
            writer.stdout.readline()
            with EventLog.open(path) as log:
                assert log.event_count == 10 * (n + 1)
                assert len(log.sites) == 2 + n
                writer.stdin.write("\n")
                writer.stdin.flush()
                assert log.events().a.tolist() == list(range(10 * (n + 1)))
    with EventLog.open(path) as log:
        assert log.event_count == log.intact_events() == 30
        assert log.meta["complete"] is False


def seen_at(sequence):
    return ObservedCollection(sequence, 5, "threshold", 0, 701, 12, 0, 3, 1, 4000)


def test_no_collection_is_stored_before_the_events_it_ran_among(tmp_path):
    """What is committed is what would be left of a recorder that is killed here."""
    path = tmp_path / "log.db"
    with writing(path) as log:
        log.add_observed([seen_at(10), seen_at(SEGMENT_EVENTS - 1), seen_at(SEGMENT_EVENTS)])
        log.append(*churn(SEGMENT_EVENTS // 4))
        with sqlite3.connect(path) as left:
            assert left.execute("SELECT count(*) FROM observed").fetchall() == [(0,)]
        log.append(*churn(SEGMENT_EVENTS // 2, SEGMENT_EVENTS // 4))
        with sqlite3.connect(path) as left:
            told = left.execute("SELECT sequence FROM observed ORDER BY id").fetchall()
            assert told == [(10,), (SEGMENT_EVENTS - 1,)]
            assert left.execute("SELECT sum(events) FROM segments").fetchall() == [
                (SEGMENT_EVENTS,)
            ]
    with EventLog.open(path) as log:
        assert [one.sequence for one in log.observed] == [
            10,
            SEGMENT_EVENTS - 1,
            SEGMENT_EVENTS,
        ]


@pytest.mark.parametrize("read", [True, False], ids=["read before", "opened before"])
def test_a_recording_stays_what_it_was_when_first_read(tmp_path, read):
    """Also when its recorder goes on, and ends, meanwhile."""
    path = tmp_path / "log.db"
    log = EventLog.create(path)
    log.add_shape(log.add_type("builtins", "list", "list"), 56, 3)
    log.append(*churn(5))
    log.add_observed([seen_at(3)])
    log.flush()
    with EventLog.open(path) as reader:
        if read:
            assert reader.event_count == 10
        log.append(*churn(5, 5))
        log.add_observed([seen_at(13)])
        log.flush()
        if not read:
            assert reader.meta["complete"] is False
        log.append(*churn(5, 10))
        log.add_observed([seen_at(23)])
        log.close(complete=True)
        expected = 10 if read else 20
        assert reader.meta["complete"] is False
        assert reader.event_count == len(reader.events()) == reader.intact_events() == expected
        assert [one.sequence for one in reader.observed] == [3, 13][: expected // 10]
    with EventLog.open(path) as reader:
        assert (reader.event_count, len(reader.observed)) == (30, 3)
        assert reader.meta["complete"] is True


def test_nothing_is_stored_in_a_recording_that_is_not_closed(tmp_path):
    """It would stay in the finished file as if it were of the whole of it."""
    path = tmp_path / "log.db"
    writer = EventLog.create(path)
    writer.append(*churn(0))
    with EventLog.open(path, writable=True) as log:
        assert log.unfinished
        with pytest.raises(StorageError, match="not closed by its recorder"):
            log.save_run("never", {}, {}, "x")
        with pytest.raises(StorageError, match="not closed by its recorder"):
            log.set_meta(pauses={})
    writer.close(complete=False)
    with EventLog.open(path, writable=True) as log:  # cut short, but all that there will be
        assert not log.unfinished
        assert log.save_run("never", {}, {}, "x") == 1


@contextmanager
def unprivileged() -> Iterator[None]:
    """In this block permissions hold for root too: as the user nobody."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_recording_in_a_folder_that_cannot_be_written_opens():
    with TemporaryDirectory() as name:  # everybody may enter it, unlike tmp_path
        folder = Path(name)
        path = folder / "log.db"
        with writing(path) as log:
            log.append(*churn(2))
        path.chmod(0o444)
        folder.chmod(0o555)
        with unprivileged():
            with pytest.raises(PermissionError):
                (folder / "other").touch()
            with EventLog.open(path) as log:
                assert log.event_count == 4
        folder.chmod(0o755)


def test_a_full_disk_is_said_and_what_was_written_stays(tmp_path):
    path = tmp_path / "log.db"
    log = writing(path)
    log.append(*churn(10))
    log.flush()
    with log._db.writing() as connection:  # SQLite says the same as on a full disk
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 10, 50_000, np.uint32)
    with pytest.raises(StorageError, match="disk is full"):
        log.append(np.full(50_000, Op.KEPT, np.uint8), ids, 0 * ids, 0 * ids)
        log.flush()
    with EventLog.open(path) as reader:
        assert reader.events().a.tolist() == churn(10)[1].tolist()


def test_lines_of_source_are_kept(tmp_path):
    path = tmp_path / "log"
    with EventLog.create(path) as log:
        log.add_lines({("a.py", 3): "x = []", ("a.py", 9): ""})
        log.add_lines({("b.py", 3): "\u00e9"})
    with EventLog.open(path) as log:
        assert log.lines == {("a.py", 3): "x = []", ("a.py", 9): "", ("b.py", 3): "\u00e9"}
