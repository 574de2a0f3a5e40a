/* The size of an object that was there before the recording: what its type's allocator asked for. */
#include "capture.h"

/* A tuple with names shows some of its items only; how many it has stands in its type. */
static Py_ssize_t fields_of(const PyTypeObject *t, Py_ssize_t shown)
{
    PyObject *name, *value;
    Py_ssize_t at = 0;
    while (t->tp_dict != NULL && PyDict_Next(t->tp_dict, &at, &name, &value)) {
        if (PyUnicode_Check(name) && PyLong_CheckExact(value)
            && PyUnicode_CompareWithASCIIString(name, "n_fields") == 0) {
            return PyLong_AsSsize_t(value);
        }
    }
    return shown;
}

/* How many items the allocator was asked for. */
static Py_ssize_t items_of(PyObject *op, PyTypeObject *t)
{
    Py_ssize_t n = Py_ABS(length_of(op));
    int derived = PyTuple_Check(op) || PyLong_Check(op) || PyBytes_Check(op) || PyType_Check(op);
    if (!derived || PyTuple_CheckExact(op)) {
        return n;
    }
    if (!(t->tp_flags & Py_TPFLAGS_BASETYPE) && !PyType_Check(op)) {
        return PyTuple_Check(op) ? fields_of(t, n) : n;
    }
    /* Classes, whatever metaclass they were given later, and objects of classes that derive from
     * these: PyType_GenericAlloc() adds one. */
    return t->tp_alloc != PyType_GenericAlloc ? n : n + 1 + (PyLong_Check(op) && n == 0);
}

size_t size_of_object(PyObject *op)
{
    PyTypeObject *t = Py_TYPE(op);
    return _PyObject_VAR_SIZE(t, t->tp_itemsize != 0 ? items_of(op, t) : 0) + presize_of(t);
}
