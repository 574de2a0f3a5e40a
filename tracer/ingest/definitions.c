/* What the spool says of names: types, code objects, sites, marks and labels. A definition counts when all of
 * it has been read. */
#include "ingest.h"

static void read_text(ingest_t *s, uint32_t *kind, size_t *at, size_t *n)
{
    if (s->at >= s->end) {
        fail(s, "the spool ends inside a record");
        return;
    }
    *kind = *s->at++;
    if (*kind > 4 || *kind == 3) {
        fail(s, "a text of an unknown kind");
        return;
    }
    size_t characters = (size_t)read_number(s), bytes = *kind == 0 ? 1 : *kind;
    *at = (size_t)(s->at - s->base);
    if (characters > (size_t)(s->end - s->at) / bytes) {
        fail(s, "the spool ends inside a text");
        return;
    }
    *n = characters * bytes;
    s->at += *n;
}

void read_type(ingest_t *s)
{
    type_def_t read = {.kind_flags = (uint32_t)read_upto(s, 127, "a type with unknown flags")};
    if ((read.kind_flags & TYPE_KIND_MASK) > KIND_TYPE) {
        fail(s, "a type of an unknown kind");
    }
    read_text(s, &read.module_kind, &read.module_at, &read.module_n);
    read_text(s, &read.name_kind, &read.name_at, &read.name_n);
    type_def_t *d = s->failed ? NULL : APPEND(s, types);
    if (d == NULL) {
        fail(s, "memory ran out");
        return;
    }
    *d = read;
    while (s->type_count + 1 >= s->type_flags_room) {
        if (!array_grow((void **)&s->type_flags, &s->type_flags_room, 1)) {
            fail(s, "memory ran out");
            return;
        }
    }
    s->type_flags[++s->type_count] = (uint8_t)d->kind_flags;
}

void read_code(ingest_t *s)
{
    code_def_t read = {.first_line = (uint32_t)read_upto(s, INT32_MAX, "a line number that is none")};
    read_text(s, &read.file_kind, &read.file_at, &read.file_n);
    read_text(s, &read.name_kind, &read.name_at, &read.name_n);
    read.table_n = (size_t)read_number(s);
    read.table_at = (size_t)(s->at - s->base);
    if (read.table_n > (size_t)(s->end - s->at)) {
        fail(s, "the spool ends inside a line table");
    }
    code_def_t *d = s->failed ? NULL : APPEND(s, codes);
    if (d == NULL) {
        fail(s, "memory ran out");
        return;
    }
    *d = read;
    s->at += d->table_n;
    s->code_count++;
}

void read_site(ingest_t *s)
{
    site_def_t read = {.code = (uint32_t)read_upto(s, s->code_count, "a code object that was not defined")};
    read.offset = (uint32_t)read_upto(s, INT32_MAX, "an instruction that is none");
    read.near = (uint32_t)read_upto(s, 1, "a site neither exact nor near");
    if (read.code == 0) {
        fail(s, "a site without a code object");
    }
    site_def_t *d = s->failed ? NULL : APPEND(s, sites);
    if (d == NULL) {
        fail(s, "memory ran out");
        return;
    }
    *d = read;
    s->site_count++;
}

void read_mark(ingest_t *s)
{
    text_def_t read = {0};
    read_text(s, &read.kind, &read.at, &read.n);
    text_def_t *d = s->failed ? NULL : APPEND(s, marks);
    if (d == NULL) {
        fail(s, "memory ran out");
        return;
    }
    *d = read;
    emit(s, OP_MARK, s->mark_count++, 0, 0);
}

void read_label(ingest_t *s)
{
    text_def_t read = {0};
    read_text(s, &read.kind, &read.at, &read.n);
    if (s->label_count == UINT32_MAX >> NAME_BITS) {
        fail(s, "there are more labels than numbers for them");
    }
    text_def_t *d = s->failed ? NULL : APPEND(s, labels);
    if (d == NULL) {
        fail(s, "memory ran out");
        return;
    }
    *d = read;
    s->label_count++;
}
