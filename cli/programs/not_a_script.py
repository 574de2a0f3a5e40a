"""What to say of a script that does not exist: perhaps it is the name of a command or a module."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_IS_PROGRAM = """
import importlib.util, os, sys
first, *inner = sys.argv[1].split(".")
found = importlib.util.find_spec(first)
for name in inner:  # not by its whole name: that would import what it is in
    folders = found and found.submodule_search_locations
    found = folders and importlib.machinery.PathFinder.find_spec(f"{found.name}.{name}", folders)
folders = found and found.submodule_search_locations
sys.exit(not (found and (not folders or any(
    os.path.exists(os.path.join(folder, "__main__.py")) for folder in folders))))
"""
"""Exit code 0 when `-m` could run the module of that name. Nothing of it is imported."""


def no_such_script(
    program: Sequence[str], options: Sequence[str] = (), python: str | None = None
) -> str:
    """A sentence with the right call, where there is one."""
    name, *rest = program
    gone = f"The script {name} does not exist"
    if all(part.isidentifier() for part in name.split(".")) and _runs_as_module(name, python):
        return f"{gone}; it is a module: {_call((), [*options, '-m', name, *rest])}"
    command = None if "/" in name else shutil.which(name)
    if command is None:
        return f"{gone}: check the path"
    if Path(command).name.startswith(("python", "pypy")):
        return f"{gone}; it is an interpreter: {_call(('--python', name), rest)}"
    interpreter = _interpreter_of(Path(command))
    if interpreter is None:
        return f"{gone}; it is a command, {command}, but no Python program"
    own = ("--python", interpreter) if python is None and interpreter != sys.executable else ()
    return f"{gone}; it is a command: {_call(own, [*options, command, *rest])}"


def _call(own: Sequence[str], program: Sequence[str]) -> str:
    """Options of ours, and what follows the interpreter."""
    known = program[:1] in ([], ["-m"]) or not program[0].startswith("-")
    return shlex.join(["gcreplay", "record", *own, *([] if known else ["--"]), *program])


def _runs_as_module(name: str, python: str | None) -> bool:
    with suppress(OSError, subprocess.SubprocessError):
        asked = subprocess.run(
            [python or sys.executable, "-c", _IS_PROGRAM, name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
        return asked.returncode == 0
    return False


def _interpreter_of(command: Path) -> str | None:
    """The interpreter that the first line of a Python program names; None for another program."""
    with suppress(OSError), command.open("rb") as file:
        first = file.readline(512)
        if first.startswith(b"#!") and b"python" in first:
            words = first[2:].decode("utf-8", "replace").split()
            return words[-1] if words[0].endswith("/env") else words[0]
    return None
