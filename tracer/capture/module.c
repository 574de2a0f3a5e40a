/* The module `gcreplay_capture`: start(), mark() and the fork guard. */
#include "capture.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

capture_t cap;

uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void capture_stop(enum spool_status why, const char *message)
{
    if (!cap.active) {
        return;
    }
    if (why == SPOOL_ENDED && spool_room(RECORD_ROOM)) {
        put_tag(R_END);
        spool_commit();
    }
    cap.active = 0;
    cap.in_probe = 0;
    snprintf(spool_head->message, sizeof(spool_head->message), "%s", message);
    __atomic_store_n(&spool_head->status, (uint32_t)why, __ATOMIC_RELEASE);
    if (!cap.gc->collecting) {
        gcwatch_unlink();
    }
    spool_detach();
}

/* A forked child is not recorded: the spool belongs to its parent. */
static void in_child(void) { cap.active = 0; }

static void write_state(void)
{
    const PyInterpreterState *is = cap.interp;
    put_tag(R_STATE);
    for (int g = 0; g < 3; g++) {
        put_number(zigzag(cap.gc->generations[g].count));
    }
    for (int g = 0; g < 3; g++) {
        put_number(zigzag(cap.gc->generations[g].threshold));
    }
    put_number((uint64_t)cap.gc->enabled);
    put_number((uint64_t)cap.gc->long_lived_total);
    put_number((uint64_t)cap.gc->long_lived_pending);
    put_number((uint64_t)is->list.numfree);
    put_number((uint64_t)is->dict_state.numfree);
    put_number(is->slice_cache != NULL);
    put_number((uint64_t)is->context.numfree);
    put_number((uint64_t)is->async_gen.asend_numfree);
    put_number((uint64_t)is->async_gen.value_numfree);
    for (int i = 0; i < TUPLE_CLASSES; i++) {
        put_number((uint64_t)is->tuple.numfree[i]);
    }
    put_number(PY_VERSION_HEX);
}

static int check_interpreter(const char **why)
{
    PyThreadState *ts = _PyThreadState_GET();
    *why = "only CPython 3.11 can be recorded by this capture";
    if (strncmp(Py_GetVersion(), "3.11.", 5) != 0 || ts == NULL) {
        return 0;
    }
    *why = "subinterpreters cannot be recorded";
    if (ts->interp != PyInterpreterState_Main()) {
        return 0;
    }
    *why = "the frames of this interpreter are not laid out as expected";
    if (ts->cframe == NULL || ts->cframe->current_frame == NULL
        || !PyCode_Check(ts->cframe->current_frame->f_code) || !PyFunction_Check(ts->cframe->current_frame->f_func)) {
        return 0;
    }
    cap.interp = ts->interp;
    cap.gc = &ts->interp->gc;
    return gcwatch_check_layout(why) && freelist_check_layout(why);
}

/* start(path, granularity, full_probe, limit, shift) -> None or a str saying why not.
 * `shift` is what importing this module added to the young counter. */
static PyObject *start(PyObject *module, PyObject *args)
{
    const char *path, *why = "";
    long granularity, full_probe, shift;
    long long limit;
    (void)module;
    if (!PyArg_ParseTuple(args, "sllLl", &path, &granularity, &full_probe, &limit, &shift)) {
        return NULL;
    }
    if (cap.active) {
        Py_RETURN_NONE;
    }
    if (spool_open(path, (uint64_t)limit, &why) != 0) {
        return PyUnicode_FromString(why);
    }
    if (!check_interpreter(&why) || !types_init()) {
        snprintf(spool_head->message, sizeof(spool_head->message), "%s", why);
        __atomic_store_n(&spool_head->status, (uint32_t)SPOOL_REFUSED, __ATOMIC_RELEASE);
        spool_detach();
        return PyUnicode_FromString(why);
    }
    cap.granularity = cap.until_young = granularity;
    cap.full_probe = cap.until_full = full_probe;
    cap.enabled = cap.gc->enabled;
    cap.next_id = 1;
    pthread_atfork(NULL, NULL, in_child);
    sites_install();
    freelist_install();
    alloc_install();
    cap.active = 1;
    cap.gc->generations[0].count -= (int)shift;
    if (cap.gc->generations[0].count < 0) {
        cap.gc->generations[0].count = 0;
    }
    cap.count = cap.gc->generations[0].count;
    spool_head->pid = (uint32_t)getpid();
    __atomic_store_n(&spool_head->status, (uint32_t)SPOOL_RUNNING, __ATOMIC_RELEASE);
    write_state();
    probe_found_heap();
    gcwatch_install();
    cap.origin_ns = clock_ns();
    spool_commit();
    Py_RETURN_NONE;
}

static PyObject *mark(PyObject *module, PyObject *label)
{
    (void)module;
    if (!PyUnicode_Check(label)) {
        PyErr_SetString(PyExc_TypeError, "mark() takes a str");
        return NULL;
    }
    if (cap.active) {
        capture_sync();
        if (spool_room(RECORD_ROOM)) {
            put_tag(R_MARK);
            put_unicode(label);
            spool_commit();
        }
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"start", start, METH_VARARGS, "Begins the recording; called once, before the program."},
    {"mark", mark, METH_O, "mark(label): a boundary of the program's own in the recording."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "gcreplay_capture",
    .m_doc = "Records the heap of this process for gcreplay.",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit_gcreplay_capture(void) { return PyModule_Create(&definition); }
