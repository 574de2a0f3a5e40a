"""Rows of a recording that no gcreplay writes, and JSON Lines of odd values, at every command."""

import json
import sqlite3
from contextlib import suppress
from pathlib import Path

from command_line import Gcreplay, write_cycles
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import odd_json

READING = {
    "info": (),
    "events": ("--to", "60"),
    "verify": ("--without-repairs",),
    "replay": ("-p", "cpython-3.11:5,2,2", "-p", "every:begin", "--pauses"),
    "diff": ("-p", "never", "-p", "manual", "--pauses"),
    "costs": (),
    "sweep": ("--t0", "5,20", "--t1", "2", "-p", "manual"),
    "tune": (),
    "check": ("--against", str(Path(__file__).parents[2] / "examples" / "gc.jsonl")),
    "export": (),
}
UNSEALED = "UPDATE meta SET value = '{}' WHERE key = 'checksums';"
COLUMNS = {
    "meta": ("value",),
    "types": ("module", "name", "kind", "finalizer"),
    "sites": ("file", "line", "function"),
    "labels": ("text",),
    "shapes": ("type", "size", "flags"),
    "arguments": ("json",),
    "segments": ("first_sequence", "events", "first_object", "alloc_events", "codec", "payload"),
    "observed": ("sequence", "cause", "generation", "collected", "duration_ns"),
    "runs": ("policy", "options", "result", "result_hash"),
}
PLACES = [(table, column) for table, them in COLUMNS.items() for column in them]
ODD = (
    "NULL", "-1", "1.5", "9e999", "9223372036854775807", "-9223372036854775808", "''", "'x'",
    "x'ff'", "x''", "CAST(x'ff' AS TEXT)", "'[1]'", "'{}'", "'[[]]'", "'NaN'", "'1e999'",
    "'{\"count\": [1]}'", "'\"\\ud800\"'", "zeroblob(9999)",
    "replace(hex(zeroblob(2500)), '0', '9')",
    "replace(hex(zeroblob(50000)), '00', '[')",
)  # fmt: skip


def recorded(gcreplay: Gcreplay, cycles: Path) -> None:
    """A stored run, an observed collection and every kind of fact in the meta."""
    assert gcreplay("replay", cycles, "-p", "manual").exit_code == 0
    facts = {"repairs": {"hold": 1}, "exit_code": 0, "pauses": {}, "granularity": 0}
    facts |= {"own_cpu_ns": 7, "exit_cpu_ns": 7, "own_cpu_measured_ns": 7}
    with sqlite3.connect(cycles) as database:
        rows = [(key, json.dumps(value)) for key, value in facts.items()]
        database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)
        database.execute("INSERT INTO observed VALUES (0, 9, 1, 'call', 2, 1, 1, 0, 1, 0, 5)")
        database.executescript(UNSEALED)


def all_end_well(gcreplay: Gcreplay, path: Path) -> None:
    """A mark may be asked for in vain only where the recording is whole."""
    before = path.read_bytes()
    whole = gcreplay("info", path).exit_code == 0
    for command, options in READING.items():
        told = gcreplay(command, path, *options)
        unmarked = "no mark 'begin'" in told.stderr or "needs marks" in told.stderr
        assert told.exit_code == 2 if whole and unmarked else told.exit_code in (0, 1), told.stderr
        if told.exception is not None and not isinstance(told.exception, SystemExit):
            raise AssertionError(f"{command}: {told.exception!r}") from told.exception
        if told.exit_code and not (command == "check" and told.stdout):  # the answer may be no
            assert 1 <= len(told.stderr.splitlines()) <= 2
        path.write_bytes(before)  # `replay` stores its runs


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(place=st.sampled_from(PLACES), value=st.sampled_from(ODD))
def test_odd_rows_end_in_a_sentence(
    gcreplay: Gcreplay, tmp_path: Path, place: tuple[str, str], value: str
) -> None:
    path = tmp_path / "odd.gcreplay"
    path.unlink(missing_ok=True)
    write_cycles(path, 30)
    recorded(gcreplay, path)
    table, column = place
    with sqlite3.connect(path) as database, suppress(sqlite3.IntegrityError):
        where = " WHERE key != 'checksums'" if table == "meta" else ""
        database.execute(f"UPDATE {table} SET {column} = {value}{where}")
    database.close()
    all_end_well(gcreplay, path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=odd_json())
def test_what_is_said_of_odd_lines_can_be_seen(
    gcreplay: Gcreplay, tmp_path: Path, lines: list[str]
) -> None:
    """The sentences of the store have what was typed as it is; here they are escaped."""
    source = tmp_path / "odd.jsonl"
    source.write_text("\n".join(lines), "utf-8", errors="surrogatepass")
    told = gcreplay("import", source, "-o", tmp_path / "odd.gcreplay", "--force")
    assert told.stderr.removesuffix("\n").isprintable()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(lines=odd_json(), force=st.booleans())
def test_a_refused_import_writes_nothing(
    gcreplay: Gcreplay, tmp_path: Path, lines: list[str], force: bool
) -> None:
    source, target = tmp_path / "odd.jsonl", tmp_path / "odd.gcreplay"
    source.write_text("\n".join(lines), "utf-8", errors="surrogatepass")
    target.unlink(missing_ok=True)
    if force:
        target.write_text("precious")
    told = gcreplay("import", source, "-o", target, *(["--force"] if force else []))
    assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
    if told.exit_code:
        assert (told.exit_code, told.stdout, len(told.stderr.splitlines())) == (1, "", 1)
        assert [*tmp_path.glob("odd.gcreplay*")] == [target] * force
        assert not force or target.read_text() == "precious"
    else:
        all_end_well(gcreplay, target)
