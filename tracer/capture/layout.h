/* All that depends on how an interpreter of one version is laid out inside, under names that do
 * not.  Another version is another branch here; nothing else of the capture includes an internal
 * header or names a field of the interpreter.  What is assumed is checked where the capture
 * attaches: thread_layout_known(), collector_layout_known(), trash_depth_known(),
 * weakref_layout_known(), dict_layout_known() and the walk over the free lists in freelist.c; how those
 * are laid out stands in layout_freelists.h. */
#ifndef GCREPLAY_LAYOUT_H
#define GCREPLAY_LAYOUT_H

#ifndef Py_BUILD_CORE_MODULE
#define Py_BUILD_CORE_MODULE 1
#endif
#include "Python.h"

#if PY_VERSION_HEX < 0x030B0000 || PY_VERSION_HEX >= 0x030C0000
#error "this capture is written for CPython 3.11"
#endif

#include "internal/pycore_context.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_gc.h"
#include "internal/pycore_genobject.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_object.h"
#include "internal/pycore_pystate.h"
#include "internal/pycore_runtime.h"

#define LAYOUT_VERSION "3.11." /* how Py_GetVersion() begins */

/* ---- the interpreter ----------------------------------------------------- */

/* The interpreter made last: another one than ours when the program has made a second. */
static inline PyInterpreterState *newest_interpreter(void) { return _PyRuntime.interpreters.head; }
static inline int runtime_finalizing(void) { return _PyRuntimeState_GetFinalizing(&_PyRuntime) != NULL; }
static inline PyThreadState *this_thread(void) { return _PyThreadState_GET(); }
/* While an exception is set no birth begins a collection; the next one after it does. */
static inline const void *exception_set(const PyThreadState *ts) { return ts->curexc_type; }
static inline PyInterpreterState *interpreter_of(const PyThreadState *ts) { return ts->interp; }
static inline PyThreadState *first_thread(const PyInterpreterState *is) { return is->threads.head; }
static inline PyThreadState *next_thread(const PyThreadState *ts) { return ts->next; }

/* Not started with -I, -E or -S. */
static inline int heeds_environment(const PyThreadState *ts)
{
    const PyConfig *config = _PyInterpreterState_GetConfig(ts->interp);
    return config->use_environment && config->site_import && !config->isolated;
}

/* Not started with -S. */
static inline int imports_site(const PyThreadState *ts)
{
    return _PyInterpreterState_GetConfig(ts->interp)->site_import;
}

/* Nobody wraps the allocators of the interpreter's domains. */
static inline int allocators_known(void) { return _PyMem_GetCurrentAllocatorName() != NULL; }

/* The table of the modules compiled in; ends with a name of NULL. */
static inline struct _inittab *builtin_modules(void) { return PyImport_Inittab; }

/* ---- frames ---------------------------------------------------------------- */

typedef _PyInterpreterFrame frame_t;

static inline frame_t *running_frame(const PyThreadState *ts)
{
    return ts->cframe != NULL ? ts->cframe->current_frame : NULL;
}

static inline frame_t *frame_below(const frame_t *f) { return f->previous; }
static inline PyCodeObject *frame_code(const frame_t *f) { return f->f_code; }
static inline const void *frame_instruction(const frame_t *f) { return f->prev_instr; }

/* Behind the last frame of the thread's stack.  From the top to the limit the chunk is free: a frame is
 * put there by moving the top first, taken off by moving it back last, and read through a pointer from
 * another frame only.  A push leaves the top below the limit (_PyThreadState_HasStackSpace() compares
 * with <; a new chunk has MINIMUM_OVERHEAD words more than it needs), so that a word is always there,
 * which belongs to this thread alone.  A thread or greenlet that has run no frame yet has no chunk:
 * both are NULL. */
static inline uintptr_t *thread_room(const PyThreadState *ts)
{
    PyObject **top = ts->datastack_top;
    return top != NULL && top < ts->datastack_limit ? (uintptr_t *)top : NULL;
}

/* Whether the chunk begins and ends where the stack is said to, with the running frame in it. */
static inline int thread_stack_known(const PyThreadState *ts, const frame_t *f)
{
    const _PyStackChunk *chunk = ts->datastack_chunk;
    PyObject **top = ts->datastack_top;
    return chunk != NULL && (const char *)chunk + chunk->size == (const char *)ts->datastack_limit
           && top > (PyObject **)chunk->data && top < ts->datastack_limit
           && (f->owner != FRAME_OWNED_BY_THREAD || (PyObject **)f < top);
}

/* In the part of the thread's stack that grows by now: there a frame stands above those that called it. */
static inline int on_top_of_stack(const PyThreadState *ts, const frame_t *f)
{
    return (uintptr_t)f > (uintptr_t)ts->datastack_chunk && (uintptr_t)f < (uintptr_t)ts->datastack_limit;
}

static inline int frame_on_stack(const frame_t *f) { return f->owner == FRAME_OWNED_BY_THREAD; }
static inline const void *code_unit(const PyCodeObject *code, int i) { return _PyCode_CODE(code) + i; }
/* As a traceback shows it; it allocates nothing. */
static inline int code_line(const PyCodeObject *code, int i)
{
    return PyCode_Addr2Line((PyCodeObject *)code, i * (int)sizeof(_Py_CODEUNIT));
}

/* In bytes; negative before the first. */
static inline int instruction_offset(const PyCodeObject *code, const void *instruction)
{
    return (int)((const char *)instruction - (const char *)_PyCode_CODE(code));
}

static inline PyObject *frame_slot(const frame_t *f, int i) { return f->localsplus[i]; }

/* A frame that called C code has not written the top of its stack back: all of it counts. */
static inline int frame_locals(const frame_t *f) { return f->f_code->co_nlocalsplus; }
static inline int frame_slots(const frame_t *f) { return f->f_code->co_nlocalsplus + f->f_code->co_stacksize; }

/* How many items a variable object has. Where others have their length, generators and frames have
 * a pointer: their items are the slots of the frame inside. */
static inline Py_ssize_t length_of(PyObject *op)
{
    const PyCodeObject *code = NULL;
    if (PyGen_CheckExact(op) || PyCoro_CheckExact(op) || PyAsyncGen_CheckExact(op)) {
        code = ((PyGenObject *)op)->gi_code;
    } else if (PyFrame_Check(op)) {
        const frame_t *frame = ((PyFrameObject *)op)->f_frame;
        code = frame != NULL ? frame->f_code : NULL;
    } else {
        return Py_SIZE(op);
    }
    return code != NULL ? code->co_nlocalsplus + code->co_stacksize : 0;
}

static inline int thread_layout_known(const PyThreadState *ts)
{
    const frame_t *f = running_frame(ts);
    return f != NULL && PyCode_Check(f->f_code) && PyFunction_Check(f->f_func) && thread_stack_known(ts, f);
}

/* ---- blocks and objects ---------------------------------------------------- */

/* A container stands behind its GC header, or behind its managed dictionary and that. */
#define HEAD_NEAR sizeof(PyGC_Head)
#define HEAD_FAR (sizeof(PyGC_Head) + 2 * sizeof(PyObject *))
#define TYPE_WORD_NEAR 3 /* the word of the block in which its type then stands */
#define TYPE_WORD_FAR 5
#define TYPE_WORD_PLAIN 1 /* in an object that has no GC header */

static inline int type_is_far(const PyTypeObject *t) { return (t->tp_flags & Py_TPFLAGS_MANAGED_DICT) != 0; }
static inline size_t presize_of(const PyTypeObject *t)
{
    return HEAD_NEAR + ((t->tp_flags & Py_TPFLAGS_MANAGED_DICT) ? HEAD_FAR - HEAD_NEAR : 0);
}
static inline int object_tracked(PyObject *op) { return _PyObject_GC_IS_TRACKED(op); }
static inline void object_untrack(PyObject *op) { _PyObject_GC_UNTRACK(op); }

/* A dictionary whose values are weak references to the subclasses, or NULL. */
static inline PyObject *type_subclasses(const PyTypeObject *t) { return t->tp_subclasses; }

/* ---- what an object has outside its block ------------------------------------ */

/* Bytes of a table of keys that is one dictionary's own; the one that all empty ones share has size 0. */
static inline size_t keys_bytes(const PyDictKeysObject *keys)
{
    if (keys->dk_log2_size == 0) {
        return 0;
    }
    size_t entries = ((size_t)1 << keys->dk_log2_size << 1) / 3;
    size_t entry = keys->dk_kind == DICT_KEYS_GENERAL ? sizeof(PyDictKeyEntry) : sizeof(PyDictUnicodeEntry);
    return sizeof(PyDictKeysObject) + ((size_t)1 << keys->dk_log2_index_bytes) + entries * entry;
}

/* Bytes of values whose keys are shared.  In front of them stand their places in order of insertion,
 * two bytes more, and how many bytes that is, rounded up.  The first objects of a class have room for
 * more values than later ones; of these that is all there is to tell. */
static inline size_t values_bytes(const PyDictValues *values, const PyDictKeysObject *keys)
{
    const size_t front = ((const uint8_t *)values)[-1], word = sizeof(PyObject *);
    size_t n = keys != NULL ? (size_t)(keys->dk_nentries + keys->dk_usable) : 0;
    return front + ((n + 2 + word - 1) / word * word == front ? n : front - 2) * word;
}

static inline size_t dict_bytes(const PyDictObject *d)
{
    return d->ma_values != NULL ? values_bytes(d->ma_values, d->ma_keys) : keys_bytes(d->ma_keys);
}

/* Of an object whose attributes stand in no dictionary yet. */
static inline size_t attributes_bytes(PyObject *op)
{
    const PyTypeObject *t = Py_TYPE(op);
    const PyDictValues *values = *_PyObject_ValuesPointer(op);
    return values != NULL && (t->tp_flags & Py_TPFLAGS_HEAPTYPE)
               ? values_bytes(values, ((const PyHeapTypeObject *)t)->ht_cached_keys)
               : 0;
}

/* Whether a dictionary is as large as it says itself. */
static inline int dict_layout_known(PyObject *some)
{
    for (const PyMethodDef *m = PyDict_Type.tp_methods; m->ml_name != NULL; m++) {
        if (m->ml_name[0] == '_' && strcmp(m->ml_name, "__sizeof__") == 0 && m->ml_flags == METH_NOARGS) {
            PyObject *told = PyDict_CheckExact(some) ? m->ml_meth(some, NULL) : NULL;
            int known = told != NULL && PyLong_AsSize_t(told) == sizeof(PyDictObject) + dict_bytes((PyDictObject *)some);
            Py_XDECREF(told);
            PyErr_Clear();
            return known && ((PyDictObject *)some)->ma_values == NULL;
        }
    }
    return 0;
}

/* ---- weak references --------------------------------------------------------- */

/* Where a type says that its objects hold what calling them does. */
static inline int type_is_weakref(const PyTypeObject *t)
{
    return t->tp_vectorcall_offset == (Py_ssize_t)offsetof(PyWeakReference, vectorcall)
           && PyType_IsSubtype((PyTypeObject *)t, &_PyWeakref_RefType);
}
static inline vectorcallfunc *weakref_call(PyObject *op) { return &((PyWeakReference *)op)->vectorcall; }
static inline int weakref_cleared(PyObject *op) { return ((PyWeakReference *)op)->wr_object == Py_None; }

static inline int weakref_layout_known(void)
{
    return type_is_weakref(&_PyWeakref_RefType) && _PyWeakref_RefType.tp_call == PyVectorcall_Call
           && _PyWeakref_RefType.tp_basicsize == (Py_ssize_t)sizeof(PyWeakReference);
}

#define ASEND_TYPE (&_PyAsyncGenASend_Type)
#define AVALUE_TYPE (&_PyAsyncGenWrappedValue_Type)

/* ---- the collector ----------------------------------------------------------- */

typedef struct _gc_runtime_state collector_t;

#define PERMANENT 3 /* what gc.freeze() fills, behind the three generations */
#define GC_LISTS 4

static inline collector_t *collector_of(PyInterpreterState *is) { return &is->gc; }

static inline PyGC_Head *gc_list(collector_t *gc, int g)
{
    return g == PERMANENT ? &gc->permanent_generation.head : &gc->generations[g].head;
}

static inline PyGC_Head *gc_next(const PyGC_Head *g) { return _PyGCHead_NEXT(g); }
static inline PyGC_Head *gc_prev(const PyGC_Head *g) { return _PyGCHead_PREV(g); }
static inline void gc_set_next(PyGC_Head *g, PyGC_Head *to) { _PyGCHead_SET_NEXT(g, to); }
static inline void gc_set_prev(PyGC_Head *g, PyGC_Head *to) { _PyGCHead_SET_PREV(g, to); } /* keeps the flags */

/* Of an object of the lists that the collector has before it: no one else's traverse sees this. */
static inline int gc_under_collection(const PyGC_Head *g) { return (g->_gc_prev & _PyGC_PREV_MASK_COLLECTING) != 0; }

/* At the end of a list that the collector works on, as an object that so many references from outside
 * hold. */
static inline void gc_append_under_collection(PyGC_Head *head, PyGC_Head *g, uintptr_t references)
{
    gc_set_next(gc_prev(head), g);
    g->_gc_next = (uintptr_t)head;
    g->_gc_prev = references << _PyGC_PREV_SHIFT | _PyGC_PREV_MASK_COLLECTING;
    gc_set_prev(head, g);
}

/* What the collector has set aside as unreachable has a flag in its forward link, and so has the head
 * of their list, until it is done with that (NEXT_MASK_UNREACHABLE of Modules/gcmodule.c). */
#define ASIDE_FLAG 1u
static inline int gc_is_aside(const PyGC_Head *g) { return (g->_gc_next & ASIDE_FLAG) != 0; }
static inline PyGC_Head *gc_next_aside(const PyGC_Head *g) { return (PyGC_Head *)(g->_gc_next & ~(uintptr_t)ASIDE_FLAG); }

static inline void gc_take_from_aside(PyGC_Head *g)
{
    gc_prev(g)->_gc_next = g->_gc_next;
    gc_set_prev(gc_next_aside(g), gc_prev(g));
}

static inline void gc_put_first_aside(PyGC_Head *head, PyGC_Head *g)
{
    gc_set_prev(gc_next_aside(head), g);
    gc_set_prev(g, head);
    g->_gc_next = head->_gc_next | ASIDE_FLAG;
    head->_gc_next = (uintptr_t)g | ASIDE_FLAG;
}

/* In a list that is whole. */
static inline void gc_unlink(PyGC_Head *g)
{
    gc_set_next(gc_prev(g), gc_next(g));
    gc_set_prev(gc_next(g), gc_prev(g));
    g->_gc_next = g->_gc_prev = 0;
}

static inline void gc_link_behind(PyGC_Head *before, PyGC_Head *g)
{
    g->_gc_prev = 0;
    gc_set_next(g, gc_next(before));
    gc_set_prev(g, before);
    gc_set_prev(gc_next(before), g);
    gc_set_next(before, g);
}

/* Its finalizer has run or is running. */
static inline int gc_is_finalized(const PyGC_Head *g) { return _PyGCHead_FINALIZED(g); }
static inline void gc_set_finalized(PyGC_Head *g) { g->_gc_prev |= _PyGC_PREV_MASK_FINALIZED; }

/* The weak references to an object, the first that is cleared first. */
static inline PyWeakReference *weakrefs_to(PyObject *op)
{
    Py_ssize_t at = Py_TYPE(op)->tp_weaklistoffset;
    return at > 0 ? *(PyWeakReference **)((char *)op + at) : NULL;
}

/* As an object that no list holds; also takes the collector's flags off. */
static inline void gc_clear_head(PyGC_Head *g) { g->_gc_next = g->_gc_prev = 0; }

static inline int gc_count(const collector_t *gc, int g) { return gc->generations[g].count; }
static inline void gc_set_count(collector_t *gc, int g, int n) { gc->generations[g].count = n; }
static inline int gc_threshold(const collector_t *gc, int g) { return gc->generations[g].threshold; }
static inline void gc_set_threshold(collector_t *gc, int g, int n) { gc->generations[g].threshold = n; }
static inline int gc_enabled(const collector_t *gc) { return gc->enabled; }
static inline int gc_collecting(const collector_t *gc) { return gc->collecting; }
static inline int gc_debug(const collector_t *gc) { return gc->debug; }
#define DEBUG_PRINTED 2 /* gc.DEBUG_COLLECTABLE */
#define DEBUG_SAVED 32  /* gc.DEBUG_SAVEALL */
static inline Py_ssize_t gc_long_lived_total(const collector_t *gc) { return gc->long_lived_total; }
static inline Py_ssize_t gc_long_lived_pending(const collector_t *gc) { return gc->long_lived_pending; }

/* An object that survived a collection of that generation is no object of the program. */
static inline void gc_uncount_survivor(collector_t *gc, int generation)
{
    if (generation == 1) {
        gc->long_lived_pending--;
    } else if (generation == 2) {
        gc->long_lived_total--;
    }
}

/* While the collector works: the generation it collects, as the younger lists are merged into it. */
static inline int gc_generation_merged(collector_t *gc)
{
    int g = 0;
    while (g < 2 && gc_next(gc_list(gc, g)) == gc_list(gc, g)) {
        g++;
    }
    return g;
}

enum gc_figure { GC_COLLECTIONS, GC_COLLECTED, GC_UNCOLLECTABLE };

/* Of all generations together. */
static inline uint64_t gc_statistic(const collector_t *gc, enum gc_figure which)
{
    uint64_t sum = 0;
    for (int g = 0; g < NUM_GENERATIONS; g++) {
        const struct gc_generation_stats *s = &gc->generation_stats[g];
        sum += (uint64_t)(which == GC_COLLECTIONS ? s->collections
                          : which == GC_COLLECTED ? s->collected
                                                  : s->uncollectable);
    }
    return sum;
}

static inline int collector_layout_known(collector_t *gc)
{
    if (gc->generation0 != &gc->generations[0].head || gc->enabled != PyGC_IsEnabled() || gc->collecting) {
        return 0;
    }
    for (int g = 0; g < GC_LISTS; g++) {
        PyGC_Head *head = gc_list(gc, g);
        if (gc_next(gc_prev(head)) != head || gc_prev(gc_next(head)) != head) {
            return 0;
        }
    }
    int was = PyGC_Disable();
    if (gc->enabled != 0) {
        return 0;
    }
    if (was) {
        PyGC_Enable();
    }
    return 1;
}

/* ---- deaths that are deferred ---------------------------------------------------- */

#define TRASH_DEPTH 50 /* _PyTrash_UNWIND_LEVEL of Objects/object.c, from which a death is deferred */

/* Both do what the interpreter's own macros do; _PyTrash_begin() and _PyTrash_end() are exported. */
static inline int trash_begin(PyThreadState *ts, PyObject *op)
{
    if (__builtin_expect(ts->trash_delete_nesting < TRASH_DEPTH, 1)) {
        ts->trash_delete_nesting++;
        return 0;
    }
    return _PyTrash_begin(ts, op);
}

static inline void trash_end(PyThreadState *ts)
{
    if (__builtin_expect(ts->trash_delete_later == NULL, 1)) {
        ts->trash_delete_nesting--;
    } else {
        _PyTrash_end(ts);
    }
}

/* Whether _PyTrash_begin() defers a death from TRASH_DEPTH on and not before, asked with a body
 * that never lived; what it noted is taken back. */
static inline int trash_depth_known(PyThreadState *ts)
{
    static struct {
        PyGC_Head head;
        PyObject body;
    } dead = {.body.ob_type = &PyList_Type};
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

#include "layout_freelists.h"

#endif
