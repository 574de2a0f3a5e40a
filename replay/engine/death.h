/* How an object dies: its links are undone, what they alone held dies with it. Iterative, so a
   linked list of millions of nodes is no deeper than one. */
#ifndef GCREPLAY_DEATH_H
#define GCREPLAY_DEATH_H

#include "freed.h"

/* What a replay does beyond counting; known at compile time wherever it matters. LENIENT is added
   where regions have owners: these move with the collections, so an event may find less than it
   was recorded with. */
enum { COUNTING = 1, COLLECTING = 2, ANNOTATING = 3, LENIENT = 4 };
#define BASIC(mode) ((mode) & 3)

/* -- weak references -- */

static void unwatch(Heap *h, uint32_t entry)
{
    Watch *watch = &h->watches[entry];
    Extra *target = &h->extra[watch->target];
    if (watch->newer)
        h->watches[watch->newer].older = watch->older;
    else if (!(target->watchers = watch->older))
        h->objects[watch->target].marks &= ~IS_WATCHED;
    if (watch->older)
        h->watches[watch->older].newer = watch->newer;
    h->objects[watch->weakref].marks &= ~IS_WEAKREF;
    watch->older = h->free_watch;
    h->free_watch = entry;
}

static void watch_target(Heap *h, uint32_t weakref, uint32_t target, uint8_t callback)
{
    Object *o = &h->objects[weakref], *t = &h->objects[target];
    if (o->marks & IS_WEAKREF)
        unwatch(h, h->extra[weakref].watch);
    uint32_t entry = h->free_watch;
    if (entry) {
        h->free_watch = h->watches[entry].older;
    } else {
        ROOM(h, h->watches, h->watch_count, h->watch_capacity);
        entry = h->watch_count++;
    }
    uint32_t older = t->marks & IS_WATCHED ? h->extra[target].watchers : 0;
    h->watches[entry] = (Watch){target, weakref, 0, older, callback};
    if (older)
        h->watches[older].newer = entry;
    h->extra[target].watchers = entry;
    h->extra[weakref].watch = entry;
    t->marks |= IS_WATCHED;
    o->marks |= callback ? IS_WEAKREF | CALLS_BACK : IS_WEAKREF;
}

/* -- floating garbage: unreachable, not yet freed -- */

always_inline void floating_changes(Heap *h)
{
    uint64_t span = h->sequence - h->floating_since;
    h->floating_sum += (unsigned __int128)h->floating * span;
    h->floating_bytes_sum += (unsigned __int128)h->floating_bytes * span;
    h->floating_since = h->sequence;
}

always_inline void floats_no_more(Heap *h, uint32_t slot, uint64_t bytes)
{
    floating_changes(h);
    h->objects[slot].marks &= ~IS_FLOATING;
    h->floating--;
    h->floating_bytes -= bytes;
}

/* -- death -- */

/* The free list that a dead object goes to; a tuple goes by its last size. */
always_inline uint8_t last_free_list(const Object *o, const Shape *shape, uint64_t bytes)
{
    if (likely(!(o->marks & OWNS_BYTES) || !shape->is_tuple))
        return shape->free_list;
    uint64_t length = (bytes - TUPLE_HEADER) / 8;
    return bytes > TUPLE_HEADER && length <= TUPLE_LENGTHS ? (uint8_t)(FIRST_TUPLE + length - 1) : 0;
}

/* A finalizer or callback has to run, when all is dead that dies now. */
never_inline void await(Heap *h, uint32_t slot, uint8_t callback)
{
    ROOM(h, h->waiting, h->waiting_length, h->waiting_capacity);
    h->waiting[h->waiting_length++] = (Waiting){h->objects[slot].id, callback};
}

never_inline void leave_marks(Heap *h, uint32_t slot, uint64_t bytes)
{
    Object *o = &h->objects[slot];
    if (h->causing && (o->marks & (OWNS_REGIONS | CALLS_BACK)) == OWNS_REGIONS)
        await(h, slot, 0);
    if (o->marks & IS_FLOATING)
        floats_no_more(h, slot, bytes);
    if (o->marks & IS_WEAKREF)
        unwatch(h, h->extra[slot].watch);
    while (o->marks & IS_WATCHED) {
        const Watch *watch = &h->watches[h->extra[slot].watchers];
        const Object *w = &h->objects[watch->weakref];
        if (h->causing && watch->callback && (w->marks & OWNS_REGIONS) && w->state == OUTSIDE)
            await(h, watch->weakref, 1);
        unwatch(h, h->extra[slot].watchers);
    }
}

/* The slot of a dead object, whose links are undone, becomes free. */
always_inline void release(Heap *h, uint32_t slot, const int mode)
{
    Object *o = &h->objects[slot];
    const Shape *shape = &h->shapes[o->shape];
    uint64_t bytes = bytes_of(h, slot);
    h->live--;
    h->live_bytes -= bytes;
    if (mode & LENIENT)
        h->containers -= (shape->flags & FLAG_GC) != 0;
    ON_DEATH(h, slot, shape, bytes);
    if (unlikely(h->deaths != NULL)) {
        h->deaths[o->id] = h->sequence;
        h->died_in[o->id] = o->generation;      /* before it leaves its list */
        h->collected[o->id] = h->collecting != 0;
    }
    if (BASIC(mode) == COLLECTING) {
        uint64_t *died = h->collecting ? h->died_by_collector : h->died_by_count;
        int tracked = o->generation != UNTRACKED;
        died[o->generation]++;
        if (tracked && o->state != DYING)
            delist(h, o);       /* garbage of a collection has left its list already */
        if (unlikely(slot == h->newborn))
            h->newborn = 0;
        if ((mode & LENIENT) && unlikely(h->tracking)) {
            *(h->collecting ? &h->late : &h->pending) += tracked;
        } else if (shape->flags & FLAG_GC) {
            uint8_t list = last_free_list(o, shape, bytes);
            int keeps = h->free_count[list] < h->free_capacity[list];
            h->free_count[list] += keeps;
            if (unlikely(h->collecting))
                h->late += !keeps;
            else
                h->pending += !(keeps && h->modelled);
        }
    }
    if (BASIC(mode) == COLLECTING && unlikely(h->collecting))
        h->freed_by_collector++;
    else
        h->freed_by_count++;
    if (unlikely(h->noted != NULL))
        note_death(h, slot, bytes);
    if (unlikely(o->marks & ~(OWNS_BYTES | OUTLIVES)))
        leave_marks(h, slot, bytes);
    if (BASIC(mode) == ANNOTATING && unlikely(h->inside && h->inside_first) && h->dies_inside != NULL)
        h->dies_inside[o->id] |= DIES_INSIDE;
    drop_links(h, o);
    forget_id(h, o->id);
    o->count = 0;
    o->links = h->free_slot;
    h->free_slot = slot;
}

always_inline void doom(Heap *h, uint32_t slot)
{
    ROOM(h, h->stack, h->stack_length, h->stack_capacity);
    h->stack[h->stack_length++] = slot;
}

/* A policy may want what loses a reference and keeps others: it may be held by a cycle alone. */
never_inline void suspect(Heap *h, uint32_t slot)
{
    Object *o = &h->objects[slot];
    if (o->state != OUTSIDE || !is_collected(o->generation) || o->generation == h->suspects)
        return;
    delist(h, o);
    enlist(h, slot, h->suspects);
    h->suspects_due |= h->lists[h->suspects].live > h->suspects_limit;
}

always_inline void keeps_others(Heap *h, uint32_t slot, const int mode)
{
    if (mode == (COLLECTING | LENIENT) && unlikely(h->suspects))
        suspect(h, slot);
}

/* One reference to `slot` less; at 0 it is doomed. */
always_inline void lose_reference(Heap *h, uint32_t slot, const int mode)
{
    Object *o = &h->objects[slot];
    if (BASIC(mode) == ANNOTATING)
        o->touched = h->sequence;
    if (mode & LENIENT)
        h->linked[slot]--;
    if (!--o->count)
        doom(h, slot);
    else
        keeps_others(h, slot, mode);
}

/* Free all doomed objects and what dies of it. */
always_inline void die(Heap *h, const int mode)
{
    while (h->stack_length) {
        uint32_t slot = h->stack[--h->stack_length];
        EACH_LINK(h, &h->objects[slot], link)
            lose_reference(h, link->target, mode);
        release(h, slot, mode);
    }
}

#endif
