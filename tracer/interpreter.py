"""The interpreter that runs the recorded program, and how the capture gets into it."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .errors import CannotRecord

# Without a module that would have to be found and read.
_ASK = (
    "import sys, _imp, posix; sys.stdout.write('\\n'.join(["
    "sys.implementation.name, '.'.join(map(str, sys.version_info[:3])), "
    "_imp.extension_suffixes()[0], str(int(hasattr(sys, 'gettotalrefcount'))), "
    "posix.environ.get(b'GCREPLAY_ASK', b'').decode()]))"
)
INJECT = Path(__file__).parent / "inject"
"""The folder with the library that is preloaded and the capture that it lets in."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter this capture was built for."""

    executable: str
    version: str
    suffix: str

    @classmethod
    def find(cls, name: str | None, environment: Mapping[str, str]) -> Interpreter:
        """The interpreter of that name or path, by default the running one.

        Raises CannotRecord when there is none, or the capture is not made for it.
        """
        if not any(INJECT.glob("capture*.so")):
            raise CannotRecord(not_built())
        executable = sys.executable if name is None else shutil.which(name)
        if executable is None:
            raise CannotRecord(f"{name}: no such interpreter; give --python a path or a command")
        try:
            answer = subprocess.run(
                [executable, "-S", "-c", _ASK],
                env={**environment, "GCREPLAY_ASK": "alone", **_preloading(environment)},
                stdin=subprocess.DEVNULL,  # what stands there is the program's
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            ).stdout.split("\n")
            implementation, version, suffix, debug, asked = answer
        except (OSError, subprocess.SubprocessError, ValueError):
            raise CannotRecord(f"{executable}: is not a Python interpreter that runs") from None
        if implementation != "cpython" or not version.startswith("3.11.") or debug != "0":
            kind = {"cpython": "CPython", "pypy": "PyPy"}.get(implementation, implementation)
            build = " (debug build)" if debug == "1" else ""
            raise CannotRecord(
                f"{executable} is {kind} {version}{build}; only release builds of "
                f"CPython 3.11 can be recorded, choose one with --python"
            )
        if not (INJECT / f"capture{suffix}").exists():
            raise CannotRecord(
                f"{executable}: the capture was not built for it; install gcreplay with "
                f"CPython 3.11"
            )
        if asked != "preloaded":
            raise CannotRecord(
                f"{executable}: does not load what LD_PRELOAD names, so the capture has no way in: "
                f"a wrapper sets that variable anew, or the interpreter has another user's "
                f"rights, file capabilities or no dynamic linker; choose one with --python"
            )
        return cls(executable, version, suffix)

    def environment(
        self,
        base: Mapping[str, str],
        spool: Path,
        numbers: tuple[int, int, int, int],
        *,
        alone: bool = False,
        labels: bool = False,
        plan: str | None = None,
    ) -> dict[str, str]:
        """The environment in which the capture starts; `numbers` are granularity, full probe,
        probe budget and spool limit. `alone`: the program is run with -I, -E or -S. `labels`: what
        is probed is read, with names. With a `plan` it measures, see `real`. The program finds
        `base` again."""
        return {
            **base,
            **_preloading(base),
            "GCREPLAY_CAPTURE": str(INJECT / f"capture{self.suffix}"),
            "GCREPLAY_SPOOL": str(spool),
            "GCREPLAY_OPTIONS": ",".join(map(str, (*numbers, int(alone), int(labels)))),
            **({} if plan is None else {"GCREPLAY_PLAN": plan}),
        }


def not_built() -> str:
    """Why nothing can be recorded where the capture was not built."""
    return (
        f"this gcreplay was installed with Python {platform.python_version()}, where it replays "
        f"recordings and makes none; install it with CPython 3.11 to record"
    )


def _preloading(base: Mapping[str, str]) -> dict[str, str]:
    """Behind the user's own libraries: a sanitizer's must come first. The capture takes what was
    added out of the variable again, and the variable with it if there was none."""
    built = next(iter(sorted(INJECT.glob("preload*.so"))), None)
    if built is None:
        return {}
    theirs = base.get("LD_PRELOAD")
    added = _nameable(built) if theirs is None else f":{_nameable(built)}"
    return {"LD_PRELOAD": (theirs or "") + added, "GCREPLAY_ADDED": added}


_SPECIAL = frozenset(" :$")  # ends a name in LD_PRELOAD, or stands for something else


@cache
def _nameable(library: Path) -> str:
    """A name of it that LD_PRELOAD can hold."""
    if not _SPECIAL & set(str(library)):
        return str(library)
    link = Path(_links().name, "preload.so")
    if _SPECIAL & set(str(link)):
        raise CannotRecord(
            f"{library}: LD_PRELOAD cannot name a file with a space, colon or dollar sign in its "
            f"path, nor one in {link.parent}; set TMPDIR to a folder without"
        )
    link.symlink_to(library)
    return str(link)


@cache
def _links() -> tempfile.TemporaryDirectory[str]:
    """Is removed when this process ends."""
    return tempfile.TemporaryDirectory(prefix="gcreplay-")
