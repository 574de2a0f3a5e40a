"""Lines of source where objects were made, read outside the program when it has ended.

A file that has changed since the program started may have other lines by now: of it none are told.
"""

from __future__ import annotations

import io
import os
import stat
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from tokenize import detect_encoding
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gcreplay.store.events import Site

STARTED, DIRECTORY = "started_ns", "directory"
_LONGEST_LINE = 500
"""Characters of a line that are kept."""
_LARGEST_FILE = 16 << 20
"""Bytes of a file that is read."""

Lines = dict[tuple[str, int], str]


def before_start() -> dict[str, object]:
    """What has to be known of the moment before the program starts, as facts of the spool."""
    try:
        return {STARTED: time.time_ns(), DIRECTORY: str(Path.cwd())}
    except OSError:  # the directory is gone
        return {}


def source_lines(sites: Iterable[Site], told: Mapping[str, object]) -> Lines:
    """By file and line number: the lines of those sites whose file can be read and has not changed
    since `before_start` told."""
    started, directory = told.get(STARTED), told.get(DIRECTORY)
    if not isinstance(started, int) or not isinstance(directory, str):
        return {}
    numbers: dict[str, set[int]] = {}
    for site in sites:
        if site.line > 0:
            numbers.setdefault(site.file, set()).add(site.line)
    found: Lines = {}
    for file, wanted in numbers.items():
        text = file_lines(Path(directory, file), started)
        for number in sorted(wanted):
            if number <= len(text):
                found[file, number] = kept(text[number - 1])
    return found


def kept(line: str) -> str:
    """What is kept of a line."""
    return line.rstrip()[:_LONGEST_LINE]


def file_lines(path: Path, started: int | None = None) -> list[str]:
    """Of a regular file that has not changed since then, if a time is given; of any other none."""
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError):  # not every name is a file's: <string>
        return []
    try:
        with os.fdopen(opened, "rb") as file:
            status = os.fstat(opened)
            newest = max(status.st_mtime_ns, status.st_ctime_ns)
            changed = started is not None and newest >= started
            if changed or not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_FILE:
                return []
            content = file.read(_LARGEST_FILE)
        encoding, _ = detect_encoding(io.BytesIO(content).readline)
    except (OSError, SyntaxError):
        return []
    with io.TextIOWrapper(io.BytesIO(content), encoding, errors="replace") as text:
        return text.readlines()
