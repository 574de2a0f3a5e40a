"""What killed commands leave beside a recording: a WAL, a journal, files of similar names."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gcreplay.store import EventLog, TraceBuilder
from gcreplay.store.errors import FileExists, StorageError
from gcreplay.store.exchange.rows import export_rows
from gcreplay.store.place import JOURNAL, companion, written_whole
from gcreplay.store.tables import database

_MANY = "with recursive n(i) as (select 100 union all select i + 1 from n where i < 9999)"
LEFT = {
    "wal": "pragma journal_mode=wal; insert into labels values (99, 'OLD')",
    "journal": f"pragma cache_size=1; begin; {_MANY} insert into labels select i, 'OLD' from n",
}
"""Statements after which a process that is killed leaves such a companion."""


def recording(path: Path, label: str = "NEW", force: bool = False) -> Path:
    b = TraceBuilder()
    b.mark(label)
    b.build(path, force=force).close()
    return path


def killed(path: Path, statements: str) -> None:
    """Another process runs these statements and dies before it closes the file."""
    code = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "for statement in sys.argv[2].split(';'): c.execute(statement)\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(path), statements], check=True)


def left_beside(path: Path, kind: str) -> Path:
    """A companion of a recording of that name, of which there is more or nothing to read."""
    killed(recording(path, "OLD"), LEFT[kind])
    left = companion(path, f"-{kind}")
    assert left.stat().st_size > 0
    return left


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def labels(path: Path) -> list[str]:
    with EventLog.open(path) as log:
        return [label for _, label in log.marks()]


def through_a_new_one(path: Path, force: bool) -> None:
    with written_whole(path, force=force, database=True) as part:
        recording(part)


WRITERS = {
    "in place": lambda path, force: recording(path, force=force),
    "whole": through_a_new_one,
}


@pytest.mark.parametrize("there", [True, False], ids=["file", "gone"])
@pytest.mark.parametrize("kind", LEFT)
@pytest.mark.parametrize("writer", WRITERS)
def test_a_new_file_is_never_put_beside_companions_of_another(tmp_path, writer, kind, there):
    path = tmp_path / "log"
    left = left_beside(path, kind)
    if not there:
        path.unlink()
    before = left.read_bytes()
    with pytest.raises(FileExists, match=f"log( exists|-{kind} is left of another log)"):
        WRITERS[writer](path, False)
    assert left.read_bytes() == before
    WRITERS[writer](path, True)
    assert labels(path) == ["NEW"]
    assert names(tmp_path) == ["log"]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_companion_that_is_no_file_is_neither_removed_nor_obeyed(tmp_path, writer):
    (tmp_path / "log-wal").mkdir()
    for force in (False, True):
        with pytest.raises(StorageError, match="log-wal is a directory"):
            WRITERS[writer](tmp_path / "log", force)
    assert names(tmp_path) == ["log-wal"]


def test_rows_are_put_beside_no_companion_either(tmp_path):
    left_beside(tmp_path / "rows", "wal")
    with EventLog.open(recording(tmp_path / "log")) as log:
        export_rows(log, tmp_path / "rows", force=True)
    with sqlite3.connect(tmp_path / "rows") as rows:
        assert rows.execute("SELECT label FROM events").fetchall() == [("NEW",)]


def test_a_failure_leaves_the_old_file_with_its_companions(tmp_path):
    left = left_beside(tmp_path / "log", "wal")
    before = left.read_bytes()
    with (
        pytest.raises(ZeroDivisionError),
        written_whole(tmp_path / "log", force=True, database=True) as part,
    ):
        recording(part)
        raise ZeroDivisionError
    assert left.read_bytes() == before


def half_written(path: Path) -> bytes:
    """A recording in the middle of a transaction that is never ended; what it was before."""
    before = recording(path).read_bytes()
    killed(path, LEFT["journal"])
    assert path.read_bytes() != before
    return before


@pytest.mark.parametrize("writable", [False, True])
def test_what_a_killed_command_had_half_stored_is_undone(tmp_path, writable):
    before = half_written(tmp_path / "log")
    with EventLog.open(tmp_path / "log", writable=writable) as log:
        assert [label for _, label in log.marks()] == ["NEW"]
    assert (tmp_path / "log").read_bytes() == before
    assert names(tmp_path) == ["log"]


def test_where_nothing_may_be_written_the_journal_is_named(tmp_path, monkeypatch):
    half_written(tmp_path / "log")
    torn = (tmp_path / "log").read_bytes()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StorageError, match=r"where both it and .*log-journal may be written"):
        EventLog.open(tmp_path / "log")
    assert (tmp_path / "log").read_bytes() == torn


def test_a_journal_that_leads_to_other_files_is_refused(tmp_path):
    """SQLite would remove the file that it names, when that names no journal that is there."""
    half_written(tmp_path / "log")
    named = str(tmp_path / "mine").encode()
    (tmp_path / "mine").write_bytes(b"mine")
    with companion(tmp_path / "log", JOURNAL).open("ab") as journal:
        numbers = (len(named).to_bytes(4), (sum(named) % 2**32).to_bytes(4))
        journal.write(b"\0" * 4 + named + b"".join(numbers) + bytes.fromhex("d9d505f920a163d7"))
    with pytest.raises(StorageError, match="log-journal is of another program"):
        EventLog.open(tmp_path / "log")
    assert (tmp_path / "mine").read_bytes() == b"mine"


@pytest.mark.parametrize("content", [b"Dear diary" * 100, b"\xd9", b""])
def test_what_is_no_journal_has_no_say(tmp_path, content):
    path, journal = recording(tmp_path / "log"), tmp_path / "log-journal"
    journal.write_bytes(content)
    assert labels(path) == ["NEW"]
    assert journal.read_bytes() == content
    if content:
        with pytest.raises(StorageError, match="log-journal is no journal of SQLite"):
            EventLog.open(path, writable=True)
        assert journal.read_bytes() == content


def test_a_directory_in_the_journals_place_has_no_say(tmp_path):
    path = recording(tmp_path / "log")
    (tmp_path / "log-journal").mkdir()
    assert labels(path) == ["NEW"]


@pytest.mark.parametrize("length", [1, 200, 247, 250, 255])
def test_a_file_may_have_any_name_that_there_can_be(tmp_path, length):
    path = tmp_path / ("n" * length)
    through_a_new_one(path, False)
    assert labels(path) == ["NEW"]
    through_a_new_one(path, True)
    assert labels(path) == ["NEW"]
    assert names(tmp_path) == [path.name]


def test_nothing_beside_the_new_file_is_written_to_or_removed(tmp_path):
    """Whatever a new file could be called while it is made, it is in a folder of its own."""
    others = [f"log.{os.getpid()}.part", "log.part", "part", "log.upcast", ".gcreplay-"]
    for name in others:
        (tmp_path / name).symlink_to(tmp_path / "mine")
    (tmp_path / "mine").write_text("mine")
    through_a_new_one(tmp_path / "log", False)
    assert names(tmp_path) == sorted([*others, "mine", "log"])
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.parametrize("table", [table.name for table in database.schema.NEEDED])
def test_a_table_that_is_gone_is_told(tmp_path, table):
    path = recording(tmp_path / "log")
    with sqlite3.connect(path) as connection:
        connection.execute(f"DROP TABLE {table}")
    with pytest.raises(Exception) as caught, EventLog.open(path) as log:
        _ = log.runs(), log.observed, log.names, log.lines, log.readings()
    assert type(caught.value).__name__ in ("DamagedFile", "NotARecording")
    assert f"table {table}" in str(caught.value)


def test_a_copy_without_its_journal_is_as_it_was_left(tmp_path):
    """Only the journal says what was there before, so a torn copy is judged as it stands."""
    half_written(tmp_path / "log")
    shutil.copy(tmp_path / "log", tmp_path / "copy")
    with EventLog.open(tmp_path / "copy") as log:
        assert log.intact_events() == 1
