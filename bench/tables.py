"""Markdown tables, and how the figures in them are written."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The first column to the left, all others to the right."""
    lines = [headers, ["---", *["---:"] * (len(headers) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def section(title: str, *parts: str) -> str:
    return "\n\n".join([f"## {title}", *parts])


def show(sections: Iterable[str], output: Path | None) -> None:
    """Print sections as they come; write them to a file when all are there."""
    text = []
    for one in sections:
        print(one, end="\n\n", flush=True)
        text.append(one)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text("\n\n".join(text) + "\n")
        print(f"written to {output}", file=sys.stderr)


def slashed(values: Iterable[int]) -> str:
    return "/".join(map(str, values))


def signed(values: Iterable[int]) -> str:
    return "/".join(f"{value:+d}" if value else "0" for value in values)


def bar(what: str, met: bool, why: str = "") -> str:
    return f"- {'met' if met else '**missed**'}: {what}{f' ({why})' if why else ''}"
