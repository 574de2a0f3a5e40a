# cython: embedsignature=True
"""The rules of the event log, judged under `never`: reference counts and links, no collector.

One pass, O(1) an event but for deaths, which undo the links of what dies. The links of an
object form a list, newest first, and an UNLINK searches it from there; a source whose search
grows long gets an index by (source, target), so that large containers emptied from the front
stay cheap.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memset

cdef enum:
    START = 0
    ALLOC = 1
    INCREF = 2
    DECREF = 3
    LINK = 4
    UNLINK = 5
    KEPT = 6
    RESIZE = 7
    TRACK = 8
    UNTRACK = 9
    GC_CALL = 10
    INSIDE = 11
    SAFEPOINT = 12
    MARK = 13
    TICK = 14
    WEAKREF = 15

# Broken rules, by number: the index into validate.RULES.
cdef enum:
    VALID = 0
    NO_SUCH_OP = 1
    NOT_DENSE = 2
    UNKNOWN_SHAPE = 3
    UNKNOWN_SITE = 4
    NOT_BORN = 5
    DEAD = 6
    NO_REFERENCES = 7
    TOO_MANY = 8
    NO_LINK = 9
    UNKNOWN_LABEL = 10
    NOT_JUST_DIED = 11
    NO_CONTAINER = 12
    BAD_GENERATION = 13
    BAD_CALL = 14
    UNKNOWN_ARGUMENT = 15
    NESTED = 16
    NOT_INSIDE = 17
    BAD_VALUE = 18
    HAS_TARGET = 19
    SECOND_START = 20
    NOT_FOUND_HEAP = 21
    DEATH_FOUND_HEAP = 22
    NOT_HELD = 23
    BAD_FLAGS = 24
    OVERFLOW = 25

cdef enum:
    FLAG_GC = 1
    FLAG_COUNTED = 2
    FLAG_TRACKED = 4
    FLAG_IMMORTAL = 8

# State bits of an object.
cdef enum:
    IS_DEAD = 1
    IS_KEPT = 2
    IS_GC = 4
    IS_IMMORTAL = 8
    IS_INDEXED = 16
    IS_WEAK = 32

cdef enum:
    NONE = 0xFFFFFFFF
    LONG_SEARCH = 32
    HIT = 2  # of store.events.WeakUse
    MISS = 3
    GC_CALLS = 7
    COUNTING_OPS = 1 << INCREF | 1 << DECREF | 1 << UNLINK
    # UNTRACK undoes the tracking that a link from a dict implies.
    FOUND_HEAP_OPS = 1 << ALLOC | 1 << INCREF | 1 << DECREF | 1 << LINK | 1 << RESIZE | 1 << TRACK | 1 << UNTRACK | 1 << WEAKREF

cdef struct Object:
    uint32_t count  # references; of a dead object, the epoch it died in
    uint32_t linked  # those that are links
    uint32_t head  # newest link
    uint32_t state

cdef struct Link:
    uint32_t target
    uint32_t next  # older link of the same source
    uint32_t previous  # newer link of the same source
    uint32_t same  # older link of the same source to the same target, when indexed

cdef struct Slot:
    uint32_t source
    uint32_t target
    uint32_t link  # newest link of the pair; NONE marks an empty slot


cdef class State:
    """The objects and links at some point of a log.

    `flags` are the shapes' flags (uint32), `sites`, `labels` and `arguments` how many there
    are; `found_heap` says that a START event is to come.
    """

    cdef Object *objects
    cdef Link *links
    cdef Slot *slots
    cdef uint32_t *stack
    cdef size_t born, room, links_used, links_room, slots_used, slots_room, stack_room
    cdef uint32_t free_links, epoch, inside
    cdef bint is_inside, found_heap, started
    cdef const uint32_t[::1] flags
    cdef uint32_t sites, labels, arguments
    cdef readonly uint64_t live
    cdef readonly uint32_t culprit

    def __cinit__(
        self, const uint32_t[::1] flags not None, uint32_t sites, uint32_t labels,
        uint32_t arguments, bint found_heap,
    ):
        self.flags = flags
        self.sites = sites
        self.labels = labels
        self.arguments = arguments
        self.found_heap = found_heap
        self.free_links = NONE

    def __dealloc__(self):
        free(self.objects)
        free(self.links)
        free(self.slots)
        free(self.stack)

    def feed(
        self, const uint8_t[::1] op not None, const uint32_t[::1] a not None,
        const uint32_t[::1] b not None, const uint32_t[::1] c not None,
    ):
        """Apply the next events. Returns (index, rule): the first event that breaks a rule.

        All is well when the rule is 0. After a broken rule the state must not be fed again.
        `culprit` is the object that the rule speaks of.
        """
        cdef size_t n = op.shape[0], i
        cdef int rule = VALID
        if n == 0:
            return 0, VALID
        with nogil:
            for i in range(n):
                rule = self.apply(op[i], a[i], b[i], c[i])
                if rule != VALID:
                    break
        if rule == OVERFLOW:
            raise MemoryError("too many links")
        return (i if rule != VALID else n), rule

    def sift(
        self, State recorded not None, const uint8_t[::1] op not None, uint32_t[::1] a not None,
        uint32_t[::1] b not None, const uint32_t[::1] c not None,
        const uint8_t[::1] left_out not None, uint8_t[::1] keep not None,
    ):
        """Apply what remains of the next events when some are left out.

        After START these are the INCREF, DECREF and UNLINK whose label `left_out` (uint8, by
        label) says so. `recorded` is the state of the whole log, to which all events are applied.
        `keep` becomes 1 for what remains; `a` and `b` are changed where that says less than what
        was recorded. Returns as `feed` whether all that was recorded is valid.
        """
        cdef size_t n = op.shape[0], i
        cdef int rule = VALID
        with nogil:
            for i in range(n):
                rule = recorded.apply(op[i], a[i], b[i], c[i])
                if rule != VALID:
                    break
                keep[i] = (
                    recorded.found_heap
                    or not (1 << op[i]) & COUNTING_OPS
                    or not left_out[c[i]]
                ) and self.remains(recorded, op[i], &a[i], &b[i], c[i])
        if rule == OVERFLOW:
            raise MemoryError("too many links")
        return (i if rule != VALID else n), rule

    cdef bint remains(
        self, State recorded, uint8_t op, uint32_t *a, uint32_t *b, uint32_t c
    ) except -1 nogil:
        """Apply a valid event of the whole log as far as it can still happen; whether it can."""
        cdef Object *object
        if op == INSIDE:
            if not b[0]:
                a[0] = self.inside
            elif a[0] != NONE and self.objects[a[0]].state & IS_DEAD:
                a[0] = NONE
        elif op == DECREF:
            object = &self.objects[a[0]]
            if not object.state & IS_DEAD:
                b[0] = min(b[0], object.count - object.linked)
        elif op == KEPT:
            if recorded.objects[a[0]].state & ~self.objects[a[0]].state & IS_DEAD:
                return False
        return self.apply(op, a[0], b[0], c) == VALID

    cdef int apply(self, uint8_t op, uint32_t a, uint32_t b, uint32_t c) except -1 nogil:
        cdef Object *object
        cdef uint32_t flags, state
        if op > WEAKREF:
            return NO_SUCH_OP
        if self.found_heap and op != START and not (1 << op) & FOUND_HEAP_OPS:
            return NOT_FOUND_HEAP
        self.culprit = a
        if op == ALLOC:
            if a != self.born:
                return NOT_DENSE
            if b >= <size_t>self.flags.shape[0]:
                return UNKNOWN_SHAPE
            if c >= self.sites:
                return UNKNOWN_SITE
            flags = self.flags[b]
            if not flags & FLAG_GC and flags & (FLAG_COUNTED | FLAG_TRACKED):
                return BAD_FLAGS
            if self.born == self.room:
                self.grow()
            state = IS_GC if flags & FLAG_GC else 0
            state |= IS_IMMORTAL if flags & FLAG_IMMORTAL else 0
            self.objects[a].count = 1
            self.objects[a].linked = 0
            self.objects[a].head = NONE
            self.objects[a].state = state
            self.born += 1
            self.live += 1
            self.epoch += 1
            return VALID
        if op == START:
            if self.started or not self.found_heap:
                return SECOND_START
            self.started = True
            self.found_heap = False
            return VALID if a < self.arguments else UNKNOWN_ARGUMENT
        if op == GC_CALL:
            self.epoch += 1
            if a >= GC_CALLS:
                return BAD_CALL
            if b >= self.arguments:
                return UNKNOWN_ARGUMENT
            return VALID if c <= 1 else BAD_VALUE
        if op == MARK:
            return VALID if a < self.labels else UNKNOWN_LABEL
        if op == SAFEPOINT or op == TICK:
            return VALID
        if op == INSIDE:
            return self.region(a, b)
        # All others begin with an object.
        if a >= self.born:
            return NOT_BORN
        object = &self.objects[a]
        if op == KEPT:
            # What only links hold may be held by garbage, and have died with or after it.
            if object.state & IS_KEPT or (
                object.count != self.epoch
                if object.state & IS_DEAD
                else object.count > object.linked
            ):
                return NOT_JUST_DIED
            object.state |= IS_KEPT
            return VALID
        if object.state & (IS_DEAD | IS_KEPT):
            return DEAD
        if op == INCREF:
            if b == 0:
                return NO_REFERENCES
            if b > NONE - object.count:
                return TOO_MANY
            if c >= self.labels:
                return UNKNOWN_LABEL
            object.count += b
            return VALID
        if op == DECREF:
            if b == 0:
                return NO_REFERENCES
            if b > object.count - object.linked:
                return NOT_HELD
            if c >= self.labels:
                return UNKNOWN_LABEL
            object.count -= b
            return self.kill(a) if object.count == 0 else VALID
        if op == LINK or op == UNLINK or op == WEAKREF:
            self.culprit = b
            if b >= self.born:
                return NOT_BORN
            if op == WEAKREF and c == MISS:
                return VALID  # its target is dead, or garbage
            if self.objects[b].state & IS_DEAD:
                return DEAD
            if op == WEAKREF and c == HIT:
                return VALID
            if op == WEAKREF:
                self.culprit = a
                if object.state & IS_WEAK:
                    return HAS_TARGET
                object.state |= IS_WEAK
                return VALID if c <= 1 else BAD_VALUE
            if c >= self.labels:
                return UNKNOWN_LABEL
            if op == LINK:
                return self.link(a, b)
            return self.unlink(a, b)
        if op == RESIZE:
            return VALID
        # TRACK and UNTRACK
        if not object.state & IS_GC:
            return NO_CONTAINER
        if op == TRACK and b > (3 if self.found_heap else 0):
            return BAD_GENERATION
        return VALID

    cdef int region(self, uint32_t object, uint32_t begin) noexcept nogil:
        if begin > 1:
            return BAD_VALUE
        if begin:
            if self.is_inside:
                return NESTED
            if object != NONE and object >= self.born:
                return NOT_BORN
            if object != NONE and self.objects[object].state & IS_DEAD:
                return DEAD
            self.inside = object
        elif not self.is_inside or object != self.inside:
            return NOT_INSIDE
        self.is_inside = begin
        return VALID

    cdef int link(self, uint32_t source, uint32_t target) except -1 nogil:
        cdef Link *link
        cdef uint32_t new = self.free_links
        if self.objects[target].count == NONE:
            return TOO_MANY
        if new != NONE:
            self.free_links = self.links[new].next
        else:
            if self.links_used == NONE:
                return OVERFLOW
            if self.links_used == self.links_room:
                self.links_room = 2 * self.links_room + 1024
                self.links = <Link *>grown(self.links, self.links_room * sizeof(Link))
            new = self.links_used
            self.links_used += 1
        link = &self.links[new]
        link.target = target
        link.next = self.objects[source].head
        link.previous = NONE
        link.same = NONE
        if link.next != NONE:
            self.links[link.next].previous = new
        self.objects[source].head = new
        self.objects[target].count += 1
        self.objects[target].linked += 1
        if self.objects[source].state & IS_INDEXED:
            self.index(source, target, new)
        return VALID

    cdef int unlink(self, uint32_t source, uint32_t target) except -1 nogil:
        cdef uint32_t found = self.objects[source].head, steps = 0
        cdef Slot *slot
        while found != NONE and self.links[found].target != target and steps < LONG_SEARCH:
            found = self.links[found].next
            steps += 1
        if steps == LONG_SEARCH and not self.objects[source].state & IS_INDEXED:
            self.index_source(source)
        if self.objects[source].state & IS_INDEXED:
            slot = self.slot(source, target)
            found = slot.link
            if found != NONE:
                slot.link = self.links[found].same
                if slot.link == NONE:
                    self.remove(slot)
        if found == NONE:
            return NO_LINK
        self.detach(source, found)
        self.objects[target].linked -= 1
        self.objects[target].count -= 1
        return self.kill(target) if self.objects[target].count == 0 else VALID

    cdef void detach(self, uint32_t source, uint32_t found) noexcept nogil:
        cdef Link *link = &self.links[found]
        if link.previous == NONE:
            self.objects[source].head = link.next
        else:
            self.links[link.previous].next = link.next
        if link.next != NONE:
            self.links[link.next].previous = link.previous
        link.next = self.free_links
        self.free_links = found

    cdef int kill(self, uint32_t first) except -1 nogil:
        """The object's count is 0: it dies, its links are undone, and so on."""
        cdef size_t depth = 0
        cdef uint32_t dying, link, following, target
        if self.objects[first].state & IS_IMMORTAL:
            return VALID
        if self.found_heap:
            self.culprit = first
            return DEATH_FOUND_HEAP
        self.bury(first)
        self.push(&depth, first)
        while depth:
            depth -= 1
            dying = self.stack[depth]
            link = self.objects[dying].head
            while link != NONE:
                following = self.links[link].next
                target = self.links[link].target
                if self.objects[dying].state & IS_INDEXED:
                    self.forget(dying, target)
                self.links[link].next = self.free_links
                self.free_links = link
                link = following
                self.objects[target].linked -= 1
                self.objects[target].count -= 1
                if self.objects[target].count == 0 and not self.objects[target].state & IS_IMMORTAL:
                    self.bury(target)
                    self.push(&depth, target)
        return VALID

    cdef void bury(self, uint32_t object) noexcept nogil:
        self.objects[object].state |= IS_DEAD
        self.objects[object].count = self.epoch
        self.live -= 1

    cdef int push(self, size_t *depth, uint32_t object) except -1 nogil:
        if depth[0] == self.stack_room:
            self.stack_room = 2 * self.stack_room + 64
            self.stack = <uint32_t *>grown(self.stack, self.stack_room * sizeof(uint32_t))
        self.stack[depth[0]] = object
        depth[0] += 1
        return 0

    cdef int grow(self) except -1 nogil:
        self.room = 2 * self.room + 1024
        self.objects = <Object *>grown(self.objects, self.room * sizeof(Object))
        return 0

    # The index: a hash table with linear probing, for sources with many links.

    cdef size_t home(self, uint32_t source, uint32_t target) noexcept nogil:
        cdef uint64_t key = (<uint64_t>source << 32 | target) * <uint64_t>0x9E3779B97F4A7C15
        return (key ^ key >> 32) & (self.slots_room - 1)

    cdef Slot *slot(self, uint32_t source, uint32_t target) noexcept nogil:
        """The pair's slot, or the empty one where it belongs."""
        cdef size_t i = self.home(source, target)
        while self.slots[i].link != NONE and (
            self.slots[i].source != source or self.slots[i].target != target
        ):
            i = (i + 1) & (self.slots_room - 1)
        return &self.slots[i]

    cdef int index(self, uint32_t source, uint32_t target, uint32_t link) except -1 nogil:
        cdef Slot *slot
        cdef Slot *old = self.slots
        cdef size_t i, room = self.slots_room
        if 2 * (self.slots_used + 1) > room:
            self.slots_room = 2 * room if room else 256
            self.slots = <Slot *>grown(NULL, self.slots_room * sizeof(Slot))
            memset(self.slots, 0xFF, self.slots_room * sizeof(Slot))
            for i in range(room):
                if old[i].link != NONE:
                    self.slot(old[i].source, old[i].target)[0] = old[i]
            free(old)
        slot = self.slot(source, target)
        self.links[link].same = slot.link
        if slot.link == NONE:
            self.slots_used += 1
        slot.source = source
        slot.target = target
        slot.link = link
        return 0

    cdef int index_source(self, uint32_t source) except -1 nogil:
        cdef uint32_t link = self.objects[source].head, oldest = NONE
        while link != NONE:
            oldest = link
            link = self.links[link].next
        while oldest != NONE:
            self.index(source, self.links[oldest].target, oldest)
            oldest = self.links[oldest].previous
        self.objects[source].state |= IS_INDEXED
        return 0

    cdef void forget(self, uint32_t source, uint32_t target) noexcept nogil:
        cdef Slot *slot = self.slot(source, target)
        if slot.link != NONE:
            self.remove(slot)

    cdef void remove(self, Slot *slot) noexcept nogil:
        """Empty a slot, and move up those that were pushed past it."""
        cdef size_t mask = self.slots_room - 1, hole = slot - self.slots, i = hole, home
        self.slots_used -= 1
        while True:
            i = (i + 1) & mask
            if self.slots[i].link == NONE:
                break
            home = self.home(self.slots[i].source, self.slots[i].target)
            if ((i - home) & mask) >= ((i - hole) & mask):
                self.slots[hole] = self.slots[i]
                hole = i
        self.slots[hole].link = NONE


cdef void *grown(void *memory, size_t size) except NULL nogil:
    cdef void *larger = realloc(memory, size)
    if larger == NULL:
        with gil:
            raise MemoryError
    return larger
