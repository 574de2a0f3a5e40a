/* The end of a collection: what it freed, what finalizers and callbacks did inside, and where all of
 * that stands in the log. */
#include "ingest.h"

#define DOOMED 0x40000000u
#define GARBAGE 0x20000000u /* and found to be by the collector's own rule; below it, a count */
#define OUTLIVES 0x08000000u /* garbage too, but nothing frees it */
#define ACT 0x10000000u     /* died by what the program did inside */

static void incref(ingest_t *s, object_t *o, uint32_t label)
{
    emit(s, OP_INCREF, o->name, 1, label);
    o->count++;
}

static void mark_outlived(ingest_t *s, uint32_t as)
{
    for (size_t i = 0; i < s->outlived.n; i++) object_get(s, s->outlived.at[i])->scratch = as;
}

/* Links onto the doomed from outside are stale: replaced by a plain reference.  Returns whether some
 * have references left that no other of the doomed explains. */
static int drop_outer(ingest_t *s)
{
    words_t *d = &s->doomed;
    int unexplained = 0;
    for (size_t i = 0; i < d->n; i++) {
        object_t *o = object_get(s, d->at[i]);
        uint32_t inner = 0;
        for (uint32_t e = o->in_first, next; e != NONE; e = next) {
            next = s->edges[e].in_next;
            object_t *holder = object_get(s, s->edges[e].from);
            if (holder->scratch & (DOOMED | OUTLIVES)) {
                inner++;
                continue;
            }
            if (o->count <= o->reported) {
                incref(s, o, LABEL_STALE_LINK);
            }
            emit(s, OP_UNLINK, holder->name, o->name, LABEL_STALE_LINK);
            o->count--;
            edge_drop(s, e);
            s->repairs[REPAIR_STALE_LINK]++;
        }
        unexplained |= o->count > inner;
    }
    return unexplained;
}

/* Marks the doomed, and which of them are garbage by the collector's own rule. */
static void mark_garbage(ingest_t *s)
{
    words_t *d = &s->doomed;
    find_garbage(s, s->start_generation);
    s->stack.n = 0;
    for (size_t i = 0; i < d->n; i++) {
        words_push(&s->stack, (uint32_t)garbage_is(s, object_get(s, d->at[i])));
    }
    forget_garbage(s, s->start_generation);
    for (size_t i = 0; i < d->n; i++) {
        object_get(s, d->at[i])->scratch = s->stack.at[i] ? DOOMED | GARBAGE : DOOMED;
    }
    s->stack.n = 0;
}

/* What died in a collection must hang from its garbage in the log too: references that nothing of
 * the garbage explains are opaque links from what died just before and is garbage itself, not only
 * held by what hangs from such a link. */
static void explain(ingest_t *s)
{
    words_t *d = &s->doomed;
    for (size_t i = 0; i < d->n; i++) {
        object_get(s, d->at[i])->scratch |= DOOMED;
    }
    mark_outlived(s, OUTLIVES);
    int unexplained = drop_outer(s);
    mark_outlived(s, 0);
    if (!unexplained) {
        return;
    }
    mark_garbage(s);
    uint32_t holder = NONE;
    for (size_t i = 0; i < d->n && holder == NONE; i++) {
        holder = object_get(s, d->at[i])->scratch & GARBAGE ? d->at[i] : NONE;
    }
    for (size_t i = 0; i < d->n && holder != NONE; i++) {
        object_t *o = object_get(s, d->at[i]);
        holder = o->scratch & GARBAGE ? d->at[i] : holder;
        if (o->count <= o->links) {
            continue;
        }
        uint32_t excess = o->count - o->links;
        emit(s, OP_LINK, object_get(s, holder)->name, o->name, LABEL_OPAQUE);
        o->count++;
        edge_add(s, holder, d->at[i]);
        emit(s, OP_DECREF, o->name, excess, LABEL_OPAQUE);
        o->count -= excess;
        s->repairs[REPAIR_OPAQUE]++;
    }
}

/* The doomed leave the model as one; what they hold outside and would take along is held. */
static void bury(ingest_t *s)
{
    words_t *d = &s->doomed;
    for (size_t i = 0; i < d->n; i++) {
        object_t *o = object_get(s, d->at[i]);
        for (uint32_t e = o->out_first; e != NONE; e = o->out_first) {
            uint32_t to = s->edges[e].to;
            edge_drop(s, e);
            object_t *c = object_get(s, to);
            if (!(c->scratch & DOOMED) && c->state == S_ALIVE && --c->count == 0) {
                /* It lives on, so something else held it while the garbage went. */
                incref(s, c, LABEL_HOLD);
                window_used(s, c);
                s->repairs[REPAIR_HOLD]++;
            }
        }
    }
    for (size_t i = 0; i < d->n; i++) {
        object_t *o = object_get(s, d->at[i]);
        while (o->in_first != NONE) {
            edge_drop(s, o->in_first);
        }
        words_push(&s->buried, o->name);
        object_died(s, d->at[i]);
    }
    d->n = 0;
}

/* How many of the doomed that are garbage finalizers killed: the interpreter counts what is still
 * unreachable after them, and the weak references that died in their callbacks. */
static uint64_t finalized(ingest_t *s, size_t first)
{
    words_t *d = &s->doomed;
    uint64_t garbage = 0, called = 0;
    for (size_t i = 0; i < d->n; i++) {
        object_t *o = object_get(s, d->at[i]);
        garbage += (uint64_t)garbage_is(s, o);
        called += i < first && kind_of(s, o) == KIND_WEAKREF;
    }
    return s->stop[1] == 0 && garbage + called > s->stop[0] ? garbage + called - s->stop[0] : 0;
}

/* What died before the first garbage was killed by callbacks and finalizers, and so was the garbage
 * that died first where more did than the interpreter counts: the program's acts, which go to the
 * side with all that hung from them, and with garbage that nothing else held.  The rest stays
 * doomed. */
static void side_deaths(ingest_t *s)
{
    words_t *d = &s->doomed;
    size_t first = 0, keep = 0;
    uint64_t members = 0, killed;
    for (size_t i = 0; i < d->n; i++) members += object_get(s, d->at[i])->seen == s->epoch;
    if (d->n == 0 || (members <= s->stop[0] && unreachable_since(s, d->at[0]) != NONE)) {
        return; /* garbage from the first, and all of it counted */
    }
    find_garbage(s, s->start_generation);
    while (first < d->n && !garbage_is(s, object_get(s, d->at[first]))) first++;
    killed = finalized(s, first);
    int whole = first > 0 || killed > 0, any = killed > 0;
    for (size_t i = 0; i < d->n; i++) {
        object_t *o = object_get(s, d->at[i]);
        int garbage = garbage_is(s, o), act = garbage ? killed > 0 : i < first;
        killed -= (uint64_t)(garbage && act);
        o->scratch = act ? ACT : garbage ? GARBAGE + o->count : DOOMED;
        if (act) words_push(&s->stack, d->at[i]);
    }
    while (s->stack.n > 0) {
        object_t *o = object_get(s, s->stack.at[--s->stack.n]);
        for (uint32_t e = o->out_first; e != NONE; e = s->edges[e].out_next) {
            object_t *c = object_get(s, s->edges[e].to);
            int garbage = (c->scratch & GARBAGE) != 0;
            whole &= any || !garbage;
            if (c->scratch == DOOMED || (any && garbage && --c->scratch == GARBAGE)) {
                c->scratch = ACT;
                words_push(&s->stack, s->edges[e].to);
            }
        }
    }
    for (size_t i = 0; i < d->n; i++) {
        int act = whole && object_get(s, d->at[i])->scratch == ACT;
        words_push(act ? &s->batch : &s->stack, d->at[i]);
    }
    forget_garbage(s, s->start_generation);
    for (size_t i = 0; i < d->n; i++) object_get(s, d->at[i])->scratch = 0;
    for (; keep < s->stack.n; keep++) d->at[keep] = s->stack.at[keep];
    d->n = keep;
    s->stack.n = 0;
    deaths_flush(s);
}

static void promote(ingest_t *s, uint32_t generation)
{
    uint32_t target = generation < 2 ? generation + 1 : 2;
    words_t merged = {0};
    for (uint32_t g = 0; g <= generation; g++) {
        words_t *list = &s->generations[g];
        size_t keep = 0;
        for (size_t i = 0; i < list->n; i++) {
            object_ahead(s, list, i);
            object_t *o = object_get(s, list->at[i]);
            if (o == NULL || o->state != S_ALIVE || o->generation != g) {
                continue;
            }
            if (list->at[i] >= s->start_next_id && g == 0) {
                list->at[keep++] = list->at[i]; /* born inside the collection */
            } else if (g == target) {
                list->at[keep++] = list->at[i];
            } else {
                o->generation = (uint8_t)target;
                words_push(&merged, list->at[i]);
            }
        }
        list->n = keep;
    }
    for (size_t i = 0; i < merged.n; i++) {
        words_push(&s->generations[target], merged.at[i]);
    }
    __builtin_free(merged.at);
}

static void append_side(ingest_t *s, size_t from, size_t to)
{
    if (from < to) {
        events_t part = {s->side.op + from, s->side.a + from, s->side.b + from, s->side.c + from, to - from, 0};
        events_append(s, &s->out, &part);
    }
}

/* What the program did while collections were barred: first what finalizers and callbacks did
 * while the garbage still stood (up to `side_deleted`, and the deaths from `acts` on), then what
 * callbacks did after it was deleted; the tick between tells engines the two apart. */
void write_side(ingest_t *s, size_t acts)
{
    size_t freed = s->deleted ? s->side_deleted : acts;
    write_owned(s, 0, freed);
    write_owned(s, acts, s->side.n);
    if (s->deleted && acts > 0) {
        emit(s, OP_TICK, (uint32_t)s->ticked, (uint32_t)(s->ticked >> 32), 0);
        emit(s, OP_INSIDE, NONE, 1, 0);
        append_side(s, freed, acts);
        emit(s, OP_INSIDE, NONE, 0, 0);
    }
    s->side.n = 0;
    s->deleted = 0;
    owners_over(s);
    window_inside_written(s);
}

/* Writes the collection whose R_STOP has been read: corrections, the event it stands at, and
 * what the program did inside. */
void collection_finish(ingest_t *s)
{
    if (!s->stopping) {
        return;
    }
    hang_deaths(s);
    deaths_flush(s); /* of objects born inside: they go to the side */
    int nothing_found = s->stop[0] == 0 && s->stop[1] == 0;
    note_outlived(s);
    size_t acts = s->side.n;
    hold_saved(s);
    keep_collected(s);
    if (!nothing_found) {
        if (s->owners.n == 0) side_deaths(s);
    } else if (!s->deleted) {
        s->deleted = 1; /* nothing else tells that the free lists were emptied behind all this */
        s->side_deleted = acts;
    }
    s->stopping = 0;
    s->collecting = 0;
    s->to = &s->out;
    if (!nothing_found) {
        explain(s);
        write_outlived(s);
        bury(s);
    }
    observed_t *row = APPEND(s, observed);
    if (row == NULL) {
        fail(s, "memory ran out");
        return;
    }
    *row = (observed_t){.sequence = s->taken + s->out.n, .at = (uint32_t)(s->out.n - s->window_from),
                        .duration_ns = s->stop[4], .allocation = s->start_name,
                        .cause = s->start_cause,
                        .generation = s->start_generation, .candidates = s->walked, .collected = s->stop[0],
                        .uncollectable = s->stop[1], .long_lived_total = s->stop[2], .long_lived_pending = s->stop[3]};
    s->repairs[REPAIR_MISSED_COLLECTION] += s->stop[6] > 1 ? s->stop[6] - 1 : 0;
    promote(s, s->start_generation); /* before the object whose birth triggered it is tracked */
    object_t *newborn = s->held ? object_get(s, s->held_id) : NULL;
    if (s->held) {
        held_flush(s);
    } else {
        call_def_t *call = APPEND(s, calls);
        if (call == NULL) {
            fail(s, "memory ran out");
            return;
        }
        *call = (call_def_t){CALL_COLLECT, 1, {(int64_t)s->start_generation, 0, 0}};
        emit(s, OP_GC_CALL, CALL_COLLECT, s->call_count++, s->start_via);
    }
    if (nothing_found && s->doomed.n > 0) {
        /* No garbage was found, so these died by what finalizers and callbacks did. */
        s->to = &s->side;
        for (size_t i = 0; i < s->doomed.n; i++) {
            words_push(&s->batch, s->doomed.at[i]);
        }
        s->doomed.n = 0;
        deaths_flush(s);
        s->to = &s->out;
    }
    write_side(s, acts);
    row = &s->observed[s->observed_n - 1];
    row->end = (uint32_t)(s->out.n - s->window_from);
    row->buried = (uint32_t)s->buried.n;
    if (newborn != NULL) {
        note_on(s, newborn)->born = note_on(s, newborn)->used = row->end;
    }
    readings_placed(s, row);
    window_probed(s);
}
