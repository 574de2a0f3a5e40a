"""Reading is bounded by the file's size, whatever the file says.

A file says how many rows it has, how long its values are, and which of its pages come next; one
that is damaged can say anything, for example that a page comes after itself. So SQLite may take
only so many steps and give only so many bytes of text as a whole file of that size has a use for.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable

from ..errors import DamagedFile

_AT_A_TIME = 1000
_STEPS_A_BYTE = 3  # all rows of the densest tables take 0.6, and a block reads them to check first
_TEXTS = 8  # how often one block may read all texts of the file: to check each table, then for use
_LEAST = 1 << 17
_LONGEST = 1 << 26  # a value of a file that is growing


class Malformed(ValueError):
    """A value in the file is not what its column holds."""


class Bounds:
    """What one block of reading may still take; `size` gives the bytes of the file now."""

    def __init__(self, name: str, size: Callable[[], int]) -> None:
        self._name = name
        self._size = size
        self._steps = self._bytes = 0

    def guard(self, connection: sqlite3.Connection, *, writable: bool) -> None:
        """Keep the connection within bounds, and from other files."""
        self.renew()
        connection.set_progress_handler(self._step, _AT_A_TIME)
        connection.text_factory = self._text
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        if not writable:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(_LONGEST, self._size()))

    def renew(self) -> None:
        """A block of reading begins."""
        size = max(_LEAST, self._size())
        self._steps = _STEPS_A_BYTE * size // _AT_A_TIME
        self._bytes = _TEXTS * size

    def lift(self) -> None:
        """A block of writing begins: what it writes is not in the file yet."""
        self._steps = self._bytes = sys.maxsize

    def _step(self) -> bool:
        """Called every _AT_A_TIME steps of SQLite's machine; True interrupts it."""
        self._steps -= 1
        return self._steps < 0

    def _text(self, raw: bytes) -> str:
        self._bytes -= len(raw)
        if self._bytes < 0:
            raise DamagedFile(f"{self._name} is damaged: it gives more text than it is long")
        return raw.decode()


def stored_json(text: str) -> object:
    """The value of a JSON column. Raises Malformed, and TypeError for a number, which SQLite does
    not keep as text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from error
