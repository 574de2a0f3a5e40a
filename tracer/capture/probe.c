/* Probes: what the objects of the GC lists hold, and their reference counts.
 * Everything is read, only what changed since the last probe is written. */
#include "names.h"

uint64_t probe_reused[1u << (REUSED_BITS - 6)];

static uint32_t *links;
static size_t link_count, link_room;
static uint32_t last_id;      /* the object named by the last entry */
static PyObject **late;       /* untracked objects met for the first time, to be probed too */
static size_t late_count, late_room;

int grow(void **at, size_t *room, size_t item)
{
    if (!reserve_more(at, room, item)) {
        capture_stop(SPOOL_FAILED, "no memory for a probe");
        return 0;
    }
    return 1;
}

static inline int entry_head(uint32_t id, unsigned bits)
{
    if (!spool_room(RECORD_ROOM)) {
        return 0;
    }
    put_number(((zigzag((int64_t)id - (int64_t)last_id) << PE_BITS) | bits) + 1);
    last_id = id;
    return 1;
}

static inline entry_t *entry_of(PyObject *op)
{
    void *block = block_of(op);
    entry_t *e = map_find(block);
    if (e != NULL && e->id != 0) {
        return e;
    }
    if (block == cap.pending) {
        return NULL; /* handed out, not yet an object */
    }
    if ((e = alloc_late(op, block)) != NULL && (late_count < late_room || grow((void **)&late, &late_room, sizeof(*late)))) {
        late[late_count++] = op;
    }
    return e;
}

static uint64_t held;  /* hash of the pointers the object holds */
static uint64_t doubt; /* not 0: one of them may be another object than it was */
static size_t owned;   /* bytes that the object alone owns beside its block */
static int grows;      /* and that can become more while all pointers stay */
static int loose;      /* something else holds such things too, now */
static int exactly;    /* the probe under way trusts no earlier probe */
static int exactly_next;
static int changes_only; /* of the generation under way */
static size_t spent;   /* by this probe, in objects read */
static size_t read_links; /* of the object under way, each time one is read */
static int walking;    /* the generation under way, or none: -1 */

void probe_exactly(void) { exactly_next = 1; }

/* Touches none of what the object holds: most objects have not changed since the last probe. */
static int visit_pointer(PyObject *op, void *unused)
{
    (void)unused;
    held = (held ^ (uintptr_t)op) * 0x9E3779B97F4A7C15u;
    doubt |= (uint64_t)reused(op);
    read_links++;
    return 0;
}

/* Of an entry's hash: to be read again at the next probe, though the pointers stay.  What it owned is then
 * in the rest. */
#define AGAIN 1u

static inline uint32_t hash_held(void) { return ((uint32_t)(held >> 32) ^ (uint32_t)held) & ~AGAIN; }
static inline uint32_t hash_owned(void)
{
    return (hash_held() ^ (uint32_t)(owned / OWNED_UNIT) * 0x9E3779B1u) | AGAIN;
}

#define NESTED 4

/* A tuple's size tells which free list it goes to when it dies, so what a tuple alone holds is in the
 * bytes of the one object that holds the tuple. */
static void tuple_held(PyObject *tuple, int nested)
{
    read_links += (size_t)PyTuple_GET_SIZE(tuple);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *item = PyTuple_GET_ITEM(tuple, i);
        if (item == NULL) {
            continue;
        }
        if (!(Py_TYPE(item)->tp_flags & Py_TPFLAGS_HAVE_GC)) {
            owned += owned_leaf(item, &grows);
        } else if (Py_REFCNT(item) == 1 && PyTuple_CheckExact(item) && nested < NESTED) {
            tuple_held(item, nested + 1);
        }
    }
}

/* No list of the collector has a dictionary that holds no container: it is probed behind its one
 * holder, each time, as it may have changed. */
static void only_holder(PyObject *op)
{
    if (PyTuple_CheckExact(op)) {
        tuple_held(op, 0);
    } else if (PyDict_CheckExact(op) && !object_tracked(op)) {
        grows = 1;
        if (late_count < late_room || grow((void **)&late, &late_room, sizeof(*late))) {
            late[late_count++] = op;
        }
    }
}

/* What has so many holders may have one soon, as what running code has just made.  An object that holds
 * such a thing is read again until it is no more young. */
#define FEW 3

static int visit(PyObject *op, void *unused)
{
    visit_pointer(op, unused);
    PyTypeObject *t = Py_TYPE(op);
    if (!(t->tp_flags & Py_TPFLAGS_HAVE_GC)) {
        owned += owned_leaf(op, &grows);
        loose |= (size_t)Py_REFCNT(op) - 2 <= FEW - 2;
        return 0;
    }
    if (t->tp_is_gc != NULL && !t->tp_is_gc(op)) {
        return 0;
    }
    entry_t *e = entry_of(op);
    if (e == NULL || (link_count == link_room && !grow((void **)&links, &link_room, sizeof(*links)))) {
        return 0;
    }
    links[link_count++] = e->id;
    e->type |= EF_HELD;
    if (Py_REFCNT(op) == 1) {
        only_holder(op);
    }
    if (e->count != (uint32_t)Py_REFCNT(op) && entry_head(e->id, PE_CHILD | PE_COUNT)) {
        e->count = (uint32_t)Py_REFCNT(op);
        put_number(e->count);
    }
    return 0;
}

/* So many links cost what the rest of an object does: about 4 ns each, where it costs 20 to 30.  The first
 * few are in the price of the object, which was measured on such as have few. */
#define LINKS_PER_OBJECT 16

static void probe_object(PyObject *op)
{
    PyTypeObject *t = Py_TYPE(op);
    entry_t *e = entry_of(op);
    if (e == NULL) {
        return;
    }
    if (e->type >> 8 == 0) {
        uint32_t type = type_number(t);
        if (!spool_room(RECORD_ROOM)) {
            return;
        }
        put_tag(R_SETTYPE);
        put_number(cap.next_id - e->id);
        put_number(type);
        e->type = (type << 8) | (e->type & 255);
    }
    read_links = 0;
    if (UNLIKELY(pools_trait(e->type >> 8) == MAY_KEEP) && walking >= 0) {
        pools_met(op, e->id, walking);
    }
    unsigned bits = PE_LINKS;
    doubt = (uint64_t)(exactly || !(e->type & EF_PROBED));
    if (!doubt && !(e->hash & AGAIN)) {
        held = (uintptr_t)t;
        if (t->tp_traverse != NULL) {
            t->tp_traverse(op, visit_pointer, NULL);
        }
        if (!doubt && e->hash == hash_held()) {
            bits = 0;
        }
    }
    if (bits) {
        link_count = 0;
        loose = grows = 0;
        owned = 0;
        owned_begin();
        held = (uintptr_t)t;
        if (t->tp_traverse != NULL) {
            t->tp_traverse(op, visit, NULL);
        }
        owned += owned_outside(op, e->type >> 8, &grows);
        if (!doubt && e->hash == hash_owned()) {
            bits = 0;
        }
        e->hash = grows || (loose && walking <= 0) ? hash_owned() : hash_held();
    }
    spent += 1 + read_links / LINKS_PER_OBJECT;
    if (e->count != (uint32_t)Py_REFCNT(op)) bits |= PE_COUNT;
    uint32_t id = e->id;
    if ((bits == 0 && changes_only) || !entry_head(id, bits)) {
        return;
    }
    if (bits & PE_COUNT) {
        put_number(e->count = (uint32_t)Py_REFCNT(op));
    }
    if (bits & PE_LINKS) {
        if (!spool_room(10 * link_count + RECORD_ROOM)) {
            return;
        }
        put_number(PyTuple_CheckExact(op) ? 0 : owned / OWNED_UNIT);
        put_number(link_count);
        for (size_t i = 0; i < link_count; i++) {
            put_number(zigzag((int64_t)links[i] - (int64_t)id));
        }
    }
    if (UNLIKELY(cap.labels) && (bits & PE_LINKS) && cap.active) {
        names_read(op, e);
    }
    if (!(e->type & EF_PROBED)) {
        e->type |= EF_PROBED;
        if (PyWeakref_Check(op)) {
            if (type_is_weakref(t)) {
                weakuse_watch(op);
            }
            PyObject *target = PyWeakref_GET_OBJECT(op);
            if (target != Py_None && PyObject_IS_GC(target)) {
                entry_t *to = entry_of(target);
                if (to != NULL && entry_head(id, PE_WEAK)) {
                    put_number(zigzag((int64_t)to->id - (int64_t)id));
                    put_number(((PyWeakReference *)op)->wr_callback != NULL);
                }
            }
        }
    }
}

/* ---- what running code holds ------------------------------------------------ */

/* A reference from a frame comes and goes without any trace.  An object that a frame held
 * when it was last probed would seem held until its generation is probed again, and all
 * that hangs from it with it; so these objects are probed once more at the next probe. */
typedef struct {
    PyObject *op;
    uint32_t id;
} watched_t;

static watched_t *watched;
static size_t watched_count, watched_room;

/* Any word of a frame: only what the address map knows as a live object is touched, for
 * the slots of a frame that is being cleared, and of a stack above its top, may be stale. */
static void watch(PyObject *op)
{
    if (((uintptr_t)op & 15) != 0 || (uintptr_t)op < 65536) {
        return;
    }
    entry_t *e = entry_at(op);
    if (e == NULL || (e->type & EF_WATCHED) || pools_trait(e->type >> 8) == OWN_BLOCKS
        || (watched_count == watched_room && !grow((void **)&watched, &watched_room, sizeof(*watched)))) {
        return;
    }
    e->type |= EF_WATCHED;
    watched[watched_count++] = (watched_t){op, e->id};
}

static void watch_frames(void)
{
    for (PyThreadState *ts = first_thread(cap.interp); ts != NULL; ts = next_thread(ts)) {
        for (frame_t *f = running_frame(ts); f != NULL; f = frame_below(f)) {
            int n = frame_slots(f);
            for (int i = 0; i < n; i++) {
                watch(frame_slot(f, i));
            }
        }
    }
}

#define MANY 256

/* Reading all that a large container holds, at every probe, would cost more than all else. */
static int holds_many(PyObject *op)
{
    return PyList_Check(op) || PyTuple_Check(op) ? Py_SIZE(op) > MANY
           : PyDict_Check(op)                    ? ((PyDictObject *)op)->ma_used > MANY
           : PyAnySet_Check(op)                  ? ((PySetObject *)op)->used > MANY
                                                 : 0;
}

/* Whether tp_traverse may be called outside a list of the collector: not while the object is
 * being built or torn down, when it is untracked. */
static int traversable(PyObject *op)
{
    return Py_REFCNT(op) > 0 && (object_tracked(op) || PyTuple_CheckExact(op) || PyDict_CheckExact(op));
}

static void probe_count(PyObject *op, entry_t *e)
{
    if (e->count != (uint32_t)Py_REFCNT(op) && entry_head(e->id, PE_CHILD | PE_COUNT)) {
        put_number(e->count = (uint32_t)Py_REFCNT(op));
    }
}

static void probe_watched(void)
{
    for (size_t i = 0; i < watched_count && cap.active; i++) {
        /* Alive if its number still stands at its address; the object itself may be gone. */
        entry_t *e = entry_at(watched[i].op);
        if (e != NULL && e->id == watched[i].id) {
            e->type &= ~EF_WATCHED;
            if (traversable(watched[i].op) && !holds_many(watched[i].op)) {
                probe_object(watched[i].op);
            } else if (Py_REFCNT(watched[i].op) > 0) {
                probe_count(watched[i].op, e);
            }
        }
    }
    watched_count = 0;
}

/* Probes the generations 0..upto (3: also the permanent one) through their forward
 * links only, which are whole at every moment of a collection.  Takes `drop` out of the
 * list it stands in. */
void probe_lists(int upto, PyGC_Head *drop)
{
    if (!spool_room(RECORD_ROOM)) {
        return;
    }
    put_tag(R_PROBE);
    int whole = upto != 2 || drop != NULL;
    int merged = drop != NULL && !cap.collecting;
    put_number((uint64_t)upto + (whole ? 0 : PROBE_CHANGES) + (merged ? PROBE_MERGED : 0));
    cap.in_probe = 1;
    names_begin(READ_PROBE);
    last_id = 0;
    late_count = 0;
    spent = 0;
    exactly = exactly_next;
    for (int g = upto; g >= 0 && cap.active; g--) {
        PyGC_Head *head = gc_list(cap.gc, g);
        PyGC_Head *before = head;
        put_number((zigzag(0) << PE_BITS | PE_LIST) + 1);
        put_number((uint64_t)g);
        changes_only = !whole && g > 0;
        pools_walk(walking = g);
        for (PyGC_Head *at = gc_next(head); at != head && cap.active; at = gc_next(at)) {
            if (at == drop) {
                gcwatch_take_out(before, head);
                continue;
            }
            before = at;
            __builtin_prefetch(gc_next(at));
            __builtin_prefetch(map_find(gc_next(at)));
            if (!gcwatch_is_sentinel(at)) {
                probe_object((PyObject *)(at + 1));
            }
        }
    }
    walking = -1;
    if (spool_room(RECORD_ROOM)) {
        put_number((zigzag(0) << PE_BITS | PE_LIST) + 1);
        put_number(4);
        changes_only = 0;
        probe_watched();
        for (size_t i = 0; i < late_count && cap.active; i++) {
            if (traversable(late[i])) {
                probe_object(late[i]);
            }
        }
    }
    cap.in_probe = 0;
    if (spool_room(RECORD_ROOM)) {
        put_number(0);
    }
    names_end();
    watch_frames();
    if (upto >= 2) {
        memset(probe_reused, 0, sizeof(probe_reused));
        exactly_next = 0;
        probe_paced();
    }
}

/* An object costs a probe about an eighth of what a birth costs the program with all that goes
 * with it (measured on six programs: 20-30 against 180-300 ns), so a budget in per cent of the
 * program's time is one in births, and the same in every run. */
#define VISITS_PER_BIRTH 8

void probe_paced(void)
{
    if (cap.full_probe != 0) {
        cap.until_full = cap.full_probe;
    } else if (cap.probe_budget != 0) {
        cap.until_full = (long)(spent * 100 / (size_t)(cap.probe_budget * VISITS_PER_BIRTH)) + 1;
    }
}

/* The heap the recording begins with: numbers first, in list order, then one probe. */
void probe_found_heap(void)
{
    for (int g = PERMANENT; g >= 0; g--) {
        PyGC_Head *head = gc_list(cap.gc, g);
        for (PyGC_Head *at = gc_next(head); at != head && cap.active; at = gc_next(at)) {
            PyObject *op = (PyObject *)(at + 1);
            if (gcwatch_is_sentinel(at)) {
                continue;
            }
            entry_t *e = map_make(block_of(op));
            uint32_t type = type_number(Py_TYPE(op));
            if (e == NULL || !spool_room(RECORD_ROOM) || alloc_entry_new(e, type) == 0) {
                return;
            }
            entry_place(e, block_of(op), Py_TYPE(op));
            put_tag(R_FOUND);
            put_number(type);
            put_number((size_of_object(op) + 7) / 8);
            put_number((uint64_t)g);
            if (Py_TYPE(op)->tp_flags & Py_TPFLAGS_TYPE_SUBCLASS) {
                e->type |= EF_IS_TYPE;
                type_remember((PyTypeObject *)op);
            }
        }
    }
    probe_lists(PERMANENT, NULL);
    if (spool_room(RECORD_ROOM)) {
        put_tag(R_FOUND_END);
    }
}

#define PROBES_TIMED 512u
#define PROBES_FOR_ONE 8u

/* For how many probes the CPU time of this one stands: that clock is dear, and of many young probes
 * every eighth tells enough. */
static unsigned probes_meant(int kind)
{
    static unsigned probes;
    if (kind == 2 || probes < PROBES_TIMED) {
        probes += kind != 2;
        return 1;
    }
    return probes++ % PROBES_FOR_ONE == 0 ? PROBES_FOR_ONE : 0;
}

/* Objects that young probes may read for each birth. Where none grow old, as with the collector
 * off, all are young. */
#define YOUNG_PER_BIRTH 16

static long until_young(void)
{
    long births = (long)(spent / YOUNG_PER_BIRTH);
    return births > cap.granularity ? births : cap.granularity;
}

void probe_now(int kind)
{
    unsigned meant = probes_meant(kind);
    uint64_t begun = clock_ns(), begun_cpu = meant ? thread_cpu_ns() : 0;
    pools_check(kind == 2 ? 2 : 0);
    probe_lists(kind == 2 ? 2 : 0, NULL);
    cap.until_young = kind == 2 ? cap.granularity : until_young();
    spool_commit();
    cap.excluded_ns += clock_ns() - begun;
    if (meant) {
        cap.aside_cpu_ns += meant * (thread_cpu_ns() - begun_cpu);
    }
}

/* Runs at a check point of the evaluation loop in the main thread, where the heap is whole. */
int probe_pending(void *unused)
{
    (void)unused;
    if (!capture_on() || gc_collecting(cap.gc) || cap.probe_wanted == 0) {
        cap.probe_wanted = 0;
        return 0;
    }
    capture_sync(); /* first: the birth that it writes would want this probe once more */
    int kind = cap.probe_wanted;
    cap.probe_wanted = 0;
    probe_now(kind);
    return 0;
}
