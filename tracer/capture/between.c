/* Where the objects were made that came out of a free list between two samples.  Nothing is seen when it
 * happens; but each sample has a frame, and the code between says what was run, or may have been. */
#include "capture.h"

#include "ways.h"

#define DEEP 32  /* frames that are searched */
#define CALLS 4  /* frames of calls under way that are searched */

/* How the frame of the first sample stands to that of the second. */
enum relation {
    UNRELATED,
    SAME,   /* one frame: the stretch between, or out of a call and into the next */
    ALONE,  /* the same, and it has called no function since */
    CALLED, /* the first called the second, or what called it */
    LEFT,   /* the first is gone; what ran after it is not known */
    ENTERED /* the first is gone, and the second began since */
};

/* How many calls lie between; -1 when it is none of the callers, -2 when that is not known.
 * `above`: only frames that stand above it on the stack can have been called by it. */
static int calls_between(const frame_t *frame, const sample_t *before, const PyThreadState *above)
{
    for (int i = 0; i < DEEP; i++, frame = frame_below(frame)) {
        if (frame == NULL) {
            return -1;
        }
        if (frame == before->frame && frame_code(frame) == before->place.code) {
            return i;
        }
        if (above != NULL && frame <= before->frame && on_top_of_stack(above, frame)) {
            return -1;
        }
        if (i < CALLS && !frame_on_stack(frame)) {
            return -2;
        }
    }
    return -2;
}

static enum relation relation_of(const sample_t *before, const sample_t *now, int *calls)
{
    *calls = 0;
    if (before->place.code == NULL) {
        return UNRELATED;
    }
    if (LIKELY(before->frame == now->frame)) {
        int called = now->room == NULL || now->room != before->room || *now->room != UNCALLED;
        return before->place.code != now->place.code ? ENTERED : called ? SAME : ALONE;
    }
    const PyThreadState *ts = this_thread();
    int above = on_top_of_stack(ts, before->frame);
    *calls = calls_between(now->frame, before, above ? ts : NULL);
    if (*calls >= 0) {
        return *calls <= CALLS ? CALLED : UNRELATED;
    }
    if (*calls == -2) {
        return UNRELATED;
    }
    *calls = 0;
    return above && now->frame > before->frame && on_top_of_stack(ts, now->frame) ? ENTERED : LEFT;
}

/* ---- what it was --------------------------------------------------------------- */

/* What was found out of one way and so many objects of one kind.  Two lie in a line of the cache. */
typedef struct {
    const void *from, *to;  /* instructions */
    uint64_t rest;          /* all else that tells ways apart, see rest_of() */
    uint32_t site;          /* of the first object; `further` has those of all */
    uint16_t met;
    uint8_t near, if_plain; /* not known at all, or only where no generator can have run */
} way_t;

static uint32_t sites[BETWEEN_MOST]; /* of the objects that are asked for */

static int unit_of(const PyCodeObject *code, const void *instruction)
{
    return instruction_offset(code, instruction) / (int)sizeof(_Py_CODEUNIT);
}

/* Adds the instructions of a stretch that surely took one each; 0 when there is no telling. */
static int add_surely(int *n, PyCodeObject *code, int from, int to, enum type_kind kind, int length)
{
    takers_t found;
    if (!takers_on(&(stretch_t){code, from, to, 0}, kind, length, &found) || *n + found.surely > BETWEEN_MOST) {
        return 0;
    }
    for (int i = 0; i < found.surely; i++) {
        sites[(*n)++] = site_of(place_at(code, found.once[i]));
    }
    return 1;
}

/* Stretches of several calls, with something unknown between: enough where they took them all. */
static int told_of_calls(enum relation how, int calls, const sample_t *before, const sample_t *now,
                         enum type_kind kind, int length, int n)
{
    PyCodeObject *code = before->place.code;
    const frame_t *under_way[CALLS + 1] = {now->frame};
    for (int i = 1; i <= calls; i++) {
        under_way[i] = frame_below(under_way[i - 1]);
    }
    int taken = 0;
    int to = how == CALLED ? unit_of(code, frame_instruction(under_way[calls])) : EXIT;
    if (!add_surely(&taken, code, unit_of(code, before->place.instruction), to, kind, length)) {
        return 0;
    }
    for (int i = how == CALLED ? calls - 1 : how == ENTERED ? 0 : -1; i >= 0; i--) {
        code = frame_code(under_way[i]);
        if (!add_surely(&taken, code, ENTRY, unit_of(code, frame_instruction(under_way[i])), kind, length)) {
            return 0;
        }
    }
    return taken == n;
}

static int told_of_one(way_t *way, enum relation how, const sample_t *before, const sample_t *now, enum type_kind kind,
                       int length, int n)
{
    PyCodeObject *code = now->place.code;
    stretch_t stretch = {code, unit_of(code, before->place.instruction), unit_of(code, now->place.instruction), 0};
    takers_t found;
    if (!takers_on(&stretch, kind, length, &found)) {
        return told_of_calls(ENTERED, 0, before, now, kind, length, n);
    }
    /* Every way has taken at least these; if they are all, nothing else has taken any. */
    int all = found.surely == n;
    if (!all) {
        stretch.again = 1;
        /* With repetitions there are more ways, and so no fewer calls. */
        if ((found.calls && how != ALONE) || !takers_on(&stretch, kind, length, &found) || found.surely >= n
            || (found.calls && how != ALONE)) {
            return 0;
        }
        int one = found.others == 1 && (n <= BETWEEN_MOST || found.place == found.surely);
        if (!one && !(found.others > 1 && takers_on_one_line(code, &found))) {
            return 0;
        }
        way->if_plain = (uint8_t)found.resumes;
    }
    for (int i = 0; i < BETWEEN_MOST; i++) {
        int behind = i - (n - found.surely);
        int at = i < found.place || all ? found.once[i < n ? i : 0] : behind < found.place ? found.other : found.once[behind];
        sites[i] = site_of(place_at(code, at));
    }
    return 1;
}

static void all_near(const sample_t *now)
{
    uint32_t near = site_near_to(now->place);
    for (int i = 0; i < BETWEEN_MOST; i++) {
        sites[i] = near;
    }
}

static void find_out(way_t *way, enum relation how, int calls, const sample_t *before, const sample_t *now,
                     enum type_kind kind, int length, int n)
{
    int told = 0;
    if (kind != KIND_OTHER && (how == SAME || how == ALONE)) {
        told = told_of_one(way, how, before, now, kind, length, n);
    } else if (kind != KIND_OTHER && how != UNRELATED && n <= BETWEEN_MOST) {
        told = told_of_calls(how, calls, before, now, kind, length, n);
    }
    way->near = !told;
    if (!told) {
        all_near(now);
    }
}

/* ---- generators ------------------------------------------------------------------ */

static int goes_on_with_python(const PyTypeObject *t)
{
    return t->tp_iternext != NULL && t != &PyListIter_Type && t != &PyTupleIter_Type && t != &PyDictIterKey_Type
           && t != &PyDictIterValue_Type && t != &PyDictIterItem_Type && t != &PyUnicodeIter_Type;
}

/* Whether what the frame iterates over can be a generator, or hold one.  Its stack may have stale slots. */
static int may_resume(const frame_t *frame)
{
    int n = frame_slots(frame);
    for (int i = frame_locals(frame); i < n; i++) {
        PyObject *op = frame_slot(frame, i);
        if (((uintptr_t)op & 15) == 0 && (uintptr_t)op > 65536 && entry_at(op) != NULL && goes_on_with_python(Py_TYPE(op))) {
            return 1;
        }
    }
    return 0;
}

/* ---- remembered ------------------------------------------------------------------ */

#define WAYS 32768u
static way_t ways[WAYS];
static uint32_t further[WAYS][BETWEEN_MOST]; /* touched only where several were taken at once */

/* What tells a way from others between the same instructions: calls under way, code that has died
 * since, and what is asked. */
static uint64_t rest_of(const sample_t *before, const sample_t *now, enum relation how, int calls, enum type_kind kind,
                        int length, int n)
{
    uint32_t deaths = *deaths_of(now->place.code) + (how != UNRELATED ? *deaths_of(before->place.code) : 0);
    uint32_t what = (uint32_t)how << 24 | (uint32_t)kind << 16 | (uint32_t)length << 8 | (uint32_t)(n < 255 ? n : 255);
    uint64_t via = 0;
    const frame_t *below = now->frame;
    for (int i = 0; how == CALLED && i < calls; i++) {
        below = frame_below(below);
        deaths += *deaths_of(frame_code(below));
        via = (via + (uintptr_t)frame_instruction(below)) * 0x9E3779B97F4A7C15u;
    }
    return via ^ ((uint64_t)deaths << 32 | what);
}

/* Each has two places; what is met less often gives way. */
static way_t *way_of(const void *from, const void *to, uint64_t rest)
{
    uint64_t hash = (((uintptr_t)from >> 1) ^ ((uintptr_t)to << 16) ^ rest) * 0x9E3779B97F4A7C15u;
    way_t *way = &ways[hash >> 32 & (WAYS - 1) & ~1u];
    for (int i = 0; i < 2; i++) {
        if (way[i].from == from && way[i].to == to && way[i].rest == rest) {
            return &way[i];
        }
    }
    way += way[1].met < way[0].met;
    *way = (way_t){.from = from, .to = to, .rest = rest};
    return way;
}

/* The sites of `n` objects in the order in which they were taken; all further ones have the last. */
const uint32_t *sites_between(const sample_t *before, const sample_t *now, enum type_kind kind, int length, int n)
{
    static uint32_t none[BETWEEN_MOST];
    if (now->place.code == NULL) {
        return none;
    }
    int calls;
    enum relation how = relation_of(before, now, &calls);
    way_t *way = way_of(how != UNRELATED ? before->place.instruction : NULL, now->place.instruction,
                        rest_of(before, now, how, calls, kind, length, n));
    way->met += way->met < UINT16_MAX;
    /* What is run often is specialised then, and says more of what it does. */
    if (UNLIKELY(way->met == 1 || (way->near && (way->met == 16 || way->met == 256)))) {
        find_out(way, how, calls, before, now, kind, length, n);
        way->site = sites[0];
        if (n > 1) {
            memcpy(further[way - ways], sites, sizeof(sites));
        }
    }
    if (way->if_plain && may_resume(now->frame)) {
        all_near(now);
        return sites;
    }
    return n > 1 ? further[way - ways] : &way->site;
}
