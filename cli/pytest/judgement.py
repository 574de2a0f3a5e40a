"""Which test is over which of its limits, and how that is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from gcreplay.store.errors import GcreplayError
from gcreplay.store.log import EventLog

from .alone import Recorded
from .figures import Figures, figures, with_evidence
from .inside import unheard
from .limits import Limit, limits_of
from .stretches import Stretch
from .verdict import table, to_remember, verdict

_LAST = "gcreplay/last"


@dataclass(frozen=True, slots=True)
class _Crash:
    """What pytest asks of a failure for its short summary."""

    path: str
    lineno: int
    message: str


@dataclass(frozen=True, slots=True)
class Told:
    """A failure as reports hold it."""

    reprcrash: _Crash
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def toterminal(self, terminal: Any) -> None:
        for line in self.lines:
            terminal.line(line)


class Judgement:
    """Knows each test's report, and fails those whose figures are over a limit."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._calls: dict[str, pytest.TestReport] = {}
        self._found: list[Figures] = []
        self._judged: set[str] = set()
        self._notes: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self._calls[report.nodeid] = report

    def judge(self, session: pytest.Session, made: Sequence[Recorded]) -> None:
        """Read the recordings, and report each test that is over a limit."""
        lines: defaultdict[str, list[str]] = defaultdict(list)
        before = self._last()
        for recorded in made:
            if recorded.message:
                self._notes.append(f"the recording is not whole: {recorded.message}")
            try:
                with EventLog.open(recorded.path) as log:
                    self._judge_by(log, session, before, lines)
            except GcreplayError as error:
                self._notes.append(str(error))
        for test, told in lines.items():
            if told:
                self._fail(self._calls[test], told)
        self._remember(before)

    def _judge_by(
        self,
        log: EventLog,
        session: pytest.Session,
        before: dict[str, list[int]],
        lines: defaultdict[str, list[str]],
    ) -> None:
        """Add what is to be said of tests in this recording."""
        verbose = self._config.get_verbosity() > 0
        increase = self._config.getoption("gcreplay_fail_on_increase")
        every = figures(log)
        self._found += every
        asked = []
        for one in every:
            test = one.stretch.test
            report = self._calls.get(test)
            if report is None or not report.passed:
                continue
            self._judged.add(test)
            last = before.get(test) if increase and not one.stretch.part else None
            limits = self._limits(session, one.stretch, report)
            filtered = any(limit.filter_fn is not None for limit in limits.values())
            if filtered or verdict(one, limits, last, verbose=verbose):
                asked.append((one, limits, last))
        for known, (_, limits, last) in zip(
            with_evidence(log, [one for one, _, _ in asked]), asked, strict=True
        ):
            lines[known.stretch.test] += verdict(known, limits, last, verbose=verbose)

    def _limits(
        self, session: pytest.Session, stretch: Stretch, report: pytest.TestReport
    ) -> dict[str, Limit]:
        """Those of a part of a test were given with it, those of a test are in its report, but for
        functions."""
        if stretch.part:
            return {name: Limit(most) for name, most in stretch.limits.items()}
        told = getattr(report, "gcreplay", {})
        if any(filtered for _, filtered in told.values()):
            item = next(one for one in _collected(session) if one.nodeid == stretch.test)
            return limits_of(item)
        return {name: Limit(most) for name, (most, _) in told.items()}

    def _last(self) -> dict[str, list[int]]:
        """What each test came to in the last run in which it passed."""
        cache = getattr(self._config, "cache", None)
        return {} if cache is None else dict(cache.get(_LAST, {}))

    def _remember(self, before: dict[str, list[int]]) -> None:
        cache = getattr(self._config, "cache", None)
        passed = {name for name, report in self._calls.items() if report.passed}
        now = {
            one.stretch.test: to_remember(one)
            for one in self._found
            if one.stretch.test in passed and not one.stretch.part
        }
        if cache is not None:
            cache.set(_LAST, {**before, **now})

    def _fail(self, passed: pytest.TestReport, lines: list[str]) -> None:
        """In place of its report that it passed; the progress has been told, so the terminal only
        takes it into its summary."""
        file, line, _ = passed.location
        report = pytest.TestReport(
            nodeid=passed.nodeid,
            location=passed.location,
            keywords=passed.keywords,
            outcome="failed",
            longrepr=Told(_Crash(file, (line or 0) + 1, lines[0]), tuple(lines)),  # type: ignore[arg-type]
            when="call",
            sections=passed.sections,
            duration=passed.duration,
        )
        self._calls[passed.nodeid] = report
        terminal = self._config.pluginmanager.getplugin("terminalreporter")
        aside = [] if terminal is None else [terminal]
        if terminal is not None:
            before = terminal.stats.get("passed", [])
            terminal.stats["passed"] = [one for one in before if one is not passed]
            terminal._add_stats("failed", [report])
        call = self._config.pluginmanager.subset_hook_caller("pytest_runtest_logreport", aside)
        call(report=report)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self._found and not self._notes:
            return
        terminalreporter.section("cyclic garbage and leaks")
        # What a failed test made is kept by its traceback.
        broken = self._calls.keys() - self._judged
        told = [one for one in self._found if one.stretch.test not in broken]
        for line in [*table(told), *self._notes]:
            terminalreporter.line(line)


def _collected(session: pytest.Session) -> list[pytest.Item]:
    """The items of a session; where workers collected them, they are collected here only now."""
    if not session.items:
        terminal = session.config.pluginmanager.getplugin("terminalreporter")
        with unheard(terminal):
            session.perform_collect()
    return session.items
