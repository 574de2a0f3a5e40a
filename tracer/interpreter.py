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
from .spool import Spool

_ASK = (
    "import sys, sysconfig, platform; sys.stdout.write('\\n'.join(["
    "platform.python_implementation(), '.'.join(map(str, sys.version_info[:3])), "
    "str(sysconfig.get_config_var('EXT_SUFFIX')), str(sysconfig.get_config_var('Py_DEBUG') or 0)]))"
)
INJECT = Path(__file__).parent / "inject"
"""The folder with nothing but the extension that Python imports as `sitecustomize`."""

# The young counter at the first line of a program, told without allocating before it is read.
_COUNTS = "import gc; c = gc.get_count(); print(*c)"
_TRIES = 4
_ROOM = 256 << 20


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
                [executable, "-S", "-c", _ASK],
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            ).stdout.splitlines()
            implementation, version, suffix, debug = answer
        except (OSError, subprocess.SubprocessError, ValueError):
            raise CannotRecord(f"{executable}: is not a Python interpreter that runs") from None
        if (
            implementation != "CPython"
            or not version.startswith("3.11.")
            or debug not in ("0", "None")
        ):
            build = " (debug build)" if debug == "1" else ""
            raise CannotRecord(
                f"{executable} is {implementation} {version}{build}; only release builds of "
                f"CPython 3.11 can be recorded, choose one with --python"
            )
        if not (INJECT / f"sitecustomize{suffix}").exists():
            raise CannotRecord(
                f"{executable}: the capture was not built for it; install gcreplay with "
                f"CPython 3.11"
            )
        return cls(executable, version)

    @staticmethod
    def environment(
        base: Mapping[str, str],
        spool: Path,
        numbers: tuple[int, int, int, int, int, int, int],
        plan: str | None = None,
    ) -> dict[str, str]:
        """The environment in which the capture starts; `numbers` are granularity, full probe,
        probe budget, spool limit and the shifts of the three counters. With a `plan` it measures,
        see `real`."""
        options = ",".join(map(str, numbers))
        path = os.pathsep.join(filter(None, [str(INJECT), base.get("PYTHONPATH", "")]))
        return {
            **base,
            "PYTHONPATH": path,
            "GCREPLAY_SPOOL": str(spool),
            "GCREPLAY_OPTIONS": options,
            **({} if plan is None else {"GCREPLAY_PLAN": plan}),
        }

    def calibrated_shift(
        self, environment: Mapping[str, str], spool: Path, plan: str | None = None
    ) -> tuple[int, int, int]:
        """What the capture must add to the collector's counters at its start.

        Attaching allocates a few objects and frees them again, which would move every later
        collection. So the first line of an empty program is compared, without and with the
        capture, until both see the same counters. `spool` is a path that may be used and removed.
        """
        wanted = self._counts(dict(environment))
        shift = (0, 0, 0)
        best: tuple[tuple[int, int, int], tuple[int, int, int]] | None = None
        for _ in range(_TRIES):
            Spool.create(spool).close()
            attached = self.environment(environment, spool, (0, 0, 0, _ROOM, *shift), plan)
            seen = self._counts(attached)
            spool.unlink(missing_ok=True)
            if wanted is None or seen is None:
                return (0, 0, 0)
            off = (wanted[0] - seen[0], wanted[1] - seen[1], wanted[2] - seen[2])
            distance = (abs(off[2]), abs(off[1]), abs(off[0]))
            if best is None or distance < best[0]:
                best = (distance, shift)
            if off == (0, 0, 0):
                break
            shift = (shift[0] + off[0], shift[1] + off[1], shift[2] + off[2])
        return best[1] if best is not None else (0, 0, 0)

    def _counts(self, environment: dict[str, str]) -> tuple[int, int, int] | None:
        """gc.get_count() at the first line of an empty program; None when it cannot be told."""
        ran = subprocess.run(
            [self.executable, "-c", _COUNTS],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        try:
            young, middle, old = map(int, ran.stdout.split()[-3:])
        except ValueError:
            return None
        return young, middle, old
