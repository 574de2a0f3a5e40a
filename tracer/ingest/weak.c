/* Uses of weak references.  A hit shows its target in use, and how many references it had before: if
 * running code had let it go meanwhile, a collector could have taken it. */
#include "ingest.h"

#include <stdlib.h>

/* operand c of OP_WEAKREF */
enum { USE_HIT = 2, USE_MISS = 3 };

/* ---- what weak references refer to ------------------------------------------- */

static size_t place_of(const ingest_t *s, uint32_t reference) { return reference * 0x9E3779B1u & s->weak_mask; }

/* Where it stands, or the free place where it would. */
static weak_t *find(const ingest_t *s, uint32_t reference)
{
    size_t i = place_of(s, reference);
    while (s->weak[i].reference != 0 && s->weak[i].reference != reference) {
        i = (i + 1) & s->weak_mask;
    }
    return &s->weak[i];
}

static int grow(ingest_t *s)
{
    size_t room = s->weak == NULL ? 0 : s->weak_mask + 1;
    weak_t *had = s->weak, *more = calloc(room == 0 ? 1024 : 2 * room, sizeof(*more));
    if (more == NULL) {
        fail(s, "memory ran out");
        return 0;
    }
    s->weak = more;
    s->weak_mask = (room == 0 ? 1024 : 2 * room) - 1;
    for (size_t i = 0; i < room; i++) {
        if (had[i].reference != 0) *find(s, had[i].reference) = had[i];
    }
    free(had);
    return 1;
}

void weak_made(ingest_t *s, uint32_t reference, uint32_t target)
{
    if (2 * s->weak_used >= s->weak_mask && !grow(s)) {
        return;
    }
    weak_t *w = find(s, reference);
    s->weak_used += w->reference == 0;
    *w = (weak_t){reference, target, object_get(s, target)->name};
}

/* What stands behind moves up, so that every search still ends at a free place. */
void weak_forget(ingest_t *s, uint32_t reference)
{
    weak_t *w = s->weak == NULL ? NULL : find(s, reference);
    if (w == NULL || w->reference == 0) {
        return;
    }
    s->weak_used--;
    size_t hole = (size_t)(w - s->weak);
    for (size_t i = (hole + 1) & s->weak_mask; s->weak[i].reference != 0; i = (i + 1) & s->weak_mask) {
        size_t wanted = place_of(s, s->weak[i].reference);
        if (((i - wanted) & s->weak_mask) >= ((i - hole) & s->weak_mask)) {
            s->weak[hole] = s->weak[i];
            hole = i;
        }
    }
    s->weak[hole].reference = 0;
}

/* ---- uses ------------------------------------------------------------------------ */

/* `id` has `count` references, which is less than by the last probe: the others were let go since.
 * Returns whether. */
static int let_go(ingest_t *s, uint32_t id, uint32_t count)
{
    object_t *o = object_get(s, id);
    uint32_t left = count > o->links ? count : o->links;
    if (o->links == 0 || left >= o->count || s->to != &s->out || !s->found_done) {
        return 0;
    }
    window_lose(s, id, window_dropped(s, o), OP_DECREF, o->name, o->count - left);
    o->count = left;
    return 1;
}

/* What hangs from `o` was let go by running code no later than `o` was: where nothing but links
 * holds it, when they were made. */
static void hand_over(ingest_t *s, const object_t *o)
{
    for (size_t i = s->handed.n;; i++) {
        for (uint32_t e = o->out_first; e != NONE; e = s->edges[e].out_next) {
            object_t *c = object_get(s, s->edges[e].to);
            if (!c->handed_over && examined(s, c) && window_born_since(s, c) && c->links == c->reported) {
                c->handed_over = 1;
                words_push(&s->handed, s->edges[e].to);
            }
        }
        if (i >= s->handed.n) {
            return;
        }
        o = object_get(s, s->handed.at[i]);
    }
}

/* The probe just taken tells who holds what was born since the one before, and that running code did
 * not where a hit found no more references than these are. */
void weak_probed(ingest_t *s)
{
    for (size_t i = 0; i < s->hits_n; i++) {
        const hit_t *hit = &s->hits[i];
        object_t *o = object_get(s, hit->target);
        uint32_t held = 0, at = hit->from;
        if (o == NULL || !examined(s, o) || window_born_since(s, o) > hit->from) {
            continue;
        }
        for (uint32_t e = o->in_first; e != NONE; e = s->edges[e].in_next) {
            uint32_t linked = window_born_since(s, object_get(s, s->edges[e].from)); /* dated so */
            held += linked <= hit->at;
            at = linked <= hit->at && linked > at ? linked : at;
        }
        if (held > 0 && held >= hit->count) {
            window_parted(s, o, at, hit->at + 1);
            hand_over(s, o);
        }
    }
    s->hits_n = 0;
}

void weak_forget_probe(ingest_t *s)
{
    for (size_t i = 0; i < s->handed.n; i++) object_get(s, s->handed.at[i])->handed_over = 0;
    s->handed.n = 0;
}

void read_hit(ingest_t *s)
{
    uint32_t reference = read_named(s), target = read_named(s);
    uint32_t count = (uint32_t)read_upto(s, INT32_MAX, "more references than can be counted");
    object_t *w = s->failed ? NULL : object_get(s, reference), *o = s->failed ? NULL : object_get(s, target);
    if (s->failed || w->name == NONE || o->name == NONE) {
        fail(s, "an object is used while it is born");
        return;
    }
    weak_made(s, reference, target);
    int again = let_go(s, target, count);
    if (s->to == &s->out && o->links == 0 && window_born_since(s, o)) {
        hit_t *hit = APPEND(s, hits);
        if (hit != NULL) *hit = (hit_t){window_dropped(s, o), window_here(s), target, count};
    }
    emit(s, OP_WEAKREF, w->name, o->name, USE_HIT);
    window_used(s, w); /* behind it */
    window_used(s, o);
    if (again) {
        window_gain(s, o, NONE, OP_INCREF, o->name, 1);
        o->count++;
    }
}

/* Written where the target's death is. */
void read_miss(ingest_t *s)
{
    uint32_t reference = read_named(s);
    object_t *w = s->failed ? NULL : object_get(s, reference);
    weak_t *of = s->failed || s->weak == NULL ? NULL : find(s, reference);
    if (s->failed || w->name == NONE) {
        fail(s, "an object is used while it is born");
        return;
    }
    if (of == NULL || of->reference == 0 || s->collecting || s->beginning) {
        return;
    }
    object_t *o = object_get(s, of->target);
    if (o != NULL && o->released) {
        deaths_flush(s);
        o = object_get(s, of->target);
    }
    if (o == NULL || o->state == S_DEAD) {
        emit(s, OP_WEAKREF, w->name, of->name, USE_MISS);
        window_used(s, w);
    }
}
