"""A sweep of 200 settings against one replay, on a synthetic log of 10 million events.

The log is that of bench/engine.py. Both are read from the file, and both find the garbage first;
times are CPU seconds of the process, the least of interleaved runs, and only their ratio says
anything. Memory is the peak of a process of its own, with 10 settings and with 200.
`python bench/sweep.py [EVENTS]`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from engine import EVENTS, write

from gcreplay.replay.engine.annotation import garbage_with_heap
from gcreplay.replay.run import Replay
from gcreplay.replay.sweep.grid import grid
from gcreplay.replay.sweep.groups import groups_of
from gcreplay.replay.sweep.sweep import Sweep
from gcreplay.store import EventLog

SETTINGS = grid("100..100000:20", "5,10,20,35,50", "5,10")
POLICY = "cpython-3.11:2000,10,10"
TIMES = 3


def seconds(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


def replayed(log: EventLog) -> None:
    garbage_with_heap(log)
    Replay(log, POLICY).run()


def swept(log: EventLog, settings: int = len(SETTINGS)) -> tuple[str, ...]:
    return Sweep(log, SETTINGS[:settings]).run().inexact


def peak_of(path: Path, settings: int) -> float:
    """Peak memory in MB of a process that sweeps so many settings."""
    code = (
        "import re, sys; sys.path.insert(0, sys.argv[3]); from sweep import swept; "
        "from gcreplay.store import EventLog; "
        "swept(EventLog.open(sys.argv[1]), int(sys.argv[2])); "
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    command = [sys.executable, "-c", code, str(path), str(settings), str(Path(__file__).parent)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout) / 1024


def main(events: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.gcreplay"
        write(path, events)
        with EventLog.open(path) as log:
            replays, sweeps, groups = [], [], []
            for _ in range(TIMES):
                replays.append(seconds(lambda: replayed(log)))
                sweeps.append(seconds(lambda: swept(log)))
                groups.append(seconds(lambda: groups_of(log)))
            one = min(replays)
            alone = seconds(lambda: Replay(log, POLICY).run())
            print(f"{log.event_count:,} events, {log.object_count:,} objects, CPU time")
            print(f"one replay, garbage found before {one:10.2f} s")
            print(f"one replay alone                 {alone:10.2f} s")
            print(
                f"{len(SETTINGS)} settings in one pass         {min(sweeps):10.2f} s, "
                f"of it {min(groups):.2f} s before the pass"
            )
            print(f"ratio {min(sweeps) / one:.2f}, to the replay alone {min(sweeps) / alone:.2f}")
            print(f"inexact: {', '.join(swept(log, 10)) or 'no'}")
        small, large = peak_of(path, 10), peak_of(path, len(SETTINGS))
        print(f"peak memory: 10 settings {small:.0f} MB, {len(SETTINGS)} {large:.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)
