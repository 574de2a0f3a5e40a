/* When the heap is read: garbage as a collection finds it, all that is tracked at marks and at the end. */
#include "names.h"

/* ---- garbage ------------------------------------------------------------------------------------ */

static inline PyObject *object_of(PyGC_Head *g) { return (PyObject *)(g + 1); }

static void read_object(PyObject *op)
{
    const entry_t *e = entry_at(op);
    if (e != NULL) {
        names_read(op, e);
    }
}

/* Reading an object costs about an eighth of what a birth costs the program with all that goes with it (440
 * to 510 against 3,600 instructions, counted on programs that make much garbage). So many may be read at
 * once, and besides one for each three births: that bounds the cost where all that is born becomes garbage. */
#define GARBAGE_FREELY 100000
#define BIRTHS_PER_GARBAGE 3

/* The collector's list of what it has set aside, before anything of it has been cleared. */
void readings_garbage(PyGC_Head *aside)
{
    static uint64_t read;
    const uint64_t most = GARBAGE_FREELY + cap.next_id / BIRTHS_PER_GARBAGE;
    names_begin(READ_GARBAGE);
    for (PyGC_Head *at = gc_next_aside(aside); at != aside; at = gc_next_aside(at)) {
        names_note(object_of(at));
    }
    for (PyGC_Head *at = gc_next_aside(aside); at != aside && read < most && cap.active; at = gc_next_aside(at)) {
        read_object(object_of(at));
        read++;
    }
    names_end();
    spool_commit();
}

/* ---- the whole heap ------------------------------------------------------------------------------ */

/* Of the lists only forward links are followed, which are whole while a collection goes on, too. */
#define EACH_TRACKED(AT)                                                                                               \
    for (int g = PERMANENT; g >= 0; g--)                                                                               \
        for (PyGC_Head *head = gc_list(cap.gc, g), *AT = gc_next(head); AT != head && cap.active; AT = gc_next(AT))

static void read_frames(void)
{
    for (PyThreadState *ts = first_thread(cap.interp); ts != NULL; ts = next_thread(ts)) {
        for (const frame_t *f = running_frame(ts); f != NULL; f = frame_below(f)) {
            names_frame(f);
        }
    }
}

/* Returns how many objects that were. */
static long read_heap(enum read_reason reason)
{
    long n = 0;
    names_begin(reason);
    EACH_TRACKED(at) {
        names_note(object_of(at));
    }
    read_frames();
    EACH_TRACKED(at) {
        read_object(object_of(at));
        n++;
    }
    names_end();
    names_heap_read();
    return n;
}

/* ---- marks ----------------------------------------------------------------------------------------- */

/* Probing an object and reading its names costs about what two thirds of a birth cost the program with all that
 * goes with it: so this many births for each object are worth 2 % of it. */
#define BIRTHS_PER_OBJECT 32
#define KINDS 16 /* of marks, the first of which is read whatever it costs */

static uint64_t kinds[KINDS];
static int kind_count;
static long read_last;       /* objects at the last mark that was read */
static uint32_t next_id_then;

/* Marks that differ in numbers alone are one kind. */
static uint64_t kind_of_mark(PyObject *label)
{
    uint64_t h = 0xcbf29ce484222325u;
    int digit = 0;
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(label); i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(label, i);
        if (c >= '0' && c <= '9') {
            c = digit ? 0 : '#';
            digit = 1;
        } else {
            digit = 0;
        }
        h = c != 0 ? (h ^ c) * 0x100000001b3u : h;
    }
    return h;
}

static int first_of_its_kind(PyObject *label)
{
    uint64_t kind = kind_of_mark(label);
    for (int i = 0; i < kind_count; i++) {
        if (kinds[i] == kind) {
            return 0;
        }
    }
    if (kind_count == KINDS) {
        return 0;
    }
    kinds[kind_count++] = kind;
    return 1;
}

int readings_wanted(PyObject *label)
{
    if (!PyUnicode_IS_READY(label) || gc_collecting(cap.gc) || cap.beginning || cap.collecting) {
        return 0;
    }
    return first_of_its_kind(label) || (cap.next_id - next_id_then) / BIRTHS_PER_OBJECT >= (uint32_t)read_last;
}

void readings_mark(void)
{
    uint64_t begun = clock_ns(), begun_cpu = thread_cpu_ns();
    read_last = read_heap(READ_MARK);
    next_id_then = cap.next_id;
    spool_commit();
    cap.excluded_ns += clock_ns() - begun;
    cap.aside_cpu_ns += thread_cpu_ns() - begun_cpu;
}

/* The first collection of an interpreter that ends: nothing has been torn down yet, unless the collector
 * was off. */
void readings_end(void) { read_heap(READ_END); }
