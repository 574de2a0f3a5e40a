"""What plain SQL sees: projections, rows, names; and the page that documents it."""

import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from strategies import valid_builders, valid_logs

from gcreplay.store import EventLog, GcreplayError, Op, TraceBuilder
from gcreplay.store.documentation import OPERANDS, document
from gcreplay.store.errors import FileExists
from gcreplay.store.exchange.records import records
from gcreplay.store.exchange.rows import export_rows
from gcreplay.store.tables.schema import PROJECTIONS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "event-log.md"


def example() -> TraceBuilder:
    """Eight events of three objects."""
    b = TraceBuilder()
    x = b.alloc("list", size=56, site=("f.py", 3, "main"))
    y = b.alloc("list", size=88)
    z = b.alloc("dict", size=64)
    b.link(x, y, label="[0]")
    b.incref(z, 2)
    b.resize(z, 2**33)
    b.gc_call("collect", 1, from_c=True)
    b.mark("end")
    return b


def test_projections_say_what_the_log_says():
    with example().build() as log:
        log.rebuild_projections()
        # object, sequence, type, size, flags (GC 1 + COUNTED 2 + TRACKED 4; dicts untracked), site
        assert log.projection("objects") == [
            (0, 0, 0, 56, 7, 1),
            (1, 1, 0, 88, 7, 0),
            (2, 2, 1, 64, 3, 0),
        ]
        assert log.projection("by_type") == [(0, "list", 2, 144), (1, "dict", 1, 64)]
        counts = {name: n for _, name, n in log.projection("by_op") if n}
        expected = {"alloc": 3, "link": 1, "incref": 1, "resize": 1, "gc_call": 1, "mark": 1}
        assert counts == expected


@given(valid_builders())
def test_deleted_projections_are_rebuilt_to_identical_rows(tmp_path_factory, builder):
    path = tmp_path_factory.mktemp("log") / "log.db"
    names = [table.name for table in PROJECTIONS]
    with builder.build(path) as log:
        log.rebuild_projections()
        first = [log.projection(name) for name in names]
    with EventLog.open(path, writable=True) as log:
        log.discard_projections()
        with pytest.raises(GcreplayError, match="no such table"):
            log.projection("objects")
        log.rebuild_projections()
        assert [log.projection(name) for name in names] == first
        log.rebuild_projections()
        assert [log.projection(name) for name in names] == first
        assert len(first[0]) == log.object_count
        assert sum(n for _, _, n in first[2]) == log.event_count


def test_rows_let_plain_sql_read_single_events(tmp_path):
    path = tmp_path / "rows.db"
    with example().build() as log:
        assert export_rows(log, path) == 8
        with pytest.raises(FileExists):
            export_rows(log, path)
        assert export_rows(log, path, 3, 5, force=True) == 2
        export_rows(log, path, force=True)
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT * FROM events ORDER BY sequence").fetchall()
        joined = connection.execute(
            "SELECT types.name, sites.file, sites.line FROM events "
            "JOIN types ON types.id = events.type JOIN sites ON sites.id = events.site "
            "WHERE sequence = 0"
        ).fetchall()
    # sequence, op, object, target, n, label, type, size, flags, site, argument, value
    assert rows == [
        (0, "alloc", 0, None, None, None, 0, 56, 7, 1, None, None),
        (1, "alloc", 1, None, None, None, 0, 88, 7, 0, None, None),
        (2, "alloc", 2, None, None, None, 1, 64, 3, 0, None, None),
        (3, "link", 0, 1, None, "[0]", None, None, None, None, None, None),
        (4, "incref", 2, None, 2, None, None, None, None, None, None, None),
        (5, "resize", 2, None, None, None, None, 2**33, None, None, None, None),
        (6, "gc_call", None, None, None, None, None, None, None, None, '["collect", [1]]', 1),
        (7, "mark", None, None, None, "end", None, None, None, None, None, None),
    ]
    assert joined == [("list", "f.py", 3)]


@given(valid_logs())
def test_rows_and_records_tell_the_same(tmp_path_factory, log):
    path = tmp_path_factory.mktemp("rows") / "rows.db"
    export_rows(log, path)
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute("SELECT * FROM events ORDER BY sequence").fetchall()
    for sequence, (row, record) in enumerate(zip(rows, records(log), strict=True)):
        assert (row["sequence"], row["op"]) == (sequence, record["op"])
        assert row["object"] == record.get("object", record.get("source"))
        assert row["target"] == record.get("target")
        assert row["n"] == record.get("n", record.get("generation"))
        assert row["label"] == record.get("label")
        assert row["size"] == record.get("size", record.get("bytes"))
        if record["op"] == "start":
            assert json.loads(row["argument"]) == record["state"]
        if record["op"] == "tick":
            assert row["value"] == record["nanoseconds"]


def test_records_resolve_names():
    with example().build() as log:
        told = list(records(log))
        assert told[0] == {
            "op": "alloc",
            "object": 0,
            "type": "list",
            "module": "builtins",
            "kind": "list",
            "finalizer": 0,
            "size": 56,
            "flags": ["gc", "counted", "tracked"],
            "site": {"file": "f.py", "line": 3, "function": "main"},
        }
        assert told[6] == {"op": "gc_call", "call": "collect", "arguments": [1], "via": "c"}
        assert list(records(log, 3, 5)) == told[3:5]


def test_the_page_about_the_event_log_is_generated_from_the_code():
    assert PAGE.read_text(encoding="utf-8") == document(), (
        "run `python -m gcreplay.store.documentation docs/reference/event-log.md`"
    )
    assert set(OPERANDS) == set(Op)
