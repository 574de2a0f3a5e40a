"""Damaged files: one sentence and exit code 1, or the right figures; bounded by the file's size."""

import os
import random
from pathlib import Path

import pytest
from click.testing import Result
from command_line import Gcreplay
from damage import counted, damaged, odd_values

from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.events import ObservedCollection

GC_LOG = Path(__file__).parents[2] / "examples" / "gc.jsonl"
COMMANDS: dict[str, tuple[object, ...]] = {
    "info": (),
    "events": (),
    "verify": (),
    "replay": ("-p", "manual"),
    "diff": ("-p", "never", "-p", "manual"),
    "costs": (),
    "sweep": ("--t0", "700"),
    "tune": (),
    "check": ("--against", str(GC_LOG)),
    "export": (),
}
EXAMPLES = int(os.environ.get("GCREPLAY_DAMAGED_FILES", "25"))
"""`make soak` tries more."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some thirty pages: long names, several segments, observed collections and a run."""
    trace = TraceBuilder(python="3.11.7", argv=["app.py"])
    trace.start()
    for n in range(300):
        cycle = trace.alloc(f"Node{n % 50}", module="app" * 20, site=(f"{n}.py" * 5, n, "main"))
        trace.link(cycle, cycle, label=f".label{n}" * 8)
        trace.decref(cycle)
    trace.mark("end")
    whole = trace.build()
    path = tmp_path_factory.mktemp("whole") / "whole.gcreplay"
    with EventLog.create(path, meta=whole.meta) as log:
        log.take_names(whole.names)
        columns = whole.events().columns()
        for at in range(0, len(columns[0]), 40):
            log.append(*(column[at : at + 40] for column in columns))
            log.flush()
        log.add_observed(
            ObservedCollection(n, n, "threshold", 0, 700, n % 97, 0, 50, 50, 10**6 + n)
            for n in range(300)
        )
    with EventLog.open(path, writable=True) as log:
        log.save_run("manual", {"window": None}, {"collected": list(range(900))}, "hash")
    return path


def run(gcreplay: Gcreplay, command: str, path: Path) -> Result:
    return gcreplay(command, path, *COMMANDS[command])


def assert_sentence_or_same(told: Result, whole: Result) -> None:
    unexpected = told.exception is not None and not isinstance(told.exception, SystemExit)
    assert not unexpected, repr(told.exception)
    if told.exit_code == whole.exit_code and "Error: " not in told.stderr:
        assert told.stdout == whole.stdout
    else:
        assert told.exit_code == 1
        assert len([line for line in told.stderr.splitlines() if line.startswith("Error: ")]) == 1


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_a_damaged_file_is_said_or_does_no_harm(
    gcreplay: Gcreplay,
    recording: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    draw = random.Random(seed)
    path = tmp_path / "file.gcreplay"
    path.write_bytes(recording.read_bytes())
    whole = {command: run(gcreplay, command, path) for command in COMMANDS}
    path.write_bytes(recording.read_bytes())  # `replay` has stored its runs
    if draw.randrange(3):
        path.write_bytes(damaged(recording.read_bytes(), draw))
    else:
        odd_values(path, draw)
    content = path.read_bytes()
    for command in COMMANDS:
        path.write_bytes(content)  # `replay` stores its run
        with counted(monkeypatch) as work:
            told = run(gcreplay, command, path)
        assert_sentence_or_same(told, whole[command])
        # A step a byte and pass, some passes a command. A lost segment is searched in
        # three statements, and takes 128 bytes at least.
        assert work.kilosteps * 1000 <= 40 * len(content), (command, work)
        assert work.statements <= 800 + 3 * len(content) // 128, (command, work)
        assert work.text <= 40 * len(content), (command, work)
