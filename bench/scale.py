"""What an event costs in recordings of growing length, and what a live object takes."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tables import bar, section, show, table
from workloads import BENCH, BUILD, EMPTY, Workloads, options

from gcreplay.store import EventLog

PROGRAM = str(BENCH / "steady.py")
STAYING = 100_000
ROUNDS = {"10 million": 600_000, "30 million": 1_800_000, "100 million": 6_000_000}
SPREAD = 1.2
LIVE = 2_000_000
LIVE_ROUNDS = 1_000_000
LIVE_BYTES = 300
EVERY_SECONDS = 0.05
NOTE = (
    "One program (`bench/steady.py`) with more and more rounds, recorded at the defaults: CPU "
    "of program and recorder together, of the recorder, and wall time of the whole command, each "
    "less what `-c pass` takes and divided by the events of the recording. Memory: the same "
    "program with two million objects that stay, the most that the recorder held that is no file's."
)


@dataclass(frozen=True, slots=True)
class PerEvent:
    """Nanoseconds an event, of a recording with so many."""

    events: int
    both: float
    recorder: float
    wall: float


def per_event(workloads: Workloads, rounds: int) -> PerEvent:
    start = workloads.cost_recorded(EMPTY)
    cost = workloads.cost_recorded([PROGRAM, str(STAYING), str(rounds)])
    with EventLog.open(BUILD / "cost.gcreplay") as log:
        events = log.event_count
    ns = 1e9 / events
    return PerEvent(
        events,
        (cost.both - start.both) * ns,
        (cost.both - cost.cpu - start.both + start.cpu) * ns,
        (cost.wall - start.wall) * ns,
    )


def most_held(workloads: Workloads) -> int:
    """Bytes that the recorder holds at most."""
    command = workloads.recording_of(
        BUILD / "held.gcreplay", [PROGRAM, str(LIVE), str(LIVE_ROUNDS)]
    )
    most = 0
    with subprocess.Popen(
        command, env=workloads.environment({}), stderr=subprocess.DEVNULL
    ) as recorder:
        while recorder.poll() is None:
            most = max(most, _held(recorder.pid))
            time.sleep(EVERY_SECONDS)
    if recorder.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return most


def _held(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return 1024 * int(line.split()[1])
    return 0


def sections(workloads: Workloads) -> Iterator[str]:
    measured = {name: per_event(workloads, rounds) for name, rounds in ROUNDS.items()}
    both = [one.both for one in measured.values()]
    spread, held = max(both) / min(both), most_held(workloads) / LIVE
    yield section(
        "Scale: what an event costs, and a live object",
        NOTE,
        table(
            ["events", "exactly", "CPU of both, ns", "CPU of the recorder, ns", "wall, ns"],
            [
                [name, f"{one.events:,}", *(f"{v:.0f}" for v in (one.both, one.recorder, one.wall))]
                for name, one in measured.items()
            ],
        ),
        "\n".join(
            [
                bar("CPU of both an event within 20 %", spread <= SPREAD, f"{spread:.2f}"),
                bar(f"at most {LIVE_BYTES} bytes a live object", held <= LIVE_BYTES, f"{held:.0f}"),
            ]
        ),
    )


if __name__ == "__main__":
    given = options(__doc__).parse_args()
    show(sections(Workloads(given.workloads, given.venv)), given.output)
