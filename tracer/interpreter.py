"""The interpreter that runs the recorded program, and how the capture gets into it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import CannotRecord

_ASK = (
    "import sys, sysconfig, platform; sys.stdout.write('\\n'.join(["
    "platform.python_implementation(), '.'.join(map(str, sys.version_info[:3])), "
    "str(sysconfig.get_config_var('EXT_SUFFIX')), str(sysconfig.get_config_var('Py_DEBUG') or 0)]))"
)
# The young counter at the first line of a program, told without allocating before it is read.
_COUNTS = "import gc; c = gc.get_count(); print(*c)"
_UNLIMITED = 1 << 30


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter this capture was built for."""

    executable: str
    version: str

    @classmethod
    def find(cls, name: str | None) -> Interpreter:
        """The interpreter of that name or path, by default the running one.

        Raises CannotRecord when there is none, or the capture is not made for it.
        """
        executable = sys.executable if name is None else shutil.which(name)
        if executable is None:
            raise CannotRecord(f"{name}: no such interpreter; give --python a path or a command")
        try:
            answer = subprocess.run(
                [executable, "-S", "-c", _ASK], capture_output=True, text=True, check=True, timeout=60
            ).stdout.splitlines()
            implementation, version, suffix, debug = answer
        except (OSError, subprocess.SubprocessError, ValueError):
            raise CannotRecord(f"{executable}: is not a Python interpreter that runs") from None
        if implementation != "CPython" or not version.startswith("3.11.") or debug not in ("0", "None"):
            raise CannotRecord(
                f"{executable} is {implementation} {version}{' (debug build)' if debug == '1' else ''}; "
                f"only release builds of CPython 3.11 can be recorded, choose one with --python"
            )
        inject = Path(__file__).parent / "inject"
        if not (inject / f"gcreplay_capture{suffix}").exists():
            raise CannotRecord(
                f"{executable}: the capture was not built for it; install gcreplay with CPython 3.11"
            )
        return cls(executable, version)

    @staticmethod
    def environment(
        inject: Path, base: Mapping[str, str], spool: Path, numbers: tuple[int, int, int, int]
    ) -> dict[str, str]:
        """The environment in which the capture starts; `numbers` are granularity, full probe,
        spool limit and the shift of the young counter."""
        before = base.get("PYTHONPATH", "")
        options = ",".join([*map(str, numbers), before])
        path = os.pathsep.join(filter(None, [str(inject), before]))
        return {**base, "PYTHONPATH": path, "GCREPLAY_SPOOL": str(spool), "GCREPLAY_OPTIONS": options}
