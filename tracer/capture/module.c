/* Start and end of a recording, and the module `gcreplay_capture` with its one call, mark(). */
#include "names.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

capture_t cap;

static uint64_t read_clock(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_ns(void) { return read_clock(CLOCK_MONOTONIC); }

uint64_t thread_cpu_ns(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

stopwatch_t stopwatch_started(void) { return (stopwatch_t){thread_cpu_ns(), clock_ns(), PyThread_get_thread_ident()}; }

uint64_t stopwatch_ns(const stopwatch_t *w)
{
    if (w->thread == PyThread_get_thread_ident()) {
        return thread_cpu_ns() - w->cpu_ns;
    }
    return clock_ns() - w->wall_ns;
}

/* What the program has had for itself by now: where nothing else tells the time of what comes next. */
void put_tick(void)
{
    if (!cap.collecting && !cap.beginning && spool_room(RECORD_ROOM)) {
        put_tag(R_TICK);
        put_number(clock_ns() - cap.origin_ns - cap.excluded_ns - cap.paused_ns);
    }
}

/* Also now and then while it runs, as not every end is seen. */
void cpu_told(void)
{
    uint64_t all = read_clock(CLOCK_PROCESS_CPUTIME_ID), aside = cap.origin_cpu_ns + cap.aside_cpu_ns;
    spool_head->own_cpu_ns = all > aside ? all - aside : 0;
    spool_head->cpu_ns = all;
}

/* The most memory that the process has had: what wait4() tells includes the process that started it. */
static uint64_t peak_kib(void)
{
    char text[4096];
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
    if (file >= 0) {
        close(file);
    }
    text[length < 0 ? 0 : length] = '\0';
    const char *line = strstr(text, "VmHWM:");
    return line == NULL ? 0 : strtoull(line + strlen("VmHWM:"), NULL, 10);
}

void capture_stop(enum spool_status why, const char *message)
{
    if (!cap.active && !cap.measuring) {
        return;
    }
    if (why == SPOOL_ENDED && spool_room(RECORD_ROOM)) {
        if (cap.active) {
            put_tick();
        }
        put_tag(R_END);
        spool_commit();
    }
    cpu_told();
    if (cap.measuring) {
        spool_head->peak_kib = peak_kib();
    }
    cap.active = cap.measuring = 0;
    here.recorded = NOT_RECORDED;
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
    *why = "something watches the allocators already; the recorder's hooks would go with it";
    if (!allocators_known()) {
        return 0;
    }
    cap.interp = interpreter_of(ts);
    cap.gc = collector_of(cap.interp);
    return gcwatch_check_layout(why) && freelist_check_layout(why) && weakuse_check_layout(why)
           && owned_check_layout(why);
}

static int start_recording(const options_t *options, const char **why)
{
    *why = "";
    if (!types_init()) {
        return 0;
    }
    cap.granularity = cap.until_young = options->granularity;
    cap.full_probe = options->full_probe;
    cap.probe_budget = options->probe_budget;
    cap.labels = options->labels;
    cap.enabled = gc_enabled(cap.gc);
    cap.next_id = 1;
    sites_install();
    freelist_install();
    alloc_install();
    spawn_install();
    cap.active = 1;
    here.recorded = cap.interp;
    return 1;
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
        weakuse_again();
        int read = readings_wanted(label);
        if (read) {
            probe_now(2);
        }
        put_tick();
        if (spool_room(RECORD_ROOM)) {
            put_tag(R_MARK);
            put_unicode(label);
            spool_commit();
        }
        if (read && cap.active) {
            readings_mark();
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

/* Out of the collector's sight. */
static void make_module(void)
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

/* Makes `gcreplay_capture` importable.  Counters and free lists are what they were: the program is
 * to collect where it would collect without us, and to find there what it would find. */
static void offer_module(void)
{
    free_lists_t lists;
    int counts[PERMANENT], enabled = PyGC_Disable();
    for (int g = 0; g < PERMANENT; g++) {
        counts[g] = gc_count(cap.gc, g);
    }
    free_lists_aside(cap.interp, &lists);
    make_module();
    free_lists_back(cap.interp, &lists);
    for (int g = 0; g < PERMANENT; g++) {
        gc_set_count(cap.gc, g, counts[g]);
    }
    if (enabled) {
        PyGC_Enable();
    }
}

static void refuse(const char *why)
{
    snprintf(spool_head->message, sizeof(spool_head->message), "%s", why);
    __atomic_store_n(&spool_head->status, (uint32_t)SPOOL_REFUSED, __ATOMIC_RELEASE);
    spool_detach();
    process_unguard();
}

/* Attaches the capture, unless something is `wrong`, which is told in the spool as whatever else
 * is found to be.  The program runs on. */
void capture_start(const char *path, const options_t *options, const char *wrong)
{
    const char *why = wrong;
    if (spool_open(path, (uint64_t)options->limit, &why) != 0) {
        spool_detach();
        make_module();
        return;
    }
    if (*wrong != '\0' || !check_interpreter(&why) || !process_watch(&why)) {
        refuse(why);
        make_module();
        return;
    }
    offer_module();
    if (!(options->plan != NULL ? measure_start(options->plan, &why) : start_recording(options, &why))) {
        refuse(why);
        return;
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
    cap.origin_cpu_ns = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    spool_commit();
}
