"""A recording that another process has locked: who waits is told for what."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gcreplay.store import EventLog, waiting
from gcreplay.store.errors import StorageError
from gcreplay.store.tables import patience

LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN " + sys.argv[2])
print("locked", flush=True)
sys.stdin.readline()
"""


@contextmanager
def locked(path: Path, how: str = "EXCLUSIVE") -> Iterator[subprocess.Popen[str]]:
    """In this block another process holds the file, until it is given a line."""
    command = [sys.executable, "-c", LOCK, str(path), how]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        yield holder
        holder.kill()


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sentences: list[str] = []
    monkeypatch.setattr(waiting, "tell", sentences.append)
    return sentences


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with EventLog.create(tmp_path / "log.gcreplay") as log:
        log.add_label("one")
    return tmp_path / "log.gcreplay"


def until_told(holder: subprocess.Popen[str], heard: list[str]) -> None:
    """The lock is given up when the wait is told."""

    def told(sentence: str) -> None:
        heard.append(sentence)
        holder.communicate("go on\n")

    waiting.tell = told


def test_a_reader_is_told_and_then_reads(path: Path, heard: list[str]) -> None:
    with locked(path) as holder:
        until_told(holder, heard)
        with EventLog.open(path) as log:
            assert log.labels == ("", "(opaque)", "one")
        assert heard == [
            f"{path} is locked by process {holder.pid}: waiting up to 30 seconds for it"
        ]


def test_a_writer_is_told_and_then_writes(path: Path, heard: list[str]) -> None:
    with EventLog.open(path, writable=True) as log, locked(path, "IMMEDIATE") as holder:
        until_told(holder, heard)
        assert log.save_run("never", {}, {}, "x") == 1
        assert len(heard) == 1
    with EventLog.open(path) as log:
        assert [run.policy for run in log.runs()] == ["never"]


READ = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
if sys.argv[2] == "reads":
    connection.execute("BEGIN")
connection.execute("SELECT * FROM meta").fetchall()
print("reads", flush=True)
sys.stdin.readline()
"""


@contextmanager
def read(path: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    """In this block another process reads the file, or has only opened it."""
    command = [sys.executable, "-c", READ, str(path), how]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reads\n"
        yield reader
        reader.kill()


@pytest.mark.parametrize("how", ["reads", "has read"])
def test_a_recording_that_is_closed_waits_for_its_readers_and_is_one_file(
    tmp_path: Path, heard: list[str], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path = tmp_path / "log.gcreplay"
    log = EventLog.create(path)
    log.add_label("one")
    with read(path, how) as reader:
        told_at = iter(range(3))

        def pause(seconds: float) -> None:
            """The reader ends some pauses after the wait was told."""
            if heard and next(told_at) == 2:
                reader.communicate("go on\n")

        monkeypatch.setattr(patience.time, "sleep", pause)
        log.close(complete=True)
        assert heard == [
            f"{path} is locked by process {reader.pid}: waiting up to 30 seconds for it"
        ]
    assert list(tmp_path.iterdir()) == [path]
    with EventLog.open(path) as whole:
        assert (whole.labels, whole.meta["complete"]) == (("", "(opaque)", "one"), True)


@pytest.mark.parametrize("how", ["reads", "has read"])
def test_where_a_reader_stays_it_is_said_what_belongs_to_the_recording(
    tmp_path: Path, heard: list[str], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 1.1)
    path = tmp_path / "log.gcreplay"
    log = EventLog.create(path)
    log.add_label("one")
    with read(path, how) as reader:
        log.close(complete=True)
        assert heard[1:] == [
            f"{path} is still read by process {reader.pid}: until that has ended, {path}-wal is a "
            f"part of it"
        ]
        assert Path(f"{path}-wal").exists()
        with EventLog.open(path) as whole:
            assert (whole.labels, whole.meta["complete"]) == (("", "(opaque)", "one"), True)


def test_who_waits_in_vain_is_told_who_has_it(
    path: Path, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 1.1)
    with locked(path) as holder:
        with pytest.raises(StorageError) as caught, EventLog.open(path):
            pass
        assert str(caught.value) == (
            f"{path} is locked by process {holder.pid}: try again when it is done"
        )
        assert len(heard) == 1


def test_a_file_that_nobody_has_is_told_to_nobody(path: Path, heard: list[str]) -> None:
    with EventLog.open(path, writable=True) as log:
        log.save_run("never", {}, {}, "x")
    assert heard == []
