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

/* Operand c of the next call. */
uint32_t call_came(ingest_t *s, int from_c)
{
    uint32_t via = from_c ? 1 : s->caller != 0 ? s->caller + 1 : 0;
    s->caller = 0;
    return via;
}

void read_call(ingest_t *s)
{
    call_def_t read = {.call = (uint32_t)read_upto(s, CALL_SET_DEBUG, "an unknown call of the gc module")};
    uint32_t via = call_came(s, read_upto(s, 1, "a call from nowhere") != 0);
    int takes = read.call == CALL_SET_THRESHOLD ? 3 : read.call == CALL_SET_DEBUG;
    read.n = (int)read_upto(s, 3, "a call with too many arguments");
    if (read.n != takes || read.call == CALL_COLLECT) {
        fail(s, "a call with other arguments than it takes");
    }
    for (int i = 0; i < read.n; i++) {
        read.arguments[i] = unzigzag(read_upto(s, UINT32_MAX, "a threshold or flag that is none"));
    }
    call_def_t *d = s->failed ? NULL : APPEND(s, calls);
    if (d == NULL) {
        fail(s, "memory ran out");
        return;
    }
    *d = read;
    if (read.call == CALL_SET_DEBUG) s->debug = read.arguments[0];
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
