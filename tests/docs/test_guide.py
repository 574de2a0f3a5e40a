"""docs/guide/: the commands run as they stand there, and print what the pages say they print.

A block below `<!-- times differ -->` has times in it, and words and widths that depend on them: of
such a block the words in the heads of tables are compared. `<!-- not run by the tests: WHY -->`
leaves one out. Of all others each line is compared, but for numbers: they differ with the
interpreter.
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


def missing(typed: Typed, output: str) -> str | None:
    """The first of what the page shows that the output does not have, in this order."""
    shown = [line for line in typed.shown if line not in ("", "...")]
    if typed.times_differ:
        heads = [word for line in shown if HEAD.fullmatch(line) for word in line.split()]
        return next((word for word in heads if word not in output.split()), None)
    printed = iter([masked(line) for line in output.splitlines()])
    return next((line for line in shown if masked(line) not in printed), None)


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
            assert missing(command, output) is None, (page, command.line, output)


def test_commands_are_found_and_what_they_do_not_print() -> None:
    page = (
        "```console\n$ gcreplay a\n1.5 x\n...\ny\n$ gcreplay b > file\n$ echo $?\n1\n```\n"
        "<!-- times differ -->\n```console\n$ gcreplay c\nall in 3 ms\nGC  ms  %\n```\n"
        "<!-- not run by the tests: slow -->\n```console\n$ gcreplay d\n```\n"
    )
    first, second, third = commands(page)
    assert [(c.line, c.exit_code) for c in (first, second, third)] == [
        ("gcreplay a", 0),
        ("gcreplay b > file", 1),
        ("gcreplay c", 0),
    ]
    assert missing(first, "27  x\nother\ny\n") is None
    assert missing(first, "y\n27 x\n") == "y"
    assert missing(third, "GC %\nms") is None
    assert missing(third, "GC %") == "ms"
