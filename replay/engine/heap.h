/* The heap of a replay: objects in recycled slots, the map from object ids to slots, the lists
   of the generations. Memory follows the live objects, never those that have died.

   Functions that need memory leave through `failure` when there is none, so callers of the
   entry points (see advance.h) get ENGINE_NO_MEMORY and nothing in between has to check. */
#ifndef GCREPLAY_HEAP_H
#define GCREPLAY_HEAP_H

#include "hooks.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define always_inline static inline __attribute__((always_inline))
#define never_inline static __attribute__((noinline, unused))

enum { OP_START, OP_ALLOC, OP_INCREF, OP_DECREF, OP_LINK, OP_UNLINK, OP_KEPT, OP_RESIZE, OP_TRACK,
       OP_UNTRACK, OP_GC_CALL, OP_INSIDE, OP_SAFEPOINT, OP_MARK, OP_TICK, OP_WEAKREF };
enum { FLAG_GC = 1, FLAG_COUNTED = 2, FLAG_TRACKED = 4, FLAG_IMMORTAL = 8, FLAG_BYPASS = 16, FLAG_BARRED = 32 };
enum { CALL_COLLECT = 0 };
enum { PERMANENT = 3, UNTRACKED = 4, OWN_SPACE = 5, SPACES = 256 };    /* own spaces of a policy follow */
enum { UNFREEABLE = 4 };        /* in place of a generation, in TRACK events */
enum { DIES_INSIDE = 1, NEVER_FREED = 2 };      /* by object id, of the annotation */
enum { UNKNOWN = 0, OPAQUE = 1 };
/* Why control comes back. */
enum { ENGINE_END, ENGINE_STOP, ENGINE_START, ENGINE_ALLOCATIONS, ENGINE_BYTES, ENGINE_TICK,
       ENGINE_CALL, ENGINE_SAFEPOINT, ENGINE_SUSPECTS, ENGINE_ARMED,
       ENGINE_INVALID = -1, ENGINE_NO_MEMORY = -2 };

#define IMMORTAL_REFERENCES (1u << 30)
#define NO_OBJECT UINT32_MAX

/* Where an object stands during a collection. */
enum { OUTSIDE, WAITING, ASIDE, DYING };

/* Object.marks */
enum { IS_FLOATING = 1, OWNS_BYTES = 2, IS_WATCHED = 4, IS_WEAKREF = 8, IN_GARBAGE = 16,
       OWNS_REGIONS = 32,       /* of a finalizer or callback that has not run yet */
       CALLS_BACK = 64,         /* a weak reference with a callback */
       OUTLIVES = 128 };        /* no collection frees it */

typedef struct { uint32_t target, label; } Link;

enum { FEW_LINKS = 4 };
typedef struct {                /* a cache line */
    uint32_t count;             /* references: external ones and incoming links; 0 in a free slot */
    uint32_t id;
    uint32_t links;             /* of more than a few: block of the pool, or hub number; next free slot */
    uint32_t degree;            /* outgoing links */
    union {
        struct {
            uint32_t place;     /* index in the list of its generation */
            uint32_t refs;      /* gc_refs of a running collection */
        };
        uint64_t touched;       /* annotation only: last event that touched it */
    };
    uint32_t shape;
    uint8_t generation;         /* 0, 1, 2, PERMANENT, UNTRACKED or a space from OWN_SPACE on */
    uint8_t block;              /* where its links are: IN_PLACE, or size class of `links` .. HUB */
    uint8_t state;
    uint8_t marks;
    Link few[FEW_LINKS];
} Object;
_Static_assert(sizeof(Object) == 64, "an object is a cache line");

typedef struct {                /* what few objects have; valid where a mark says so */
    uint64_t owned;             /* OWNS_BYTES */
    uint32_t watchers;          /* IS_WATCHED: newest weak reference to it */
    uint32_t watch;             /* IS_WEAKREF: its own entry */
} Extra;

typedef struct {
    uint64_t bytes;
    uint8_t flags;
    uint8_t free_list;          /* 0 none, else index of free_count */
    uint8_t takes;              /* births come from that free list (tuples of 20 never do) */
    uint8_t is_tuple;
    uint8_t is_dict;
    uint8_t legacy;             /* finalizer is a tp_del */
} Shape;

#define FREE_LISTS 27
enum { SLICE_LIST = 3, FIRST_TUPLE = 7, TUPLE_LENGTHS = 20, TUPLE_HEADER = 40 };  /* as in storage.py */

enum { PAGE_BITS = 7, PAGE_IDS = 1 << PAGE_BITS };
typedef struct {
    uint32_t slot[PAGE_IDS];    /* 0 = dead */
    uint32_t live;
} Page;

typedef struct {
    uint32_t *slot;             /* 0 = left */
    uint32_t length, capacity, live;
    uint32_t first;             /* no place before it is in use */
} List;

typedef struct {                /* links of an object that has many */
    Link *link;                 /* target 0 = unlinked */
    uint32_t *older;            /* previous link with the same target and label, +1 */
    uint32_t *table;            /* newest link of each (target, label), +1; open addressing */
    uint32_t length, capacity, mask;
} Hub;

typedef struct { uint32_t target, weakref, newer, older; uint8_t callback; } Watch;

enum { IN_PLACE, SMALLEST_BLOCK = 3, LARGEST_BLOCK = 6, HUB = 7 };      /* block b holds 1 << b links */

typedef struct { uint64_t sequence; uint32_t id; } Due;

/* What finalizers and callbacks did when the program ran, by region, in the order of the log. They
   run here when a collection finds their owner. Without any the engine is compiled without them. */
typedef struct {
    const uint8_t *op;          /* the events of all regions */
    const uint32_t *a, *b, *c;
    const uint64_t *begin;      /* first event of each, and the end of the last */
    const uint32_t *birth;      /* first id born in each, births at a stretch */
    const uint32_t *births;
    const uint32_t *owner;      /* sorted, with the region of each */
    const uint32_t *of;
    uint64_t *ran;              /* the event at which each ran, and one more; 0: it did not */
    uint32_t count;
    uint32_t passed;            /* regions that the log has begun so far */
    uint32_t next;              /* the first owner not born yet */
} Regions;

typedef struct { uint32_t id; uint8_t callback; } Waiting;

typedef struct {                /* garbage that died in a collection */
    uint64_t sequence, bytes;
    uint32_t id, shape;
    uint32_t first, degree;     /* its links */
    uint32_t visits;            /* collections that visited it since it is garbage */
    uint32_t collection;        /* which of them all freed it */
    uint8_t found;              /* unreachable by itself: not for want of what held it */
    uint8_t floats;             /* garbage by the log, and nothing saved it */
} Freed;

typedef struct {                /* what died in collections since it was last asked for */
    Freed *freed;
    Link *link;                 /* target: an id */
    uint32_t *visits;           /* by slot; IS_NOTED: it is among the freed already */
    uint32_t length, capacity, links, link_capacity, collection;
} Noted;

#define IS_NOTED UINT32_MAX

typedef struct Heap {
    jmp_buf failure;
    void *observer;             /* of the module that has hooks */

    /* the decoded events being applied */
    const uint8_t *op;
    const uint32_t *a, *b, *c;
    uint64_t first_sequence;    /* of op[0] */
    uint32_t at, length;
    uint64_t stop;              /* hand control back before this sequence number */
    uint64_t sequence;          /* of the event being applied, or applied last */

    /* objects */
    Object *objects;
    void *room;                 /* where they begin, at a cache line */
    Extra *extra;
    uint32_t *linked;           /* incoming links, by slot; only where regions have owners */
    uint32_t slots, slot_capacity, free_slot;
    Page **directory;
    uint32_t pages, opened, next_id;    /* opened: entries of the directory that are valid */
    Page **slab;
    uint32_t slabs, slab_pages, slab_capacity;
    Page *free_pages;
    const Shape *shapes;
    uint32_t shape_count;

    /* links */
    Link *pool;
    uint32_t pool_length, pool_capacity, free_block[HUB];
    Hub *hubs;
    uint32_t hub_count, hub_capacity, free_hub;

    /* weak references */
    Watch *watches;
    uint32_t watch_count, watch_capacity, free_watch;

    List lists[SPACES];
    uint32_t *stack;            /* of dying objects */
    uint32_t stack_length, stack_capacity;
    uint32_t *queue, *aside;    /* of a collection */
    uint32_t queue_capacity, aside_capacity;

    /* the young counter and the triggers */
    int64_t young, limit;
    uint64_t pending, late, bytes_since, bytes_limit;
    uint64_t tick, tick_limit;
    uint8_t deferred;           /* a birth that is too much only arms; a safepoint decides again */
    uint8_t armed;              /* ENGINE_ALLOCATIONS or ENGINE_BYTES, or nothing is due */
    uint8_t safepoints;         /* the log has them; else every birth has one before it */
    int64_t recheck;            /* the young counter has to exceed it at the safepoint */
    uint8_t tracking;           /* the young counter counts what is tracked less what is untracked;
                                   only where links are counted */
    uint32_t batch;             /* or births and deaths are added up so many at a time, and not
                                   clamped: `young` holds whole batches, `buffered` the rest */
    int64_t buffered;
    uint64_t containers;        /* with a GC header, alive; only there as well */
    uint8_t suspects;           /* space for what has lost a reference and keeps others; 0: none */
    uint8_t suspects_due;       /* it has grown beyond the limit */
    int64_t suspects_limit;
    uint32_t free_count[FREE_LISTS], free_capacity[FREE_LISTS];
    uint8_t modelled;           /* births and deaths by the free-list model, not as recorded */
    uint8_t started, collecting, aftermath, fruitless;
    uint32_t newborn;           /* to be tracked when its collection and its regions are over */
    uint32_t inside;
    uint64_t inside_since;
    uint64_t inside_tick;       /* sequence number of the last tick */
    uint8_t inside_first;       /* the open region stands directly behind a collection */
    uint8_t inside_before;      /* or, in a replay of the recorded births, before one */
    int64_t young_before;       /* the counter where it began: the collection was due by then */
    uint64_t pending_before;

    /* regions with an owner */
    Regions regions;
    uint8_t skipping;           /* the log stands in one, which is passed over */
    uint8_t running;            /* the events come from one */
    uint8_t causing;            /* what dies may have a finalizer or callback to run */
    uint8_t after_tick;         /* the open region stands behind a tick, or others that do */
    Waiting *waiting;           /* owners that died by their count, or whose target did */
    uint32_t waiting_length, waiting_capacity;
    uint32_t *called;           /* slots of weak references to call */
    uint32_t called_capacity;
    uint64_t grown_bytes;       /* by what regions made */
    uint64_t regions_run, lapsed, unmoved, first_unmoved;
    uint32_t first_unmoved_id;

    uint8_t unfreeable;         /* some object of the log is */
    uint8_t saves_all;          /* gc.DEBUG_SAVEALL: what is collected is kept in gc.garbage */

    /* by object id: dies in such a region, killed by a callback or finalizer; no collection frees it */
    uint8_t *dies_inside;

    /* the schedule of garbage: when each of these objects became unreachable */
    const Due *due;
    uint64_t due_length, due_next;
    uint8_t clairvoyant;        /* free it then */
    const uint32_t *pinned;     /* clairvoyant: ids alive at the end, ascending */
    uint64_t pinned_length, pinned_next;

    /* deaths, by object id, and what collections free, when asked for */
    uint64_t *deaths;
    uint8_t *died_in;           /* the space in which each object died */
    uint8_t *collected;         /* 1 where a collection freed it */
    Noted *noted;

    /* figures */
    uint64_t live, live_bytes, peak, peak_bytes;
    uint64_t floating, floating_bytes, peak_floating, peak_floating_bytes;
    uint64_t floating_since;
    unsigned __int128 floating_sum, floating_bytes_sum;
    uint64_t freed_by_count, freed_by_collector;
    uint64_t died_by_count[SPACES], died_by_collector[SPACES];
    uint64_t revived, first_revived;
    uint32_t first_revived_id;
    uint64_t displaced;
    uint64_t misled, first_misled;  /* uses of weak references that would have gone otherwise */
    uint32_t first_misled_id;
    uint8_t first_misled_hit;
    const char *rule;           /* what an invalid event breaks */
} Heap;

/* -- memory -- */

never_inline void *grown(Heap *h, void *old, uint64_t count, size_t size)
{
    void *new = count > UINT32_MAX ? NULL : realloc(old, count * size);
    if (!new)
        longjmp(h->failure, 1);
    return new;
}

/* Make room for item number `length` of the array. */
#define ROOM(h, array, length, capacity)                                                   \
    do {                                                                                   \
        if (unlikely((length) >= (capacity))) {                                            \
            uint64_t wanted_ = (capacity) ? (uint64_t)(capacity) * 2 : 256;                \
            while (wanted_ <= (length)) wanted_ *= 2;                                      \
            (array) = grown((h), (array), wanted_, sizeof *(array));                       \
            (capacity) = (uint32_t)wanted_;                                                \
        }                                                                                  \
    } while (0)

/* -- ids and slots -- */

static Page dead_page;          /* stands for every page whose objects have all died */

always_inline const uint32_t *place_of(const Heap *h, uint32_t id)
{
    const Page *page = likely(id >> PAGE_BITS < h->opened) ? h->directory[id >> PAGE_BITS] : &dead_page;
    return &page->slot[id & (PAGE_IDS - 1)];
}

always_inline uint32_t slot_of(const Heap *h, uint32_t id)
{
    return *place_of(h, id);
}

never_inline void open_page(Heap *h, uint32_t number)
{
    ROOM(h, h->directory, number, h->pages);
    while (h->opened <= number)
        h->directory[h->opened++] = &dead_page;
    if (h->directory[number] != &dead_page)
        return;                 /* a region that ran early has opened it */
    if (!h->free_pages) {
        ROOM(h, h->slab, h->slabs, h->slab_capacity);
        Page *fresh = grown(h, NULL, 64, sizeof(Page));
        h->slab[h->slabs++] = fresh;
        for (int i = 0; i < 64; i++) {
            memcpy(&fresh[i], &h->free_pages, sizeof(Page *));
            h->free_pages = &fresh[i];
        }
    }
    Page *page = h->free_pages;
    memcpy(&h->free_pages, page, sizeof(Page *));
    memset(page, 0, sizeof *page);
    h->directory[number] = page;
}

never_inline void close_page(Heap *h, uint32_t number)
{
    Page *page = h->directory[number];
    h->directory[number] = &dead_page;
    memcpy(page, &h->free_pages, sizeof(Page *));
    h->free_pages = page;
}

/* The log goes on to the next id. */
always_inline void reach_id(Heap *h, uint32_t id)
{
    if (unlikely(!(id & (PAGE_IDS - 1)))) {
        uint32_t before = (id >> PAGE_BITS) - 1;
        open_page(h, id >> PAGE_BITS);
        if (id && !h->directory[before]->live)
            close_page(h, before);
    }
    h->next_id = id + 1;
}

/* Room for twice as many objects, each in a cache line of its own. */
never_inline void room_for_objects(Heap *h)
{
    uint64_t before = h->slot_capacity, capacity = before ? 2 * before : 256;
    size_t begun = (char *)h->objects - (char *)h->room;
    char *room = grown(h, h->room, capacity + 1, sizeof *h->objects);
    size_t begin = -(uintptr_t)room & (sizeof *h->objects - 1);
    if (begin != begun)
        memmove(room + begin, room + begun, before * sizeof *h->objects);
    h->room = room;
    h->objects = (Object *)(room + begin);
    h->extra = grown(h, h->extra, capacity, sizeof *h->extra);
    if (h->linked)
        h->linked = grown(h, h->linked, capacity, sizeof *h->linked);
    if (h->noted) {
        h->noted->visits = grown(h, h->noted->visits, capacity, sizeof *h->noted->visits);
        memset(h->noted->visits + before, 0, (capacity - before) * sizeof *h->noted->visits);
    }
    h->slot_capacity = (uint32_t)capacity;
}

static int make_room(Heap *h)
{
    if (setjmp(h->failure))
        return ENGINE_NO_MEMORY;
    room_for_objects(h);
    memset(h->objects, 0, sizeof *h->objects);  /* nobody's slot */
    h->slots = 1;
    return ENGINE_END;
}

/* An object for an id whose page is open; `counted`: as one that is alive. */
always_inline uint32_t new_object(Heap *h, uint32_t id, uint32_t shape, int counted)
{
    uint32_t slot = h->free_slot;
    if (slot) {
        h->free_slot = h->objects[slot].links;
        __builtin_prefetch(&h->objects[h->free_slot], 1);   /* the next birth takes it */
    } else {
        if (unlikely(h->slots == h->slot_capacity))
            room_for_objects(h);
        slot = h->slots++;
    }
    Page *page = h->directory[id >> PAGE_BITS];
    page->slot[id & (PAGE_IDS - 1)] = slot;
    page->live += !counted;
    Object *o = &h->objects[slot];
    memset(o, 0, sizeof *o);
    o->count = 1;
    o->id = id;
    o->shape = shape;
    o->generation = UNTRACKED;
    return slot;
}

always_inline void forget_id(Heap *h, uint32_t id)
{
    uint32_t number = id >> PAGE_BITS;
    Page *page = h->directory[number];
    page->slot[id & (PAGE_IDS - 1)] = 0;
    if (unlikely(--page->live == 0) && number != (h->next_id - 1) >> PAGE_BITS)
        close_page(h, number);
}

/* -- the lists of the generations, in order -- */

never_inline void close_holes(Heap *h, List *list)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->length; i++)
        if (list->slot[i]) {
            h->objects[list->slot[i]].place = kept;
            list->slot[kept++] = list->slot[i];
        }
    list->length = kept;
    list->first = 0;
}

never_inline void make_room_in_list(Heap *h, List *list)
{
    if (list->live < list->length / 2) {
        close_holes(h, list);
    } else {
        ROOM(h, list->slot, list->length, list->capacity);
    }
}

always_inline void enlist(Heap *h, uint32_t slot, int generation)
{
    List *list = &h->lists[generation];
    if (unlikely(list->length == list->capacity))
        make_room_in_list(h, list);
    h->objects[slot].generation = (uint8_t)generation;
    h->objects[slot].place = list->length;
    list->slot[list->length++] = slot;
    list->live++;
}

always_inline void delist(Heap *h, Object *o)
{
    List *list = &h->lists[o->generation];
    list->slot[o->place] = 0;
    list->live--;
    while (!list->slot[list->length - 1])
        if (!--list->length) {
            list->first = 0;
            break;
        }
    o->generation = UNTRACKED;
}

always_inline void empty_list(List *list)
{
    list->length = list->live = list->first = 0;
}

/* Whether collections visit what stands there. */
always_inline int is_collected(int generation)
{
    return generation != PERMANENT && generation != UNTRACKED;
}

/* -- the young counter in batches (record_deallocation of CPython's gc_free_threading.c) -- */

/* Deaths since the last birth, in batches. */
static void settle_batches(Heap *h)
{
    h->buffered -= (int64_t)h->pending;
    h->pending = 0;
    while (h->buffered <= -(int64_t)h->batch) {
        h->buffered += h->batch;
        h->young -= h->batch;
    }
}

#endif
