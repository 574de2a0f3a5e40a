/* What a collection found before any code ran, and whose code ran then. */
#include "ingest.h"

#include <stdlib.h>

/* Of each owner: from which event of the side on, its name, its number, whether it is a weak reference,
 * from which object born on. */
#define OWNER_WORDS 5

/* The collection is over, or its end was never told. */
void owners_over(ingest_t *s)
{
    s->garbage.n = s->rescued.n = s->outlived.n = s->owners.n = s->saved.n = s->hung.n = s->hanging.n = 0;
    s->hanging_at = 0;
    s->garbage_known = s->acting = 0;
    s->bystander = 0;
}

static void read_found(ingest_t *s, words_t *into)
{
    uint64_t n = read_upto(s, UINT32_MAX, "more garbage than objects");
    int64_t id = 0;
    for (uint64_t i = 0; i < n && !s->failed; i++) {
        id += unzigzag(read_upto(s, (uint64_t)UINT32_MAX << 1, "an object further than all"));
        object_t *o = object_named(s, id, "a collection finds an object that is not alive");
        if (o != NULL && o->name == NONE) {
            fail(s, "a collection finds an object that is being born");
        }
        words_push(into, (uint32_t)id);
    }
}

void read_garbage(ingest_t *s)
{
    if (!s->collecting || s->stopping || s->garbage_known) {
        fail(s, "garbage that no collection has found");
        return;
    }
    read_found(s, &s->garbage);
    s->garbage_known = 1;
}

void read_saved(ingest_t *s)
{
    if (!s->garbage_known || s->stopping || s->rescued.n > 0) {
        fail(s, "code saves garbage that no collection has found");
        return;
    }
    read_found(s, &s->rescued);
}

/* What waits has been written: it is the one's who ran before. */
void read_owner(ingest_t *s)
{
    uint64_t v = read_upto(s, UINT32_MAX, "an object older than all");
    uint32_t name = NONE, id = 0, by = 0;
    if (!s->garbage_known || s->stopping) {
        fail(s, "code runs of garbage that no collection has found");
        return;
    }
    if (v > OWNER_NOBODY) {
        int64_t named = (int64_t)s->next_id - (int64_t)(v - OWNER_OBJECT);
        object_t *o = object_named(s, named, "a record names an object that is not alive");
        if (o == NULL || o->name == NONE) {
            fail(s, "an object runs code while it is born");
            return;
        }
        name = o->name;
        id = (uint32_t)named;
    }
    for (size_t i = s->owners.n; v == OWNER_NOBODY && by == 0 && i > 0; i -= OWNER_WORDS) {
        by = s->owners.at[i - OWNER_WORDS + 2];
    }
    s->bystander = by;
    s->acting = v != OWNER_OVER;
    words_push(&s->owners, (uint32_t)s->side.n);
    words_push(&s->owners, name);
    words_push(&s->owners, id);
    words_push(&s->owners, id != 0 && kind_of(s, object_get(s, id)) == KIND_WEAKREF);
    words_push(&s->owners, s->next_id);
}

/* An object that callbacks or finalizers have made dies while another thread runs: that
 * thread does what it does because they ran, and all of it goes with the one that waits. */
void owner_concerned(ingest_t *s, const object_t *o)
{
    const object_t *owner = s->bystander != 0 && o->owned ? object_get(s, s->bystander) : NULL;
    if (owner != NULL && owner->state == S_ALIVE && !owner->released) {
        s->owners.at[s->owners.n - OWNER_WORDS + 1] = owner->name;
        s->bystander = 0;
    }
}

static int lives(ingest_t *s, uint32_t id)
{
    const object_t *o = object_get(s, id);
    return o != NULL && o->state == S_ALIVE;
}

/* ---- what was saved ------------------------------------------------------------------------- */

enum { SAVED = 1, GONE, PASSED }; /* in `scratch`, of the garbage: lives on, was deleted, has been met */

static void save(ingest_t *s, size_t owner, uint32_t id)
{
    object_t *o = object_get(s, id);
    o->count++;
    words_push(&s->saved, (uint32_t)owner);
    words_push(&s->saved, id);
    s->repairs[REPAIR_HOLD]++;
}

/* Goes from one of the garbage to all of it that hangs from there. What was saved is held where the way
 * comes upon it, by an owner that was not saved itself; what hangs from something saved is held by that. */
static void pass(ingest_t *s, size_t owner, uint32_t from)
{
    object_t *first = object_get(s, from);
    int held = first->scratch == SAVED;
    if (first->scratch != SAVED && first->scratch != GONE) {
        return;
    }
    if (held) {
        save(s, owner, from);
    }
    first->scratch = PASSED;
    s->stack.n = 0;
    words_push(&s->stack, from);
    while (s->stack.n > 0) {
        object_t *o = object_get(s, s->stack.at[--s->stack.n]);
        for (uint32_t e = o->out_first; e != NONE; e = s->edges[e].out_next) {
            uint32_t to = s->edges[e].to;
            object_t *c = object_get(s, to);
            if (c->scratch == SAVED && !held) {
                words_push(&s->trail, to);
            } else if (c->scratch == SAVED || (c->scratch == GONE && !held)) {
                c->scratch = PASSED;
                words_push(&s->stack, to);
            }
        }
    }
}

/* What a finalizer has saved is held at the end of the region of that one, until the next probe of it says
 * by what. */
void hold_saved(ingest_t *s)
{
    words_t *g = &s->garbage;
    size_t last = NONE;
    s->saved.n = s->saved_at = 0;
    if (s->rescued.n == 0) {
        return;
    }
    for (size_t i = 0; i < g->n; i++) {
        if (lives(s, g->at[i])) object_get(s, g->at[i])->scratch = GONE;
    }
    for (size_t i = 0; i < s->rescued.n; i++) {
        object_t *o = object_get(s, s->rescued.at[i]);
        if (o != NULL && o->scratch == GONE && !o->released) o->scratch = SAVED;
    }
    for (size_t i = 0; i < s->owners.n; i += OWNER_WORDS) {
        uint32_t id = s->owners.at[i + 2];
        s->trail.n = 0;
        last = id != 0 ? i : last;
        if (id != 0 && lives(s, id)) pass(s, i, id);
        while (s->trail.n > 0) pass(s, i, s->trail.at[--s->trail.n]);
    }
    for (size_t i = 0; last != NONE && i < g->n; i++) {
        if (lives(s, g->at[i]) && object_get(s, g->at[i])->scratch == SAVED) pass(s, last, g->at[i]);
    }
    for (size_t i = 0; i < g->n; i++) {
        if (lives(s, g->at[i])) object_get(s, g->at[i])->scratch = 0;
    }
}

/* What was collected is alive all the same: under gc.DEBUG_SAVEALL in gc.garbage, else because nothing that
 * the collector does frees it. */
void keep_collected(ingest_t *s)
{
    if (s->stop[1] != 0) {
        return;
    }
    for (size_t i = 0; i < s->rescued.n; i++) {
        if (lives(s, s->rescued.at[i])) object_get(s, s->rescued.at[i])->scratch = SAVED;
    }
    for (size_t i = 0; i < s->garbage.n; i++) {
        object_t *o = object_get(s, s->garbage.at[i]);
        if (o == NULL || o->state != S_ALIVE || o->released || o->scratch == SAVED) {
            continue;
        }
        if (s->debug & DEBUG_SAVEALL) {
            emit(s, OP_INCREF, o->name, 1, 0);
            window_used(s, o);
            o->count++;
        } else {
            words_push(&s->outlived, s->garbage.at[i]);
            unusual_t *u = unusual_of(s, o->type);
            if (u != NULL) u->outlived++;
        }
    }
    for (size_t i = 0; i < s->rescued.n; i++) {
        if (lives(s, s->rescued.at[i])) object_get(s, s->rescued.at[i])->scratch = 0;
    }
}

/* What no collection frees is told before the one that has found it. */
void write_outlived(ingest_t *s)
{
    for (size_t i = 0; i < s->outlived.n; i++) {
        object_t *o = object_get(s, s->outlived.at[i]);
        if (!o->unfreeable) emit(s, OP_TRACK, o->name, UNFREEABLE, 0);
        o->unfreeable = 1;
    }
    s->outlived.n = 0;
}

/* ---- what died with the garbage ---------------------------------------------------------------- */

/* The owner in whose region an object was born: the last that began by then. */
static size_t born_with(const ingest_t *s, uint32_t id)
{
    size_t low = 0, high = s->owners.n / OWNER_WORDS;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->owners.at[middle * OWNER_WORDS + 4] <= id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 ? (low - 1) * OWNER_WORDS : s->owners.n;
}

/* What a finalizer gave to garbage died when that was deleted.  No probe has told by what it was held, so
 * it hangs from the finalizer's own object, and goes with it wherever its region runs. */
void hang_deaths(ingest_t *s)
{
    for (size_t i = 0; i < s->hung.n; i++) {
        uint32_t id = s->hung.at[i];
        object_t *o = object_get(s, id);
        size_t owner = born_with(s, id);
        uint32_t of = owner < s->owners.n ? s->owners.at[owner + 2] : 0;
        const object_t *holder = of != 0 ? object_get(s, of) : NULL;
        int held = holder != NULL && holder->state == S_ALIVE && (holder->released & WITH_GARBAGE);
        if (!held || o->count == 0 || o->in_first != NONE || o->out_first != NONE) {
            owner_concerned(s, o);
            words_push(&s->batch, id);
            continue;
        }
        words_push(&s->hanging, (uint32_t)owner);
        words_push(&s->hanging, o->name);
        words_push(&s->hanging, o->count);
        s->repairs[REPAIR_OPAQUE]++;
        if (o->released & KEPT) {
            emit(s, OP_KEPT, o->name, 0, 0);
        }
        object_died(s, id);
    }
    s->hung.n = 0;
}

static int by_owner(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return x[0] != y[0] ? (x[0] > y[0]) - (x[0] < y[0]) : (x[1] > y[1]) - (x[1] < y[1]);
}

static void write_hanging(ingest_t *s, size_t i)
{
    const words_t *h = &s->hanging;
    for (; s->hanging_at < h->n && h->at[s->hanging_at] == i; s->hanging_at += 3) {
        emit(s, OP_LINK, s->owners.at[i + 1], h->at[s->hanging_at + 1], LABEL_OPAQUE);
        emit(s, OP_DECREF, h->at[s->hanging_at + 1], h->at[s->hanging_at + 2], LABEL_OPAQUE);
    }
}

/* ---- regions -------------------------------------------------------------------------------- */

/* Events of the side, and what was saved by owner `i`. */
static void write_region(ingest_t *s, size_t from, size_t to, size_t i)
{
    uint32_t owner = i < s->owners.n ? s->owners.at[i + 1] : NONE;
    int saves = s->saved_at < s->saved.n && s->saved.at[s->saved_at] == i;
    if (from < to || saves) {
        events_t part = {s->side.op + from, s->side.a + from, s->side.b + from, s->side.c + from, to - from, 0};
        emit(s, OP_INSIDE, owner, 1, 0);
        events_append(s, &s->out, &part);
        size_t saved = s->saved_at;
        for (; s->saved_at < s->saved.n && s->saved.at[s->saved_at] == i; s->saved_at += 2) {
            emit(s, OP_INCREF, object_get(s, s->saved.at[s->saved_at + 1])->name, 1, LABEL_HOLD);
        }
        write_hanging(s, i);
        for (; saved < s->saved_at; saved += 2) window_saved(s, s->saved.at[saved + 1]);
        if (owner != NONE) window_region(s, from, to);
        emit(s, OP_INSIDE, owner, 0, 0);
    }
}

/* Events of the side as regions, each of one owner. */
void write_owned(ingest_t *s, size_t from, size_t to)
{
    size_t owner = s->owners.n;
    if (s->hanging_at == 0 && s->hanging.n > 0) {
        qsort(s->hanging.at, s->hanging.n / 3, 3 * sizeof(uint32_t), by_owner);
    }
    for (size_t i = 0; i <= s->owners.n; i += OWNER_WORDS) {
        size_t end = i < s->owners.n && s->owners.at[i] < to ? s->owners.at[i] : to;
        end = end > from ? end : from;
        write_region(s, from, end, owner);
        from = end;
        owner = i;
    }
}
