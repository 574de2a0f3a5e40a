/* The garbage that dies in collections, with its links, for who asks. */
#ifndef GCREPLAY_FREED_H
#define GCREPLAY_FREED_H

#include "links.h"

always_inline uint64_t bytes_of(const Heap *h, uint32_t slot)
{
    const Object *o = &h->objects[slot];
    uint64_t bytes = h->shapes[o->shape].bytes;
    return unlikely(o->marks & OWNS_BYTES) ? bytes + h->extra[slot].owned : bytes;
}

/* An object and its links as they are now. Slots keep the ids of what died in the same collection:
   nothing is born before all of it is gone. */
never_inline void note_freed(Heap *h, uint32_t slot, uint64_t bytes, int found)
{
    const Object *o = &h->objects[slot];
    Noted *noted = h->noted;
    uint32_t visits = noted->visits[slot], first = noted->links;
    EACH_LINK(h, o, link) {
        ROOM(h, noted->link, noted->links, noted->link_capacity);
        noted->link[noted->links++] = (Link){h->objects[link->target].id, link->label};
    }
    ROOM(h, noted->freed, noted->length, noted->capacity);
    noted->freed[noted->length++] = (Freed){
        .sequence = h->sequence, .bytes = bytes, .id = o->id, .shape = o->shape,
        .first = first, .degree = noted->links - first,
        .collection = noted->collection, .found = (uint8_t)found,
        .floats = (o->marks & IS_FLOATING) != 0,
        .visits = visits > (uint32_t)found ? visits : (uint32_t)found};
    noted->visits[slot] = IS_NOTED;
}

/* A collection frees it, or a finalizer or callback that it calls while that takes garbage apart. */
always_inline void note_death(Heap *h, uint32_t slot, uint64_t bytes)
{
    const Object *o = &h->objects[slot];
    if (h->collecting || (h->causing && o->marks & IS_FLOATING))
        if (h->noted->visits[slot] != IS_NOTED)
            note_freed(h, slot, bytes, o->state == DYING);
    h->noted->visits[slot] = 0;
}

/* What a collection found, before finalizers and callbacks change it, or what is kept lets go. */
never_inline void note_found(Heap *h, uint32_t found)
{
    for (uint32_t i = 0; i < found; i++)
        note_freed(h, h->aside[i], bytes_of(h, h->aside[i]), 1);
}

/* What was found and has not died is none of the freed. Where nothing saved it, it is garbage that
   the next collection visits again. */
never_inline void forget_saved(Heap *h, uint32_t first)
{
    Noted *noted = h->noted;
    uint32_t kept = first;
    for (uint32_t i = first; i < noted->length; i++) {
        uint32_t slot = slot_of(h, noted->freed[i].id);
        if (slot)
            noted->visits[slot] =
                h->objects[slot].marks & IS_FLOATING ? noted->freed[i].visits : 0;
        else
            noted->freed[kept++] = noted->freed[i];
    }
    noted->length = kept;
}

/* A collection visits these candidates, some of which are garbage already. */
never_inline void note_visits(Heap *h, uint32_t candidates)
{
    h->noted->collection++;
    for (uint32_t i = 0; i < candidates; i++)
        h->noted->visits[h->queue[i]] += h->objects[h->queue[i]].marks & IS_FLOATING;
}

/* From here on; the heap has applied nothing yet. */
never_inline int begin_noting(Heap *h)
{
    if (setjmp(h->failure))
        return ENGINE_NO_MEMORY;
    h->noted = grown(h, NULL, 1, sizeof *h->noted);
    memset(h->noted, 0, sizeof *h->noted);
    h->noted->visits = grown(h, NULL, h->slot_capacity, sizeof *h->noted->visits);
    memset(h->noted->visits, 0, h->slot_capacity * sizeof *h->noted->visits);
    return ENGINE_END;
}

/* What floats still, as a collection that never came would have found it. */
never_inline int note_floating(Heap *h)
{
    if (setjmp(h->failure))
        return ENGINE_NO_MEMORY;
    h->noted->collection++;
    for (uint32_t slot = 1; slot < h->slots; slot++)
        if (h->objects[slot].count && h->objects[slot].marks & IS_FLOATING)
            note_freed(h, slot, bytes_of(h, slot), 0);
    return ENGINE_END;
}

never_inline void end_noting(Heap *h)
{
    if (!h->noted)
        return;
    free(h->noted->visits);
    free(h->noted->freed);
    free(h->noted->link);
    free(h->noted);
    h->noted = NULL;
}

#endif
