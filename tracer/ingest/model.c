/* Links as edges that stand in the list of their source (in order) and of their target, and what
 * is written of a birth. */
#include "ingest.h"

#include <stdlib.h>
#include <string.h>

void fail(ingest_t *s, const char *why)
{
    if (!s->failed) {
        s->failed = 1;
        s->error = why;
    }
}

_Thread_local jmp_buf *out_of_memory;

int array_grow(void **at, size_t *room, size_t item)
{
    size_t bigger = *room == 0 ? 256 : 2 * *room;
    void *to = realloc(*at, bigger * item);
    if (to == NULL) {
        if (out_of_memory != NULL) {
            longjmp(*out_of_memory, 1);
        }
        return 0;
    }
    *at = to;
    *room = bigger;
    return 1;
}

int events_room(ingest_t *s, events_t *e, size_t more)
{
    if (e->n + more <= e->room) {
        return 1;
    }
    size_t bigger = e->room == 0 ? 1 << 16 : e->room;
    while (bigger < e->n + more) {
        bigger *= 2;
    }
    uint8_t *op = realloc(e->op, bigger);
    if (op != NULL) e->op = op;
    uint32_t *a = realloc(e->a, bigger * 4), *b, *c;
    if (a != NULL) e->a = a;
    b = realloc(e->b, bigger * 4);
    if (b != NULL) e->b = b;
    c = realloc(e->c, bigger * 4);
    if (c != NULL) e->c = c;
    if (!op || !a || !b || !c) {
        fail(s, "memory ran out");
        return 0;
    }
    e->room = bigger;
    return 1;
}

void events_append(ingest_t *s, events_t *to, const events_t *from)
{
    if (from->n == 0) {
        return;
    }
    if (!events_room(s, to, from->n)) {
        return;
    }
    memcpy(to->op + to->n, from->op, from->n);
    memcpy(to->a + to->n, from->a, from->n * 4);
    memcpy(to->b + to->n, from->b, from->n * 4);
    memcpy(to->c + to->n, from->c, from->n * 4);
    to->n += from->n;
}

void edge_add(ingest_t *s, uint32_t from, uint32_t to)
{
    uint32_t i = s->free_edge;
    if (i != NONE) {
        s->free_edge = s->edges[i].out_next;
    } else {
        if (s->edges_n == s->edges_room && !array_grow((void **)&s->edges, &s->edges_room, sizeof(*s->edges))) {
            fail(s, "memory ran out");
            return;
        }
        i = (uint32_t)s->edges_n++;
    }
    object_t *source = object_get(s, from), *target = object_get(s, to);
    edge_t *e = &s->edges[i];
    e->from = from;
    e->to = to;
    e->out_next = NONE;
    e->out_before = source->out_last;
    if (source->out_last != NONE) {
        s->edges[source->out_last].out_next = i;
    } else {
        source->out_first = i;
    }
    source->out_last = i;
    e->in_before = NONE;
    e->in_next = target->in_first;
    if (target->in_first != NONE) {
        s->edges[target->in_first].in_before = i;
    }
    target->in_first = i;
    target->links++;
}

void edge_drop(ingest_t *s, uint32_t i)
{
    edge_t *e = &s->edges[i];
    object_t *source = object_get(s, e->from), *target = object_get(s, e->to);
    if (e->out_before != NONE) s->edges[e->out_before].out_next = e->out_next;
    else source->out_first = e->out_next;
    if (e->out_next != NONE) s->edges[e->out_next].out_before = e->out_before;
    else source->out_last = e->out_before;
    if (e->in_before != NONE) s->edges[e->in_before].in_next = e->in_next;
    else target->in_first = e->in_next;
    if (e->in_next != NONE) s->edges[e->in_next].in_before = e->in_before;
    target->links--;
    e->out_next = s->free_edge;
    s->free_edge = i;
}

/* The number of the shape (type, bytes, flags), interned in order of first use. */
static uint32_t shape_of(ingest_t *s, uint32_t type, uint32_t size8, unsigned flags)
{
    uint64_t key = ((uint64_t)type << 40 | (uint64_t)size8 << 6 | flags) + 1;
    if (s->shape_used * 2 >= s->shape_mask) {
        size_t room = s->shape_keys == NULL ? 4096 : 2 * (s->shape_mask + 1);
        uint64_t *keys = calloc(room, sizeof(*keys));
        uint32_t *values = calloc(room, sizeof(*values));
        if (keys == NULL || values == NULL) {
            free(keys);
            free(values);
            fail(s, "memory ran out");
            return 0;
        }
        for (size_t i = 0; s->shape_keys != NULL && i <= s->shape_mask; i++) {
            if (s->shape_keys[i] != 0) {
                size_t j = (s->shape_keys[i] * 0x9E3779B97F4A7C15u >> 20) & (room - 1);
                while (keys[j] != 0) j = (j + 1) & (room - 1);
                keys[j] = s->shape_keys[i];
                values[j] = s->shape_values[i];
            }
        }
        free(s->shape_keys);
        free(s->shape_values);
        s->shape_keys = keys;
        s->shape_values = values;
        s->shape_mask = room - 1;
    }
    size_t i = (key * 0x9E3779B97F4A7C15u >> 20) & s->shape_mask;
    while (s->shape_keys[i] != 0 && s->shape_keys[i] != key) {
        i = (i + 1) & s->shape_mask;
    }
    if (s->shape_keys[i] == 0) {
        shape_def_t *d = APPEND(s, shapes);
        if (d == NULL) {
            fail(s, "memory ran out");
            return 0;
        }
        *d = (shape_def_t){type, size8 * 8, flags};
        s->shape_keys[i] = key;
        s->shape_values[i] = (uint32_t)s->shape_used++;
    }
    return s->shape_values[i];
}

void write_alloc(ingest_t *s, object_t *o, unsigned flags, uint32_t site)
{
    if (o->name == NONE) {
        o->name = s->next_name++;
    }
    window_born(s, o);
    emit(s, OP_ALLOC, o->name, shape_of(s, o->type, o->size8, FLAG_GC | flags), site);
}

/* CPython's MAINTAIN_TRACKING: an untracked dictionary that gets something collectable. Engines
 * treat a tuple alike, whose links may become known only after they untracked it. */
void link_made(ingest_t *s, uint32_t from, uint32_t to)
{
    object_t *source = object_get(s, from), *target = object_get(s, to);
    unsigned kind = kind_of(s, source);
    if (source->generation == 4 && (kind == KIND_DICT || kind == KIND_TUPLE)
        && (kind_of(s, target) != KIND_TUPLE || target->generation != 4)) {
        source->generation = 0;
        words_push(&s->generations[0], from);
    }
}
