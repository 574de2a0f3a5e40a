"""Binding of the native ingest (tracer/ingest): bytes of the spool in, columns and names out."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

import numpy as np

cdef extern from "ingest.h" nogil:
    enum: REPAIR_KINDS
    ctypedef struct events_t:
        uint8_t *op
        uint32_t *a
        uint32_t *b
        uint32_t *c
        size_t n
    ctypedef struct type_def_t:
        uint32_t kind_flags, module_kind, name_kind
        size_t module_at, module_n, name_at, name_n
    ctypedef struct code_def_t:
        uint32_t first_line, file_kind, name_kind
        size_t file_at, file_n, name_at, name_n, table_at, table_n
    ctypedef struct site_def_t:
        uint32_t code, offset, near
    ctypedef struct shape_def_t:
        uint32_t type, size, flags
    ctypedef struct text_def_t:
        uint32_t kind
        size_t at, n
    ctypedef struct call_def_t:
        uint32_t call
        int n
        int64_t arguments[3]
    ctypedef struct observed_t:
        uint64_t sequence, allocation, duration_ns
        uint32_t cause, generation, candidates
        uint64_t collected, uncollectable, long_lived_total, long_lived_pending
        uint32_t at, end, buried
    ctypedef struct batch_t:
        uint64_t sequence
        uint32_t reason
        size_t readings, links
    ctypedef struct unusual_t:
        uint64_t kept, outlived, owned
    ctypedef struct words_t:
        uint32_t *at
        size_t n
    ctypedef struct ingest_t:
        int failed
        const char *error
        const uint8_t *base
        const uint8_t *record
        events_t out
        uint64_t taken
        size_t window_from
        words_t buried
        type_def_t *types
        code_def_t *codes
        site_def_t *sites
        shape_def_t *shapes
        text_def_t *marks
        text_def_t *labels
        call_def_t *calls
        observed_t *observed
        size_t types_n, codes_n, sites_n, shapes_n, marks_n, calls_n, labels_n, observed_final
        batch_t *batches
        size_t batches_final
        words_t read_objects, read_titles, read_counts, read_targets, read_names
        int64_t state[64]
        int state_n
        int ended
        uint32_t next_name
        unusual_t *unusual
        size_t unusual_n
        uint64_t repairs[REPAIR_KINDS]
        uint64_t raw_records, visits, members, page_bytes
    ingest_t *ingest_new()
    void ingest_free(ingest_t *s)
    int64_t ingest_feed(ingest_t *s, const uint8_t *base, size_t n, size_t max_events)
    void mapped_begin(const uint8_t *base, size_t n)
    int mapped_end()
    void ingest_finish(ingest_t *s)
    void ingest_taken(ingest_t *s)

_ENCODINGS = ("utf-8", "latin-1", "utf-16-le", "", "utf-32-le")


cdef str text(const uint8_t *base, uint32_t kind, size_t at, size_t n):
    return (<const char *>base + at)[:n].decode(_ENCODINGS[kind], "replace")


cdef object copied(words_t *words, size_t n):
    """The first of them."""
    column = np.empty(n, np.uint32)
    cdef uint32_t[::1] view = column
    if n:
        memcpy(&view[0], words.at, 4 * n)
    return column


cdef class Ingest:
    """Turns raw records into canonical events; one per recording."""

    cdef ingest_t *s

    def __cinit__(self):
        self.s = ingest_new()
        if self.s == NULL:
            raise MemoryError

    def __dealloc__(self):
        ingest_free(self.s)

    def feed(self, const uint8_t[::1] data, size_t max_events):
        """Read records from the start of `data` until it ends or about `max_events` events wait.

        Returns (bytes read, definitions); `definitions` holds, in the order they were made,
        lists under "types", "codes", "sites", "shapes", "marks", "labels", "calls" and
        "observed".
        The bytes must begin and end between records. Raises ValueError for bytes that are none,
        with what is wrong, the definitions of before, and where the record begins.
        """
        cdef int64_t read
        cdef size_t n = data.shape[0]
        if n == 0:
            return 0, self._definitions()
        cdef const uint8_t *base = &data[0]
        mapped_begin(base, n)
        try:
            with nogil:
                read = ingest_feed(self.s, base, n, max_events)
            definitions = self._definitions()
        finally:
            whole = mapped_end()
        if not whole:
            raise ValueError("the file was cut short while it was read, or its disk failed", None, 0)
        if read < 0:
            raise ValueError(self.s.error.decode(), definitions, self.s.record - self.s.base)
        return read, definitions

    def finish(self):
        """Complete what waits for a next record; returns its definitions as `feed`."""
        ingest_finish(self.s)
        if self.s.failed:
            raise ValueError(self.s.error.decode())
        return self._definitions()

    def readings(self):
        """The readings that became final since the last `take`: (sequence uint64, object uint32, reason
        uint8, title, count, target, label uint32), copies, labels by the number of their definition."""
        cdef ingest_t *s = self.s
        cdef size_t n = s.batches_final
        cdef size_t readings = s.batches[n - 1].readings if n else 0
        cdef size_t links = s.batches[n - 1].links if n else 0
        ends = np.array([s.batches[i].readings for i in range(n)], np.int64)
        counts = np.diff(ends, prepend=0)
        sequence = np.repeat(np.array([s.batches[i].sequence for i in range(n)], np.uint64), counts)
        reason = np.repeat(np.array([s.batches[i].reason for i in range(n)], np.uint8), counts)
        return (
            sequence, copied(&s.read_objects, readings), reason, copied(&s.read_titles, readings),
            copied(&s.read_counts, readings), copied(&s.read_targets, links), copied(&s.read_names, links),
        )

    def take(self):
        """The events that became final since the last call: (op uint8, a, b, c uint32), copies; and
        (places, gone uint32): the object gone[i] left with its links before the event at places[i],
        as the garbage of a collection, and no event behind names it."""
        cdef size_t n = self.s.window_from
        op = np.empty(n, np.uint8)
        a = np.empty(n, np.uint32)
        b = np.empty(n, np.uint32)
        c = np.empty(n, np.uint32)
        cdef uint8_t[::1] vo = op
        cdef uint32_t[::1] va = a, vb = b, vc = c
        if n:
            memcpy(&vo[0], self.s.out.op, n)
            memcpy(&va[0], self.s.out.a, 4 * n)
            memcpy(&vb[0], self.s.out.b, 4 * n)
            memcpy(&vc[0], self.s.out.c, 4 * n)
        places, gone = self._buried()
        ingest_taken(self.s)
        return op, a, b, c, places, gone

    cdef tuple _buried(self):
        cdef ingest_t *s = self.s
        cdef size_t i, done = 0, n = s.observed[s.observed_final - 1].buried if s.observed_final else 0
        places = np.empty(n, np.uint32)
        gone = np.empty(n, np.uint32)
        cdef uint32_t[::1] vp = places, vg = gone
        for i in range(s.observed_final):
            while done < s.observed[i].buried:
                vp[done] = s.observed[i].sequence + s.observed[i].end - s.observed[i].at - s.taken
                vg[done] = s.buried.at[done]
                done += 1
        return places, gone

    @property
    def state(self):
        """Operands of the state record, or None before it was read."""
        return [self.s.state[i] for i in range(self.s.state_n)] if self.s.state_n else None

    @property
    def ended(self):
        """Whether the interpreter's shutdown was reached."""
        return bool(self.s.ended)

    @property
    def events(self):
        """Number of canonical events made so far."""
        return self.s.taken + self.s.out.n

    @property
    def objects(self):
        """Number of objects that have a name in them."""
        return self.s.next_name

    @property
    def repairs(self):
        """Number of repairs of each kind, in the order of enum repair."""
        return [self.s.repairs[i] for i in range(REPAIR_KINDS)]

    @property
    def unusual(self):
        """Numbers of objects (died into a free list of their type, outlived a collection that counted
        them, with blocks of their own), by type number."""
        return [
            (self.s.unusual[i].kept, self.s.unusual[i].outlived, self.s.unusual[i].owned)
            for i in range(self.s.unusual_n)
        ]

    @property
    def visits(self):
        """Number of objects that were met in search of what holds others, in all probes."""
        return self.s.visits

    @property
    def members(self):
        """Number of objects that probes have shown, in all of them."""
        return self.s.members

    @property
    def page_bytes(self):
        """Memory that the objects of the model take."""
        return self.s.page_bytes

    cdef dict _definitions(self):
        cdef ingest_t *s = self.s
        cdef const uint8_t *b = s.base
        cdef size_t i
        return {
            "types": [
                (s.types[i].kind_flags,
                 text(b, s.types[i].module_kind, s.types[i].module_at, s.types[i].module_n),
                 text(b, s.types[i].name_kind, s.types[i].name_at, s.types[i].name_n))
                for i in range(s.types_n)
            ],
            "codes": [
                (s.codes[i].first_line,
                 text(b, s.codes[i].file_kind, s.codes[i].file_at, s.codes[i].file_n),
                 text(b, s.codes[i].name_kind, s.codes[i].name_at, s.codes[i].name_n),
                 (<const char *>b + s.codes[i].table_at)[:s.codes[i].table_n])
                for i in range(s.codes_n)
            ],
            "sites": [
                (s.sites[i].code, s.sites[i].offset, s.sites[i].near) for i in range(s.sites_n)
            ],
            "shapes": [
                (s.shapes[i].type, s.shapes[i].size, s.shapes[i].flags) for i in range(s.shapes_n)
            ],
            "marks": [
                text(b, s.marks[i].kind, s.marks[i].at, s.marks[i].n) for i in range(s.marks_n)
            ],
            "labels": [
                text(b, s.labels[i].kind, s.labels[i].at, s.labels[i].n) for i in range(s.labels_n)
            ],
            "calls": [
                (s.calls[i].call, [s.calls[i].arguments[j] for j in range(s.calls[i].n)])
                for i in range(s.calls_n)
            ],
            "observed": [
                (s.observed[i].sequence, s.observed[i].allocation, s.observed[i].cause,
                 s.observed[i].generation, s.observed[i].candidates, s.observed[i].collected,
                 s.observed[i].uncollectable, s.observed[i].long_lived_total,
                 s.observed[i].long_lived_pending, s.observed[i].duration_ns)
                for i in range(s.observed_final)
            ],
        }
