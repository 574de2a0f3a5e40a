"""The native engine: applies decoded events, collects when told to, and counts.

The work is in the headers beside this file, read in this order: heap.h (slots, ids, generation
lists), links.h, freed.h, death.h, regions.h, unreachable.h, finalize.h, increment.h, collect.h,
schedule.h, operations.h, advance.h, annotate.h. What this file uses of them is declared in declared.pxi. Loops
run without the GIL; control comes back once per trigger.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc

import numpy as np

include "declared.pxi"

COUNTING, COLLECTING, ANNOTATING = COUNTING_, COLLECTING_, ANNOTATING_
END, STOP, START, ALLOCATIONS, BYTES, TICK, CALL, SAFEPOINT, SUSPECTS = (
    ENGINE_END, ENGINE_STOP, ENGINE_START, ENGINE_ALLOCATIONS, ENGINE_BYTES, ENGINE_TICK,
    ENGINE_CALL, ENGINE_SAFEPOINT, ENGINE_SUSPECTS)
FIRST_SPACE, LAST_SPACE = OWN_SPACE, SPACES - 1
NO_LIMIT = 2**63 - 1

SHAPE_DTYPE = np.dtype(
    [("bytes", "u8"), ("flags", "u1"), ("free_list", "u1"), ("takes", "u1"),
     ("is_tuple", "u1"), ("is_dict", "u1"), ("legacy", "u1")], align=True)
DUE_DTYPE = np.dtype([("sequence", "u8"), ("id", "u4")], align=True)


cdef list by_generation(const uint64_t *died):
    """Deaths in generations 0, 1, 2 and the permanent one and of untracked objects; those in spaces
    of a policy's own count to the oldest."""
    found = [died[i] for i in range(OWN_SPACE)]
    found[2] += sum(died[i] for i in range(OWN_SPACE, SPACES))
    return found


class Broken(Exception):
    """The event at `sequence` breaks `rule`."""

    def __init__(self, sequence, rule):
        super().__init__(sequence, rule)
        self.sequence = sequence
        self.rule = rule


cdef class Engine:
    """One replay. `mode` is COUNTING, COLLECTING or ANNOTATING.

    shapes: SHAPE_DTYPE, indexed by shape id. free_count, free_capacity: uint32[27], indexed by
    the shapes' `free_list`; index 0 stands for "none" and has capacity 0. started: the log has
    no found heap, every birth counts from the first event on.
    """

    cdef Heap h
    cdef int mode
    cdef object shapes, events, due, pinned, deaths, inside_deaths, regions

    def __cinit__(self, int mode, shapes, free_count, free_capacity, bint modelled, bint started):
        cdef int i
        cdef Heap *h = &self.h
        self.mode = mode
        self.shapes = np.ascontiguousarray(shapes, dtype=SHAPE_DTYPE)
        self.shapes.flags.writeable = False
        if len(self.shapes):
            h.shapes = <const Shape *><size_t>self.shapes.ctypes.data
        h.shape_count = len(self.shapes)
        for i in range(FREE_LISTS):
            h.free_count[i] = free_count[i]
            h.free_capacity[i] = free_capacity[i]
        h.modelled = modelled
        h.started = started
        h.hub_count = h.watch_count = 1
        h.pool_length = 64
        h.limit = NO_LIMIT
        h.inside_tick = 2**64 - 2  # no tick yet
        h.bytes_limit = h.tick_limit = h.stop = 2**64 - 1
        if c_make_room(h):
            raise MemoryError

    def __dealloc__(self):
        cdef Heap *h = &self.h
        cdef uint32_t i
        c_end_noting(h)
        if h.hubs:
            for i in range(1, h.hub_count):
                free(h.hubs[i].link)
                free(h.hubs[i].older)
                free(h.hubs[i].table)
        for i in range(h.slabs):
            free(h.slab[i])
        for i in range(SPACES):
            free(h.lists[i].slot)
        free(h.hubs); free(h.slab); free(h.directory); free(h.room); free(h.extra)
        free(h.pool); free(h.watches); free(h.stack); free(h.queue); free(h.aside)
        free(h.linked); free(h.waiting); free(h.called)

    @property
    def address(self):
        """Where the heap is, for a module with hooks (see hooks.h); the engine must outlive its use."""
        return <size_t>&self.h

    # -- events --

    def feed(self, op, a, b, c, first_sequence):
        """Take the next segment: uint8[n] and three uint32[n], contiguous."""
        cdef const uint8_t[::1] ops = op
        cdef const uint32_t[::1] first = a, second = b, third = c
        cdef Py_ssize_t n = ops.shape[0]
        if not (first.shape[0] == second.shape[0] == third.shape[0] == n and n < 2**32):
            raise ValueError("the four columns of a segment have one length, below 2**32")
        self.events = (op, a, b, c)
        self.h.op = &ops[0] if n else NULL
        self.h.a = &first[0] if n else NULL
        self.h.b = &second[0] if n else NULL
        self.h.c = &third[0] if n else NULL
        self.h.length = n
        self.h.at = 0
        self.h.first_sequence = first_sequence

    def advance(self):
        """Apply events until the segment ends or a trigger; returns why (ENGINE_* of advance.h).

        Raises Broken for an event that breaks the log's rules.
        """
        cdef int reason
        with nogil:
            reason = c_advance(&self.h, self.mode)
        if reason == ENGINE_NO_MEMORY:
            raise MemoryError
        if reason == ENGINE_INVALID:
            raise Broken(self.h.sequence, self.h.rule.decode())
        return reason

    @property
    def event(self):
        """(op, a, b, c) of the event applied last."""
        cdef uint32_t i = self.h.at - 1
        return self.h.op[i], self.h.a[i], self.h.b[i], self.h.c[i]

    # -- what a policy does --

    cdef int collected_list(self, int space) except -1:
        """A list that collections visit."""
        if not (0 <= space < SPACES and c_is_collected(space)):
            raise ValueError("generations are 0, 1 and 2, a policy's own spaces 5 to 255")
        return space

    cdef int any_list(self, int space) except -1:
        return space if space == PERMANENT else self.collected_list(space)

    cdef int linked(self) except -1:
        if self.mode != COLLECTING_ | LENIENT:
            raise ValueError("links are not counted")
        return 0

    def collect(self, int generation, int into, int untracking, int origin=2, int64_t size=0,
                bint reach=False, bint spare=False):
        """(candidates, links, collected, uncollectable, survivors, freed, bytes); with the front of
        list `origin` and what it leads to, up to `size` candidates; with all that the candidates
        lead to; without the newest, which is held. For the last count_links()."""
        cdef Figures f
        cdef int reason, how = (REACH if reach else 0) | (SPARE_NEWEST if spare else 0)
        self.collected_list(generation)
        self.any_list(into)
        self.collected_list(origin)
        if spare:
            self.linked()
        if self.mode & ~LENIENT != COLLECTING_:
            raise ValueError("a policy that only counts cannot collect")
        with nogil:
            reason = c_collect(&self.h, generation, into, untracking, origin, size, how, &f)
        if reason:
            raise MemoryError
        return f.candidates, f.links, f.collected, f.uncollectable, f.survivors, f.freed, f.bytes

    def mark(self, int roots, int into):
        """Move to list `into` what is reachable from roots in list `roots` (-1: in any); the number
        and links of what is moved. count_links() must have been called."""
        cdef Figures f
        self.linked()
        self.collected_list(into)
        if roots != -1:
            self.collected_list(roots)
        if c_mark(&self.h, roots, into, &f):
            raise MemoryError
        return f.candidates, f.links

    def scan(self, int origin, int among, int into, int64_t limit):
        """Move up to `limit` objects from the end of list `origin` to `into`, and what they lead to
        in list `among` to the end of `origin`; the number and links of what is moved."""
        cdef Figures f
        for space in (origin, among, into):
            self.collected_list(space)
        if self.mode & ~LENIENT != COLLECTING_ or origin in (among, into) or among == into:
            raise ValueError("scanning takes three lists, and a policy that collects")
        if c_scan(&self.h, origin, among, into, limit, &f):
            raise MemoryError
        return f.candidates, f.links

    def untrack_tuples(self, int generation):
        """Untrack tuples of a list that hold nothing trackable."""
        c_untrack_tuples(&self.h, self.collected_list(generation))

    def move_list(self, int origin, int to, bint held=False):
        """Append a list to another; or of it what something outside the log's objects holds, which
        takes count_links()."""
        cdef int reason
        if self.any_list(origin) == self.any_list(to):
            raise ValueError("a list cannot be moved to itself")
        if held:
            self.linked()
            reason = c_move_held(&self.h, origin, to)
        else:
            reason = c_move_list(&self.h, origin, to)
        if reason:
            raise MemoryError

    def list_length(self, int generation):
        return self.h.lists[self.any_list(generation)].live

    @property
    def tracked(self):
        """Number of objects in all lists but the permanent one."""
        cdef int i
        cdef uint64_t n = 0
        for i in range(SPACES):
            if c_is_collected(i):
                n += self.h.lists[i].live
        return n

    @property
    def spaces(self):
        """The lists that hold something, the permanent one aside."""
        return [i for i in range(SPACES) if c_is_collected(i) and self.h.lists[i].live]

    def suspect(self, int space, int64_t limit):
        """From here on what loses a reference and keeps others moves to this list; more than `limit`
        there hand control back. count_links() must have been called."""
        self.linked()
        if self.collected_list(space) < OWN_SPACE:
            raise ValueError("suspects stand in a space of the policy's own")
        self.h.suspects = space
        self.h.suspects_limit = limit

    @property
    def young(self):
        """The young counter, frees that wait for the next counted birth included; of one in batches
        the whole ones."""
        if self.h.batch:
            c_settle_batches(&self.h)
            return self.h.young
        return max(0, self.h.young - <int64_t>self.h.pending)

    @young.setter
    def young(self, int64_t value):
        self.h.young = value
        self.h.pending = 0

    def set_limits(self, int64_t allocations, uint64_t bytes_, uint64_t tick, uint64_t stop):
        self.h.limit = allocations
        self.h.bytes_limit = bytes_
        self.h.tick_limit = tick
        self.h.stop = stop

    def defer(self, recheck):
        """From here on births that are too much wait for a safepoint, where the young counter has to
        exceed `recheck`; None: births collect themselves."""
        self.h.deferred = recheck is not None
        if recheck is None:
            self.h.armed = 0
        else:
            self.h.recheck = recheck

    def know_safepoints(self, bint recorded):
        """Whether the log says where a deferred collection may run; else every birth has such a
        place before it."""
        self.h.safepoints = recorded

    def model_free_lists(self):
        """From here on births and deaths follow the free-list model, not the recorded flags."""
        self.h.modelled = 1

    def know_inside(self, dies_inside):
        """dies_inside: uint8, by object id of the whole log: 1 of what a callback or finalizer of
        a recorded collection killed, 2 added of what no collection frees. ANNOTATING writes it,
        COLLECTING reads it: a weak reference whose callback a collection calls counts as collected
        if it dies of that."""
        cdef uint8_t[::1] view = dies_inside
        self.inside_deaths = dies_inside
        self.h.dies_inside = &view[0] if view.shape[0] else NULL
        self.h.unfreeable = self.mode & ~LENIENT == COLLECTING_ and bool((dies_inside & 2).any())

    def know_regions(self, regions):
        """Regions with an owner, as regions.py has them: before the first event."""
        cdef Regions *r = &self.h.regions
        cdef const uint8_t[::1] op = regions.op
        cdef const uint32_t[::1] a = regions.a, b = regions.b, c = regions.c
        cdef const uint64_t[::1] begin = regions.begin
        cdef const uint32_t[::1] birth = regions.birth, births = regions.births
        of = np.argsort(regions.owner, kind="stable").astype(np.uint32)
        owners = regions.owner[of]
        ran = np.zeros(len(of), np.uint64)
        cdef const uint32_t[::1] sorted_owners = owners, region_of = of
        cdef uint64_t[::1] has_run = ran
        if not len(of):
            return
        self.regions = (regions, owners, of, ran)
        self.count_links()
        if op.shape[0]:
            r.op, r.a, r.b, r.c = &op[0], &a[0], &b[0], &c[0]
        r.begin, r.birth, r.births = &begin[0], &birth[0], &births[0]
        r.owner, r.of, r.ran = &sorted_owners[0], &region_of[0], &has_run[0]
        r.count = len(of)

    @property
    def regions_ran(self):
        """Of each region with an owner the event at which it ran, and one more; 0: it did not."""
        return self.regions[3] if self.regions is not None else np.zeros(0, np.uint64)

    def count_links(self, bint tracking=False, uint32_t batch=0):
        """Count incoming links, first before the first event. Later calls change the young counter
        alone. tracking: that is what was tracked less what was untracked, in place of births and
        deaths. batch: or these are added up so many at a time, and it may fall below 0."""
        if not self.h.linked:
            self.h.linked = <uint32_t *>calloc(self.h.slot_capacity, sizeof(uint32_t))
            if not self.h.linked:
                raise MemoryError
        self.h.tracking = tracking
        self.h.batch = batch
        self.mode |= LENIENT

    @property
    def containers(self):
        """Objects with a GC header that are alive; where links are counted."""
        return self.h.containers

    # -- the schedule of garbage --

    def find_garbage(self):
        """After ANNOTATING the whole log: (due, alive).

        due: DUE_DTYPE, when each object of the final garbage became unreachable, ascending by
        sequence and id. alive: uint32, ids of all objects alive at the end, ascending.
        """
        cdef int64_t n
        cdef uint32_t s, m = 0
        room = np.zeros(max(1, self.h.live), dtype=DUE_DTYPE)
        cdef Due *due = <Due *><size_t>room.ctypes.data
        alive = np.zeros(self.h.live, dtype=np.uint32)
        cdef uint32_t[::1] ids = alive
        for s in range(1, self.h.slots):
            if self.h.objects[s].count:
                ids[m] = self.h.objects[s].id
                m += 1
        with nogil:
            n = c_find_garbage(&self.h, due)
        if n < 0:
            raise MemoryError
        alive.sort()
        return room[:n][::-1].copy(), alive

    def schedule(self, due, pinned):
        """When garbage becomes unreachable, as find_garbage() gives it."""
        self.due = np.ascontiguousarray(due, dtype=DUE_DTYPE)
        self.pinned = np.ascontiguousarray(pinned, dtype=np.uint32)
        self.h.due = <const Due *><size_t>self.due.ctypes.data
        self.h.due_length = len(self.due)
        self.h.pinned = <const uint32_t *><size_t>self.pinned.ctypes.data
        self.h.pinned_length = len(self.pinned)

    def save_all(self, bint on):
        """Whether garbage is kept in gc.garbage from here on."""
        self.h.saves_all = on

    def foresee(self):
        """From here on garbage vanishes after its last touch; schedule() must have been called."""
        if c_foresee(&self.h, self.mode):
            raise MemoryError

    def note_deaths(self, deaths, died_in, collected):
        """Write of each object that dies, by id: the sequence number to `deaths` (uint64), the
        space in which it stands to `died_in` and whether a collection frees it, 0 or 1, to
        `collected` (both uint8); all writable."""
        cdef uint64_t[::1] view = deaths
        cdef uint8_t[::1] spaces = died_in, freed = collected
        self.deaths = deaths, died_in, collected
        if len(deaths):
            self.h.deaths, self.h.died_in, self.h.collected = &view[0], &spaces[0], &freed[0]

    # -- what came of it --

    @property
    def sequence(self):
        """Number of the event applied last."""
        return self.h.sequence

    @property
    def inside(self):
        """Whether a finalizer or callback of a recorded collection is under way."""
        return self.h.inside != 0

    @property
    def next_id(self):
        return self.h.next_id

    @property
    def bytes_since(self):
        return self.h.bytes_since

    @property
    def tick(self):
        return self.h.tick

    @property
    def first_revived(self):
        """(sequence, object id) of the first event that named a freed object, or None."""
        return (self.h.first_revived, self.h.first_revived_id) if self.h.revived else None

    @property
    def first_unmoved(self):
        """(sequence, object id) of the first event that lacks what a region made or saved, or None."""
        return (self.h.first_unmoved, self.h.first_unmoved_id) if self.h.unmoved else None

    @property
    def first_misled(self):
        """(sequence, object id, hit) of the first use of a weak reference that would have gone
        otherwise, or None."""
        cdef Heap *h = &self.h
        if not h.misled:
            return None
        return h.first_misled, h.first_misled_id, h.first_misled_hit != 0

    def restart_peaks(self):
        """Peaks count from the state of now."""
        cdef Heap *h = &self.h
        h.peak, h.peak_bytes = h.live, h.live_bytes
        h.peak_floating, h.peak_floating_bytes = h.floating, h.floating_bytes

    def figures(self):
        """The counters and peaks of now, as a dict."""
        cdef Heap *h = &self.h
        cdef uint64_t halves[4]
        c_floating_sums(h, halves)
        open_region = h.sequence - h.inside_since if h.inside and not h.skipping else 0
        return {
            "live_objects": h.live, "live_bytes": h.live_bytes,
            "peak_objects": h.peak, "peak_bytes": h.peak_bytes,
            "floating_objects": h.floating, "floating_bytes": h.floating_bytes,
            "peak_floating_objects": h.peak_floating,
            "peak_floating_bytes": h.peak_floating_bytes,
            "floating_object_events": halves[0] + (int(halves[1]) << 64),
            "floating_byte_events": halves[2] + (int(halves[3]) << 64),
            "freed_by_refcount": h.freed_by_count, "freed_by_collector": h.freed_by_collector,
            "died_by_refcount": by_generation(h.died_by_count),
            "died_by_collector": by_generation(h.died_by_collector),
            "revived": h.revived, "misled": h.misled, "displaced": h.displaced + open_region,
            "unmoved": h.unmoved, "lapsed": h.lapsed, "regions_run": h.regions_run,
        }

    def snapshot(self):
        """The live heap: {id: (count, generation, [(target id, label), ...])}; 4 = untracked."""
        cdef uint32_t s, n, most = 1
        cdef Object *o
        for s in range(1, self.h.slots):
            most = max(most, self.h.objects[s].degree)
        targets = np.zeros(most, dtype=np.uint32)
        labels = np.zeros(most, dtype=np.uint32)
        cdef uint32_t[::1] target = targets, label = labels
        heap = {}
        for s in range(1, self.h.slots):
            o = &self.h.objects[s]
            if not o.count:
                continue
            n = c_seen_links(&self.h, s, &target[0], &label[0])
            heap[o.id] = (o.count, o.generation,
                          list(zip(targets[:n].tolist(), labels[:n].tolist())))
        return heap

    def order(self, int generation):
        """Ids of a generation's list, in list order."""
        cdef uint32_t i
        return [self.h.objects[self.h.lists[generation].slot[i]].id
                for i in range(self.h.lists[generation].length)
                if self.h.lists[generation].slot[i]]

    @property
    def free_counts(self):
        return [self.h.free_count[i] for i in range(FREE_LISTS)]
