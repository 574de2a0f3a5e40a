/* Type objects: which addresses are types, and their numbers in the spool. */
#include "capture.h"

static table_t types; /* address of a type -> its number, 0 = no record written yet */
static uint32_t next_number = 1;

near_type_t type_near[NEAR_TYPES];

int type_listed(const void *t) { return table_find(&types, (uint64_t)(uintptr_t)t) != NULL; }

void type_remember(PyTypeObject *t)
{
    if (!type_known(t) && !table_put(&types, (uint64_t)(uintptr_t)t, 0)) {
        capture_stop(SPOOL_FAILED, "no memory for the table of types");
    }
}

void type_forget(PyTypeObject *t)
{
    table_remove(&types, (uint64_t)(uintptr_t)t);
    if (type_line(t)->type == t) {
        type_line(t)->type = NULL;
    }
}

static void remember_subclasses(PyTypeObject *t)
{
    if (type_known(t)) {
        return;
    }
    type_remember(t);
    PyObject *below = type_subclasses(t), *key, *ref;
    Py_ssize_t at = 0;
    if (below != NULL && PyDict_CheckExact(below)) {
        while (PyDict_Next(below, &at, &key, &ref)) {
            if (PyWeakref_CheckRef(ref)) {
                PyObject *sub = PyWeakref_GET_OBJECT(ref);
                if (PyType_Check(sub)) {
                    remember_subclasses((PyTypeObject *)sub);
                }
            }
        }
    }
}

int types_init(void)
{
    remember_subclasses(&PyBaseObject_Type);
    return type_known(&PyList_Type) && type_known(&PyDict_Type) && type_known(&PyType_Type);
}

static unsigned flags_of(PyTypeObject *t)
{
    unsigned flags = KIND_OTHER;
    if (t == &PyList_Type) flags = KIND_LIST;
    else if (t == &PyDict_Type) flags = KIND_DICT;
    else if (t == &PyTuple_Type) flags = KIND_TUPLE;
    else if (t == &PySlice_Type) flags = KIND_SLICE;
    else if (t == &PyContext_Type) flags = KIND_CONTEXT;
    else if (t == ASEND_TYPE) flags = KIND_ASEND;
    else if (t == AVALUE_TYPE) flags = KIND_AVALUE;
    else if (PyType_IsSubtype(t, &_PyWeakref_RefType)) flags = KIND_WEAKREF;
    else if (t->tp_flags & Py_TPFLAGS_TYPE_SUBCLASS) flags = KIND_TYPE;
    if (t->tp_finalize != NULL) flags |= TYPE_FINALIZER;
    if (t->tp_del != NULL) flags |= TYPE_LEGACY;
    if (pools_own_blocks(t)) flags |= TYPE_OWN_BLOCKS;
    return flags;
}

/* The value of "__module__" without hashing, which might run code of the program. */
static PyObject *module_of(PyTypeObject *t)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    if (!(t->tp_flags & Py_TPFLAGS_HEAPTYPE) || t->tp_dict == NULL) {
        return NULL;
    }
    while (PyDict_Next(t->tp_dict, &at, &key, &value)) {
        if (PyUnicode_CheckExact(key) && PyUnicode_GET_LENGTH(key) == 10 && PyUnicode_KIND(key) == PyUnicode_1BYTE_KIND
            && memcmp(PyUnicode_DATA(key), "__module__", 10) == 0) {
            return value;
        }
    }
    return NULL;
}

uint32_t type_new(PyTypeObject *t)
{
    uint32_t *found = table_find(&types, (uint64_t)(uintptr_t)t);
    if (found != NULL && *found != 0) {
        *type_line(t) = (near_type_t){t, *found};
        return *found;
    }
    if (!spool_room(RECORD_ROOM)) {
        return 0;
    }
    freelist_new_type(t);
    pools_new_type(t, next_number);
    owned_new_type(t, next_number);
    put_tag(R_TYPE);
    put_number(flags_of(t));
    PyObject *module = module_of(t);
    int heap = (t->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0;
    if (!(module != NULL ? put_unicode(module) : put_text(""))) {
        return 0;
    }
    if (!(heap ? put_unicode(((PyHeapTypeObject *)t)->ht_qualname) : put_text(t->tp_name))) {
        return 0;
    }
    if (!table_put(&types, (uint64_t)(uintptr_t)t, next_number)) {
        capture_stop(SPOOL_FAILED, "no memory for the table of types");
        return 0;
    }
    return next_number++;
}
