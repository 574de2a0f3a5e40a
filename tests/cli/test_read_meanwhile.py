"""A recording that is begun or closed while somebody reads it is never called damaged or cut."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import Result
from command_line import Gcreplay
from sqlalchemy import Engine, event

from gcreplay import trace
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.log import EventLog
from gcreplay.store.tables.database import Database
from gcreplay.tracer.spool import Spool

FILES = ("", "-wal")
ABOUT, UNDER_WAY, DONE = range(3)


class Recording:
    """What a recorder does with its spool and its file, in this process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spool = Spool.create(Path(f"{path}.spool"))
        self.log: EventLog | None = None

    def begin(self) -> None:
        self.log = EventLog.create(self.path, meta={"counts": "exact", "argv": ["app.py"]})

    def go_on(self) -> None:
        assert self.log is not None
        made = TraceBuilder()
        made.start()
        for _ in range(10):
            made.decref(made.alloc("Node"))
        self.log.take_names(made._names)
        self.log.append(*made.columns())
        self.log.flush()

    def end(self) -> None:
        if self.log is not None:
            self.log.close(complete=True, exit_code=0)
            self.log = None
            self.spool.close(remove=True)


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    made = Recording(tmp_path / "run.gcreplay")
    yield made
    made.end()


@contextmanager
def at_each_step(read: Callable[[], None]) -> Iterator[None]:
    """Reads before and after every statement of the block, and so after every commit."""

    def read_now(*_: object) -> None:
        read()

    for step in ("before_cursor_execute", "after_cursor_execute"):
        event.listen(Engine, step, read_now)
    try:
        yield
        read()
    finally:
        for step in ("before_cursor_execute", "after_cursor_execute"):
            event.remove(Engine, step, read_now)


def stage(shown: Result, verified: Result) -> int:
    """How far the recording is, as `info` and `verify` say in one voice."""
    if shown.exit_code:
        for one in (shown, verified):
            assert (one.exit_code, one.stdout) == (1, "")
            assert one.stderr.endswith("is about to be recorded: nothing is in it yet\n")
        return ABOUT
    facts, verdict = json.loads(shown.stdout), json.loads(verified.stdout)["verdict"]
    assert (shown.stderr, verified.exit_code, verified.stderr) == ("", 0, "")
    assert facts["argv"] == ["app.py"]
    assert facts["complete"] is (facts["being_recorded"] is None)
    assert facts["exit_code"] == (0 if facts["complete"] else None)
    assert facts["events"] == facts["intact_events"]
    so_far = " (of what it holds so far: it is being recorded)"
    of = "" if facts["complete"] else so_far
    assert verdict == f"equal: no collection was made, and none is replayed{of}"
    return DONE if facts["complete"] else UNDER_WAY


def test_every_step_of_a_recording_is_about_to_be_or_under_way_or_done(
    gcreplay: Gcreplay, recording: Recording, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.gcreplay"
    living = Spool.create(Path(f"{copy}.spool"))
    living.take()
    states: list[dict[str, bytes]] = []

    def keep() -> None:
        paths = {end: Path(f"{recording.path}{end}") for end in FILES}
        state = {end: path.read_bytes() for end, path in paths.items() if path.exists()}
        if state not in states:
            states.append(state)

    with at_each_step(keep):
        recording.begin()
        recording.go_on()
        recording.end()
    told = []
    for state in states:
        for end in FILES:
            Path(f"{copy}{end}").unlink(missing_ok=True)
        for end, content in state.items():
            Path(f"{copy}{end}").write_bytes(content)
        answers = [gcreplay(command, copy, "--format", "json") for command in ("info", "verify")]
        told.append(stage(*answers))
    living.close(remove=True)
    assert told == sorted(told)
    assert set(told) == {ABOUT, UNDER_WAY, DONE}


def end_before_snapshot(recording: Recording, nth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads it finds it ended at their n-th snapshot."""
    read, snapshots = Database.reading, 0

    def reading(self: Database) -> object:
        nonlocal snapshots
        if not self.writable and self._snapshot is None:
            snapshots += 1
            if snapshots == nth:
                recording.end()
        return read(self)

    monkeypatch.setattr(Database, "reading", reading)
    monkeypatch.setattr(Database, "_fold", lambda self: None)  # it waits for who reads it


@pytest.mark.parametrize("command", ["info", "verify"])
def test_a_recording_that_ends_while_it_is_read_is_under_way_or_done(
    gcreplay: Gcreplay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """It ends before the first snapshot of the reader, before the second and so on."""
    done = []
    for nth in range(1, 100):
        recording = Recording(tmp_path / f"{nth}.gcreplay")
        recording.begin()
        recording.go_on()
        with monkeypatch.context() as patched:
            end_before_snapshot(recording, nth, patched)
            shown = gcreplay(command, recording.path, "--format", "json")
        assert (shown.exit_code, shown.stderr) == (0, "")
        facts = json.loads(shown.stdout)
        if command == "info":
            assert facts["complete"] is (facts["being_recorded"] is None)
            assert facts["exit_code"] == (0 if facts["complete"] else None)
            assert facts["events"] == facts["intact_events"] == 21
            done.append(facts["complete"])
        else:
            assert "cut" not in facts["verdict"]
            done.append("being recorded" not in facts["verdict"])
        if recording.log is not None:  # the reader had fewer snapshots
            recording.end()
            break
    else:
        pytest.fail("the reader has no end")
    assert done == sorted(done, reverse=True)
    assert set(done) == {True, False}


@pytest.mark.parametrize("question", [1, 2])
def test_who_begins_or_ends_between_two_questions_is_seen(
    gcreplay: Gcreplay, recording: Recording, monkeypatch: pytest.MonkeyPatch, question: int
) -> None:
    """It has no file at the first question, and is done after it or after the second."""
    asked = trace.being_made
    questions = 0

    def being_made(path: Path) -> object:
        nonlocal questions
        questions += 1
        if questions == question == 2:
            recording.begin()
            recording.go_on()
            recording.end()
        answer = asked(path)
        if questions == question == 1:
            recording.begin()
            recording.go_on()
            recording.end()
        return answer

    monkeypatch.setattr(trace, "being_made", being_made)
    facts = json.loads(gcreplay("info", recording.path, "--format", "json").stdout)
    assert (facts["complete"], facts["events"]) == (True, 21)


def test_a_recorder_that_begins_behind_the_first_question_is_seen(
    gcreplay: Gcreplay, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording.begin()
    recording.go_on()
    asked = trace.being_made
    answers = iter([lambda path: None])
    monkeypatch.setattr(trace, "being_made", lambda path: next(answers, asked)(path))
    facts = json.loads(gcreplay("info", recording.path, "--format", "json").stdout)
    assert (facts["complete"], facts["being_recorded"] is None) == (False, False)
