/* The rules of the event log, judged under `never`: reference counts and links, no collector.
 * One pass, O(1) an event but for deaths, which undo the links of what dies. */
#ifndef GCREPLAY_RULES_H
#define GCREPLAY_RULES_H

#include "links.h"

enum { START, ALLOC, INCREF, DECREF, LINK, UNLINK, KEPT, RESIZE, TRACK, UNTRACK, GC_CALL, INSIDE, SAFEPOINT, MARK,
       TICK, WEAKREF };

/* Broken rules, by number: the index into operands.RULES. */
enum { VALID, NO_SUCH_OP, NOT_DENSE, UNKNOWN_SHAPE, UNKNOWN_SITE, NOT_BORN, DEAD, NO_REFERENCES, TOO_MANY, NO_LINK,
       UNKNOWN_LABEL, NOT_JUST_DIED, NO_CONTAINER, BAD_GENERATION, BAD_CALL, UNKNOWN_ARGUMENT, NESTED, NOT_INSIDE,
       BAD_VALUE, HAS_TARGET, SECOND_START, NOT_FOUND_HEAP, DEATH_FOUND_HEAP, NOT_HELD, BAD_FLAGS, TOO_MANY_BYTES,
       NO_MEMORY };

enum { FLAG_GC = 1, FLAG_COUNTED = 2, FLAG_TRACKED = 4, FLAG_IMMORTAL = 8 };
enum { UNFREEABLE = 4 }; /* of store.events */
enum { HIT = 2, MISS = 3 }; /* of store.events.WeakUse */
enum {
    GC_CALLS = 7,
    LABEL_OPS = 1 << INCREF | 1 << DECREF | 1 << LINK | 1 << UNLINK,
    OBJECT_OPS = LABEL_OPS | 1 << RESIZE | 1 << TRACK | 1 << UNTRACK | 1 << WEAKREF,
    /* UNTRACK undoes the tracking that a link from a dict implies. */
    FOUND_HEAP_OPS = 1 << START | 1 << ALLOC | 1 << INCREF | 1 << DECREF | 1 << LINK | 1 << RESIZE | 1 << TRACK
                     | 1 << UNTRACK | 1 << WEAKREF,
};
#define MOST_BYTES ((INT64_C(1) << 48) - 1)  /* of store.values: of one object */
#define ALL_BYTES ((UINT64_C(1) << 63) - 1)  /* of all together, so that no sum of them overflows */

typedef struct {
    uint64_t bytes;
    uint32_t state;  /* of an object that is born; dead: the flags of the shape contradict each other */
} Shape;

typedef struct {
    Objects objects;
    Links links;
    uint32_t *stack;  /* the dead whose links are still to be undone */
    size_t stack_room;
    Shape *shapes;
    uint32_t shapes_n, sites, labels, arguments; /* how many an event may name */
    uint32_t inside, calls;
    int is_inside, found_heap, started;
    uint64_t born, dead, bytes;
    uint32_t culprit; /* the object that the broken rule speaks of */
} Rules;

static inline void rules_free(Rules *s)
{
    objects_free(&s->objects, s->born);
    links_free(&s->links);
    free(s->stack);
    free(s->shapes);
}

/* The shapes that an event may name, from now on.  Returns 0 when memory ran out. */
static int rules_shapes(Rules *s, const uint64_t *sizes, const uint32_t *flags, size_t n)
{
    Shape *shapes = n > MOST_SHAPES ? NULL : realloc(s->shapes, (n + 1) * sizeof(*shapes));
    if (shapes == NULL) {
        return 0;
    }
    for (uint32_t i = s->shapes_n; i < n; i++) {
        uint32_t f = flags[i], state = i << STATE_BITS;
        state |= f & FLAG_GC ? IS_GC : f & (FLAG_COUNTED | FLAG_TRACKED) ? IS_DEAD : 0;
        shapes[i] = (Shape){sizes[i], state | (f & FLAG_IMMORTAL ? IS_IMMORTAL : 0)};
    }
    s->shapes = shapes;
    s->shapes_n = (uint32_t)n;
    return 1;
}

static inline int broken(Rules *s, int rule, uint32_t culprit)
{
    s->culprit = culprit;
    return rule;
}

static inline int is_dead(const Rules *s, uint32_t id) { return object_at(&s->objects, id)->state & IS_DEAD; }

/* Changes where KEPT may no longer name what died before. */
static inline uint32_t epoch(const Rules *s) { return (uint32_t)s->born + s->calls; }

/* All that was ever said counts: no replay holds more. */
static inline int more_bytes(Rules *s, uint64_t more)
{
    s->bytes += more;
    return likely(s->bytes <= ALL_BYTES) ? VALID : TOO_MANY_BYTES;
}

static inline int bear(Rules *s, uint32_t id, uint32_t shape, uint32_t site)
{
    if (unlikely(id != s->born)) return broken(s, NOT_DENSE, id);
    if (unlikely(shape >= s->shapes_n)) return UNKNOWN_SHAPE;
    if (unlikely(site >= s->sites)) return UNKNOWN_SITE;
    const Shape *of = &s->shapes[shape];
    if (unlikely(of->state & IS_DEAD)) return BAD_FLAGS;
    if (unlikely(id % PAGE_OBJECTS == 0) && !page_begun(&s->objects, id)) return NO_MEMORY;
    s->born++;
    *object_new(&s->objects, id) = (Object){1, 0, NONE, of->state};
    return more_bytes(s, of->bytes);
}

/* ---- deaths ------------------------------------------------------------------- */

static inline int bury(Rules *s, uint32_t id, Object *object)
{
    object->state |= IS_DEAD;
    object->held = epoch(s);
    s->dead++;
    return object_died(&s->objects, id);
}

/* It dies; its links, if it has any, are undone when its turn on the stack comes. */
static inline int bury_later(Rules *s, size_t *depth, uint32_t id, Object *object)
{
    if (!bury(s, id, object)) {
        return 0;
    }
    if (object->head == NONE) {
        return 1;
    }
    if (!array_room((void **)&s->stack, &s->stack_room, *depth, sizeof(*s->stack))) {
        return 0;
    }
    s->stack[(*depth)++] = id;
    return 1;
}

/* The links of so many dead on the stack, and of what dies of that, are undone. */
__attribute__((noinline)) static int undo(Rules *s, size_t depth)
{
    while (depth) {
        uint32_t dying = s->stack[--depth];
        Object *object = object_at(&s->objects, dying);
        for (uint32_t link = object->head, next; link != NONE; link = next) {
            uint32_t target = s->links.at[link].target;
            next = s->links.at[link].next;
            if (unlikely(object->state & IS_INDEXED)) {
                link_forget(&s->links, dying, target);
            }
            link_give(&s->links, link);
            Object *held = object_at(&s->objects, target);
            if (held->state & IS_DEAD) {
                continue; /* it has left */
            }
            held->linked--;
            if (held->linked + held->held == 0 && !(held->state & IS_IMMORTAL)
                && !bury_later(s, &depth, target, held)) {
                return NO_MEMORY;
            }
        }
        object->head = NONE;
    }
    return VALID;
}

/* Nothing refers to the object any more: it dies, its links are undone, and so on. */
static inline int die(Rules *s, uint32_t id, Object *object)
{
    size_t depth = 0;
    if (object->state & IS_IMMORTAL) {
        return VALID;
    }
    if (s->found_heap) {
        return broken(s, DEATH_FOUND_HEAP, id);
    }
    if (!bury_later(s, &depth, id, object)) {
        return NO_MEMORY;
    }
    return depth ? undo(s, depth) : VALID;
}

/* These objects are known to leave at once, and to be named no more. */
static int leave(Rules *s, const uint32_t *gone, size_t n)
{
    size_t depth = 0;
    for (size_t i = 0; i < n; i++) {
        if (gone[i] < s->born && !is_dead(s, gone[i])
            && !bury_later(s, &depth, gone[i], object_at(&s->objects, gone[i]))) {
            return NO_MEMORY;
        }
    }
    return undo(s, depth);
}

/* ---- events ------------------------------------------------------------------- */

static int region(Rules *s, uint32_t object, uint32_t begin)
{
    if (begin > 1) return BAD_VALUE;
    if (begin) {
        if (s->is_inside) return NESTED;
        if (object != NONE && object >= s->born) return broken(s, NOT_BORN, object);
        if (object != NONE && is_dead(s, object)) return broken(s, DEAD, object);
        s->inside = object;
    } else if (!s->is_inside || object != s->inside) {
        return NOT_INSIDE;
    }
    s->is_inside = (int)begin;
    return VALID;
}

static int kept(Rules *s, uint32_t id)
{
    if (id >= s->born) return broken(s, NOT_BORN, id);
    Object *object = object_at(&s->objects, id);
    /* What only links hold may be held by garbage, and have died with or after it. */
    if (object->state & IS_KEPT || object->held != (object->state & IS_DEAD ? epoch(s) : 0)) {
        return NOT_JUST_DIED;
    }
    object->state |= IS_KEPT;
    return VALID;
}

static int resize(Rules *s, const Object *object, int64_t more)
{
    int64_t size = (int64_t)s->shapes[object->state >> STATE_BITS].bytes;
    return more < -size || more > MOST_BYTES ? BAD_VALUE : more_bytes(s, more > 0 ? (uint64_t)more : 0);
}

static int weakref(Rules *s, Object *object, uint32_t target, uint32_t kind)
{
    if (target >= s->born) return broken(s, NOT_BORN, target);
    if (kind == MISS) return VALID; /* its target is dead, or garbage */
    if (is_dead(s, target)) return broken(s, DEAD, target);
    if (kind == HIT) return VALID;
    if (object->state & IS_WEAK) return HAS_TARGET;
    object->state |= IS_WEAK;
    return kind <= 1 ? VALID : BAD_VALUE;
}

static inline int take_link(Rules *s, uint32_t source, Object *holder, uint32_t target)
{
    if (unlikely(target >= s->born)) return broken(s, NOT_BORN, target);
    Object *held = object_at(&s->objects, target);
    if (unlikely(held->state & IS_DEAD)) return broken(s, DEAD, target);
    if (unlikely(held->held + held->linked == NONE)) return broken(s, TOO_MANY, target);
    held->linked++;
    return likely(link_add(&s->links, source, holder, target)) ? VALID : NO_MEMORY;
}

static inline int drop_link(Rules *s, uint32_t source, Object *holder, uint32_t target)
{
    if (unlikely(target >= s->born)) return broken(s, NOT_BORN, target);
    Object *held = object_at(&s->objects, target);
    if (unlikely(held->state & IS_DEAD)) return broken(s, DEAD, target);
    int dropped = link_drop(&s->links, source, holder, target);
    if (unlikely(dropped != 1)) return dropped == 0 ? NO_LINK : NO_MEMORY;
    held->linked--;
    return held->held + held->linked == 0 ? die(s, target, held) : VALID;
}

static inline int decref(Rules *s, uint32_t id, Object *object, uint32_t n)
{
    if (unlikely(n == 0)) return NO_REFERENCES;
    if (unlikely(n > object->held)) return broken(s, NOT_HELD, id);
    object->held -= n;
    return object->held + object->linked == 0 ? die(s, id, object) : VALID;
}

static inline int incref(Rules *s, uint32_t id, Object *object, uint32_t n)
{
    if (unlikely(n == 0)) return NO_REFERENCES;
    if (unlikely(n > NONE - object->held - object->linked)) return broken(s, TOO_MANY, id);
    object->held += n;
    return VALID;
}

static int track(Rules *s, uint32_t id, const Object *object, uint32_t generation)
{
    if (!(object->state & IS_GC)) return broken(s, NO_CONTAINER, id);
    return generation <= (s->found_heap ? 3 : 0) || (generation == UNFREEABLE && !s->found_heap) ? VALID
                                                                                            : BAD_GENERATION;
}

/* An event that names no object, or one in a way of its own. */
static int other(Rules *s, uint8_t op, uint32_t a, uint32_t b, uint32_t c)
{
    switch (op) {
    case START:
        if (s->started || !s->found_heap) return SECOND_START;
        s->started = 1;
        s->found_heap = 0;
        return a < s->arguments ? VALID : UNKNOWN_ARGUMENT;
    case GC_CALL:
        s->calls++;
        return a >= GC_CALLS ? BAD_CALL : b >= s->arguments ? UNKNOWN_ARGUMENT : c <= 1 || c <= s->sites ? VALID : BAD_VALUE;
    case MARK: return a < s->labels ? VALID : UNKNOWN_LABEL;
    case INSIDE: return region(s, a, b);
    case KEPT: return kept(s, a);
    default: return op <= WEAKREF ? VALID : NO_SUCH_OP; /* SAFEPOINT, TICK */
    }
}

/* Applies the next event.  Returns the rule that it breaks; after that the state must not be fed again. */
__attribute__((always_inline)) static inline int apply(Rules *s, uint8_t op, uint32_t a, uint32_t b, uint32_t c)
{
    if (unlikely(s->found_heap) && op <= WEAKREF && !(1 << op & FOUND_HEAP_OPS)) return NOT_FOUND_HEAP;
    if (op == ALLOC) return bear(s, a, b, c);
    if (op > WEAKREF || !(1 << op & OBJECT_OPS)) return other(s, op, a, b, c);
    if (unlikely(a >= s->born)) return broken(s, NOT_BORN, a);
    Object *object = object_at(&s->objects, a);
    if (unlikely(object->state & (IS_DEAD | IS_KEPT))) return broken(s, DEAD, a);
    if (1 << op & LABEL_OPS) {
        if (unlikely(c >= s->labels)) return UNKNOWN_LABEL;
        if (op == LINK) return take_link(s, a, object, b);
        if (op == DECREF) return decref(s, a, object, b);
        return op == INCREF ? incref(s, a, object, b) : drop_link(s, a, object, b);
    }
    switch (op) {
    case RESIZE: return resize(s, object, (int64_t)((uint64_t)c << 32 | b));
    case WEAKREF: return weakref(s, object, b, c);
    case TRACK: return track(s, a, object, b);
    default: return object->state & IS_GC ? VALID : broken(s, NO_CONTAINER, a); /* UNTRACK */
    }
}

typedef struct { const uint8_t *op; const uint32_t *a, *b, *c; } Columns;

/* Applies events from `i` up to `n`.  Returns where it stopped, with the broken rule, or VALID. */
static size_t apply_all(Rules *s, const Columns *of, size_t i, size_t n, int *rule)
{
    const uint8_t *op = of->op;
    const uint32_t *a = of->a, *b = of->b, *c = of->c;
    int broke = VALID;
    for (; i < n; i++) {
        broke = apply(s, op[i], a[i], b[i], c[i]);
        if (unlikely(broke != VALID)) {
            break;
        }
    }
    *rule = broke;
    return i;
}

/* The whole log without some events, beside the whole: applies a valid event of the whole as far as it
 * can still happen, with operands that may be less.  Returns the rule that it would break. */
static int remains(Rules *s, const Rules *whole, uint8_t op, uint32_t *a, uint32_t *b, uint32_t c)
{
    const Object *object;
    switch (op) {
    case INSIDE:
        if (!*b) *a = s->inside;
        else if (*a != NONE && is_dead(s, *a)) *a = NONE;
        break;
    case DECREF:
        object = object_at(&s->objects, *a);
        if (!(object->state & IS_DEAD) && object->held < *b) *b = object->held;
        break;
    case KEPT:
        if (is_dead(whole, *a) && !is_dead(s, *a)) return NOT_JUST_DIED;
        break;
    }
    return apply(s, op, *a, *b, c);
}

#endif
