/* Applying events. One loop serves every mode; the compiler makes one copy of it for each, so
   that counting pays nothing for collecting. */
#ifndef GCREPLAY_ADVANCE_H
#define GCREPLAY_ADVANCE_H

#include "operations.h"

#define PREFETCH_AHEAD 20

/* Whether the event belongs to the collection just made: a region, or a tick between two. */
always_inline int goes_on(const Heap *h, uint32_t i)
{
    return h->op[i] == OP_INSIDE
           || (h->op[i] == OP_TICK && i + 1 < h->length && h->op[i + 1] == OP_INSIDE);
}

/* Objects of coming events are on their way to the cache when their turn comes: first the places
   in the map of ids, then the objects. */
always_inline void prefetch_ahead(const Heap *h, uint32_t i)
{
    if (unlikely(i + 2 * PREFETCH_AHEAD >= h->length))
        return;
    uint32_t far = i + 2 * PREFETCH_AHEAD, near = i + PREFETCH_AHEAD;
    __builtin_prefetch(place_of(h, h->a[far]));
    if (h->op[far] == OP_LINK)
        __builtin_prefetch(place_of(h, h->b[far]));
    __builtin_prefetch(&h->objects[slot_of(h, h->a[near])], 1);
    if (h->op[near] == OP_LINK)
        __builtin_prefetch(&h->objects[slot_of(h, h->b[near])], 1);
}

/* A region with an owner is passed over where it was recorded, but for what is no matter of its
   objects: calls of the gc module and ticks. */
never_inline int pass_over(Heap *h, uint32_t end)
{
    while (h->at < end) {
        uint32_t i = h->at++;
        h->sequence = h->first_sequence + i;
        switch (h->op[i]) {
        case OP_ALLOC:
            pass_birth(h, h->a[i]);
            break;
        case OP_GC_CALL:
            if (h->a[i] != CALL_COLLECT)
                return ENGINE_CALL;
            break;
        case OP_TICK:
            h->tick = (uint64_t)h->b[i] << 32 | h->a[i];
            break;
        case OP_INSIDE:
            h->skipping = 0;
            h->inside = 0;
            h->regions.passed++;
            if (h->after_tick)
                h->inside_tick = h->sequence;
            if (h->aftermath && h->at < h->length && !goes_on(h, h->at))
                settle(h);
            return ENGINE_END;
        }
    }
    return ENGINE_END;
}

/* Whether the policy is to be asked what to do with suspects, behind an event. */
always_inline int suspects_due(Heap *h)
{
    if (likely(!h->suspects_due) || h->inside)
        return ENGINE_END;
    h->suspects_due = 0;
    return h->lists[h->suspects].live > h->suspects_limit ? ENGINE_SUSPECTS : ENGINE_END;
}

/* Apply the events up to position `end`; ends early with a reason. h->at is what comes next. */
always_inline int apply(Heap *h, uint32_t end, const int mode)
{
    const uint8_t *op = h->op;
    const uint32_t *a = h->a, *b = h->b, *c = h->c;
    const uint64_t first = h->first_sequence;
    if ((mode & LENIENT) && unlikely(h->skipping)) {
        int reason = pass_over(h, end);
        if (reason || (mode == (COLLECTING | LENIENT) && (reason = suspects_due(h))))
            return reason;
    }
    for (uint32_t i = h->at; i < end; i++) {
        h->at = i + 1;
        if (!(mode & LENIENT) || likely(!h->running))
            h->sequence = first + i;
        prefetch_ahead(h, i);
        switch (op[i]) {
        case OP_ALLOC: {
            int counted = 0;
            if ((mode & LENIENT) && unlikely(h->running)) {
                counted = open_birth(h, a[i]);
            } else if (unlikely(a[i] != h->next_id)) {
                return broken(h, "object ids must be dense");
            } else if (unlikely(b[i] >= h->shape_count)) {
                return broken(h, "there is no such shape");
            } else {
                reach_id(h, a[i]);
            }
            uint32_t slot = new_object(h, a[i], b[i], counted);
            if (mode & LENIENT)
                h->linked[slot] = 0;
            TOUCH(slot);
            int reason = born(h, slot, &h->shapes[b[i]], mode);
            if (unlikely(reason))
                return reason;
            break;
        }
        case OP_INCREF: {
            NAMED(slot, a[i]);
            if (unlikely(b[i] >= IMMORTAL_REFERENCES
                         || h->objects[slot].count >= 2 * IMMORTAL_REFERENCES))
                return broken(h, "too many references");
            h->objects[slot].count += b[i];
            break;
        }
        case OP_DECREF: {
            NAMED(slot, a[i]);
            uint32_t n = b[i];
            if (mode & LENIENT) {
                uint32_t held = h->objects[slot].count - h->linked[slot];
                if (unlikely(n > held)) {
                    lacks(h, a[i]);
                    if (!(n = held))
                        break;
                }
            } else if (unlikely(n > h->objects[slot].count)) {
                return broken(h, "takes the reference count below 0");
            }
            if (!(h->objects[slot].count -= n)) {
                doom(h, slot);
                die(h, mode);
            } else {
                keeps_others(h, slot, mode);
            }
            break;
        }
        case OP_LINK: {
            /* What an opaque reference held goes with its holder, whenever that is. */
            if (((mode & LENIENT) || mode == COLLECTING) && unlikely(c[i] == OPAQUE)
                && ((a[i] < h->next_id && b[i] < h->next_id) || h->running)
                && !(slot_of(h, a[i]) && slot_of(h, b[i])))
                break;
            NAMED(source, a[i]);
            NAMED(target, b[i]);
            Object *o = &h->objects[source];
            if ((mode & LENIENT) && unlikely(h->clairvoyant && h->objects[target].state == DYING)) {
                lacks(h, b[i]);
                break;
            }
            h->objects[target].count++;
            if (mode & LENIENT)
                h->linked[target]++;
            add_link(h, o, target, c[i]);
            ON_LINK(h, source, target, c[i]);
            /* A tuple is filled before a collector sees it: one untracked before its links were
             * known to the log was untracked by mistake. */
            if (BASIC(mode) == COLLECTING && o->generation == UNTRACKED
                && (h->shapes[o->shape].is_dict || h->shapes[o->shape].is_tuple) && h->started && c[i] != OPAQUE && may_be_tracked(h, &h->objects[target])
                && source != h->newborn && (!(mode & LENIENT) || o->state == OUTSIDE)) {
                int reason = tracked_late(h, source, 0);
                if (unlikely(reason))
                    return reason;
            }
            break;
        }
        case OP_UNLINK: {
            NAMED(source, a[i]);
            NAMED(target, b[i]);
            int removed = remove_link(h, &h->objects[source], target, c[i]);
            if (unlikely(!removed)) {
                if (!(mode & LENIENT))
                    return broken(h, "undoes a link that does not exist");
                lacks(h, b[i]);
                break;
            }
            ON_UNLINK(h, source, target, removed == 1);
            if (mode & LENIENT)
                h->linked[target]--;
            if (!--h->objects[target].count) {
                doom(h, target);
                die(h, mode);
            } else {
                keeps_others(h, target, mode);
            }
            break;
        }
        default: {
            int reason = apply_other(h, i, mode);
            if (unlikely(reason))
                return reason;
            if ((mode & LENIENT) && unlikely(h->skipping)) {
                if ((reason = pass_over(h, end)))
                    return reason;
                i = h->at - 1;
            }
            if (unlikely(h->aftermath && !h->inside && i + 1 < h->length && !goes_on(h, i + 1)))
                settle(h);
        }
        }
        if (mode == (COLLECTING | LENIENT) && suspects_due(h))
            return ENGINE_SUSPECTS;
    }
    return ENGINE_END;
}

/* Run what a region holds, in the collection that found its owner. */
static void run_region(Heap *h, uint32_t region, const int mode)
{
    const Regions *r = &h->regions;
    const uint8_t *op = h->op;
    const uint32_t *a = h->a, *b = h->b, *c = h->c;
    uint32_t at = h->at, length = h->length, inside = h->inside;
    uint64_t begin = r->begin[region];
    h->op = r->op + begin;
    h->a = r->a + begin;
    h->b = r->b + begin;
    h->c = r->c + begin;
    h->at = 0;
    h->length = (uint32_t)(r->begin[region + 1] - begin);
    h->inside = h->running = 1;
    if (mode == (COLLECTING | LENIENT))
        apply(h, h->length, COLLECTING | LENIENT);
    else
        apply(h, h->length, COUNTING | LENIENT);
    h->running = 0;
    h->inside = inside;
    h->op = op;
    h->a = a;
    h->b = b;
    h->c = c;
    h->at = at;
    h->length = length;
}

/* Whether what is due and waits for a safepoint is to be decided now, right before a birth; else
   `end` moves to the next birth. */
never_inline int at_safepoint(Heap *h, uint64_t *end)
{
    uint32_t i = h->at;
    if (h->op[i] == OP_ALLOC && !h->inside)
        return still_due(h);
    while (++i < h->length && h->op[i] != OP_ALLOC)
        ;
    if (h->first_sequence + i < *end)
        *end = h->first_sequence + i;
    return 0;
}

/* Apply events until the segment ends or the policy is due. */
always_inline int advance_in(Heap *h, const int mode)
{
    while (h->at < h->length) {
        uint64_t end = h->first_sequence + h->length;
        if (h->stop < end)
            end = h->stop;
        if (h->first_sequence + h->at >= end)
            return ENGINE_STOP;
        if (BASIC(mode) == COLLECTING && unlikely(h->armed) && !h->safepoints
            && at_safepoint(h, &end))
            return ENGINE_SAFEPOINT;
        int due = BASIC(mode) != ANNOTATING && h->due_next < h->due_length
                  && h->due[h->due_next].sequence < end;
        if (due)
            end = h->due[h->due_next].sequence + 1;
        int reason = apply(h, (uint32_t)(end - h->first_sequence), mode);
        if (due && h->sequence + 1 == end && reason >= 0) {
            if (h->clairvoyant)
                vanish(h, mode);
            else
                ON_DUE(h);
        }
        if (reason && reason != ENGINE_ARMED)
            return reason;
    }
    return ENGINE_END;
}

static int advance(Heap *h, int mode)
{
    if (setjmp(h->failure))
        return ENGINE_NO_MEMORY;
    if (h->newborn && !h->aftermath) {          /* the policy chose not to collect */
        enlist(h, h->newborn, 0);
        h->newborn = 0;
    }
    if (h->aftermath && !h->inside && h->at < h->length && !goes_on(h, h->at))
        settle(h);
    switch (mode) {
    case COUNTING: return advance_in(h, COUNTING);
    case ANNOTATING: return advance_in(h, ANNOTATING);
    case COUNTING | LENIENT: return advance_in(h, COUNTING | LENIENT);
    case ANNOTATING | LENIENT: return advance_in(h, ANNOTATING | LENIENT);
    case COLLECTING | LENIENT: return advance_in(h, COLLECTING | LENIENT);
    default: return advance_in(h, COLLECTING);
    }
}

static int collect(Heap *h, int generation, int into, int untracking, int from, int64_t size,
                   int how, Figures *figures)
{
    if (setjmp(h->failure))
        return ENGINE_NO_MEMORY;
    *figures = collect_generation(h, generation, into, untracking, from, size, how);
    return ENGINE_END;
}

static int scan(Heap *h, int from, int among, int into, int64_t limit, Figures *figures)
{
    if (setjmp(h->failure))
        return ENGINE_NO_MEMORY;
    *figures = scan_alive(h, from, among, into, limit);
    return ENGINE_END;
}

static int mark(Heap *h, int roots, int into, Figures *figures)
{
    if (setjmp(h->failure))
        return ENGINE_NO_MEMORY;
    *figures = mark_alive(h, roots, into);
    return ENGINE_END;
}

/* Append the list of one generation to another's, in order. */
static int move_list(Heap *h, int from, int to)
{
    if (setjmp(h->failure))
        return ENGINE_NO_MEMORY;
    List *list = &h->lists[from];
    for (uint32_t i = list->first; i < list->length; i++)
        if (list->slot[i])
            enlist(h, list->slot[i], to);
    empty_list(list);
    return ENGINE_END;
}

/* Only what something outside the log's objects refers to; links must be counted. */
static int move_held(Heap *h, int from, int to)
{
    if (setjmp(h->failure))
        return ENGINE_NO_MEMORY;
    List *list = &h->lists[from];
    for (uint32_t i = list->first; i < list->length; i++) {
        uint32_t slot = list->slot[i];
        if (slot && is_root(h, slot)) {
            delist(h, &h->objects[slot]);
            enlist(h, slot, to);
        }
    }
    return ENGINE_END;
}

#endif
