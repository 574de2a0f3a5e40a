"""The heap of an engine as arrays, and what holds what in it. The work is in graph.h."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

import numpy as np

cdef extern from "graph.h" nogil:
    ctypedef struct Object:
        uint32_t count
    ctypedef struct Heap:
        uint32_t slots
        uint64_t live
    ctypedef struct Search:
        uint32_t *vertex
        uint32_t *parent
        uint32_t *semi
        uint32_t *label
        uint32_t *ancestor
        uint32_t *dominator
        uint32_t *first
        uint32_t *next
        uint32_t *stack
        uint64_t *before
        uint32_t *source
    void c_export_objects "export_objects"(
        const Heap *h, uint32_t *vertex, uint32_t *id, uint32_t *shape, uint32_t *count,
        uint64_t *owned)
    uint64_t c_links_alive "links_alive"(const Heap *h)
    uint64_t c_export_links "export_links"(
        const Heap *h, const uint32_t *vertex, const uint32_t *id, uint32_t n, uint64_t *begin,
        uint32_t *target, uint32_t *label)
    void c_reach "reach"(
        const uint64_t *begin, const uint32_t *target, const uint32_t *start, uint32_t starts,
        const uint8_t *barred, uint64_t *via, uint32_t *holder, uint32_t *depth, uint32_t *queue)
    uint32_t c_number "number_in_preorder"(
        uint32_t n, const uint64_t *begin, const uint32_t *target, const uint8_t *root, Search *s,
        uint32_t *number, uint64_t *at)
    void c_turn_round "turn_round"(
        uint32_t found, const uint64_t *begin, const uint32_t *target, const uint32_t *number,
        Search *s)
    void c_find_dominators "find_dominators"(uint32_t found, const uint8_t *root, Search *s)

NOT_REACHED, IS_START = 2**64 - 1, 2**64 - 2


def export(size_t address):
    """The objects alive in the engine with that `address`, by ascending id, and their links in
    order: (id, shape, count: uint32[n], owned: uint64[n], begin: uint64[n + 1], target, label:
    uint32[m]). Link k of vertex v, begin[v] <= k < begin[v + 1], leads to vertex target[k]. `owned`
    is what the last RESIZE event says, int64."""
    cdef const Heap *h = <const Heap *>address
    cdef uint32_t n = <uint32_t>h.live
    cdef uint64_t m = c_links_alive(h)
    vertices = np.empty(max(1, h.slots), np.uint32)
    ids, shapes, counts = (np.empty(max(1, n), np.uint32) for _ in range(3))
    owns, begins = np.empty(max(1, n), np.uint64), np.empty(n + 1, np.uint64)
    targets, labels = np.empty(max(1, m), np.uint32), np.empty(max(1, m), np.uint32)
    cdef uint32_t[::1] vertex = vertices, id = ids, shape = shapes, count = counts
    cdef uint64_t[::1] owned = owns, begin = begins
    cdef uint32_t[::1] target = targets, label = labels
    with nogil:
        c_export_objects(h, &vertex[0], &id[0], &shape[0], &count[0], &owned[0])
        m = c_export_links(h, &vertex[0], &id[0], n, &begin[0], &target[0], &label[0])
    return ids[:n], shapes[:n], counts[:n], owns[:n].view(np.int64), begins, targets[:m], labels[:m]


def reach(begin, target, starts, barred, via, holder, depth):
    """Go from these starts (uint32, in order) along links, breadth first, over vertices that were
    not reached before and are not `barred` (uint8[n]). Into `via` (uint64[n], at first NOT_REACHED)
    goes the link by which each is reached, or IS_START; into `holder` and `depth` (uint32[n]) whose
    it is, and how many lead there."""
    cdef const uint64_t[::1] begins = begin
    cdef uint32_t n = begins.shape[0] - 1
    if not (n and len(starts)):
        return
    cdef const uint32_t[::1] targets = target if len(target) else np.zeros(1, np.uint32)
    cdef const uint32_t[::1] start = starts
    cdef const uint8_t[::1] bars = barred
    cdef uint64_t[::1] vias = via
    cdef uint32_t[::1] holders = holder, depths = depth
    room = np.empty(n, np.uint32)
    cdef uint32_t[::1] queue = room
    with nogil:
        c_reach(&begins[0], &targets[0], &start[0], start.shape[0], &bars[0], &vias[0],
                &holders[0], &depths[0], &queue[0])


def dominators(begin, target, root):
    """Which vertex all ways from roots (uint8[n]) to each pass through last: (dominator, order).

    dominator: int64[n], -1 where that is none but the root of all roots, -2 where no root leads.
    order: uint32, the vertices that are reached, each behind its dominator.
    """
    cdef const uint64_t[::1] begins = begin
    cdef uint32_t n = begins.shape[0] - 1, found, i
    found_of = np.full(n, -2, np.int64)
    if not n:
        return found_of, np.empty(0, np.uint32)
    cdef const uint32_t[::1] targets = target if len(target) else np.zeros(1, np.uint32)
    cdef const uint8_t[::1] roots = root
    numbers = np.zeros(n, np.uint32)
    rooms = np.zeros((9, n + 3), np.uint32)
    long_room = np.zeros(n + 3, np.uint64)
    sources = np.empty(max(1, len(target)), np.uint32)
    cdef uint32_t[::1] number = numbers, source = sources
    cdef uint32_t[:, ::1] room = rooms
    cdef uint64_t[::1] before = long_room
    cdef Search s
    s.vertex, s.parent, s.semi = &room[0, 0], &room[1, 0], &room[2, 0]
    s.label, s.ancestor, s.dominator = &room[3, 0], &room[4, 0], &room[5, 0]
    s.first, s.next, s.stack = &room[6, 0], &room[7, 0], &room[8, 0]
    s.before, s.source = &before[0], &source[0]
    cdef int64_t[::1] dominator = found_of
    with nogil:
        found = c_number(n, &begins[0], &targets[0], &roots[0], &s, &number[0], &before[0])
        for i in range(n + 3):
            before[i] = 0
        c_turn_round(found, &begins[0], &targets[0], &number[0], &s)
        c_find_dominators(found, &roots[0], &s)
        for i in range(1, found + 1):
            dominator[s.vertex[i]] = -1 if s.dominator[i] == 0 else s.vertex[s.dominator[i]]
    return found_of, rooms[0, 1:found + 1].copy()


def sum_up(order, dominator, weight):
    """What each vertex dominates, itself included: `weight` (int64[n]) is summed up in place."""
    cdef const uint32_t[::1] orders = order
    cdef const int64_t[::1] above = dominator
    cdef int64_t[::1] sums = weight
    cdef Py_ssize_t i
    cdef uint32_t v
    with nogil:
        for i in range(orders.shape[0] - 1, -1, -1):
            v = orders[i]
            if above[v] >= 0:
                sums[above[v]] += sums[v]
