"""In the process that the user started: it reports, and the recorded one runs the tests.

Without pytest-xdist that is one process with the same command line; with it, each worker is one.
Either way the session here is the one that tells, as the controller of pytest-xdist is.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from gcreplay.store.errors import GcreplayError
from gcreplay.tracer.interpreter import Interpreter

from .alone import Recorded, run_alone
from .judgement import Judgement
from .limits import limits_of
from .worker import found


class Outside:
    """Starts what is recorded, and judges the tests by the recordings when all have run."""

    def __init__(self, config: pytest.Config) -> None:
        try:
            Interpreter.find(None, os.environ)
        except GcreplayError as error:
            raise pytest.UsageError(f"--gcreplay: {error}") from None
        self._config = config
        self._judgement = Judgement(config)
        config.pluginmanager.register(self._judgement, "gcreplay-judgement")
        self._temporary = tempfile.TemporaryDirectory(prefix="gcreplay-pytest-")
        self._told = Path(self._temporary.name)
        self._kept = self._told
        self._made: list[Recorded] = []
        if (keep := config.getoption("gcreplay_keep")) is not None:
            self._kept = Path(config.invocation_params.dir, keep)
            try:
                self._kept.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise pytest.UsageError(f"--gcreplay-keep {keep}: {error.strerror}") from None

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, specs: list[Any]) -> None:
        """A worker's interpreter is one that records; a remote one stays as it is."""
        for spec in specs:
            if spec.popen:
                command = [spec.python or sys.executable, "-m", "gcreplay.pytest.worker"]
                spec.python = shlex.join([*command, str(self._told), str(self._kept)])

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            limits_of(item)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        try:
            ran = yield
        except (session.Failed, session.Interrupted):
            self._judge(session)
            raise
        self._judge(session)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        return ran

    def pytest_unconfigure(self) -> None:
        self._temporary.cleanup()

    def run(self, session: pytest.Session) -> None:
        """The whole session in one recorded process."""
        self._made = [run_alone(session, self._told, self._kept)]

    def _judge(self, session: pytest.Session) -> None:
        workers = self._config.pluginmanager.getplugin("dsession")
        if workers is not None:
            # Their recorders end when all is written; the recordings are whole then.
            workers.nodemanager.EXIT_TIMEOUT = None
            workers.nodemanager.teardown_nodes()
            self._made = found(self._told)
        if self._made:
            self._judgement.judge(session, self._made)


class Loop:
    """Runs the tests of a session without pytest-xdist: in the recorded process, not here."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        option = session.config.option
        broken = session.testsfailed and not option.continue_on_collection_errors
        if session.config.pluginmanager.hasplugin("dsession") or option.collectonly or broken:
            return None
        if session.items:
            self._outside.run(session)
        return True
