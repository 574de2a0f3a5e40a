/* Shared state of the capture.  Everything runs with the GIL held, allocates no
 * Python object and leaves no exception set. */
#ifndef GCREPLAY_CAPTURE_H
#define GCREPLAY_CAPTURE_H

#include "layout.h"

#include "format.h"

/* ---- what is known of one address ------------------------------------- */

/* One entry per 32 bytes of address space, found by the address of the block:
 * no two GC blocks can begin within the same 32 bytes. */
typedef struct {
    uint32_t id;    /* object number; 0 = no live GC object begins here */
    uint32_t hash;  /* of the pointers it held when its links were last written */
    uint32_t count; /* reference count last written */
    uint32_t type;  /* number of the type << 8 | flags; type 0 = not known yet */
} entry_t;

#define EF_HELD 1u   /* a probe has met it as a child */
#define EF_KEPT 2u   /* its storage is in a free list (id is 0) */
#define EF_IS_TYPE 4u
#define EF_WATCHED 16u /* a frame held it at the last probe */
#define EF_NEAR 32u    /* the object stands 16 bytes into its block */
#define EF_FAR 64u     /* 32 bytes, behind its managed dictionary */
#define EF_ODD 128u    /* the block begins in the upper half of its 32 bytes */
#define EF_PROBED 8u /* links were written at least once */

#define LEAF_BITS 20
#define LEAF_ENTRIES (1u << (LEAF_BITS - 5))
#define NEAR 64u /* leaves remembered by the low bits of their number */
typedef struct {
    uintptr_t key;
    entry_t *leaf;
} near_leaf_t;
extern near_leaf_t map_near[NEAR];
entry_t *map_leaf(uintptr_t key, int create);

static inline entry_t *map_entry(const void *block, int create)
{
    uintptr_t key = (uintptr_t)block >> LEAF_BITS;
    const near_leaf_t *near = &map_near[key & (NEAR - 1)];
    entry_t *leaf = near->key == key ? near->leaf : map_leaf(key, create);
    return leaf == NULL ? NULL : &leaf[((uintptr_t)block >> 5) & (LEAF_ENTRIES - 1)];
}

static inline entry_t *map_find(const void *block) { return map_entry(block, 0); }
static inline entry_t *map_make(const void *block) { return map_entry(block, 1); }

/* ---- the capture -------------------------------------------------------- */

/* Measures CPU time of the thread that started it, since what others do on the machine is no
 * pause; when another thread stops it, the wall clock has to do. */
typedef struct {
    uint64_t cpu_ns, wall_ns;
    unsigned long thread; /* 0 = not started */
} stopwatch_t;
stopwatch_t stopwatch_started(void);
uint64_t stopwatch_ns(const stopwatch_t *w);
uint64_t thread_cpu_ns(void);
void put_tick(void);
void cpu_told(void);

/* An instruction that runs; no code without a frame. */
typedef struct {
    PyCodeObject *code;
    const void *instruction;
} place_t;

typedef struct {
    const frame_t *frame;
    place_t place;
    const void *exception; /* that is set; a birth begins no collection then */
    uintptr_t *room;       /* where the frame of what it calls will begin, or NULL */
} sample_t;

typedef struct {
    int active;
    int measuring;        /* instead: collections are noted, nothing is recorded */
    PyInterpreterState *interp;
    collector_t *gc;
    uint32_t next_id;     /* number the next object will get */
    int count;            /* young counter at the last hook */
    int enabled;          /* collector switch at the last hook */
    void *pending;        /* block handed out by the last hook, not classified yet */
    size_t pending_size;
    sample_t sample;      /* where the last hook was that settled all before it */
    void *untyped;        /* block whose birth triggered the collection under way */
    uint32_t untyped_id;
    size_t untyped_size;
    int beginning;        /* between R_BEGIN and R_START, 1 + cause */
    int collecting;       /* between R_START and R_STOP; OWNED while code of the garbage may run */
    int expected;         /* the collector's flag while hooks have nothing to note; -1 while garbage is deleted */
    int explicit_call;    /* inside gc.collect() */
    uint64_t seen_collections;
    uint64_t collected_before, uncollectable_before;
    uint64_t started_ns, excluded_ns, origin_ns, paused_ns;
    uint64_t origin_cpu_ns, aside_cpu_ns; /* of the process when it began; of probes and collections */
    uint32_t caller;      /* site of the call of the gc module under way, or 0 */
    stopwatch_t due;      /* since the next collection begins at the earliest */
    uint64_t before_ns;   /* of the collection under way, before the sentinel was met */
    long granularity, full_probe, probe_budget;
    long until_young, until_full;
    int labels;           /* what a probe writes is read too */
    int probe_wanted;     /* 0 none, 1 young, 2 full */
    int in_probe;         /* records are written into a probe, behind an escape */
    PyMemAllocatorEx below;
} capture_t;

extern capture_t cap;

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

typedef struct {
    long granularity, full_probe, probe_budget;
    int labels;
    long long limit;
    char *plan; /* not NULL: measure, see measure.c */
} options_t;

void capture_start(const char *path, const options_t *options, const char *wrong);
void capture_stop(enum spool_status why, const char *message);

void process_left(void);

#define PROCESS_PAGE 4096u

/* A page of its own, which is empty in a forked child. */
typedef union {
    struct {
        PyInterpreterState *recorded;
        int ours;
    };
    char page[PROCESS_PAGE];
} here_t;
#define NOT_RECORDED ((PyInterpreterState *)1) /* at the very end the newest is NULL */
extern here_t here __attribute__((visibility("hidden")));

int capture_elsewhere(void);

/* Whether to record at all.  A second interpreter, which has lists of its own, ends it, and a forked
 * child is not recorded.  Each allocation and release asks this: one comparison answers it. */
static inline int capture_on(void)
{
    return LIKELY(here.recorded == newest_interpreter()) || capture_elsewhere();
}

/* A greenlet may leave a callback or finalizer for good.  Nothing is collected after that. */
#define NEVER_ENDED "the last collection never ended: what it called switched away and did not come back"

void capture_sync(void);              /* classify, notice ends of collections and silent births */
void capture_refresh(void);           /* after something that may have set the counters */
uint64_t clock_ns(void);

/* alloc.c */
void alloc_install(void);
void alloc_settle(void);
entry_t *alloc_late(PyObject *op, void *block);
uint32_t alloc_entry_new(entry_t *e, uint32_t type);
static inline void *block_of(PyObject *op)
{
    return (char *)op - presize_of(Py_TYPE(op));
}
static inline void entry_place(entry_t *e, const void *block, const PyTypeObject *t)
{
    e->type |= (presize_of(t) == HEAD_NEAR ? EF_NEAR : EF_FAR) | (((uintptr_t)block & 16) ? EF_ODD : 0);
}

/* The live object that stands at exactly this address, or NULL; reads nothing there. */
static inline entry_t *entry_at(const void *op)
{
    const char *near = (const char *)op - HEAD_NEAR, *far = (const char *)op - HEAD_FAR;
    entry_t *e = map_find(near);
    if (e != NULL && e->id != 0 && (e->type & EF_NEAR) && !(e->type & EF_ODD) == !((uintptr_t)near & 16)) {
        return e;
    }
    e = map_find(far);
    if (e != NULL && e->id != 0 && (e->type & EF_FAR) && !(e->type & EF_ODD) == !((uintptr_t)far & 16)) {
        return e;
    }
    return NULL;
}

/* sizes.c */
size_t size_of_object(PyObject *op);

/* owned.c */
int owned_check_layout(const char **why);
void owned_new_type(const PyTypeObject *t, uint32_t number);
void owned_begin(void); /* of another object */
size_t owned_outside(PyObject *op, uint32_t type, int *grows);
size_t owned_leaf(PyObject *op, int *grows);

/* freelist.c */
void freelist_new_type(PyTypeObject *t);
int freelist_check_layout(const char **why);
void freelist_install(void);
void freelist_taken(int given);       /* writes what was taken from the lists since the last sample */
void freelist_births_rare(void);      /* the same for contexts and asynchronous generators */
void freelist_flushed(void *block);   /* a full collection gives this block back */
int freelist_capacity_left(PyTypeObject *t, size_t size);

extern int freelist_seen; /* what the lists of list, dict, slice and tuple held at the last sample */

/* Between two samples these lists only become shorter, so that their sum tells whether any did. */
static inline int freelist_total(void) { return free_common(cap.interp); }

static inline void freelist_births(void)
{
    int given = freelist_seen - freelist_total();
    if (given != 0) {
        freelist_taken(given);
    }
}

/* What was handed out last is no GC object, and no collection began or ended. */
static inline int counters_quiet(void)
{
    const collector_t *gc = cap.gc;
    return gc_count(gc, 0) == cap.count && gc_collecting(gc) == cap.expected;
}

/* Nothing for capture_sync() to write; no free list gave anything away either. */
static inline int capture_quiet(void) { return counters_quiet() && freelist_total() == freelist_seen; }

static inline void capture_check(void)
{
    if (LIKELY(capture_quiet())) {
        cap.pending = NULL;
    } else {
        capture_sync();
    }
}

/* types.c */
int types_init(void);
uint32_t type_new(PyTypeObject *t);            /* writes R_TYPE when new */
int type_listed(const void *t);

#define NEAR_TYPES 512u
typedef struct {
    const void *type; /* a known type with a number */
    uint32_t number;
} near_type_t;
extern near_type_t type_near[NEAR_TYPES];

static inline near_type_t *type_line(const void *t)
{
    return &type_near[(((uintptr_t)t >> 5) ^ ((uintptr_t)t >> 13)) & (NEAR_TYPES - 1)];
}

/* The number of a type in the spool; 0 when it could not be given one. */
static inline uint32_t type_number(PyTypeObject *t)
{
    const near_type_t *near = type_line(t);
    return LIKELY(near->type == t) ? near->number : type_new(t);
}

static inline int type_known(const void *t) { return t != NULL && (type_line(t)->type == t || type_listed(t)); }
void type_remember(PyTypeObject *t);
void type_forget(PyTypeObject *t);

/* table.c : from a 64-bit key (not 0) to a 32-bit value, never shrinking */
typedef struct {
    uint64_t *keys;
    uint32_t *values;
    size_t mask, used;
} table_t;
uint32_t *table_find(const table_t *t, uint64_t key);
int table_put(table_t *t, uint64_t key, uint32_t value);
void table_remove(table_t *t, uint64_t key);
void table_drop(table_t *t);          /* it is empty then */
void *reserve_memory(size_t bytes);
int reserve_more(void **at, size_t *room, size_t item);
void release_memory(void *at, size_t bytes);

/* sites.c */
void sites_install(void);
uint32_t site_unseen(place_t place);
uint32_t site_near_to(place_t place);

#define NEAR_SITES 4096u
typedef struct {
    const void *instruction;
    uint32_t site, deaths;
} near_site_t;
extern near_site_t site_near[NEAR_SITES];

/* Deaths of known code objects, by their address: a number that has changed makes stale lines miss. */
#define CODE_DEATHS 1024u
extern uint32_t code_deaths[CODE_DEATHS];
static inline uint32_t *deaths_of(const PyCodeObject *code) { return &code_deaths[((uintptr_t)code >> 6) & (CODE_DEATHS - 1)]; }

static inline near_site_t *site_line(const void *instruction)
{
    return &site_near[((uintptr_t)instruction >> 1) & (NEAR_SITES - 1)];
}

static inline void sample_here(sample_t *sample)
{
    const PyThreadState *ts = this_thread();
    const frame_t *frame = ts != NULL ? running_frame(ts) : NULL;
    sample->frame = frame;
    if (LIKELY(frame != NULL)) {
        sample->place.code = frame_code(frame);
        sample->place.instruction = frame_instruction(frame);
        sample->exception = exception_set(ts);
        sample->room = thread_room(ts);
    } else {
        *sample = (sample_t){.exception = ts != NULL ? exception_set(ts) : NULL};
    }
}

/* What stands in the room until a frame is put there. */
#define UNCALLED ((uintptr_t)0x6763726570u)

static inline void sample_taken(void)
{
    sample_here(&cap.sample);
    if (LIKELY(cap.sample.room != NULL)) {
        *cap.sample.room = UNCALLED;
    }
}

/* 0 where no code ran. */
static inline uint32_t site_of(place_t place)
{
    if (place.code == NULL) {
        return 0;
    }
    const near_site_t *near = site_line(place.instruction);
    if (LIKELY(near->instruction == place.instruction && near->deaths == *deaths_of(place.code))) {
        return near->site;
    }
    return site_unseen(place);
}

static inline place_t place_at(PyCodeObject *code, int unit) { return (place_t){code, code_unit(code, unit)}; }

/* between.c */
#define BETWEEN_MOST 8
const uint32_t *sites_between(const sample_t *before, const sample_t *now, enum type_kind kind, int length, int n);

/* probe.c */
int grow(void **at, size_t *room, size_t item); /* to twice the room, or the recording ends */

/* Addresses of objects that something held at a probe and that have died since the last full
 * one: who holds such an address holds another object by now.  A set of bits by hash. */
#define REUSED_BITS 19
extern uint64_t probe_reused[1u << (REUSED_BITS - 6)];

static inline uint32_t reused_place(const void *op)
{
    return (uint32_t)((uintptr_t)op >> 4) * 0x9E3779B1u >> (32 - REUSED_BITS);
}

static inline int reused(const void *op)
{
    uint32_t at = reused_place(op);
    return probe_reused[at >> 6] >> (at & 63) & 1;
}

/* The object of this entry is no more at its place. */
static inline void entry_leaves(const entry_t *e, const void *block)
{
    if (e->type & EF_HELD) {
        uint32_t at = reused_place((const char *)block + ((e->type & EF_NEAR) ? HEAD_NEAR : HEAD_FAR));
        probe_reused[at >> 6] |= (uint64_t)1 << (at & 63);
    }
}

void probe_paced(void);               /* sets when the next full probe is due */
void probe_exactly(void);             /* the next full probe trusts no earlier probe */
void probe_found_heap(void);
void probe_lists(int upto, PyGC_Head *drop);
int probe_pending(void *unused);
void probe_now(int kind);             /* 1 the young, 2 the whole heap, which is whole right now */

/* pools.c */
enum { MAY_KEEP = 1, OWN_BLOCKS = 2 };
extern uint8_t *pools_traits; /* by type number */
extern size_t pools_types;

static inline unsigned pools_trait(uint32_t type) { return type < pools_types ? pools_traits[type] : 0; }

int pools_own_blocks(const PyTypeObject *t); /* whose release no hook sees */
void pools_new_type(const PyTypeObject *t, uint32_t number);
void pools_walk(int g);
void pools_met(PyObject *op, uint32_t id, int g);
void pools_check(int upto);
void pools_collected(int generation);

/* weakuse.c */
int weakuse_check_layout(const char **why);
void weakuse_watch(PyObject *op);
void weakuse_again(void);             /* a collector may have run since the last hits */

/* gcwatch.c */
int gcwatch_check_layout(const char **why);
void gcwatch_install(void);
void gcwatch_begun(int trigger);
void gcwatch_deleting(void);
void gcwatch_stopped(void);
void gcwatch_link(void);
static inline void gcwatch_deleted(void) /* notes that the garbage is deleted, once it is */
{
    if (UNLIKELY(cap.expected < 0)) {
        gcwatch_deleting();
    }
}
void gcwatch_unlink(void);
void gcwatch_take_out(PyGC_Head *before, PyGC_Head *head);
int gcwatch_is_sentinel(const PyGC_Head *g);
typedef PyObject *(*keywords_fn)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);
typedef void (*any_fn)(void);
any_fn gcwatch_replace(const char *name, int flags, any_fn hook); /* a function of the gc module */
void gcwatch_hide(void);              /* the sentinel, from gc.get_objects() alone; and link it */

/* owners.c */
#define OWNED 2 /* each hook asks whose finalizer or callback runs */
void owners_watch(int generation, visitproc subtracting);
void owners_check(void);
void owners_stopped(void);
void owners_leave(void);
int owners_is_sentinel(const PyObject *op);

/* measure.c */
int measure_start(char *plan, const char **why);
void measure_collection(void);
void measure_mark(PyObject *label);

static inline int measuring(void)
{
    if (UNLIKELY(cap.measuring && !here.ours)) {
        process_left();
    }
    return cap.measuring;
}

/* process.c */
int process_watch(const char **why);
void process_unguard(void);
void process_made(void); /* a child, which is not recorded */

/* spawn.c */
void spawn_install(void);
int spawn_asked(void); /* whether this thread is starting a process that is counted there */

/* methods.c: nothing is allocated; NULL where there is none */
PyMethodDef *method_in(PyModuleDef *module, const char *name, int flags);
PyModuleDef *builtin_module(const char *name); /* the static definition of one made in two phases */
PyObject *imported_module(const char *name);   /* borrowed */

#include "spool.h"

#endif
