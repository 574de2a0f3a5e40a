"""Line numbers from the location table of a code object (CPython 3.11 and later).

Format: Objects/locations.md in CPython's sources. Programs make code objects with tables of their
own, so whatever stands there gives a line or none: what cannot be read has none, nor what follows.
"""

from libc.stdint cimport int64_t, uint8_t

cdef enum:
    MOST_LINES = 0x7FFFFFFF
    LONGEST = 6  # bytes of a difference of 32 bits


cdef class LineTable:
    """Which line each instruction of one code object belongs to."""

    cdef bytes table
    cdef int64_t first_line
    # The entry that was read last, from which a search for a later instruction goes on.
    cdef Py_ssize_t at
    cdef int64_t begun, line_before

    def __init__(self, bytes table not None, int64_t first_line):
        self.table = table
        self.first_line = self.line_before = first_line

    def line(self, object offset):
        """Line of the instruction at that byte offset; 0 when it has none."""
        if not 0 <= offset <= MOST_LINES:
            return 0
        if offset < self.begun:
            self.at, self.begun, self.line_before = 0, 0, self.first_line
        return self.search(offset)

    cdef int64_t search(self, int64_t offset):
        cdef const uint8_t *table = self.table
        cdef const uint8_t *at = table + self.at
        cdef const uint8_t *end = table + len(self.table)
        cdef int64_t line
        cdef int code, length, known
        while at < end:
            self.at = at - table
            line = self.line_before
            code = (at[0] >> 3) & 15
            length = 2 * ((at[0] & 7) + 1)
            at += 1
            known = code != 15  # which is no location
            if code == 13 or code == 14:  # a signed line difference; 14 has columns too
                known = take_signed(&at, end, &line)
            elif 10 <= code < 13:  # one-line forms carry the difference in the code
                line += code - 10
            if offset < self.begun + length:
                return line if known and 0 < line <= MOST_LINES else 0
            self.begun += length
            self.line_before = line
            while at < end and not at[0] & 128:
                at += 1  # columns
        self.at = end - table
        return 0


cdef int take_signed(const uint8_t **at, const uint8_t *end, int64_t *line) noexcept nogil:
    """Adds the number that stands there; 0 when it is cut short or too long, and then nothing
    follows."""
    cdef int64_t value = 0
    cdef int i = 0
    cdef uint8_t byte
    while i < LONGEST and at[0] + i < end:
        byte = at[0][i]
        value |= <int64_t>(byte & 63) << 6 * i
        i += 1
        if not byte & 64:
            at[0] += i
            line[0] += -(value >> 1) if value & 1 else value >> 1
            return 1
    at[0] = end
    return 0
