/* Processes that the program starts by vfork() or posix_spawn(), which run no handlers of fork().
 * They are counted where Python code asks for them: in three functions of `posix` and in the one
 * that `subprocess` has of its own, replaced in their modules' tables.  Nothing is allocated. */
#include "capture.h"

#include <string.h>

#define OF_SUBPROCESS "_posixsubprocess"

static __thread int asked; /* what this thread forks meanwhile is counted here */

int spawn_asked(void) { return asked; }

static PyObject *counted(PyObject *result)
{
    asked--;
    if (result != NULL && capture_on()) {
        process_made();
    }
    return result;
}

#define STARTING(NAME)                                                                                                 \
    static keywords_fn below_##NAME;                                                                                   \
    static PyObject *hook_##NAME(PyObject *m, PyObject *const *args, Py_ssize_t n, PyObject *names)                    \
    {                                                                                                                  \
        asked++;                                                                                                       \
        return counted(below_##NAME(m, args, n, names));                                                               \
    }

STARTING(posix_spawn)
STARTING(posix_spawnp)
STARTING(system)

static PyCFunction below_fork_exec, below_exec_dynamic;

static PyObject *hook_fork_exec(PyObject *m, PyObject *args)
{
    asked++;
    return counted(below_fork_exec(m, args));
}

/* `below` keeps what the table had, also when a module is made once more of the same table. */
static any_fn replaced(PyModuleDef *module, const char *name, int flags, any_fn hook, any_fn below)
{
    PyMethodDef *d = module != NULL ? method_in(module, name, flags) : NULL;
    if (d == NULL || (any_fn)d->ml_meth == hook) {
        return below;
    }
    below = (any_fn)d->ml_meth;
    d->ml_meth = (PyCFunction)hook;
    return below;
}

static void watch_subprocess(PyModuleDef *module)
{
    below_fork_exec = (PyCFunction)replaced(module, "fork_exec", METH_VARARGS, (any_fn)hook_fork_exec,
                                            (any_fn)below_fork_exec);
}

/* By which a module of a shared library gets what it has, once it is loaded. */
static PyObject *hook_exec_dynamic(PyObject *m, PyObject *module)
{
    PyModuleDef *def = PyModule_Check(module) ? PyModule_GetDef(module) : NULL;
    if (def != NULL && def->m_name != NULL && strcmp(def->m_name, OF_SUBPROCESS) == 0) {
        watch_subprocess(def);
    }
    return below_exec_dynamic(m, module);
}

void spawn_install(void)
{
    PyModuleDef *posix = builtin_module("posix");
#define REPLACE(NAME)                                                                                                  \
    below_##NAME = (keywords_fn)replaced(posix, #NAME, METH_FASTCALL | METH_KEYWORDS, (any_fn)hook_##NAME,             \
                                         (any_fn)below_##NAME);
    REPLACE(posix_spawn)
    REPLACE(posix_spawnp)
    REPLACE(system)
    PyObject *there = imported_module(OF_SUBPROCESS);
    if (there != NULL && PyModule_Check(there)) {
        watch_subprocess(PyModule_GetDef(there));
    }
    watch_subprocess(builtin_module(OF_SUBPROCESS));
    below_exec_dynamic = (PyCFunction)replaced(builtin_module("_imp"), "exec_dynamic", METH_O,
                                               (any_fn)hook_exec_dynamic, (any_fn)below_exec_dynamic);
}
