/* libFuzzer feeds the ingest what a spool may hold behind its header, whole or in two pieces, as it
 * comes while a program runs.  What the binding reads of it afterwards is looked at here. */
#include <stdio.h>
#include <stdlib.h>

#include "ingest.h"

static volatile uint8_t sink;

#define check(HOLDS) \
    do { \
        if (!(HOLDS)) { \
            fprintf(stderr, "does not hold: %s\n", #HOLDS); \
            abort(); \
        } \
    } while (0)

static void look(const uint8_t *base, size_t size, size_t at, size_t n)
{
    check(at <= size && n <= size - at);
    for (size_t i = 0; i < n; i++) sink = base[at + i];
}

/* As cdef _definitions() in _ingest.pyx, and what ingest.py makes of it. */
static void look_at_definitions(const ingest_t *s, size_t size)
{
    const uint8_t *b = s->base;
    for (size_t i = 0; i < s->types_n; i++) {
        look(b, size, s->types[i].module_at, s->types[i].module_n);
        look(b, size, s->types[i].name_at, s->types[i].name_n);
        check((s->types[i].kind_flags & TYPE_KIND_MASK) <= KIND_TYPE);
        check(s->types[i].module_kind <= 4 && s->types[i].module_kind != 3);
    }
    for (size_t i = 0; i < s->codes_n; i++) {
        look(b, size, s->codes[i].file_at, s->codes[i].file_n);
        look(b, size, s->codes[i].name_at, s->codes[i].name_n);
        look(b, size, s->codes[i].table_at, s->codes[i].table_n);
    }
    for (size_t i = 0; i < s->sites_n; i++) check(s->sites[i].code > 0 && s->sites[i].code <= s->code_count);
    for (size_t i = 0; i < s->shapes_n; i++) check(s->shapes[i].type <= s->type_count);
    for (size_t i = 0; i < s->marks_n; i++) look(b, size, s->marks[i].at, s->marks[i].n);
    for (size_t i = 0; i < s->calls_n; i++) check(s->calls[i].n >= 0 && s->calls[i].n <= 3);
    for (size_t i = 0; i < s->window_from; i++) {
        uint32_t a = s->out.a[i], b = s->out.b[i], c = s->out.c[i];
        switch (s->out.op[i]) {
        case OP_ALLOC: check(a < s->next_name && b < s->shape_used && c <= s->site_count); break;
        case OP_MARK: check(a < s->mark_count); break;
        case OP_GC_CALL: check(b < s->call_count); break;
        case OP_LINK: case OP_UNLINK: check(a < s->next_name && b < s->next_name); break;
        case OP_INCREF: case OP_DECREF: check(a < s->next_name && b > 0); break;
        case OP_TRACK: case OP_UNTRACK: case OP_KEPT: check(a < s->next_name); break;
        }
    }
}

static int fed(ingest_t *s, const uint8_t *data, size_t size)
{
    size_t from = 0;
    while (from < size) {
        int64_t read = ingest_feed(s, data + from, size - from, 1000);
        look_at_definitions(s, size - from);
        ingest_taken(s);
        if (read <= 0) {
            return read == 0;
        }
        from += (size_t)read;
    }
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ingest_t *s = ingest_new();
    if (s != NULL && fed(s, data, size)) {
        ingest_finish(s);
        look_at_definitions(s, size);
        ingest_taken(s);
    }
    ingest_free(s);
    return 0;
}
