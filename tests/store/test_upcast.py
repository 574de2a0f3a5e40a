"""Older recordings open through upcasters.

`version_1.gcreplay` was written by the last gcreplay of schema version 1. Most tests make a version
up: version 0, in which `sites` had the column `func` for `function`, and TRACK counted generations
from 1.
"""

import dataclasses
import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from gcreplay.store import EventLog, Op, TraceBuilder
from gcreplay.store.encoding import codec
from gcreplay.store.errors import DamagedFile, NotARecording
from gcreplay.store.events import Events, Site
from gcreplay.store.readings import empty
from gcreplay.store.tables import upcast

SITES_0 = (
    "CREATE TABLE sites ( id INTEGER NOT NULL, file TEXT NOT NULL, line BIGINT NOT NULL, "
    "func TEXT NOT NULL, PRIMARY KEY (id) )"
)


def new_row(table: str, row: upcast.Row) -> upcast.Row:
    if table == "sites":
        row = dict(row)
        return {"function": row.pop("func"), **row}
    return row


def new_events(events: Events) -> Events:
    b = events.b - (events.op == Op.TRACK).astype(np.uint32)
    return dataclasses.replace(events, b=b)


@pytest.fixture
def version_0(tmp_path, monkeypatch):
    """A file of version 0, and the log it stands for."""
    b = TraceBuilder(python="2.7")
    x = b.alloc("list", site=("old.py", 3, "main"))
    b.track(x)
    b.mark("done")
    path = tmp_path / "old.db"
    with b.build(path):
        pass
    with EventLog.open(path) as log:
        (segment,) = log.segment_table
        op, a, generation, c = log.events().columns()
        older = codec.encode(op, a, generation + (op == Op.TRACK).astype(np.uint32), c, 0)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE lines")
        connection.execute("DROP TABLE readings")
        connection.execute("ALTER TABLE sites DROP COLUMN near")
        connection.execute("ALTER TABLE sites RENAME COLUMN function TO func")
        connection.execute(
            "UPDATE segments SET payload = ?, checksum = ?",
            (older.payload, codec.checksum(older.payload, segment)),
        )
        connection.execute("UPDATE meta SET value = '{}' WHERE key = 'checksums'")
        connection.execute("PRAGMA user_version = 0")
    tables = {"sites": SITES_0}
    monkeypatch.setitem(upcast.UPCASTERS, 0, upcast.Upcaster(new_row, new_events, tables))
    return path, b.build()


def check(log: EventLog, expected: EventLog) -> None:
    assert log.sites == expected.sites
    assert log.events() == expected.events()
    assert log.types == expected.types
    assert log.marks() == [(2, "done")]
    assert log.meta == {**expected.meta, "schema": 3}


def test_an_older_recording_opens_and_stays_as_it_is(version_0):
    path, expected = version_0
    before = path.read_bytes()
    with EventLog.open(path) as log:
        check(log, expected)
    assert path.read_bytes() == before


def test_an_older_recording_opened_for_writing_is_rewritten(version_0):
    path, expected = version_0
    with EventLog.open(path, writable=True) as log:
        log.save_run("never", {}, {}, "abc")
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    with EventLog.open(path) as log:
        check(log, expected)
        assert len(log.runs()) == 1
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_an_older_recording_declares_what_its_version_declared_and_no_more(version_0):
    path, _ = version_0
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE sites RENAME COLUMN func TO function")
    with pytest.raises(NotARecording, match="its table sites otherwise"):
        EventLog.open(path)
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE sites RENAME COLUMN function TO func")
        connection.execute("CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM sites; END")
    for writable in (False, True):
        with pytest.raises(NotARecording, match="the trigger t"):
            EventLog.open(path, writable=writable)


@pytest.mark.parametrize("writable", [False, True])
def test_a_recording_of_version_1(tmp_path, writable):
    path = tmp_path / "old.gcreplay"
    shutil.copy(Path(__file__).with_name("version_1.gcreplay"), path)
    with EventLog.open(path, writable=writable) as log:
        assert log.sites[1:] == (Site(1, "old.py", 3, "main", near=0),)
        assert log.labels[2:] == ("[0]", "back", "done")
        assert (log.event_count, log.object_count) == (10, 3)
        op, a, b, c = (column.tolist() for column in log.events().columns())
        assert (op[3], a[3], b[3], c[3]) == (Op.WEAKREF, 2, 0, 1)
        assert log.meta["python"] == "3.11.7" and log.meta["complete"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE segments SET codec = 9",
        "UPDATE segments SET payload = 'text'",
        "UPDATE segments SET events = 1 << 40",
        "UPDATE segments SET first_object = -1",
        "UPDATE meta SET value = '{' WHERE key != 'checksums'",
    ],
)
def test_an_older_recording_that_cannot_be_converted_is_damaged(version_0, statement):
    path, _ = version_0
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    before = path.read_bytes()
    with pytest.raises(DamagedFile, match="cannot be converted"):
        EventLog.open(path, writable=True)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_recording_of_version_1_that_is_damaged_says_so(tmp_path):
    """Its checksums are those of its own rows."""
    path = tmp_path / "old.gcreplay"
    whole = Path(__file__).with_name("version_1.gcreplay").read_bytes()
    path.write_bytes(whole.replace(b"old.py", b"olD.py"))
    with pytest.raises(DamagedFile, match="table sites is not what was written"):
        EventLog.open(path)


def test_what_is_rewritten_is_sealed(tmp_path):
    path = tmp_path / "old.gcreplay"
    shutil.copy(Path(__file__).with_name("version_1.gcreplay"), path)
    EventLog.open(path, writable=True).close()
    path.write_bytes(path.read_bytes().replace(b"old.py", b"olD.py"))
    with EventLog.open(path) as log, pytest.raises(DamagedFile, match="types, sites and labels"):
        _ = log.sites


def test_a_recording_of_version_2_has_no_readings(tmp_path):
    """`version_2.gcreplay` was written by the last gcreplay of schema version 2."""
    path = tmp_path / "old.gcreplay"
    shutil.copy(Path(__file__).with_name("version_2.gcreplay"), path)
    with EventLog.open(path) as log:
        assert log.readings() == empty()
        assert (log.event_count, log.labels[2:]) == (7, ("[0]", "back", "done"))
    with EventLog.open(path, writable=True) as log:
        assert log.readings() == empty()
        log.add_label("more")
