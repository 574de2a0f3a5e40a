/* What a collection found before any code ran, and whose code ran then. */
#include "ingest.h"

/* Of each owner: from which event of the side on, its name, its number, whether it is a weak reference. */
#define OWNER_WORDS 4

void owners_begin(ingest_t *s)
{
    s->garbage.n = s->owners.n = 0;
    s->garbage_known = s->acting = 0;
    s->bystander = 0;
}

void read_garbage(ingest_t *s)
{
    uint64_t n = read_upto(s, UINT32_MAX, "more garbage than objects");
    int64_t id = 0;
    if (!s->collecting || s->stopping || s->garbage_known) {
        fail(s, "garbage that no collection has found");
    }
    for (uint64_t i = 0; i < n && !s->failed; i++) {
        id += unzigzag(read_upto(s, (uint64_t)UINT32_MAX << 1, "an object further than all"));
        object_t *o = object_named(s, id, "a collection finds an object that is not alive");
        if (o != NULL && o->name == NONE) {
            fail(s, "a collection finds an object that is being born");
        }
        words_push(&s->garbage, (uint32_t)id);
    }
    s->garbage_known = 1;
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

/* The weak references that died in their callbacks: the interpreter counts them as collected. */
static uint64_t died_called(ingest_t *s)
{
    uint64_t died = 0;
    uint32_t before = 0;
    for (size_t i = 0; i < s->owners.n; i += OWNER_WORDS) {
        uint32_t id = s->owners.at[i + 2];
        died += s->owners.at[i + 3] && id != before && !lives(s, id);
        before = id != 0 ? id : before;
    }
    return died;
}

/* Whether more of the garbage outlived the finalizers than the interpreter has counted. */
int garbage_was_saved(ingest_t *s)
{
    uint64_t left = 0;
    for (size_t i = 0; i < s->garbage.n; i++) left += (uint64_t)lives(s, s->garbage.at[i]);
    return s->stop[1] == 0 && left > s->stop[0] - died_called(s);
}

static void write_region(ingest_t *s, size_t from, size_t to, uint32_t owner)
{
    if (from < to) {
        events_t part = {s->side.op + from, s->side.a + from, s->side.b + from, s->side.c + from, to - from, 0};
        emit(s, OP_INSIDE, owner, 1, 0);
        events_append(s, &s->out, &part);
        emit(s, OP_INSIDE, owner, 0, 0);
    }
}

/* Events of the side as regions, each of one owner. */
void write_owned(ingest_t *s, size_t from, size_t to)
{
    uint32_t owner = NONE;
    for (size_t i = 0; i < s->owners.n; i += OWNER_WORDS) {
        size_t end = s->owners.at[i] < to ? s->owners.at[i] : to;
        if (end > from) {
            write_region(s, from, end, owner);
            from = end;
        }
        owner = s->owners.at[i + 1];
    }
    write_region(s, from, to, owner);
}
