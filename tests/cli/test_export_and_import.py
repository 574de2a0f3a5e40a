"""`export` and `import`: out of a recording and back, and nothing lost on the way."""

import json
import sqlite3
from pathlib import Path

from command_line import Gcreplay

HAND_MADE = [
    {"gcreplay": 1},
    {"op": "alloc", "object": 0, "type": "list"},
    {"op": "link", "source": 0, "target": 0},
    {"op": "decref", "object": 0},
]


def write_lines(path: Path, records: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_export_and_import_give_an_equal_recording(
    gcreplay: Gcreplay, cycles: Path, tmp_path: Path
) -> None:
    lines, again, twice = tmp_path / "a.jsonl", tmp_path / "b.gcreplay", tmp_path / "c.jsonl"
    assert gcreplay("export", cycles, "-o", lines).exit_code == 0
    assert gcreplay("import", lines, "-o", again).exit_code == 0
    assert gcreplay("export", again, "-o", twice).exit_code == 0
    assert lines.read_text() == twice.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["a.jsonl", "b.gcreplay", "c.jsonl", "cycles.gcreplay"]
    )


def test_export_goes_to_standard_output(gcreplay: Gcreplay, cycles: Path) -> None:
    lines = gcreplay("export", cycles).stdout.splitlines()
    assert len(lines) == 1 + 5 + 3 * 1500  # the header, then one event a line
    assert json.loads(lines[0])["gcreplay"] == 1


def test_rows_are_there_for_plain_sql(gcreplay: Gcreplay, cycles: Path, tmp_path: Path) -> None:
    rows = tmp_path / "rows.db"
    assert gcreplay("export", cycles, "--rows", "-o", rows).exit_code == 0
    with sqlite3.connect(rows) as database:
        counts = dict(database.execute("SELECT op, count(*) FROM events GROUP BY op"))
    assert counts == {
        "start": 1,
        "alloc": 1501,
        "incref": 1,
        "decref": 1500,
        "link": 1500,
        "mark": 2,
    }


def test_rows_need_a_file(gcreplay: Gcreplay, cycles: Path) -> None:
    assert gcreplay("export", cycles, "--rows").exit_code == 2


def test_a_log_by_hand(gcreplay: Gcreplay, tmp_path: Path) -> None:
    lines = write_lines(tmp_path / "hand.jsonl", HAND_MADE)
    target = tmp_path / "hand.gcreplay"
    assert gcreplay("import", lines, "-o", target).exit_code == 0
    told = json.loads(gcreplay("info", target, "--format", "json").stdout)
    assert (told["events"], told["objects"], told["complete"]) == (3, 1, True)


def test_a_broken_rule_names_file_event_and_rule_and_leaves_nothing(
    gcreplay: Gcreplay, tmp_path: Path
) -> None:
    dead = [*HAND_MADE[:2], {"op": "decref", "object": 0}, {"op": "incref", "object": 0}]
    lines = write_lines(tmp_path / "dead.jsonl", dead)
    told = gcreplay("import", lines, "-o", tmp_path / "dead.gcreplay")
    assert told.exit_code == 1
    assert str(lines) in told.stderr
    assert "event 2" in told.stderr  # alloc is event 0, decref 1, the incref of a dead object 2
    assert len(told.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["dead.jsonl"]


def test_a_broken_line_is_named(gcreplay: Gcreplay, tmp_path: Path) -> None:
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"gcreplay": 1}\n{"op": \n')
    told = gcreplay("import", lines, "-o", tmp_path / "x.gcreplay")
    assert told.exit_code == 1
    assert "line 2" in told.stderr


def test_bytes_that_are_no_text(gcreplay: Gcreplay, cycles: Path, tmp_path: Path) -> None:
    told = gcreplay("import", cycles, "-o", tmp_path / "x.gcreplay")
    assert told.exit_code == 1
    assert len(told.stderr.splitlines()) == 1


def test_nothing_is_overwritten_without_force(
    gcreplay: Gcreplay, cycles: Path, tmp_path: Path
) -> None:
    lines = write_lines(tmp_path / "hand.jsonl", HAND_MADE)
    mine = tmp_path / "mine"
    mine.write_text("mine")
    for args in (
        ("export", cycles, "-o", mine),
        ("export", cycles, "--rows", "-o", mine),
        ("import", lines, "-o", mine),
    ):
        told = gcreplay(*args)
        assert told.exit_code == 2
        assert "--force" in told.stderr
        assert mine.read_text() == "mine"
        assert gcreplay(*args, "--force").exit_code == 0
        assert mine.read_bytes() != b"mine"
        mine.write_text("mine")


def test_a_recording_is_never_replaced_by_what_is_made_of_it(
    gcreplay: Gcreplay, cycles: Path, tmp_path: Path
) -> None:
    before, link = cycles.read_bytes(), tmp_path / "link"
    link.symlink_to(cycles)
    copy = tmp_path / "copy.gcreplay"
    copy.write_bytes(before)
    for args in (
        ("export", cycles, "-o", cycles),
        ("export", cycles, "--rows", "-o", cycles),
        ("export", cycles, "--chrome-trace", "-o", link),
        ("report", cycles, "-o", link),
        ("report", copy, "--compare", cycles, "-o", cycles),
    ):
        told = gcreplay(*args, "--force")
        assert told.exit_code == 2
        assert "is the recording that is read" in told.stderr
        assert cycles.read_bytes() == before


def test_force_keeps_the_old_file_when_the_new_one_fails(
    gcreplay: Gcreplay, cycles: Path, tmp_path: Path
) -> None:
    lines = tmp_path / "broken.jsonl"
    lines.write_text('{"gcreplay": 1}\n{"op": "decref", "object": 5}\n')
    before = cycles.read_bytes()
    assert gcreplay("import", lines, "-o", cycles, "--force").exit_code == 1
    assert cycles.read_bytes() == before
