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
