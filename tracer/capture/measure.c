/* The measuring mode: nothing is recorded.  A setting is applied at the start or at a mark,
 * marks freeze or collect, and each collection is noted: what it found, how long it took.
 *
 * The sentinel stays in the lists here and survives its collections, so that no list has to be
 * walked; what it adds to the collector's own figures is taken away again.  A collection begins
 * at the malloc that brings the young counter over its threshold, or at the call, and ends at the
 * call's end or at the next malloc, whichever comes first. */
#include "capture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#define MOST_ACTIONS 64

enum verb { FREEZE, COLLECT, FREEZE_LINE };
enum without { WITHOUT_COLLECT, WITHOUT_DISABLE, WITHOUT_FREEZE, WITHOUT_MOST };

typedef struct {
    enum verb verb;
    long every, passed; /* COLLECT: at every so many passages */
    const char *mark;
    int line; /* FREEZE_LINE, until it is done; then 0 */
    PyObject *file;
} action_t;

static struct {
    const char *from; /* the mark at which the setting begins; NULL: from the start */
    int applied, pinned, sizes;
    int threshold[3];
    int without[WITHOUT_MOST];
    action_t action[MOST_ACTIONS];
    int actions, lines; /* `lines`: actions at lines that are still to come */
} plan;

static struct {
    int running;        /* between the sentinel's call and the noticed end */
    int called;         /* inside gc.collect() */
    int generation;
    stopwatch_t begun;   /* since the next collection began at the earliest */
    stopwatch_t started; /* since the one under way began */
    uint64_t at_ns, walked_ns;
    uint64_t candidates, tracked; /* 1 more than counted; 0: not counted */
    uint64_t collections, collected, uncollectable;
} now;

static collector_t *gc; /* of the main interpreter */
static PyMemAllocatorEx below_obj, below_mem;
static keywords_fn below_collect;
static PyCFunction below_disable, below_freeze, below_set_threshold;

/* ---- the collections ------------------------------------------------------- */

static uint64_t length(int generation)
{
    const PyGC_Head *head = gc_list(gc, generation);
    uint64_t n = 0;
    for (const PyGC_Head *at = gc_next(head); at != head; at = gc_next(at)) {
        n++;
    }
    return n;
}

/* Forward links are whole while the collector subtracts references, and the sentinel is the one
 * object too many. */
static void count_objects(int generation)
{
    stopwatch_t watch = stopwatch_started();
    now.candidates = now.tracked = length(generation);
    for (int g = generation + 1; g < PERMANENT; g++) {
        now.tracked += length(g);
    }
    now.walked_ns = stopwatch_ns(&watch);
}

static void note(void)
{
    gc_uncount_survivor(gc, now.generation);
    uint64_t seen = gc_statistic(gc, GC_COLLECTIONS);
    uint64_t took = stopwatch_ns(&now.started);
    cap.aside_cpu_ns += took;
    took -= took < now.walked_ns ? took : now.walked_ns;
    if (spool_room(RECORD_ROOM)) {
        put_tag(R_MEASURED);
        put_number((uint64_t)now.generation);
        put_number((uint64_t)now.called);
        put_number(now.at_ns - cap.origin_ns);
        put_number(took);
        put_number(now.candidates);
        put_number(now.tracked);
        put_number(gc_statistic(gc, GC_COLLECTED) - now.collected);
        put_number(gc_statistic(gc, GC_UNCOLLECTABLE) - now.uncollectable);
        put_number(seen - now.collections);
        spool_commit();
    }
    now.collections = seen;
    now.running = 0;
}

/* The end of a collection, when it is over: the sentinel goes back to the young objects. */
static void notice_end(void)
{
    if (!now.running || gc_collecting(gc)) {
        return;
    }
    gcwatch_unlink();
    gcwatch_link();
    note();
}

/* The collector subtracts references; lists are merged and counters reset. */
void measure_collection(void)
{
    if (now.running && gc_statistic(gc, GC_COLLECTIONS) == now.collections) {
        return; /* the collector's second pass */
    }
    uint64_t at = clock_ns();
    if (now.running) {
        note(); /* no malloc in between; this one starts with a full or a merged list */
    }
    now.running = 1;
    now.generation = gc_generation_merged(gc);
    now.at_ns = at;
    now.started = now.begun.thread != 0 ? now.begun : stopwatch_started();
    now.begun.thread = 0;
    now.collected = gc_statistic(gc, GC_COLLECTED);
    now.uncollectable = gc_statistic(gc, GC_UNCOLLECTABLE);
    now.walked_ns = now.candidates = now.tracked = 0;
    if (plan.sizes) {
        count_objects(now.generation);
    }
}

/* ---- the allocator: nothing but when something is asked for --------------------- */

static void check(void)
{
    if (now.running && gc_collecting(gc) && runtime_finalizing()) {
        capture_stop(SPOOL_FAILED, NEVER_ENDED);
    } else if (now.running) {
        if (!gc_collecting(gc)) {
            notice_end();
        }
    } else if (gc_enabled(gc) && gc_threshold(gc, 0) != 0) {
        now.begun = stopwatch_started(); /* if this malloc is of a GC object, it will trigger */
    }
}

static void at_line(void);

static inline void check_quickly(void)
{
    if (plan.lines && measuring() && !now.called) {
        at_line();
    }
    if (now.running || gc_count(gc, 0) >= gc_threshold(gc, 0)) {
        if (measuring() && !now.called) {
            check();
        }
    }
}

#define HOOKS(DOMAIN)                                                                                                  \
    static void *DOMAIN##_malloc(void *ctx, size_t n)                                                                  \
    {                                                                                                                  \
        check_quickly();                                                                                               \
        return below_##DOMAIN.malloc(ctx, n);                                                                          \
    }                                                                                                                  \
    static void *DOMAIN##_calloc(void *ctx, size_t n, size_t size)                                                     \
    {                                                                                                                  \
        check_quickly();                                                                                               \
        return below_##DOMAIN.calloc(ctx, n, size);                                                                    \
    }                                                                                                                  \
    static void DOMAIN##_install(PyMemAllocatorDomain domain)                                                          \
    {                                                                                                                  \
        PyMem_GetAllocator(domain, &below_##DOMAIN);                                                                   \
        PyMemAllocatorEx mine = below_##DOMAIN;                                                                        \
        mine.malloc = DOMAIN##_malloc;                                                                                 \
        mine.calloc = DOMAIN##_calloc;                                                                                 \
        PyMem_SetAllocator(domain, &mine);                                                                             \
    }
HOOKS(obj)
HOOKS(mem)

/* ---- the gc module ------------------------------------------------------------------ */

/* Whether the plan leaves out the program's own calls of a function. */
static int left_out(enum without call) { return measuring() && plan.applied && plan.without[call]; }

static PyObject *do_collect(PyObject *m, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    if (!measuring() || gc_collecting(gc)) {
        return below_collect(m, args, n, names);
    }
    notice_end();
    now.called = 1;
    now.begun = stopwatch_started();
    PyObject *result = below_collect(m, args, n, names);
    if (measuring()) {
        notice_end();
    }
    now.called = 0;
    now.begun.thread = 0;
    return result;
}

static PyObject *hook_collect(PyObject *m, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    return left_out(WITHOUT_COLLECT) ? PyLong_FromLong(0) : do_collect(m, args, n, names);
}

static PyObject *do_freeze(PyObject *m, PyObject *none)
{
    if (!measuring()) {
        return below_freeze(m, none);
    }
    notice_end();
    gcwatch_unlink();
    PyObject *result = below_freeze(m, none);
    gcwatch_link();
    return result;
}

static PyObject *hook_freeze(PyObject *m, PyObject *none)
{
    return left_out(WITHOUT_FREEZE) ? Py_NewRef(Py_None) : do_freeze(m, none);
}

static PyObject *hook_disable(PyObject *m, PyObject *none)
{
    return left_out(WITHOUT_DISABLE) ? Py_NewRef(Py_None) : below_disable(m, none);
}

static void pin_thresholds(void)
{
    for (int g = 0; g < 3 && plan.pinned; g++) {
        gc_set_threshold(gc, g, plan.threshold[g]);
    }
}

/* A setting that is measured holds whatever the program sets. */
static PyObject *hook_set_threshold(PyObject *m, PyObject *args)
{
    PyObject *result = below_set_threshold(m, args);
    if (measuring() && plan.applied) {
        pin_thresholds();
    }
    return result;
}

/* ---- the plan ------------------------------------------------------------------------- */

static void apply(void)
{
    plan.applied = 1;
    pin_thresholds();
}

/* One instruction a line: `sizes`, `from MARK`, `thresholds T0,T1,T2`, `without CALL`, `freeze MARK`,
 * `collect N MARK`, `freeze-line N FILE`; see tracer/real.py.  The text is kept. */
static int read_plan(char *text)
{
    for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
        int at = 0, number = 0;
        long every = 1;
        action_t *next = &plan.action[plan.actions];
        if (*line == '\0') {
            continue;
        }
        if (strcmp(line, "sizes") == 0) {
            plan.sizes = 1;
        } else if (strncmp(line, "from ", 5) == 0) {
            plan.from = line + 5;
        } else if (sscanf(line, "thresholds %d,%d,%d", &plan.threshold[0], &plan.threshold[1], &plan.threshold[2])
                   == 3) {
            plan.pinned = 1;
        } else if (strcmp(line, "without collect") == 0) {
            plan.without[WITHOUT_COLLECT] = 1;
        } else if (strcmp(line, "without disable") == 0) {
            plan.without[WITHOUT_DISABLE] = 1;
        } else if (strcmp(line, "without freeze") == 0) {
            plan.without[WITHOUT_FREEZE] = 1;
        } else if (plan.actions == MOST_ACTIONS) {
            return 0;
        } else if (strncmp(line, "freeze ", 7) == 0) {
            *next = (action_t){FREEZE, 1, 0, line + 7, 0, NULL};
            plan.actions++;
        } else if (sscanf(line, "freeze-line %d%n", &number, &at) == 1 && number > 0 && line[at] == ' ') {
            PyObject *file = PyUnicode_FromString(line + at + 1);
            if (file == NULL) {
                PyErr_Clear();
                return 0;
            }
            *next = (action_t){FREEZE_LINE, 1, 0, "", number, file};
            plan.actions++;
            plan.lines++;
        } else if (sscanf(line, "collect %ld%n", &every, &at) == 1 && every > 0 && line[at] == ' ') {
            *next = (action_t){COLLECT, every, 0, line + at + 1, 0, NULL};
            plan.actions++;
        } else {
            return 0;
        }
    }
    return 1;
}

static void act(action_t *action)
{
    PyObject *result = NULL;
    action->passed++;
    if (action->verb == FREEZE && action->passed == 1) {
        result = do_freeze(NULL, NULL);
    } else if (action->verb == COLLECT && action->passed % action->every == 0) {
        result = do_collect(NULL, NULL, 0, NULL);
    }
    Py_XDECREF(result);
    PyErr_Clear();
}

/* The path is the file or ends in it, from a folder on.  Allocates nothing. */
static int is_in(PyObject *path, PyObject *file)
{
    Py_ssize_t more = PyUnicode_GET_LENGTH(path) - PyUnicode_GET_LENGTH(file);
    return more >= 0 && (more == 0 || PyUnicode_READ_CHAR(path, more - 1) == '/')
           && PyUnicode_Tailmatch(path, file, 0, PY_SSIZE_T_MAX, 1) == 1;
}

/* Instructions in a file of the plan that are at none of its lines: each time to find that takes a walk
 * over the code's table of lines.  With that table, as others may come to stand where a code was. */
static struct {
    const void *instruction, *table;
} elsewhere[4096];

/* Whether the running code is at a line at which something is to be done; objects that are being made
 * are not in the lists yet. */
static void at_line(void)
{
    const PyThreadState *ts = this_thread();
    const frame_t *frame = ts != NULL ? running_frame(ts) : NULL;
    if (!plan.applied || frame == NULL || gc_collecting(gc)) {
        return;
    }
    PyCodeObject *code = frame_code(frame);
    const void *instruction = frame_instruction(frame), *table = code->co_linetable;
    size_t slot = ((uintptr_t)instruction / sizeof(_Py_CODEUNIT)) % (sizeof(elsewhere) / sizeof(*elsewhere));
    int line = 0;
    for (int i = 0; i < plan.actions; i++) {
        action_t *action = &plan.action[i];
        if (action->line == 0 || action->line < code->co_firstlineno || !is_in(code->co_filename, action->file)) {
            continue;
        }
        if (line == 0) {
            if (elsewhere[slot].instruction == instruction && elsewhere[slot].table == table) {
                return;
            }
            line = PyCode_Addr2Line(code, instruction_offset(code, instruction));
            elsewhere[slot].instruction = instruction;
            elsewhere[slot].table = table;
        }
        if (line == action->line) {
            action->line = 0;
            plan.lines--;
            Py_XDECREF(do_freeze(NULL, NULL));
        }
    }
}

/* Marks that differ in numbers alone are one kind, in which each number is a `#`. */
static int is_of(const char *mark, const char *kind)
{
    for (; *kind != '\0'; kind++) {
        if (*mark < '0' || *mark > '9') {
            if (*mark++ != *kind) {
                return 0;
            }
        } else if (*kind != '#') {
            return 0;
        } else {
            while (*mark >= '0' && *mark <= '9') {
                mark++;
            }
        }
    }
    return *mark == '\0';
}

void measure_mark(PyObject *label)
{
    notice_end();
    if (spool_room(RECORD_ROOM)) {
        put_tag(R_MARK);
        put_unicode(label);
        spool_commit();
    }
    const char *text = PyUnicode_AsUTF8(label);
    if (text == NULL) {
        PyErr_Clear(); /* no mark of a plan is spelled so */
        return;
    }
    if (!plan.applied && plan.from != NULL && strcmp(text, plan.from) == 0) {
        apply();
    }
    if (gc_collecting(gc)) {
        return; /* in a finalizer; the replay passes over such marks too */
    }
    for (int i = 0; i < plan.actions && plan.applied && measuring(); i++) {
        const action_t *action = &plan.action[i];
        if (action->verb != FREEZE_LINE && (strcmp(text, action->mark) == 0 || is_of(text, action->mark))) {
            act(&plan.action[i]);
        }
    }
}

int measure_start(char *text, const char **why)
{
    gc = cap.gc;
    *why = "the plan of what to measure cannot be read";
    if (!read_plan(text)) {
        return 0;
    }
    if (plan.from == NULL) {
        apply();
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* unlike a recorded program it runs for us alone */
    cap.measuring = 1;
    now.collections = gc_statistic(gc, GC_COLLECTIONS);
    gcwatch_hide();
    below_collect = (keywords_fn)gcwatch_replace("collect", METH_FASTCALL | METH_KEYWORDS, (any_fn)hook_collect);
    below_disable = (PyCFunction)gcwatch_replace("disable", METH_NOARGS, (any_fn)hook_disable);
    below_freeze = (PyCFunction)gcwatch_replace("freeze", METH_NOARGS, (any_fn)hook_freeze);
    below_set_threshold = (PyCFunction)gcwatch_replace("set_threshold", METH_VARARGS, (any_fn)hook_set_threshold);
    obj_install(PYMEM_DOMAIN_OBJ);
    mem_install(PYMEM_DOMAIN_MEM);
    return 1;
}
