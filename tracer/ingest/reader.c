/* Reads the spool record by record and drives the model. */
#include "ingest.h"

#include <string.h>

uint64_t read_long_number(ingest_t *s)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (s->at >= s->end) {
            fail(s, "the spool ends inside a record");
            return 0;
        }
        uint8_t byte = *s->at++;
        v |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            return v;
        }
    }
    fail(s, "a number in the spool is too long");
    return 0;
}

/* ---- births ---------------------------------------------------------------- */

static uint32_t *free_list_of(ingest_t *s, const object_t *o)
{
    unsigned kind = kind_of(s, o);
    uint32_t length = kind == KIND_TUPLE ? (o->size8 >= 5 ? o->size8 - 5 : 0) : 0;
    if (kind < KIND_LIST || kind > KIND_AVALUE || length > 20) {
        return NULL;
    }
    return &s->kept[kind][length];
}

static void birth(ingest_t *s, uint32_t id, unsigned flags, uint32_t site)
{
    object_t *o = object_get(s, id);
    int tracked = kind_of(s, o) != KIND_DICT;
    o->owned = s->acting && s->bystander == 0;
    write_alloc(s, o, flags | (tracked ? FLAG_TRACKED : 0), site);
    if (tracked) {
        o->generation = 0;
        words_push(&s->generations[0], id);
    }
}

void held_flush(ingest_t *s)
{
    if (!s->held) {
        return;
    }
    s->held = 0;
    uint32_t *list = free_list_of(s, object_get(s, s->held_id));
    birth(s, s->held_id, FLAG_COUNTED | s->held_barred | (list != NULL && *list > 0 ? FLAG_BYPASS : 0), s->held_site);
}

static uint32_t read_type_number(ingest_t *s)
{
    return (uint32_t)read_upto(s, s->type_count, "a type that was not defined");
}

static uint32_t read_site_number(ingest_t *s)
{
    return (uint32_t)read_upto(s, s->site_count, "a site that was not defined");
}

static uint32_t read_size8(ingest_t *s) { return (uint32_t)read_upto(s, UINT32_MAX / 8, "a block of 4 GiB or more"); }

static object_t *read_object(ingest_t *s)
{
    uint32_t type = read_type_number(s), size8 = read_size8(s);
    unusual_t *u = !s->failed && type != 0 && (s->type_flags[type] & TYPE_OWN_BLOCKS) ? unusual_of(s, type) : NULL;
    if (u != NULL) u->owned++;
    return s->failed ? NULL : object_new(s, type, size8);
}

/* ---- records ------------------------------------------------------------------ */

uint32_t read_named(ingest_t *s)
{
    int64_t id = (int64_t)s->next_id - (int64_t)read_upto(s, UINT32_MAX, "an object older than all");
    return object_named(s, id, "a record names an object that is not alive") != NULL ? (uint32_t)id : 0;
}

static void read_state(ingest_t *s)
{
    static const int lists[] = {KIND_LIST, KIND_DICT, KIND_SLICE, KIND_CONTEXT, KIND_ASEND, KIND_AVALUE};
    int n = 0;
    if (s->found_done) {
        fail(s, "a second state of the collector");
        return;
    }
    for (; n < 6; n++) s->state[n] = unzigzag(read_upto(s, UINT32_MAX, "a counter or threshold that is none"));
    s->state[n++] = (int64_t)read_upto(s, 1, "a collector neither enabled nor disabled");
    for (; n < 9; n++) s->state[n] = (int64_t)read_upto(s, INT64_MAX, "a number of objects that is none");
    for (; n < 36; n++) s->state[n] = (int64_t)read_upto(s, UINT32_MAX, "a free list longer than all");
    if (s->failed) {
        return;
    }
    for (int i = 0; i < 6; i++) s->kept[lists[i]][0] = (uint32_t)s->state[9 + i];
    for (int i = 1; i <= 20; i++) s->kept[KIND_TUPLE][i] = (uint32_t)s->state[14 + i];
    s->state_n = n;
}

static void found_end(ingest_t *s)
{
    if (s->found_done || s->state_n == 0) {
        fail(s, s->found_done ? "a second end of the found heap" : "a found heap without the collector's state");
        return;
    }
    for (int g = 3; g >= 0; g--) {
        words_t *list = &s->generations[g];
        for (size_t i = 0; i < list->n; i++) {
            object_t *o = object_get(s, list->at[i]);
            if (o != NULL && o->state == S_ALIVE) emit(s, OP_TRACK, o->name, (uint32_t)g, 0);
        }
    }
    s->found_done = 1;
    emit(s, OP_START, 0, 0, 0);
}

/* What follows waits for the end of the collection, which may never come. */
static void to_side(ingest_t *s)
{
    memcpy(s->repairs_before, s->repairs, sizeof(s->repairs));
    s->to = &s->side;
}

/* What "start" callbacks do comes before the collection, but triggers nothing; the object
 * whose birth triggered it waits. */
static void read_begin(ingest_t *s)
{
    if (s->collecting) {
        fail(s, "a collection begins inside another");
        return;
    }
    if (read_upto(s, CAUSE_C, "a collection of unknown cause") != CAUSE_THRESHOLD) {
        held_flush(s);
    }
    s->beginning = 1;
    s->start_name = s->next_name;
    to_side(s);
}

static void read_start(ingest_t *s)
{
    if (s->collecting || s->in_probe) {
        fail(s, "a collection begins inside another");
        return;
    }
    if (s->beginning) {
        s->beginning = 0;
        s->to = &s->out;
        write_side(s, s->side.n);
        readings_placed(s, NULL);
    }
    s->start_generation = (uint32_t)read_upto(s, 2, "a collection of an unknown generation");
    s->start_cause = (uint32_t)read_upto(s, CAUSE_C, "a collection of unknown cause");
    s->start_via = call_came(s, s->start_cause == CAUSE_C);
    read_number(s); /* time */
    read_number(s); /* c0 */
    if (s->start_cause != CAUSE_THRESHOLD) {
        held_flush(s);
    }
    s->collecting = 1;
    if (s->at >= s->end || *s->at++ != R_PROBE) {
        fail(s, "a collection without its probe");
        return;
    }
    probe_read(s);
    if (s->failed) {
        return;
    }
    s->start_next_id = s->next_id;
    s->start_name = s->next_name;
    if (s->held) {
        object_get(s, s->held_id)->name = s->next_name++;
    }
    to_side(s);
    calls_that_waited(s);
}

/* Whether garbage that is gone has a link to it, and took it along for all that is known. */
static int held_by_doomed(ingest_t *s, const object_t *o)
{
    for (uint32_t e = o->in_first; e != NONE; e = s->edges[e].in_next) {
        const object_t *holder = object_get(s, s->edges[e].from);
        if (holder->released & WITH_GARBAGE) return 1;
    }
    return 0;
}

static void read_death(ingest_t *s, int kept)
{
    uint32_t id = read_named(s);
    if (s->failed) {
        return;
    }
    object_t *o = object_get(s, id);
    if (o->name == NONE || (s->held && id == s->held_id)) {
        fail(s, "an object dies while it is born");
        return;
    }
    o->released = RELEASED;
    if (kept) {
        uint32_t *list = free_list_of(s, o);
        o->released |= KEPT;
        unusual_t *u = list == NULL ? unusual_of(s, o->type) : NULL;
        if (list != NULL) ++*list;
        if (u != NULL) u->kept++;
    }
    if (s->collecting && id < s->start_next_id && !s->acting && !(s->deleted && !held_by_doomed(s, o))) {
        o->released |= WITH_GARBAGE;
        words_push(&s->doomed, id);
    } else if (s->collecting && id >= s->start_next_id && o->owned && !s->acting && !s->deleted) {
        words_push(&s->hung, id);
    } else {
        owner_concerned(s, o);
        words_push(&s->batch, id);
    }
}

/* What follows is what callbacks do after the collection. */
static void read_deleted(ingest_t *s)
{
    hang_deaths(s);
    deaths_flush(s);
    s->deleted = 1;
    s->side_deleted = s->side.n;
}

static void read_stop(ingest_t *s)
{
    for (int i = 0; i < 7; i++) {
        s->stop[i] = read_upto(s, INT64_MAX, "a figure of a collection that is none");
    }
    s->stopping = s->collecting;
    if (s->start_generation == 2) {
        uint32_t slices = s->kept[KIND_SLICE][0]; /* clear_freelists leaves them */
        memset(s->kept, 0, sizeof(s->kept));
        s->kept[KIND_SLICE][0] = slices;
    }
}

/* What may stand inside a probe: what it needs to name what it meets. */
static int names_something(unsigned tag)
{
    return tag == R_TYPE || tag == R_CODE || tag == R_SITE || tag == R_SETTYPE || tag == R_LATE || tag == R_LABEL;
}

int read_record(ingest_t *s)
{
    if (s->at >= s->end || s->failed) {
        return 0;
    }
    unsigned tag = *s->at++;
    s->raw_records++;
    if (s->in_probe && !names_something(tag)) {
        fail(s, "a probe is interrupted");
        return 0;
    }
    /* Definitions change nothing of the heap; everything else first completes what waits. */
    switch (tag) {
    case R_TYPE: read_type(s); return 1;
    case R_CODE: read_code(s); return 1;
    case R_SITE: read_site(s); return 1;
    case R_LABEL: read_label(s); return 1;
    case R_BARRED: s->barred = FLAG_BARRED; return 1;
    case R_CALLER: s->caller = read_site_number(s); return 1;
    case R_SETTYPE: {
        uint32_t id = read_named(s), type = read_type_number(s);
        if (!s->failed) object_get(s, id)->type = type;
        return 1;
    }
    case R_LATE: {
        object_t *o = read_object(s);
        if (o != NULL) {
            s->repairs[REPAIR_LATE_OBJECT] += (uint64_t)s->found_done;
            write_alloc(s, o, 0, 0);
        }
        return 1;
    }
    case R_TICK: {
        collection_finish(s);
        if (s->collecting) {
            read_number(s);
            read_deleted(s);
            return 1;
        }
        uint64_t ns = s->ticked = read_number(s);
        emit(s, OP_TICK, (uint32_t)ns, (uint32_t)(ns >> 32), 0);
        return 1;
    }
    case R_BEGIN:
        collection_finish(s);
        deaths_flush(s);
        read_begin(s);
        return 1;
    case R_START:
        collection_finish(s);
        deaths_flush(s);
        read_start(s);
        return 1;
    case R_FREE:
    case R_KEPT:
        collection_finish(s);
        if (!s->collecting && !s->beginning) held_flush(s);
        read_death(s, tag == R_KEPT);
        return 1;
    case R_HIT:
    case R_MISS: /* what is torn down meanwhile goes on dying as one */
        collection_finish(s);
        if (!s->collecting && !s->beginning) held_flush(s);
        if (tag == R_HIT) read_hit(s);
        else read_miss(s);
        return 1;
    default:
        break;
    }
    collection_finish(s);
    if (!s->collecting && !s->beginning) {
        held_flush(s);
    }
    deaths_flush(s);
    switch (tag) {
    case R_ALLOC: {
        uint32_t id = s->next_id;
        if (read_object(s) == NULL) break;
        uint32_t site = read_site_number(s);
        if (s->collecting || s->beginning) {
            birth(s, id, FLAG_COUNTED | s->barred, site);
        } else {
            s->held = 1;
            s->held_id = id;
            s->held_site = site;
            s->held_barred = s->barred;
        }
        s->barred = 0;
        break;
    }
    case R_BIRTH: {
        uint32_t id = s->next_id;
        object_t *o = read_object(s);
        if (o == NULL) break;
        uint32_t *list = free_list_of(s, o);
        if (list != NULL && *list > 0) --*list;
        birth(s, id, 0, read_site_number(s));
        break;
    }
    case R_FREE_UNKNOWN: {
        object_t *o = object_new(s, 0, 0);
        if (o == NULL) break;
        write_alloc(s, o, 0, 0);
        emit(s, OP_DECREF, o->name, 1, 0);
        object_unborn(s); /* the capture gave it no number */
        s->repairs[REPAIR_UNKNOWN_FREE]++;
        break;
    }
    case R_RESIZED: {
        uint32_t id = read_named(s), size8 = read_size8(s);
        object_t *o = object_get(s, id);
        if (o != NULL && o->name != NONE && size8 != o->size8) {
            o->size8 = size8;
            window_resized(s, id, NONE);
        }
        break;
    }
    case R_STATE: read_state(s); break;
    case R_FOUND: {
        uint32_t id = s->next_id;
        object_t *o = s->found_done ? NULL : read_object(s);
        if (o == NULL) {
            fail(s, "an object is found after the recording has begun");
            break;
        }
        o->generation = (uint8_t)read_upto(s, 3, "a found object of an unknown generation");
        words_push(&s->generations[o->generation], id);
        write_alloc(s, o, 0, 0);
        break;
    }
    case R_FOUND_END: found_end(s); break;
    case R_PROBE:
        if (s->collecting || s->beginning) {
            fail(s, "a probe inside a collection");
            break;
        }
        probe_read(s);
        break;
    case R_STOP: read_stop(s); break;
    case R_GARBAGE: read_garbage(s); break;
    case R_SAVED: read_saved(s); break;
    case R_OWNER: read_owner(s); break;
    case R_CALL: read_call(s); break;
    case R_MARK: read_mark(s); break;
    case R_READ: read_readings(s); break;
    case R_END: s->ended = 1; break;
    default: fail(s, "an unknown record in the spool");
    }
    return 1;
}
