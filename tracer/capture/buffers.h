/* Types outside the core that hold memory of their own, and how they are laid out: numpy's array by
 * the fields that its headers publish, the standard library's as of this version of the interpreter.
 * A type is one of them by its name, its size and the place of its weak references, where no code in
 * Python can have made it; an object must be consistent in itself besides.  Else nothing of it counts. */
#ifndef GCREPLAY_BUFFERS_H
#define GCREPLAY_BUFFERS_H

#include "layout.h"

#include <stddef.h>
#include <string.h>

typedef struct {
    PyObject_HEAD
    char *data;
    int nd;
    Py_ssize_t *dimensions, *strides; /* in one block */
    PyObject *base;                   /* whose data this shows, or NULL */
    PyObject *descr;
    int flags;
    PyObject *weakrefs;
} ndarray_t;
#define NDARRAY_OWNS_DATA 4
#define NDARRAY_MOST 64 /* dimensions */

typedef struct {
    PyObject_VAR_HEAD
    char *items;
    Py_ssize_t allocated;
    const struct {
        char code;
        int size;
    } *kind;
    PyObject *weakrefs;
    Py_ssize_t exports;
} array_t;

#define DEQUE_BLOCK 64 /* items; two links stand beside them */
#define DEQUE_SPARE 16 /* blocks that it keeps at most */
typedef struct {
    PyObject_VAR_HEAD
    void *left, *right;
    Py_ssize_t left_at, right_at;
    size_t state;
    Py_ssize_t most, spare;
    void *spares[DEQUE_SPARE];
    PyObject *weakrefs;
} deque_t;

typedef struct {
    PyObject_HEAD
    PyObject *buffer; /* bytes, which others may hold as well, or NULL */
    Py_ssize_t at, length;
    PyObject *attributes, *weakrefs;
    Py_ssize_t exports;
} bytes_io_t;

#define NAMED(T, TYPE, NAME, SIZED)                                                                                    \
    ((T)->tp_weaklistoffset == (Py_ssize_t)offsetof(TYPE, weakrefs)                                                    \
     && (T)->tp_basicsize SIZED (Py_ssize_t)sizeof(TYPE) && strcmp((T)->tp_name, NAME) == 0)

enum buffer_kind { NO_BUFFER, NDARRAY, ARRAY, DEQUE, BYTES_IO };

/* Of a type or the one that it derives from. */
static inline enum buffer_kind buffer_kind(const PyTypeObject *t)
{
    for (; t != NULL; t = t->tp_base) {
        if (t->tp_weaklistoffset == 0) {
            return NO_BUFFER; /* no base has them either */
        }
        if (t->tp_flags & Py_TPFLAGS_IMMUTABLETYPE) {
            return NAMED(t, ndarray_t, "numpy.ndarray", >=)      ? NDARRAY
                   : NAMED(t, array_t, "array.array", ==)        ? ARRAY
                   : NAMED(t, deque_t, "collections.deque", ==)  ? DEQUE
                   : NAMED(t, bytes_io_t, "_io.BytesIO", ==)     ? BYTES_IO
                                                                 : NO_BUFFER;
        }
    }
    return NO_BUFFER;
}

/* Bytes from its first item to the end of its last; -1 where it is not laid out as expected. */
static inline Py_ssize_t ndarray_span(const ndarray_t *a)
{
    Py_ssize_t span = 0;
    if (a->nd < 0 || a->nd > NDARRAY_MOST || (a->nd > 0 && a->strides != a->dimensions + a->nd)) {
        return -1;
    }
    for (int i = 0; i < a->nd; i++) {
        Py_ssize_t along;
        if (a->dimensions[i] < 0 || __builtin_mul_overflow(a->dimensions[i], Py_ABS(a->strides[i]), &along)) {
            return -1;
        }
        if (along == 0) {
            return 0;
        }
        span = along > span ? along : span;
    }
    return span;
}

/* Bytes of the buffer of an array.array, 0 where it is not laid out as expected. */
static inline size_t array_bytes(const array_t *a)
{
    static const struct {
        char code;
        uint8_t size;
    } known[] = {{'b', 1}, {'B', 1}, {'u', sizeof(wchar_t)}, {'h', 2}, {'H', 2}, {'i', 4}, {'I', 4},
                 {'l', sizeof(long)}, {'L', sizeof(long)}, {'q', 8}, {'Q', 8}, {'f', 4}, {'d', 8}};
    if (a->items == NULL || a->kind == NULL || a->allocated < Py_SIZE(a) || Py_SIZE(a) < 0) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (known[i].code == a->kind->code) {
            return known[i].size == a->kind->size ? (size_t)a->allocated * known[i].size : 0;
        }
    }
    return 0;
}

/* How many blocks a deque has, 0 where it is not laid out as expected. */
static inline size_t deque_blocks(const deque_t *d)
{
    Py_ssize_t n = Py_SIZE(d), end = d->left_at + n;
    if (n < 0 || d->left_at < 0 || d->left_at >= DEQUE_BLOCK || d->spare < 0 || d->spare > DEQUE_SPARE
        || ((end - 1) & (DEQUE_BLOCK - 1)) != (d->right_at & (DEQUE_BLOCK - 1))) {
        return 0;
    }
    return (size_t)(n == 0 ? 1 : (end + DEQUE_BLOCK - 1) / DEQUE_BLOCK) + (size_t)d->spare;
}
/* The items of a block from the left. */
typedef struct deque_block {
    struct deque_block *left;
    PyObject *items[DEQUE_BLOCK];
    struct deque_block *right;
} deque_block_t;
#define DEQUE_BLOCK_BYTES ((DEQUE_BLOCK + 2) * sizeof(void *))

/* What a BytesIO writes to, or NULL. */
static inline PyObject *bytes_io_buffer(const bytes_io_t *b)
{
    return b->buffer != NULL && b->length >= 0 && PyBytes_CheckExact(b->buffer) && b->length <= PyBytes_GET_SIZE(b->buffer)
               ? b->buffer
               : NULL;
}

#endif
