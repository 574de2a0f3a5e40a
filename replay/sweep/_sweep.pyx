"""The sweep's native part: one pass over a log that many settings of one collector share.

The work is in the headers beside this file, read in this order: lanes.h, collection.h, standing.h,
garbage.h, components.h, settings.h. hooked.h compiles the engine's loop once more, with hooks.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

import numpy as np

cdef extern from "hooked.h" nogil:
    ctypedef struct Object:
        uint32_t count, id
    ctypedef struct Heap:
        Object *objects
        void *observer
        const char *rule
    int c_advance "advance"(Heap *h, int mode)

cdef extern from "settings.h" nogil:
    ctypedef struct Made:
        uint64_t sequence, bytes
        uint32_t lane, allocation, candidates, tracked, links, collected, freed, survivors
        uint8_t generation, at_birth
    ctypedef struct Sweep:
        uint32_t lanes, width
        int32_t *threshold[3]
        int32_t *count[3]
        int32_t *young
        int64_t *long_lived_total
        int64_t *long_lived_pending
        int32_t *waiting[27]
        const uint32_t *member
        const uint32_t *member_begin
        const uint32_t *before
        const uint32_t *before_begin
        const uint64_t *due
        const uint8_t *cyclic
        const uint8_t *in_garbage
        uint32_t groups
        uint8_t checking
        uint64_t budget
        uint32_t inexact
        Made *made
        uint32_t made_length
        int64_t *peak
        int64_t *peak_bytes
        int64_t *peak_floating
        int64_t *peak_floating_bytes
        int64_t *early
    int make_lanes(Sweep *s, uint32_t lanes)
    void free_lanes(Sweep *s)
    int prepare_groups(Sweep *s)
    void c_arm "arm"(Sweep *s, int enabled)
    void begin_lanes(Sweep *s, Heap *h)
    void sweep_due(Heap *h)
    void freeze_lanes(Sweep *s)
    void unfreeze_lanes(Sweep *s)
    int collect_lanes(Sweep *s, Heap *h, int generation)
    void end_lanes(Sweep *s, Heap *h)

cdef extern from "components.h" nogil:
    ctypedef struct Components:
        uint32_t slots, groups, edges
        uint32_t *group
        uint32_t *order
        uint32_t *edge_from
        uint32_t *edge_to
        uint8_t *cyclic
    int find_components(const Heap *h, uint32_t garbage, Components *found)
    void free_components(Components *found)

cdef extern from *:
    """
    enum { COUNTING_LENIENT = COUNTING | LENIENT };
    """
    int COUNTING_LENIENT

MADE_DTYPE = np.dtype(
    [("sequence", "u8"), ("bytes", "u8"), ("lane", "u4"), ("allocation", "u4"),
     ("candidates", "u4"), ("tracked", "u4"), ("links", "u4"), ("collected", "u4"),
     ("freed", "u4"), ("survivors", "u4"), ("generation", "u1"), ("at_birth", "u1")],
    align=True)
REASONS = (
    "touched", "unproved", "nested", "again", "dicts", "opaque", "untracked", "blocked", "legacy",
    "called back", "frozen", "placed", "stuck")
"""By bit of `inexact`."""


def components(size_t address, uint32_t garbage):
    """Of a heap after find_garbage(): (ids, group of each, its cyclic flag, edges from, edges to).

    Groups are numbered in topological order, holders first.
    """
    cdef Heap *h = <Heap *>address
    cdef Components found
    cdef uint32_t i, r
    cdef int failed
    with nogil:
        failed = find_components(h, garbage, &found)
    if failed:
        free_components(&found)
        raise MemoryError
    ids = np.empty(found.slots, np.uint32)
    groups = np.empty(found.slots, np.uint32)
    cyclic = np.empty(found.groups, np.uint8)
    edge_from = np.empty(found.edges, np.uint32)
    edge_to = np.empty(found.edges, np.uint32)
    cdef uint32_t[::1] id_view = ids, group_view = groups, from_view = edge_from, to_view = edge_to
    cdef uint8_t[::1] cyclic_view = cyclic
    for i in range(found.slots):
        r = found.order[i]
        id_view[i] = h.objects[r].id
        group_view[i] = found.groups - found.group[r]
    for i in range(found.groups):
        cyclic_view[found.groups - 1 - i] = found.cyclic[i]
    for i in range(found.edges):
        from_view[i] = found.groups - 1 - found.edge_from[i]
        to_view[i] = found.groups - 1 - found.edge_to[i]
    free_components(&found)
    return ids, groups, cyclic, edge_from, edge_to


cdef class Lanes:
    """Many settings over the heap of one engine, which counts links, has applied nothing yet, and is
    fed but not advanced by the caller."""

    cdef Sweep s
    cdef Heap *h
    cdef object engine, kept

    def __cinit__(self, engine, thresholds, waiting, garbage, uint64_t budget):
        cdef const int32_t[:, ::1] of = thresholds
        cdef uint32_t i
        cdef int k
        self.engine = engine
        self.h = <Heap *><size_t>engine.address
        if make_lanes(&self.s, of.shape[1]):
            raise MemoryError
        for i in range(self.s.lanes):
            for k in range(3):
                self.s.threshold[k][i] = of[k, i]
        for k in range(27):
            for i in range(self.s.width):
                self.s.waiting[k][i] = waiting[k]
        self._know(garbage)
        self.s.checking = 1
        self.s.budget = budget
        self.h.observer = &self.s

    def __dealloc__(self):
        free_lanes(&self.s)

    def _know(self, garbage):
        cdef const uint32_t[::1] member = garbage.member, begin = garbage.begin
        cdef const uint32_t[::1] before = garbage.before, before_begin = garbage.before_begin
        cdef const uint64_t[::1] due = garbage.due
        cdef const uint8_t[::1] cyclic = garbage.cyclic, members = garbage.is_member
        cdef Sweep *s = &self.s
        self.kept = garbage
        s.groups = len(garbage.due)
        if s.groups:
            s.member, s.due, s.cyclic = &member[0], &due[0], &cyclic[0]
        if before.shape[0]:
            s.before = &before[0]
        s.member_begin, s.before_begin = &begin[0], &before_begin[0]
        if members.shape[0]:
            s.in_garbage = &members[0]
        if prepare_groups(s):
            raise MemoryError

    def advance(self):
        """As Engine.advance()."""
        cdef int reason
        with nogil:
            reason = c_advance(self.h, COUNTING_LENIENT)
        if reason == -2:
            raise MemoryError
        if reason == -1:
            raise ValueError(self.h.rule.decode())
        return reason

    def begin(self, start):
        """The log begins with this state of the collector."""
        cdef Sweep *s = &self.s
        cdef uint32_t i
        begin_lanes(s, self.h)
        for i in range(s.lanes):
            s.young[i] = start.count[0]
            s.count[1][i] = start.count[1]
            s.count[2][i] = start.count[2]
            s.long_lived_total[i] = start.long_lived_total
            s.long_lived_pending[i] = start.long_lived_pending
        c_arm(s, start.enabled)
        sweep_due(self.h)

    def enable(self, bint on):
        c_arm(&self.s, on)

    def collect(self, int generation):
        if collect_lanes(&self.s, self.h, generation):
            raise MemoryError

    def freeze(self):
        freeze_lanes(&self.s)

    def unfreeze(self):
        unfreeze_lanes(&self.s)

    def end(self):
        end_lanes(&self.s, self.h)

    def take_made(self):
        """The collections made since the last call, MADE_DTYPE."""
        cdef uint32_t n = self.s.made_length
        self.s.made_length = 0
        if not n:
            return np.empty(0, MADE_DTYPE)
        assert sizeof(Made) == MADE_DTYPE.itemsize
        cdef const uint8_t[::1] raw = <const uint8_t[:n * sizeof(Made)]><uint8_t *>self.s.made
        return np.array(raw, copy=True).view(MADE_DTYPE)

    @property
    def inexact(self):
        """Why the lanes may not be what a replay is: names of REASONS."""
        return [name for i, name in enumerate(REASONS) if self.s.inexact >> i & 1]

    def figures(self):
        """By lane, int64."""
        cdef uint32_t i, n = self.s.lanes
        names = ("peak_objects", "peak_bytes", "peak_floating_objects", "peak_floating_bytes",
                 "early")
        table = np.empty((len(names), n), np.int64)
        cdef int64_t[:, ::1] view = table
        for i in range(n):
            view[0, i] = self.s.peak[i]
            view[1, i] = self.s.peak_bytes[i]
            view[2, i] = self.s.peak_floating[i]
            view[3, i] = self.s.peak_floating_bytes[i]
            view[4, i] = self.s.early[i]
        return dict(zip(names, table))
