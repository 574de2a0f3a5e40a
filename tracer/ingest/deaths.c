/* Deaths.  The program releases children before parents; the log says which event
 * killed the parent and lets the children follow.  All deaths between two allocations
 * are seen together, so that most need no event but their root's last decref. */
#include "ingest.h"

#define IN_BATCH 0x80000000u

/* Kills `root`, whose links from outside are undone but for `killers` that the last event
 * undoes.  What the root holds follows if it is in the batch, and is held otherwise. */
static void cascade(ingest_t *s, uint32_t root)
{
    s->stack.n = 0;
    words_push(&s->stack, root);
    while (s->stack.n > 0) {
        uint32_t id = s->stack.at[--s->stack.n];
        object_t *o = object_get(s, id);
        o->count = 0;
        o->state = S_KILLED;
        for (uint32_t i = o->in_first; i != NONE; i = o->in_first) {
            /* A stale link onto an object that dies with its holder: must be gone before. */
            window_gave(s, object_get(s, s->edges[i].from));
            words_push(&s->pairs, s->edges[i].from);
            words_push(&s->pairs, id);
            edge_drop(s, i);
        }
        for (uint32_t i = o->out_first; i != NONE; i = o->out_first) {
            uint32_t child = s->edges[i].to;
            edge_drop(s, i);
            object_t *c = object_get(s, child);
            if (c->state != S_ALIVE) {
                continue;
            }
            if (!(c->scratch & IN_BATCH)) {
                window_lost(s, c, o);
            }
            if (--c->count == 0) {
                if (c->scratch & IN_BATCH) {
                    words_push(&s->stack, child);
                } else {
                    c->count = 1;
                    words_push(&s->holds, child);
                }
            }
        }
    }
}

/* Writes what must stand before the killing event.  Counts are the model's of after it. */
static void write_before(ingest_t *s)
{
    for (size_t i = 0; i < s->holds.n; i++) {
        object_t *held = object_get(s, s->holds.at[i]);
        emit(s, OP_INCREF, held->name, 1, LABEL_HOLD);
        window_used(s, held); /* what running code takes here it drops behind, not before */
        s->repairs[REPAIR_HOLD]++;
    }
    for (size_t i = 0; i < s->pairs.n; i += 2) {
        object_t *source = object_get(s, s->pairs.at[i]), *target = object_get(s, s->pairs.at[i + 1]);
        emit(s, OP_INCREF, target->name, 1, LABEL_STALE_LINK);
        emit(s, OP_UNLINK, source->name, target->name, LABEL_STALE_LINK);
        s->repairs[REPAIR_STALE_LINK]++;
    }
    s->holds.n = s->pairs.n = 0;
}

static void kill(ingest_t *s, uint32_t id)
{
    object_t *o = object_get(s, id);
    uint32_t links = 0, sources_from = (uint32_t)s->removed.n;
    for (uint32_t i = o->in_first, next; i != NONE; i = next) {
        next = s->edges[i].in_next;
        window_gave(s, object_get(s, s->edges[i].from)); /* it gave the link up, at the latest now */
        words_push(&s->removed, s->edges[i].from);
        edge_drop(s, i);
        links++;
    }
    s->repairs[REPAIR_STALE_LINK] += links;
    uint32_t add = o->count < links ? links - o->count : 0;
    uint32_t left = o->count + add - links;
    s->repairs[REPAIR_LATE_DECREF] += left > 1;
    cascade(s, id);
    write_before(s);
    if (add > 0) {
        emit(s, OP_INCREF, o->name, add, LABEL_STALE_LINK);
    }
    for (uint32_t i = 0; i < links; i++) {
        emit(s, OP_UNLINK, object_get(s, s->removed.at[sources_from + i])->name, o->name, LABEL_STALE_LINK);
    }
    if (left > 0) {
        emit(s, OP_DECREF, o->name, left, left > 1 ? LABEL_LATE_DECREF : LABEL_UNKNOWN);
    }
    s->removed.n = sources_from;
}

void deaths_flush(ingest_t *s)
{
    if (s->batch.n == 0) {
        return;
    }
    words_t *b = &s->batch;
    for (size_t i = 0; i < b->n; i++) {
        object_get(s, b->at[i])->scratch |= IN_BATCH;
    }
    /* Parents are released last, so from the end; who is held by another of the batch waits
     * for it, and goes by itself in the second round if their links were stale. */
    for (int round = 0; round < 2; round++) {
        for (size_t i = b->n; i-- > 0;) {
            object_t *o = object_get(s, b->at[i]);
            if (o->state != S_ALIVE) {
                continue;
            }
            int waits = 0;
            for (uint32_t e = o->in_first; round == 0 && !waits && e != NONE; e = s->edges[e].in_next) {
                object_t *holder = object_get(s, s->edges[e].from);
                waits = (holder->scratch & IN_BATCH) && holder->state == S_ALIVE && holder != o;
            }
            if (!waits) {
                kill(s, b->at[i]);
            }
        }
    }
    for (size_t i = 0; i < b->n; i++) {
        object_t *o = object_get(s, b->at[i]);
        if (o->released & KEPT) {
            emit(s, OP_KEPT, o->name, 0, 0);
        }
        object_died(s, b->at[i]);
    }
    b->n = 0;
}
