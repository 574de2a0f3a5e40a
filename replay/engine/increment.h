/* What collectors do that take a heap in parts, as those of CPython 3.14.0 to 3.14.4 (Python/gc.c):
   the front of a list with what it leads to, what is alive by its roots, what suspects lead to. */
#ifndef GCREPLAY_INCREMENT_H
#define GCREPLAY_INCREMENT_H

#include "finalize.h"

typedef struct {
    uint64_t candidates;        /* objects examined */
    uint64_t links;             /* their outgoing links that a traversal shows */
    uint64_t collected;         /* unreachable and deleted */
    uint64_t uncollectable;     /* held by a legacy finalizer */
    uint64_t survivors;         /* candidates still tracked after it, uncollectable ones aside */
    uint64_t freed, bytes;      /* collected and what died with them */
} Figures;

always_inline int is_immortal(const Heap *h, const Object *o)
{
    return (h->shapes[o->shape].flags & FLAG_IMMORTAL) != 0;
}

/* An object of a list joins the candidates. */
static void take(Heap *h, uint32_t slot, uint32_t n)
{
    Object *o = &h->objects[slot];
    int generation = o->generation;
    ROOM(h, h->queue, 2 * (uint64_t)n + 1, h->queue_capacity);
    ROOM(h, h->aside, n, h->aside_capacity);
    delist(h, o);
    o->generation = (uint8_t)generation;
    o->refs = o->count + ((o->marks & IN_GARBAGE) != 0);
    o->state = WAITING;
    h->queue[n] = slot;
}

/* Add to the candidates the front of a list, and breadth-first what it leads to there, again and
   again up to `size` objects; how many there are then (expand_region_transitively_reachable). */
static uint32_t gather_more(Heap *h, uint32_t n, int from, int64_t size)
{
    List *list = &h->lists[from];
    for (uint32_t i = list->first; i < list->length && n < size; i++) {
        list->first = i;
        if (!list->slot[i])
            continue;
        uint32_t first = n;
        take(h, list->slot[i], n++);
        for (uint32_t k = first; k < n; k++)
            EACH_LINK(h, &h->objects[h->queue[k]], link) {
                const Object *target = &h->objects[link->target];
                if (target->generation == from && target->state == OUTSIDE
                    && link->label != OPAQUE && !is_immortal(h, target))
                    take(h, link->target, n++);
            }
    }
    if (list->live < list->length / 2)
        close_holes(h, list);
    return n;
}

/* Add what the candidates lead to, wherever it is tracked, the permanent generation aside. */
static uint32_t gather_reached(Heap *h, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++)
        EACH_LINK(h, &h->objects[h->queue[k]], link) {
            const Object *target = &h->objects[link->target];
            if (is_collected(target->generation) && target->state == OUTSIDE
                && link->label != OPAQUE && !is_immortal(h, target))
                take(h, link->target, n++);
        }
    return n;
}

/* Whether something outside the log's objects refers to it; immortal objects are no roots. */
always_inline int is_root(const Heap *h, uint32_t slot)
{
    return h->objects[slot].count != h->linked[slot] && !is_immortal(h, &h->objects[slot]);
}

/* Move objects from the end of list `from` to the end of `into`, up to `limit`, and what each leads to
   in list `among` to the end of `from`. */
static Figures scan_alive(Heap *h, int from, int among, int into, int64_t limit)
{
    Figures figures = {0};
    List *list = &h->lists[from];
    uint32_t n = 0;
    for (; list->live && n < limit; n++) {
        uint32_t slot = list->slot[list->length - 1];
        delist(h, &h->objects[slot]);
        enlist(h, slot, into);
        EACH_LINK(h, &h->objects[slot], link) {
            Object *target = &h->objects[link->target];
            if (link->label == OPAQUE)
                continue;
            figures.links++;
            if (target->generation != among || is_immortal(h, target))
                continue;
            delist(h, target);
            enlist(h, link->target, from);
        }
    }
    figures.candidates = figures.survivors = n;
    return figures;
}

/* Move to the end of list `into` what is tracked in another, the permanent generation aside, and
   found breadth-first through tracked objects from roots: those of the list `roots`, or of all if
   that is negative, that something outside the log's objects refers to. */
static Figures mark_alive(Heap *h, int roots, int into)
{
    Figures figures = {0};
    uint32_t n = 0;
    for (int g = 0; g < SPACES; g++) {
        if (!is_collected(g) || g == into || (roots >= 0 && g != roots))
            continue;
        for (uint32_t i = 0; i < h->lists[g].length; i++) {
            uint32_t slot = h->lists[g].slot[i];
            if (!slot || !is_root(h, slot))
                continue;
            ROOM(h, h->queue, n, h->queue_capacity);
            h->queue[n++] = slot;
            h->objects[slot].state = WAITING;
        }
    }
    for (uint32_t k = 0; k < n; k++) {
        Object *o = &h->objects[h->queue[k]];
        delist(h, o);
        enlist(h, h->queue[k], into);
        EACH_LINK(h, o, link) {
            Object *target = &h->objects[link->target];
            if (link->label == OPAQUE)
                continue;
            figures.links++;
            if (!is_collected(target->generation) || target->generation == into
                || target->state != OUTSIDE || is_immortal(h, target))
                continue;
            ROOM(h, h->queue, n, h->queue_capacity);
            h->queue[n++] = link->target;
            target->state = WAITING;
        }
    }
    for (uint32_t k = 0; k < n; k++)
        h->objects[h->queue[k]].state = OUTSIDE;
    figures.candidates = figures.survivors = n;
    return figures;
}

/* Untrack exact tuples of a list that hold nothing trackable, in one pass. */
static void untrack_tuples(Heap *h, int generation)
{
    List *list = &h->lists[generation];
    for (uint32_t i = 0; i < list->length; i++) {
        Object *o = &h->objects[list->slot[i]];
        if (!list->slot[i] || !h->shapes[o->shape].is_tuple)
            continue;
        int atomic = 1;
        EACH_LINK(h, o, link)
            if (link->label != OPAQUE && may_be_tracked(h, &h->objects[link->target])) {
                atomic = 0;
                break;
            }
        if (atomic)
            delist(h, o);
    }
}

#endif
