/* Feeds the reader bytes of the spool, and gives back what is final. */
#include "ingest.h"

#include <stdlib.h>
#include <string.h>

ingest_t *ingest_new(void)
{
    ingest_t *s = calloc(1, sizeof(*s));
    if (s != NULL) {
        s->next_id = 1;
        s->free_edge = NONE;
        s->window = 1;
        s->to = &s->out;
    }
    return s;
}

void ingest_free(ingest_t *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->pages_room; i++) free((void *)(s->pages[i].bits & ~(uintptr_t)1));
    events_t *e[] = {&s->out, &s->side};
    for (int i = 0; i < 2; i++) {
        free(e[i]->op);
        free(e[i]->a);
        free(e[i]->b);
        free(e[i]->c);
    }
    words_t *w[] = {&s->generations[0], &s->generations[1], &s->generations[2], &s->generations[3], &s->batch,
                    &s->stack, &s->holds, &s->pairs, &s->trail, &s->touched, &s->balance, &s->grown, &s->added,
                    &s->removed, &s->targets, &s->doomed, &s->garbage, &s->rescued, &s->outlived, &s->owners, &s->saved, &s->hung, &s->hanging, &s->probes,
                    &s->inside, &s->regions, &s->switches, &s->sparse, &s->handed, &s->buried, &s->read_objects, &s->read_titles, &s->read_counts, &s->read_targets, &s->read_names};
    for (size_t i = 0; i < sizeof(w) / sizeof(*w); i++) free(w[i]->at);
    void *arrays[] = {s->types, s->codes, s->sites, s->shapes, s->marks, s->calls, s->observed, s->type_flags, s->insertions,
                      s->sorted, s->unusual, s->notes, s->labels, s->batches, s->verdicts, s->path, s->weak, s->hits, s->shape_keys, s->shape_values, s->pages, s->edges};
    for (size_t i = 0; i < sizeof(arrays) / sizeof(*arrays); i++) free(arrays[i]);
    free(s);
}

int64_t ingest_feed(ingest_t *s, const uint8_t *base, size_t n, size_t max_events)
{
    jmp_buf here;
    s->base = s->at = s->record = base;
    s->end = base + n;
    out_of_memory = &here;
    if (setjmp(here) != 0) {
        fail(s, "memory ran out");
    }
    while (!s->failed && s->window_from < max_events) {
        s->record = s->at;
        if (!read_record(s)) {
            break;
        }
        window_bounded(s);
        if (s->window != s->packed_in) {
            s->packed_in = s->window;
            pages_pack(s);
        }
    }
    out_of_memory = NULL;
    return s->failed ? -1 : (int64_t)(s->at - s->base);
}

static void complete(ingest_t *s)
{
    collection_finish(s);
    if (s->collecting || s->beginning) {
        /* The program ended inside a collection: what it did there is not complete, and the object
         * whose birth began it has yet to get its number where callbacks ran first. */
        if (s->beginning) s->next_name = s->start_name;
        memcpy(s->repairs, s->repairs_before, sizeof(s->repairs));
        s->collecting = s->beginning = 0;
        s->side.n = s->inside.n = s->regions.n = s->doomed.n = s->batch.n = 0;
        s->deleted = 0;
        owners_over(s);
        s->to = &s->out;
    }
    deaths_flush(s);
    held_flush(s);
    window_open(s);
}

void ingest_finish(ingest_t *s)
{
    jmp_buf here;
    if (s->failed) {
        return;
    }
    out_of_memory = &here;
    if (setjmp(here) == 0) {
        complete(s);
    } else {
        fail(s, "memory ran out");
    }
    out_of_memory = NULL;
}

void ingest_taken(ingest_t *s)
{
    size_t rest = s->out.n - s->window_from;
    if (s->window_from > 0 && rest > 0) {
        memmove(s->out.op, s->out.op + s->window_from, rest);
        memmove(s->out.a, s->out.a + s->window_from, rest * sizeof(*s->out.a));
        memmove(s->out.b, s->out.b + s->window_from, rest * sizeof(*s->out.b));
        memmove(s->out.c, s->out.c + s->window_from, rest * sizeof(*s->out.c));
    }
    s->taken += s->window_from;
    s->out.n = rest;
    s->window_from = 0;
    s->types_n = s->codes_n = s->sites_n = s->shapes_n = s->marks_n = s->calls_n = s->labels_n = 0;
    readings_taken(s);
    if (s->observed_final > 0) {
        uint32_t buried = s->observed[s->observed_final - 1].buried;
        for (size_t i = s->observed_final; i < s->observed_n; i++) s->observed[i].buried -= buried;
        s->buried.n -= buried;
        if (s->buried.n > 0) memmove(s->buried.at, s->buried.at + buried, s->buried.n * sizeof(*s->buried.at));
        memmove(s->observed, s->observed + s->observed_final, (s->observed_n - s->observed_final) * sizeof(*s->observed));
    }
    s->observed_n -= s->observed_final;
    s->observed_final = 0;
}
