"""Limits that a program sets for itself, and hooks of others: the recording gives way."""

from pathlib import Path

import pytest
from recording import BARE, checked, run_plain, run_recorded

GARBAGE = """
class Node: pass
def make(n):
    for i in range(n):
        a = Node(); a.me = a; a.more = [{"i": (i, [i])}]
"""
LIMITS = {
    "address space": """
import resource
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
make(400_000)  # more than the first window of the spool
print(len(bytearray(300 << 20)))
""",
    "files, fewer than the spool's number": """
import os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
make(3000)
print(os.open("/dev/null", os.O_RDONLY))
""",
    "processor time and stack": """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, resource.RLIM_INFINITY))
make(3000); print("made")
""",
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_leaves_the_program_what_it_had(tmp_path: Path, name: str) -> None:
    (tmp_path / "program.py").write_text(GARBAGE + LIMITS[name])
    plain = run_plain(tmp_path, "program.py")
    done = run_recorded(tmp_path, "program.py")
    assert (plain.exit_code, plain.err) == (0, "")
    assert done.ran == plain
    assert done.summary.complete, done.summary.message
    checked(done.path)


def test_few_files_from_the_start_leave_the_low_numbers_to_the_program(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(GARBAGE + "import os; make(3000); print(os.dup(0))")
    shell = tmp_path / "few-files"
    shell.write_text(f'#!/bin/sh\nulimit -n 100\nexec "{BARE}" "$@"\n')
    shell.chmod(0o755)
    plain = run_plain(tmp_path, "program.py", python=str(shell))
    done = run_recorded(tmp_path, "program.py", python=str(shell))
    assert plain.out.strip().isdigit()
    assert done.ran == plain
    checked(done.path)


def test_a_limit_of_file_size_ends_the_recording_and_sends_no_signal(tmp_path: Path) -> None:
    code = """
import resource, signal
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
make(400_000); print("made")
"""
    (tmp_path / "program.py").write_text(GARBAGE + code)
    plain = run_plain(tmp_path, "program.py")
    done = run_recorded(tmp_path, "program.py")
    assert plain.out == "made\n"
    assert done.ran == plain
    assert "RLIMIT_FSIZE" in done.summary.message
    assert checked(done.path).recorded > 0


@pytest.mark.parametrize("malloc", ["malloc", "debug", "malloc_debug", "pymalloc_debug"])
def test_every_allocator_of_the_interpreter_can_lie_below(tmp_path: Path, malloc: str) -> None:
    (tmp_path / "program.py").write_text(GARBAGE + "make(3000); print('made')")
    done = run_recorded(tmp_path, "program.py", environment={"PYTHONMALLOC": malloc})
    assert (done.ran.exit_code, done.out) == (0, "made\n")
    assert done.summary.complete, done.summary.message
    assert checked(done.path).recorded > 5


def test_an_allocator_that_is_watched_already_is_left_alone(tmp_path: Path) -> None:
    """A tracemalloc that ran first takes off, when it stops, what came after it: births would
    be missed, and addresses read that are no objects any more."""
    code = "import tracemalloc; tracemalloc.stop(); make(20_000); print('made')"
    (tmp_path / "program.py").write_text(GARBAGE + code)
    done = run_recorded(tmp_path, "program.py", environment={"PYTHONTRACEMALLOC": "1"})
    assert (done.ran.exit_code, done.out, done.ran.err) == (0, "made\n", "")
    assert not done.summary.complete
    assert "PYTHONTRACEMALLOC" in done.summary.message
