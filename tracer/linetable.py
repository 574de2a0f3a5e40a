"""Line numbers from the location table of a code object (CPython 3.11 and later).

Format: Objects/locations.md in CPython's sources.
"""

from bisect import bisect_right


class LineTable:
    """Which line each instruction of one code object belongs to."""

    def __init__(self, table: bytes, first_line: int) -> None:
        self._starts: list[int] = []
        self._lines: list[int] = []
        line, offset, at = first_line, 0, 0
        while at < len(table):
            head = table[at]
            at += 1
            code = (head >> 3) & 15
            if code == 15:  # no location
                delta = None
            elif code in (13, 14):  # a signed line difference; 14 has columns too
                delta, at = _signed(table, at)
            else:  # short and one-line forms; 10 to 12 carry the difference in the code
                delta = code - 10 if code >= 10 else 0
            if delta is not None:
                line += delta
            self._starts.append(offset)
            self._lines.append(line if delta is not None else 0)
            offset += 2 * ((head & 7) + 1)
            while at < len(table) and not table[at] & 128:
                at += 1  # columns

    def line(self, offset: int) -> int:
        """Line of the instruction at that byte offset; 0 when it has none."""
        position = bisect_right(self._starts, offset) - 1
        return self._lines[position] if position >= 0 else 0


def _signed(table: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = table[at]
        at += 1
        value |= (byte & 63) << shift
        shift += 6
        if not byte & 64:
            break
    return (-(value >> 1) if value & 1 else value >> 1), at
