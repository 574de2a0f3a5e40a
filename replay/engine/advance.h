/* Applying events. One loop serves every mode; the compiler makes one copy of it for each, so
   that counting pays nothing for collecting. */
#ifndef GCREPLAY_ADVANCE_H
#define GCREPLAY_ADVANCE_H

#include "schedule.h"

enum { WEAK_HIT = 2, WEAK_MISS = 3 };  /* operand c of OP_WEAKREF */

#define LOOK_AHEAD 20

/* Whether the event belongs to the collection just made: a region, or a tick between two. */
always_inline int goes_on(const Heap *h, uint32_t i)
{
    return h->op[i] == OP_INSIDE
           || (h->op[i] == OP_TICK && i + 1 < h->length && h->op[i + 1] == OP_INSIDE);
}

/* What waited for a collection and its regions of finalizers and callbacks to be over. */
never_inline void settle(Heap *h)
{
    h->aftermath = 0;
    if (!h->fruitless)          /* else no finalizer ran: these frees find the counter at 0 */
        h->pending += h->late;
    h->late = 0;
    if (h->newborn)
        enlist(h, h->newborn, 0);
    h->newborn = 0;
}

never_inline int broken(Heap *h, const char *rule)
{
    h->rule = rule;
    return ENGINE_INVALID;
}

/* An event names an object that is not alive: freed by the policy, or a broken log. */
never_inline int missing(Heap *h, uint32_t id, const int mode)
{
    if ((mode & LENIENT) && (h->running || unborn(h, id))) {
        lacks(h, id);
        return ENGINE_END;
    }
    if (id >= h->next_id)
        return broken(h, "names an object that was not allocated before it");
    if (!(mode & LENIENT) && mode != COLLECTING && !h->clairvoyant)
        return broken(h, "names a dead object");
    if (h->inside && h->inside_first && h->dies_inside != NULL && h->dies_inside[id])
        return ENGINE_END;      /* a finalizer kills what its collection has freed by now */
    if (!h->revived++) {
        h->first_revived = h->sequence;
        h->first_revived_id = id;
    }
    return ENGINE_END;
}

/* Bookkeeping of a birth; returns why to hand control to the policy, if so. */
always_inline int born(Heap *h, uint32_t slot, const Shape *shape, const int mode)
{
    int reason = ENGINE_END;
    h->live_bytes += shape->bytes;
    if (++h->live > h->peak)
        h->peak = h->live;
    if (h->live_bytes > h->peak_bytes)
        h->peak_bytes = h->live_bytes;
    if (unlikely(shape->flags & FLAG_IMMORTAL))
        h->objects[slot].count += IMMORTAL_REFERENCES;
    if (unlikely(h->clairvoyant) && h->pinned_next < h->pinned_length
        && h->pinned[h->pinned_next] == h->objects[slot].id) {
        pin(h, slot);
        h->pinned_next++;
    }
    if (mode & LENIENT) {
        own(h, slot, h->objects[slot].id);
        h->grown_bytes += shape->bytes;
    }
    if (BASIC(mode) != COLLECTING)
        return ENGINE_END;
    if (h->started && (shape->flags & FLAG_GC)) {
        int counted = (shape->flags & FLAG_COUNTED) != 0;
        uint32_t *waiting = &h->free_count[shape->free_list];
        int taken = *waiting && shape->takes && !(shape->flags & FLAG_BYPASS);
        if (h->modelled)
            counted = !taken;
        else
            taken = !counted && *waiting;
        *waiting -= taken;
        if (counted) {
            h->young = h->young > (int64_t)h->pending ? h->young - (int64_t)h->pending : 0;
            h->pending = 0;
            if (unlikely(++h->young > h->limit) && !h->inside && !(shape->flags & FLAG_BARRED))
                reason = ENGINE_ALLOCATIONS;
        }
    }
    if (h->started) {
        h->bytes_since += shape->bytes;
        if (unlikely(h->bytes_since > h->bytes_limit) && !h->inside && !reason)
            reason = ENGINE_BYTES;
    }
    if (shape->flags & FLAG_TRACKED) {
        if (unlikely(reason))
            h->newborn = slot;
        else
            enlist(h, slot, 0);
    }
    return reason;
}

#define TOUCH(slot)                                                                        \
    do {                                                                                   \
        if (BASIC(mode) == ANNOTATING) h->objects[slot].touched = h->sequence;                    \
    } while (0)

/* The slot an operand names, or handle the event as one that names no living object. */
#define NAMED(slot, operand)                                                               \
    uint32_t slot = slot_of(h, operand);                                                   \
    if (unlikely(!slot)) {                                                                 \
        if (missing(h, operand, mode)) return ENGINE_INVALID;                              \
        break;                                                                             \
    }                                                                                      \
    TOUCH(slot)

/* The program asks a weak reference for `id`. It got it (`hit`), and the policy has freed it; or got
   nothing, and the policy still holds it: under the policy it would have done something else. */
never_inline int asked(Heap *h, uint32_t id, int hit, const int mode)
{
    if (id >= h->next_id)
        return broken(h, "names an object that was not allocated before it");
    uint32_t target = slot_of(h, id);
    if (target && hit)
        TOUCH(target);
    if ((target != 0) == hit)
        return ENGINE_END;
    if (hit && (mode & LENIENT) && unborn(h, id)) {
        lacks(h, id);
        return ENGINE_END;
    }
    if (hit && !(mode & LENIENT) && mode != COLLECTING && !h->clairvoyant)
        return broken(h, "names a dead object");
    if (!h->misled++) {
        h->first_misled = h->sequence;
        h->first_misled_id = id;
        h->first_misled_hit = (uint8_t)hit;
    }
    return ENGINE_END;
}

/* The rarer events. */
never_inline int apply_other(Heap *h, uint32_t i, const int mode)
{
    uint32_t a = h->a[i], b = h->b[i], c = h->c[i];
    switch (h->op[i]) {
    case OP_START:
        h->started = 1;
        h->pending = 0;
        floating_changes(h);
        h->floating_sum = h->floating_bytes_sum = 0;    /* the found heap is not a time */
        return ENGINE_START;
    case OP_KEPT:
        if (a >= h->next_id && !h->running)
            return broken(h, "names an object that was not allocated before it");
        if (!h->modelled && h->pending)
            h->pending--;
        break;
    case OP_RESIZE: {
        NAMED(slot, a);
        uint64_t owned = (uint64_t)c << 32 | b, before = bytes_of(h, slot);
        h->objects[slot].marks |= OWNS_BYTES;
        h->extra[slot].owned = owned;
        uint64_t change = bytes_of(h, slot) - before;
        h->live_bytes += change;
        h->grown_bytes += change;
        if (h->live_bytes > h->peak_bytes)
            h->peak_bytes = h->live_bytes;
        if (h->objects[slot].marks & IS_FLOATING) {
            floating_changes(h);
            h->floating_bytes += change;
            if (h->floating_bytes > h->peak_floating_bytes)
                h->peak_floating_bytes = h->floating_bytes;
        }
        break;
    }
    case OP_TRACK: {
        NAMED(slot, a);
        if (b > PERMANENT)
            return broken(h, "there is no such generation");
        if (BASIC(mode) != COLLECTING || h->objects[slot].state != OUTSIDE)
            break;
        if (slot == h->newborn)
            h->newborn = 0;
        if (h->objects[slot].generation != UNTRACKED) {
            b = h->started ? h->objects[slot].generation : b;
            delist(h, &h->objects[slot]);
        }
        enlist(h, slot, (int)b);
        break;
    }
    case OP_UNTRACK: {
        NAMED(slot, a);
        if (BASIC(mode) != COLLECTING || h->objects[slot].state != OUTSIDE)
            break;
        if (slot == h->newborn)
            h->newborn = 0;
        if (h->objects[slot].generation != UNTRACKED)
            delist(h, &h->objects[slot]);
        break;
    }
    case OP_GC_CALL:
        if (h->inside && a == CALL_COLLECT)     /* a collector that runs does nothing */
            break;
        return ENGINE_CALL;
    case OP_INSIDE:
        if (b) {
            if (!h->inside++) {
                h->inside_since = h->sequence;
                /* What callbacks do after the garbage is freed stands behind a tick. */
                h->after_tick = h->inside_tick + 1 == h->sequence;
                h->skipping = (mode & LENIENT) && a != NO_OBJECT;
                if (h->skipping)
                    break;
                h->inside_first = !h->after_tick && a == NO_OBJECT;
                h->inside_before = !h->modelled && !h->aftermath && h->inside_first;
                h->young_before = h->young;
                h->pending_before = h->pending;
            }
        } else {
            if (!h->inside)
                return broken(h, "no region begun is open");
            if (--h->inside)
                break;
            if (h->after_tick)
                h->inside_tick = h->sequence;   /* so does the next, if it stands right behind */
            h->displaced += h->sequence - h->inside_since - 1;
            if (h->inside_before) {
                h->young = h->young_before;
                h->pending = h->pending_before;
            }
        }
        break;
    case OP_SAFEPOINT:
    case OP_MARK:
        break;
    case OP_TICK:
        h->tick = (uint64_t)b << 32 | a;
        h->inside_tick = h->sequence;
        if (!h->inside) {       /* the garbage is freed before callbacks are told of the end */
            h->pending += h->late;
            h->late = 0;
        }
        if (h->tick >= h->tick_limit && !h->inside)
            return ENGINE_TICK;
        break;
    case OP_WEAKREF: {
        int used = c == WEAK_HIT || c == WEAK_MISS;
        if (used && h->running) /* at another moment: nothing was asked then */
            break;
        NAMED(weakref, a);
        if (used) {
            if (asked(h, b, c == WEAK_HIT, mode))
                return ENGINE_INVALID;
            break;
        }
        NAMED(target, b);
        watch_target(h, weakref, target, (uint8_t)c);
        break;
    }
    default:
        return broken(h, "there is no such event");
    }
    return ENGINE_END;
}

/* Objects of coming events are on their way to the cache when their turn comes: first the place
   in the map of ids, then the object. */
always_inline void look_ahead(const Heap *h, uint32_t i)
{
    if (unlikely(i + 2 * LOOK_AHEAD >= h->length))
        return;
    uint32_t far = i + 2 * LOOK_AHEAD, near = i + LOOK_AHEAD;
    __builtin_prefetch(place_of(h, h->a[far]));
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

/* Apply the events up to position `end`; ends early with a reason. h->at is what comes next. */
always_inline int apply(Heap *h, uint32_t end, const int mode)
{
    const uint8_t *op = h->op;
    const uint32_t *a = h->a, *b = h->b, *c = h->c;
    const uint64_t first = h->first_sequence;
    if ((mode & LENIENT) && unlikely(h->skipping)) {
        int reason = pass_over(h, end);
        if (reason)
            return reason;
    }
    for (uint32_t i = h->at; i < end; i++) {
        h->at = i + 1;
        if (!(mode & LENIENT) || likely(!h->running))
            h->sequence = first + i;
        look_ahead(h, i);
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
            /* A tuple is filled before a collector sees it: one untracked before its links were
             * known to the log was untracked by mistake. */
            if (BASIC(mode) == COLLECTING && o->generation == UNTRACKED
                && (h->shapes[o->shape].is_dict || h->shapes[o->shape].is_tuple) && h->started && c[i] != OPAQUE && may_be_tracked(h, &h->objects[target])
                && source != h->newborn && (!(mode & LENIENT) || o->state == OUTSIDE))
                enlist(h, source, 0);
            break;
        }
        case OP_UNLINK: {
            NAMED(source, a[i]);
            NAMED(target, b[i]);
            if (unlikely(!remove_link(h, &h->objects[source], target, c[i]))) {
                if (!(mode & LENIENT))
                    return broken(h, "undoes a link that does not exist");
                lacks(h, b[i]);
                break;
            }
            if (mode & LENIENT)
                h->linked[target]--;
            if (!--h->objects[target].count) {
                doom(h, target);
                die(h, mode);
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

/* Apply events until the segment ends or the policy is due. */
always_inline int advance_in(Heap *h, const int mode)
{
    while (h->at < h->length) {
        uint64_t end = h->first_sequence + h->length;
        if (h->stop < end)
            end = h->stop;
        if (h->first_sequence + h->at >= end)
            return ENGINE_STOP;
        int due = BASIC(mode) != ANNOTATING && h->due_next < h->due_length
                  && h->due[h->due_next].sequence < end;
        if (due)
            end = h->due[h->due_next].sequence + 1;
        int reason = apply(h, (uint32_t)(end - h->first_sequence), mode);
        if (due && h->sequence + 1 == end && reason >= 0) {
            if (h->clairvoyant)
                vanish(h, mode);
            else
                floats(h);
        }
        if (reason)
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

static int collect(Heap *h, int generation, int into, int untracking, Figures *figures)
{
    if (setjmp(h->failure))
        return ENGINE_NO_MEMORY;
    *figures = collect_generation(h, generation, into, untracking);
    return ENGINE_END;
}

/* Append the list of one generation to another's, in order. */
static int move_list(Heap *h, int from, int to)
{
    if (setjmp(h->failure))
        return ENGINE_NO_MEMORY;
    List *list = &h->lists[from];
    for (uint32_t i = 0; i < list->length; i++)
        if (list->slot[i])
            enlist(h, list->slot[i], to);
    list->length = list->live = 0;
    return ENGINE_END;
}

#endif
