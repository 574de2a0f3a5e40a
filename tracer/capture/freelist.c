/* Deaths into free lists and births from them.  Deaths: the wrapped tp_dealloc of the static
 * types that have such lists.  Births: a list that became shorter since the last
 * sample; only the wrapped tp_dealloc makes one longer, so nothing is missed. */
#include "capture.h"

int freelist_seen;
static int seen_list, seen_dict, seen_slice, seen_tuple[TUPLE_CLASSES];
static int seen_context, seen_asend, seen_avalue; /* rare ones, not in freelist_seen */

/* What each list holds, bottom first: the program overwrites its own. */
static PyObject *held_list[LIST_MAX], *held_dict[DICT_MAX], *held_slice[SLICE_MAX];
static PyObject *held_tuple[TUPLE_CLASSES][TUPLE_MAX];
static PyObject *held_context[CONTEXT_MAX], *held_asend[ASYNC_MAX], *held_avalue[ASYNC_MAX];

static destructor list_dealloc, dict_dealloc, tuple_dealloc, slice_dealloc, context_dealloc, asend_dealloc,
    avalue_dealloc;

static void birth(PyObject *op, int length, uint32_t site)
{
    /* None of these types has a managed dictionary.  Nothing is read there before the map
     * has said that it is kept: a flushed block may be anything by now. */
    void *block = (char *)op - HEAD_NEAR;
    entry_t *e = map_find(block);
    if (e == NULL || !(e->type & EF_KEPT) || !(e->type & EF_ODD) != !((uintptr_t)block & 16)) {
        return; /* not taken but flushed, see freelist_flushed() */
    }
    PyTypeObject *t = Py_TYPE(op);
    uint32_t type = type_number(t);
    if (!spool_room(RECORD_ROOM) || alloc_entry_new(e, type) == 0) {
        return;
    }
    entry_place(e, block, t);
    put_record3(R_BIRTH, type, (HEAD_NEAR + _PyObject_VAR_SIZE(t, length) + 7) / 8, site);
}

/* The births from one list since the sample before; returns how many objects it has given away. */
static int given_away(PyObject **held, int *seen, int now, enum type_kind kind, int length, const sample_t *here)
{
    int n = *seen - now;
    const uint32_t *sites = sites_between(&cap.sample, here, kind, length, n);
    for (int i = 0; i < n; i++) {
        birth(held[--*seen], length, sites[i < BETWEEN_MOST ? i : BETWEEN_MOST - 1]);
    }
    return n;
}

static inline int shrink(PyObject **held, int *seen, int now, enum type_kind kind, int length, const sample_t *here)
{
    return UNLIKELY(*seen > now) ? given_away(held, seen, now, kind, length, here) : 0;
}

void freelist_taken(int given)
{
    PyInterpreterState *is = cap.interp;
    sample_t here;
    sample_here(&here);
    freelist_seen -= given;
    given -= shrink(held_list, &seen_list, free_lists(is), KIND_LIST, 0, &here);
    given -= shrink(held_dict, &seen_dict, free_dicts(is), KIND_DICT, 0, &here);
    given -= shrink(held_slice, &seen_slice, free_slices(is), KIND_SLICE, 0, &here);
    for (int i = 0; i < TUPLE_CLASSES && given > 0; i++) {
        given -= shrink(held_tuple[i], &seen_tuple[i], free_tuples(is, i), KIND_TUPLE, i + 1, &here);
    }
}

void freelist_births_rare(void)
{
    PyInterpreterState *is = cap.interp;
    int contexts = free_contexts(is), asends = free_asends(is), avalues = free_avalues(is);
    if (LIKELY(contexts >= seen_context && asends >= seen_asend && avalues >= seen_avalue)) {
        return;
    }
    sample_t here;
    sample_here(&here);
    shrink(held_context, &seen_context, contexts, KIND_OTHER, 0, &here);
    shrink(held_asend, &seen_asend, asends, KIND_OTHER, 0, &here);
    shrink(held_avalue, &seen_avalue, avalues, KIND_OTHER, 0, &here);
}

/* A full collection gives a kept block back.  The list is shorter before the block is
 * released; for tuples the whole list at once, so what it held is not born. */
void freelist_flushed(void *block)
{
    PyObject *op = (PyObject *)((char *)block + HEAD_NEAR);
    if (PyTuple_CheckExact(op) && Py_SIZE(op) >= 1 && Py_SIZE(op) <= TUPLE_CLASSES) {
        int *seen = &seen_tuple[Py_SIZE(op) - 1], now = free_tuples(cap.interp, (int)Py_SIZE(op) - 1);
        freelist_seen += now - *seen;
        *seen = now;
    }
}

/* ---- deaths -------------------------------------------------------------- */

static inline entry_t *dying(PyObject *op)
{
    capture_check();
    entry_t *e = map_find(block_of(op));
    return LIKELY(e != NULL && e->id != 0) ? e : alloc_late(op, block_of(op));
}

/* `counted`: the list is one of those in freelist_seen. */
static inline void kept(entry_t *e, PyObject *op, PyObject **held, int *seen, int now, int room, int counted,
                        enum type_kind kind, int length)
{
    if (now < 1 || now > room || !spool_room(RECORD_ROOM)) {
        return;
    }
    int was = *seen;
    /* Others may have been taken out of sight of any hook while this one was torn down. */
    if (UNLIKELY(was > now - 1)) {
        sample_t here;
        sample_here(&here);
        given_away(held, seen, now - 1, kind, length, &here);
        sample_taken();
    }
    put_record1(R_KEPT, cap.next_id - e->id);
    entry_leaves(e, (char *)op - HEAD_NEAR);
    e->id = 0;
    e->type = EF_KEPT | (e->type & EF_ODD);
    held[now - 1] = op;
    *seen = now;
    if (counted) {
        freelist_seen += now - was;
    }
    /* What other lists gave away meanwhile is seen at the next sample. */
    if (LIKELY(counters_quiet())) {
        cap.pending = NULL;
    } else {
        capture_sync();
    }
    spool_commit();
}

/* What CPython's own deallocators do for their exact type, with the identity test that
 * our wrapper defeats: without it, deep structures would overflow the C stack. */
#define WRAP(NAME, TYPE, TRASHCAN, HELD, SEEN, NOW, ROOM, COUNTED, KIND)                                               \
    static void NAME##_hook(PyObject *op)                                                                              \
    {                                                                                                                  \
        if (Py_TYPE(op)->tp_dealloc != NAME##_hook) {                                                                  \
            NAME(op);                                                                                                  \
            return;                                                                                                    \
        }                                                                                                              \
        PyThreadState *ts = this_thread();                                                                      \
        int here = capture_on() && Py_TYPE(op) == (TYPE);                                                              \
        entry_t *e = here ? dying(op) : NULL;                                                                          \
        uint32_t id = e != NULL ? e->id : 0;                                                                           \
        if (TRASHCAN) {                                                                                                \
            if (object_tracked(op)) {                                                                         \
                object_untrack(op);                                                                              \
            }                                                                                                          \
            if (trash_begin(ts, op)) {                                                                                 \
                return;                                                                                                \
            }                                                                                                          \
        }                                                                                                              \
        Py_ssize_t size = (TYPE) == &PyTuple_Type && here ? Py_SIZE(op) : 1;                                           \
        NAME(op);                                                                                                      \
        if (id != 0 && e->id == id && capture_on() && size >= 1 && size <= TUPLE_CLASSES) {                            \
            kept(e, op, HELD, SEEN, NOW, ROOM, COUNTED, KIND, (KIND) == KIND_TUPLE ? (int)size : 0);               \
        }                                                                                                              \
        if (TRASHCAN) {                                                                                                \
            trash_end(ts);                                                                                             \
        }                                                                                                              \
    }

WRAP(list_dealloc, &PyList_Type, 1, held_list, &seen_list, free_lists(cap.interp), LIST_MAX, 1, KIND_LIST)
WRAP(dict_dealloc, &PyDict_Type, 1, held_dict, &seen_dict, free_dicts(cap.interp), DICT_MAX, 1, KIND_DICT)
WRAP(tuple_dealloc, &PyTuple_Type, 1, held_tuple[size - 1], &seen_tuple[size - 1], free_tuples(cap.interp, (int)size - 1),
     TUPLE_MAX, 1, KIND_TUPLE)
WRAP(slice_dealloc, &PySlice_Type, 0, held_slice, &seen_slice, free_slices(cap.interp), SLICE_MAX, 1, KIND_SLICE)
WRAP(context_dealloc, &PyContext_Type, 0, held_context, &seen_context, free_contexts(cap.interp), CONTEXT_MAX, 0, KIND_OTHER)
WRAP(asend_dealloc, ASEND_TYPE, 0, held_asend, &seen_asend, free_asends(cap.interp), ASYNC_MAX, 0, KIND_OTHER)
WRAP(avalue_dealloc, AVALUE_TYPE, 0, held_avalue, &seen_avalue, free_avalues(cap.interp), ASYNC_MAX, 0, KIND_OTHER)

/* ---- a list out of sight --------------------------------------------------- */

/* `await future` makes an _asyncio.FutureIter, and its module keeps dead ones in a list of its own.
 * One that outlives its deallocator is there; reborn, it is a late object to the next probe. */
static destructor futureiter_dealloc;

static void futureiter_dealloc_hook(PyObject *op)
{
    PyTypeObject *t = Py_TYPE(op);
    entry_t *e = capture_on() && t->tp_dealloc == futureiter_dealloc_hook ? dying(op) : NULL;
    uint32_t id = e != NULL ? e->id : 0;
    futureiter_dealloc(op);
    if (id == 0 || e->id != id || !capture_on() || !spool_room(RECORD_ROOM)) {
        return;
    }
    put_record1(R_KEPT, cap.next_id - id);
    entry_leaves(e, (char *)op - HEAD_NEAR);
    e->id = 0;
    e->type = e->type & EF_ODD;
    capture_check();
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

/* Reads the lists as they are; any surprise means that the layout is not the one known. */
int freelist_check_layout(const char **why)
{
    PyInterpreterState *is = cap.interp;
    *why = "this interpreter defers the deaths of deep structures otherwise than expected";
    if (!trash_depth_known(this_thread())) {
        return 0;
    }
    *why = "the free lists of this interpreter are not laid out as expected";
    if (free_lists(is) < 0 || free_lists(is) > LIST_MAX || free_dicts(is) < 0
        || free_dicts(is) > DICT_MAX || free_contexts(is) < 0 || free_contexts(is) > CONTEXT_MAX
        || free_asends(is) < 0 || free_asends(is) > ASYNC_MAX
        || free_avalues(is) < 0 || free_avalues(is) > ASYNC_MAX) {
        return 0;
    }
    for (int i = 0; i < free_lists(is); i++) {
        if (!hold(held_list, i, free_list_at(is, i), &PyList_Type)) return 0;
    }
    for (int i = 0; i < free_dicts(is); i++) {
        if (!hold(held_dict, i, free_dict_at(is, i), &PyDict_Type)) return 0;
    }
    for (int i = 0; i < free_asends(is); i++) {
        if (!hold(held_asend, i, free_asend_at(is, i), ASEND_TYPE)) return 0;
    }
    for (int i = 0; i < free_avalues(is); i++) {
        if (!hold(held_avalue, i, free_avalue_at(is, i), AVALUE_TYPE)) return 0;
    }
    for (int i = 0; i < free_slices(is); i++) {
        if (!hold(held_slice, i, free_slice_at(is, i), &PySlice_Type)) return 0;
    }
    for (int c = 0; c < TUPLE_CLASSES; c++) {
        int n = free_tuples(is, c);
        PyObject *op = free_tuple_top(is, c);
        if (n < 0 || n > TUPLE_MAX) return 0;
        for (int i = n; i-- > 0; op = free_tuple_below(op)) {
            if (op == NULL || Py_SIZE(op) != c + 1 || !hold(held_tuple[c], i, op, &PyTuple_Type)) return 0;
        }
        if (n > 0 && op != NULL) return 0;
        seen_tuple[c] = n;
    }
    PyObject *context = free_context_top(is);
    for (int i = free_contexts(is); i-- > 0; context = free_context_below(context)) {
        if (context == NULL || !hold(held_context, i, context, &PyContext_Type)) return 0;
    }
    seen_list = free_lists(is);
    seen_dict = free_dicts(is);
    seen_slice = free_slices(is);
    seen_context = free_contexts(is);
    seen_asend = free_asends(is);
    seen_avalue = free_avalues(is);
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
    PATCH(asend_dealloc, ASEND_TYPE);
    PATCH(avalue_dealloc, AVALUE_TYPE);
}
