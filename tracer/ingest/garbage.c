/* What a look at the heap finds unreachable, and since when it can have been so. */
#include "ingest.h"
#include <stdlib.h>

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

typedef struct { uint32_t look, id; } looked_t;

static int earlier(const void *a, const void *b)
{
    const looked_t *x = a, *y = b;
    return x->look < y->look ? -1 : x->look > y->look;
}

/* Where garbage (the trail) was last seen to be reachable; NONE when all of it was born, or shown
 * to be in use, since.  That the collector, or a look, did not find one of it then shows that it
 * was, unless what had not been looked at since even longer leads to it: that is garbage now, and
 * may have been then. */
static uint32_t last_reachable(ingest_t *s)
{
    uint32_t last = 0, idle = 0; /* those of which nothing shows a later use */
    s->order.n = 0;
    for (size_t i = 0; i < s->trail.n; i += 2) {
        object_t *o = object_get(s, s->trail.at[i]);
        uint32_t look = window_last_look(s, o);
        if (look == NONE) continue;
        words_push(&s->order, look);
        words_push(&s->order, s->trail.at[i]);
        idle += note_of(s, o)->used < look || note_of(s, o)->used == 0;
    }
    if (idle == 0) {
        return NONE;
    }
    looked_t *order = (looked_t *)s->order.at;
    size_t n = s->order.n / 2;
    if (n > 1) {
        qsort(order, n, sizeof(*order), earlier);
    }
    for (size_t i = 0; i < n; i++) {
        object_t *o = object_get(s, order[i].id);
        if (o->scratch != 1) continue;
        last = order[i].look;
        o->scratch = 2;
        words_push(&s->stack, order[i].id);
        while (s->stack.n > 0) {
            object_t *from = object_get(s, s->stack.at[--s->stack.n]);
            for (uint32_t e = from->out_first; e != NONE; e = s->edges[e].out_next) {
                object_t *to = object_get(s, s->edges[e].to);
                if (to->scratch == 1) {
                    to->scratch = 2;
                    words_push(&s->stack, s->edges[e].to);
                }
            }
        }
    }
    return last;
}

static void judge(ingest_t *s, object_t *o, uint32_t since)
{
    note_t *note = note_on(s, o);
    note->judged = s->epoch;
    note->unreachable = since;
}

/* Since where in this window `id` has been unreachable, by the look just taken; NONE when it is
 * reachable.  Who is reachable has an ancestor that something outside holds, and going up the
 * links finds one soon; the ancestors of garbage are few.  The last event that shows running code
 * to have had hold of one of them dates it: after Hertz et al., "Generating object lifetime traces
 * with Merlin", TOPLAS 28(3), 2006. */
uint32_t unreachable_since(ingest_t *s, uint32_t id)
{
    object_t *first = object_get(s, id);
    if (note_of(s, first)->judged == s->epoch) {
        return note_of(s, first)->unreachable;
    }
    words_t *trail = &s->trail; /* pairs: an ancestor, and where in the trail what it leads to stands */
    uint32_t since = 0;
    size_t held = NONE, i = 0;
    trail->n = 0;
    words_push(trail, id);
    words_push(trail, 0);
    first->scratch = 1;
    for (; i < trail->n && held == NONE; i += 2) {
        object_t *o = object_get(s, trail->at[i]);
        if (!examined(s, o) || o->count > o->links) {
            held = i;
            break;
        }
        uint32_t used = note_of(s, o)->used;
        since = used > since ? used : since;
        for (uint32_t e = o->in_first; e != NONE; e = s->edges[e].in_next) {
            object_t *holder = object_get(s, s->edges[e].from);
            if (holder->scratch) continue;
            const note_t *note = note_of(s, holder);
            if (note->judged == s->epoch) {
                if (note->unreachable == NONE) {
                    held = i;
                    break;
                }
                since = note->unreachable > since ? note->unreachable : since;
                continue; /* its ancestors have been walked, and count in that */
            }
            holder->scratch = 1;
            words_push(trail, s->edges[e].from);
            words_push(trail, (uint32_t)i);
        }
    }
    if (held == NONE) {
        uint32_t look = last_reachable(s), given_up = look == NONE ? 0 : window_between(s, look);
        since = given_up > since ? given_up : since;
    }
    for (size_t j = 0; j < trail->n; j += 2) {
        object_t *o = object_get(s, trail->at[j]);
        o->scratch = 0;
        if (held == NONE) {
            judge(s, o, since);
        }
    }
    for (size_t j = held; held != NONE; j = trail->at[j + 1]) {
        judge(s, object_get(s, trail->at[j]), NONE);
        if (j == 0) break;
    }
    return note_of(s, first)->unreachable;
}
