"""The spool's file is cut short under a running program: the recording ends, the program does not, nor
the recorder. Any other SIGBUS does what it does plainly."""

import signal
from pathlib import Path

import pytest
from recording import BARE, Ran, run_measured, run_plain, run_recorded

MAKE = """
import faulthandler, glob, mmap, os, signal, sys
print(signal.getsignal(signal.SIGBUS), faulthandler.is_enabled())
class Node: pass
def make(n):
    for i in range(n):
        node = Node(); node.me = node
def cut(): [os.truncate(name, int(sys.argv[1])) for name in glob.glob("*.spool")]
def end():
    make(30_000)
    print("made", signal.getsignal(signal.SIGBUS), faulthandler.is_enabled(), flush=True)
def fault():
    with open("short", "w+b") as file:
        file.truncate(mmap.PAGESIZE); mapped = mmap.mmap(file.fileno(), mmap.PAGESIZE); file.truncate(0)
        mapped[0]
make(3000)
"""


def both(folder: Path, code: str, size: int = 0, **environment: str) -> tuple[Ran, Ran, str]:
    """A program as it is and recorded, and why the recording ended early."""
    (folder / "program.py").write_text(MAKE + code)
    argv = ("program.py", str(size))
    plain = run_plain(folder, *argv, python=BARE, environment=environment)
    done = run_recorded(folder, *argv, python=BARE, environment=environment)
    assert not done.summary.complete
    return plain, done.ran, done.summary.message


@pytest.mark.parametrize("size", [0, 100, 4096, 20_000])
def test_a_program_lives_on_when_its_spool_is_cut_short(tmp_path: Path, size: int) -> None:
    plain, recorded, message = both(tmp_path, "cut(); end()", size)
    assert plain.exit_code == 0
    assert recorded == plain
    assert "cut short" in message


@pytest.mark.parametrize("ending", ["os.kill(os.getpid(), signal.SIGBUS)", "fault()"])
@pytest.mark.parametrize("first", ["", "cut(); end()"])
@pytest.mark.parametrize("handler", ["0", "1"])
def test_a_bus_error_of_its_own_ends_a_program_as_ever(
    tmp_path: Path, ending: str, first: str, handler: str
) -> None:
    environment = {} if handler == "0" else {"PYTHONFAULTHANDLER": "1"}
    plain, recorded, _ = both(tmp_path, f"{first}\n{ending}", **environment)
    assert plain.exit_code == 128 + signal.SIGBUS
    assert (recorded.exit_code, recorded.out) == (plain.exit_code, plain.out)
    assert ("Fatal Python error: Bus error" in recorded.err) == (handler == "1")


def test_a_child_dies_of_a_bus_error_as_ever(tmp_path: Path) -> None:
    code = """
for ending in (fault, lambda: os.execv("/bin/sh", ["sh", "-c", "kill -BUS $$"])):
    child = os.fork()
    if child == 0: ending()
    print(os.waitpid(child, 0)[1])
cut(); end()
"""
    plain, recorded, _ = both(tmp_path, code)
    assert plain.out.splitlines()[1:3] == [str(int(signal.SIGBUS))] * 2
    assert recorded == plain


@pytest.mark.parametrize("size", [0, 20_000])
def test_a_fault_handler_that_came_later_tells_of_it_and_hands_it_on(
    tmp_path: Path, size: int
) -> None:
    plain, recorded, message = both(tmp_path, "faulthandler.enable(); cut(); end()", size)
    assert (recorded.exit_code, recorded.out) == (plain.exit_code, plain.out)
    assert recorded.err.startswith("Fatal Python error: Bus error")
    assert "cut short" in message


def test_what_the_program_does_with_the_signal_is_done(tmp_path: Path) -> None:
    code = """
seen = []
print(signal.signal(signal.SIGBUS, lambda number, frame: seen.append(number)))
signal.raise_signal(signal.SIGBUS); os.kill(os.getpid(), signal.SIGBUS); print(seen)
print(callable(signal.signal(signal.SIGBUS, signal.SIG_IGN))); os.kill(os.getpid(), signal.SIGBUS)
print(signal.signal(signal.SIGBUS, signal.SIG_DFL)); faulthandler.enable(); faulthandler.disable()
sys.stdout.flush(); os._exit(0)
"""
    plain, recorded, _ = both(tmp_path, code)
    assert plain.exit_code == 0
    assert recorded == plain


def test_a_measured_program_dies_of_its_own_bus_errors_only(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(MAKE + "fault()")
    plain = run_plain(tmp_path, "program.py", python=BARE)
    ran, run = run_measured(tmp_path, "program.py", python=BARE)
    assert ran == plain
    assert (ran.exit_code, run.complete) == (128 + signal.SIGBUS, False)


READER = """
import mmap, tempfile
import numpy as np
from gcreplay.tracer._ingest import Ingest
with tempfile.TemporaryFile() as file:
    file.truncate(1 << 20)
    mapped, other = (mmap.mmap(file.fileno(), 1 << 20, prot=mmap.PROT_READ) for _ in range(2))
    file.truncate(0)
    try: Ingest().feed(np.frombuffer(mapped, np.uint8), 1000)
    except ValueError as error: print(error.args[0])
    other[0]
"""


def test_a_reader_is_told_of_what_is_cut_short_under_it(tmp_path: Path) -> None:
    """And dies of what it reads elsewhere as ever."""
    ran = run_plain(tmp_path, "-c", READER, environment={"PYTHONUNBUFFERED": "1"})
    assert ran.out.startswith("the file was cut short while it was read")
    assert ran.exit_code == 128 + signal.SIGBUS
