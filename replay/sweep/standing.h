/* Where objects stand: how births, deaths, links and tracking change what the lanes count. */
#ifndef GCREPLAY_STANDING_H
#define GCREPLAY_STANDING_H

#include "collection.h"

/* -- an object that stands somewhere: `n` objects and `links` more there -- */

static void change_plain(Sweep *s, int32_t place, int32_t n, int32_t links)
{
    for (int j = 0; j < LEVELS; j++)
        if (j != 2 || place >= s->frozen) {
            s->all[j] += n;
            s->all_links[j] += links;
        }
    if (place < s->newest)
        for (int j = 0; j < 2; j++)
            change_before(s->width, s->cut[j], place, n, links, s->less[j], s->less_links[j]);
}

/* Every collection untracks tuples that hold nothing: these are gone where their place is before
   the first cut. */
static void change_tuple(Sweep *s, int32_t place, int32_t n, int32_t links)
{
    for (int j = 0; j < LEVELS; j++) {
        s->all[j] += n;
        s->all_links[j] += links;
        if (place < s->newest)
            change_before(s->width, s->cut[0], place, n, links, s->less[j], s->less_links[j]);
    }
    s->pure += n;
    s->pure_links += links;
    if (place < s->newest)
        change_before(s->width, s->cut[0], place, n, links, s->less_pure, s->less_pure_links);
}

/* Full ones untrack such dicts. */
static void change_dict(Sweep *s, const Standing *o, int32_t n, int32_t links)
{
    if (o->since >= s->newest_full) {
        change_plain(s, o->place, n, links);
    } else {
        for (int j = 0; j < LEVELS; j++) {
            s->all[j] += n;
            s->all_links[j] += links;
        }
        for (int j = 0; j < 2; j++)
            change_before_either(s->width, s->cut[j], o->place, s->full, o->since, n, links,
                                 s->less[j], s->less_links[j]);
        for (int j = 2; j < LEVELS; j++)
            change_before(s->width, s->full, o->since, n, links, s->less[j], s->less_links[j]);
        change_before(s->width, s->full, o->since, n, links, s->less_dicts, s->less_dict_links);
    }
    s->dicts += n;
    s->dict_links += links;
}

static void change(Sweep *s, const Standing *o, int32_t n, int32_t links)
{
    if (o->place < 0)
        return;
    if (likely(o->kind == PLAIN))
        change_plain(s, o->place, n, links);
    else if (o->kind == PURE_TUPLE)
        change_tuple(s, o->place, n, links);
    else
        change_dict(s, o, n, links);
}

/* -- tracked, untracked -- */

always_inline int is_tuple(const Heap *h, uint32_t slot)
{
    return h->shapes[h->objects[slot].shape].is_tuple;
}

always_inline int is_dict(const Heap *h, uint32_t slot)
{
    return h->shapes[h->objects[slot].shape].is_dict;
}

/* A collector visits what tuples hold in turn: the lanes do not, and say so. */
static void leave_nested(Sweep *s, Standing *o)
{
    if (o->nested && o->nested_at != s->collections)
        s->inexact |= NESTED;
    o->nested = 0;
}

static void note_nested(Sweep *s, Standing *o)
{
    int nested = o->place >= 0 && !o->holds && o->tuples;
    if (nested == o->nested)
        return;
    leave_nested(s, o);
    o->nested = (uint8_t)nested;
    o->nested_at = s->collections;
}

/* It is the newest of what is tracked. */
static void arrive(Sweep *s, const Heap *h, uint32_t slot)
{
    Standing *o = &s->standing[slot];
    o->place = o->since = s->place++;
    if (s->place > INT32_MAX - 2)
        longjmp(((Heap *)h)->failure, 1);
    o->kind = o->holds ? PLAIN : is_tuple(h, slot) ? PURE_TUPLE : is_dict(h, slot) ? PURE_DICT : PLAIN;
    change(s, o, 1, o->links);
    note_nested(s, o);
}

static void leave(Sweep *s, Standing *o)
{
    change(s, o, -1, -o->links);
    leave_nested(s, o);
    o->place = -1;
    o->kind = PLAIN;
}

/* It holds something that collectors see: lanes that have untracked it track it again. */
static void tracked_again(Sweep *s, const Heap *h, uint32_t slot)
{
    Standing *o = &s->standing[slot];
    int newest = o->kind == PURE_TUPLE ? o->place >= s->newest : o->since >= s->newest_full;
    int32_t place = o->place;
    uint8_t kind = o->kind;
    if (o->kind == PURE_DICT && !newest && s->oldest_full <= o->since)
        s->inexact |= DICTS;    /* in some lanes it was untracked, in others not */
    leave(s, o);
    if (newest) {
        o->place = place;
        o->kind = o->holds ? PLAIN : kind;
        change(s, o, 1, o->links);
    } else {
        arrive(s, h, slot);
    }
}

/* What is untracked, in all lanes or some, is tracked again if the tuple is. */
static void holds_a_tuple(Sweep *s, const Heap *h, uint32_t slot, const Standing *tuple)
{
    Standing *o = &s->standing[slot];
    if (tuple->kind == PURE_TUPLE && tuple->place < s->newest)
        s->inexact |= NESTED;   /* seen in some lanes, in others not */
    else if (o->place < 0)
        arrive(s, h, slot);
    else if (o->kind != PLAIN)
        tracked_again(s, h, slot);
}

/* It holds nothing any more that collectors see. */
static void becomes_pure(Sweep *s, const Heap *h, uint32_t slot)
{
    Standing *o = &s->standing[slot];
    if (is_tuple(h, slot) && o->place >= s->newest) {
        change(s, o, -1, -o->links);
        o->kind = PURE_TUPLE;
        change(s, o, 1, o->links);
    } else if (is_tuple(h, slot)) {
        s->inexact |= AGAIN;
    } else if (is_dict(h, slot) && o->place >= s->frozen) {
        change(s, o, -1, -o->links);
        o->kind = PURE_DICT;
        o->since = s->place++;
        change(s, o, 1, o->links);
    } else if (is_dict(h, slot)) {
        s->inexact |= DICTS;
    }
}

/* -- the hooks -- */

never_inline void make_room_for_standing(Sweep *s, Heap *h, uint32_t slot)
{
    ROOM(h, s->standing, slot, s->standing_capacity);
}

static inline void sweep_birth(Heap *h, uint32_t slot, const Shape *shape)
{
    Sweep *s = SWEEP(h);
    if (unlikely(slot >= s->standing_capacity))
        make_room_for_standing(s, h, slot);
    s->standing[slot] = (Standing){.place = -1};
    if (unlikely(!h->started)) {
        if (shape->flags & FLAG_TRACKED)
            s->standing[slot].place = 0;        /* the generation, until the start */
        return;
    }
    if (shape->flags & FLAG_GC) {
        int k = shape->free_list;
        int listed = k && shape->takes && !(shape->flags & FLAG_BYPASS);
        int any = listed ? count_listed_birth(s->width, s->young, s->limit, s->waiting[k], s->counted)
                         : count_birth(s->width, s->young, s->limit);
        if (unlikely(any) && !h->inside && !(shape->flags & FLAG_BARRED))
            collect_where_due(s, h, listed ? s->counted : NULL);
    }
    if (shape->flags & FLAG_TRACKED)
        arrive(s, h, slot);
}

static inline void sweep_death(Heap *h, uint32_t slot, const Shape *shape, uint64_t bytes)
{
    Sweep *s = SWEEP(h);
    Standing *o = &s->standing[slot];
    if (unlikely(!h->started)) {
        if (shape->flags & FLAG_GC) {
            int k = last_free_list(&h->objects[slot], shape, bytes);
            count_listed_death(s->width, s->young, s->waiting[k], (int32_t)h->free_capacity[k]);
        }
        return;
    }
    if (o->place >= 0)
        leave(s, o);
    if (shape->flags & FLAG_GC) {
        int k = last_free_list(&h->objects[slot], shape, bytes);
        if (k)
            count_listed_death(s->width, s->young, s->waiting[k], (int32_t)h->free_capacity[k]);
        else
            count_death(s->width, s->young);
    }
}

static inline void sweep_link(Heap *h, uint32_t source, uint32_t target, uint32_t label)
{
    Sweep *s = SWEEP(h);
    Standing *o = &s->standing[source], *t = &s->standing[target];
    if (unlikely(label == OPAQUE))
        return;
    o->links++;
    if (unlikely(!h->started)) {
        if ((is_tuple(h, source) || is_dict(h, source))
            && (h->shapes[h->objects[target].shape].flags & FLAG_GC)) {
            if (is_tuple(h, target))
                o->tuples++;
            else
                o->holds++;
        }
        return;
    }
    change(s, o, 0, 1);
    const Shape *shape = &h->shapes[h->objects[source].shape];
    if (likely(!shape->is_tuple && !shape->is_dict)
        || !(h->shapes[h->objects[target].shape].flags & FLAG_GC))
        return;
    if (is_tuple(h, target)) {
        o->tuples++;
        if (t->place >= 0)
            holds_a_tuple(s, h, source, t);
    } else {
        o->holds++;
        if (o->place < 0)
            arrive(s, h, source);
        else if (o->kind != PLAIN)
            tracked_again(s, h, source);
    }
    note_nested(s, o);
}

static inline void sweep_unlink(Heap *h, uint32_t source, uint32_t target, int shown)
{
    Sweep *s = SWEEP(h);
    Standing *o = &s->standing[source];
    if (!shown)
        return;
    o->links--;
    if (likely(h->started))
        change(s, o, 0, -1);
    const Shape *shape = &h->shapes[h->objects[source].shape];
    if (likely(!shape->is_tuple && !shape->is_dict)
        || !(h->shapes[h->objects[target].shape].flags & FLAG_GC))
        return;
    if (is_tuple(h, target))
        o->tuples--;
    else if (!--o->holds && h->started && o->place >= 0)
        becomes_pure(s, h, source);
    if (h->started)
        note_nested(s, o);
}

static void sweep_track(Heap *h, uint32_t slot, uint32_t generation)
{
    Sweep *s = SWEEP(h);
    Standing *o = &s->standing[slot];
    if (!h->started) {
        o->place = (int32_t)generation;
        return;
    }
    if (o->place < 0) {
        if (generation)
            s->inexact |= PLACED;
        arrive(s, h, slot);
    } else if (o->kind == PURE_TUPLE && o->place < s->newest) {
        if (generation)
            s->inexact |= PLACED;
        leave(s, o);
        arrive(s, h, slot);
    } else if (o->kind == PURE_DICT && o->since < s->newest_full) {
        if (s->oldest_full <= o->since || generation)
            s->inexact |= DICTS;
        leave(s, o);
        arrive(s, h, slot);
    }
}

static void sweep_untrack(Heap *h, uint32_t slot)
{
    Standing *o = &SWEEP(h)->standing[slot];
    if (!h->started)
        o->place = -1;
    else if (o->place >= 0)
        leave(SWEEP(h), o);
}

static void sweep_watch(Heap *h, uint32_t target, uint32_t callback)
{
    uint32_t id = h->objects[target].id;
    if (callback && SWEEP(h)->in_garbage[id])
        SWEEP(h)->inexact |= CALLED_BACK;
}

static void sweep_tick(Heap *h)
{
    settle_frees(SWEEP(h));
}

static void sweep_settle(Heap *h)
{
    settle_lanes(SWEEP(h));
}

/* -- whether a touched object can be reached -- */

/* A policy may have freed what the program touches while nothing reaches it. Held by links alone it is
   searched for from all that running code holds, as long as the budget lasts. */
never_inline void prove_reachable(Sweep *s, Heap *h, uint32_t slot)
{
    while (s->seen_capacity < h->slot_capacity) {
        uint32_t before = s->seen_capacity;
        ROOM(h, s->seen, h->slot_capacity, s->seen_capacity);
        memset(s->seen + before, 0, (s->seen_capacity - before) * sizeof *s->seen);
    }
    s->round++;
    uint32_t base = h->stack_length;
    for (uint32_t r = 1; r < h->slots; r++) {
        if (!h->objects[r].count || h->objects[r].count == h->linked[r] || s->seen[r] == s->round)
            continue;
        s->seen[r] = s->round;
        doom(h, r);
        while (h->stack_length > base) {
            uint32_t reached = h->stack[--h->stack_length];
            if (s->budget-- == 0) {
                s->checking = 0;
                s->inexact |= UNPROVED;
                h->stack_length = base;
                return;
            }
            EACH_LINK(h, &h->objects[reached], link)
                if (s->seen[link->target] != s->round) {
                    if (link->target == slot) {
                        h->stack_length = base;
                        return;
                    }
                    s->seen[link->target] = s->round;
                    doom(h, link->target);
                }
        }
    }
    s->checking = 0;
    s->inexact |= TOUCHED;
}

static inline void sweep_touch(Heap *h, uint32_t slot)
{
    Sweep *s = SWEEP(h);
    if (unlikely(h->objects[slot].count == h->linked[slot]) && s->checking && h->started)
        prove_reachable(s, h, slot);
}

#endif
