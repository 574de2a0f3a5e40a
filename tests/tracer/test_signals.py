"""Requests to end the recorder: while the program runs they are the program's, then its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from recording import FIXED, checked

from gcreplay.store.log import EventLog
from gcreplay.store.rules.validate import validate
from gcreplay.tracer import recover

PROGRAM = """
import gc
class Node: pass
for i in range(20_000):
    a = Node()
    a.me = a
    if i % 500 == 0:
        gc.collect()  # what a full probe has seen is final
"""
LAGGING = """
import os, signal, sys, time
from gcreplay.main import cli
from gcreplay.tracer import ingest

ingest.BATCH_EVENTS = 1000
take = ingest.SpoolIngest.step
steps = 0

def step(self):
    "The first one waits for the program's end, the third one is told to end itself."
    global steps
    steps += 1
    while steps == 1 and not self._spool.pid:
        time.sleep(0.01)
    if steps == 1:
        os.waitid(os.P_PID, self._spool.pid, os.WEXITED | os.WNOWAIT)
    if steps == 3:
        signal.raise_signal(int(sys.argv.pop()))
    return take(self)

signal.signal(signal.SIGINT, signal.default_int_handler)
ingest.SpoolIngest.step = step
cli(sys.argv[1:-1])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_recorder_that_lags_behind_the_program_can_be_ended(
    tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM + "raise SystemExit(7)")
    done = subprocess.run(
        [sys.executable, "-c", LAGGING, "record", "program.py", str(int(number))],
        cwd=tmp_path,
        env={**os.environ, **FIXED},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 128 + number, done.stderr
    (line,) = done.stderr.splitlines()
    assert f"{number.name} ended the recorder" in line
    assert line.endswith("gcreplay recover program.gcreplay.spool")
    output, left = tmp_path / "program.gcreplay", tmp_path / "program.gcreplay.spool"
    with EventLog.open(output) as log:
        assert (log.meta["complete"], log.meta["exit_code"]) == (False, 7)
        validate(log)
        written = log.event_count
    assert 0 < written < 60_000
    summary = recover(left, output)  # no --force: it replaces what it continues
    assert summary.complete
    assert summary.events > 60_000  # birth, link and loss of each
    assert checked(output).recorded >= 20_000 // 701
    with EventLog.open(output) as log:
        assert log.meta["exit_code"] == 7


def test_the_program_gets_every_sigterm_while_it_runs(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import signal, sys\n"
        "seen = []\n"
        "def told(number, frame):\n"
        "    seen.append(number)\n"
        "    print(len(seen), flush=True)\n"
        "    if len(seen) == 3: sys.exit(5)\n"
        "signal.signal(signal.SIGTERM, told)\n"
        "print(0, flush=True)\n"
        "while True: signal.pause()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", "gcreplay", "record", "program.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as recorder:
        assert recorder.stdout is not None
        for count in range(3):
            assert recorder.stdout.readline() == f"{count}\n"
            recorder.terminate()
        out, err = recorder.communicate(timeout=60)
    assert (recorder.returncode, out) == (5, "3\n"), err
    with EventLog.open(tmp_path / "program.gcreplay") as log:
        assert log.meta["complete"]
