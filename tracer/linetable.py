"""Line numbers from the location table of a code object (CPython 3.11 and later).

Format: Objects/locations.md in CPython's sources. Programs make code objects with tables of their
own, so whatever stands there gives a line or none: what cannot be read has none, nor what follows.
"""

from bisect import bisect_right

_MOST_LINES = 0x7FFFFFFF
_LONGEST = 6
"""Bytes of a difference of 32 bits."""


class LineTable:
    """Which line each instruction of one code object belongs to."""

    def __init__(self, table: bytes, first_line: int) -> None:
        self._table = table
        self._at = 0
        self._line = first_line
        self._offset = 0
        self._starts: list[int] = []
        self._lines: list[int] = []

    def line(self, offset: int) -> int:
        """Line of the instruction at that byte offset; 0 when it has none."""
        while self._offset <= offset and self._at < len(self._table):
            self._read_entry()
        if not 0 <= offset < self._offset:
            return 0
        line = self._lines[bisect_right(self._starts, offset) - 1]
        return line if 0 < line <= _MOST_LINES else 0

    def _read_entry(self) -> None:
        table = self._table
        head = table[self._at]
        self._at += 1
        code = (head >> 3) & 15
        delta: int | None = 0  # short forms
        if code == 15:  # no location
            delta = None
        elif code in (13, 14):  # a signed line difference; 14 has columns too
            delta = self._signed()
            if delta is None:
                self._at = len(table)
        elif code >= 10:  # one-line forms carry the difference in the code
            delta = code - 10
        self._line += delta or 0
        self._starts.append(self._offset)
        self._lines.append(self._line if delta is not None else 0)
        self._offset += 2 * ((head & 7) + 1)
        while self._at < len(table) and not table[self._at] & 128:
            self._at += 1  # columns

    def _signed(self) -> int | None:
        """The number that follows; None when it is cut short or too long."""
        value = 0
        for i, byte in enumerate(self._table[self._at : self._at + _LONGEST]):
            value |= (byte & 63) << 6 * i
            if not byte & 64:
                self._at += i + 1
                return -(value >> 1) if value & 1 else value >> 1
        return None
