/* What the program tells the collector. */
#include "ingest.h"

static void move_all(ingest_t *s, uint32_t from, uint32_t to)
{
    for (size_t i = 0; i < s->generations[from].n; i++) {
        uint32_t id = s->generations[from].at[i];
        object_t *o = object_get(s, id);
        if (o != NULL && o->state == S_ALIVE && o->generation == from) {
            o->generation = (uint8_t)to;
            words_push(&s->generations[to], id);
        }
    }
    s->generations[from].n = 0;
}

void read_call(ingest_t *s)
{
    call_def_t *d = APPEND(s, calls);
    if (d == NULL) {
        fail(s, "memory ran out");
        return;
    }
    d->call = (uint32_t)read_number(s);
    uint32_t via = (uint32_t)read_number(s);
    d->n = (int)read_number(s);
    for (int i = 0; i < d->n && i < 3; i++) {
        d->arguments[i] = unzigzag(read_number(s));
    }
    if (s->beginning && d->call != CALL_FREEZE && d->call != CALL_UNFREEZE) {
        words_push(&s->switches, d->call);
        words_push(&s->switches, s->call_count++);
        words_push(&s->switches, via);
        return;
    }
    emit(s, OP_GC_CALL, d->call, s->call_count++, via);
    if (d->call == CALL_FREEZE) {
        for (uint32_t g = 0; g < 3; g++) move_all(s, g, 3);
        window_open(s); /* what comes to be tracked later was not frozen */
    } else if (d->call == CALL_UNFREEZE) {
        move_all(s, 3, 2);
        window_open(s);
    }
}

/* A collection that has begun is not stopped by a switch or a threshold: what "start" callbacks
 * tell holds from after it. */
void calls_that_waited(ingest_t *s)
{
    for (size_t i = 0; i < s->switches.n; i += 3) {
        emit(s, OP_GC_CALL, s->switches.at[i], s->switches.at[i + 1], s->switches.at[i + 2]);
    }
    s->switches.n = 0;
}
