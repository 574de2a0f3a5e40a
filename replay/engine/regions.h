/* Regions with an owner: what its finalizer or callback did when the program ran. The log passes over
   them where they were recorded; they run, once, when a collection finds the owner.

   The ids of what is born in one are those of the log. Where the log has passed over a birth, the
   page counts the id and stays open until the region runs and the object dies; a region that runs
   before the log comes to it opens the pages of its ids ahead. */
#ifndef GCREPLAY_REGIONS_H
#define GCREPLAY_REGIONS_H

#include "death.h"

/* Position of the first owner that is not less. */
static uint32_t owner_from(const Regions *r, uint32_t id)
{
    uint32_t low = 0, high = r->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (r->owner[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A newborn object owns regions if the table says so. Those of the log come in the order of their
   ids, those of regions when they run. */
always_inline void own(Heap *h, uint32_t slot, uint32_t id)
{
    Regions *r = &h->regions;
    uint32_t at;
    if (unlikely(h->running)) {
        at = owner_from(r, id);
    } else {
        while (r->next < r->count && r->owner[r->next] < id)
            r->next++;
        at = r->next;
    }
    if (unlikely(at < r->count && r->owner[at] == id) && !r->ran[r->of[at]])
        h->objects[slot].marks |= OWNS_REGIONS;
}

/* Whether the id is of an object whose region has not run. */
static int unborn(const Heap *h, uint32_t id)
{
    const Regions *r = &h->regions;
    uint32_t low = 0, high = r->count;
    while (low < high) {        /* the last region whose first id is not greater */
        uint32_t middle = low + (high - low) / 2;
        if (r->birth[middle] <= id)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low && r->birth[low - 1] + r->births[low - 1] > id; low--)
        if (!r->ran[low - 1])
            return 1;
    return 0;
}

/* The log passes over the birth of `id`. */
static void pass_birth(Heap *h, uint32_t id)
{
    reach_id(h, id);
    h->directory[id >> PAGE_BITS]->live += !h->regions.ran[h->regions.passed];
}

/* The page of an id that is born in a region; whether it has counted the id already. */
static int open_birth(Heap *h, uint32_t id)
{
    if (id < h->next_id)
        return 1;
    open_page(h, id >> PAGE_BITS);
    return 0;
}

/* The program uses what a region made or saved, and that region has not run. */
never_inline void lacks(Heap *h, uint32_t id)
{
    if (h->running) {
        h->lapsed++;
    } else if (!h->unmoved++) {
        h->first_unmoved = h->sequence;
        h->first_unmoved_id = id;
    }
}

static void run_region(Heap *h, uint32_t region, const int mode);      /* see advance.h */

/* All regions of an owner, in the order in which they were recorded. */
static void run_regions(Heap *h, uint32_t id, const int mode)
{
    Regions *r = &h->regions;
    for (uint32_t i = owner_from(r, id); i < r->count && r->owner[i] == id; i++)
        if (!r->ran[r->of[i]]) {
            r->ran[r->of[i]] = h->sequence + 1;
            h->regions_run++;
            run_region(h, r->of[i], mode);
        }
}

/* The interpreter holds what it calls. */
always_inline void hold(Heap *h, uint32_t slot)
{
    h->objects[slot].count++;
    h->linked[slot]++;
}

/* It gives that back, which makes no suspect. */
always_inline void hold_no_more(Heap *h, uint32_t slot, const int mode)
{
    lose_reference(h, slot, COUNTING | LENIENT);
    die(h, mode);
}

/* Run the regions of an object that is alive, which may die of it: then 1 returns. */
static int run_held(Heap *h, uint32_t slot, const int mode)
{
    uint32_t id = h->objects[slot].id;
    h->objects[slot].marks &= ~OWNS_REGIONS;
    run_regions(h, id, mode);
    hold_no_more(h, slot, mode);
    return slot_of(h, id) == 0;
}

static int waiting_later(const void *left, const void *right)
{
    const Waiting *a = left, *b = right;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* Finalizers and callbacks of what died by its count in a collection, and of what dies of them; of
   what died together in the order of their ids. */
static void run_waiting(Heap *h, const int mode)
{
    for (uint32_t i = 0, together = 0; i < h->waiting_length; i++) {
        if (i == together) {
            together = h->waiting_length;
            qsort(h->waiting + i, together - i, sizeof *h->waiting, waiting_later);
        }
        Waiting waiting = h->waiting[i];
        uint32_t slot = slot_of(h, waiting.id);
        if (!waiting.callback) {
            run_regions(h, waiting.id, mode);
        } else if (slot) {
            hold(h, slot);
            run_held(h, slot, mode);
        }
    }
    h->waiting_length = 0;
}

#endif
