/* What an object alone owns beside its block: tables and buffers of its own, and the objects without
 * a GC header that it holds and nothing else does.  Bytes as the allocator hands them out. */
#include "buffers.h"
#include "capture.h"

/* Tables and buffers by type; how each kind is laid out is public, or checked where the capture attaches,
 * and those of buffers.h as it says. */
enum { NOTHING, LIST = BYTES_IO + 1, DICT, SET, BYTE_ARRAY, TEXT };
static uint8_t *kinds; /* by type number */
static size_t kinds_room;

/* Multiples of 16, behind a header where malloc() serves. */
static inline size_t by_malloc(size_t n) { return n + 8 <= 32 ? 32 : (n + 8 + 15) & ~(size_t)15; }

static inline size_t handed(size_t n) { return n <= 512 ? (n + 15) & ~(size_t)15 : by_malloc(n); }

/* The characters of a string that is no ASCII-only or compact one, or that is asked for in UTF-8. */
static size_t text_apart(PyObject *op)
{
    size_t utf8 = 0, characters = 0;
    if (!PyUnicode_IS_COMPACT_ASCII(op)) {
        const PyCompactUnicodeObject *u = (PyCompactUnicodeObject *)op;
        int apart = !PyUnicode_IS_COMPACT(op);
        const void *data = apart ? ((PyUnicodeObject *)op)->data.any : NULL;
        utf8 = u->utf8 != NULL && u->utf8 != data ? handed((size_t)u->utf8_length + 1) : 0;
        characters = data != NULL ? handed(((size_t)PyUnicode_GET_LENGTH(op) + 1) * PyUnicode_KIND(op)) : 0;
    }
    return utf8 + characters;
}

static size_t text_block(PyObject *op)
{
    size_t length = (size_t)PyUnicode_GET_LENGTH(op) + 1;
    return PyUnicode_IS_COMPACT_ASCII(op) ? sizeof(PyASCIIObject) + length
           : PyUnicode_IS_COMPACT(op)     ? sizeof(PyCompactUnicodeObject) + length * PyUnicode_KIND(op)
                                          : (size_t)Py_TYPE(op)->tp_basicsize;
}

/* Arrays that one object holds several times, as a view and what it shows: how many references are missing. */
#define SEVERAL 8
static struct {
    PyObject *op;
    Py_ssize_t missing;
} several[SEVERAL];
static int several_count;

void owned_begin(void) { several_count = 0; }

/* Whether this is the last of all references to it. */
static int held_again(PyObject *op)
{
    for (int i = 0; i < several_count; i++) {
        if (several[i].op == op) {
            return --several[i].missing == 0;
        }
    }
    if (several_count < SEVERAL) {
        several[several_count].op = op;
        several[several_count++].missing = Py_REFCNT(op) - 1;
    }
    return 0;
}

#define SHOWN 4 /* arrays, each a view of the next; numpy makes two at most */

static size_t leaf(PyObject *op, int *grows, int shown);

/* Its dimensions, and its data or what that belongs to.  Numpy asks malloc() for both. */
static size_t array_outside(PyObject *op, int shown)
{
    const ndarray_t *a = (ndarray_t *)op;
    Py_ssize_t span = ndarray_span(a);
    if (span < 0) {
        return 0;
    }
    size_t shape = a->nd > 0 ? by_malloc((size_t)a->nd * 2 * sizeof(Py_ssize_t)) : 0;
    if (a->flags & NDARRAY_OWNS_DATA) {
        return shape + by_malloc((size_t)span);
    }
    int grows;
    int alone = a->base != NULL && shown < SHOWN && !PyType_IS_GC(Py_TYPE(a->base));
    return shape + (alone ? leaf(a->base, &grows, shown + 1) : 0);
}

static size_t leaf(PyObject *op, int *grows, int shown)
{
    PyTypeObject *t = Py_TYPE(op);
    int array = t->tp_weaklistoffset > 0 && buffer_kind(t) == NDARRAY;
    if (Py_REFCNT(op) != 1 && !(array && held_again(op))) {
        return 0;
    }
    if (LIKELY(PyUnicode_Check(op))) {
        return handed(text_block(op)) + text_apart(op);
    }
    if (PyByteArray_Check(op)) {
        *grows = 1;
        return handed((size_t)t->tp_basicsize) + handed((size_t)((PyByteArrayObject *)op)->ob_alloc);
    }
    return handed(size_of_object(op) - presize_of(t)) + (array ? array_outside(op, shown) : 0);
}

/* Of an object without a GC header, where the one being probed is its only holder; else 0.  `grows`: it may
 * become larger where it stands. */
size_t owned_leaf(PyObject *op, int *grows) { return leaf(op, grows, 0); }

static size_t set_bytes(const PySetObject *set)
{
    return set->table != set->smalltable ? handed(((size_t)set->mask + 1) * sizeof(setentry)) : 0;
}

static size_t table_bytes(PyObject *op, unsigned kind, int *grows)
{
    switch (kind) {
    case LIST: {
        Py_ssize_t room = ((PyListObject *)op)->allocated; /* -1 while it is sorted */
        return room > 0 ? handed((size_t)room * sizeof(PyObject *)) : 0;
    }
    case DICT: return handed(dict_bytes((PyDictObject *)op));
    case SET: return set_bytes((PySetObject *)op);
    case BYTE_ARRAY: *grows = 1; return handed((size_t)((PyByteArrayObject *)op)->ob_alloc);
    case TEXT: return text_apart(op);
    case NDARRAY: return array_outside(op, 0);
    case ARRAY: *grows = 1; return handed(array_bytes((array_t *)op));
    case DEQUE: return deque_blocks((deque_t *)op) * handed(DEQUE_BLOCK_BYTES);
    case BYTES_IO: {
        PyObject *buffer = bytes_io_buffer((bytes_io_t *)op);
        *grows = 1;
        return buffer != NULL ? owned_leaf(buffer, grows) : 0;
    }
    default: return 0;
    }
}

/* Of a container with this type number; what it holds is not in it. */
size_t owned_outside(PyObject *op, uint32_t type, int *grows)
{
    size_t attributes = type_is_far(Py_TYPE(op)) ? handed(attributes_bytes(op)) : 0;
    return attributes + table_bytes(op, type < kinds_room ? kinds[type] : NOTHING, grows);
}

void owned_new_type(const PyTypeObject *t, uint32_t number)
{
    if (number >= kinds_room && !grow((void **)&kinds, &kinds_room, 1)) {
        return;
    }
    unsigned long is = t->tp_flags;
    kinds[number] = (uint8_t)(is & Py_TPFLAGS_LIST_SUBCLASS                            ? LIST
                              : is & Py_TPFLAGS_DICT_SUBCLASS                          ? DICT
                              : is & Py_TPFLAGS_UNICODE_SUBCLASS                       ? TEXT
                              : PyType_IsSubtype((PyTypeObject *)t, &PySet_Type)
                                    || PyType_IsSubtype((PyTypeObject *)t, &PyFrozenSet_Type) ? SET
                              : PyType_IsSubtype((PyTypeObject *)t, &PyByteArray_Type) ? BYTE_ARRAY
                                                                                       : (int)buffer_kind(t));
}

int owned_check_layout(const char **why)
{
    *why = "dictionaries are not laid out as expected";
    return dict_layout_known(PyImport_GetModuleDict());
}
