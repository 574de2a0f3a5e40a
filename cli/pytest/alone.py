"""A session in one recorded process: the same command line, its reports passed on as they come."""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TextIO

import pytest

from gcreplay.store.errors import GcreplayError
from gcreplay.tracer import RecordOptions, RecordSummary, record

from .plugin import INSIDE


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording, and why it is not whole; that is empty where it is."""

    path: Path
    message: str


def run_alone(session: pytest.Session, told: Path, kept: Path) -> Recorded:
    """Run the session's tests in a recorded process. Raises UsageError, or what ends a session."""
    config = session.config
    reports = told / "reports"
    reports.touch()
    options = RecordOptions(
        output=kept / "tests.gcreplay",
        argv=_command(config),
        environment={INSIDE: str(reports)},
        force=True,
    )
    with reports.open(encoding="utf-8") as file, _streams_of(config):
        replayed = _Reports(config, file)
        try:
            summary = record(options, lambda _: replayed.take())
        except GcreplayError as error:
            raise pytest.UsageError(f"--gcreplay: {error}") from None
        replayed.take()
    made = Recorded(options.output, "" if summary.complete else summary.message)
    if replayed.broken is not None:
        raise replayed.broken
    if replayed.running and summary.exit_code != pytest.ExitCode.INTERRUPTED:
        how = f"the recorded process ended in it, exit code {summary.exit_code}"
        _fail(session, f"{replayed.running}: {how}")
    _ended(session, summary)
    return made


def _ended(session: pytest.Session, summary: RecordSummary) -> None:
    """Raises what ends this session, if the recorded one did not end as the reports say."""
    code, failed = summary.exit_code, session.testsfailed
    if code == pytest.ExitCode.INTERRUPTED:
        raise session.Interrupted(str(session.shouldstop or "in the recorded process"))
    expected = pytest.ExitCode.TESTS_FAILED if failed else pytest.ExitCode.OK
    if code != expected and not session.shouldfail:
        _fail(session, f"the recorded pytest ended with exit code {code}")


def _fail(session: pytest.Session, why: str) -> NoReturn:
    session.shouldfail = why  # is told, what is raised is not
    raise session.Failed(why)


def _command(config: pytest.Config) -> list[str]:
    """What followed the interpreter when this session was started."""
    args = list(config.invocation_params.args)
    given = sys.orig_argv[1:]
    asked = bool(args) and given[-len(args) :] == args and sys.argv[1:] == args
    return given if asked else ["-m", "pytest", *args]


@contextlib.contextmanager
def _streams_of(config: pytest.Config) -> Iterator[None]:
    """The streams of this process are the recorded one's, in the folder where it was started."""
    capture = config.pluginmanager.getplugin("capturemanager")
    with contextlib.chdir(config.invocation_params.dir):
        if capture is not None:
            capture.suspend(in_=True)
        try:
            yield
        finally:
            if capture is not None:
                capture.resume()


class _Reports:
    """Tells the plug-ins of this session what the recorded one says.

    `broken`: what one of them raised; the recorder would not stop for it. `running`: the test that
    has begun and not ended.
    """

    def __init__(self, config: pytest.Config, file: TextIO) -> None:
        self._config = config
        self._file = file
        self._rest = ""
        self.broken: Exception | None = None
        self.running = ""

    def take(self) -> None:
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        for line in lines:
            try:
                self._tell(json.loads(line))
            except Exception as error:
                self.broken = self.broken or error

    def _tell(self, told: dict[str, Any]) -> None:
        hook, config = self._config.hook, self._config
        match told.pop("event"):
            case "start":
                self.running = told["nodeid"]
                hook.pytest_runtest_logstart(nodeid=told["nodeid"], location=_tuple(told))
            case "finish":
                self.running = ""
                hook.pytest_runtest_logfinish(nodeid=told["nodeid"], location=_tuple(told))
            case "report":
                data = told["report"]
                report = hook.pytest_report_from_serializable(config=config, data=data)
                hook.pytest_runtest_logreport(report=report)
            case "warning":
                file, line = told["file"]
                kind = _category(*told["category"])
                warning = warnings.WarningMessage(told["message"], kind, file, line)
                hook.pytest_warning_recorded.call_historic(
                    kwargs={
                        "warning_message": warning,
                        "when": "runtest",
                        "nodeid": told["nodeid"],
                        "location": _tuple(told),
                    }
                )


def _tuple(told: dict[str, Any]) -> Any:
    location = told["location"]
    return None if location is None else tuple(location)


def _category(module: str, name: str) -> type[Warning]:
    """The class of a warning, if it can be had here."""
    with contextlib.suppress(ImportError, AttributeError):
        kind = getattr(importlib.import_module(module), name)
        if isinstance(kind, type) and issubclass(kind, Warning):
            return kind
    return UserWarning
