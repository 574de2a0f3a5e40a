"""What the environment tells an interpreter is told to the recorded program's, not to ours."""

import os
import sys

_RUN_A_PROGRAM = ("record", "prove", "tune")
_OBEYED = (
    "PYTHONDEBUG",
    "PYTHONDEVMODE",
    "PYTHONDUMPREFS",
    "PYTHONINSPECT",
    "PYTHONMALLOC",
    "PYTHONMALLOCSTATS",
    "PYTHONPATH",
    "PYTHONPROFILEIMPORTTIME",
    "PYTHONTRACEMALLOC",
    "PYTHONVERBOSE",
    "PYTHONWARNINGS",
)


def run_alone() -> None:
    """Start again, as the same process, in an interpreter that does not obey them: a program's
    folder of modules may hold another click or SQLAlchemy than ours. The program inherits all."""
    if sys.flags.ignore_environment or not set(sys.argv[1:2]) & set(_RUN_A_PROGRAM):
        return
    if any(map(os.environ.get, _OBEYED)) and not _found_by_them():
        command = [sys.executable, "-E", "-P", "-m", "gcreplay", *sys.argv[1:]]
        os.execv(sys.executable, command)


def _found_by_them() -> bool:
    """Whether this package itself is found by PYTHONPATH, so that it must be obeyed."""
    from pathlib import Path  # only who has such variables waits for it

    folders = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    return any(Path(__file__).resolve().is_relative_to(Path(one).resolve()) for one in folders)
