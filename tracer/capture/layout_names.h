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

static inline PyObject *managed_dict(PyObject *op)
{
    return type_is_far(Py_TYPE(op)) ? *_PyObject_ManagedDictPointer(op) : NULL;
}

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
    layout_field_t fields[20];
} layout_type_t;

#define F(TYPE, FIELD, LABEL) {offsetof(TYPE, FIELD), LABEL}
#define END {-1, NULL}
#define KNOWN(TYPE, OBJECT, ...) {&(TYPE), NULL, sizeof(OBJECT), {__VA_ARGS__, END}}

/* Of types that are not exported: as their source has them. */
typedef struct {
    PyObject_HEAD
    PyObject *a[8];
} words_t;
#define WORD(N) (int)offsetof(words_t, a[N])
#define UNEXPORTED(NAME, SIZE, ...) {NULL, NAME, SIZE, {__VA_ARGS__, END}}

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
    KNOWN(PyModule_Type, PyModuleObject, F(PyModuleObject, md_dict, ".__dict__")),
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
    KNOWN(PyFrame_Type, PyFrameObject, F(PyFrameObject, f_back, ".f_back"), F(PyFrameObject, f_trace, ".f_trace")),
    KNOWN(PyContext_Type, struct _pycontextobject, F(struct _pycontextobject, ctx_prev, ".(previous)"),
          F(struct _pycontextobject, ctx_vars, ".(variables)")),
};

#define LAYOUT_TYPES (sizeof(layout_types) / sizeof(*layout_types))

/* Whether a type is that one, and laid out as it is said to be. */
static inline int layout_is_of(const layout_type_t *known, const PyTypeObject *t)
{
    return (known->type != NULL ? t == known->type : strcmp(t->tp_name, known->name) == 0)
           && t->tp_basicsize == (Py_ssize_t)known->size;
}

/* Not one in C: its objects have no fields but their slots and what a base has. */
static inline int type_from_class_statement(const PyTypeObject *t)
{
    return (t->tp_flags & Py_TPFLAGS_HEAPTYPE) && ((const PyHeapTypeObject *)t)->_ht_tpname == NULL;
}

#endif
