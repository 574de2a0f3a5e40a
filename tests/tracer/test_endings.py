"""However a program ends, it ends as without a recording, and the recording stays readable."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from recording import BARE, FIXED, checked, run_plain, run_recorded

from gcreplay.replay.garbage import cycles
from gcreplay.replay.leaks import leaks
from gcreplay.store.events import SEGMENT_EVENTS
from gcreplay.store.log import EventLog
from gcreplay.tracer import RecordOptions, RecordProgress, record, recover
from gcreplay.tracer.ingest import SpoolIngest

WAITS = """
import time
for _ in range(1200): time.sleep(0.05)  # a signal right before a sleep is handled after it
"""
GARBAGE = """
class Node: pass
def make(n):
    for _ in range(n):
        a = Node()
        a.me = a
make(3000)
print("made", flush=True)
"""
UNSAID = "the program ended without the interpreter's shutdown (os._exit or os.exec)"
ENDINGS = {
    "runs out": ("", ""),
    "sys.exit": ("import sys; sys.exit(3)", ""),
    "sys.exit with words": ("import sys; sys.exit('why')", ""),
    "SystemExit in a thread": (
        "import sys, threading; threading.Thread(target=sys.exit, args=(5,)).start()",
        "",
    ),
    "uncaught": ("def f(n): return f(n - 1) if n else 1 / 0\nf(20)", ""),
    "uncaught group": ("raise ExceptionGroup('two', [ValueError(1), KeyError(2)])", ""),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", ""),
    "atexit": (
        "import atexit; atexit.register(make, 3000); atexit.register(print, 'last')\n"
        "import operator; atexit.register(operator.truediv, 1, 0)",
        "",
    ),
    "finalizers at the end": (
        "class D:\n    def __del__(self): make(800); print('gone')\nd = D(); e = D(); e.me = e",
        "",
    ),
    "a daemon thread runs on": (
        "import threading\nthreading.Thread(target=make, args=(10**9,), daemon=True).start()",
        "",
    ),
    "os._exit": ("import os; os._exit(7)", UNSAID),
    "os.abort": ("import os; os.abort()", "SIGABRT ended the program"),
    "SIGTERM": (
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "SIGTERM ended the program",
    ),
    "SIGKILL": (
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "SIGKILL ended the program",
    ),
    "SIGSEGV": ("import ctypes; ctypes.string_at(0)", "SIGSEGV ended the program"),
    "exec": (
        "import os, sys; sys.stdout.flush()\n"
        "os.execv(sys.executable, [sys.executable, '-c', 'print([]); raise SystemExit(9)'])",
        UNSAID,
    ),
    "SIGTERM handled": (
        "import os, signal\n"
        "signal.signal(signal.SIGTERM, lambda *_: (make(100), print('handled')))\n"
        "os.kill(os.getpid(), signal.SIGTERM)",
        "",
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_the_end_is_the_programs(tmp_path: Path, name: str) -> None:
    code, why = ENDINGS[name]
    complete = not why
    (tmp_path / "program.py").write_text(GARBAGE + code)
    environment = {"PYTHONFAULTHANDLER": ""}
    plain = run_plain(tmp_path, "program.py", environment=environment)
    recorded = run_recorded(tmp_path, "program.py", environment=environment)
    assert recorded.ran == plain
    assert recorded.summary.complete == complete, recorded.summary.message
    assert recorded.summary.message == (why and f"{why}; everything before is recorded")
    assert checked(recorded.path).recorded >= 4  # 3000 cycles: one collection each 701
    with EventLog.open(recorded.path) as log:
        assert (log.meta["complete"], log.meta["exit_code"] % 256) == (
            complete,
            (recorded.summary.signal and 256 - recorded.summary.signal) or plain.exit_code,
        )
    assert [path.name for path in tmp_path.glob("run.*")] == ["run.gcreplay"]


def test_what_is_let_go_behind_the_last_collection_is_garbage(tmp_path: Path) -> None:
    """20 cycles, too few for a collection: the end probes them once more."""
    (tmp_path / "program.py").write_text(GARBAGE.replace("3000", "20"))
    recorded = run_recorded(tmp_path, "program.py", python=BARE)
    assert checked(recorded.path).recorded == 0
    with EventLog.open(recorded.path) as log:
        (group,) = [one for one in cycles(log).groups if "__main__.Node" in one.types]
        assert group.count == 20
        assert "__main__.Node" not in {kind.type for kind in leaks(log).kinds}


def test_ctrl_c_reaches_the_program_and_the_recorder_writes_the_end(tmp_path: Path) -> None:
    code = """
import time
try:
    while True:
        time.sleep(0.05)
except KeyboardInterrupt:
    make(3000)
    print("interrupted", flush=True)
    raise SystemExit(42)
"""
    (tmp_path / "program.py").write_text(GARBAGE + code)
    with started(tmp_path, "program.py") as recorder:
        assert recorder.stdout.readline() == "made\n"
        time.sleep(0.2)  # the handler is Python's own, but the loop must be entered
        os.killpg(recorder.pid, signal.SIGINT)
        out, err = recorder.communicate(timeout=60)
    assert (recorder.returncode, out) == (42, "interrupted\n"), err
    assert "Traceback" not in err
    assert checked(tmp_path / "program.gcreplay").recorded >= 8


def test_an_unhandled_ctrl_c_is_reported_like_a_shell_does(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(GARBAGE + WAITS)
    with started(tmp_path, "program.py") as recorder:
        assert recorder.stdout.readline() == "made\n"
        time.sleep(0.2)
        os.killpg(recorder.pid, signal.SIGINT)
        _, err = recorder.communicate(timeout=60)
    assert recorder.returncode == 128 + signal.SIGINT
    assert err.count("Traceback") == 1  # the program's own
    checked(tmp_path / "program.gcreplay")


def test_sigterm_to_the_recorder_leaves_program_and_recording_whole(tmp_path: Path) -> None:
    """A service manager ends the command: the program gets the signal, and the end is written."""
    (tmp_path / "program.py").write_text(GARBAGE + WAITS)
    with started(tmp_path, "program.py") as recorder:
        assert recorder.stdout.readline() == "made\n"
        recorder.terminate()
        recorder.communicate(timeout=60)
    assert recorder.returncode == 128 + signal.SIGTERM
    assert checked(tmp_path / "program.gcreplay").recorded >= 4
    assert not (tmp_path / "program.gcreplay.spool").exists()


def started(folder: Path, *argv: str) -> subprocess.Popen[str]:
    """`gcreplay record` in a process group of its own, as a shell starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "gcreplay", "record", *argv],
        cwd=folder,
        env={**os.environ, **FIXED},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_progress_cuts_no_segments(tmp_path: Path) -> None:
    """What is said meanwhile is known without the log, which would write what it buffers."""
    program = f"{GARBAGE}\nimport time\nfor _ in range(5): time.sleep(0.1); make(2500)"
    said: list[RecordProgress] = []
    options = RecordOptions(tmp_path / "a.gcreplay", ["-c", program], stdout=subprocess.DEVNULL)
    summary = record(options, said.append)
    assert summary.complete
    assert 0 < said[-1].objects <= summary.objects
    assert 0 < said[-1].events <= summary.events < SEGMENT_EVENTS
    with EventLog.open(summary.output) as log:
        assert len(log.segment_table) == 1


def test_the_recorder_outlives_whatever_goes_wrong_while_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program is waited for, its exit code told, and the spool kept."""

    def broken(self: SpoolIngest) -> bool:
        raise IndexError("list index out of range")

    monkeypatch.setattr(SpoolIngest, "step", broken)
    (tmp_path / "program.py").write_text(f"{GARBAGE}\nraise SystemExit(5)")
    done = run_recorded(tmp_path, "program.py")
    assert (done.ran.exit_code, done.out) == (5, "made\n")
    assert not done.summary.complete
    assert "could not be read (IndexError" in done.summary.message
    assert done.summary.message.endswith("run.gcreplay.spool")
    monkeypatch.undo()
    recovered = recover(tmp_path / "run.gcreplay.spool", tmp_path / "run.gcreplay")
    assert recovered.complete
    assert checked(recovered.output).recorded >= 4
