/* What no reference from outside reaches, as deduce_unreachable of CPython 3.11 finds it. The order
   of every list is CPython's, because later untracking depends on it. */
#ifndef GCREPLAY_UNREACHABLE_H
#define GCREPLAY_UNREACHABLE_H

#include "death.h"

always_inline int may_be_tracked(const Heap *h, const Object *o)
{
    const Shape *shape = &h->shapes[o->shape];
    return (shape->flags & FLAG_GC) && !(shape->is_tuple && o->generation == UNTRACKED);
}

/* Candidates in CPython's order: the generation's own list, then the youngest, then the next. With a
   space of the policy's own goes no other. */
static uint32_t gather(Heap *h, int generation)
{
    int younger = generation < PERMANENT ? generation : 0;
    uint32_t n = 0, all = h->lists[generation].live;
    for (int g = 0; g < younger; g++)
        all += h->lists[g].live;
    while (h->queue_capacity < 2 * (uint64_t)all + 1)
        ROOM(h, h->queue, h->queue_capacity, h->queue_capacity);
    while (h->aside_capacity < (uint64_t)all + 1)
        ROOM(h, h->aside, h->aside_capacity, h->aside_capacity);
    for (int i = 0; i <= younger; i++) {
        List *list = &h->lists[i ? i - 1 : generation];
        for (uint32_t k = 0; k < list->length; k++) {
            uint32_t slot = list->slot[k];
            if (k + 12 < list->length)
                __builtin_prefetch(&h->objects[list->slot[k + 12]], 1);
            if (!slot)
                continue;
            Object *o = &h->objects[slot];
            o->refs = o->count + ((o->marks & IN_GARBAGE) != 0);
            o->state = WAITING;
            h->queue[n++] = slot;
        }
        empty_list(list);
    }
    return n;
}

enum { AHEAD = 8 };

/* The links of coming candidates, and what they name, are on their way to the cache. */
always_inline void links_ahead(const Heap *h, uint32_t k, uint32_t length)
{
    if (unlikely(k + 2 * AHEAD >= length))
        return;
    __builtin_prefetch(&h->objects[h->queue[k + 2 * AHEAD]], 1);
    const Object *o = &h->objects[h->queue[k + AHEAD]];
    if (likely(o->block == IN_PLACE))
        for (int i = 0; i < FEW_LINKS; i++)
            __builtin_prefetch(&h->objects[o->few[i].target], 1);
    else if (o->block != HUB)
        __builtin_prefetch(&h->pool[o->links]);
}

static uint64_t subtract_references(Heap *h, uint32_t candidates)
{
    uint64_t links = 0;
    for (uint32_t k = 0; k < candidates; k++) {
        links_ahead(h, k, candidates);
        EACH_LINK(h, &h->objects[h->queue[k]], link) {
            Object *target = &h->objects[link->target];
            if (unlikely(link->label == OPAQUE))
                continue;
            links++;
            if (target->state == WAITING)
                target->refs--;
        }
    }
    return links;
}

/* Survivors stay in the queue, in walking order; the rest stand aside. Both counts return. */
static uint32_t move_unreachable(Heap *h, uint32_t length, uint32_t *aside)
{
    uint32_t kept = 0, n = 0;
    for (uint32_t i = 0; i < length; i++) {
        links_ahead(h, i, length);
        uint32_t slot = h->queue[i];
        Object *o = &h->objects[slot];
        if (!o->refs) {
            o->state = ASIDE;
            h->aside[n++] = slot;
            continue;
        }
        o->state = OUTSIDE;
        h->queue[kept++] = slot;
        EACH_LINK(h, o, link) {
            Object *target = &h->objects[link->target];
            if (target->state == OUTSIDE || link->label == OPAQUE)
                continue;
            if (target->state == ASIDE) {
                target->state = WAITING;
                target->refs = 1;
                h->queue[length++] = link->target;
            } else if (!target->refs) {
                target->refs = 1;
            }
        }
    }
    *aside = 0;                 /* those moved back and walked are no longer aside */
    for (uint32_t i = 0; i < n; i++)
        if (h->objects[h->aside[i]].state == ASIDE) {
            h->objects[h->aside[i]].state = DYING;
            h->aside[(*aside)++] = h->aside[i];
        }
    return kept;
}

#endif
