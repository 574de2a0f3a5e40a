"""Run a program plainly and recorded; what it gave has to be the same, the recording sound."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from outcome import Outcome, failed, passed
from places import GCREPLAY

TIMES = re.compile(r"\b\d+\.\d+s\b")
FREE_LIST = re.compile(r"\d+ free \S*\s?Py\w+")
OWN_LINE = re.compile(r"^gcreplay: .*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ran:
    """A process that has ended."""

    code: int
    out: str
    err: str


def run(command: list[str], folder: Path, environment: Mapping[str, str]) -> Ran:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": "0", **environment},
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def told_by_unittest(ran: Ran) -> str:
    """What a test run comes to: its last lines, without the time it took."""
    lines = [line for line in TIMES.sub("", ran.err).splitlines() if line]
    return f"{ran.code} " + " ".join(lines[-2:])


def told_with_free_lists(ran: Ran) -> str:
    """What it printed, and of sys._debugmallocstats() what the free lists hold."""
    return f"{ran.code}\n{ran.out}\n" + "\n".join(FREE_LIST.findall(ran.err))


def all_of_it(ran: Ran) -> str:
    return f"{ran.code}\n{ran.out}\n{ran.err}"


def compared(
    name: str, python: Path, argv: list[str], folder: Path, told: Callable[[Ran], str] = all_of_it
) -> Outcome:
    """Plain and recorded, held against each other; the recording validated and verified."""
    recording = folder / f"{name}.gcreplay"
    record = [str(GCREPLAY), "record", "--force", "-o", str(recording), "--python", str(python)]
    plain = run([str(python), *argv], folder, {})
    recorded = run([*record, *argv], folder, {})
    own = "".join(OWN_LINE.findall(recorded.err)[-1:]).strip()
    recorded = Ran(recorded.code, recorded.out, OWN_LINE.sub("", recorded.err))
    if told(plain) != told(recorded):
        (folder / f"{name}.plain").write_text(all_of_it(plain))
        (folder / f"{name}.recorded").write_text(all_of_it(recorded))
        return failed(name, f"{told(recorded)[-200:]!r} instead of {told(plain)[-200:]!r}")
    verified = run([str(GCREPLAY), "verify", "--format", "json", str(recording)], folder, {})
    if not verified.out:
        return failed(name, f"{recording.name} is no sound recording: {verified.err.strip()}")
    cut = own.partition("cut short: ")[2]
    return passed(name, figures(verified) + (f"; cut short: {cut}" if cut else ""))


def figures(verified: Ran) -> str:
    """What `verify` says, in short; it is no condition where programs play with finalizers."""
    seen = json.loads(verified.out)
    return (
        f"{seen['recorded']} collections, replayed equal: position {seen['position_equal']}, "
        f"generation {seen['generation_equal']}, collected {seen['collected_equal']}"
    )
