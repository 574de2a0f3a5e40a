"""Signs of life: which run is under way, how long the rest takes."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from gcreplay.replay import verify
from gcreplay.replay.engine.annotation import garbage_of
from gcreplay.replay.many import on_all_cores
from gcreplay.screen import progress
from gcreplay.screen.progress import Read, Runs, Steps, Tries, reading, time_left
from gcreplay.store import EventLog


class Watched:
    """Runs before somebody who watches a clock that only `pass_seconds` moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.patience = 0.0
        self.line: Callable[[], str] = str
        monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(progress, "working", self._working)

    @contextmanager
    def _working(self, what: Callable[[], str], patience: float = 1.0) -> Iterator[None]:
        self.line, self.patience = what, patience
        yield

    def pass_seconds(self, seconds: float) -> None:
        self.now += seconds


def test_the_time_left_is_that_of_the_runs_that_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of 10 and 20 s: the third may take 15, of which 5 have passed, and so may the fourth."""
    watched = Watched(monkeypatch)
    runs = Runs("run", 4)
    with runs.one("a"):
        watched.pass_seconds(10)
        assert watched.line() == "run 1 of 4: a"
    with runs.one("b"):
        assert watched.line() == "run 2 of 4, about 30 s left: b"
        watched.pass_seconds(20)
        assert watched.line() == "run 2 of 4, about 20 s left: b"
    with runs.one("c"):
        watched.pass_seconds(5)
        assert watched.line() == "run 3 of 4, about 25 s left: c"
    assert runs.now == "run 3 of 4"


def test_a_run_of_another_kind_is_counted_and_says_nothing_of_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = Watched(monkeypatch)
    runs = Runs("run", 2)
    runs.pass_by("recording")
    watched.pass_seconds(50)
    with runs.one("a"):
        assert watched.line() == "run 2 of 2: a"
    assert capsys.readouterr().err == ""  # nobody watches


def test_patience_is_had_once_with_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)
    runs = Runs("run", 3)
    for patience in (1.0, 0.25, 0.0):
        with runs.one("short"):
            assert watched.patience == patience
            watched.pass_seconds(0.75)


def test_the_time_left_is_said_in_the_unit_that_people_count_in() -> None:
    assert time_left(0.4) == ", about 0 s left"
    assert time_left(89) == ", about 89 s left"
    assert time_left(91) == ", about 2 min left"
    assert time_left(3 * 3600 + 1800) == ", about 3.5 h left"


def test_what_is_shown_is_one_line_of_the_terminal() -> None:
    console = Console(width=80, file=io.StringIO(), force_terminal=True)
    status = console.status(progress._Line(lambda: "run 1 of 2: " + "long " * 40))
    (line,) = console.render_lines(status.renderable)
    shown = "".join(segment.text for segment in line)
    assert shown[2:].startswith("run 1 of 2: long") and shown.rstrip().endswith("…")


def test_of_a_log_it_is_said_how_much_is_read_and_which_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """300 of 1,200 events in 10 s: the other 900 take 30. How often a log is read nobody knows."""
    watched = Watched(monkeypatch)
    read = Read(1200, "verifying")
    assert read() == "verifying"
    read.more(0, 100)  # how long the first took is not known: its reading begins with it
    watched.pass_seconds(10)
    read.more(100, 200)
    assert read() == "verifying: 25% of the events, about 30 s left"
    read.more(300, 900)
    assert read() == "verifying: 100% of the events"
    read.more(0, 600)
    assert read() == "verifying, reading 2: 50% of the events, about 0 s left"


def read_once(log: EventLog, policy: str) -> str:
    for _ in log.segments():
        pass
    return "read"


def test_replays_on_all_cores_tell_what_each_has_read(cycles: Path) -> None:
    told: list[int] = []
    with EventLog.open(cycles) as log:
        garbage_of(log)  # what comes before them
        log.on_read = lambda first, number: told.append(number)
        assert list(on_all_cores(log, ["never", "manual"], read_once)) == ["read", "read"]
        assert sum(told) == 2 * log.event_count


def test_a_log_tells_what_of_it_was_read(cycles: Path) -> None:
    told: list[tuple[int, int]] = []
    with EventLog.open(cycles) as log:
        log.on_read = lambda first, number: told.append((first, number))
        verify(log)
        assert (0, log.event_count) in told  # all of its one segment


def test_a_run_that_reads_a_log_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, cycles: Path
) -> None:
    """A quarter in 10 s: 30 s are left of it, and the next takes 40 as well; then it is known."""
    watched = Watched(monkeypatch)
    runs = Runs("replay", 2)
    with EventLog.open(cycles) as log:
        quarter = log.event_count / 4
        with runs.one("a", log):
            assert watched.line() == "replay 1 of 2: a"
            assert log.on_read is not None
            log.on_read(0, 0)
            watched.pass_seconds(10)
            log.on_read(1, quarter)  # type: ignore[arg-type]
            assert watched.line() == "replay 1 of 2, 25% of the events, about 70 s left: a"
            watched.pass_seconds(30)
        with runs.one("b", log):
            log.on_read(0, 0)
            watched.pass_seconds(5)
            log.on_read(1, 2 * quarter)  # type: ignore[arg-type]
            assert watched.line() == "replay 2 of 2, 50% of the events, about 5 s left: b"
        assert log.on_read is None


def test_of_two_logs_the_readings_are_counted_together(
    monkeypatch: pytest.MonkeyPatch, cycles: Path
) -> None:
    watched = Watched(monkeypatch)
    with EventLog.open(cycles) as one, EventLog.open(cycles) as two:
        with reading(one, "replaying both", two):
            for log in (one, two):
                assert log.on_read is not None
                log.on_read(0, log.event_count)
            assert watched.line() == "replaying both, reading 2: 100% of the events"
        assert one.on_read is None and two.on_read is None


def test_a_step_of_a_search_is_made_of_readings_that_go_on_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two replays of 1,000 events: 100 and 400 are a quarter of them, in 6 s."""
    watched = Watched(monkeypatch)
    steps = Steps(1000, lambda: "40 settings tried")
    assert steps() == "40 settings tried"
    steps.begin("replaying 2", 2)
    watched.pass_seconds(6)
    steps.more(0, 100)
    steps.more(0, 400)
    assert steps() == "40 settings tried: replaying 2: 25%, about 18 s left"
    steps.begin("replaying 3", 3)
    assert steps() == "40 settings tried"


def test_the_time_left_is_that_of_the_references_that_were_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first of 4 took 10 s, so the other three take 30."""
    watched = Watched(monkeypatch)
    tries = Tries(4)
    assert tries() == "looking for references to cut"
    tries.begin(1, 1, 4, "Line.order")
    assert tries() == "cut 1 of at most 4: trying reference 1 of 4: Line.order"
    watched.pass_seconds(10)
    tries.begin(1, 2, 4, "Order.lines")
    assert tries() == ("cut 1 of at most 4: trying reference 2 of 4, about 30 s left: Order.lines")
