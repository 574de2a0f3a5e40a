/* The schedule of garbage: when it became unreachable, for the figures of what floats, and for the
   clairvoyant policy, which frees it then. */
#ifndef GCREPLAY_SCHEDULE_H
#define GCREPLAY_SCHEDULE_H

#include "collect.h"

/* Objects that the event just applied made unreachable. */
never_inline void floats(Heap *h)
{
    floating_changes(h);
    for (; h->due_next < h->due_length && h->due[h->due_next].sequence <= h->sequence;
         h->due_next++) {
        uint32_t slot = slot_of(h, h->due[h->due_next].id);
        if (!slot)
            continue;
        h->objects[slot].marks |= IS_FLOATING;
        h->floating++;
        h->floating_bytes += bytes_of(h, slot);
    }
    if (h->floating > h->peak_floating)
        h->peak_floating = h->floating;
    if (h->floating_bytes > h->peak_floating_bytes)
        h->peak_floating_bytes = h->floating_bytes;
}

/* Callbacks and finalizers of vanishing garbage run too; how much of it these leave returns. They save
   nothing: no later event touches it (see OP_LINK). */
static uint32_t run_vanishing(Heap *h, uint32_t found, const int mode)
{
    uint32_t left = 0;
    h->causing = 1;
    if (!has_regions(h, found))
        return found;
    run_callbacks(h, found, 2, mode);
    run_waiting(h, mode);
    run_finalizers(h, found, mode);
    run_waiting(h, mode);
    for (uint32_t i = 0; i < found; i++)
        if (is_garbage(h, h->aside[i]))
            h->aside[left++] = h->aside[i];
    return left;
}

/* The clairvoyant policy frees them at once; nothing alive refers to them any more. */
never_inline void vanish(Heap *h, const int mode)
{
    uint64_t first = h->due_next, end = first, freed = h->freed_by_count;
    while (end < h->due_length && h->due[end].sequence <= h->sequence)
        end++;
    uint32_t n = 0;
    for (uint64_t i = first; i < end; i++) {
        uint32_t slot = slot_of(h, h->due[i].id);
        if (!slot)
            continue;
        ROOM(h, h->aside, n, h->aside_capacity);
        h->aside[n++] = slot;
        if (h->objects[slot].generation != UNTRACKED)
            delist(h, &h->objects[slot]);
        h->objects[slot].state = DYING;
    }
    if (mode & LENIENT)
        n = run_vanishing(h, n, mode);
    for (uint32_t i = 0; i < n; i++)
        EACH_LINK(h, &h->objects[h->aside[i]], link)
            if (h->objects[link->target].state != DYING)
                lose_reference(h, link->target, mode);
    for (uint32_t i = 0; i < n; i++)
        release(h, h->aside[i], mode);
    die(h, mode);
    if (mode & LENIENT) {
        run_waiting(h, mode);
        h->causing = 0;
    }
    h->freed_by_collector += h->freed_by_count - freed;
    h->freed_by_count = freed;
    h->due_next = end;
}

/* One reference more to an object that is alive at the log's end, so that freeing what held it never
   takes it along. */
always_inline void pin(Heap *h, uint32_t slot)
{
    h->objects[slot].count++;
    if (h->linked)
        h->linked[slot]++;
}

/* From here on garbage vanishes as soon as nothing touches it any more. Objects that are alive at
   the log's end hold one reference more, so that freeing what held them never takes them along. */
static int foresee(Heap *h, int mode)
{
    if (setjmp(h->failure))
        return ENGINE_NO_MEMORY;
    h->clairvoyant = 1;
    h->due_next = 0;
    for (; h->pinned_next < h->pinned_length && h->pinned[h->pinned_next] < h->next_id;
         h->pinned_next++) {
        uint32_t slot = slot_of(h, h->pinned[h->pinned_next]);
        if (slot)
            pin(h, slot);
    }
    if (!h->next_id)
        return ENGINE_END;
    switch (mode) {
    case COUNTING: vanish(h, COUNTING); break;
    case COUNTING | LENIENT: vanish(h, COUNTING | LENIENT); break;
    case COLLECTING | LENIENT: vanish(h, COLLECTING | LENIENT); break;
    default: vanish(h, COLLECTING);
    }
    return ENGINE_END;
}

#endif
