"""`info` and `events`: what a recording holds, and its events in words."""

import json
import sqlite3
from pathlib import Path

import pytest
from command_line import Gcreplay

from gcreplay.store.builder import TraceBuilder

EVENTS = 5 + 3 * 1500


def test_info_as_json(gcreplay: Gcreplay, cycles: Path) -> None:
    told = json.loads(gcreplay("info", cycles, "--format", "json").stdout)
    assert told["trace"] == str(cycles)
    assert told["events"] == told["intact_events"] == EVENTS
    assert told["objects"] == 1501
    assert told["complete"] is True
    assert told["observed_collections_by_generation"] == [0, 0, 0]  # nobody ran it
    assert told["events_by_kind"] == {
        "start": 1,
        "alloc": 1501,
        "incref": 1,
        "decref": 1500,
        "link": 1500,
        "mark": 2,
    }
    assert told["marks"] == [
        {"sequence": 1, "label": "begin"},
        {"sequence": EVENTS - 1, "label": "end"},
    ]
    assert told["argv"] == ["cycles.py"]
    assert told["runs"] == []


def test_info_names_each_mark_once_as_it_is_to_be_typed(gcreplay: Gcreplay, tmp_path: Path) -> None:
    path = tmp_path / "marks.gcreplay"
    b = TraceBuilder()
    for mark in ("ready", "a+b", "", "\x1b[31m", *["tick"] * 1200, "a+b"):
        b.mark(mark)
    b.build(path).close()
    told = gcreplay("info", path).stdout.splitlines()
    assert r'Marks: ready, "a+b" x2, "", "\x1b[31m", tick x1,200.' in told


def test_marks_that_differ_in_their_number_are_one(gcreplay: Gcreplay, tmp_path: Path) -> None:
    """As one that is set again and again is: `request 1` to `request 3000`."""
    path = tmp_path / "marks.gcreplay"
    b = TraceBuilder()
    for mark in ("ready", *(f"request {i}" for i in range(1, 3001)), "request", "phase 2", "7"):
        b.mark(mark)
    b.build(path).close()
    assert "Marks: ready, request x3,001, phase 2, 7." in gcreplay("info", path).stdout
    each = gcreplay("info", path, "--table", "marks", "--format", "csv").stdout.splitlines()
    assert each[:3] == ["mark,times", "ready,1", "request 1,1"]
    assert len(each) == 1 + 3004


def test_info_names_the_first_of_many_marks(gcreplay: Gcreplay, tmp_path: Path) -> None:
    path = tmp_path / "marks.gcreplay"
    b = TraceBuilder()
    for i in range(23):
        b.mark(f"m{i}")
    b.build(path).close()
    told = " ".join(gcreplay("info", path).stdout.split())
    assert ", m10, m11 and 11 others (--table marks)." in told


@pytest.mark.parametrize(
    ("exit_code", "line"),
    [
        (0, "exit code 0"),
        (3, "exit code 3"),
        (139, "exit code 139"),  # of a shell that ran the program, perhaps
        (-11, "ended by SIGSEGV"),
        (-15, "ended by SIGTERM"),
        (-40, "ended by signal 40"),
        (-999, "ended by signal 999"),
    ],
)
def test_info_names_the_signal_that_ended_the_program(
    gcreplay: Gcreplay, tmp_path: Path, exit_code: int, line: str
) -> None:
    path = tmp_path / "ended.gcreplay"
    TraceBuilder(exit_code=exit_code).build(path).close()
    told = [" ".join(each.split()) for each in gcreplay("info", path).stdout.splitlines()]
    assert line in told
    assert json.loads(gcreplay("info", path, "--format", "json").stdout)["exit_code"] == exit_code


@pytest.mark.parametrize("form", ["table", "markdown", "csv"])
def test_info_for_readers_names_the_number_of_events(
    gcreplay: Gcreplay, cycles: Path, form: str
) -> None:
    told = gcreplay("info", cycles, "--format", form)
    assert told.exit_code == 0
    assert ("events,4505\n" if form == "csv" else "4,505") in told.stdout


def test_a_flipped_byte_leaves_the_events_before_it_readable(
    gcreplay: Gcreplay, cycles: Path
) -> None:
    damaged = bytearray(cycles.read_bytes())
    # zstd's magic number begins the payload of the only segment: far enough inside, flip a byte.
    payload = damaged.find(bytes.fromhex("28b52ffd"))
    damaged[payload + 40] ^= 0xFF
    cycles.write_bytes(damaged)
    told = gcreplay("info", cycles, "--format", "json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["intact_events"] == 0
    assert f"the first 0 of {EVENTS:,} events are good" in told.stderr
    assert "Traceback" not in told.output


def test_a_cut_file_says_how_many_events_are_good(gcreplay: Gcreplay, cycles: Path) -> None:
    whole = cycles.read_bytes()
    cycles.write_bytes(whole[: len(whole) - 4096])
    told = gcreplay("info", cycles)
    assert told.exit_code == 1
    assert "cut short" in told.stderr
    assert "events are good" in told.stderr


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("INSERT INTO observed VALUES (0, 1, 1, 'call', 0, 0, 0, 0, 0, 0, 0)", "observed"),
        ("UPDATE meta SET value = '\"3.12\"' WHERE key = 'python'", "meta"),
        ("UPDATE runs SET policy = 'manual'", "runs"),
    ],
)
def test_a_changed_table_is_named_and_the_rest_is_shown(
    gcreplay: Gcreplay, cycles: Path, statement: str, table: str
) -> None:
    assert gcreplay("replay", cycles, "-p", "never").exit_code == 0
    with sqlite3.connect(cycles) as connection:
        connection.execute(statement)
    told = gcreplay("info", cycles, "--format", "json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["intact_events"] == EVENTS
    assert f"its table {table} is not what was written" in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_events_from_the_beginning(gcreplay: Gcreplay, cycles: Path) -> None:
    lines = gcreplay("events", cycles, "--from", 1, "--to", 6).stdout.splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "1 mark begin",
        "2 alloc app.Node#0 48 bytes gc counted tracked cycles.py:1 main",
        "3 incref app.Node#0",
        "4 alloc app.Node#1 48 bytes gc counted tracked cycles.py:3 loop",
        "5 link app.Node#1 -> app.Node#1 .me",
        "6 decref app.Node#1",
    ]


def test_events_around_one_marks_that_one(gcreplay: Gcreplay, cycles: Path) -> None:
    lines = gcreplay("events", cycles, "--around", 100).stdout.splitlines()
    assert [int(line[1:].split()[0]) for line in lines] == list(range(90, 111))
    assert [line for line in lines if line.startswith(">")] == [lines[10]]


def test_events_of_the_last_window_end_with_the_log(gcreplay: Gcreplay, cycles: Path) -> None:
    lines = gcreplay("events", cycles, "--from", EVENTS - 2).stdout.splitlines()
    assert [line.split()[1:] for line in lines] == [["decref", "app.Node#1500"], ["mark", "end"]]


@pytest.mark.parametrize(
    "options",
    [("--from", 5, "--to", 4), ("--around", 5, "--to", 9), ("--from", EVENTS), ("--from", -1)],
)
def test_an_impossible_window_is_wrong_usage(
    gcreplay: Gcreplay, cycles: Path, options: tuple[object, ...]
) -> None:
    told = gcreplay("events", cycles, *options)
    assert told.exit_code == 2
    assert told.stdout == ""
