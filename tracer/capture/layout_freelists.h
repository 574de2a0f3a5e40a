/* The free lists of an interpreter: the part of layout.h that names them. */
#ifndef GCREPLAY_LAYOUT_FREELISTS_H
#define GCREPLAY_LAYOUT_FREELISTS_H

#include "layout.h"

#define LIST_MAX PyList_MAXFREELIST
#define DICT_MAX PyDict_MAXFREELIST
#define SLICE_MAX 1
#define TUPLE_MAX 2000
#define CONTEXT_MAX 255
#define ASYNC_MAX 80
#define TUPLE_CLASSES 20 /* by length, from 1 on */

static inline int free_lists(const PyInterpreterState *is) { return is->list.numfree; }
static inline int free_dicts(const PyInterpreterState *is) { return is->dict_state.numfree; }
static inline int free_slices(const PyInterpreterState *is) { return is->slice_cache != NULL; }
static inline int free_tuples(const PyInterpreterState *is, int c) { return is->tuple.numfree[c]; } /* length c + 1 */
static inline int free_contexts(const PyInterpreterState *is) { return is->context.numfree; }
static inline int free_asends(const PyInterpreterState *is) { return is->async_gen.asend_numfree; }
static inline int free_avalues(const PyInterpreterState *is) { return is->async_gen.value_numfree; }

/* The i-th from the bottom of a list that is an array. */
static inline PyObject *free_list_at(const PyInterpreterState *is, int i)
{
    return (PyObject *)is->list.free_list[i];
}
static inline PyObject *free_dict_at(const PyInterpreterState *is, int i)
{
    return (PyObject *)is->dict_state.free_list[i];
}
static inline PyObject *free_slice_at(const PyInterpreterState *is, int i)
{
    (void)i;
    return (PyObject *)is->slice_cache;
}
static inline PyObject *free_asend_at(const PyInterpreterState *is, int i)
{
    return (PyObject *)is->async_gen.asend_freelist[i];
}
static inline PyObject *free_avalue_at(const PyInterpreterState *is, int i)
{
    return (PyObject *)is->async_gen.value_freelist[i];
}

/* The top of a list that is a chain, and what lies below an object of it. */
static inline PyObject *free_tuple_top(const PyInterpreterState *is, int c)
{
    return (PyObject *)is->tuple.free_list[c];
}
static inline PyObject *free_tuple_below(PyObject *op) { return ((PyTupleObject *)op)->ob_item[0]; }
static inline PyObject *free_context_top(const PyInterpreterState *is) { return (PyObject *)is->context.freelist; }
static inline PyObject *free_context_below(PyObject *op) { return ((PyContext *)op)->ctx_weakreflist; }

/* All free lists as they are, for a while in which they are empty: what is made or freed meanwhile
 * leaves no trace in them.  Floats and the keys of dictionaries have lists too. */
typedef struct {
    struct _Py_float_state floats;
    PySliceObject *slice;
    struct _Py_tuple_state tuples;
    struct _Py_list_state lists;
    struct _Py_dict_state dicts;
    struct _Py_async_gen_state async;
    struct _Py_context_state contexts;
} free_lists_t;

static inline void free_lists_aside(PyInterpreterState *is, free_lists_t *kept)
{
    *kept = (free_lists_t){is->float_state, is->slice_cache, is->tuple,  is->list,
                           is->dict_state,  is->async_gen,   is->context};
    is->float_state = (struct _Py_float_state){0};
    is->slice_cache = NULL;
    is->tuple = (struct _Py_tuple_state){0};
    is->list = (struct _Py_list_state){0};
    is->dict_state = (struct _Py_dict_state){0};
    is->async_gen = (struct _Py_async_gen_state){0};
    is->context = (struct _Py_context_state){0};
}

static inline void free_lists_back(PyInterpreterState *is, const free_lists_t *kept)
{
    is->float_state = kept->floats;
    is->slice_cache = kept->slice;
    is->tuple = kept->tuples;
    is->list = kept->lists;
    is->dict_state = kept->dicts;
    is->async_gen = kept->async;
    is->context = kept->contexts;
}

/* What the lists of list, dict, slice and tuple hold together.  In words as they are written: a
 * wider load would wait for the store before it. */
static inline int free_common(const PyInterpreterState *is)
{
    const int *n = is->tuple.numfree;
    int a = is->list.numfree + n[0] + n[4] + n[8] + n[12] + n[16];
    int b = is->dict_state.numfree + n[1] + n[5] + n[9] + n[13] + n[17];
    int c = (is->slice_cache != NULL) + n[2] + n[6] + n[10] + n[14] + n[18];
    int d = n[3] + n[7] + n[11] + n[15] + n[19];
    return (a + b) + (c + d);
}

#endif
