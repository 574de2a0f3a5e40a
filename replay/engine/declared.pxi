# What _engine.pyx uses of the headers.

cdef extern from "heap.h" nogil:
    ctypedef struct Object:
        uint32_t count, id, shape, degree, links
        uint8_t generation, block
    ctypedef struct List:
        uint32_t *slot
        uint32_t length, live
    ctypedef struct Shape:
        uint64_t bytes
        uint8_t flags, free_list, takes, is_tuple, is_dict, legacy
    ctypedef struct Due:
        uint64_t sequence
        uint32_t id
    ctypedef struct Regions:
        const uint8_t *op
        const uint32_t *a
        const uint32_t *b
        const uint32_t *c
        const uint64_t *begin
        const uint32_t *birth
        const uint32_t *births
        const uint32_t *owner
        const uint32_t *of
        uint64_t *ran
        uint32_t count
    ctypedef struct Page:
        pass
    ctypedef struct Hub:
        void *link
        void *older
        void *table
    int FREE_LISTS
    int SPACES, OWN_SPACE, PERMANENT
    bint c_is_collected "is_collected"(int generation)
    ctypedef struct Heap:
        const uint8_t *op
        const uint32_t *a
        const uint32_t *b
        const uint32_t *c
        uint64_t first_sequence, stop, sequence
        uint32_t at, length
        Object *objects
        void *room
        void *extra
        uint32_t slots, slot_capacity, free_slot, next_id, slabs, hub_count
        void *directory
        Page **slab
        const Shape *shapes
        uint32_t shape_count
        void *pool
        uint32_t pool_length
        Hub *hubs
        void *watches
        uint32_t watch_count
        uint32_t *linked
        Regions regions
        uint8_t skipping
        void *waiting
        void *called
        uint64_t regions_run, lapsed, unmoved, first_unmoved
        uint32_t first_unmoved_id
        List lists[256]
        void *stack
        void *queue
        void *aside
        int64_t young, limit
        uint64_t pending, bytes_since, bytes_limit, tick, tick_limit
        uint8_t deferred, armed, safepoints
        int64_t recheck
        uint8_t tracking
        uint32_t batch
        uint64_t containers
        uint8_t suspects, suspects_due
        int64_t suspects_limit
        uint8_t saves_all, unfreeable
        uint8_t *dies_inside
        uint32_t free_count[27]
        uint32_t free_capacity[27]
        uint8_t modelled, started
        uint32_t inside
        uint64_t inside_since, inside_tick
        const Due *due
        uint64_t due_length
        const uint32_t *pinned
        uint64_t pinned_length
        uint64_t *deaths
        uint8_t *died_in
        uint8_t *collected
        uint64_t live, live_bytes, peak, peak_bytes
        uint64_t floating, floating_bytes, peak_floating, peak_floating_bytes
        uint64_t freed_by_count, freed_by_collector
        uint64_t died_by_count[256]
        uint64_t died_by_collector[256]
        uint64_t revived, first_revived, displaced, misled, first_misled
        uint32_t first_misled_id
        uint8_t first_misled_hit
        uint32_t first_revived_id
        const char *rule

    int c_make_room "make_room"(Heap *h)
    void c_settle_batches "settle_batches"(Heap *h)

cdef extern from "links.h" nogil:
    pass

cdef extern from "freed.h" nogil:
    void c_end_noting "end_noting"(Heap *h)

cdef extern from "death.h" nogil:
    int COUNTING_ "COUNTING"
    int COLLECTING_ "COLLECTING"
    int ANNOTATING_ "ANNOTATING"
    int LENIENT

cdef extern from "increment.h" nogil:
    void c_untrack_tuples "untrack_tuples"(Heap *h, int generation)
    ctypedef struct Figures:
        uint64_t candidates, links, collected, uncollectable, survivors, freed, bytes

cdef extern from "advance.h" nogil:
    int ENGINE_END, ENGINE_STOP, ENGINE_START, ENGINE_ALLOCATIONS, ENGINE_BYTES, ENGINE_TICK
    int ENGINE_CALL, ENGINE_SAFEPOINT, ENGINE_SUSPECTS, ENGINE_INVALID, ENGINE_NO_MEMORY
    int c_advance "advance"(Heap *h, int mode)
    int c_collect "collect"(Heap *h, int generation, int into, int untracking, int origin,
                            int64_t size, int how, Figures *figures)
    int c_scan "scan"(Heap *h, int origin, int among, int into, int64_t limit, Figures *figures)
    int REACH, SPARE_NEWEST
    int c_mark "mark"(Heap *h, int roots, int into, Figures *figures)
    int c_foresee "foresee"(Heap *h, int mode)
    int c_move_list "move_list"(Heap *h, int origin, int to)
    int c_move_held "move_held"(Heap *h, int origin, int to)

cdef extern from "annotate.h" nogil:
    int64_t c_find_garbage "find_garbage"(Heap *h, Due *due)

cdef extern from "figures.h" nogil:
    int c_seen_links "seen_links"(Heap *h, uint32_t slot, uint32_t *target, uint32_t *label)
    void c_floating_sums "floating_sums"(Heap *h, uint64_t *halves)
