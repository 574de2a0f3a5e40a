/* Deaths into free lists and births from them.  Deaths: the wrapped tp_dealloc of the static
 * types that have such lists.  Births: a list that became shorter since the last
 * look; only the wrapped tp_dealloc makes one longer, so nothing is missed. */
#include "capture.h"

#define LIST_MAX PyList_MAXFREELIST
#define TUPLE_MAX 2000
#define CONTEXT_MAX 255
#define ASYNC_MAX 80

int freelist_seen_list, freelist_seen_dict, freelist_seen_slice;
int freelist_seen_tuple[TUPLE_CLASSES];
static int seen_context, seen_asend, seen_avalue;

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
    put_tag(R_BIRTH);
    put_number(type);
    put_number((size_of_object(op) + 7) / 8);
    put_number(site);
}

static void shrink(PyObject **held, int *seen, int now)
{
    while (*seen > now) {
        PyObject *op = held[--*seen];
        birth(op);
    }
}

void freelist_births(void)
{
    PyInterpreterState *is = cap.interp;
    shrink(held_list, &freelist_seen_list, is->list.numfree);
    shrink(held_dict, &freelist_seen_dict, is->dict_state.numfree);
    shrink(held_slice, &freelist_seen_slice, is->slice_cache != NULL);
    for (int i = 0; i < TUPLE_CLASSES; i++) {
        shrink(held_tuple[i], &freelist_seen_tuple[i], is->tuple.numfree[i]);
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
        freelist_seen_tuple[Py_SIZE(op) - 1] = cap.interp->tuple.numfree[Py_SIZE(op) - 1];
    }
}

/* ---- deaths -------------------------------------------------------------- */

static entry_t *dying(PyObject *op)
{
    capture_sync();
    entry_t *e = map_find(block_of(op));
    return e != NULL && e->id != 0 ? e : alloc_late(op, block_of(op));
}

static void kept(entry_t *e, PyObject *op, PyObject **held, int *seen, int now, int room)
{
    if (now < 1 || now > room || !spool_room(RECORD_ROOM)) {
        return;
    }
    /* Others may have been taken out of sight of any hook while this one was torn down. */
    shrink(held, seen, now - 1);
    put_tag(R_KEPT);
    put_number(cap.next_id - e->id);
    e->id = 0;
    e->type = EF_KEPT | (e->type & EF_ODD);
    held[now - 1] = op;
    *seen = now;
    capture_sync();
    spool_commit();
}

/* What CPython's own deallocators do for their exact type, with the identity test that
 * our wrapper defeats: without it, deep structures would overflow the C stack. */
#define WRAP(NAME, TYPE, TRASHCAN, HELD, SEEN, NOW, ROOM)                                                              \
    static void NAME##_hook(PyObject *op)                                                                              \
    {                                                                                                                  \
        if (Py_TYPE(op)->tp_dealloc != NAME##_hook) {                                                                  \
            NAME(op);                                                                                                  \
            return;                                                                                                    \
        }                                                                                                              \
        PyThreadState *ts = _PyThreadState_GET();                                                                      \
        if (!capture_on() || Py_TYPE(op) != (TYPE)) {                                                                    \
            if (TRASHCAN) {                                                                                            \
                PyObject_GC_UnTrack(op);                                                                               \
                if (_PyTrash_begin(ts, op)) {                                                                          \
                    return;                                                                                            \
                }                                                                                                      \
            }                                                                                                          \
            NAME(op);                                                                                                  \
            if (TRASHCAN) {                                                                                            \
                _PyTrash_end(ts);                                                                                      \
            }                                                                                                          \
            return;                                                                                                    \
        }                                                                                                              \
        entry_t *e = dying(op);                                                                                        \
        uint32_t id = e != NULL ? e->id : 0;                                                                           \
        if (TRASHCAN) {                                                                                                \
            PyObject_GC_UnTrack(op);                                                                                   \
            if (_PyTrash_begin(ts, op)) {                                                                              \
                return;                                                                                                \
            }                                                                                                          \
        }                                                                                                              \
        Py_ssize_t size = (TYPE) == &PyTuple_Type ? Py_SIZE(op) : 1;                                                   \
        NAME(op);                                                                                                      \
        if (cap.active && id != 0 && e->id == id && size >= 1 && size <= TUPLE_CLASSES) {                              \
            kept(e, op, HELD, SEEN, NOW, ROOM);                                                                        \
        }                                                                                                              \
        if (TRASHCAN) {                                                                                                \
            _PyTrash_end(ts);                                                                                          \
        }                                                                                                              \
    }

WRAP(list_dealloc, &PyList_Type, 1, held_list, &freelist_seen_list, cap.interp->list.numfree, LIST_MAX)
WRAP(dict_dealloc, &PyDict_Type, 1, held_dict, &freelist_seen_dict, cap.interp->dict_state.numfree, PyDict_MAXFREELIST)
WRAP(tuple_dealloc, &PyTuple_Type, 1, held_tuple[size - 1], &freelist_seen_tuple[size - 1],
     cap.interp->tuple.numfree[size - 1], TUPLE_MAX)
WRAP(slice_dealloc, &PySlice_Type, 0, held_slice, &freelist_seen_slice, cap.interp->slice_cache != NULL, 1)
WRAP(context_dealloc, &PyContext_Type, 0, held_context, &seen_context, cap.interp->context.numfree, CONTEXT_MAX)
WRAP(asend_dealloc, &_PyAsyncGenASend_Type, 0, held_asend, &seen_asend, cap.interp->async_gen.asend_numfree, ASYNC_MAX)
WRAP(avalue_dealloc, &_PyAsyncGenWrappedValue_Type, 0, held_avalue, &seen_avalue, cap.interp->async_gen.value_numfree,
     ASYNC_MAX)

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
        freelist_seen_tuple[c] = n;
    }
    PyContext *x = is->context.freelist;
    for (int i = is->context.numfree; i-- > 0; x = (PyContext *)x->ctx_weakreflist) {
        if (x == NULL || !hold(held_context, i, (PyObject *)x, &PyContext_Type)) return 0;
    }
    freelist_seen_list = is->list.numfree;
    freelist_seen_dict = is->dict_state.numfree;
    freelist_seen_slice = is->slice_cache != NULL;
    seen_context = is->context.numfree;
    seen_asend = is->async_gen.asend_numfree;
    seen_avalue = is->async_gen.value_numfree;
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
