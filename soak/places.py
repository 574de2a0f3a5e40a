"""Where things are: the command, the interpreter, the programs."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROGRAMS = Path(__file__).parent / "programs"
BUILD = ROOT / "build" / "soak"
GCREPLAY = Path(sys.executable).with_name("gcreplay")
PYTHON = Path(sys._base_executable)  # type: ignore[attr-defined]
OWN = Path(sys.executable)
"""In the project's own environment, an editable install."""
