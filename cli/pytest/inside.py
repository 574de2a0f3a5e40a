"""In the recorded process: marks around each test, and its reports to whoever started it.

What this imports is imported in the program that is recorded. PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Generator, Iterator
from typing import Any, TextIO

import pytest

from gcreplay.blocks import mark

from .limits import limits_of

TEST, END, ALL = "test ", "end of test ", "end of all tests"
"""Marks: before the body of a test, behind it, and behind the last; each with the test's name."""


@contextlib.contextmanager
def unheard(terminal: Any) -> Iterator[None]:
    """What is told to pytest's terminal reporter, if there is one, goes nowhere."""
    if terminal is None:
        yield
        return
    file = terminal._tw._file
    with open(os.devnull, "w") as terminal._tw._file:  # noqa: PTH123
        yield
    terminal._tw._file = file


class Inside:
    """`reports`: a file for what the terminal is told there; none where pytest-xdist tells it."""

    def __init__(self, config: pytest.Config, reports: str) -> None:
        self._config = config
        self._open = contextlib.ExitStack()
        self._out: TextIO | None = None
        if reports:
            file = open(reports, "a", encoding="utf-8")  # noqa: PTH123, SIM115
            self._out = self._open.enter_context(file)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if self._out is not None:
            self._open.enter_context(unheard(reporter))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            limits_of(item)

    # The inner of all wrappers: what other plug-ins do around a test is not the test's.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        mark(TEST + item.nodeid)
        try:
            return (yield)
        finally:
            mark(END + item.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        mark(ALL)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        self._out = None
        self._open.close()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        report = yield
        if report.when == "call":
            limits = limits_of(item)
            report.gcreplay = {
                name: [limit.most, limit.filter_fn is not None] for name, limit in limits.items()
            }
        return report

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._tell("start", nodeid=nodeid, location=location)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._out is not None:
            hook = self._config.hook
            data = hook.pytest_report_to_serializable(config=self._config, report=report)
            self._tell("report", report=data)

    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._tell("finish", nodeid=nodeid, location=location)

    def pytest_warning_recorded(
        self,
        warning_message: Any,
        when: str,
        nodeid: str,
        location: tuple[str, int, str] | None,
    ) -> None:
        if when == "runtest":  # the others are seen outside, too
            kind = warning_message.category
            self._tell(
                "warning",
                nodeid=nodeid,
                location=location,
                message=str(warning_message.message),
                category=[kind.__module__, kind.__qualname__],
                file=[warning_message.filename, warning_message.lineno],
            )

    def pytest_internalerror(self, excrepr: object) -> None:
        if self._out is not None:
            print(excrepr, file=sys.stderr)

    def _tell(self, event: str, **values: object) -> None:
        if self._out is not None:
            self._out.write(json.dumps({"event": event, **values}, default=repr) + "\n")
            self._out.flush()
