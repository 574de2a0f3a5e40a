"""The sizes of objects of large packages, through the test that CI runs on a stock interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from outcome import Outcome, failed, passed
from places import PYTHON, ROOT

TEST = "tests/tracer/test_sizes.py"
MODULES = {
    "numpy": "numpy numpy.random numpy.linalg numpy.ma",
    "pandas": "pandas pandas.testing",
    "lxml": "lxml.etree lxml.objectify lxml.html",
    "gevent": "gevent gevent.queue gevent.lock gevent.pool gevent.event greenlet",
    "cryptography": "cryptography.x509 cryptography.fernet cryptography.hazmat.bindings._rust",
    "pydantic": "pydantic pydantic_core",
    "msgpack": "msgpack msgpack._cmsgpack",
}
"""What is imported of each package, written in C, Cython or Rust."""


def python_with_packages(folder: Path) -> Path:
    """An interpreter that has all of them."""
    python = folder / "sizes-venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([PYTHON, "-m", "venv", folder / "sizes-venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *MODULES], check=True)
    return python


def sizes(folder: Path) -> Iterator[Outcome]:
    """Of each type of a package that can be called, and of all objects that its modules make."""
    python = python_with_packages(folder)
    for name, modules in MODULES.items():
        asked = {"GCREPLAY_SIZES_PYTHON": str(python), "GCREPLAY_SIZES_MODULES": modules}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-vv", TEST, "-k", "every_object"],
            cwd=ROOT,
            env={**os.environ, **asked},
            capture_output=True,
            text=True,
            check=False,
        )
        told = folder / f"sizes-{name}.txt"
        told.write_text(done.stdout + done.stderr)
        right = done.returncode == 0
        yield passed(f"sizes, {name}", "all") if right else failed(f"sizes, {name}", f"see {told}")
