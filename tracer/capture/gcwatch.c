/* The collector seen from inside: a sentinel object whose tp_traverse is called at
 * the start of every collection, and the functions of the gc module, whose entries
 * in the static method table are replaced in place (nothing is allocated). */
#include "names.h"

static int sentinel_traverse(PyObject *self, visitproc visit, void *arg);

static PyTypeObject sentinel_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "gcreplay_capture.sentinel",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_traverse = sentinel_traverse,
};

static struct {
    PyGC_Head head;
    PyObject object;
} sentinel = {{0, 0}, {_PyObject_EXTRA_INIT 1, &sentinel_type}};

static int in_a_list;
static int with_collector; /* which subtracts references: only forward links can be followed */
static stopwatch_t watch; /* of the collection under way, since the probe at its start */
static int generation;    /* of that */
static uint64_t before;   /* how many there had been when it began */

int gcwatch_is_sentinel(const PyGC_Head *g) { return g == &sentinel.head; }

void gcwatch_link(void)
{
    if (in_a_list) {
        return;
    }
    PyGC_Head *head = gc_list(cap.gc, 0), *last = gc_prev(head);
    gc_clear_head(&sentinel.head);
    gc_set_next(&sentinel.head, head);
    gc_set_prev(&sentinel.head, last);
    gc_set_next(last, &sentinel.head);
    gc_set_prev(head, &sentinel.head);
    in_a_list = 1;
}

void gcwatch_unlink(void)
{
    owners_leave();
    if (!in_a_list || with_collector) {
        return;
    }
    PyGC_Head *next = gc_next(&sentinel.head), *last = gc_prev(&sentinel.head);
    gc_set_next(last, next);
    gc_set_prev(next, last);
    gc_clear_head(&sentinel.head);
    in_a_list = 0;
}

/* While the collector subtracts references: forward links are whole, backward ones hold counts, but
 * for that of the list itself, where the collector appends what it finds reachable after all.  It
 * goes on from here through the sentinel's own forward link. */
void gcwatch_take_out(PyGC_Head *before, PyGC_Head *head)
{
    gc_set_next(before, gc_next(&sentinel.head));
    if (gc_prev(head) == &sentinel.head) {
        gc_set_prev(head, before);
    }
    in_a_list = 0;
}

/* The same where nothing is recorded any more, and no probe passes it. */
static void search_and_take_out(void)
{
    for (int g = 0; g < PERMANENT; g++) {
        PyGC_Head *head = gc_list(cap.gc, g), *before = head;
        for (PyGC_Head *at = gc_next(head); at != head; before = at, at = gc_next(at)) {
            if (at == &sentinel.head) {
                gcwatch_take_out(before, head);
                return;
            }
        }
    }
}

static enum start_cause cause_of(int trigger, int count)
{
    int threshold = gc_threshold(cap.gc, 0);
    if (cap.explicit_call) {
        return CAUSE_PYTHON;
    }
    return trigger && cap.enabled && threshold != 0 && count > threshold ? CAUSE_THRESHOLD : CAUSE_C;
}

/* Seen at the first hook inside "start" callbacks: nothing is merged or reset yet. */
void gcwatch_begun(int trigger)
{
    enum start_cause cause = cause_of(trigger, cap.count);
    cap.beginning = 1 + (int)cause;
    cap.expected = 1;
    if (spool_room(RECORD_ROOM)) {
        put_tag(R_BEGIN);
        put_number(cause);
    }
}

static void record_start(visitproc subtracting);

/* What was let go since the last probe is no longer seen to be held, and what is read has its links. */
static void probe_at_the_end(void)
{
    uint64_t begun = clock_ns(), begun_cpu = thread_cpu_ns();
    pools_check(2);
    alloc_settle();
    probe_lists(2, &sentinel.head);
    if (cap.active) {
        readings_end();
    }
    cap.excluded_ns += clock_ns() - begun;
    cap.aside_cpu_ns += thread_cpu_ns() - begun_cpu;
}

static void put_caller(void)
{
    if (cap.caller != 0) {
        put_tag(R_CALLER);
        put_number(cap.caller);
    }
}

/* Called by the collector while it subtracts internal references: lists are merged, counters reset.
 * Others call it too, gc.get_referrers() even while gc callbacks run: to them a reference count stands
 * nowhere in place of its backward link. */
static int sentinel_traverse(PyObject *self, visitproc visit, void *arg)
{
    (void)self;
    (void)arg;
    if (!gc_under_collection(&sentinel.head) || !in_a_list) {
        return 0;
    }
    with_collector = 1;
    if ((capture_on() || measuring()) && runtime_finalizing()) {
        if (cap.active) {
            probe_at_the_end();
        }
        capture_stop(SPOOL_ENDED, "");
    } else if (cap.measuring) {
        measure_collection();
    } else if (cap.active) {
        record_start(visit);
    }
    if (in_a_list && !cap.measuring) {
        search_and_take_out();
    }
    with_collector = 0;
    return 0;
}

static void record_start(visitproc subtracting)
{
    uint64_t begun = clock_ns(), begun_cpu = thread_cpu_ns();
    generation = gc_generation_merged(cap.gc);
    int count = cap.count + (cap.pending != NULL && !cap.beginning);
    int cause = cap.beginning ? cap.beginning - 1 : (int)cause_of(cap.pending != NULL, count);
    /* The references of older objects are subtracted by now: that counts as well. */
    int known = cause != CAUSE_C && cap.due.thread != 0;
    uint64_t due = known ? cap.due.wall_ns : begun;
    cap.before_ns = known ? stopwatch_ns(&cap.due) : 0;
    cap.due.thread = 0;
    pools_check(generation);
    alloc_settle();
    if (!spool_room(RECORD_ROOM)) {
        return;
    }
    put_tag(R_TICK);
    put_number(due - cap.origin_ns - cap.excluded_ns - cap.paused_ns);
    if (cause == CAUSE_PYTHON) {
        put_caller();
    }
    put_tag(R_START);
    put_number((uint64_t)generation);
    put_number((uint64_t)cause);
    put_number(begun - cap.origin_ns);
    put_number((uint64_t)(count < 0 ? 0 : count));
    cap.beginning = 0;
    cap.collecting = 1;
    cap.expected = -1;
    probe_lists(generation, &sentinel.head);
    if (cap.active) {
        owners_watch(generation, subtracting);
    }
    cap.count = gc_count(cap.gc, 0);
    before = gc_statistic(cap.gc, GC_COLLECTIONS);
    cap.collected_before = gc_statistic(cap.gc, GC_COLLECTED);
    cap.uncollectable_before = gc_statistic(cap.gc, GC_UNCOLLECTABLE);
    spool_commit();
    cap.paused_ns += begun - due;
    cap.started_ns = clock_ns();
    cap.excluded_ns += cap.started_ns - begun;
    watch = stopwatch_started();
    cap.aside_cpu_ns += watch.cpu_ns - begun_cpu;
}

/* "stop" callbacks run after the collector has deleted its garbage, given back the free lists and counted
 * the collection: what they do is another matter than what finalizers did.  Without them this and the
 * end of the collection are one. */
void gcwatch_deleting(void)
{
    if (gc_statistic(cap.gc, GC_COLLECTIONS) == before) {
        return;
    }
    cap.expected = 1;
    pools_collected(generation);
    if (gc_collecting(cap.gc) && spool_room(RECORD_ROOM)) {
        put_tag(R_TICK);
        put_number(cap.started_ns - cap.origin_ns - cap.excluded_ns - cap.paused_ns);
    }
}

void gcwatch_stopped(void)
{
    owners_stopped();
    gcwatch_deleted();
    uint64_t took = cap.before_ns + stopwatch_ns(&watch), seen = gc_statistic(cap.gc, GC_COLLECTIONS);
    cap.collecting = 0;
    cap.expected = 0;
    weakuse_again();
    cap.paused_ns += clock_ns() - cap.started_ns;
    cap.aside_cpu_ns += took;
    cpu_told();
    gcwatch_link();
    if (spool_room(RECORD_ROOM)) {
        put_tag(R_STOP);
        put_number(gc_statistic(cap.gc, GC_COLLECTED) - cap.collected_before);
        put_number(gc_statistic(cap.gc, GC_UNCOLLECTABLE) - cap.uncollectable_before);
        put_number((uint64_t)gc_long_lived_total(cap.gc));
        put_number((uint64_t)gc_long_lived_pending(cap.gc));
        put_number(took);
        put_number((uint64_t)gc_count(cap.gc, 0));
        put_number(seen - cap.seen_collections);
    }
    cap.seen_collections = seen;
}

/* ---- the gc module ---------------------------------------------------------- */

static keywords_fn below_collect, below_get_objects;
static PyCFunction below_enable, below_disable, below_freeze, below_unfreeze, below_set_debug, below_set_threshold;

static void call_record(enum gc_call call, int n, const int64_t *arguments)
{
    if (!capture_on() || !spool_room(RECORD_ROOM)) {
        return;
    }
    weakuse_again();
    put_caller();
    put_tag(R_CALL);
    put_number(call);
    put_number(0);
    put_number((uint64_t)n);
    for (int i = 0; i < n; i++) {
        put_number(zigzag(arguments[i]));
    }
    spool_commit();
}

/* What called it, for the records of the call; the value is to be put back behind it. */
static uint32_t called_from(void)
{
    uint32_t outer = cap.caller;
    sample_t sample;
    sample_here(&sample);
    cap.caller = site_of(sample.place);
    return outer;
}

static PyObject *hook_collect(PyObject *m, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    if (!capture_on()) {
        return below_collect(m, args, n, names);
    }
    capture_sync();
    uint32_t outer = called_from();
    cap.explicit_call++;
    cap.due = stopwatch_started();
    PyObject *result = below_collect(m, args, n, names);
    cap.explicit_call--;
    cap.caller = outer;
    if (capture_on()) {
        capture_sync();
        spool_commit();
    }
    return result;
}

/* The sentinel must not be seen by the program. */
static PyObject *hook_get_objects(PyObject *m, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    owners_leave();
    PyObject *list = below_get_objects(m, args, n, names);
    if (list != NULL && PyList_CheckExact(list)) {
        for (Py_ssize_t i = PyList_GET_SIZE(list); i-- > 0;) {
            if (PyList_GET_ITEM(list, i) == &sentinel.object) {
                PyObject **items = ((PyListObject *)list)->ob_item;
                memmove(items + i, items + i + 1, (size_t)(PyList_GET_SIZE(list) - i - 1) * sizeof(*items));
                Py_SET_SIZE(list, PyList_GET_SIZE(list) - 1);
                Py_SET_REFCNT(&sentinel.object, Py_REFCNT(&sentinel.object) - 1);
            }
        }
    }
    return list;
}

#define SIMPLE(NAME, CALL, BEFORE, AFTER)                                                                              \
    static PyObject *hook_##NAME(PyObject *m, PyObject *arg)                                                           \
    {                                                                                                                  \
        if (!capture_on()) {                                                                                             \
            return below_##NAME(m, arg);                                                                               \
        }                                                                                                              \
        capture_sync();                                                                                                \
        BEFORE;                                                                                                        \
        PyObject *result = below_##NAME(m, arg);                                                                       \
        AFTER;                                                                                                         \
        cap.enabled = gc_enabled(cap.gc);                                                                              \
        if (result != NULL) {                                                                                          \
            int64_t v[3];                                                                                              \
            uint32_t outer = called_from();                                                                            \
            call_record(CALL, arguments_of(CALL, v), v);                                                               \
            cap.caller = outer;                                                                                        \
        }                                                                                                              \
        return result;                                                                                                 \
    }

static int arguments_of(enum gc_call call, int64_t *v)
{
    if (call == CALL_SET_THRESHOLD) {
        for (int g = 0; g < 3; g++) {
            v[g] = gc_threshold(cap.gc, g);
        }
        return 3;
    }
    v[0] = gc_debug(cap.gc);
    return call == CALL_SET_DEBUG;
}

/* A log has what a "start" callback does before the birth that begins the collection; but freezing
 * resets the counters, and then that birth would begin none. */
static void frozen_at_start(void)
{
    if (cap.beginning == 1 + CAUSE_THRESHOLD) {
        capture_stop(SPOOL_FAILED, "gc.freeze() in a callback at the start of an automatic collection, which a log "
                                   "cannot tell");
    }
}

SIMPLE(enable, CALL_ENABLE, , )
SIMPLE(disable, CALL_DISABLE, , )
SIMPLE(set_threshold, CALL_SET_THRESHOLD, , )
SIMPLE(set_debug, CALL_SET_DEBUG, , )
SIMPLE(unfreeze, CALL_UNFREEZE, , probe_exactly())
SIMPLE(freeze, CALL_FREEZE, int linked = in_a_list; gcwatch_unlink(), if (linked) gcwatch_link(); capture_refresh(); frozen_at_start())

static PyMethodDef *method(const char *name, int flags)
{
    PyModuleDef *module = builtin_module("gc");
    return module != NULL ? method_in(module, name, flags) : NULL;
}

#define GC_METHODS(X)                                                                                                  \
    X(collect, METH_FASTCALL | METH_KEYWORDS, keywords_fn)                                                             \
    X(get_objects, METH_FASTCALL | METH_KEYWORDS, keywords_fn)                                                         \
    X(enable, METH_NOARGS, PyCFunction)                                                                                \
    X(disable, METH_NOARGS, PyCFunction)                                                                               \
    X(freeze, METH_NOARGS, PyCFunction)                                                                                \
    X(unfreeze, METH_NOARGS, PyCFunction)                                                                              \
    X(set_threshold, METH_VARARGS, PyCFunction)                                                                        \
    X(set_debug, METH_O, PyCFunction)

int gcwatch_check_layout(const char **why)
{
    *why = "the collector's state is not laid out as expected";
    if (!collector_layout_known(cap.gc)) {
        return 0;
    }
#define CHECK(NAME, FLAGS, KIND)                                                                                       \
    if (method(#NAME, FLAGS) == NULL) {                                                                                \
        *why = "the gc module has no " #NAME " of the expected kind";                                                  \
        return 0;                                                                                                      \
    }
    GC_METHODS(CHECK)
    return 1;
}

any_fn gcwatch_replace(const char *name, int flags, any_fn hook)
{
    PyMethodDef *d = method(name, flags);
    any_fn below = (any_fn)d->ml_meth;
    d->ml_meth = (PyCFunction)hook;
    return below;
}

void gcwatch_hide(void)
{
    below_get_objects = (keywords_fn)gcwatch_replace("get_objects", METH_FASTCALL | METH_KEYWORDS,
                                                     (any_fn)hook_get_objects);
    gcwatch_link();
}

void gcwatch_install(void)
{
#define REPLACE(NAME, FLAGS, KIND) below_##NAME = (KIND)gcwatch_replace(#NAME, FLAGS, (any_fn)hook_##NAME);
    GC_METHODS(REPLACE)
    cap.seen_collections = gc_statistic(cap.gc, GC_COLLECTIONS);
    gcwatch_link();
}
