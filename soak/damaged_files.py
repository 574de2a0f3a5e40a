"""Many more damaged recordings than the tests try, read by every command."""

from __future__ import annotations

import os
import subprocess
import sys

from outcome import Outcome, failed, passed
from places import ROOT

TEST = "tests/cli/test_fuzzed_files.py"


def damaged_files(number: int) -> Outcome:
    """So many files, each a sentence or the right figures, in steps bounded by their size."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--maxfail=5", TEST],
        cwd=ROOT,
        env={**os.environ, "GCREPLAY_DAMAGED_FILES": str(number)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return passed("damaged files", f"{number:,} files")
    return failed("damaged files", "\n".join(done.stdout.splitlines()[-5:]))
