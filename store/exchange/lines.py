"""Lines of a text that may have no end: a device, or a file of something else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from ..errors import MalformedLine

LONGEST_HEADER = 1 << 28
"""Characters of the first line, which may hold all names of a log."""

LONGEST_LINE = 1 << 24
"""Characters of any other line."""

_FIRST_READ = 1 << 12


def bounded_lines(file: TextIO) -> Iterator[str]:
    """The lines of the file. Raises MalformedLine for one that is too long to be an event."""
    first = file.readline(_FIRST_READ)
    if not first.endswith("\n") and first.lstrip().startswith("{"):
        first += file.readline(LONGEST_HEADER)
    longest = max(_FIRST_READ, LONGEST_HEADER)
    line, number = first, 1
    while line:
        if not line.endswith("\n") and len(line) >= longest:
            raise MalformedLine(number, f"it is longer than {longest:,} characters")
        yield line
        longest = LONGEST_LINE
        line, number = file.readline(longest), number + 1
