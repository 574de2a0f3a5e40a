/* What a collection has found to be garbage before it runs any code, and whose code runs then.
 *
 * The collector passes each object twice: to subtract references, and to set the unreachable
 * aside.  An object of ours at the end of its list is asked last, and there the second pass is
 * complete but for what it has moved behind that object: these are visited here, with the
 * collector's own visitor, as it will visit them once more.  So the list of what is set aside,
 * which a second object of ours has been moved into, is then what it will be.
 *
 * That second object has a finalizer: it walks along the list, always behind the object whose
 * finalizer is called next.  At the end it stays in the list, which the collector visits again: what
 * is reachable then was saved by the code that has run.  Of callbacks the collector keeps a list, in
 * the order in which it comes upon their weak references; the one at its front is running. */
#include "names.h"

static int last_traverse(PyObject *self, visitproc visit, void *arg);
static int walker_traverse(PyObject *self, visitproc visit, void *arg);
static void walker_finalize(PyObject *self);

#define SENTINEL_TYPE                                                                                                  \
    PyVarObject_HEAD_INIT(NULL, 0)                                                                                     \
    .tp_name = "gcreplay_capture.sentinel",                                                                            \
    .tp_basicsize = sizeof(PyObject),                                                                                  \
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC

static PyTypeObject last_type = {SENTINEL_TYPE, .tp_traverse = last_traverse};
static PyTypeObject walker_type = {SENTINEL_TYPE, .tp_traverse = walker_traverse, .tp_finalize = walker_finalize};

typedef struct {
    PyGC_Head head;
    PyObject object;
} sentinel_t;

static sentinel_t last = {{0, 0}, {_PyObject_EXTRA_INIT 1, &last_type}};
static sentinel_t walker = {{0, 0}, {_PyObject_EXTRA_INIT 1, &walker_type}};

static int last_is_in;      /* a list of the collector, with a survivor too many counted */
static int generation;
static visitproc subtract;  /* the collector's visitor of its first pass */
static PyGC_Head *aside;    /* its list of what it has set aside */
static PyThreadState *collector_thread;

static uint32_t *garbage;   /* numbers, in the order of that list */
static size_t garbage_count, garbage_room;
static int garbage_wanted;  /* not written yet */

typedef struct {
    PyObject *op;
    uint32_t id;
} weakref_t;
static weakref_t *weakrefs; /* whose callbacks will be called, in that order */
static size_t weakref_count, weakref_room, weakref_at;
static PyGC_Head *called;   /* the collector's list of them; NULL: not known yet */

static int walking;         /* the walker is in the list of what is set aside */
static int unlisted;        /* it will be: the first hook puts it there */
static int at_end;          /* it is at the end of that list, or in the one of what was saved */
static uint64_t owner;      /* whose code the collector runs */
static uint64_t told;       /* what the last R_OWNER said of that */

int owners_is_sentinel(const PyObject *op) { return op == &last.object; }

/* ---- the second pass ------------------------------------------------------------------------ */

void owners_watch(int of, visitproc subtracting)
{
    PyGC_Head *head = gc_list(cap.gc, of);
    generation = of;
    subtract = subtracting;
    aside = called = NULL;
    garbage_count = weakref_count = weakref_at = 0;
    garbage_wanted = walking = unlisted = at_end = 0;
    owner = told = OWNER_OVER;
    collector_thread = this_thread();
    gc_append_under_collection(head, &walker.head, 0);
    gc_append_under_collection(head, &last.head, 1);
    last_is_in = 1;
    cap.collecting = OWNED;
}

static inline PyObject *object_of(PyGC_Head *g) { return (PyObject *)(g + 1); }
static inline PyGC_Head *head_of(PyObject *op) { return (PyGC_Head *)op - 1; }

static inline int has_finalizer(PyGC_Head *g)
{
    return Py_TYPE(object_of(g))->tp_finalize != NULL && !gc_is_finalized(g);
}

static inline uint32_t number_of(PyObject *op)
{
    const entry_t *e = entry_at(op);
    return e != NULL ? e->id : 0;
}

/* The weak references to garbage whose callbacks the collector will call: not those of garbage. */
static int note_weakrefs(PyObject *op)
{
    for (PyWeakReference *ref = weakrefs_to(op); ref != NULL; ref = ref->wr_next) {
        if (ref->wr_callback == NULL || gc_is_aside(head_of((PyObject *)ref))) {
            continue;
        }
        if (weakref_count == weakref_room && !reserve_more((void **)&weakrefs, &weakref_room, sizeof(*weakrefs))) {
            return 0;
        }
        weakrefs[weakref_count++] = (weakref_t){(PyObject *)ref, number_of((PyObject *)ref)};
    }
    return 1;
}

static int note_garbage(void)
{
    for (PyGC_Head *at = gc_next_aside(aside); at != aside; at = gc_next_aside(at)) {
        if (garbage_count == garbage_room && !reserve_more((void **)&garbage, &garbage_room, sizeof(*garbage))) {
            return 0;
        }
        uint32_t id = number_of(object_of(at));
        garbage[garbage_count] = id;
        garbage_count += id != 0;
    }
    return 1;
}

/* Whether code of the program may keep some of the garbage, or free it early. */
static int runs_code(void)
{
    int finalizers = 0;
    for (PyGC_Head *at = gc_next_aside(aside); at != aside; at = gc_next_aside(at)) {
        finalizers |= has_finalizer(at);
        if (!note_weakrefs(object_of(at))) {
            return 0;
        }
    }
    return finalizers || weakref_count > 0;
}

/* With the collector's own visitor, what it has moved behind the last of its list. */
static void visit_behind(PyGC_Head *end, PyGC_Head *head, visitproc visit, void *arg)
{
    for (PyGC_Head *at = gc_next(end); at != head; at = gc_next(at)) {
        Py_TYPE(object_of(at))->tp_traverse(object_of(at), visit, arg);
    }
}

static int last_traverse(PyObject *self, visitproc visit, void *arg)
{
    (void)self;
    if (!last_is_in || !gc_under_collection(&last.head) || visit == subtract || aside != NULL) {
        return 0;
    }
    visit_behind(&last.head, gc_list(cap.gc, generation), visit, arg);
    aside = gc_next_aside(&walker.head);
    gc_take_from_aside(&walker.head);
    if (cap.active) {
        readings_garbage(aside);
    }
    int runs = runs_code();
    garbage_wanted = (runs || (gc_debug(cap.gc) & DEBUG_SAVED)) && note_garbage();
    walking = runs && garbage_wanted;
    unlisted = walking && (gc_debug(cap.gc) & DEBUG_PRINTED); /* ours is not to be printed */
    if (walking && !unlisted) {
        gc_put_first_aside(aside, &walker.head);
    }
    return 0;
}

/* ---- whose code runs ------------------------------------------------------------------------ */

static void put_garbage(unsigned tag)
{
    if (!spool_room(RECORD_ROOM + 10 * garbage_count)) {
        return;
    }
    put_tag(tag);
    put_number(garbage_count);
    uint32_t before = 0;
    for (size_t i = 0; i < garbage_count; i++) {
        put_number(zigzag((int64_t)garbage[i] - (int64_t)before));
        before = garbage[i];
    }
}

static void write_garbage(void)
{
    if (garbage_wanted) {
        garbage_wanted = 0;
        put_garbage(R_GARBAGE);
    }
}

/* Not the operand of an R_OWNER, which counts backwards. */
static inline uint64_t owner_of(uint32_t id) { return id != 0 ? (uint64_t)id + OWNER_OBJECT : OWNER_NOBODY; }

static void tell(uint64_t owner)
{
    if (owner == told || !spool_room(RECORD_ROOM)) {
        return;
    }
    told = owner;
    put_tag(R_OWNER);
    put_number(owner > OWNER_NOBODY ? cap.next_id - (owner - OWNER_OBJECT) + OWNER_OBJECT : owner);
}

static inline int alive(const weakref_t *w)
{
    const entry_t *e = entry_at(w->op);
    return e != NULL && e->id == w->id;
}

/* Finds the collector's list of the weak references whose callbacks it has yet to call, or is calling,
 * by going back from the last of them. */
static int find_called(void)
{
    size_t i = weakref_count - 1;
    if (!alive(&weakrefs[i]) || !object_tracked(weakrefs[i].op)) {
        return 0;
    }
    PyGC_Head *end = gc_next(head_of(weakrefs[i].op));
    while (i > 0 && gc_prev(head_of(weakrefs[i].op)) == head_of(weakrefs[i - 1].op)) {
        i--;
    }
    if (gc_prev(head_of(weakrefs[i].op)) != end || end == gc_list(cap.gc, generation < 2 ? generation + 1 : 2)) {
        return 0;
    }
    called = end;
    return 1;
}

/* Whether a callback runs, or the weak reference of the last that ran is just being freed: then that
 * is weakrefs[weakref_at]. */
static int calling(void)
{
    if (weakref_count == 0) {
        return 0;
    }
    const weakref_t *end = &weakrefs[weakref_count - 1];
    if (called == NULL && !find_called()) {
        weakref_at = weakref_count - 1; /* it may be the only one, or the first to die */
    }
    /* The list lies on the collector's stack, and is there as long as it holds the last of them. */
    int listed = called != NULL && alive(end) && object_tracked(end->op) && gc_next(head_of(end->op)) == called;
    for (size_t i = weakref_at; i < weakref_count; i++) {
        if (alive(&weakrefs[i])
            && (!object_tracked(weakrefs[i].op) || (listed && gc_next(called) == head_of(weakrefs[i].op)))) {
            weakref_at = i;
            return 1;
        }
    }
    weakref_at = called != NULL ? weakref_count : 0;
    return 0;
}

/* At each hook inside the collection from its second pass on. */
void owners_check(void)
{
    owners_leave();
    write_garbage();
    if (unlisted) { /* the collector has begun to print its list, from the front */
        gc_link_behind(aside, &walker.head);
        unlisted = 0;
    }
    if (calling()) {
        owner = owner_of(weakrefs[weakref_at].id);
    }
    if (!walking) {
        tell(OWNER_OVER);
        cap.collecting = 1;
    } else {
        int other = owner != OWNER_OVER && this_thread() != collector_thread;
        if (other != (told == OWNER_NOBODY)) {
            freelist_births(); /* taken by the one who ran before */
        }
        tell(other ? OWNER_NOBODY : owner);
    }
}

/* Callbacks that no hook has met may still have taken objects from free lists. */
static void callbacks_over(void)
{
    for (size_t i = 0; owner == OWNER_OVER && freelist_total() != freelist_seen && i < weakref_count; i++) {
        if (alive(&weakrefs[i])) {
            owner = owner_of(weakrefs[i].id);
        }
    }
}

/* Called by the collector behind all callbacks, before each finalizer and after the last one. */
static void walker_finalize(PyObject *self)
{
    (void)self;
    PyGC_Head *at = gc_next(aside);
    gc_unlink(&walker.head);
    callbacks_over();
    if (capture_on()) {
        capture_sync();
    }
    weakref_count = 0;
    walking = 0;
    if (!cap.active) {
        return;
    }
    while (at != aside && !has_finalizer(at)) {
        at = gc_next(at);
    }
    walking = at != aside;
    at_end = !walking;
    owner = walking ? owner_of(number_of(object_of(at))) : OWNER_OVER;
    gc_link_behind(walking ? at : gc_prev(aside), &walker.head);
    if (at_end) {
        gc_set_finalized(&walker.head);
    }
    tell(owner);
    spool_commit();
}

/* Called by the collector in its last pass, when it has come to the end of the list. */
static int walker_traverse(PyObject *self, visitproc visit, void *arg)
{
    (void)self;
    if (!at_end || !cap.active || !gc_under_collection(&walker.head) || visit == subtract) {
        return 0;
    }
    visit_behind(&walker.head, aside, visit, arg);
    garbage_count = 0; /* written long since */
    if (note_garbage() && garbage_count > 0) {
        put_garbage(R_SAVED);
        spool_commit();
    }
    return 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Where the capture ends within a pass of the collector, as on a full disk, what that pass has before
 * it cannot be taken out: backward links hold counts then. It stays, does nothing, and leaves when it
 * is asked for next. */
void owners_leave(void)
{
    if (at_end && !gc_under_collection(&walker.head)) {
        gc_unlink(&walker.head);
        at_end = 0;
    }
    if (!last_is_in || gc_under_collection(&last.head)) {
        return;
    }
    gc_unlink(&last.head);
    gc_uncount_survivor(cap.gc, generation);
    last_is_in = 0;
}

void owners_stopped(void)
{
    if (gc_statistic(cap.gc, GC_COLLECTIONS) > cap.seen_collections + 1) {
        generation = 2; /* one called from C came right behind: it has the sentinel too */
    }
    owners_leave();
    write_garbage();
}
