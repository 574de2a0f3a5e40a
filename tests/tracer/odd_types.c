/* Types as extensions have them and the interpreter's own do not. Each object has a `link`. */
#include "Python.h"

#include <stddef.h>

typedef struct {
    PyObject_HEAD
    PyObject *link, *dict;
} thing_t;

static int thing_traverse(thing_t *o, visitproc visit, void *arg)
{
    Py_VISIT(o->link);
    Py_VISIT(o->dict);
    return 0;
}

static int thing_clear(thing_t *o)
{
    Py_CLEAR(o->link);
    Py_CLEAR(o->dict);
    return 0;
}

static void thing_dealloc(thing_t *o)
{
    PyObject_GC_UnTrack(o);
    thing_clear(o);
    Py_TYPE(o)->tp_free(o);
}

static PyObject *thing_new(PyTypeObject *t, PyObject *args, PyObject *names) { return t->tp_alloc(t, 0); }

static PyObject *get_link(thing_t *o, void *unused)
{
    PyObject *link = o->link != NULL ? o->link : Py_None;
    Py_INCREF(link);
    return link;
}

static int set_link(thing_t *o, PyObject *link, void *unused)
{
    Py_XINCREF(link);
    Py_XSETREF(o->link, link);
    return 0;
}

static PyGetSetDef linked[] = {{"link", (getter)get_link, (setter)set_link, NULL, NULL}, {NULL}};

/* Dead ones wait for the next birth, as those of Cython types and MemoryError. */
static PyTypeObject Kept;
static thing_t *waiting[8];
static int waiting_count;

static PyObject *kept_new(PyTypeObject *t, PyObject *args, PyObject *names)
{
    if (waiting_count == 0 || t != &Kept) {
        return t->tp_alloc(t, 0);
    }
    thing_t *o = waiting[--waiting_count];
    (void)PyObject_Init((PyObject *)o, t);
    PyObject_GC_Track(o);
    return (PyObject *)o;
}

static void kept_dealloc(thing_t *o)
{
    PyObject_GC_UnTrack(o);
    thing_clear(o);
    if (waiting_count < 8 && Py_TYPE(o) == &Kept) {
        waiting[waiting_count++] = o;
    } else {
        Py_TYPE(o)->tp_free(o);
    }
}

/* It shows its dictionary twice, as the subclass of a class that shows it already. */
static int twice_traverse(thing_t *o, visitproc visit, void *arg)
{
    Py_VISIT(o->dict);
    return thing_traverse(o, visit, arg);
}

static PyGetSetDef with_dict[] = {{"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL}, {NULL}};

/* Its tp_dealloc saves each of them once. */
static PyObject *saved;

static void saved_dealloc(thing_t *o)
{
    if (o->dict != NULL) {
        thing_dealloc(o);
        return;
    }
    Py_INCREF(Py_None);
    o->dict = Py_None;
    Py_SET_REFCNT(o, 1);
    PyList_Append(saved, (PyObject *)o);
    Py_SET_REFCNT(o, Py_REFCNT(o) - 1);
}

/* Its blocks come from elsewhere and go there. */
#define HEAD 16

static PyObject *owned_alloc(PyTypeObject *t, Py_ssize_t n)
{
    char *block = PyMem_RawCalloc(1, HEAD + (size_t)t->tp_basicsize);
    if (block == NULL) {
        return PyErr_NoMemory();
    }
    PyObject *o = PyObject_Init((PyObject *)(block + HEAD), t);
    PyObject_GC_Track(o);
    return o;
}

static void owned_free(void *o) { PyMem_RawFree((char *)o - HEAD); }

#define THING(NAME)                                                                                                    \
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "odd_types." NAME, .tp_basicsize = sizeof(thing_t),                       \
                                  .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,           \
                                  .tp_clear = (inquiry)thing_clear

static PyTypeObject Kept = {THING("Kept"), .tp_traverse = (traverseproc)thing_traverse, .tp_getset = linked,
                            .tp_new = kept_new, .tp_dealloc = (destructor)kept_dealloc};
static PyTypeObject Twice = {THING("Twice"), .tp_traverse = (traverseproc)twice_traverse, .tp_getset = with_dict,
                             .tp_dictoffset = offsetof(thing_t, dict), .tp_new = thing_new,
                             .tp_dealloc = (destructor)thing_dealloc};
static PyTypeObject Saved = {THING("Saved"), .tp_traverse = (traverseproc)thing_traverse, .tp_getset = linked,
                             .tp_new = thing_new, .tp_dealloc = (destructor)saved_dealloc};
static PyTypeObject Owned = {THING("Owned"), .tp_traverse = (traverseproc)thing_traverse, .tp_getset = linked,
                             .tp_new = thing_new, .tp_dealloc = (destructor)thing_dealloc, .tp_alloc = owned_alloc,
                             .tp_free = owned_free};

/* A heap type put together by hand, as those of nanobind and mypyc: no spec has told its name. */
static int made_traverse(thing_t *o, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(o));
    return thing_traverse(o, visit, arg);
}

static void made_dealloc(thing_t *o)
{
    PyTypeObject *t = Py_TYPE(o);
    thing_dealloc(o);
    Py_DECREF(t);
}

static PyTypeObject *made_by_hand(void)
{
    PyHeapTypeObject *heap = (PyHeapTypeObject *)PyType_GenericAlloc(&PyType_Type, 0);
    if (heap == NULL) {
        return NULL;
    }
    heap->ht_name = PyUnicode_FromString("Made");
    heap->ht_qualname = PyUnicode_FromString("Made");
    PyTypeObject *t = &heap->ht_type;
    t->tp_name = "odd_types.Made";
    t->tp_basicsize = sizeof(thing_t);
    t->tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HEAPTYPE;
    t->tp_traverse = (traverseproc)made_traverse;
    t->tp_clear = (inquiry)thing_clear;
    t->tp_getset = linked;
    t->tp_new = thing_new;
    t->tp_dealloc = (destructor)made_dealloc;
    return PyType_Ready(t) == 0 ? t : NULL;
}

/* A birth while an exception is set, as Cython makes frames for a traceback: it begins no collection. */
static PyObject *failing(PyObject *m, PyObject *unused)
{
    PyErr_SetNone(PyExc_KeyError);
    PyObject *made = PyType_GenericAlloc(&Twice, 0);
    PyErr_Clear();
    return made;
}

static PyMethodDef methods[] = {{"failing", failing, METH_NOARGS, NULL}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "odd_types", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC PyInit_odd_types(void)
{
    PyObject *m = PyModule_Create(&module);
    PyTypeObject *made = made_by_hand();
    saved = PyList_New(0);
    if (m == NULL || made == NULL || PyModule_AddType(m, made) < 0 || saved == NULL || PyModule_AddObjectRef(m, "saved", saved) < 0 || PyModule_AddType(m, &Kept) < 0
        || PyModule_AddType(m, &Twice) < 0 || PyModule_AddType(m, &Saved) < 0 || PyModule_AddType(m, &Owned) < 0) {
        return NULL;
    }
    return m;
}
