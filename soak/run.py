"""The soak: an hour of everything that might break a recording or a recorded program.

`make soak` runs it all; exit code 1 when an item fails that is not listed below with its reason.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from compare import compared, told_by_unittest, told_with_free_lists
from damaged_files import damaged_files
from fuzzing import fuzzed
from long import long_run
from outcome import Outcome, failed, listed
from places import BUILD, OWN, PROGRAMS, PYTHON
from random_programs import random_programs
from sanitizer import sanitized
from sizes import sizes

CPYTHON_TESTS = (
    "test_gc",
    "test_weakref",
    "test_descr",
    "test_generators",
    "test_coroutines",
    "test_dict",
    "test_list",
    "test_threading",
    "test_asyncio",
)
OTHERS = ("numpy", "pydantic", "lxml", "django", "greenlet")
CODE_PTH = "import numpy, django.conf, logging.config\n"
REASONS: dict[str, str] = {}
"""Items that cannot pass, each with the reason; empty is what it should be."""


def cpython(folder: Path) -> Iterator[Outcome]:
    """CPython's own tests, as many passed and skipped as without recording."""
    for name in CPYTHON_TESTS:
        argv = ["-m", "unittest", f"test.{name}"]
        yield compared(name, PYTHON, argv, folder, told_by_unittest)


def others(folder: Path) -> Iterator[Outcome]:
    """Programs with large extension modules, from an environment of their own."""
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([PYTHON, "-m", "venv", folder / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *OTHERS], check=True)
    for name in OTHERS:
        yield compared(name, python, [str(PROGRAMS / f"{name}_program.py")], folder)
    (packages,) = (folder / "venv" / "lib").glob("*/site-packages")
    (packages / "code.pth").write_text(CODE_PTH)
    program = str(PROGRAMS / "start_up_program.py")
    told = told_with_free_lists
    yield compared("start-up, large packages", python, [program, "imports"], folder, told)
    yield compared("start-up, editable install", OWN, [program], folder, told)


def outcomes(given: argparse.Namespace) -> Iterator[Outcome]:
    items = {
        "cpython": lambda: cpython(BUILD),
        "others": lambda: others(BUILD),
        "sizes": lambda: sizes(BUILD),
        "sanitizer": lambda: iter(sanitized(BUILD)),
        "fuzzing": lambda: iter([fuzzed(BUILD, given.fuzzing)]),
        "random": lambda: iter([random_programs(BUILD, given.programs)]),
        "damaged": lambda: iter([damaged_files(given.files)]),
        "long": lambda: iter([long_run(BUILD, given.minutes)]),
    }
    for name in given.only or items:
        for outcome in whatever_happens(name, items[name]):
            excused = outcome.verdict == "FAILED" and outcome.name in REASONS
            yield listed(outcome.name, REASONS[outcome.name]) if excused else outcome


def whatever_happens(name: str, item: Callable[[], Iterator[Outcome]]) -> Iterator[Outcome]:
    """An item that breaks off has failed; the others get their turn."""
    try:
        yield from item()
    except Exception as error:
        traceback.print_exc()
        yield failed(name, f"broke off: {error}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of the long run")
    parser.add_argument("--fuzzing", type=float, default=5, metavar="MINUTES", help="of libFuzzer")
    parser.add_argument("--programs", type=int, default=300, help="random ones, of each kind")
    parser.add_argument("--files", type=int, default=1000, help="damaged ones")
    parser.add_argument("--only", nargs="+", metavar="ITEM", help="cpython others sanitizer ...")
    given = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    bad = 0
    print(f"{'item':<30} {'verdict':<8} figures", flush=True)
    for one in outcomes(given):
        print(f"{one.name:<30} {one.verdict:<8} {one.told}", flush=True)
        bad += one.verdict == failed("", "").verdict
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
