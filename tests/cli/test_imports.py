"""What a command imports, and when: nobody waits for a library that has no part in it."""

import subprocess
import sys
from pathlib import Path

import pytest

LIBRARIES = {"numpy", "sqlalchemy", "zstandard", "rich"}
# Runs the command and tells the modules that are there at its end, on standard error.
RUN = """
import atexit, sys
from gcreplay.main import cli
atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))
cli(prog_name="gcreplay")
"""


def imported(*arguments: str) -> set[str]:
    """All modules that `gcreplay ARGUMENTS...` imports."""
    ran = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], check=True, capture_output=True, text=True
    )
    return set(ran.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_imports_no_library_and_no_command(option: str) -> None:
    modules = imported(option)
    assert "gcreplay.main" in modules
    assert not modules & LIBRARIES
    assert not {name for name in modules if name.startswith("gcreplay.commands.")}


def test_a_command_imports_what_it_needs(cycles: Path) -> None:
    modules = imported("info", str(cycles))
    assert "gcreplay.commands.info" in modules
    assert "gcreplay.store.log" in modules
    assert not modules & {"rich", "gcreplay.commands.record", "gcreplay.tracer.record"}
    assert not modules & {"gcreplay.store.builder", "gcreplay.replay.results.diff"}


# Records a program, and tells the modules that are there when it is started.
RECORD = """
import sys

def started(event, arguments):
    if event == "subprocess.Popen" and list(arguments[1])[-2:] == ["-c", PROGRAM]:
        print(*sorted(sys.modules), file=sys.stderr)

PROGRAM = sys.argv[-1]
sys.addaudithook(started)
from gcreplay.__main__ import main
main()
"""


def test_the_program_is_started_before_any_library_is_imported(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RECORD, "record", "-o", str(tmp_path / "log"), "-c", "pass"]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    before, told = ran.stderr.splitlines()
    assert "gcreplay.tracer.record" in before.split()
    assert not set(before.split()) & {*LIBRARIES, "gcreplay.store.log"}
    assert " events, " in told


THREADS = """
import os, sys
from gcreplay.main import cli
cli(prog_name="gcreplay", standalone_mode=False)
import numpy
print(len(os.listdir("/proc/self/task")), file=sys.stderr)
"""


def test_numpy_is_imported_without_threads(cycles: Path) -> None:
    command = [sys.executable, "-c", THREADS, "info", str(cycles)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ran.stderr.split() == ["1"]


def test_the_program_finds_nothing_of_that_in_its_environment(tmp_path: Path) -> None:
    told = "import os; print(*(name for name in os.environ if name.endswith('_NUM_THREADS')))"
    command = [sys.executable, "-m", "gcreplay", "record", "-o", str(tmp_path / "log")]
    ran = subprocess.run([*command, "-c", told], check=True, capture_output=True, text=True)
    assert ran.stdout.split() == []
