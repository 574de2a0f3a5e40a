/* What stands between finding garbage and deleting it, as handle_weakrefs, finalize_garbage and
   handle_resurrected_objects of CPython 3.11 do it: callbacks of weak references to garbage that are
   none themselves, finalizers of garbage, and a second search for what is unreachable after them.

   Garbage is in no list meanwhile and has the state DYING. */
#ifndef GCREPLAY_FINALIZE_H
#define GCREPLAY_FINALIZE_H

#include "regions.h"
#include "unreachable.h"

/* Whether one of the found objects, or a weak reference to one, has a region to run. */
static int has_regions(const Heap *h, uint32_t found)
{
    for (uint32_t i = 0; i < found; i++) {
        const Object *o = &h->objects[h->aside[i]];
        if (o->marks & OWNS_REGIONS)
            return 1;
        if (o->marks & IS_WATCHED)
            for (uint32_t e = h->extra[h->aside[i]].watchers; e; e = h->watches[e].older)
                if (h->objects[h->watches[e].weakref].marks & OWNS_REGIONS)
                    return 1;
    }
    return 0;
}

/* Whether a weak reference dies in its callback, where that has no region of its own: told by what
   happened when the program ran. Where regions have owners it would have died in that. */
static int dies_called(const Heap *h, const Object *o)
{
    return h->linked == NULL && h->dies_inside != NULL && h->dies_inside[o->id] & DIES_INSIDE;
}

/* Weak references to garbage lapse, then the callbacks of those that live on run. How many of these
   die of it returns. */
static uint32_t run_callbacks(Heap *h, uint32_t found, int into, const int mode)
{
    uint32_t called = 0, died = 0;
    for (uint32_t i = 0; i < found; i++)
        while (h->objects[h->aside[i]].marks & IS_WATCHED) {
            uint32_t entry = h->extra[h->aside[i]].watchers, slot = h->watches[entry].weakref;
            Object *o = &h->objects[slot];
            int calls = h->watches[entry].callback && o->state == OUTSIDE;
            unwatch(h, entry);
            if (!calls)
                continue;
            if (BASIC(mode) == COLLECTING && o->generation != UNTRACKED) {
                delist(h, o);
                enlist(h, slot, into);
            }
            if (!(o->marks & OWNS_REGIONS))
                continue;
            hold(h, slot);
            ROOM(h, h->called, called, h->called_capacity);
            h->called[called++] = slot;
        }
    for (uint32_t i = 0; i < called; i++)
        died += (uint32_t)run_held(h, h->called[i], mode);
    return died;
}

/* A slot of garbage may have been freed by an earlier finalizer, and be another object's now. */
always_inline int is_garbage(const Heap *h, uint32_t slot)
{
    return h->objects[slot].count && h->objects[slot].state == DYING;
}

static void run_finalizers(Heap *h, uint32_t found, const int mode)
{
    for (uint32_t i = 0; i < found; i++) {
        uint32_t slot = h->aside[i];
        if (is_garbage(h, slot) && (h->objects[slot].marks & (OWNS_REGIONS | CALLS_BACK)) == OWNS_REGIONS) {
            hold(h, slot);
            run_held(h, slot, mode);
        }
    }
}

/* Search again: what is reachable now is alive, at the front of the queue; the rest stands aside. Both
   counts return. */
static uint32_t find_resurrected(Heap *h, uint32_t found, uint32_t *aside)
{
    uint32_t length = 0;
    for (uint32_t i = 0; i < found; i++)
        if (is_garbage(h, h->aside[i])) {
            Object *o = &h->objects[h->aside[i]];
            o->state = WAITING;
            o->refs = o->count;
            h->queue[length++] = h->aside[i];
        }
    subtract_references(h, length);
    return move_unreachable(h, length, aside);
}

#endif
