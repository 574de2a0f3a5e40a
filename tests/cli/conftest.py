"""The command line as tests call it, and a small recording written by hand."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from command_line import Gcreplay, write_cycles

from gcreplay.main import cli


@pytest.fixture
def gcreplay() -> Gcreplay:
    """Runs `gcreplay ARGS...` in this process."""

    def run(*args: object) -> Result:
        return CliRunner().invoke(cli, [str(arg) for arg in args], prog_name="gcreplay")

    return run


@pytest.fixture
def cycles(tmp_path: Path) -> Path:
    """A recording of 1,500 dropped self-cycles: the default thresholds collect twice."""
    path = tmp_path / "cycles.gcreplay"
    write_cycles(path, 1500)
    return path
