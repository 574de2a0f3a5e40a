/* What the program did between two probes is known only at the second.  Dated then, a
 * collection that another policy makes one allocation earlier would know nothing of it.  So
 * the events since the last full probe are kept back, and what later probes tell is
 * dated to where it can first have happened: links to when both ends were born, the release
 * by running code to the last of the links that took over.  An object that lost a holder and
 * turns out to be held otherwise has been so since before the loss: else it would be garbage
 * from then on.  What was reachable in one probe and is garbage in the next was given up between
 * the two, and after whatever shows it to have been in use. */
#include "ingest.h"

#define WINDOW_EVENTS (1u << 20) /* with fewer full probes than that, the window is closed without one */

#define NOWHERE NONE

static uint32_t here(const ingest_t *s) { return (uint32_t)(s->out.n - s->window_from); }

const note_t no_note = {0, NOWHERE, 0, 0, NONE, 0};

/* The note on `o`, to be written; good until the next one is made. */
note_t *note_on(ingest_t *s, object_t *o)
{
    static note_t spare;
    if (o->noted_in == s->window) {
        return &s->notes[o->note];
    }
    note_t *note = APPEND(s, notes);
    if (note == NULL) {
        fail(s, "memory ran out");
        return &spare;
    }
    *note = no_note;
    o->note = (uint32_t)(note - s->notes);
    o->noted_in = s->window;
    return note;
}

static void used_at(ingest_t *s, object_t *o, uint32_t at)
{
    note_t *note = note_on(s, o);
    note->used = at > note->used ? at : note->used;
}

/* What the program does inside a collection has no place yet: the note waits for it. */
static void place_waits(ingest_t *s, const object_t *o)
{
    if (!words_push(&s->inside, o->note) || !words_push(&s->inside, (uint32_t)s->side.n)) {
        fail(s, "memory ran out");
    }
}

/* Running code has hold of `o` when the next event is written. */
void window_used(ingest_t *s, object_t *o)
{
    if (!s->found_done) {
        return;
    }
    note_on(s, o)->used = here(s);
    if (s->to != &s->out) {
        place_waits(s, o);
    }
}

/* The next event written ends a region with an owner, of these events of the side. */
void window_region(ingest_t *s, size_t from, size_t to)
{
    if (!words_push(&s->regions, (uint32_t)from) || !words_push(&s->regions, (uint32_t)to)
        || !words_push(&s->regions, here(s))) {
        fail(s, "memory ran out");
    }
}

/* The next event written ends the region in which `id` was saved: as if it were born there. */
void window_saved(ingest_t *s, uint32_t id)
{
    note_t *note = note_on(s, object_get(s, id));
    note->born = note->used = here(s);
}

/* What the program did inside a collection has just been written.  Nothing that a later probe tells of
 * what was born or used in it is dated before it, and nothing into it but what concerns a birth in a
 * region with an owner: what lives on is held by something when that ends, and moves with it. */
void window_inside_written(ingest_t *s)
{
    const words_t *regions = &s->regions;
    size_t r = 0;
    for (size_t i = 0; i < s->inside.n; i += 2) {
        note_t *note = &s->notes[s->inside.at[i]];
        uint32_t at = s->inside.at[i + 1];
        while (r < regions->n && regions->at[r + 1] <= at) r += 3;
        uint32_t place = r < regions->n && regions->at[r] <= at ? regions->at[r + 2] : here(s);
        note->used = note->born == NOWHERE || note->born == place ? place : here(s);
        note->born = note->born == NOWHERE ? place : note->born;
    }
    s->inside.n = s->regions.n = 0;
}

/* The links of `o` are known as of the last probe of all, not only of one long ago. */
static int current(const ingest_t *s, const object_t *o)
{
    return o->seen == s->epoch || note_of(s, o)->born > s->probed;
}

/* A link from `o` turns out to have been given up since the last probe of `o`. */
void window_gave(ingest_t *s, object_t *o)
{
    if (current(s, o)) {
        window_used(s, o);
    }
}

static int fresh(const ingest_t *s, uint32_t at) { return at != NOWHERE && at >= s->probed; }

/* The next event written takes from `o`, which lives on, a link that `by` is believed to have. */
void window_lost(ingest_t *s, object_t *o, const object_t *by)
{
    if (s->to == &s->out && s->found_done && !fresh(s, note_of(s, o)->lost)) {
        note_on(s, o)->lost = here(s);
    }
    if (current(s, by)) {
        window_used(s, o);
    }
}

/* The next event written is its birth. */
void window_born(ingest_t *s, object_t *o)
{
    if (!s->found_done) {
        return;
    }
    note_t *note = note_on(s, o);
    note->born = note->used = here(s) + 1;
    if (s->to != &s->out) {
        note->born = NOWHERE;
        place_waits(s, o);
        o->before = s->collecting ? s->epoch : 0; /* no probe before that one met it */
    }
}

static uint32_t birth_since_probe(const ingest_t *s, const object_t *o)
{
    uint32_t born = note_of(s, o)->born;
    return born > s->probed ? born : 0;
}

/* The place of its birth; 0 where that was before the last probe, NONE where it has none yet. */
uint32_t window_born_since(const ingest_t *s, const object_t *o) { return birth_since_probe(s, o); }

uint32_t window_here(const ingest_t *s) { return here(s); }

/* A place between the events of a collection and its regions is moved behind them. */
static uint32_t outside(const ingest_t *s, uint32_t at)
{
    size_t low = s->observed_final, high = s->observed_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->observed[middle].at < at) low = middle + 1;
        else high = middle;
    }
    return low > s->observed_final && s->observed[low - 1].end > at ? s->observed[low - 1].end : at;
}

/* Where the probe before this one met `o`; NONE: it was born since. */
uint32_t window_last_probe(const ingest_t *s, const object_t *o)
{
    uint32_t probe = o->seen == s->epoch || o->seen == 0 ? o->before : o->seen;
    if (probe < s->first_probe) {
        return note_of(s, o)->born != 0 ? NONE : 0;
    }
    uint32_t i = probe - s->first_probe;
    return i < s->probes.n ? s->probes.at[i] : here(s);
}

/* Whether a probe before this one met `o` as it was from `at` on: that of a collection shows nothing of what its
 * regions did. */
int window_met_since(const ingest_t *s, const object_t *o, uint32_t at)
{
    uint32_t probe = window_last_probe(s, o);
    if (probe == NONE || probe < at) {
        return 0;
    }
    uint32_t end = outside(s, at);
    return end == at || probe > end;
}

/* Where a link that a probe has found is dated: to the birth of the later of its ends, or NOWHERE
 * when both were born before the last probe of its source.  The code that made it had hold of both then,
 * or since the probe that did not show it. */
uint32_t window_linked(ingest_t *s, object_t *from, object_t *to)
{
    uint32_t source = note_of(s, from)->born, target = note_of(s, to)->born;
    uint32_t at = source > target ? source : target;
    at = window_met_since(s, from, at) ? 0 : at;
    uint32_t used = at == 0 ? window_last_probe(s, from) : at;
    if (used != NOWHERE) {
        used_at(s, from, used);
        used_at(s, to, used);
    }
    return at == 0 ? NOWHERE : at;
}

/* Half-way between there and now: what was given up in between can have been anywhere. */
uint32_t window_between(const ingest_t *s, uint32_t at)
{
    return outside(s, at + (here(s) - at) / 2);
}

/* Where running code, which is found not to have hold of `o`, let it go: behind its last use, or half-way
 * from the last probe of it. */
uint32_t window_dropped(const ingest_t *s, const object_t *o)
{
    uint32_t probe = o->seen < s->first_probe ? 0 : o->seen - s->first_probe, used = note_of(s, o)->used;
    uint32_t probed = o->seen < s->first_probe ? 0 : probe < s->probes.n ? s->probes.at[probe] : here(s);
    return used > probed ? used : window_between(s, probed);
}


/* Since where an object must have had the references that it turned out to have more, or NOWHERE:
 * its birth, or the death of a holder that would have taken it along. */
uint32_t window_gained(ingest_t *s, object_t *o)
{
    uint32_t born = birth_since_probe(s, o), lost = note_of(s, o)->lost;
    uint32_t at = born != 0 ? born : fresh(s, lost) ? lost : NOWHERE;
    if (at != NOWHERE) {
        used_at(s, o, at);
    }
    return at;
}

static void insert(ingest_t *s, uint32_t at, int op, uint32_t a, uint32_t b, uint32_t loser)
{
    insertion_t *i = APPEND(s, insertions);
    if (i == NULL) {
        fail(s, "memory ran out");
        return;
    }
    *i = (insertion_t){at, (uint32_t)op, a, b, 0, loser};
}

/* A weak reference that a probe has found refers to its target since it was born: the code that made it had
 * hold of both then. */
void window_weak(ingest_t *s, object_t *from, object_t *to, uint32_t callback)
{
    uint32_t source = birth_since_probe(s, from), target = birth_since_probe(s, to);
    uint32_t at = source > target ? source : target;
    if (at == 0 || at == NOWHERE) {
        emit(s, OP_WEAKREF, from->name, to->name, callback);
        return;
    }
    insert(s, at, OP_WEAKREF, from->name, to->name, NONE);
    if (!s->failed) s->insertions[s->insertions_n - 1].c = callback;
    used_at(s, from, at);
    used_at(s, to, at);
}

/* Since where an object can have owned what a probe has found, or NOWHERE: a probe before that met it. */
uint32_t window_owned(const ingest_t *s, const object_t *o)
{
    uint32_t born = note_of(s, o)->born;
    return born == 0 || window_met_since(s, o, born) ? NOWHERE : born;
}

/* Writes how many bytes more than the block it was born with are an object's own; NOWHERE: now. */
void window_resized(ingest_t *s, uint32_t id, uint32_t at)
{
    const object_t *o = object_get(s, id);
    int64_t more = ((int64_t)o->size8 - (int64_t)o->born8) * 8 + (int64_t)*object_outside(s, id) * OWNED_UNIT;
    uint32_t low = (uint32_t)more, high = (uint32_t)((uint64_t)more >> 32);
    if (at == NOWHERE) {
        emit(s, OP_RESIZE, o->name, low, high);
        return;
    }
    insert(s, at, OP_RESIZE, o->name, low, NONE);
    if (!s->failed) s->insertions[s->insertions_n - 1].c = high;
}

/* Writes that `o` has a reference more, where that belongs; NOWHERE: now. */
void window_gain(ingest_t *s, object_t *o, uint32_t at, int op, uint32_t a, uint32_t b)
{
    if (at == NOWHERE) {
        emit(s, op, a, b, 0);
        at = here(s);
    } else {
        insert(s, at, op, a, b, NONE);
    }
    used_at(s, o, at); /* and nothing that a later probe tells of it may stand before */
}

/* Writes that an object has a reference less, where that belongs; NOWHERE: now, unless the probe that
 * closes the window finds that it has been garbage.  Never before its last use: every reference
 * that it got counts as one, and behind the last of them it has no fewer than now. */
void window_lose(ingest_t *s, uint32_t id, uint32_t at, int op, uint32_t a, uint32_t b)
{
    uint32_t used = note_of(s, object_get(s, id))->used;
    uint32_t loser = at == NOWHERE ? id : NONE;
    at = at == NOWHERE ? here(s) : at;
    insert(s, at > used ? at : used, op, a, b, loser);
}

/* Writes that running code did not have hold of `o` between two places, where `from` lies behind
 * its last use before the one at `to`. */
void window_parted(ingest_t *s, object_t *o, uint32_t from, uint32_t to)
{
    insert(s, from, OP_DECREF, o->name, 1, NONE);
    insert(s, to, OP_INCREF, o->name, 1, NONE);
    used_at(s, o, to);
}

/* A probe of a part of the heap cannot know that what old objects hold is garbage with them: now that
 * the whole heap has been probed, its losses are dated. */
void window_redate(ingest_t *s)
{
    for (size_t i = 0; i < s->insertions_n; i++) {
        insertion_t *loss = &s->insertions[i];
        object_t *o = loss->loser == NONE ? NULL : object_get(s, loss->loser);
        if (o == NULL || o->state != S_ALIVE || !examined(s, o)) {
            continue;
        }
        uint32_t since = unreachable_since(s, loss->loser);
        loss->at = since < loss->at ? since : loss->at;
    }
}

#define DIGIT 11

/* Sorts the insertions by where they belong, those of one place in the order they were made: digit
 * by digit, from the last. */
static void sort_insertions(ingest_t *s)
{
    size_t m = s->insertions_n, most = s->out.n - s->window_from;
    while (s->sorted_room < m) {
        if (!array_grow((void **)&s->sorted, &s->sorted_room, sizeof(*s->sorted))) {
            fail(s, "memory ran out");
            return;
        }
    }
    for (int shift = 0; most >> shift > 0; shift += DIGIT) {
        uint32_t starts[(1 << DIGIT) + 1] = {0};
        for (size_t i = 0; i < m; i++) {
            starts[(s->insertions[i].at >> shift & ((1 << DIGIT) - 1)) + 1]++;
        }
        for (size_t d = 1; d < 1 << DIGIT; d++) {
            starts[d] += starts[d - 1];
        }
        for (size_t i = 0; i < m; i++) {
            s->sorted[starts[s->insertions[i].at >> shift & ((1 << DIGIT) - 1)]++] = s->insertions[i];
        }
        insertion_t *turn = s->insertions;
        size_t room = s->insertions_room;
        s->insertions = s->sorted;
        s->insertions_room = s->sorted_room;
        s->sorted = turn;
        s->sorted_room = room;
    }
}

/* Places count without the insertions: those at or before its event move a collection, and those in its
 * regions their end. */
static void move_observed(ingest_t *s)
{
    size_t i = 0;
    for (observed_t *row = s->observed + s->observed_final; row < s->observed + s->observed_n; row++) {
        while (i < s->insertions_n && s->insertions[i].at <= row->at) i++;
        row->sequence += i;
        size_t behind = i;
        while (behind < s->insertions_n && s->insertions[behind].at < row->end) behind++;
        row->end += (uint32_t)(behind - i);
    }
}

static void merge(ingest_t *s)
{
    size_t m = s->insertions_n, from = s->out.n, to = from + m;
    events_t *e = &s->out;
    if (m == 0 || !events_room(s, e, m)) {
        return;
    }
    sort_insertions(s);
    if (s->failed) {
        return;
    }
    move_observed(s);
    readings_moved(s);
    e->n = to;
    while (m > 0) {
        const insertion_t *i = &s->insertions[--m];
        while (from > s->window_from + i->at) {
            from--;
            to--;
            e->op[to] = e->op[from];
            e->a[to] = e->a[from];
            e->b[to] = e->b[from];
            e->c[to] = e->c[from];
        }
        to--;
        e->op[to] = (uint8_t)i->op;
        e->a[to] = i->a;
        e->b[to] = i->b;
        e->c[to] = i->c;
    }
    s->insertions_n = 0;
}

/* A probe, or the collection that it belongs to, is over. */
void window_probed(ingest_t *s)
{
    s->probed = here(s);
    while (s->probes.n < s->epoch - s->first_probe + 1) {
        words_push(&s->probes, s->probed);
    }
    s->probes.at[s->epoch - s->first_probe] = s->probed;
    if (s->opening) {
        window_open(s);
    }
}

/* What waits is final, and a new window begins: behind the collection under way, if there is one. */
void window_open(ingest_t *s)
{
    s->opening = s->to != &s->out;
    if (s->opening) {
        return;
    }
    merge(s);
    s->window_from = s->out.n;
    s->window++;
    s->notes_n = 0;
    s->hits_n = 0; /* places of the window that has closed */
    s->observed_final = s->observed_n;
    s->batches_final = s->batches_placed;
    s->probes.n = 0;
    s->first_probe = s->epoch;
    s->probed = 0;
    words_push(&s->probes, 0);
}

void window_bounded(ingest_t *s)
{
    if (here(s) > WINDOW_EVENTS) {
        window_open(s);
    }
}
