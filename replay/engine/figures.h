/* Reading the heap from outside: for tests, and for the figures of a result. */
#ifndef GCREPLAY_FIGURES_H
#define GCREPLAY_FIGURES_H

#include "annotate.h"

/* Targets (ids) and labels of an object's links, in order; how many there are. */
static int seen_links(Heap *h, uint32_t slot, uint32_t *target, uint32_t *label)
{
    int n = 0;
    EACH_LINK(h, &h->objects[slot], link) {
        target[n] = h->objects[link->target].id;
        label[n++] = link->label;
    }
    return n;
}

/* The two 128-bit integrals over floating garbage, each as its low and high half. */
static void floating_sums(Heap *h, uint64_t *halves)
{
    floating_changes(h);
    halves[0] = (uint64_t)h->floating_sum;
    halves[1] = (uint64_t)(h->floating_sum >> 64);
    halves[2] = (uint64_t)h->floating_bytes_sum;
    halves[3] = (uint64_t)(h->floating_bytes_sum >> 64);
}

#endif
