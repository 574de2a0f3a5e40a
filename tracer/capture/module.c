/* The way in: an extension called `sitecustomize` that attaches the capture, and the module
 * `gcreplay_capture` with its one call, mark(). */
#include "capture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

capture_t cap;

static uint64_t read_clock(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_ns(void) { return read_clock(CLOCK_MONOTONIC); }

stopwatch_t stopwatch_started(void)
{
    return (stopwatch_t){read_clock(CLOCK_THREAD_CPUTIME_ID), clock_ns(), PyThread_get_thread_ident()};
}

uint64_t stopwatch_ns(const stopwatch_t *w)
{
    if (w->thread == PyThread_get_thread_ident()) {
        return read_clock(CLOCK_THREAD_CPUTIME_ID) - w->cpu_ns;
    }
    return clock_ns() - w->wall_ns;
}

void capture_stop(enum spool_status why, const char *message)
{
    if (!cap.active && !cap.measuring) {
        return;
    }
    if (why == SPOOL_ENDED && spool_room(RECORD_ROOM)) {
        put_tag(R_END);
        spool_commit();
    }
    cap.active = cap.measuring = 0;
    cap.in_probe = 0;
    snprintf(spool_head->message, sizeof(spool_head->message), "%s", message);
    __atomic_store_n(&spool_head->status, (uint32_t)why, __ATOMIC_RELEASE);
    gcwatch_unlink();
    spool_detach();
    process_unguard();
}

static void write_state(void)
{
    const PyInterpreterState *is = cap.interp;
    put_tag(R_STATE);
    for (int g = 0; g < 3; g++) {
        put_number(zigzag(gc_count(cap.gc, g)));
    }
    for (int g = 0; g < 3; g++) {
        put_number(zigzag(gc_threshold(cap.gc, g)));
    }
    put_number((uint64_t)gc_enabled(cap.gc));
    put_number((uint64_t)gc_long_lived_total(cap.gc));
    put_number((uint64_t)gc_long_lived_pending(cap.gc));
    put_number((uint64_t)free_lists(is));
    put_number((uint64_t)free_dicts(is));
    put_number((uint64_t)free_slices(is));
    put_number((uint64_t)free_contexts(is));
    put_number((uint64_t)free_asends(is));
    put_number((uint64_t)free_avalues(is));
    for (int i = 0; i < TUPLE_CLASSES; i++) {
        put_number((uint64_t)free_tuples(is, i));
    }
    put_number(PY_VERSION_HEX);
}

static int check_interpreter(const char **why)
{
    PyThreadState *ts = this_thread();
    *why = "only CPython 3.11 can be recorded by this capture";
    if (strncmp(Py_GetVersion(), LAYOUT_VERSION, strlen(LAYOUT_VERSION)) != 0 || ts == NULL) {
        return 0;
    }
    *why = "subinterpreters cannot be recorded";
    if (interpreter_of(ts) != PyInterpreterState_Main()) {
        return 0;
    }
    *why = "the frames of this interpreter are not laid out as expected";
    if (!thread_layout_known(ts)) {
        return 0;
    }
    *why = "something watches the object allocator already, as PYTHONTRACEMALLOC does; the recorder's hooks "
           "would go with it";
    if (!allocators_known()) {
        return 0;
    }
    cap.interp = interpreter_of(ts);
    cap.gc = collector_of(cap.interp);
    return gcwatch_check_layout(why) && freelist_check_layout(why);
}

typedef struct {
    long granularity, full_probe, probe_budget;
    long long limit;
    long shift[3]; /* what to add to the counters, see tracer/interpreter.py */
    char *plan;    /* not NULL: measure, see measure.c */
} options_t;

static int start_recording(const options_t *options, const char **why)
{
    *why = "";
    if (!types_init()) {
        return 0;
    }
    cap.granularity = cap.until_young = options->granularity;
    cap.full_probe = options->full_probe;
    cap.probe_budget = options->probe_budget;
    cap.enabled = gc_enabled(cap.gc);
    cap.next_id = 1;
    sites_install();
    freelist_install();
    alloc_install();
    cap.active = 1;
    return 1;
}

/* Attaches the capture.  Whatever is wrong is told in the spool; the program runs on. */
static void start(const char *path, const options_t *options)
{
    const char *why = "";
    if (spool_open(path, (uint64_t)options->limit, &why) != 0) {
        spool_detach();
        return;
    }
    if (!check_interpreter(&why) || !process_watch(&why)
        || !(options->plan != NULL ? measure_start(options->plan, &why) : start_recording(options, &why))) {
        snprintf(spool_head->message, sizeof(spool_head->message), "%s", why);
        __atomic_store_n(&spool_head->status, (uint32_t)SPOOL_REFUSED, __ATOMIC_RELEASE);
        spool_detach();
        process_unguard();
        return;
    }
    for (int g = 0; g < 3; g++) {
        int count = gc_count(cap.gc, g) + (int)options->shift[g];
        gc_set_count(cap.gc, g, count < 0 ? 0 : count);
    }
    cap.count = gc_count(cap.gc, 0);
    spool_head->pid = (uint32_t)getpid();
    __atomic_store_n(&spool_head->status, (uint32_t)SPOOL_RUNNING, __ATOMIC_RELEASE);
    if (cap.active) {
        write_state();
        probe_found_heap();
        gcwatch_install();
    }
    cap.origin_ns = clock_ns();
    spool_commit();
}

static PyObject *mark(PyObject *module, PyObject *label)
{
    (void)module;
    if (!PyUnicode_Check(label)) {
        PyErr_SetString(PyExc_TypeError, "mark() takes a str");
        return NULL;
    }
    if (measuring()) {
        measure_mark(label);
    } else if (capture_on()) {
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

/* Makes `gcreplay_capture` importable, out of the collector's sight: the program's lists
 * are to hold what they would hold without a recording. */
static void offer_module(void)
{
    PyObject *module = PyModule_Create(&definition), *key, *value;
    Py_ssize_t at = 0;
    if (module == NULL || PyDict_SetItemString(PyImport_GetModuleDict(), "gcreplay_capture", module) != 0) {
        PyErr_Clear();
        Py_XDECREF(module);
        return;
    }
    PyObject *dict = PyModule_GetDict(module);
    while (PyDict_Next(dict, &at, &key, &value)) {
        if (PyCFunction_Check(value)) {
            PyObject_GC_UnTrack(value);
        }
    }
    PyObject_GC_UnTrack(dict);
    PyObject_GC_UnTrack(module);
    Py_DECREF(module);
}

/* Takes one variable out of the process and out of os.environ, or gives it another value. */
static void set_variable(const char *name, const char *value)
{
    PyObject *os = PyDict_GetItemString(PyImport_GetModuleDict(), "os"); /* borrowed */
    PyObject *environ = os != NULL ? PyObject_GetAttrString(os, "environ") : NULL;
    PyObject *data = environ != NULL ? PyObject_GetAttrString(environ, "_data") : NULL;
    PyObject *key = PyBytes_FromString(name), *text = value != NULL ? PyBytes_FromString(value) : NULL;
    if (data != NULL && PyDict_Check(data) && key != NULL) {
        if (text != NULL) {
            PyDict_SetItem(data, key, text);
        } else {
            PyDict_DelItem(data, key);
        }
    }
    Py_XDECREF(text);
    Py_XDECREF(key);
    Py_XDECREF(data);
    Py_XDECREF(environ);
    PyErr_Clear();
    if (value != NULL) {
        setenv(name, value, 1);
    } else {
        unsetenv(name);
    }
}

/* Takes our folder, the first on PYTHONPATH, out of every place it stands in. */
static void hide_folder(void)
{
    const char *paths = getenv("PYTHONPATH");
    const char *colon = paths != NULL ? strchr(paths, ':') : NULL;
    PyObject *folder = paths == NULL ? NULL
                       : colon == NULL ? PyUnicode_DecodeFSDefault(paths)
                                       : PyUnicode_DecodeFSDefaultAndSize(paths, colon - paths);
    PyObject *path = PySys_GetObject("path"), *cache = PySys_GetObject("path_importer_cache"); /* borrowed */
    for (Py_ssize_t i = 0; folder != NULL && path != NULL && PyList_Check(path) && i < PyList_GET_SIZE(path); i++) {
        PyObject *entry = PyList_GET_ITEM(path, i);
        if (PyUnicode_Check(entry) && PyUnicode_Compare(entry, folder) == 0) {
            PySequence_DelItem(path, i);
            break;
        }
    }
    if (folder != NULL && cache != NULL && PyDict_Check(cache)) {
        PyDict_DelItem(cache, folder);
    }
    PyErr_Clear();
    Py_XDECREF(folder);
    char *rest = colon != NULL ? strdup(colon + 1) : NULL;
    set_variable("PYTHONPATH", rest);
    free(rest);
}

/* Listing our folder left one more list in the free list than there would have been. */
static void take_back_list(void)
{
    PyObject *list = PyList_New(0);
    if (list != NULL) {
        PyObject_GC_UnTrack(list); /* and it stays, out of everybody's sight */
    }
    PyErr_Clear();
}

/* Python imports this extension as `sitecustomize` before the program.  It attaches the
 * capture and then gives the import to the program's own sitecustomize, or fails as it
 * would have failed without us, which site expects. */
static PyObject *create(PyObject *spec, PyModuleDef *def)
{
    (void)spec;
    (void)def;
    const char *spool = getenv("GCREPLAY_SPOOL"), *numbers = getenv("GCREPLAY_OPTIONS");
    if (spool != NULL && numbers != NULL && !cap.active && !cap.measuring) {
        const char *plan = getenv("GCREPLAY_PLAN");
        options_t o = {.plan = plan != NULL ? strdup(plan) : NULL}; /* kept */
        char *path = strdup(spool);
        int read = sscanf(numbers, "%ld,%ld,%ld,%lld,%ld,%ld,%ld", &o.granularity, &o.full_probe, &o.probe_budget, &o.limit,
                          &o.shift[0], &o.shift[1], &o.shift[2]);
        set_variable("GCREPLAY_SPOOL", NULL);
        set_variable("GCREPLAY_OPTIONS", NULL);
        if (plan != NULL) {
            set_variable("GCREPLAY_PLAN", NULL);
        }
        hide_folder();
        offer_module();
        take_back_list();
        if (read == 7 && path != NULL) {
            start(path, &o);
        }
        free(path);
    }
    return PyImport_ImportModule("sitecustomize");
}

static PyModuleDef_Slot slots[] = {{Py_mod_create, create}, {0, NULL}};

static struct PyModuleDef entrance = {
    PyModuleDef_HEAD_INIT,
    .m_name = "sitecustomize",
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_sitecustomize(void) { return PyModuleDef_Init(&entrance); }
