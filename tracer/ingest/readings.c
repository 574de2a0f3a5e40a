/* Readings: what objects held at one moment, by name.  They change nothing of the model and write no
 * event, but stand at a place among those: that of the mark they were made at, or of the collection
 * whose probe or garbage they show. */
#include "ingest.h"

#include <string.h>

/* As the log has it, gcreplay.store.readings. */
#define INDEX 0x80000000u
#define POSITION 0xC0000000u
#define MOST_NUMBER 0x3FFFFFFFu

static uint32_t read_label_number(ingest_t *s)
{
    return (uint32_t)read_upto(s, s->label_count, "a label that was not defined");
}

static uint32_t read_name(ingest_t *s)
{
    uint64_t v = read_number(s), n = v >> NAME_BITS;
    unsigned kind = v & ((1u << NAME_BITS) - 1);
    if (kind > NAME_POSITION || n > (kind == NAME_LABEL ? s->label_count : MOST_NUMBER)) {
        fail(s, kind == NAME_LABEL ? "a label that was not defined" : "a name of no kind");
        return 0;
    }
    return (uint32_t)n | (kind == NAME_INDEX ? INDEX : kind == NAME_POSITION ? POSITION : 0);
}

/* The object that stands there, by its name in the log. */
static uint32_t read_object_at(ingest_t *s, int64_t id)
{
    object_t *o = object_named(s, id, "a reading names an object that is not alive");
    if (o != NULL && o->name == NONE) {
        fail(s, "a reading names an object that is being born");
    }
    return o == NULL ? NONE : o->name;
}

static int64_t read_difference(ingest_t *s)
{
    return unzigzag(read_upto(s, (uint64_t)UINT32_MAX << 1, "an object further than all"));
}

static void push(ingest_t *s, words_t *to, uint32_t v)
{
    if (!words_push(to, v)) {
        fail(s, "memory ran out");
    }
}

void read_readings(ingest_t *s)
{
    batch_t batch = {.reason = (uint32_t)read_upto(s, READ_PROBE, "a reading for an unknown reason")};
    int64_t id = 0;
    for (uint64_t v; !s->failed && (v = read_number(s)) != 0;) {
        id += unzigzag(v - 1);
        push(s, &s->read_objects, id == READ_FRAME ? NONE : read_object_at(s, id));
        push(s, &s->read_titles, read_label_number(s));
        uint64_t n = read_upto(s, UINT32_MAX, "more links than there can be");
        push(s, &s->read_counts, (uint32_t)n);
        for (; n > 0 && !s->failed; n--) {
            push(s, &s->read_targets, read_object_at(s, id + read_difference(s)));
            push(s, &s->read_names, read_name(s));
        }
    }
    batch_t *made = s->failed ? NULL : APPEND(s, batches);
    if (made == NULL) {
        fail(s, "memory ran out");
        return;
    }
    batch.readings = s->read_objects.n;
    batch.links = s->read_targets.n;
    *made = batch;
    if (s->to == &s->out) {
        readings_placed(s, NULL);
    }
}

/* Those that wait get their place, here or in the collection that is over; without one they are never final.
 * What its probe and its garbage show was so before it, what marks show is behind what the program did inside. */
void readings_placed(ingest_t *s, const observed_t *collection)
{
    for (; s->batches_placed < s->batches_n; s->batches_placed++) {
        batch_t *batch = &s->batches[s->batches_placed];
        int before = collection != NULL && (batch->reason == READ_GARBAGE || batch->reason == READ_PROBE);
        batch->at = before ? collection->at : window_here(s);
        batch->sequence = s->taken + s->window_from + batch->at;
    }
}

/* As `move_observed`: insertions at or before their place stand before them. */
void readings_moved(ingest_t *s)
{
    size_t i = 0;
    for (batch_t *batch = s->batches + s->batches_final; batch < s->batches + s->batches_placed; batch++) {
        while (i < s->insertions_n && s->insertions[i].at <= batch->at) i++;
        batch->sequence += i;
    }
}

static void forget(words_t *w, size_t n)
{
    w->n -= n;
    if (n > 0 && w->n > 0) memmove(w->at, w->at + n, w->n * sizeof(*w->at));
}

/* The caller has copied the final ones. */
void readings_taken(ingest_t *s)
{
    if (s->batches_final == 0) {
        return;
    }
    batch_t last = s->batches[s->batches_final - 1];
    words_t *of_readings[] = {&s->read_objects, &s->read_titles, &s->read_counts};
    for (int i = 0; i < 3; i++) forget(of_readings[i], last.readings);
    forget(&s->read_targets, last.links);
    forget(&s->read_names, last.links);
    s->batches_n -= s->batches_final;
    s->batches_placed -= s->batches_final;
    memmove(s->batches, s->batches + s->batches_final, s->batches_n * sizeof(*s->batches));
    for (size_t i = 0; i < s->batches_n; i++) {
        s->batches[i].readings -= last.readings;
        s->batches[i].links -= last.links;
    }
    s->batches_final = 0;
}
