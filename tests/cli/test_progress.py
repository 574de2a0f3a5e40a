"""Signs of life: which run is under way, how long the rest takes."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from gcreplay.replay import verify
from gcreplay.screen import progress
from gcreplay.screen.progress import Read, Runs, time_left
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
    def _working(self, what: Callable[[], str], patience: float) -> Iterator[None]:
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


def test_a_log_tells_what_of_it_was_read(cycles: Path) -> None:
    told: list[tuple[int, int]] = []
    with EventLog.open(cycles) as log:
        log.on_read = lambda first, number: told.append((first, number))
        verify(log)
        assert (0, log.event_count) in told  # all of its one segment
