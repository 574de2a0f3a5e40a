/* What a look at the heap finds unreachable, and since when it can have been so. */
#include "ingest.h"

#include <stdlib.h>

static int examined(const ingest_t *s, const object_t *o) { return o->seen == s->epoch && o->state == S_ALIVE; }

int garbage_is(const ingest_t *s, const object_t *o) { return examined(s, o) && o->scratch == 0; }

/* CPython's deduce_unreachable over the members of the generations 0..upto that the last probe
 * met: `scratch` becomes 0 for garbage and a positive number for the rest. */
void find_garbage(ingest_t *s, uint32_t upto)
{
    s->stack.n = 0;
    for (uint32_t g = 0; g <= upto; g++) {
        for (size_t i = 0; i < s->generations[g].n; i++) {
            object_t *o = object_get(s, s->generations[g].at[i]);
            if (o != NULL && examined(s, o)) o->scratch = o->count;
        }
    }
    for (int reach = 0; reach < 2; reach++) {
        for (uint32_t g = 0; g <= upto; g++) {
            for (size_t i = 0; i < s->generations[g].n; i++) {
                object_t *o = object_get(s, s->generations[g].at[i]);
                if (o == NULL || !examined(s, o)) continue;
                if (reach) {
                    if (o->scratch > 0) words_push(&s->stack, s->generations[g].at[i]);
                    continue;
                }
                for (uint32_t e = o->out_first; e != NONE; e = s->edges[e].out_next) {
                    object_t *c = object_get(s, s->edges[e].to);
                    if (examined(s, c) && c->scratch > 0) c->scratch--;
                }
            }
        }
    }
    while (s->stack.n > 0) {
        object_t *o = object_get(s, s->stack.at[--s->stack.n]);
        for (uint32_t e = o->out_first; e != NONE; e = s->edges[e].out_next) {
            object_t *c = object_get(s, s->edges[e].to);
            if (examined(s, c) && c->scratch == 0) {
                c->scratch = 1;
                words_push(&s->stack, s->edges[e].to);
            }
        }
    }
}

void forget_garbage(ingest_t *s, uint32_t upto)
{
    for (uint32_t g = 0; g <= upto; g++) {
        for (size_t i = 0; i < s->generations[g].n; i++) {
            object_t *o = object_get(s, s->generations[g].at[i]);
            if (o != NULL && o->state == S_ALIVE) o->scratch = 0;
        }
    }
}

typedef struct { uint32_t id, at; } used_t;

static int used_later(const void *a, const void *b)
{
    const used_t *x = a, *y = b;
    return x->at != y->at ? (x->at > y->at ? -1 : 1) : (x->id > y->id ? -1 : x->id < y->id);
}

/* After find_garbage(): gives each garbage object `unreachable_at`, the place in this window of
 * the last event that shows running code to have had hold of it or of what leads to it.
 * After Hertz et al., "Generating object lifetime traces with Merlin", TOPLAS 28(3), 2006. */
void date_garbage(ingest_t *s, uint32_t upto)
{
    used_t *found = NULL;
    size_t n = 0, room = 0;
    for (uint32_t g = 0; g <= upto; g++) {
        for (size_t i = 0; i < s->generations[g].n; i++) {
            uint32_t id = s->generations[g].at[i];
            object_t *o = object_get(s, id);
            if (o == NULL || !garbage_is(s, o)) continue;
            if (n == room && !array_grow((void **)&found, &room, sizeof(*found))) {
                fail(s, "memory ran out");
                free(found);
                return;
            }
            o->unreachable_at = NONE;
            found[n++] = (used_t){id, window_last_use(s, o)};
        }
    }
    if (n > 0) {
        qsort(found, n, sizeof(*found), used_later);
    }
    for (size_t i = 0; i < n; i++) {
        object_t *o = object_get(s, found[i].id);
        if (o->unreachable_at != NONE) continue;
        o->unreachable_at = found[i].at;
        words_push(&s->stack, found[i].id);
        while (s->stack.n > 0) {
            o = object_get(s, s->stack.at[--s->stack.n]);
            for (uint32_t e = o->out_first; e != NONE; e = s->edges[e].out_next) {
                object_t *c = object_get(s, s->edges[e].to);
                if (garbage_is(s, c) && c->unreachable_at == NONE) {
                    c->unreachable_at = found[i].at;
                    words_push(&s->stack, s->edges[e].to);
                }
            }
        }
    }
    free(found);
}
