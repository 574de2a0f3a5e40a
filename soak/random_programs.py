"""Hundreds of random programs through the test that CI runs with a few."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from outcome import Outcome, failed, passed
from places import ROOT
from sizes import python_with_packages

TEST = Path("tests/tracer/test_random_programs.py")


def random_programs(folder: Path, how_many: int) -> Outcome:
    """Every log valid, every collection replayed where it was."""
    given = {
        "GCREPLAY_RANDOM_PROGRAMS": str(how_many),
        "GCREPLAY_GEVENT_PYTHON": str(python_with_packages(folder)),
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", TEST],
        cwd=ROOT,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        (folder / "random-programs.txt").write_text(done.stdout + done.stderr)
        return failed("random programs", f"see {folder / 'random-programs.txt'}")
    return passed("random programs", f"{how_many} of each kind, valid and equal")
