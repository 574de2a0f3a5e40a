"""Run a program with and without a recording, and look at what came of it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gcreplay.replay.results.verify import VerifyResult, verify
from gcreplay.store.events import REPAIR_LABELS, Op
from gcreplay.store.log import EventLog
from gcreplay.store.rules.validate import validate
from gcreplay.tracer import RealOptions, RealRun, RecordOptions, RecordSummary, record, run_real

BARE: str = sys._base_executable  # type: ignore[attr-defined]
"""The interpreter outside the virtual environment: nothing but itself runs at start-up."""

FIXED: Mapping[str, str] = {"PYTHONHASHSEED": "0"}
"""Two runs of one program differ unless strings hash the same."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process gave: its exit code as a shell tells it, and what it printed."""

    exit_code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded run: what the program gave, how the recording ended, and where it is."""

    ran: Ran
    summary: RecordSummary

    @property
    def out(self) -> str:
        return self.ran.out

    @property
    def lines(self) -> list[str]:
        return self.ran.out.splitlines()

    @property
    def path(self) -> Path:
        return self.summary.output


def run_plain(
    folder: Path,
    *argv: str,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
    python: str | None = None,
) -> Ran:
    """The program as it is without gcreplay."""
    done = subprocess.run(
        [python or sys.executable, *argv],
        cwd=folder,
        env={**os.environ, **FIXED, **(environment or {})},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    code = done.returncode
    return Ran(128 - code if code < 0 else code, done.stdout, done.stderr)


def run_recorded(
    folder: Path,
    *argv: str,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
    output: str | Path = "run.gcreplay",
    granularity: int = 0,
    full_probe: int = 0,
    probe_budget: int = 0,
    labels: bool = False,
    spool_limit: int | None = None,
    python: str | None = None,
) -> Recorded:
    """The same program, recorded."""
    options = RecordOptions(
        output=folder / output,
        argv=list(argv),
        python=python,
        granularity=granularity,
        full_probe=full_probe,
        probe_budget=probe_budget,
        labels=labels,
        force=True,
        spool_limit=spool_limit,
        environment={**FIXED, **(environment or {})},
    )
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(stdin.encode())
        given.seek(0)
        with contextlib.chdir(folder), _streams(given.fileno(), out.fileno(), err.fileno()):
            summary = record(options)
        texts = [
            os.pread(file.fileno(), file.seek(0, os.SEEK_END), 0).decode() for file in (out, err)
        ]
    return Recorded(Ran(summary.exit_code, *texts), summary)


def run_measured(folder: Path, *argv: str, python: str | None = None) -> tuple[Ran, RealRun]:
    """The same program, measured under no setting but its own."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        options = RealOptions(
            list(argv),
            python=python,
            environment=dict(FIXED),
            directory=folder,
            stdout=out.fileno(),
            stderr=err.fileno(),
        )
        run = run_real(options)
        texts = [
            os.pread(file.fileno(), file.seek(0, os.SEEK_END), 0).decode() for file in (out, err)
        ]
    return Ran(run.exit_code, *texts), run


def recorded_code(
    folder: Path,
    code: str,
    *,
    python: str | None = None,
    granularity: int = 0,
    full_probe: int = 0,
    probe_budget: int = 0,
) -> Recorded:
    """Record a program given as text and check the recording as `checked` does."""
    (folder / "program.py").write_text(code)
    done = run_recorded(
        folder,
        "program.py",
        python=python,
        granularity=granularity,
        full_probe=full_probe,
        probe_budget=probe_budget,
    )
    assert done.ran.exit_code == 0, done.ran.err
    assert done.summary.complete, done.summary.message
    checked(done.path)
    return done


def checked(path: Path) -> VerifyResult:
    """The recording is valid, and its replay makes the collections that were really made."""
    with EventLog.open(path) as log:
        validate(log)
        result = verify(log)
        assert result.equal, result
        assert result.repairs["missed_collection"] == 0
        assert marked(log) == {kind: result.repairs[kind] for kind in REPAIR_LABELS}
        return result


def marked(log: EventLog) -> dict[str, int]:
    """How many events a recording marks as each kind of repair: one for each that it counts."""
    op, _, _, label = log.events().columns()
    ops = {"stale_link": Op.UNLINK, "hold": Op.INCREF}
    return {
        kind: int(((op == ops.get(kind, Op.DECREF)) & (label == log.labels.index(text))).sum())
        for kind, text in REPAIR_LABELS.items()
    }


def checked_places(path: Path) -> None:
    """As `checked`, but for the numbers collected: where finalizers saved objects or broke cycles,
    no log can say so in advance and a replay collects what they kept from the collector."""
    with EventLog.open(path) as log:
        validate(log)
        seen = verify(log)
    assert seen.recorded == seen.replayed == seen.position_equal == seen.generation_equal > 3, seen


def collections(path: Path) -> list[tuple[str, int, int]]:
    """(cause, generation, collected) of each collection the interpreter made."""
    with EventLog.open(path) as log:
        return [(seen.cause, seen.generation, seen.collected) for seen in log.observed]


@contextlib.contextmanager
def _streams(*files: int) -> Iterator[None]:
    """Files in place of this process's standard streams, as a child inherits them."""
    with contextlib.ExitStack() as stack:
        for number, file in enumerate(files):
            saved = os.dup(number)
            stack.callback(os.close, saved)
            stack.callback(os.dup2, saved, number)
            os.dup2(file, number)
        yield
