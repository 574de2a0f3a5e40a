/* The way in.  The preloaded library (tracer/preload) calls gcreplay_arm() when the interpreter
 * makes its first module.  From then on each allocation asks whether start-up is over: site and
 * all that it runs have ended, the program has not begun.  There the capture attaches, in the
 * middle of C code that no Python code called; nothing that ran before has met anything of it. */
#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    int on;
    pid_t process; /* a child forked meanwhile is not recorded */
    PyThreadState *thread;
    const char *frames_wrong; /* NULL: none has been seen yet; "": as expected */
    PyMemAllocatorEx below;
    const char *spool;
    options_t options;
} waiting;

/* ---- when start-up is over ------------------------------------------------- */

static int start_up_over(void)
{
    PyThreadState *ts = this_thread();
    if (ts == NULL || ts != waiting.thread) {
        return 0;
    }
    if (running_frame(ts) != NULL) {
        if (waiting.frames_wrong == NULL) {
            int known = thread_layout_known(ts);
            waiting.frames_wrong = known ? "" : "the frames of this interpreter are not laid out as expected";
        }
        return 0;
    }
    if (!Py_IsInitialized() || (imports_site(ts) && imported_module("site") == NULL) || gc_collecting(collector_of(interpreter_of(ts)))) {
        return 0;
    }
    waiting.on = getpid() == waiting.process;
    return waiting.on;
}

/* ---- waiting ------------------------------------------------------------------ */

static void *wait_malloc(void *ctx, size_t n);

/* Returns whether the waiting hooks are gone.  They stay below those that something else has put
 * over them, and do nothing more. */
static int attach(void)
{
    PyMemAllocatorEx top;
    const char *why = waiting.frames_wrong != NULL ? waiting.frames_wrong : "no Python code ran before the program";
    waiting.on = 0;
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &top);
    int ours = top.malloc == wait_malloc;
    if (ours) {
        PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &waiting.below);
    } else {
        why = "something watches the object allocator already, as PYTHONTRACEMALLOC does; the recorder's hooks "
              "would go with it";
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    capture_start(waiting.spool, &waiting.options, why);
    PyErr_Restore(type, value, traceback);
    return ours;
}

static void *wait_malloc(void *ctx, size_t n)
{
    (void)ctx;
    if (waiting.on && start_up_over() && attach()) {
        return PyObject_Malloc(n); /* the first that the capture sees */
    }
    return waiting.below.malloc(waiting.below.ctx, n);
}

static void *wait_calloc(void *ctx, size_t count, size_t size)
{
    (void)ctx;
    if (waiting.on && start_up_over() && attach()) {
        return PyObject_Calloc(count, size);
    }
    return waiting.below.calloc(waiting.below.ctx, count, size);
}

static void *wait_realloc(void *ctx, void *p, size_t n)
{
    (void)ctx;
    return waiting.below.realloc(waiting.below.ctx, p, n);
}

static void wait_free(void *ctx, void *p)
{
    (void)ctx;
    waiting.below.free(waiting.below.ctx, p);
}

/* ---- the environment -------------------------------------------------------------- */

/* Takes out what was added to LD_PRELOAD, of what a wrapper may have made of it since. */
static void take_back_preload(const char *added)
{
    const char *now = getenv("LD_PRELOAD"), *at = now != NULL && added != NULL ? strstr(now, added) : NULL;
    char *rest = at != NULL ? malloc(strlen(now) + 1) : NULL;
    if (rest == NULL) {
        return;
    }
    memcpy(rest, now, (size_t)(at - now));
    strcpy(rest + (at - now), at + strlen(added));
    if (*rest == '\0' && *added != ':') {
        unsetenv("LD_PRELOAD"); /* there was none */
    } else {
        setenv("LD_PRELOAD", rest, 1);
    }
    free(rest);
}

/* As the program is to find it, before Python has read it. */
static void take_back_environment(void)
{
    take_back_preload(getenv("GCREPLAY_ADDED"));
    unsetenv("GCREPLAY_ADDED");
    unsetenv("GCREPLAY_CAPTURE");
    unsetenv("GCREPLAY_SPOOL");
    unsetenv("GCREPLAY_OPTIONS");
    unsetenv("GCREPLAY_PLAN");
}

/* An interpreter that was told to ignore its environment leaves it to the programs it starts. */
__attribute__((visibility("default"))) void gcreplay_arm(void)
{
    const char *spool = getenv("GCREPLAY_SPOOL"), *numbers = getenv("GCREPLAY_OPTIONS");
    const char *plan = getenv("GCREPLAY_PLAN");
    PyThreadState *ts = this_thread();
    options_t *o = &waiting.options;
    int alone; /* the program itself was told to be */
    if (spool == NULL || numbers == NULL || ts == NULL
        || sscanf(numbers, "%ld,%ld,%ld,%lld,%d,%d", &o->granularity, &o->full_probe, &o->probe_budget, &o->limit, &alone,
                  &o->labels) != 6
        || !(alone || heeds_environment(ts))) {
        return;
    }
    waiting.spool = strdup(spool);
    o->plan = plan != NULL ? strdup(plan) : NULL;
    take_back_environment();
    if (waiting.spool == NULL || (plan != NULL && o->plan == NULL)) {
        return;
    }
    waiting.process = getpid();
    waiting.thread = ts;
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &waiting.below);
    PyMemAllocatorEx mine = {NULL, wait_malloc, wait_calloc, wait_realloc, wait_free};
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &mine);
    waiting.on = 1;
}
