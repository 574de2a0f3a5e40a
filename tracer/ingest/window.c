/* What the program did between two looks is known only at the second.  Dated then, a
 * collection that another policy makes one allocation earlier would know nothing of it.  So
 * the events since the last look are kept back, and what concerns objects born since is
 * dated to where it can first have happened: links to when both ends were born, the release
 * by running code to the last of the links that took over.  An object that lost a holder and
 * turns out to be held otherwise has been so since before the loss: else it would be garbage
 * from then on. */
#include "ingest.h"

#define WINDOW_EVENTS (1u << 20) /* a program that is looked at less often loses this */

#define NOWHERE NONE /* born inside callbacks, whose events get their place only later */

void window_open(ingest_t *s)
{
    s->window_from = s->out.n;
    s->window++;
    s->notes_n = 0;
}

const note_t *note_of(const ingest_t *s, const object_t *o)
{
    static const note_t nothing = {0, NOWHERE, NONE, UNJUDGED};
    return o->noted_in == s->window ? &s->notes[o->note] : &nothing;
}

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
    *note = (note_t){0, NOWHERE, NONE, UNJUDGED};
    o->note = (uint32_t)(note - s->notes);
    o->noted_in = s->window;
    return note;
}

static void used_at(ingest_t *s, object_t *o, uint32_t at)
{
    note_t *note = note_on(s, o);
    if (note->used == NONE || note->used < at) {
        note->used = at;
    }
}

/* Running code has hold of `o` when the next event is written. */
void window_used(ingest_t *s, object_t *o)
{
    if (s->to == &s->out && s->found_done) {
        note_on(s, o)->used = (uint32_t)(s->out.n - s->window_from);
    }
}

/* The next event written takes a link from `o`, which lives on. */
void window_lost(ingest_t *s, object_t *o)
{
    if (s->to == &s->out && note_of(s, o)->lost == NOWHERE && s->found_done) {
        if (s->out.n - s->window_from > WINDOW_EVENTS) {
            window_open(s);
        }
        note_on(s, o)->lost = (uint32_t)(s->out.n - s->window_from);
    }
    window_used(s, o);
}

/* The next event written is its birth. */
void window_born(ingest_t *s, object_t *o)
{
    if (s->found_done) {
        note_t *note = note_on(s, o);
        note->born = s->to == &s->out ? (uint32_t)(s->out.n - s->window_from) + 1 : NOWHERE;
        if (note->born != NOWHERE) {
            note->used = note->born;
        }
    }
}

/* Where a link that a probe has found is dated: to the birth of the later of its ends, or NOWHERE
 * when both are older than the window. */
uint32_t window_linked(ingest_t *s, object_t *from, object_t *to)
{
    uint32_t source = note_of(s, from)->born, target = note_of(s, to)->born;
    uint32_t at = source > target ? source : target;
    if (at == 0 || at == NOWHERE) {
        return NOWHERE;
    }
    used_at(s, from, at);
    used_at(s, to, at);
    return at;
}

/* Where something last shows `o` to be in use.  Nothing does: half-way through the window, for it
 * can have been given up anywhere in it. */
uint32_t window_last_use(const ingest_t *s, const object_t *o)
{
    const note_t *note = note_of(s, o);
    if (note->born == NOWHERE) {
        return (uint32_t)(s->out.n - s->window_from);
    }
    return note->used != NONE ? note->used : (uint32_t)((s->out.n - s->window_from) / 2);
}

/* Since where an object must have had the references that it turned out to have more: its birth,
 * or the death of a holder that would have taken it along. */
uint32_t window_gained(const ingest_t *s, const object_t *o)
{
    const note_t *note = note_of(s, o);
    return note->born != 0 ? note->born : note->lost;
}

/* Writes an event where it belongs; NOWHERE: now. */
void window_write(ingest_t *s, uint32_t at, int op, uint32_t a, uint32_t b)
{
    if (at == NOWHERE) {
        emit(s, op, a, b, 0);
        return;
    }
    insertion_t *i = APPEND(s, insertions);
    if (i == NULL) {
        fail(s, "memory ran out");
        return;
    }
    *i = (insertion_t){at, (uint32_t)op, a, b};
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

void window_merge(ingest_t *s)
{
    size_t m = s->insertions_n, from = s->out.n, to = from + m;
    events_t *e = &s->out;
    if (m == 0 || !events_room(s, e, m)) {
        return;
    }
    sort_insertions(s);
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
        e->c[to] = 0;
    }
    s->insertions_n = 0;
}
