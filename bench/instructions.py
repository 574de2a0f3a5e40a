"""How many instructions the ingest takes for an event: no other load changes that."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tables import section, show, table
from workloads import BUILD, EMPTY, VALGRIND, Workloads, chosen, counted, options

from gcreplay.store import EventLog

NOTE = (
    "What valgrind counts in `gcreplay recover` of a spool, which reads and writes all that the "
    "recorder does beside the program, less the same of `-c pass`."
)


@dataclass(frozen=True, slots=True)
class Taken:
    """Instructions of the ingest of one spool, and the events it made."""

    instructions: int
    events: int


def taken(workloads: Workloads, program: Sequence[str]) -> Taken:
    spool, output = kept_spool(workloads, program), BUILD / "recovered.gcreplay"
    gcreplay = workloads.gcreplay
    recover = [str(gcreplay.parent / "python"), str(gcreplay), "recover", str(spool)]
    command = [*VALGRIND, *recover, "-o", str(output), "--force"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    with EventLog.open(output) as log:
        return Taken(counted(done.stderr), log.event_count)


def kept_spool(workloads: Workloads, program: Sequence[str]) -> Path:
    """The spool of a recording, which a second name keeps."""
    path, kept = BUILD / "kept.gcreplay", BUILD / "kept.spool"
    spool = path.with_name(path.name + ".spool")
    for old in (path, spool, kept):
        old.unlink(missing_ok=True)
    with subprocess.Popen(
        workloads.recording_of(path, program),
        cwd=workloads.cwd,
        env=workloads.environment({}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as recorder:
        while not spool.exists() and recorder.poll() is None:
            time.sleep(0.01)
        os.link(spool, kept)
    return kept


def sections(workloads: Workloads, names: list[str]) -> Iterator[str]:
    title = f"Instructions of the ingest: recorded {workloads.how}"
    if shutil.which(VALGRIND[0]) is None:
        yield section(title, "Not counted: there is no valgrind here.")
        return
    start = taken(workloads, EMPTY)
    rows = {}
    for name in names:
        one = taken(workloads, [f"{name}.py"])
        each = (one.instructions - start.instructions) / (one.events - start.events)
        rows[name] = (one.instructions, one.events, each)
    yield section(
        title,
        NOTE,
        table(
            ["program", "instructions", "events", "an event"],
            [
                ["`-c pass`", f"{start.instructions:,}", f"{start.events:,}", ""],
                *([name, f"{n:,}", f"{m:,}", f"{each:.0f}"] for name, (n, m, each) in rows.items()),
                ["median", "", "", f"{median(each for _, _, each in rows.values()):.0f}"],
            ],
        ),
    )


if __name__ == "__main__":
    given = options(__doc__).parse_args()
    show(sections(*chosen(given)), given.output)
