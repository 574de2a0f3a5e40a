/* Deaths into free lists and births from them.  Deaths: the wrapped tp_dealloc of the static
 * types that have such lists.  Births: a list that became shorter since the last
 * look; only the wrapped tp_dealloc makes one longer, so nothing is missed. */
#include "capture.h"

#include "internal/pycore_object.h"

#define LIST_MAX PyList_MAXFREELIST
#define TUPLE_MAX 2000
#define CONTEXT_MAX 255
#define ASYNC_MAX 80
#define TRASH_DEPTH 50 /* _PyTrash_UNWIND_LEVEL of Objects/object.c, from which a death is deferred */

int freelist_seen;
static int seen_list, seen_dict, seen_slice, seen_tuple[TUPLE_CLASSES];
static int seen_context, seen_asend, seen_avalue; /* rare ones, not in freelist_seen */

/* What each list holds, bottom first: the program overwrites its own. */
static PyObject *held_list[LIST_MAX], *held_dict[PyDict_MAXFREELIST], *held_slice[1];
static PyObject *held_tuple[TUPLE_CLASSES][TUPLE_MAX];
static PyObject *held_context[CONTEXT_MAX], *held_asend[ASYNC_MAX], *held_avalue[ASYNC_MAX];

static destructor list_dealloc, dict_dealloc, tuple_dealloc, slice_dealloc, context_dealloc, asend_dealloc,
    avalue_dealloc;

static void birth(PyObject *op)
{
    /* None of these types has a managed dictionary.  Nothing is read there before the map
     * has said that it is kept: a flushed block may be anything by now. */
    void *block = (char *)op - sizeof(PyGC_Head);
    entry_t *e = map_find(block);
    if (e == NULL || !(e->type & EF_KEPT) || !(e->type & EF_ODD) != !((uintptr_t)block & 16)) {
        return; /* not taken but flushed, see freelist_flushed() */
    }
    uint32_t type = type_number(Py_TYPE(op)), site = site_here();
    if (!spool_room(RECORD_ROOM) || alloc_entry_new(e, type) == 0) {
        return;
    }
    entry_place(e, block, Py_TYPE(op));
    put_record3(R_BIRTH, type, (size_of_object(op) + 7) / 8, site);
}

/* The births from one list; returns how many objects it has given away. */
static inline int shrink(PyObject **held, int *seen, int now)
{
    int given = 0;
    while (UNLIKELY(*seen > now)) {
        PyObject *op = held[--*seen];
        birth(op);
        given++;
    }
    return given;
}

void freelist_births(void)
{
    PyInterpreterState *is = cap.interp;
    int given = freelist_seen - freelist_total();
    freelist_seen -= given;
    given -= shrink(held_list, &seen_list, is->list.numfree);
    given -= shrink(held_dict, &seen_dict, is->dict_state.numfree);
    given -= shrink(held_slice, &seen_slice, is->slice_cache != NULL);
    for (int i = 0; i < TUPLE_CLASSES && given > 0; i++) {
        given -= shrink(held_tuple[i], &seen_tuple[i], is->tuple.numfree[i]);
    }
}

void freelist_births_rare(void)
{
    PyInterpreterState *is = cap.interp;
    shrink(held_context, &seen_context, is->context.numfree);
    shrink(held_asend, &seen_asend, is->async_gen.asend_numfree);
    shrink(held_avalue, &seen_avalue, is->async_gen.value_numfree);
}

/* A full collection gives a kept block back.  The list is shorter before the block is
 * released; for tuples the whole list at once, so what it held is not born. */
void freelist_flushed(void *block)
{
    PyObject *op = (PyObject *)((char *)block + sizeof(PyGC_Head));
    if (PyTuple_CheckExact(op) && Py_SIZE(op) >= 1 && Py_SIZE(op) <= TUPLE_CLASSES) {
        int *seen = &seen_tuple[Py_SIZE(op) - 1], now = cap.interp->tuple.numfree[Py_SIZE(op) - 1];
        freelist_seen += now - *seen;
        *seen = now;
    }
}

/* ---- deaths -------------------------------------------------------------- */

static inline entry_t *dying(PyObject *op)
{
    capture_look();
    entry_t *e = map_find(block_of(op));
    return LIKELY(e != NULL && e->id != 0) ? e : alloc_late(op, block_of(op));
}

/* `counted`: the list is one of those in freelist_seen. */
static inline void kept(entry_t *e, PyObject *op, PyObject **held, int *seen, int now, int room, int counted)
{
    if (now < 1 || now > room || !spool_room(RECORD_ROOM)) {
        return;
    }
    int was = *seen;
    /* Others may have been taken out of sight of any hook while this one was torn down. */
    shrink(held, seen, now - 1);
    put_record1(R_KEPT, cap.next_id - e->id);
    entry_leaves(e, (char *)op - sizeof(PyGC_Head));
    e->id = 0;
    e->type = EF_KEPT | (e->type & EF_ODD);
    held[now - 1] = op;
    *seen = now;
    if (counted) {
        freelist_seen += now - was;
    }
    capture_look();
    spool_commit();
}

static inline int trash_begin(PyThreadState *ts, PyObject *op)
{
    if (LIKELY(ts->trash_delete_nesting < TRASH_DEPTH)) {
        ts->trash_delete_nesting++;
        return 0;
    }
    return _PyTrash_begin(ts, op);
}

static inline void trash_end(PyThreadState *ts)
{
    if (LIKELY(ts->trash_delete_later == NULL)) {
        ts->trash_delete_nesting--;
    } else {
        _PyTrash_end(ts);
    }
}

/* What CPython's own deallocators do for their exact type, with the identity test that
 * our wrapper defeats: without it, deep structures would overflow the C stack. */
#define WRAP(NAME, TYPE, TRASHCAN, HELD, SEEN, NOW, ROOM, COUNTED)                                                     \
    static void NAME##_hook(PyObject *op)                                                                              \
    {                                                                                                                  \
        if (Py_TYPE(op)->tp_dealloc != NAME##_hook) {                                                                  \
            NAME(op);                                                                                                  \
            return;                                                                                                    \
        }                                                                                                              \
        PyThreadState *ts = _PyThreadState_GET();                                                                      \
        int here = capture_on() && Py_TYPE(op) == (TYPE);                                                              \
        entry_t *e = here ? dying(op) : NULL;                                                                          \
        uint32_t id = e != NULL ? e->id : 0;                                                                           \
        if (TRASHCAN) {                                                                                                \
            if (_PyObject_GC_IS_TRACKED(op)) {                                                                         \
                _PyObject_GC_UNTRACK(op);                                                                              \
            }                                                                                                          \
            if (trash_begin(ts, op)) {                                                                                 \
                return;                                                                                                \
            }                                                                                                          \
        }                                                                                                              \
        Py_ssize_t size = (TYPE) == &PyTuple_Type && here ? Py_SIZE(op) : 1;                                           \
        NAME(op);                                                                                                      \
        if (id != 0 && e->id == id && cap.active && size >= 1 && size <= TUPLE_CLASSES) {                              \
            kept(e, op, HELD, SEEN, NOW, ROOM, COUNTED);                                                               \
        }                                                                                                              \
        if (TRASHCAN) {                                                                                                \
            trash_end(ts);                                                                                             \
        }                                                                                                              \
    }

WRAP(list_dealloc, &PyList_Type, 1, held_list, &seen_list, cap.interp->list.numfree, LIST_MAX, 1)
WRAP(dict_dealloc, &PyDict_Type, 1, held_dict, &seen_dict, cap.interp->dict_state.numfree, PyDict_MAXFREELIST, 1)
WRAP(tuple_dealloc, &PyTuple_Type, 1, held_tuple[size - 1], &seen_tuple[size - 1], cap.interp->tuple.numfree[size - 1],
     TUPLE_MAX, 1)
WRAP(slice_dealloc, &PySlice_Type, 0, held_slice, &seen_slice, cap.interp->slice_cache != NULL, 1, 1)
WRAP(context_dealloc, &PyContext_Type, 0, held_context, &seen_context, cap.interp->context.numfree, CONTEXT_MAX, 0)
WRAP(asend_dealloc, &_PyAsyncGenASend_Type, 0, held_asend, &seen_asend, cap.interp->async_gen.asend_numfree, ASYNC_MAX,
     0)
WRAP(avalue_dealloc, &_PyAsyncGenWrappedValue_Type, 0, held_avalue, &seen_avalue,
     cap.interp->async_gen.value_numfree, ASYNC_MAX, 0)

/* ---- a list out of sight --------------------------------------------------- */

/* `await future` makes an _asyncio.FutureIter, and its module keeps dead ones in a list of its own.
 * One that outlives its deallocator is there; reborn, it is a late object to the next look. */
static destructor futureiter_dealloc;

static void futureiter_dealloc_hook(PyObject *op)
{
    PyTypeObject *t = Py_TYPE(op);
    entry_t *e = capture_on() && t->tp_dealloc == futureiter_dealloc_hook ? dying(op) : NULL;
    uint32_t id = e != NULL ? e->id : 0;
    futureiter_dealloc(op);
    if (id == 0 || e->id != id || !cap.active || !spool_room(RECORD_ROOM)) {
        return;
    }
    put_record1(R_KEPT, cap.next_id - id);
    entry_leaves(e, (char *)op - sizeof(PyGC_Head));
    e->id = 0;
    e->type = e->type & EF_ODD;
    capture_look();
    spool_commit();
}

void freelist_new_type(PyTypeObject *t)
{
    if (futureiter_dealloc == NULL && !(t->tp_flags & (Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_BASETYPE))
        && strcmp(t->tp_name, "_asyncio.FutureIter") == 0 && (t->tp_flags & Py_TPFLAGS_HAVE_GC)
        && t->tp_dealloc != NULL) {
        futureiter_dealloc = t->tp_dealloc;
        t->tp_dealloc = futureiter_dealloc_hook;
    }
}

/* ---- start --------------------------------------------------------------- */

static int hold(PyObject **held, int at, PyObject *op, PyTypeObject *t)
{
    if (op == NULL || Py_TYPE(op) != t) {
        return 0;
    }
    entry_t *e = map_make(block_of(op));
    if (e == NULL) {
        return 0;
    }
    e->type = EF_KEPT | (((uintptr_t)block_of(op) & 16) ? EF_ODD : 0);
    held[at] = op;
    return 1;
}

/* Whether _PyTrash_begin() defers a death from TRASH_DEPTH on and not before, asked with a body
 * that never lived; what it noted is taken back. */
static int trash_depth_known(void)
{
    static struct {
        PyGC_Head head;
        PyObject body;
    } dead = {.body.ob_type = &PyList_Type};
    PyThreadState *ts = _PyThreadState_GET();
    int nesting = ts->trash_delete_nesting;
    PyObject *later = ts->trash_delete_later;
    ts->trash_delete_nesting = TRASH_DEPTH - 1;
    int before = _PyTrash_begin(ts, &dead.body);
    ts->trash_delete_nesting = TRASH_DEPTH;
    int from = _PyTrash_begin(ts, &dead.body);
    ts->trash_delete_nesting = nesting;
    ts->trash_delete_later = later;
    return !before && from;
}

/* Reads the lists as they are; any surprise means that the layout is not the one known. */
int freelist_check_layout(const char **why)
{
    PyInterpreterState *is = cap.interp;
    *why = "this interpreter defers the deaths of deep structures otherwise than expected";
    if (!trash_depth_known()) {
        return 0;
    }
    *why = "the free lists of this interpreter are not laid out as expected";
    if (is->list.numfree < 0 || is->list.numfree > LIST_MAX || is->dict_state.numfree < 0
        || is->dict_state.numfree > PyDict_MAXFREELIST || is->context.numfree < 0 || is->context.numfree > CONTEXT_MAX
        || is->async_gen.asend_numfree < 0 || is->async_gen.asend_numfree > ASYNC_MAX
        || is->async_gen.value_numfree < 0 || is->async_gen.value_numfree > ASYNC_MAX) {
        return 0;
    }
    for (int i = 0; i < is->list.numfree; i++) {
        if (!hold(held_list, i, (PyObject *)is->list.free_list[i], &PyList_Type)) return 0;
    }
    for (int i = 0; i < is->dict_state.numfree; i++) {
        if (!hold(held_dict, i, (PyObject *)is->dict_state.free_list[i], &PyDict_Type)) return 0;
    }
    for (int i = 0; i < is->async_gen.asend_numfree; i++) {
        if (!hold(held_asend, i, (PyObject *)is->async_gen.asend_freelist[i], &_PyAsyncGenASend_Type)) return 0;
    }
    for (int i = 0; i < is->async_gen.value_numfree; i++) {
        if (!hold(held_avalue, i, (PyObject *)is->async_gen.value_freelist[i], &_PyAsyncGenWrappedValue_Type)) return 0;
    }
    if (is->slice_cache != NULL && !hold(held_slice, 0, (PyObject *)is->slice_cache, &PySlice_Type)) return 0;
    for (int c = 0; c < TUPLE_CLASSES; c++) {
        int n = is->tuple.numfree[c];
        PyTupleObject *t = is->tuple.free_list[c];
        if (n < 0 || n > TUPLE_MAX) return 0;
        for (int i = n; i-- > 0; t = (PyTupleObject *)t->ob_item[0]) {
            if (t == NULL || Py_SIZE(t) != c + 1 || !hold(held_tuple[c], i, (PyObject *)t, &PyTuple_Type)) return 0;
        }
        if (n > 0 && t != NULL) return 0;
        seen_tuple[c] = n;
    }
    PyContext *x = is->context.freelist;
    for (int i = is->context.numfree; i-- > 0; x = (PyContext *)x->ctx_weakreflist) {
        if (x == NULL || !hold(held_context, i, (PyObject *)x, &PyContext_Type)) return 0;
    }
    seen_list = is->list.numfree;
    seen_dict = is->dict_state.numfree;
    seen_slice = is->slice_cache != NULL;
    seen_context = is->context.numfree;
    seen_asend = is->async_gen.asend_numfree;
    seen_avalue = is->async_gen.value_numfree;
    freelist_seen = freelist_total();
    return 1;
}

#define PATCH(NAME, TYPE)                                                                                              \
    NAME = (TYPE)->tp_dealloc;                                                                                         \
    (TYPE)->tp_dealloc = NAME##_hook

void freelist_install(void)
{
    PATCH(list_dealloc, &PyList_Type);
    PATCH(dict_dealloc, &PyDict_Type);
    PATCH(tuple_dealloc, &PyTuple_Type);
    PATCH(slice_dealloc, &PySlice_Type);
    PATCH(context_dealloc, &PyContext_Type);
    PATCH(asend_dealloc, &_PyAsyncGenASend_Type);
    PATCH(avalue_dealloc, &_PyAsyncGenWrappedValue_Type);
}
