"""The runs of a program under `prove`: all get the same input and must end in the same way."""

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import IO, Final

from gcreplay.screen.output import say
from gcreplay.screen.progress import Runs, begin_a_line
from gcreplay.store import EventLog
from gcreplay.store.errors import GcreplayError, UsageError
from gcreplay.store.place import new_database, other_kind
from gcreplay.tracer import Plan, RealOptions, RealRun, RealRunner, RecordOptions, record

LAST_LINES: Final = 40
LAST_BYTES: Final = 1 << 16


class ProvedProgram:
    """A program, what stands on its standard input, and the exit code that it is to end with."""

    def __init__(
        self, argv: Sequence[str], python: str | None, stdin: int, exit_code: int, runs: Runs
    ) -> None:
        self._argv = list(argv)
        self._runner = RealRunner(python)
        self._stdin = stdin
        self._exit_code = exit_code
        self._runs = runs

    def record(self, options: RecordOptions) -> None:
        """Record it, with its output on our standard error; raises GcreplayError."""
        self._runs.pass_by("recording")
        summary = record(options)
        begin_a_line()
        if summary.signal == signal.SIGINT:  # Ctrl-C, which the recorder leaves to the program
            raise KeyboardInterrupt
        if not summary.complete:
            raise GcreplayError(f"the program could not be recorded to its end: {summary.message}")
        self._check_recorded(summary.exit_code)

    def check(self, log: EventLog) -> None:
        """Raises GcreplayError where the recorded run ended in another way."""
        code = log.meta.get("exit_code")
        if isinstance(code, int):
            self._check_recorded(128 - code if code < 0 else code)
        recorded = log.meta.get("argv")
        if isinstance(recorded, list) and _names(recorded) != _names(self._argv):
            say(
                f"{log.path} is a recording of `{shlex.join(map(str, recorded))}`, and what is "
                f"really run is `{shlex.join(self._argv)}`: unless they are the same program, the "
                f"errors say nothing"
            )

    def _check_recorded(self, code: int) -> None:
        if code != self._exit_code:
            raise GcreplayError(
                f"the program ended with exit code {code} when it was recorded, so nothing is "
                f"predicted of it; where it is meant to end so, give --exit-code {code}"
            )

    def run(self, policy: str, plan: Plan, *, sizes: bool = True) -> RealRun:
        """Really run it; what it said last is said again where that fails with GcreplayError."""
        os.lseek(self._stdin, 0, os.SEEK_SET)
        with tempfile.TemporaryFile() as errors:
            options = RealOptions(
                self._argv,
                plan,
                sizes=sizes,
                stdin=self._stdin,
                stdout=subprocess.DEVNULL,
                stderr=errors.fileno(),
            )
            try:
                with self._runs.one(policy if sizes else f"{policy}, its pauses"):
                    run = self._runner.run(options)
                self._check(run, policy)
            except GcreplayError:
                _repeat(errors)
                raise
        if run.missed:
            say(f"{policy}: {run.missed} collections of a real run were not seen")
        return run

    def _check(self, run: RealRun, policy: str) -> None:
        if run.exit_code != self._exit_code:
            raise GcreplayError(
                f"a real run under {policy} ({self._runs.now}) ended with exit code "
                f"{run.exit_code}, the recorded one with {self._exit_code}, so nothing is compared"
            )
        if not run.complete:
            raise GcreplayError(
                f"a real run under {policy} ({self._runs.now}) has no figures to its end: "
                f"{run.message}"
            )


@contextlib.contextmanager
def recording_at(trace: Path | None, output: Path | None, force: bool) -> Iterator[Path]:
    """The recording to predict from: a given one, one to keep, or one for now."""
    if trace is not None:
        yield trace
    elif output is not None:
        new_database(output, force=force)
        yield output
    else:
        with tempfile.TemporaryDirectory(prefix="gcreplay-") as folder:
            yield Path(folder, "recording.gcreplay")


@contextlib.contextmanager
def input_of(given: Path | None) -> Iterator[int]:
    """What every run reads."""
    if given is not None and (kind := other_kind(given)) is not None:
        raise UsageError(f"--input {given} is a {kind}: every run reads it anew, so give a file")
    with Path(given or os.devnull).open("rb") as file:
        yield file.fileno()


def own_ns_of(runs: Sequence[RealRun]) -> int | None:
    """CPU time that the program takes for itself, the least of the runs."""
    return min((run.own_cpu_ns for run in runs if run.own_cpu_ns is not None), default=None)


def _names(argv: Sequence[object]) -> list[str]:
    """A command line without its folders: one program is called from several."""
    return [PurePath(str(word)).name for word in argv]


def _repeat(errors: IO[bytes]) -> None:
    """The last lines of what a program wrote to its standard error."""
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - LAST_BYTES))
    lines = errors.read().decode(errors="backslashreplace").splitlines()
    if size > LAST_BYTES or len(lines) > LAST_LINES:
        lines = ["...", *lines[-LAST_LINES:]]
    for line in lines:
        say(line)
