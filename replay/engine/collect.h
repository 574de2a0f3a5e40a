/* One cyclic collection, as gc_collect_main of CPython 3.11 (Modules/gcmodule.c) makes it:
   subtract internal references, move the unreachable aside, untrack, promote, delete. The order of
   every list is CPython's, because later untracking depends on it. */
#ifndef GCREPLAY_COLLECT_H
#define GCREPLAY_COLLECT_H

#include "death.h"

enum { UNTRACK_TUPLES = 1, UNTRACK_DICTS = 2 };

typedef struct {
    uint64_t candidates;        /* objects examined */
    uint64_t links;             /* their outgoing links that a traversal shows */
    uint64_t collected;         /* unreachable and deleted */
    uint64_t uncollectable;     /* held by a legacy finalizer */
    uint64_t survivors;         /* candidates still tracked after it, uncollectable ones aside */
    uint64_t freed, bytes;      /* collected and what died with them */
} Figures;

always_inline int may_be_tracked(const Heap *h, const Object *o)
{
    const Shape *shape = &h->shapes[o->shape];
    return (shape->flags & FLAG_GC) && !(shape->is_tuple && o->generation == UNTRACKED);
}

/* Candidates in CPython's order: the generation's own list, then the youngest, then the next. */
static uint32_t gather(Heap *h, int generation)
{
    uint32_t n = 0, all = 0;
    for (int g = 0; g <= generation; g++)
        all += h->lists[g].live;
    while (h->queue_capacity < 2 * (uint64_t)all + 1)
        ROOM(h, h->queue, h->queue_capacity, h->queue_capacity);
    while (h->aside_capacity < (uint64_t)all + 1)
        ROOM(h, h->aside, h->aside_capacity, h->aside_capacity);
    for (int i = 0; i <= generation; i++) {
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
        list->length = list->live = 0;
    }
    return n;
}

static uint64_t subtract_references(Heap *h, uint32_t candidates)
{
    uint64_t links = 0;
    for (uint32_t k = 0; k < candidates; k++) {
        if (k + 6 < candidates) {
            const Object *ahead = &h->objects[h->queue[k + 6]];
            if (ahead->block && ahead->block != HUB)
                __builtin_prefetch(&h->pool[ahead->links]);
        }
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

/* Untrack exact tuples, or exact dicts, that hold nothing trackable; one pass in list order. */
static uint32_t untrack(Heap *h, uint32_t survivors, int dicts)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < survivors; i++) {
        uint32_t slot = h->queue[i];
        Object *o = &h->objects[slot];
        const Shape *shape = &h->shapes[o->shape];
        int atomic = dicts ? shape->is_dict : shape->is_tuple;
        if (unlikely(atomic))
            EACH_LINK(h, o, link)
                if (link->label != OPAQUE && may_be_tracked(h, &h->objects[link->target])) {
                    atomic = 0;
                    break;
                }
        if (atomic)
            o->generation = UNTRACKED;
        else
            h->queue[kept++] = slot;
    }
    return kept;
}

/* Set apart what legacy finalizers hold: at the front of the queue, no longer aside. */
static uint32_t keep_uncollectable(Heap *h, uint32_t *aside)
{
    uint32_t n = 0, kept = 0;
    for (uint32_t i = 0; i < *aside; i++) {
        Object *o = &h->objects[h->aside[i]];
        if (unlikely(h->shapes[o->shape].legacy)) {
            o->state = WAITING;
            o->marks |= IN_GARBAGE;
            h->queue[n++] = h->aside[i];
        }
    }
    if (likely(!n))
        return 0;
    for (uint32_t i = 0; i < n; i++)
        EACH_LINK(h, &h->objects[h->queue[i]], link) {
            Object *target = &h->objects[link->target];
            if (target->state == DYING && link->label != OPAQUE) {
                target->state = WAITING;
                h->queue[n++] = link->target;
            }
        }
    for (uint32_t i = 0; i < *aside; i++)
        if (h->objects[h->aside[i]].state == DYING)
            h->aside[kept++] = h->aside[i];
    *aside = kept;
    return n;
}

/* How much of the garbage its finalizers kill, told by what they did when the program ran: only what
   is still unreachable after them counts as collected. */
static uint32_t finalized(const Heap *h, uint32_t aside)
{
    uint32_t died = 0;
    for (uint32_t i = 0; i < aside && h->dies_inside != NULL; i++)
        died += h->dies_inside[h->objects[h->aside[i]].id];
    return died;
}

/* Weak references to garbage lapse; those with a callback that live on move to the end of `into`.
   How many of these die in their callback returns, told by what they did when the program ran. */
static uint32_t call_weakrefs(Heap *h, uint32_t aside, int into)
{
    uint32_t died = 0;
    for (uint32_t i = 0; i < aside; i++) {
        if (likely(!(h->objects[h->aside[i]].marks & IS_WATCHED)))
            continue;
        uint32_t entry = h->extra[h->aside[i]].watchers;
        for (; entry; entry = h->watches[entry].older) {
            uint32_t slot = h->watches[entry].weakref;
            Object *o = &h->objects[slot];
            if (!h->watches[entry].callback || o->state != OUTSIDE)
                continue;
            if (o->generation != UNTRACKED) {
                delist(h, o);
                enlist(h, slot, into);
            }
            died += h->dies_inside != NULL && h->dies_inside[o->id];
        }
    }
    return died;
}

static void delete_garbage(Heap *h, uint32_t aside)
{
    h->collecting = 1;
    for (uint32_t i = 0; i < aside; i++)
        EACH_LINK(h, &h->objects[h->aside[i]], link)
            if (h->objects[link->target].state != DYING)
                lose_reference(h, link->target, COLLECTING);
    for (uint32_t i = 0; i < aside; i++)
        release(h, h->aside[i], COLLECTING);
    die(h, COLLECTING);
    h->collecting = 0;
}

static Figures collect_generation(Heap *h, int generation, int into, int untracking)
{
    Figures figures = {0};
    uint64_t live = h->live, bytes = h->live_bytes;
    uint32_t aside;
    h->young = 0;
    h->pending = h->late = 0;
    h->bytes_since = 0;

    uint32_t length = gather(h, generation);
    figures.candidates = length;
    figures.links = subtract_references(h, length);
    uint32_t survivors = move_unreachable(h, length, &aside), found = aside;
    if (untracking & UNTRACK_TUPLES)
        survivors = untrack(h, survivors, 0);
    if (untracking & UNTRACK_DICTS)
        survivors = untrack(h, survivors, 1);
    for (uint32_t i = 0; i < survivors; i++)
        enlist(h, h->queue[i], into);
    figures.survivors = survivors;

    uint32_t uncollectable = keep_uncollectable(h, &aside);
    figures.collected = aside - finalized(h, aside) + call_weakrefs(h, aside, into);
    for (uint32_t i = 0; i < uncollectable; i++) {
        enlist(h, h->queue[i], into);
        h->objects[h->queue[i]].state = OUTSIDE;
    }
    figures.uncollectable = uncollectable;
    delete_garbage(h, aside);
    figures.freed = live - h->live;
    figures.bytes = bytes - h->live_bytes;
    if (generation == 2)
        for (int i = 1; i < FREE_LISTS; i++) {
            if (i == SLICE_LIST)
                continue;       /* clear_freelists leaves the one slice that is kept */
            h->late += h->free_count[i];
            h->free_count[i] = 0;
        }
    h->fruitless = !found;
    h->aftermath = 1;
    return figures;
}

#endif
