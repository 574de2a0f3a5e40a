"""docs/guide/: the commands run as they stand there, and print what the pages say they print.

A block below `<!-- times differ -->` has times in it, and words that depend on them: of such a
block only the heads of tables are compared. `<!-- not run by the tests: WHY -->` leaves one out.
Of all others each line is compared, but for numbers, which differ with the interpreter.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide"
PAGES = ["start", "pauses", "memory", "clean-main"]
BLOCK = re.compile(r"((?:^<!--[^\n]*-->\n)*)^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)

HEAD = re.compile(r"\D*\S {2,}\S\D*\S {2,}\S\D*")  # columns, and no number


@dataclass(frozen=True, slots=True)
class Typed:
    """One command of a page, what is shown below it, and the exit code that `echo $?` shows."""

    line: str
    shown: tuple[str, ...]
    exit_code: int
    times_differ: bool


def commands(page: str) -> list[Typed]:
    """The `$ gcreplay` lines of a page's console blocks, in order."""
    found = []
    for remarks, block in BLOCK.findall(page):
        if "not run by the tests" in remarks:
            continue
        pieces = re.split(r"^\$ ", block.replace("\\\n", " "), flags=re.MULTILINE)[1:]
        for piece, following in zip(pieces, [*pieces[1:], ""], strict=True):
            line, *shown = piece.splitlines()
            code = int(following.split()[2]) if following.startswith("echo $?") else 0
            if line.startswith("gcreplay "):
                found.append(Typed(line, tuple(shown), code, "times differ" in remarks))
    return found


def masked(line: str) -> str:
    """The line with # for each number, and one space for each gap."""
    return " ".join(re.sub(r"[\d,.]*\d", "#", line).split())


def held(typed: Typed) -> list[str]:
    """The lines that the output must have, in this order, numbers left out."""
    kept = [line for line in typed.shown if line not in ("", "...")]
    if typed.times_differ:
        kept = [line for line in kept if HEAD.fullmatch(line)]
    return [masked(line) for line in kept]


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[int, str]]:
    """Runs a command of a page in a folder with the examples; the same one is run once."""
    folder = tmp_path_factory.mktemp("guide")
    shutil.copytree(ROOT / "examples", folder / "examples")
    done: dict[str, tuple[int, str]] = {}

    def run(line: str) -> tuple[int, str]:
        if line not in done:
            made = subprocess.run(
                [sys.executable, "-m", "gcreplay", *shlex.split(line.split(" > ")[0])[1:]],
                cwd=folder,
                env={**os.environ, "COLUMNS": "80", "PYTHONHASHSEED": "0"},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            done[line] = made.returncode, made.stdout + made.stderr
        return done[line]

    return run


def test_the_pages_say_what_their_commands_print(typed: Callable[[str], tuple[int, str]]) -> None:
    for page in PAGES:
        on_page = commands((GUIDE / f"{page}.md").read_text())
        assert on_page, page
        for command in on_page:
            code, output = typed(command.line)
            assert code == command.exit_code, (command.line, output)
            printed = iter([masked(line) for line in output.splitlines()])
            for line in held(command):
                assert line in printed, (page, command.line, line, output)


def test_commands_and_what_is_held_of_them() -> None:
    page = (
        "```console\n$ gcreplay a\n1.5 x\n...\n$ gcreplay b\n$ echo $?\n1\n```\n"
        "<!-- times differ -->\n```console\n$ gcreplay c\nall in 3 ms\nGC  ms  %\n```\n"
        "<!-- not run by the tests: slow -->\n```console\n$ gcreplay d\n```\n"
    )
    first, second, third = commands(page)
    assert (first.line, first.exit_code, held(first)) == ("gcreplay a", 0, ["# x"])
    assert (second.line, second.exit_code, held(second)) == ("gcreplay b", 1, [])
    assert (third.line, held(third)) == ("gcreplay c", ["GC ms %"])
