/* From raw records to canonical events.  The model below is what a replay under
 * `never` would hold at this point of the log; every event written keeps the two equal. */
#ifndef GCREPLAY_INGEST_H
#define GCREPLAY_INGEST_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include "format.h"

#define NONE 0xFFFFFFFFu

/* Canonical operations and flags; the same numbers as gcreplay.store.events. */
enum { OP_START, OP_ALLOC, OP_INCREF, OP_DECREF, OP_LINK, OP_UNLINK, OP_KEPT, OP_RESIZE, OP_TRACK, OP_UNTRACK,
       OP_GC_CALL, OP_INSIDE, OP_SAFEPOINT, OP_MARK, OP_TICK, OP_WEAKREF };
enum { UNFREEABLE = 4 }; /* in place of a generation, of OP_TRACK */
enum { FLAG_GC = 1, FLAG_COUNTED = 2, FLAG_TRACKED = 4, FLAG_BYPASS = 16, FLAG_BARRED = 32 };
/* Labels that every recording has. Those behind the second mark the INCREF, DECREF or UNLINK of a
 * repair; the second marks a DECREF so. */
enum { LABEL_UNKNOWN, LABEL_OPAQUE, LABEL_STALE_LINK, LABEL_LATE_DECREF, LABEL_HOLD };

enum repair { REPAIR_STALE_LINK, REPAIR_LATE_DECREF, REPAIR_HOLD, REPAIR_OPAQUE, REPAIR_LATE_OBJECT,
              REPAIR_UNKNOWN_FREE, REPAIR_MISSED_COLLECTION, REPAIR_KINDS };

/* ---- growable arrays ------------------------------------------------------ */

typedef struct { uint32_t *at; size_t n, room; } words_t;

typedef struct { uint8_t *op; uint32_t *a, *b, *c; size_t n, room; } events_t;

/* ---- the model --------------------------------------------------------------- */

/* One cache line: what a probe reads of each object it meets must not take two. */
typedef struct {
    uint32_t name;     /* number in the canonical log; NONE before its ALLOC is written */
    uint32_t type;     /* number of the type, 0 = unknown */
    uint32_t size8, born8; /* its block, now and at birth, in eight bytes */
    uint32_t count;    /* total references */
    uint32_t reported; /* reference count last read from the program, 1 at birth */
    uint32_t out_first, out_last, in_first; /* edges */
    uint32_t links;    /* how many edges lead to it; never more than count */
    uint32_t seen;     /* last probe that met it as a member */
    uint32_t before;   /* and the one before, or that of the collection inside which it was born */
    uint32_t scratch;
    uint32_t note, noted_in; /* its note, if this is the window that was noted in */
    uint8_t generation; /* 0-2, 3 permanent, 4 untracked */
    uint8_t state;
    uint8_t released;   /* RELEASED, KEPT when its storage went to a free list, WITH_GARBAGE when it was doomed */
    uint8_t touched : 1;
    uint8_t handed_over : 1; /* to what links to it, when it was born */
    uint8_t owned : 1;     /* made by a callback or finalizer */
    uint8_t unfreeable : 1; /* a collection has found it and could not free it */
    uint8_t overdrawn : 1; /* those who hold it show it more often than it has references */
} __attribute__((aligned(64))) object_t;

/* What a window knows of an object that it concerns.  Few are in any window, and none is when the
 * next one opens.  Places count from the window's start. */
typedef struct {
    uint32_t born;        /* where it was born; 0 = before */
    uint32_t lost;        /* where since the last probe a holder's death first took a link from it */
    uint32_t used;        /* where something last shows it to be in use; 0 = nowhere */
    uint32_t judged, verdict; /* by which probe, and how: of its verdicts, NONE = reachable */
    uint32_t surplus;     /* references of running code too many, by the probe under way */
} note_t;

/* What a probe says of garbage that holds itself, or of one object: from all that leads to it. */
typedef struct {
    uint32_t used;        /* where something last shows that running code had hold of it */
    uint32_t probe;       /* the earliest of the places where each was last probed; NONE = never */
    uint32_t last;        /* where it was last seen to be reachable */
    uint32_t since;       /* where it became garbage */
    uint32_t idle;        /* nothing shows a use of some since they were last probed */
} verdict_t;

/* An object that the search for what holds another is at: the link to follow next, the earliest
 * in the trail that leads to it, and what is known of its verdict. */
typedef struct { uint32_t id, edge, low; verdict_t dates; } visit_t;

enum { RELEASED = 1, KEPT = 2, WITH_GARBAGE = 4 };
enum { S_UNBORN, S_ALIVE, S_KILLED /* by an event already written */, S_DEAD };

#define PAGE_BITS 10
#define PAGE_OBJECTS (1u << PAGE_BITS)
typedef struct { object_t objects[PAGE_OBJECTS]; uint32_t outside[PAGE_OBJECTS], born, dead; } page_t;

/* A page most of whose objects are dead: the others only, and where each is among them.  Behind them
 * stands what they own outside, as in a whole page. */
#define NO_PLACE 0xFFFFu
typedef struct { uint16_t place[PAGE_OBJECTS]; uint32_t born, dead; object_t objects[]; } packed_t;
typedef union { page_t *whole; packed_t *packed; uintptr_t bits; } page_ref_t; /* packed: bit 0 is set */

typedef struct { uint32_t from, to, out_next, out_before, in_next, in_before; } edge_t;

typedef struct { uint32_t kind_flags; uint32_t module_kind, name_kind; size_t module_at, module_n, name_at, name_n; } type_def_t;
typedef struct { uint32_t first_line; uint32_t file_kind, name_kind; size_t file_at, file_n, name_at, name_n, table_at, table_n; } code_def_t;
typedef struct { uint32_t code, offset, near; } site_def_t;
typedef struct { uint32_t type, size, flags; } shape_def_t;
typedef struct { uint32_t kind; size_t at, n; } text_def_t;
typedef struct { uint32_t call; int n; int64_t arguments[3]; } call_def_t;

typedef struct {
    uint64_t sequence, allocation, duration_ns;
    uint32_t cause, generation, candidates;
    uint64_t collected, uncollectable, long_lived_total, long_lived_pending;
    uint32_t at, end;        /* places of its event, and behind what the program did inside */
    uint32_t buried;         /* so many of `buried` went in it and in those before */
} observed_t;

/* Readings of one moment: its place, why, and how many readings and links there are with those before. */
typedef struct { uint64_t sequence; uint32_t at, reason; size_t readings, links; } batch_t;

typedef struct { uint32_t at, op, a, b, c, loser; } insertion_t; /* loser: see window_lose */

/* How many objects of a type died into a free list of its own, outlived a collection that counted them, have
 * blocks of their own. */
typedef struct { uint64_t kept, outlived, owned; } unusual_t;
typedef struct { uint32_t reference, target, name; } weak_t; /* of the target; free where reference is 0 */
typedef struct { uint32_t from, at, target, count; } hit_t; /* places of the last use before it, and its own */

#define ARRAY(T, NAME) T *NAME; size_t NAME##_n, NAME##_room

typedef struct {
    int failed;              /* memory ran out, or a record could not be read */
    const char *error;

    /* input */
    const uint8_t *base, *at, *end;
    const uint8_t *record;   /* where the one under way begins */
    int in_probe;            /* it stands inside a probe */

    /* output */
    events_t out;            /* final events, taken by the caller */
    events_t side;           /* what the program did inside the collection under way */
    events_t *to;            /* where events go now */
    uint64_t taken;          /* events handed to the caller before out */
    size_t window_from;      /* events of out before this one are final */
    uint32_t window;         /* number of the window that begins there, from 1 */
    int opening;             /* the next one is to begin behind the collection under way */
    ARRAY(note_t, notes);    /* of this window */
    words_t inside;          /* pairs: a note on what was born or used inside the collection under way, and where in side */
    words_t regions;         /* triples: events of side that have become a region with an owner, first and behind, and its end */
    words_t probes;          /* where each probe since then ended, and its collection, if it has one */
    uint32_t first_probe;    /* epoch of probes.at[0] */
    uint32_t probed;         /* where the last one ended */
    ARRAY(insertion_t, insertions);
    ARRAY(insertion_t, sorted);
    ARRAY(verdict_t, verdicts); /* of the last probe */
    ARRAY(visit_t, path);
    uint64_t visits;         /* objects that the search for what holds others has met, in all probes */
    uint64_t members;        /* and those that probes have shown */
    ARRAY(type_def_t, types);
    ARRAY(code_def_t, codes);
    ARRAY(site_def_t, sites);
    ARRAY(shape_def_t, shapes);
    ARRAY(text_def_t, marks);
    ARRAY(text_def_t, labels);
    ARRAY(call_def_t, calls);
    ARRAY(observed_t, observed);
    size_t observed_final;   /* those of before the window */
    words_t buried;          /* names of the garbage of each: no event behind it names them */
    ARRAY(batch_t, batches);
    size_t batches_final, batches_placed; /* those of before the window; those that do not wait for the end of a collection */
    words_t read_objects, read_titles, read_counts; /* of each reading: its object's name, a label, its links */
    words_t read_targets, read_names; /* of each of these */
    int64_t state[64];       /* operands of R_STATE */
    int state_n;
    int ended;
    uint64_t repairs[REPAIR_KINDS];
    uint64_t repairs_before[REPAIR_KINDS]; /* what waits in `side` */
    uint64_t raw_records;

    /* names of what was defined so far */
    uint32_t type_count, site_count, code_count, mark_count, call_count, label_count;
    uint32_t next_name;
    uint8_t *type_flags;     /* by type number */
    size_t type_flags_room;
    ARRAY(unusual_t, unusual); /* by type number */
    int64_t debug;           /* flags of gc.set_debug() */
#define DEBUG_SAVEALL 32
    uint64_t *shape_keys;    /* open addressing */
    uint32_t *shape_values;
    size_t shape_mask, shape_used;

    weak_t *weak;            /* what weak references have as target; open addressing */
    size_t weak_mask, weak_used;
    ARRAY(hit_t, hits);      /* since the last probe, on what was born since */
    words_t handed;          /* what hangs from their targets and was born since: `handed_over` */

    /* the model */
    page_ref_t *pages;
    size_t pages_room;
    words_t sparse;          /* pages of which half died since they were filled or packed */
    uint32_t packed_in;      /* the window in which that was last done */
    uint64_t page_bytes;
    uint32_t next_id;
    edge_t *edges;
    size_t edges_n, edges_room;
    uint32_t free_edge;
    words_t generations[4];  /* members by belief; entries may be stale */

    /* deaths not written yet */
    words_t batch;
    words_t stack, holds, pairs, trail;

    /* probe under way */
    uint32_t epoch;
    int merged;              /* its lists hold what stands in younger ones by belief */
    int changes;             /* the probe left out what has not changed of generations 1 and 2 */
    words_t touched;
    words_t balance;         /* of each of them: references by the model less those reported */
    words_t targets;         /* of the object whose links are read */
    words_t grown;           /* what owns more or less outside its block than before */
    words_t added;           /* triples: source and target of links that are new, and where they are dated */
    words_t removed;         /* pairs: source and target of links that are gone */

    /* an ALLOC that may turn out to have triggered a collection */
    int held;
    unsigned barred, held_barred; /* FLAG_BARRED of the next ALLOC, of the held one */
    uint32_t held_id, held_site;

    /* collection under way */
    int found_done, beginning, collecting, stopping;
    words_t switches; /* calls of "start" callbacks, numbers in the log's arguments: call, argument, via */
    uint32_t start_generation, start_cause, start_next_id;
    uint32_t caller;         /* site of the next call of the gc module */
    uint32_t start_via;      /* whence the collection under way was called, as events say it */
    uint32_t start_name;     /* of the object whose birth triggered it, or of the next one */
    uint32_t walked;
    int deleted;             /* its garbage is */
    size_t side_deleted;     /* events of side before it was */
    uint64_t ticked;         /* program time of the last tick */
    words_t doomed;          /* objects of before that died inside it, in order */
    words_t garbage;         /* what it had found before any code ran, if that was told */
    words_t rescued;         /* what of that could be reached when all code had run */
    words_t outlived;        /* what of the rest nothing has freed */
    int garbage_known;
    uint32_t bystander;      /* another thread runs, and this owner waits; 0 = none */
    int acting;              /* callbacks or finalizers run, which the capture tells apart */
    words_t owners;          /* whose the events of side are, see owners.c */
    words_t saved;           /* pairs: in the region of which owner an object is held, and its number */
    size_t saved_at;         /* those before this one are written */
    words_t hung;            /* born in a region, and died when the garbage was deleted */
    words_t hanging;         /* triples: in the region of which owner one was born whose garbage held it, its name and count */
    size_t hanging_at;       /* those before this one are written */
    uint64_t stop[7];
    uint32_t kept[KIND_TYPE + 1][21]; /* what each free list holds, by kind and tuple length */
} ingest_t;

/* pages.c */
object_t *object_new(ingest_t *s, uint32_t type, uint32_t size8);
uint32_t *object_outside(ingest_t *s, uint32_t id); /* what it owns beside its block, in OWNED_UNIT */
void object_died(ingest_t *s, uint32_t id);
void object_unborn(ingest_t *s);    /* the last one */
void pages_pack(ingest_t *s);       /* moves objects */

/* model.c */
void edge_add(ingest_t *s, uint32_t from, uint32_t to);
void edge_drop(ingest_t *s, uint32_t edge);
int events_room(ingest_t *s, events_t *e, size_t more);
void events_append(ingest_t *s, events_t *to, const events_t *from);
void write_alloc(ingest_t *s, object_t *o, unsigned flags, uint32_t site);
void fail(ingest_t *s, const char *why);
extern _Thread_local jmp_buf *out_of_memory; /* where array_grow() goes when there is none */
int array_grow(void **at, size_t *room, size_t item);
#define APPEND(S, NAME) \
    ((S)->NAME##_n < (S)->NAME##_room || array_grow((void **)&(S)->NAME, &(S)->NAME##_room, sizeof(*(S)->NAME)) \
         ? &(S)->NAME[(S)->NAME##_n++] : NULL)
void link_made(ingest_t *s, uint32_t from, uint32_t to);

/* deaths.c */
void deaths_flush(ingest_t *s);

/* collection.c */
void collection_finish(ingest_t *s);
void write_side(ingest_t *s, size_t acts);

/* owners.c */
void read_garbage(ingest_t *s);
void read_saved(ingest_t *s);
void read_owner(ingest_t *s);
void owner_concerned(ingest_t *s, const object_t *o);
void owners_over(ingest_t *s);
void hold_saved(ingest_t *s);
void hang_deaths(ingest_t *s);
void keep_collected(ingest_t *s);
void write_outlived(ingest_t *s);
void write_owned(ingest_t *s, size_t from, size_t to);

/* unusual.c */
unusual_t *unusual_of(ingest_t *s, uint32_t type);
void note_outlived(ingest_t *s);

/* garbage.c */
void find_garbage(ingest_t *s, uint32_t upto);
void forget_garbage(ingest_t *s, uint32_t upto);
int garbage_is(const ingest_t *s, const object_t *o);
uint32_t unreachable_since(ingest_t *s, uint32_t id);

/* window.c */
void window_open(ingest_t *s);
extern const note_t no_note;
note_t *note_on(ingest_t *s, object_t *o);
void window_born(ingest_t *s, object_t *o);
void window_region(ingest_t *s, size_t from, size_t to);
void window_saved(ingest_t *s, uint32_t id);
void window_inside_written(ingest_t *s);
void window_lost(ingest_t *s, object_t *o, const object_t *by);
void window_used(ingest_t *s, object_t *o);
void window_gave(ingest_t *s, object_t *o);
void window_weak(ingest_t *s, object_t *from, object_t *to, uint32_t callback);
uint32_t window_linked(ingest_t *s, object_t *from, object_t *to);
int window_met_since(const ingest_t *s, const object_t *o, uint32_t at);
uint32_t window_last_probe(const ingest_t *s, const object_t *o);
uint32_t window_between(const ingest_t *s, uint32_t at);
uint32_t window_here(const ingest_t *s);
uint32_t window_dropped(const ingest_t *s, const object_t *o);
uint32_t window_born_since(const ingest_t *s, const object_t *o);
uint32_t window_gained(ingest_t *s, object_t *o);
void window_gain(ingest_t *s, object_t *o, uint32_t at, int op, uint32_t a, uint32_t b);
void window_lose(ingest_t *s, uint32_t id, uint32_t at, int op, uint32_t a, uint32_t b);
void window_parted(ingest_t *s, object_t *o, uint32_t from, uint32_t to);
uint32_t window_owned(const ingest_t *s, const object_t *o);
void window_resized(ingest_t *s, uint32_t id, uint32_t at);
void window_redate(ingest_t *s);
void window_bounded(ingest_t *s);
void window_probed(ingest_t *s);

/* probes.c */
void probe_read(ingest_t *s);

/* weak.c */
void weak_made(ingest_t *s, uint32_t reference, uint32_t target);
void weak_forget(ingest_t *s, uint32_t reference);
void weak_probed(ingest_t *s);
void weak_forget_probe(ingest_t *s);
void read_hit(ingest_t *s);
void read_miss(ingest_t *s);

/* definitions.c */
void read_type(ingest_t *s);
void read_code(ingest_t *s);
void read_site(ingest_t *s);
void read_mark(ingest_t *s);
void read_label(ingest_t *s);

/* readings.c */
void read_readings(ingest_t *s);
void readings_placed(ingest_t *s, const observed_t *collection);
void readings_moved(ingest_t *s);
void readings_taken(ingest_t *s);

/* reader.c */
uint32_t read_named(ingest_t *s);   /* an object by its age; 0 when it failed */
uint64_t read_long_number(ingest_t *s);
int read_record(ingest_t *s);       /* one record; 0 at the end of the input */
void held_flush(ingest_t *s);

/* calls.c */
uint32_t call_came(ingest_t *s, int from_c);
void read_call(ingest_t *s);
void calls_that_waited(ingest_t *s);

/* mapped.c */
void mapped_begin(const uint8_t *base, size_t n);
int mapped_end(void);

/* feed.c */
ingest_t *ingest_new(void);
void ingest_free(ingest_t *s);
/* Reads records from base until the input ends or about max_events events wait. Returns the bytes taken, or -1. */
int64_t ingest_feed(ingest_t *s, const uint8_t *base, size_t n, size_t max_events);
void ingest_finish(ingest_t *s);    /* after the last record */
void ingest_taken(ingest_t *s);     /* the caller has copied the final events */

/* ---- what runs once per number, object or event: small enough to stand where it is used ------- */

static inline int64_t unzigzag(uint64_t v) { return (int64_t)(v >> 1) ^ -(int64_t)(v & 1); }

static inline uint64_t read_number(ingest_t *s)
{
    return s->at < s->end && *s->at < 128 ? *s->at++ : read_long_number(s);
}

/* A number of the spool that can be `most` at most. */
static inline uint64_t read_upto(ingest_t *s, uint64_t most, const char *why)
{
    uint64_t v = read_number(s);
    if (v > most) {
        fail(s, why);
        return 0;
    }
    return v;
}

static inline int words_push(words_t *w, uint32_t v)
{
    if (w->n == w->room && !array_grow((void **)&w->at, &w->room, sizeof(*w->at))) {
        return 0;
    }
    w->at[w->n++] = v;
    return 1;
}

static inline void emit(ingest_t *s, int op, uint32_t a, uint32_t b, uint32_t c)
{
    events_t *e = s->to;
    if (e->n == e->room && !events_room(s, e, 1)) {
        return;
    }
    e->op[e->n] = (uint8_t)op;
    e->a[e->n] = a;
    e->b[e->n] = b;
    e->c[e->n] = c;
    e->n++;
}

/* The object with this number, or NULL: never born, or its page was given back. */
static inline object_t *object_get(ingest_t *s, uint32_t id)
{
    if (id == 0 || id >= s->next_id) {
        return NULL;
    }
    page_ref_t p = s->pages[id >> PAGE_BITS];
    uint32_t i = id & (PAGE_OBJECTS - 1);
    if (p.bits & 1) {
        p.bits &= ~(uintptr_t)1;
        return p.packed->place[i] == NO_PLACE ? NULL : &p.packed->objects[p.packed->place[i]];
    }
    return p.whole == NULL ? NULL : &p.whole->objects[i];
}

/* The object that a record names, or NULL, and the reading has failed: nothing can be told of it. */
static inline object_t *object_named(ingest_t *s, int64_t id, const char *why)
{
    object_t *o = id < 0 || id >= NONE ? NULL : object_get(s, (uint32_t)id);
    if (o == NULL || o->state != S_ALIVE || o->released) {
        fail(s, why);
        return NULL;
    }
    return o;
}

/* For loops over lists of objects that lie far apart: asks for the one some turns on. */
static inline void object_ahead(ingest_t *s, const words_t *list, size_t i)
{
    if (i + 8 < list->n) {
        __builtin_prefetch(object_get(s, list->at[i + 8]));
    }
}

static inline unsigned type_flags_of(const ingest_t *s, const object_t *o)
{
    return o->type < s->type_count + 1 && o->type != 0 ? s->type_flags[o->type] : KIND_OTHER;
}

static inline unsigned kind_of(const ingest_t *s, const object_t *o) { return type_flags_of(s, o) & TYPE_KIND_MASK; }

static inline const note_t *note_of(const ingest_t *s, const object_t *o)
{
    return o->noted_in == s->window ? &s->notes[o->note] : &no_note;
}

/* A member of what the last probe read. */
static inline int examined(const ingest_t *s, const object_t *o)
{
    return o->state == S_ALIVE && (o->seen == s->epoch || (s->changes && (o->generation == 1 || o->generation == 2)));
}

#endif
