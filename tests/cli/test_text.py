"""Names from a recording are shown, never obeyed, in every command and format."""

import ast
import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from command_line import Gcreplay
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gcreplay.report.words.text import INVISIBLE, csv_cell, markdown, plain
from gcreplay.screen.output import FORMATS
from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder

GC_LOG = Path(__file__).parents[2] / "examples" / "gc.jsonl"
CLEAR_SCREEN, TITLE = "\x1b[2J", "\x1b]0;owned\x07"
CONTROLS = "\x00\t\r\n\x7f\x85\x9b2J\u2028\u2029"
TURNED = "\u202e\u2066\u200f\u061c"
UNSEEN = "\u200b\ufeff\ufe0f\u3164\xad"
MARKED = r"[red]x[/red] <b>&amp; **b** `c` [l](http://x) a|b \x1b __init__ $x$"
HOSTILE = f"=HYPERLINK(1){CLEAR_SCREEN}{TITLE}{CONTROLS}{TURNED}{UNSEEN}{MARKED}"
SHOWN = (
    r"=HYPERLINK(1)\x1b[2J\x1b]0;owned\x07\x00\t\r\n\x7f\x85\x9b2J\u2028\u2029"
    r"\u202e\u2066\u200f\u061c\u200b\ufeff\ufe0f\u3164\xad"
    r"[red]x[/red] <b>&amp; **b** `c` [l](http://x) a|b \\x1b __init__ $x$"
)
FILE = f"{CLEAR_SCREEN}{TITLE}\n\u202e[red]=1|.gcreplay"

texts = st.text(st.one_of(st.sampled_from(f"{HOSTILE}'+-@\ud800"), st.characters()))


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A recording whose every name is hostile, with two stored runs; so is the name of its file."""
    trace = TraceBuilder(python=HOSTILE, argv=[HOSTILE], exit_code=1, counts=HOSTILE)
    trace.start()
    trace.mark(HOSTILE)
    site = (HOSTILE, 1, HOSTILE)
    for _ in range(800):
        cycle = trace.alloc(HOSTILE, module=HOSTILE, site=site)
        trace.link(cycle, cycle, label=HOSTILE)
        trace.decref(cycle)
    trace.gc_call("collect", site=site)
    trace.mark(f"{HOSTILE}2")
    path = tmp_path / FILE
    trace.build(path).close()
    with EventLog.open(path, writable=True) as log:
        log.save_run(HOSTILE, {"apply_from": HOSTILE}, {}, HOSTILE)
        log.save_run("manual", {"apply_from": HOSTILE}, {}, HOSTILE)
        log.set_meta(repairs={HOSTILE: 3})
    return path


COMMANDS: dict[str, Callable[[Path], tuple[object, ...]]] = {
    "info": lambda path: ("info", path),
    "verify": lambda path: ("verify", path, "--without-repairs"),
    "replay": lambda path: ("replay", path, "-p", "cpython-3.11", "--pauses"),
    "replay from": lambda path: (
        "replay",
        path,
        "-p",
        f"freeze@{HOSTILE}",
        "--apply-from",
        HOSTILE,
    ),
    "replay window": lambda path: ("replay", path, "--window", f"{HOSTILE}..{HOSTILE}2"),
    "diff": lambda path: ("diff", path, "-p", "cpython-3.11", "-p", f"freeze@{HOSTILE}"),
    "diff files": lambda path: ("diff", path, path, "-p", "manual", "--fail-if", "collected>=0"),
    "diff runs": lambda path: ("diff", f"{path}#2", f"{path}#2"),
    "costs": lambda path: ("costs", path),
    "sweep": lambda path: ("sweep", path, "--t0", "1,9", "--t1", "5", "-p", f"freeze@{HOSTILE}"),
    "tune": lambda path: ("tune", path),
    "check": lambda path: ("check", path, "--against", GC_LOG),
    "policies": lambda path: ("policies",),
}
WITHOUT_FORMAT: dict[str, Callable[[Path], tuple[object, ...]]] = {
    "events": lambda path: ("events", path, "--to", 900),
    "export": lambda path: ("export", path),
    "export to": lambda path: ("export", path, "-o", path.with_name(f"{FILE}2")),
    "export rows": lambda path: ("export", path, "--rows", "-o", path.with_name(f"{FILE}2")),
    "import": lambda path: ("import", path, "-o", path.with_name(f"{FILE}2")),
    "record": lambda path: ("record", "-o", path.with_name(f"{FILE}2"), "-c", "pass"),
}
WRONG: dict[str, Callable[[Path], tuple[object, ...]]] = {
    "command": lambda path: (HOSTILE,),
    "option": lambda path: ("info", f"--{HOSTILE}"),
    "group option": lambda path: (f"--{HOSTILE}",),
    "format": lambda path: ("info", path, "--format", HOSTILE),
    "no file": lambda path: ("info", path.with_name(f"{FILE}0")),
    "no spool": lambda path: ("recover", path),
    "no lines": lambda path: ("import", path.with_name(f"{FILE}2")),
    "output": lambda path: ("export", path, "-o", path),
    "policy": lambda path: ("replay", path, "-p", HOSTILE),
    "thresholds": lambda path: ("replay", path, "-p", f"generational:{HOSTILE}"),
    "policy file": lambda path: ("replay", path, "-p", f"{HOSTILE}.py:X"),
    "no mark": lambda path: ("replay", path, "--apply-from", f"{HOSTILE}3"),
    "no window": lambda path: ("replay", path, "--window", HOSTILE),
    "limit": lambda path: ("diff", path, "-p", "never", "-p", "manual", "--fail-if", HOSTILE),
    "stored policy": lambda path: ("diff", f"{path}#1", f"{path}#2"),
    "no run": lambda path: ("diff", f"{path}#1", f"{path}#9"),
    "script": lambda path: ("record", HOSTILE),
    "interpreter": lambda path: ("record", "--python", HOSTILE.replace("\0", ""), "-c", "pass"),
    "tolerance": lambda path: ("prove", "--tolerance", HOSTILE, "-c", "pass"),
    "damaged": lambda path: ("info", path),
}


def assert_shown(output: str) -> None:
    """Nothing but lines of what can be seen."""
    rest = output.replace("\n", "")
    assert rest.isprintable(), ascii(rest)
    assert not INVISIBLE.search(rest)


def assert_told(told: Result, exit_codes: tuple[int, ...]) -> None:
    assert told.exit_code in exit_codes, told.output
    assert told.exception is None or isinstance(told.exception, SystemExit)
    assert_shown(told.stdout)
    assert_shown(told.stderr)


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_lets_a_name_through(
    gcreplay: Gcreplay, hostile: Path, command: str, output_format: str
) -> None:
    told = gcreplay(*COMMANDS[command](hostile), "--format", output_format)
    assert_told(told, (0, 1))
    if output_format == "csv":
        for row in csv.reader(io.StringIO(told.stdout)):
            assert not any(re.match(r"[=@\t\r]|[+-](?![\d.,%]*$)", cell) for cell in row)
    elif output_format == "json":
        assert told.stdout.isascii()
        json.loads(told.stdout)


@pytest.mark.parametrize("command", WITHOUT_FORMAT)
def test_no_other_command_does(gcreplay: Gcreplay, hostile: Path, command: str) -> None:
    assert_told(gcreplay(*WITHOUT_FORMAT[command](hostile)), (0, 1))


@pytest.mark.parametrize("mistake", WRONG)
def test_no_message_does(gcreplay: Gcreplay, hostile: Path, mistake: str) -> None:
    if mistake == "damaged":
        hostile.write_bytes(hostile.read_bytes()[:-5000])
    told = gcreplay(*WRONG[mistake](hostile))
    assert_told(told, (1, 2))
    assert "Error: " in told.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_no_terminal_obeys_one(
    gcreplay: Gcreplay,
    hostile: Path,
    command: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Colours are ours; the names have no such sequence."""
    from gcreplay.main import cli

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "400")
    with pytest.raises(SystemExit):
        cli([str(word) for word in COMMANDS[command](hostile)])
    printed = capsys.readouterr()
    assert ("\x1b[1m" in printed.out) == (command != "policies")  # which is a list, no table
    for output in printed.out, printed.err:
        assert_shown(re.sub(r"\x1b\[[0-9;]*m|\x1b\[\?25[hl]|\x1b\[(?:1A|2K)|\r", "", output))


def test_what_the_encoding_of_the_output_lacks_is_shown_in_the_same_way(tmp_path: Path) -> None:
    trace = TraceBuilder()
    trace.mark("caf\xe9 \u6f22 \U0001f600")
    trace.build(tmp_path / "marks.gcreplay").close()
    done = subprocess.run(
        [sys.executable, "-m", "gcreplay", "events", tmp_path / "marks.gcreplay"],
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b" 0  mark      caf\xe9 \\u6f22 \\U0001f600\n"


def test_the_names_stand_there_whole(gcreplay: Gcreplay, hostile: Path) -> None:
    lines = gcreplay("events", hostile, "--to", 3).stdout.splitlines()
    assert lines[1] == f" 1  mark      {SHOWN}"
    assert lines[2].startswith(f" 2  alloc     {SHOWN}.{SHOWN}#0 ")
    assert lines[2].endswith(f"  {SHOWN}:1 {SHOWN}")
    assert lines[3] == f" 3  link      {SHOWN}.{SHOWN}#0 -> {SHOWN}.{SHOWN}#0  {SHOWN}"
    assert json.loads(gcreplay("info", hostile, "--format", "json").stdout)["argv"] == [HOSTILE]
    rows = list(csv.reader(io.StringIO(gcreplay("info", hostile, "--format", "csv").stdout)))
    assert ["program", f"'{SHOWN}"] in rows


@given(texts)
@example(HOSTILE)
@example("\\x1b")
@example("\x1b")
def test_what_is_shown_says_which_characters_the_text_has(text: str) -> None:
    shown = plain(text)
    assert_shown(shown)
    assert "\n" not in shown
    quoted = shown.replace('"', '\\"')
    assert ast.literal_eval(f'"{quoted}"') == text


@given(texts)
@example("=1+1")
@example("'=1+1")
@example("\t=1")
@example("-1")
def test_a_spreadsheet_gets_text_that_is_no_formula(text: str) -> None:
    cell = csv_cell(text)
    assert cell[:1] not in "=@\t\r" or not cell
    assert cell.removeprefix("'") == plain(text)
    number = re.fullmatch(r"[+-][0-9.,]*%?", text)
    assert cell.startswith("'") == (text[:1] in "'=+-@＝＋－＠" and text != "" and not number)


@given(texts)
@example(HOSTILE)
@example("__main__.Node")
@example("a_b_c *x* _y_")
def test_markdown_reads_the_text_as_it_stands(text: str) -> None:
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    page_text = f"| a |\n| --- |\n| x{markdown(text)}x |"
    tokens = page.parse(page_text)
    (cell,) = [tokens[i + 1] for i, token in enumerate(tokens) if token.type == "td_open"]
    children = cell.children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children) == f"x{plain(text)}x"
