"""Broken input and wrong usage: one sentence, exit code 1 or 2, never a traceback."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Gcreplay

GC_LOG = Path(__file__).parents[2] / "examples" / "gc.jsonl"
READING = {
    "info": (),
    "events": (),
    "verify": (),
    "replay": ("-p", "generational:700,10,10"),
    "diff": ("-p", "never", "-p", "manual"),
    "costs": (),
    "sweep": ("--t0", "700"),
    "tune": (),
    "check": ("--against", str(GC_LOG)),
    "export": (),
}


def foreign_database(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE guests (name TEXT)")


def newer_recording(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
        database.execute("PRAGMA application_id = 0x67637270")
        database.execute("CREATE TABLE meta (key TEXT)")


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize(
    ("write", "says"),
    [
        (lambda path: path.write_text("Dear diary"), "recording"),
        (lambda path: path.write_bytes(b""), "empty"),
        (foreign_database, "recording"),
        (newer_recording, "newer"),
    ],
    ids=["text", "empty", "foreign", "newer"],
)
def test_a_file_that_is_no_recording(
    gcreplay: Gcreplay, tmp_path: Path, command: str, write: object, says: str
) -> None:
    path = tmp_path / "file.gcreplay"
    assert callable(write)
    write(path)
    before = path.read_bytes()
    told = gcreplay(command, path, *READING[command])
    assert told.exit_code == 1
    assert told.stdout == ""
    assert len(told.stderr.splitlines()) == 1
    assert str(path) in told.stderr
    assert says in told.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize("change", ["id = 1", "type = -1"])
def test_a_damaged_table_of_names_is_said_with_the_file_and_what_to_do(
    gcreplay: Gcreplay, cycles: Path, command: str, change: str
) -> None:
    with sqlite3.connect(cycles) as database:
        database.execute(f"UPDATE shapes SET {change} WHERE id = 0")
    told = gcreplay(command, cycles, *READING[command])
    assert told.exit_code == 1
    assert told.stderr.startswith(f"Error: {cycles} is damaged: ")
    assert "shapes" in told.stderr
    assert "`gcreplay info` says what is intact" in told.stderr
    assert len(told.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"Dear diary", b"gcrspool" + b"\xff" * 5000],
    ids=["empty", "text", "version"],
)
def test_a_file_that_is_no_spool(gcreplay: Gcreplay, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "app.gcreplay.spool"
    path.write_bytes(content)
    told = gcreplay("recover", path)
    assert (told.exit_code, told.stdout, len(told.stderr.splitlines())) == (1, "", 1)
    assert f"Error: {path} is " in told.stderr
    assert path.read_bytes() == content
    assert [*tmp_path.iterdir()] == [path]


def test_a_recording_or_folder_is_no_spool(
    gcreplay: Gcreplay, cycles: Path, tmp_path: Path
) -> None:
    for path in (cycles, tmp_path):
        told = gcreplay("recover", path, "-o", tmp_path / "new.gcreplay")
        assert (told.exit_code, told.stdout) == (1, "")
        assert f"Error: {path} is " in told.stderr


@pytest.mark.parametrize("path", ["/", ".", "..", ""])
def test_a_folder_without_a_name_is_no_spool(gcreplay: Gcreplay, path: str) -> None:
    told = gcreplay("recover", path)
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == f"Error: {path or '.'} is a directory, no spool of gcreplay\n"


@pytest.mark.parametrize("command", [*READING, "recover"])
def test_a_missing_file_is_wrong_usage(gcreplay: Gcreplay, tmp_path: Path, command: str) -> None:
    told = gcreplay(command, tmp_path / "missing.gcreplay", *READING.get(command, ()))
    assert told.exit_code == 2
    assert "missing.gcreplay" in told.stderr
    assert len(told.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("generations", "cpython-3.11"),
        ("generational:700,ten,10", "700,ten,10"),
        ("generational:700", "three integers"),
        ("missing.py:Policy", "missing.py"),
    ],
)
def test_an_unusable_policy_is_wrong_usage(
    gcreplay: Gcreplay, cycles: Path, policy: str, says: str
) -> None:
    told = gcreplay("replay", cycles, "-p", policy)
    assert told.exit_code == 2
    assert told.stdout == ""
    assert says in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_a_policy_that_there_is_not_is_shown_as_it_was_typed(
    gcreplay: Gcreplay, cycles: Path
) -> None:
    told = gcreplay("replay", cycles, "-p", "a\n\x1bb\\c")
    assert told.stderr.startswith(r"Error: there is no policy 'a\n\x1bb\\c'; known are ")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("replay", "-p", "generational:a\n\x1bb\\c"), r'"a\n\x1bb\\c" are no thresholds'),
        (("diff", "--fail-if", "\x1bx\\"), r'--fail-if "\x1bx\\" is no limit'),
        (("events", "--from", "\x1b\\"), r'not "\x1b\\"'),
        (("info", "--format", "\x1b\\\u3164"), r"'\x1b\\\u3164' is not one of"),
        (("\x1b\\\u3164",), r"No such command '\x1b\\\u3164'"),
    ],
)
def test_odd_characters_that_were_typed_are_escaped_once(
    gcreplay: Gcreplay, cycles: Path, args: tuple[str, ...], says: str
) -> None:
    assert says in gcreplay(args[0], cycles, *args[1:]).stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("replya",), "No such command 'replya' (did you mean replay?)."),
        (("replay", "-p", "manul"), "no policy 'manul' (did you mean manual?); known are"),
        (("replay", "-p", "every:bgin"), "no mark 'bgin' (did you mean begin?); its marks are"),
        (("replay", "-p", 'every:"a+b'), 'the quote in every:"a is not closed'),
        (("replay", "-p", "every:a+b"), 'stands in quotes, as in every:"A+B"'),
        (("replay", "--apply-from", "ent"), "no mark 'ent' (did you mean end?); its marks are"),
        (("replay", "--polcy", "never"), "--policy"),
        (("diff", "--fail-if", "colected>5"), "no figure colected (did you mean collected"),
    ],
)
def test_a_name_that_was_meant_is_said(
    gcreplay: Gcreplay, cycles: Path, args: tuple[str, ...], says: str
) -> None:
    told = gcreplay(args[0], cycles, *args[1:])
    assert told.exit_code in (1, 2)
    assert says in told.stderr


@pytest.mark.parametrize(
    ("window", "says"),
    [
        ("a..b..c", 'in quotes, "FIRST".."LAST"'),
        ("a...b", 'in quotes, "FIRST".."LAST"'),
        ('"a..b".."c', "no mark 'a..b'"),
        ("end..begin", "no mark 'begin' after 'end'; its marks are"),
        ("..", "FIRST..LAST"),
    ],
)
def test_a_window_of_marks_with_dots(
    gcreplay: Gcreplay, cycles: Path, window: str, says: str
) -> None:
    assert says in gcreplay("replay", cycles, "--window", window).stderr


@pytest.mark.parametrize("command", ["nothing", "--nothing"])
def test_an_unknown_command_or_option_is_wrong_usage(gcreplay: Gcreplay, command: str) -> None:
    assert gcreplay(command).exit_code == 2


def test_a_full_disk_is_said_with_the_file_and_leaves_nothing(
    gcreplay: Gcreplay, cycles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's error for a write names no file. (`/dev/full` is a disk without room.)"""
    real = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda path, *a, **k: real(Path("/dev/full") if path.name == "part" else path, *a, **k),
    )
    done = gcreplay("export", cycles, "-o", tmp_path / "out.jsonl")
    assert done.exit_code == 1
    assert done.stderr == (
        f"Error: {tmp_path / 'out.jsonl'}: No space left on device; it is not written\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [cycles.name]


def test_a_closed_pipe_ends_the_command_quietly(cycles: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "gcreplay", "events", str(cycles), "--to", "4000"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 128 + 13  # as a program that SIGPIPE ended


CLOSING = """
import sys
from gcreplay.replay import Policy
class P(Policy):
    summary = "closes"
    def begin(self, heap, start): sys.stdout.close()
"""


def test_a_policy_that_closes_the_output_is_told(cycles: Path, tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(CLOSING)
    done = subprocess.run(
        [sys.executable, "-m", "gcreplay", "replay", str(cycles), "-p", f"{tmp_path}/odd.py:P"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("Error: Standard output was closed")
    assert "Traceback" not in done.stderr
