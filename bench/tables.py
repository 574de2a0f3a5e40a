"""Markdown tables, and how the figures in them are written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The first column to the left, all others to the right."""
    lines = [headers, ["---", *["---:"] * (len(headers) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def section(title: str, *parts: str) -> str:
    """Every section bears the commit whose figures it shows."""
    return "\n\n".join([f"## {title}", f"At {commit()}.", *parts])


@cache
def commit() -> str:
    """The code that is measured; asked once, for it may be changed while a bench runs."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(CHECKOUT), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", ".", ":!bench/results")
        return f"commit {git('rev-parse', '--short=12', 'HEAD')}" + (
            " with changes that are not committed" if changed else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "no known commit"


def show(sections: Iterable[str], output: Path | None) -> None:
    """Print sections as they come; the file holds what has come so far."""
    commit()
    text = ""
    for one in sections:
        print(one, end="\n\n", flush=True)
        text += one.rstrip("\n") + "\n"
        if output is not None:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(text)
        text += "\n"
    if output is not None:
        print(f"written to {output}", file=sys.stderr)


def slashed(values: Iterable[int]) -> str:
    return "/".join(map(str, values))


def signed(values: Iterable[int]) -> str:
    return "/".join(f"{value:+d}" if value else "0" for value in values)


def bar(what: str, met: bool, why: str = "") -> str:
    return f"- {'met' if met else '**missed**'}: {what}{f' ({why})' if why else ''}"
