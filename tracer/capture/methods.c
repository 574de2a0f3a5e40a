/* Functions of modules, found in the static tables that the modules are made of. */
#include "capture.h"

#include <string.h>

PyMethodDef *method_in(PyModuleDef *module, const char *name, int flags)
{
    for (PyMethodDef *d = module->m_methods; d != NULL && d->ml_name != NULL; d++) {
        if (strcmp(d->ml_name, name) == 0 && d->ml_flags == flags) {
            return d;
        }
    }
    return NULL;
}

PyModuleDef *builtin_module(const char *name)
{
    for (struct _inittab *t = builtin_modules(); t->name != NULL; t++) {
        if (strcmp(t->name, name) == 0 && t->initfunc != NULL) {
            PyObject *def = t->initfunc(); /* only hands out the static definition */
            return def != NULL && Py_TYPE(def) == &PyModuleDef_Type ? (PyModuleDef *)def : NULL;
        }
    }
    return NULL;
}

/* Without hashing, allocating or comparing with what is not ASCII. */
PyObject *imported_module(const char *name)
{
    PyObject *modules = PyImport_GetModuleDict(), *key, *value; /* borrowed */
    Py_ssize_t at = 0, length = (Py_ssize_t)strlen(name);
    while (modules != NULL && PyDict_CheckExact(modules) && PyDict_Next(modules, &at, &key, &value)) {
        if (PyUnicode_CheckExact(key) && PyUnicode_GET_LENGTH(key) == length
            && PyUnicode_KIND(key) == PyUnicode_1BYTE_KIND && memcmp(PyUnicode_DATA(key), name, (size_t)length) == 0) {
            return value;
        }
    }
    return NULL;
}
