/* What an object alone owns beside its block: tables and buffers of its own, and the objects without
 * a GC header that it holds and nothing else does.  Bytes as the allocator hands them out. */
#include "capture.h"

#include <string.h>

/* Tables and buffers by type; how each kind is laid out is public, or checked where the capture attaches. */
enum { NOTHING, LIST, DICT, SET, BYTE_ARRAY, TEXT };
static uint8_t *kinds; /* by type number */
static size_t kinds_room;

/* Multiples of 16, behind a header where malloc() serves. */
static inline size_t handed(size_t n)
{
    size_t in_pool = (n + 15) & ~(size_t)15, by_malloc = (n + 8 + 15) & ~(size_t)15;
    return n <= 512 ? in_pool : by_malloc;
}

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

/* Of an object without a GC header.  `grows`: it may become larger where it stands. */
size_t owned_leaf(PyObject *op, int *grows)
{
    PyTypeObject *t = Py_TYPE(op);
    if (LIKELY(PyUnicode_Check(op))) {
        return handed(text_block(op)) + text_apart(op);
    }
    if (PyByteArray_Check(op)) {
        *grows = 1;
        return handed((size_t)t->tp_basicsize) + handed((size_t)((PyByteArrayObject *)op)->ob_alloc);
    }
    return handed(size_of_object(op) - presize_of(t));
}

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
                                                                                       : NOTHING);
}

int owned_check_layout(const char **why)
{
    *why = "dictionaries are not laid out as expected";
    return dict_layout_known(PyImport_GetModuleDict());
}
