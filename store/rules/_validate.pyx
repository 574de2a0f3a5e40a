# cython: embedsignature=True
"""Binding of the rules (rules.h): columns of events in, the first broken rule out."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef extern from "rules.h" nogil:
    enum: VALID, DEAD, NO_MEMORY
    uint32_t NONE
    ctypedef struct Links:
        uint32_t unused
    ctypedef struct Rules:
        Links links
        int found_heap
        uint32_t sites, labels, arguments
        uint64_t born, dead
        uint32_t culprit
    ctypedef struct Columns:
        const uint8_t *op
        const uint32_t *a
        const uint32_t *b
        const uint32_t *c
    void rules_free(Rules *s)
    int rules_shapes(Rules *s, const uint64_t *sizes, const uint32_t *flags, size_t n)
    int apply(Rules *s, uint8_t op, uint32_t a, uint32_t b, uint32_t c)
    size_t apply_all(Rules *s, const Columns *of, size_t i, size_t n, int *rule)
    int leave(Rules *s, const uint32_t *gone, size_t n)
    int remains(
        Rules *s, const Rules *whole, uint8_t op, uint32_t *a, uint32_t *b, uint32_t c)


cdef class State:
    """The objects and links at some point of a log.

    `found_heap` says that a START event is to come. `know` says what events may name.
    """

    cdef Rules s

    def __cinit__(self, bint found_heap):
        self.s.found_heap = found_heap
        self.s.links.unused = NONE

    def __dealloc__(self):
        rules_free(&self.s)

    @property
    def live(self):
        """Number of objects alive."""
        return self.s.born - self.s.dead

    @property
    def culprit(self):
        """The object that the broken rule speaks of."""
        return self.s.culprit

    def know(
        self, const uint64_t[::1] sizes not None, const uint32_t[::1] flags not None,
        uint32_t sites, uint32_t labels, uint32_t arguments,
    ):
        """The shapes' bytes (uint64) and flags (uint32), and how many sites, labels and arguments
        there are: those of before, and perhaps more."""
        cdef size_t n = flags.shape[0]
        if n and not rules_shapes(&self.s, &sizes[0], &flags[0], n):
            raise MemoryError("too many shapes")
        self.s.sites = sites
        self.s.labels = labels
        self.s.arguments = arguments

    def feed(
        self, const uint8_t[::1] op not None, const uint32_t[::1] a not None,
        const uint32_t[::1] b not None, const uint32_t[::1] c not None,
        const uint32_t[::1] places not None, const uint32_t[::1] gone not None,
    ):
        """Apply the next events. Returns (index, rule): the first event that breaks a rule.

        All is well when the rule is 0. After a broken rule the state must not be fed again.
        Before the event at `places[i]`, a rising position, the object `gone[i]` leaves with its
        links: no event names it any more.
        """
        cdef size_t n = op.shape[0], m = gone.shape[0], i = 0, j = 0, first
        cdef int rule = VALID
        cdef Columns of = Columns(NULL, NULL, NULL, NULL)
        if n:
            of.op, of.a, of.b, of.c = &op[0], &a[0], &b[0], &c[0]
        with nogil:
            while rule == VALID and j < m and places[j] <= n:
                if i < places[j]:
                    i = apply_all(&self.s, &of, i, places[j], &rule)
                first = j
                while j < m and places[j] == places[first]:
                    j += 1
                if rule == VALID:
                    rule = leave(&self.s, &gone[first], j - first)
            if rule == VALID and i < n:
                i = apply_all(&self.s, &of, i, n, &rule)
        if rule == NO_MEMORY:
            raise MemoryError("too many objects or links")
        return i, rule

    def sift(
        self, State recorded not None, const uint8_t[::1] op not None, uint32_t[::1] a not None,
        uint32_t[::1] b not None, const uint32_t[::1] c not None,
        const uint8_t[::1] left_out not None, uint8_t[::1] keep not None,
        uint32_t[::1] missed not None,
    ):
        """Apply what remains of the next events when some are left out: those for which `left_out`
        (uint8, by event) is not 0.

        `recorded` is the state of the whole log, to which all events are applied. `keep` becomes 1
        for what remains; `a` and `b` are changed where that says less than what was recorded.
        `missed` becomes the object that is dead without those events, of one that names it and so
        does not remain. Returns as `feed` whether all that was recorded is valid.
        """
        cdef size_t n = op.shape[0], i = 0
        cdef int rule = VALID, lesser
        with nogil:
            for i in range(n):
                rule = apply(&recorded.s, op[i], a[i], b[i], c[i])
                if rule != VALID:
                    break
                keep[i] = 0
                if left_out[i]:
                    continue
                lesser = remains(&self.s, &recorded.s, op[i], &a[i], &b[i], c[i])
                keep[i] = lesser == VALID
                if lesser == DEAD:
                    missed[i] = self.s.culprit
        if rule == NO_MEMORY:
            raise MemoryError("too many objects or links")
        return (i if rule != VALID else n), rule
