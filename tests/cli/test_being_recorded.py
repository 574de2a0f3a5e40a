"""A recording that is still being made: who is at it, how far it is, and what waits for its end."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Gcreplay

from gcreplay.replay import RunResult
from gcreplay.replay.run import Replay
from gcreplay.store import EventLog

PROGRAM = """
import os, sys
class Node: pass
for i in range(300_000):
    a = Node(); a.me = a
print(os.getpid(), flush=True)
sys.stdin.readline()
"""

SOON = """
import sys
from gcreplay.__main__ import main
from gcreplay.store.tables import patience
patience.PATIENCE_SECONDS = 1.5
main()
"""
"""The command, but it does not wait for half a minute for what others have locked."""


class Recorder:
    """A recorder whose program has printed its number and waits for a line."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "run.gcreplay"
        self.process = subprocess.Popen(
            [sys.executable, "-c", SOON, "record", "-o", self.path, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.program = int(self.process.stdout.readline())

    def end(self) -> None:
        assert self.process.communicate("go on\n")[0] == ""
        assert self.process.returncode == 0


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    made = Recorder(tmp_path)
    with made.process:
        yield made
        made.process.kill()


def told(gcreplay: Gcreplay, path: Path) -> dict[str, object]:
    facts = json.loads(gcreplay("info", path, "--format", "json").stdout)
    assert isinstance(facts, dict)
    return facts


def when_taken(gcreplay: Gcreplay, path: Path) -> dict[str, object]:
    """The facts when some of what the program has done was taken."""
    for _ in range(1000):
        if path.exists() and gcreplay("info", path).exit_code == 0:
            facts = told(gcreplay, path)
            if facts["events"]:
                return facts
        time.sleep(0.05)
    raise AssertionError("nothing was taken")


def test_info_says_who_records_it_and_how_far(gcreplay: Gcreplay, recorder: Recorder) -> None:
    facts = when_taken(gcreplay, recorder.path)
    assert facts["being_recorded"] == {
        "recorder": recorder.process.pid,
        "program": recorder.program,
    }
    assert (facts["complete"], facts["argv"]) == (False, ["-c", PROGRAM])
    assert facts["events"] == facts["intact_events"] != 0
    assert facts["program_ns"] not in (None, 0)
    shown = gcreplay("info", recorder.path)
    assert (
        f"no, being recorded by process {recorder.process.pid}; the program runs as process "
        f"{recorder.program}" in " ".join(shown.stdout.split())
    )
    assert "cut short" not in shown.stdout
    assert shown.stderr == ""
    recorder.end()
    facts = told(gcreplay, recorder.path)
    assert (facts["complete"], facts["being_recorded"]) == (True, None)


def test_runs_are_not_stored_while_it_is_recorded(gcreplay: Gcreplay, recorder: Recorder) -> None:
    when_taken(gcreplay, recorder.path)
    shown = gcreplay("replay", recorder.path, "-p", "manual")
    assert shown.exit_code == 0
    assert "The runs are not stored" in shown.stderr
    recorder.end()
    assert told(gcreplay, recorder.path)["runs"] == []


@pytest.mark.parametrize("command", [("replay", "-p", "manual"), ("sweep", "--t0", "700,5000")])
def test_nor_where_its_recorder_ends_meanwhile(
    gcreplay: Gcreplay,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    """What was replayed is not all of what the file has when the runs would be stored."""
    when_taken(gcreplay, recorder.path)
    play = Replay.run

    def ends_meanwhile(self: Replay) -> RunResult:
        if recorder.process.returncode is None:
            recorder.end()
        return play(self)

    monkeypatch.setattr(Replay, "run", ends_meanwhile)
    shown = gcreplay(command[0], recorder.path, *command[1:])
    assert shown.exit_code == 0
    assert "not whole when it was opened" in " ".join(shown.stderr.split())
    with EventLog.open(recorder.path) as log:
        assert (log.meta["complete"], log.runs()) == (True, [])
        assert "pauses" not in log.meta


def test_what_is_there_so_far_is_verified(gcreplay: Gcreplay, recorder: Recorder) -> None:
    when_taken(gcreplay, recorder.path)
    shown = json.loads(gcreplay("verify", recorder.path, "--format", "json").stdout)
    assert shown["recorded"] == shown["replayed"] == shown["collected_equal"] > 20


def test_a_recorder_that_was_killed_is_at_nothing(gcreplay: Gcreplay, recorder: Recorder) -> None:
    when_taken(gcreplay, recorder.path)
    recorder.process.kill()
    recorder.process.wait()
    assert os.path.exists(f"/proc/{recorder.program}")  # noqa: PTH110
    facts = told(gcreplay, recorder.path)
    assert (facts["complete"], facts["being_recorded"]) == (False, None)
    assert "no, cut short" in gcreplay("info", recorder.path).stdout


def test_a_recording_without_its_first_byte_is_about_to_be(
    gcreplay: Gcreplay, recorder: Recorder
) -> None:
    """As in the recorder's first half second."""
    when_taken(gcreplay, recorder.path)
    recorder.path.rename(recorder.path.with_suffix(".elsewhere"))
    shown = gcreplay("info", recorder.path)
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.endswith("is about to be recorded: nothing is in it yet\n")
