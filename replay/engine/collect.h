/* One cyclic collection, as gc_collect_main of CPython 3.11 (Modules/gcmodule.c) makes it:
   subtract internal references, move the unreachable aside, untrack, promote, call and finalize,
   delete. */
#ifndef GCREPLAY_COLLECT_H
#define GCREPLAY_COLLECT_H

#include "increment.h"

enum { UNTRACK_TUPLES = 1, UNTRACK_DICTS = 2, UNTRACK_IMMORTALS = 4, FREEZE_IMMORTALS = 8 };

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

/* Immortal objects leave the lists when a collection first meets them, untracked or for the
   permanent generation; what is left of the candidates returns. */
static uint32_t leave_immortals(Heap *h, uint32_t candidates, int freeze)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < candidates; i++) {
        uint32_t slot = h->queue[i];
        Object *o = &h->objects[slot];
        if (likely(!(h->shapes[o->shape].flags & FLAG_IMMORTAL))) {
            h->queue[kept++] = slot;
            continue;
        }
        o->state = OUTSIDE;
        o->generation = UNTRACKED;
        if (freeze)
            enlist(h, slot, PERMANENT);
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
        died += h->dies_inside[h->objects[h->aside[i]].id] & DIES_INSIDE;
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
            died += dies_called(h, o);
        }
    }
    return died;
}

/* The same where regions have owners, and these run; what is saved lives on in `into`. */
static uint32_t call_and_finalize(Heap *h, uint32_t *aside, uint32_t *uncollectable, int into)
{
    enum { MODE = COLLECTING | LENIENT };
    uint32_t n = *uncollectable, *kept = h->aside + *aside, saved;
    for (uint32_t i = 0; i < n; i++) {          /* the queue is needed */
        kept[i] = h->queue[i];
        h->objects[kept[i]].state = DYING;
    }
    uint32_t died = run_callbacks(h, *aside, into, MODE);
    run_waiting(h, MODE);
    run_finalizers(h, *aside, MODE);
    run_waiting(h, MODE);
    saved = find_resurrected(h, *aside, aside);
    for (uint32_t i = 0; i < saved; i++) {
        enlist(h, h->queue[i], into);
        if (h->objects[h->queue[i]].marks & IS_FLOATING)
            floats_no_more(h, h->queue[i], bytes_of(h, h->queue[i]));
    }
    *uncollectable = 0;
    for (uint32_t i = 0; i < n; i++)
        if (is_garbage(h, kept[i]))
            h->queue[(*uncollectable)++] = kept[i];
    return died;
}

always_inline void delete_garbage(Heap *h, uint32_t aside, const int mode)
{
    h->collecting = 1;
    for (uint32_t i = 0; i < aside; i++)
        EACH_LINK(h, &h->objects[h->aside[i]], link)
            if (h->objects[link->target].state != DYING)
                lose_reference(h, link->target, mode);
    for (uint32_t i = 0; i < aside; i++)
        release(h, h->aside[i], mode);
    die(h, mode);
    h->collecting = 0;
}

static void keep(Heap *h, uint32_t slot, int into)
{
    Object *o = &h->objects[slot];
    while (o->marks & IS_WATCHED)
        unwatch(h, h->extra[slot].watchers);
    o->state = OUTSIDE;
    enlist(h, slot, into);
}

/* What would be deleted is kept; the log says of the references that gc.garbage has to it. */
static void keep_garbage(Heap *h, uint32_t garbage, int into)
{
    for (uint32_t i = 0; i < garbage; i++)
        keep(h, h->aside[i], into);
}

/* What is kept refers no more to what goes. */
static void let_go(Heap *h, Object *o)
{
    EACH_LINK(h, o, link)
        if (h->objects[link->target].state != DYING) {
            doom(h, link->target);
            doom(h, link->label);
        }
    drop_links(h, o);
    for (uint32_t i = 0; i < h->stack_length; i += 2)
        add_link(h, o, h->stack[i], h->stack[i + 1]);
    h->stack_length = 0;
}

/* So is what nothing frees. The number of the rest returns. */
static uint32_t keep_unfreeable(Heap *h, uint32_t garbage, int into)
{
    uint32_t rest = 0, kept = 0;
    while (h->queue_capacity < garbage + 1)
        ROOM(h, h->queue, h->queue_capacity, h->queue_capacity);
    for (uint32_t i = 0; i < garbage; i++)
        if (h->objects[h->aside[i]].marks & OUTLIVES) {
            h->queue[kept++] = h->aside[i];
            keep(h, h->aside[i], into);
        } else {
            h->aside[rest++] = h->aside[i];
        }
    for (uint32_t i = 0; i < kept; i++)
        let_go(h, &h->objects[h->queue[i]]);
    return rest;
}

enum { REACH = 1, SPARE_NEWEST = 2 };   /* how */

/* The newest object of a list is held during the collection, and in no list while candidates are
   gathered. */
static uint32_t spare_newest(Heap *h, int generation)
{
    const List *list = &h->lists[generation];
    uint32_t slot = list->live ? list->slot[list->length - 1] : 0;
    if (slot) {
        delist(h, &h->objects[slot]);
        hold(h, slot);
    }
    return slot;
}

/* It goes back to its list, or dies if nothing else holds it any more. */
static void spare_no_more(Heap *h, uint32_t slot, int generation)
{
    Object *o = &h->objects[slot];
    hold_no_more(h, slot, COLLECTING | LENIENT);
    if (o->count && o->generation != UNTRACKED) {
        delist(h, o);
        enlist(h, slot, generation);
    }
    run_waiting(h, COLLECTING | LENIENT);
}

/* `size` objects or more, where there are so many: beside the generation the front of list `from`.
   `how`: with all that they lead to, without the newest. */
static Figures collect_generation(Heap *h, int generation, int into, int untracking, int from,
                                  int64_t size, int how)
{
    Figures figures = {0};
    uint64_t dead = h->freed_by_count + h->freed_by_collector, bytes = h->live_bytes;
    uint32_t aside, died;
    if (h->batch)
        settle_batches(h);
    h->young = 0;
    h->pending = h->late = 0;
    h->bytes_since = 0;

    uint32_t spared = how & SPARE_NEWEST ? spare_newest(h, generation) : 0;
    uint32_t length = gather(h, generation);
    if (size > length)
        length = gather_more(h, length, from, size);
    if (spared)
        enlist(h, spared, into);
    if (how & REACH)
        length = gather_reached(h, length);
    if (untracking & (UNTRACK_IMMORTALS | FREEZE_IMMORTALS))
        length = leave_immortals(h, length, untracking & FREEZE_IMMORTALS);
    figures.candidates = length;
    if (unlikely(h->noted != NULL))
        note_visits(h, length);
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
    h->grown_bytes = 0;
    h->causing = h->linked != NULL;
    uint32_t noted = h->noted ? h->noted->length : 0;
    int runs = h->causing && has_regions(h, aside);
    if (unlikely(h->noted != NULL) && (runs || h->unfreeable))
        note_found(h, aside);
    if (runs) {
        died = call_and_finalize(h, &aside, &uncollectable, into);
    } else {
        died = call_weakrefs(h, aside, into);
    }
    figures.collected = aside - finalized(h, aside) + died;
    for (uint32_t i = 0; i < uncollectable; i++) {
        enlist(h, h->queue[i], into);
        h->objects[h->queue[i]].state = OUTSIDE;
    }
    figures.uncollectable = uncollectable;
    if (unlikely(h->saves_all)) {
        keep_garbage(h, aside, into);
        aside = 0;
    } else if (unlikely(h->unfreeable)) {
        aside = keep_unfreeable(h, aside, into);
    }
    if (h->causing) {
        delete_garbage(h, aside, COLLECTING | LENIENT);
        run_waiting(h, COLLECTING | LENIENT);
        if (spared)
            spare_no_more(h, spared, generation);
        h->causing = 0;
    } else {
        delete_garbage(h, aside, COLLECTING);
    }
    if (unlikely(h->noted != NULL))
        forget_saved(h, noted);
    figures.freed = h->freed_by_count + h->freed_by_collector - dead;
    figures.bytes = bytes + h->grown_bytes - h->live_bytes;
    if (generation == 2)
        for (int i = 1; i < FREE_LISTS; i++) {
            if (i == SLICE_LIST)
                continue;       /* clear_freelists leaves the one slice that is kept */
            h->late += h->free_count[i];
            h->free_count[i] = 0;
        }
    if (h->batch)
        h->late = 0;            /* what a collection frees is not taken off */
    h->fruitless = !found;
    h->aftermath = 1;
    return figures;
}

#endif
