/* Garbage that becomes unreachable: the lanes add it to what the next collections free.

   It comes in groups: objects that reach each other in a cycle, or a single object that hangs from
   others. A cycle is freed by the first collection of all the generations that it, and all that
   reaches it, stand in; what hangs from others dies with the last of them, in whatever generation it
   stands. A group is hard where something that reaches it was garbage before: lanes may have freed that
   by now, or not. */
#ifndef GCREPLAY_GARBAGE_H
#define GCREPLAY_GARBAGE_H

#include "standing.h"

typedef struct {                /* a group's objects together */
    int32_t freed, found, links, place;
    int64_t bytes;
    int32_t listed[FREE_LISTS];
    uint32_t lists, list[FREE_LISTS];
    uint8_t kind, holds_tracked;
} Sum;

/* What an object of the garbage holds, and how, decides whether the lanes are exact. */
static void read_links(Sweep *s, const Heap *h, uint32_t slot, Sum *sum)
{
    const Standing *o = &s->standing[slot];
    EACH_LINK(h, &h->objects[slot], link) {
        const Object *target = &h->objects[link->target];
        if (!s->in_garbage[target->id])
            continue;
        int tracked = s->standing[link->target].place >= 0;
        sum->holds_tracked |= (uint8_t)tracked;
        if ((link->label == OPAQUE || o->place < 0) && (tracked || target->degree))
            s->inexact |= link->label == OPAQUE ? OPAQUE_HELD : HELD_BY_UNTRACKED;
    }
}

static Sum sum_of(Sweep *s, const Heap *h, uint32_t group)
{
    Sum sum = {.place = INT32_MAX};
    for (uint32_t m = s->member_begin[group]; m < s->member_begin[group + 1]; m++) {
        uint32_t slot = slot_of(h, s->member[m]);
        if (!slot)
            continue;
        const Object *object = &h->objects[slot];
        const Shape *shape = &h->shapes[object->shape];
        Standing *o = &s->standing[slot];
        uint64_t bytes = bytes_of(h, slot);
        if (o->nested)
            s->inexact |= NESTED;
        if (shape->legacy)
            s->inexact |= LEGACY;
        if (o->kind == PURE_DICT) {
            if (o->since >= s->newest_full) {
                change(s, o, -1, -o->links);
                o->kind = PLAIN;
                change(s, o, 1, o->links);
            } else {
                if (s->oldest_full <= o->since)
                    s->inexact |= DICTS;
                leave(s, o);
            }
        }
        read_links(s, h, slot, &sum);
        sum.freed++;
        sum.bytes += (int64_t)bytes;
        if (o->place >= 0) {
            sum.found++;
            sum.links += o->links;
            sum.kind = o->kind;
            if (o->place < sum.place)
                sum.place = o->place;
        } else if (s->cyclic[group]) {
            s->inexact |= STUCK;
        }
        if (shape->flags & FLAG_GC) {
            int k = last_free_list(object, shape, bytes);
            if (!sum.listed[k]++)
                sum.list[sum.lists++] = (uint32_t)k;
            s->lists_used[k] = 1;
        }
    }
    if (!sum.found)
        sum.place = -1;
    return sum;
}

/* Freed, and found if anything is, by a collection of what `place` stands in. */
static void add_sum(Sweep *s, const Sum *sum, int32_t place)
{
    for (int j = 0; j < LEVELS; j++) {
        if (j < 2) {
            if (sum->found) {
                add_from(s->width, s->cut[j], place, sum->found, s->found[j]);
                add_from(s->width, s->cut[j], place, sum->links, s->found_links[j]);
            }
            add_from(s->width, s->cut[j], place, sum->freed, s->freed[j]);
            add_bytes_from(s->width, s->cut[j], place, sum->bytes, s->freed_bytes[j]);
        } else if (j == 3 || place >= s->frozen) {
            if (sum->found) {
                add_to_all(s->width, sum->found, s->found[j]);
                add_to_all(s->width, sum->links, s->found_links[j]);
            }
            add_to_all(s->width, sum->freed, s->freed[j]);
            add_bytes_to_all(s->width, sum->bytes, s->freed_bytes[j]);
        }
        for (uint32_t i = 0; i < sum->lists; i++) {
            uint32_t k = sum->list[i];
            if (j < 2)
                add_from(s->width, s->cut[j], place, sum->listed[k], s->listed[k][j]);
            else if (j == 3 || place >= s->frozen)
                add_to_all(s->width, sum->listed[k], s->listed[k][j]);
        }
    }
}

/* -- lane by lane, where they differ in more than a cut -- */

/* The least generation whose collection frees a hard group in this lane; DEAD: it dies at once. */
static int freeing_generation(const Sweep *s, uint32_t group, uint32_t l, int32_t place)
{
    int generation = s->cyclic[group] ? generation_of(s, l, place) : DEAD;
    for (uint32_t b = s->before_begin[group]; b < s->before_begin[group + 1]; b++) {
        uint32_t holder = s->before[b];
        int g = s->generations[(uint64_t)s->kept_at[holder] * s->lanes + l];
        if (g == DEAD || (g < 3 && s->last[g][l] > s->due[holder]))
            continue;
        if (generation == DEAD || g > generation)
            generation = g;
    }
    return generation;
}

/* What nothing holds in this lane dies by its count. */
static void die_early(Sweep *s, const Heap *h, uint32_t l, const Sum *sum, int generation)
{
    note_peaks(s, l);
    s->gone[l] += sum->freed;
    s->gone_bytes[l] += sum->bytes;
    s->high[l] = (int64_t)h->live;
    s->high_bytes[l] = (int64_t)h->live_bytes;
    s->early[l] += sum->freed;
    for (int j = generation; j < LEVELS; j++) {
        s->less[j][l]++;
        s->less_links[j][l] += sum->links;
    }
    if (generation == 0 && sum->kind == PURE_TUPLE) {
        s->less_pure[l]++;
        s->less_pure_links[l] += sum->links;
    }
    for (uint32_t i = 0; i < sum->lists; i++) {
        uint32_t k = sum->list[i];
        if (s->waiting[k][l] < (int32_t)h->free_capacity[k])
            s->waiting[k][l]++;
        else
            s->young[l] -= s->young[l] > 0;
    }
}

static void add_by_lane(Sweep *s, Heap *h, uint32_t group, const Sum *sum, int32_t place)
{
    int noticed = 0;
    for (uint32_t l = 0; l < s->lanes; l++) {
        int e = s->hard[group] ? freeing_generation(s, group, l, sum->place)
                               : generation_of(s, l, place);
        if (s->kept[group])
            s->generations[(uint64_t)s->kept_at[group] * s->lanes + l] = (uint8_t)e;
        int stands = s->cyclic[group] ? e : sum->place < 0 ? NEVER : generation_of(s, l, sum->place);
        if (sum->kind == PURE_TUPLE && stands)
            stands = NEVER;     /* untracked by now */
        if (e == DEAD) {
            if (!noticed++)
                take_notice(s, h);
            die_early(s, h, l, sum, stands);
            continue;
        }
        for (int j = e; j < LEVELS; j++) {
            s->freed[j][l] += sum->freed;
            s->freed_bytes[j][l] += sum->bytes;
            for (uint32_t i = 0; i < sum->lists; i++)
                s->listed[sum->list[i]][j][l] += sum->listed[sum->list[i]];
        }
        if (stands == NEVER)
            continue;
        if (sum->kind == PURE_TUPLE) {
            for (int j = e; j < LEVELS; j++) {
                s->young_pure[j][l]++;
                s->young_pure_links[j][l] += sum->links;
            }
        } else if (stands <= e) {
            for (int j = e; j < LEVELS; j++) {
                s->found[j][l] += sum->found;
                s->found_links[j][l] += sum->links;
            }
        } else {
            if (sum->holds_tracked)
                s->inexact |= BLOCKED;
            s->old[e][stands][l]++;
            s->old_links[e][stands][l] += sum->links;
        }
    }
}

static void note_generations(Sweep *s, uint32_t group, int32_t place)
{
    uint8_t *to = s->generations + (uint64_t)s->kept_at[group] * s->lanes;
    for (uint32_t l = 0; l < s->lanes; l++)
        to[l] = (uint8_t)generation_of(s, l, place);
}

static void group_is_due(Sweep *s, Heap *h, uint32_t group)
{
    Sum sum = sum_of(s, h, group);
    int32_t place = s->cyclic[group] ? sum.place : INT32_MAX;
    for (uint32_t b = s->before_begin[group]; b < s->before_begin[group + 1]; b++)
        if (s->least_place[s->before[b]] < place)
            place = s->least_place[s->before[b]];
    s->least_place[group] = place;
    int plain = s->cyclic[group] || sum.place < 0 || (sum.kind == PLAIN && sum.place >= place);
    if (s->hard[group] || !plain) {
        add_by_lane(s, h, group, &sum, place);
        return;
    }
    add_sum(s, &sum, place);
    if (s->kept[group])
        note_generations(s, group, place);
}

never_inline void sweep_due(Heap *h)
{
    Sweep *s = SWEEP(h);
    /* Garbage of the found heap waits for the start, where objects get their places. */
    while (h->started && s->next_group < s->groups && s->due[s->next_group] <= h->sequence)
        group_is_due(s, h, s->next_group++);
    while (h->due_next < h->due_length && h->due[h->due_next].sequence <= h->sequence)
        h->due_next++;
}

#endif
