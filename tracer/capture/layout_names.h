/* Where the objects of known types keep what they hold, and how a person calls that: attributes as Python
 * shows them, else the field in parentheses.  A type is known by its address, or by its name where it is
 * not exported; in both cases its objects must have the size that is expected, else its fields go without
 * names.  What is read there is only compared with what tp_traverse gives, never followed. */
#ifndef GCREPLAY_LAYOUT_NAMES_H
#define GCREPLAY_LAYOUT_NAMES_H

#include "layout.h"

#include "internal/pycore_hamt.h"
#include "internal/pycore_moduleobject.h"

#include <stddef.h>
#include <structmember.h>

/* ---- dictionaries and attributes ------------------------------------------------------------- */

static inline PyDictValues *inline_values(PyObject *op)
{
    return type_is_far(Py_TYPE(op)) ? *_PyObject_ValuesPointer(op) : NULL;
}

/* Where an object has its managed dictionary, of a type that has such. */
static inline PyObject **managed_dict_place(PyObject *op) { return _PyObject_ManagedDictPointer(op); }

static inline const PyDictKeysObject *attribute_keys(const PyTypeObject *t)
{
    return t->tp_flags & Py_TPFLAGS_HEAPTYPE ? ((const PyHeapTypeObject *)t)->ht_cached_keys : NULL;
}

static inline const char *keys_entries(const PyDictKeysObject *keys)
{
    return keys->dk_indices + ((size_t)1 << keys->dk_log2_index_bytes);
}
static inline int keys_are_text(const PyDictKeysObject *keys) { return keys->dk_kind != DICT_KEYS_GENERAL; }
static inline Py_ssize_t keys_count(const PyDictKeysObject *keys) { return keys->dk_nentries; }
static inline const PyDictUnicodeEntry *text_entries(const PyDictKeysObject *keys)
{
    return (const PyDictUnicodeEntry *)(const void *)keys_entries(keys);
}
static inline const PyDictKeyEntry *other_entries(const PyDictKeysObject *keys)
{
    return (const PyDictKeyEntry *)(const void *)keys_entries(keys);
}
static inline PyObject *value_at(const PyDictValues *values, Py_ssize_t i) { return values->values[i]; }
static inline PyObject *const *first_value(const PyDictValues *values) { return values->values; }
static inline const PyDictKeysObject *dict_keys(PyObject *op) { return ((PyDictObject *)op)->ma_keys; }
static inline const PyDictValues *dict_values(PyObject *op) { return ((PyDictObject *)op)->ma_values; }

/* Where an object has a dictionary that is not managed, or NULL. */
static inline PyObject **dict_place(PyObject *op)
{
    PyTypeObject *t = Py_TYPE(op);
    return t->tp_dictoffset == 0 || type_is_far(t) ? NULL : _PyObject_GetDictPtr(op);
}

/* ---- frames ------------------------------------------------------------------------------------ */

/* The frame in a generator, coroutine or asynchronous generator that has not ended, or NULL. */
static inline frame_t *generator_frame(PyObject *op)
{
    PyGenObject *g = (PyGenObject *)op;
    return g->gi_frame_state < FRAME_CLEARED ? (frame_t *)(void *)g->gi_iframe : NULL;
}
static inline frame_t *object_frame(PyObject *op) { return ((PyFrameObject *)op)->f_frame; }
static inline PyObject *frame_object(const frame_t *f) { return (PyObject *)f->frame_obj; }
static inline PyObject *frame_function(const frame_t *f) { return (PyObject *)f->f_func; }
static inline PyObject *frame_namespace(const frame_t *f) { return f->f_locals; }
static inline PyObject *local_names(const PyCodeObject *code) { return code->co_localsplusnames; }
static inline int frame_top(const frame_t *f)
{
    int most = frame_slots(f);
    return f->stacktop < 0 ? 0 : f->stacktop < most ? f->stacktop : most;
}
static inline PyObject *code_title(const PyCodeObject *code) { return code->co_qualname; }
static inline PyObject *code_free_name(const PyCodeObject *code, Py_ssize_t i)
{
    Py_ssize_t at = code->co_nlocalsplus - code->co_nfreevars + i;
    PyObject *names = code->co_localsplusnames;
    return names != NULL && PyTuple_Check(names) && at >= 0 && at < PyTuple_GET_SIZE(names) ? PyTuple_GET_ITEM(names, at) : NULL;
}

/* ---- titles -------------------------------------------------------------------------------------- */

static inline PyObject *module_title(PyObject *op) { return ((PyModuleObject *)op)->md_name; }
static inline PyObject *function_title(PyObject *op) { return ((PyFunctionObject *)op)->func_qualname; }
static inline PyObject *generator_title(PyObject *op) { return ((PyGenObject *)op)->gi_qualname; }
static inline const char *builtin_title(PyObject *op)
{
    const PyMethodDef *m = ((PyCFunctionObject *)op)->m_ml;
    return m != NULL ? m->ml_name : NULL;
}

/* ---- fields ---------------------------------------------------------------------------------------- */

typedef struct {
    int offset;
    const char *label;
} layout_field_t;

typedef struct {
    const PyTypeObject *type; /* or, where it is not exported */
    const char *name;
    size_t size;
    layout_field_t fields[20]; /* a last one at REST: the label of what is in none of them */
} layout_type_t;
#define REST 0

#define F(TYPE, FIELD, LABEL) {offsetof(TYPE, FIELD), LABEL}
#define END {-1, NULL}
#define KNOWN(TYPE, OBJECT, ...) {&(TYPE), NULL, sizeof(OBJECT), {__VA_ARGS__, END}}

/* Of types whose fields no header tells: words behind the object's own two, as their source has them. */
#define WORD(N) (int)(sizeof(PyObject) + (N) * sizeof(PyObject *))
#define WORDS(NAME, SIZE, ...) {NULL, NAME, WORD(SIZE), {__VA_ARGS__, END}}
#define EXPORTED(TYPE, SIZE, ...) {&(TYPE), NULL, WORD(SIZE), {__VA_ARGS__, END}}
#define ITERATOR(TYPE, SIZE, AT) EXPORTED(TYPE, SIZE, {WORD(AT), ".(sequence)"})
#define DICT_ITERATOR(TYPE) EXPORTED(TYPE, 5, {WORD(0), ".(dict)"}, {WORD(3), ".(result)"})

typedef struct {
    PyObject_HEAD
    PyObject *loop, *callback0, *context0, *callbacks, *exception, *exception_tb, *result, *source_tb, *cancel_msg;
    int state, log_tb, blocking;
    PyObject *dict, *weakrefs, *cancelled;
} future_t;
typedef struct {
    future_t future;
    PyObject *waiter, *coro, *name, *context;
    int must_cancel, log_destroy, cancels;
} task_t;
#define FUTURE_FIELDS                                                                                                  \
    F(future_t, loop, "._loop"), F(future_t, callback0, "._callbacks"), F(future_t, context0, ".(context)"),           \
        F(future_t, callbacks, "._callbacks"), F(future_t, exception, "._exception"),                                  \
        F(future_t, exception_tb, ".(exception_tb)"), F(future_t, result, "._result"),                                 \
        F(future_t, source_tb, "._source_traceback"), F(future_t, cancel_msg, "._cancel_message"),                     \
        F(future_t, cancelled, ".(cancelled_error)")

static const layout_type_t layout_types[] = {
    KNOWN(PyFunction_Type, PyFunctionObject, F(PyFunctionObject, func_code, ".__code__"),
          F(PyFunctionObject, func_globals, ".__globals__"), F(PyFunctionObject, func_module, ".__module__"),
          F(PyFunctionObject, func_defaults, ".__defaults__"), F(PyFunctionObject, func_kwdefaults, ".__kwdefaults__"),
          F(PyFunctionObject, func_doc, ".__doc__"), F(PyFunctionObject, func_name, ".__name__"),
          F(PyFunctionObject, func_dict, ".__dict__"), F(PyFunctionObject, func_closure, ".__closure__"),
          F(PyFunctionObject, func_annotations, ".__annotations__"), F(PyFunctionObject, func_builtins, ".__builtins__"),
          F(PyFunctionObject, func_qualname, ".__qualname__")),
    KNOWN(PyCell_Type, PyCellObject, F(PyCellObject, ob_ref, ".cell_contents")),
    KNOWN(PyMethod_Type, PyMethodObject, F(PyMethodObject, im_func, ".__func__"),
          F(PyMethodObject, im_self, ".__self__")),
    KNOWN(PyCFunction_Type, PyCFunctionObject, F(PyCFunctionObject, m_self, ".__self__"),
          F(PyCFunctionObject, m_module, ".__module__")),
    KNOWN(PyCMethod_Type, PyCMethodObject, F(PyCMethodObject, mm_class, ".(class)")),
    KNOWN(PyTraceBack_Type, PyTracebackObject, F(PyTracebackObject, tb_next, ".tb_next"),
          F(PyTracebackObject, tb_frame, ".tb_frame")),
    {NULL, "BaseException", sizeof(PyBaseExceptionObject),
     {F(PyBaseExceptionObject, dict, ".__dict__"), F(PyBaseExceptionObject, args, ".args"),
      F(PyBaseExceptionObject, notes, ".__notes__"), F(PyBaseExceptionObject, traceback, ".__traceback__"),
      F(PyBaseExceptionObject, cause, ".__cause__"), F(PyBaseExceptionObject, context, ".__context__"), END}},
    KNOWN(_PyWeakref_RefType, PyWeakReference, F(PyWeakReference, wr_callback, ".__callback__")),
    KNOWN(_PyWeakref_ProxyType, PyWeakReference, F(PyWeakReference, wr_callback, ".(callback)")),
    KNOWN(_PyWeakref_CallableProxyType, PyWeakReference, F(PyWeakReference, wr_callback, ".(callback)")),
    KNOWN(PyModule_Type, PyModuleObject, F(PyModuleObject, md_dict, ".__dict__"), {REST, ".(state)"}),
    {&PyType_Type, NULL, sizeof(PyHeapTypeObject),
     {F(PyHeapTypeObject, ht_type.tp_dict, ".__dict__"), F(PyHeapTypeObject, ht_type.tp_cache, ".(cache)"),
      F(PyHeapTypeObject, ht_type.tp_mro, ".__mro__"), F(PyHeapTypeObject, ht_type.tp_bases, ".__bases__"),
      F(PyHeapTypeObject, ht_type.tp_base, ".__base__"), F(PyHeapTypeObject, ht_type.tp_subclasses, ".(subclasses)"),
      F(PyHeapTypeObject, ht_module, ".(module)"), F(PyHeapTypeObject, ht_slots, ".__slots__"), END}},
    KNOWN(PyGen_Type, PyGenObject, F(PyGenObject, gi_code, ".gi_code"), F(PyGenObject, gi_name, ".__name__"),
          F(PyGenObject, gi_qualname, ".__qualname__"), F(PyGenObject, gi_exc_state.exc_value, ".(exception)")),
    KNOWN(PyCoro_Type, PyCoroObject, F(PyCoroObject, cr_code, ".cr_code"), F(PyCoroObject, cr_name, ".__name__"),
          F(PyCoroObject, cr_qualname, ".__qualname__"), F(PyCoroObject, cr_exc_state.exc_value, ".(exception)"),
          F(PyCoroObject, cr_origin_or_finalizer, ".cr_origin")),
    KNOWN(PyAsyncGen_Type, PyAsyncGenObject, F(PyAsyncGenObject, ag_code, ".ag_code"),
          F(PyAsyncGenObject, ag_name, ".__name__"), F(PyAsyncGenObject, ag_qualname, ".__qualname__"),
          F(PyAsyncGenObject, ag_exc_state.exc_value, ".(exception)"),
          F(PyAsyncGenObject, ag_origin_or_finalizer, ".(finalizer)")),
    {&PyFrame_Type, NULL, offsetof(PyFrameObject, _f_frame_data) + offsetof(frame_t, localsplus),
     {F(PyFrameObject, f_back, ".f_back"), F(PyFrameObject, f_trace, ".f_trace"), END}},
    KNOWN(PyContext_Type, struct _pycontextobject, F(struct _pycontextobject, ctx_prev, ".(previous)"),
          F(struct _pycontextobject, ctx_vars, ".(variables)")),
    KNOWN(PyContextVar_Type, struct _pycontextvarobject, F(struct _pycontextvarobject, var_default, ".(default)")),
    KNOWN(PyContextToken_Type, struct _pycontexttokenobject, F(struct _pycontexttokenobject, tok_ctx, ".(context)"),
          F(struct _pycontexttokenobject, tok_var, ".var"), F(struct _pycontexttokenobject, tok_oldval, ".old_value")),
    {NULL, "hamt", sizeof(PyHamtObject), {F(PyHamtObject, h_root, ".(root)"), END}},
    {NULL, "hamt_bitmap_node", WORD(2), {{REST, "(entry)"}, END}},
    {NULL, "hamt_collision_node", WORD(2), {{REST, "(entry)"}, END}},
    {NULL, "hamt_array_node", WORD(33), {{REST, "(entry)"}, END}},
    {&PyMemoryView_Type, NULL, offsetof(PyMemoryViewObject, ob_array),
     {F(PyMemoryViewObject, mbuf, ".(buffer)"), END}},
    KNOWN(_PyManagedBuffer_Type, _PyManagedBufferObject, F(_PyManagedBufferObject, master.obj, ".obj")),
    EXPORTED(Py_GenericAliasType, 6, {WORD(2), ".__parameters__"}),
    EXPORTED(PyDictProxy_Type, 1, {WORD(0), ".(mapping)"}),
    EXPORTED(PyDictKeys_Type, 1, {WORD(0), ".mapping"}),
    EXPORTED(PyDictValues_Type, 1, {WORD(0), ".mapping"}),
    EXPORTED(PyDictItems_Type, 1, {WORD(0), ".mapping"}),
    EXPORTED(_PyMethodWrapper_Type, 2, {WORD(0), ".(descriptor)"}, {WORD(1), ".__self__"}),
    EXPORTED(PyEnum_Type, 5, {WORD(1), ".(iterator)"}, {WORD(2), ".(result)"}),
    EXPORTED(PyReversed_Type, 2, {WORD(1), ".(sequence)"}),
    EXPORTED(PyZip_Type, 4, {WORD(1), ".(iterators)"}, {WORD(2), ".(result)"}),
    EXPORTED(PyMap_Type, 2, {WORD(0), ".(iterators)"}, {WORD(1), ".(function)"}),
    EXPORTED(PyFilter_Type, 2, {WORD(0), ".(function)"}, {WORD(1), ".(iterator)"}),
    ITERATOR(PyListIter_Type, 2, 1),
    ITERATOR(PyListRevIter_Type, 2, 1),
    ITERATOR(PyTupleIter_Type, 2, 1),
    ITERATOR(PySeqIter_Type, 2, 1),
    ITERATOR(PySetIter_Type, 4, 0),
    EXPORTED(PyCallIter_Type, 2, {WORD(0), ".(function)"}, {WORD(1), ".(sentinel)"}),
    DICT_ITERATOR(PyDictIterKey_Type),
    DICT_ITERATOR(PyDictIterValue_Type),
    DICT_ITERATOR(PyDictIterItem_Type),
    DICT_ITERATOR(PyDictRevIterKey_Type),
    DICT_ITERATOR(PyDictRevIterValue_Type),
    DICT_ITERATOR(PyDictRevIterItem_Type),
    EXPORTED(_PyAsyncGenASend_Type, 3, {WORD(0), ".(generator)"}, {WORD(1), ".(value)"}),
    EXPORTED(_PyAsyncGenAThrow_Type, 3, {WORD(0), ".(generator)"}, {WORD(1), ".(arguments)"}),
    EXPORTED(_PyAsyncGenWrappedValue_Type, 1, {WORD(0), ".(value)"}),
    EXPORTED(_PyCoroWrapper_Type, 1, {WORD(0), ".(coroutine)"}),
    {NULL, "_asyncio.Future", sizeof(future_t), {FUTURE_FIELDS, END}},
    {NULL, "_asyncio.Task", sizeof(task_t),
     {FUTURE_FIELDS, F(task_t, waiter, "._fut_waiter"), F(task_t, coro, "._coro"), F(task_t, context, "._context"), END}},
    WORDS("_asyncio.FutureIter", 1, {WORD(0), ".(future)"}),
    WORDS("TaskStepMethWrapper", 2, {WORD(0), ".__self__"}, {WORD(1), ".(argument)"}),
    WORDS("_collections._deque_iterator", 5, {WORD(2), ".(deque)"}),
    WORDS("_abc._abc_data", 4, {WORD(0), "._abc_registry"}, {WORD(1), "._abc_cache"}, {WORD(2), "._abc_negative_cache"}),
    WORDS("_thread._local", 6, {WORD(0), ".(key)"}, {WORD(1), ".(args)"}, {WORD(2), ".(kwargs)"}, {WORD(4), ".(threads)"},
          {WORD(5), ".(callback)"}),
    WORDS("_thread._localdummy", 2, {WORD(0), ".__dict__"}),
    WORDS("operator.itemgetter", 4, {WORD(1), ".(item)"}),
    WORDS("operator.attrgetter", 3, {WORD(1), ".(attribute)"}),
    WORDS("operator.methodcaller", 3, {WORD(1), ".(args)"}, {WORD(2), ".(kwargs)"}),
    WORDS("functools.KeyWrapper", 2, {WORD(0), ".(function)"}, {WORD(1), ".obj"}),
    WORDS("functools._lru_list_elem", 5, {WORD(3), ".(key)"}, {WORD(4), ".(result)"}),
    WORDS("itertools.chain", 2, {WORD(0), ".(source)"}, {WORD(1), ".(iterator)"}),
    WORDS("itertools.cycle", 4, {WORD(0), ".(iterator)"}, {WORD(1), ".(saved)"}),
    WORDS("itertools.islice", 5, {WORD(0), ".(iterator)"}),
    WORDS("itertools.repeat", 2, {WORD(0), ".(element)"}),
    WORDS("itertools.starmap", 2, {WORD(0), ".(function)"}, {WORD(1), ".(iterator)"}),
    WORDS("itertools.takewhile", 3, {WORD(0), ".(function)"}, {WORD(1), ".(iterator)"}),
    WORDS("itertools.dropwhile", 3, {WORD(0), ".(function)"}, {WORD(1), ".(iterator)"}),
    WORDS("itertools.filterfalse", 2, {WORD(0), ".(function)"}, {WORD(1), ".(iterator)"}),
    WORDS("itertools.compress", 2, {WORD(0), ".(iterator)"}, {WORD(1), ".(selectors)"}),
    WORDS("itertools.pairwise", 2, {WORD(0), ".(iterator)"}, {WORD(1), ".(last)"}),
    WORDS("itertools.accumulate", 4, {WORD(0), ".(total)"}, {WORD(1), ".(iterator)"}, {WORD(2), ".(function)"},
          {WORD(3), ".(initial)"}),
    WORDS("itertools.groupby", 6, {WORD(0), ".(iterator)"}, {WORD(1), ".(key function)"}, {WORD(2), ".(target key)"},
          {WORD(3), ".(key)"}, {WORD(4), ".(value)"}),
    WORDS("itertools._grouper", 2, {WORD(0), ".(parent)"}, {WORD(1), ".(target key)"}),
    WORDS("itertools.zip_longest", 5, {WORD(2), ".(iterators)"}, {WORD(3), ".(result)"}, {WORD(4), ".(fill value)"}),
    WORDS("itertools.product", 4, {WORD(0), ".(pools)"}, {WORD(2), ".(result)"}),
    WORDS("itertools._tee", 3, {WORD(0), ".(data)"}),
    WORDS("itertools._tee_dataobject", 60, {WORD(0), ".(iterator)"}, {WORD(2), ".(next)"}, {REST, "(value)"}),
};

/* functools.lru_cache: what it holds besides its function are the results in its list. */
typedef struct cached {
    PyObject_HEAD
    struct cached *previous, *next;
    Py_hash_t hash;
    PyObject *key, *result;
} cached_t;
typedef struct {
    cached_t root;
    ternaryfunc wrapper;
    int typed;
    PyObject *cache;
    Py_ssize_t hits;
    PyObject *function;
    Py_ssize_t most, misses;
    PyObject *mark;
    PyTypeObject *element;
    PyObject *info, *dict, *weakrefs;
} lru_cache_t;
#define LRU_CACHE "functools._lru_cache_wrapper"

static inline int type_is_lru_cache(const PyTypeObject *t)
{
    return strcmp(t->tp_name, LRU_CACHE) == 0 && t->tp_basicsize == (Py_ssize_t)sizeof(lru_cache_t)
           && t->tp_dictoffset == (Py_ssize_t)offsetof(lru_cache_t, dict)
           && t->tp_weaklistoffset == (Py_ssize_t)offsetof(lru_cache_t, weakrefs);
}

#define LAYOUT_TYPES (sizeof(layout_types) / sizeof(*layout_types))

/* Whether a type is that one, and laid out as it is said to be. */
static inline int layout_is_of(const layout_type_t *known, const PyTypeObject *t)
{
    return (known->type != NULL ? t == known->type : strcmp(t->tp_name, known->name) == 0)
           && t->tp_basicsize == (Py_ssize_t)known->size;
}

/* Not one in C: its objects have no fields but their slots and what a base has.  A spec leaves its name, and
 * what C puts together by hand (nanobind, mypyc) has no slots behind the type, where a class statement has them
 * even when there are none. */
static inline int type_from_class_statement(const PyTypeObject *t)
{
    return (t->tp_flags & Py_TPFLAGS_HEAPTYPE) && ((const PyHeapTypeObject *)t)->_ht_tpname == NULL
           && t->tp_members == _PyHeapType_GET_MEMBERS((PyTypeObject *)t);
}

#endif
