"""What a shell or a service manager sees, and gives: as without recording."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from recording import FIXED, checked

from gcreplay.store.log import EventLog
from gcreplay.tracer import CannotRecord, RealOptions, recover, run_real
from gcreplay.tracer.program import start_program

COMMAND = [sys.executable, "-m", "gcreplay"]
RECORD = [*COMMAND, "record", "--force", "-o", "run.gcreplay"]
PATIENCE_SECONDS = 60

HEARD = [  # signals that stop make the kernel forget a SIGCONT that waits, and the other way round
    signal.SIGCONT,
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
    signal.SIGTERM,
    signal.SIGWINCH,
    signal.SIGRTMIN + 3,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
]
LISTENER = """
import os, signal, sys, time
def told(number, frame):
    print(number, flush=True)
    if number == signal.SIGURG: sys.exit(3)
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
    signal.signal(number, told)
print(os.getpid(), flush=True)
while True: time.sleep(0.02)
"""
WAITING = (
    "import os, sys; print(os.getpid(), flush=True); sys.stdin.readline(); print('on', flush=True)"
)


def started(folder: Path, code: str, **options: object) -> tuple[subprocess.Popen[str], int]:
    """A recorder in a process group of its own, and the process number that its program prints."""
    recorder: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload]
        [*RECORD, "-c", code],
        cwd=folder,
        env={**os.environ, **FIXED},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        **options,
    )
    assert recorder.stdout is not None
    return recorder, int(recorder.stdout.readline())


def state(process: int) -> str:
    text = Path(f"/proc/{process}/stat").read_text()
    return text.rpartition(")")[2].split()[0]


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_every_signal_reaches_the_program_once(
    tmp_path: Path, send: Callable[[int, int], None]
) -> None:
    """Sent to the recorder alone, as a supervisor does, or to the group, as a terminal does."""
    recorder, program = started(tmp_path, LISTENER)
    assert recorder.stdout is not None
    for number in HEARD:
        send(recorder.pid, number)
        assert recorder.stdout.readline() == f"{int(number)}\n"
    os.kill(program, signal.SIGURG)
    out, err = recorder.communicate(timeout=PATIENCE_SECONDS)
    assert (recorder.returncode, out) == (3, f"{int(signal.SIGURG)}\n"), err
    checked(tmp_path / "run.gcreplay")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGALRM, signal.SIGKILL])
def test_the_recorder_ends_when_the_program_does(tmp_path: Path, number: signal.Signals) -> None:
    recorder, program = started(tmp_path, WAITING)
    os.kill(program if number == signal.SIGKILL else recorder.pid, number)
    assert recorder.wait(PATIENCE_SECONDS) == 128 + number
    _, err = recorder.communicate()
    assert f"cut short: {number.name} ended the program; everything before is recorded" in err
    with EventLog.open(tmp_path / "run.gcreplay") as log:
        assert log.meta["exit_code"] == -number


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_both_stop_and_both_continue(
    tmp_path: Path, send: Callable[[int, int], None], number: signal.Signals
) -> None:
    recorder, program = started(tmp_path, WAITING)
    send(recorder.pid, number)
    until(lambda: state(program) == state(recorder.pid) == "T")
    send(recorder.pid, signal.SIGCONT)
    until(lambda: "T" not in state(program) + state(recorder.pid))
    out, err = recorder.communicate("go on\n", timeout=PATIENCE_SECONDS)
    assert (recorder.returncode, out) == (0, "on\n"), err


def test_a_program_that_ignores_ctrl_z_is_not_stopped_nor_is_the_recorder(tmp_path: Path) -> None:
    code = f"import signal; signal.signal(signal.SIGTSTP, signal.SIG_IGN); {WAITING}"
    recorder, _ = started(tmp_path, code)
    os.killpg(recorder.pid, signal.SIGTSTP)
    out, _ = recorder.communicate("go on\n", timeout=PATIENCE_SECONDS)
    assert (recorder.returncode, out) == (0, "on\n")


def test_the_ctrl_c_that_ends_the_program_does_not_cut_the_recording(tmp_path: Path) -> None:
    """However late the recorder gets to it: here when the program has ended of it."""
    lagging = """
import os, signal, sys
from gcreplay.main import cli
from gcreplay.tracer import ingest
take, steps = ingest.SpoolIngest.step, 0
def step(self):
    global steps
    steps += 1
    if steps == 1:
        while not self._spool.pid: pass
        while b"ready" not in os.pread(seen, 9, 0): pass
        os.killpg(0, signal.SIGINT)
        os.waitid(os.P_PID, self._spool.pid, os.WEXITED | os.WNOWAIT)
    return take(self)
ingest.SpoolIngest.step = step
seen = os.open("seen", os.O_RDWR | os.O_CREAT)
signal.signal(signal.SIGINT, signal.default_int_handler)
cli(sys.argv[1:])
"""
    code = "import time; open('seen', 'w').write('ready'); x = [[i] for i in range(9)]; time.sleep(600)"
    done = subprocess.run(
        [sys.executable, "-c", lagging, "record", "-o", "run.gcreplay", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        process_group=0,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 128 + signal.SIGINT
    assert "cut short" not in done.stderr
    with EventLog.open(tmp_path / "run.gcreplay") as log:
        assert log.meta["complete"]


OPEN_FILES = (
    "import json, os\n"
    "names = [n for n in os.listdir('/proc/self/fd') if int(n) < 200]\n"
    "def kind(n):\n"
    "    try: return os.readlink('/proc/self/fd/' + n)\n"
    "    except OSError: return None\n"
    "found = {n: kind(n) for n in names}\n"
    "open('found', 'w').write(json.dumps({n: k for n, k in found.items() if k and '/proc/' not in k}))\n"
)


def test_the_program_has_the_open_files_that_it_would_have(tmp_path: Path) -> None:
    """Process substitution, `3<file`, sockets of systemd or of a server that starts anew."""
    (tmp_path / "program.py").write_text(OPEN_FILES)
    ends = os.pipe()
    with tempfile.TemporaryFile() as file:
        given = (*ends, file.fileno())
        for fd in given:
            os.set_inheritable(fd, True)

        def seen(run: Callable[[], object]) -> dict[str, str]:
            run()
            found: dict[str, str] = json.loads((tmp_path / "found").read_text())
            return {name: what for name, what in found.items() if int(name) > 2}

        def ran(command: list[str]) -> Callable[[], object]:
            return lambda: subprocess.run(
                [*command, "program.py"],
                cwd=tmp_path,
                pass_fds=given,
                check=True,
                capture_output=True,
            )

        plain = seen(ran([sys.executable]))
        assert {str(fd) for fd in given} <= set(plain)
        assert seen(ran(RECORD)) == plain
        assert seen(ran([*COMMAND, "prove", "-p", "manual"])) == plain
        measured = seen(lambda: run_real(RealOptions(["program.py"], directory=tmp_path)))
        assert {str(fd): plain[str(fd)] for fd in given}.items() <= measured.items()
    for fd in ends:
        os.close(fd)


def test_what_names_our_process_names_the_programs(tmp_path: Path) -> None:
    names = ("LISTEN_PID", "WATCHDOG_PID", "SYSTEMD_EXEC_PID")
    code = f"import os; print(os.getpid(), *(os.environ.get(n) for n in {(*names, 'LISTEN_FDS', 'LISTEN_PIDFDID')}))"

    def printed(**variables: str) -> list[str]:
        read, write = os.pipe()
        environment = {**os.environ, "LISTEN_FDS": "2", "LISTEN_PIDFDID": "7", **variables}
        start_program([sys.executable, "-c", code], environment, stdout=write).wait()
        os.close(write)
        with os.fdopen(read) as file:
            return file.read().split()

    own, other = str(os.getpid()), str(os.getppid())
    program, *told = printed(**dict.fromkeys(names, own))
    assert told == [program, program, program, "2", "None"]
    program, *told = printed(LISTEN_PID=other, WATCHDOG_PID=own, SYSTEMD_EXEC_PID=other)
    assert told == [other, program, other, "2", "7"]


def test_ignored_and_blocked_signals_are_the_programs_as_well(tmp_path: Path) -> None:
    """As under `nohup`."""
    code = (
        "import signal\n"
        "print([int(n) for n in sorted(signal.valid_signals())"
        " if signal.getsignal(n) is signal.SIG_IGN], sorted(signal.pthread_sigmask(0, [])))"
    )

    def nohup() -> None:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])

    plain, recorded = (
        subprocess.run(
            [*command, "-c", f"{code}; raise SystemExit(5)"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            preexec_fn=nohup,
            check=False,
        )
        for command in ([sys.executable], RECORD)
    )
    assert "[1, 2, 3, 13, 17, 25]" in plain.stdout
    assert (recorded.stdout, recorded.returncode) == (plain.stdout, plain.returncode)


def test_who_reads_from_the_program_need_not_wait_for_the_recorder(tmp_path: Path) -> None:
    read, write = os.pipe()
    code = f"import os, sys; os.close(1); os.close({write}); sys.stdin.readline()"
    recorder = subprocess.Popen(
        [*RECORD, "-c", code],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=[write],
    )
    os.close(write)
    assert recorder.stdout is not None
    assert (recorder.stdout.read(), os.read(read, 1)) == (
        b"",
        b"",
    )  # both closed, and it still runs
    os.close(read)
    recorder.communicate(b"\n", timeout=PATIENCE_SECONDS)
    assert recorder.returncode in (0, 120)  # 120: the interpreter has no standard output to flush


def test_a_second_recording_into_the_same_file_is_refused(tmp_path: Path) -> None:
    recorder, _ = started(tmp_path, WAITING)
    second = subprocess.run(
        [*RECORD, "-c", "print('ran')"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (second.returncode, second.stdout) == (2, "")
    assert "another gcreplay is recording into it" in second.stderr
    with pytest.raises(CannotRecord):
        recover(tmp_path / "run.gcreplay.spool", tmp_path / "other.gcreplay")
    out, err = recorder.communicate("go on\n", timeout=PATIENCE_SECONDS)
    assert (recorder.returncode, out) == (0, "on\n"), err
    checked(tmp_path / "run.gcreplay")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.gcreplay"]


def test_what_a_killed_recorder_left_does_not_bar_the_next(tmp_path: Path) -> None:
    recorder, program = started(tmp_path, WAITING)
    recorder.kill()
    os.kill(program, signal.SIGKILL)
    recorder.communicate(timeout=PATIENCE_SECONDS)
    assert (tmp_path / "run.gcreplay.spool").exists()
    again, _ = started(tmp_path, WAITING)
    again.communicate("go on\n", timeout=PATIENCE_SECONDS)
    assert again.returncode == 0
    checked(tmp_path / "run.gcreplay")
