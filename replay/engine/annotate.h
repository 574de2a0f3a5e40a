/* When garbage became unreachable, which no policy changes: one replay without a collector notes
   for each object the last event that touched it (named it, or took a reference from it), and at
   the end what is alive but unreachable passes these times on along its links, latest first.
   After Hertz et al., "Generating object lifetime traces with Merlin", TOPLAS 28(3), 2006. */
#ifndef GCREPLAY_ANNOTATE_H
#define GCREPLAY_ANNOTATE_H

#include "advance.h"

static int due_later(const void *left, const void *right)
{
    const Due *a = left, *b = right;
    if (a->sequence != b->sequence)
        return a->sequence < b->sequence ? 1 : -1;
    return a->id < b->id ? 1 : a->id > b->id ? -1 : 0;
}

/* Push every object linked from `slot` that is not `seen` in this state yet. */
always_inline void spread(Heap *h, uint32_t slot, uint8_t from, uint8_t to)
{
    EACH_LINK(h, &h->objects[slot], link) {
        Object *target = &h->objects[link->target];
        if (target->state == from) {
            target->state = to;
            doom(h, link->target);
        }
    }
}

/* Write the garbage left at the end to `due`, latest first, with the time each became
   unreachable; the caller provides room for h->live entries. Its number returns. */
static int64_t find_garbage(Heap *h, Due *due)
{
    uint32_t *volatile external = NULL;     /* survives the jump */
    uint64_t n = 0;
    if (setjmp(h->failure)) {
        free(external);
        return ENGINE_NO_MEMORY;
    }
    external = grown(h, NULL, h->slots, sizeof *external);
    for (uint32_t s = 1; s < h->slots; s++)
        external[s] = h->objects[s].count;
    for (uint32_t s = 1; s < h->slots; s++)
        if (h->objects[s].count)
            EACH_LINK(h, &h->objects[s], link)
                external[link->target]--;
    for (uint32_t s = 1; s < h->slots; s++)
        if (external[s] && h->objects[s].state == OUTSIDE) {
            h->objects[s].state = WAITING;      /* reachable */
            doom(h, s);
            while (h->stack_length)
                spread(h, h->stack[--h->stack_length], OUTSIDE, WAITING);
        }
    free(external);
    external = NULL;
    for (uint32_t s = 1; s < h->slots; s++)
        if (h->objects[s].count && h->objects[s].state == OUTSIDE)
            due[n++] = (Due){h->objects[s].touched, h->objects[s].id};
    qsort(due, n, sizeof *due, due_later);
    for (uint64_t i = 0; i < n; i++) {
        uint32_t slot = slot_of(h, due[i].id);
        if (h->objects[slot].state != OUTSIDE)
            continue;
        h->objects[slot].state = DYING;
        doom(h, slot);
        while (h->stack_length) {
            uint32_t reached = h->stack[--h->stack_length];
            h->objects[reached].touched = due[i].sequence;
            spread(h, reached, OUTSIDE, DYING);
        }
    }
    for (uint64_t i = 0; i < n; i++)
        due[i].sequence = h->objects[slot_of(h, due[i].id)].touched;
    qsort(due, n, sizeof *due, due_later);
    return (int64_t)n;
}

#endif
