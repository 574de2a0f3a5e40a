/* What operations do: births, the rarer events, and events that name what is not alive. */
#ifndef GCREPLAY_OPERATIONS_H
#define GCREPLAY_OPERATIONS_H

#include "schedule.h"

enum { WEAK_HIT = 2, WEAK_MISS = 3 };  /* operand c of OP_WEAKREF */

/* What waited for a collection and its regions of finalizers and callbacks to be over. */
never_inline void settle(Heap *h)
{
    h->aftermath = 0;
    if (!h->fruitless)          /* else no finalizer ran: these frees find the counter at 0 */
        h->pending += h->late;
    h->late = 0;
    ON_SETTLE(h);
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
    if (h->inside && h->inside_first && h->dies_inside != NULL && h->dies_inside[id] & DIES_INSIDE)
        return ENGINE_END;      /* a finalizer kills what its collection has freed by now */
    if (!h->revived++) {
        h->first_revived = h->sequence;
        h->first_revived_id = id;
    }
    return ENGINE_END;
}

/* A birth is too much: hand control to the policy, or remember it for the next safepoint. */
never_inline int triggers(Heap *h, int reason)
{
    if (!h->deferred)
        return reason;
    if (h->armed)
        return ENGINE_END;
    h->armed = (uint8_t)reason;
    return ENGINE_ARMED;
}

/* At a safepoint: whether what was due is due still. */
never_inline int still_due(Heap *h)
{
    if (h->batch)
        settle_batches(h);
    int64_t young = h->young - (int64_t)h->pending;
    int reason = h->armed;
    h->armed = 0;
    return reason == ENGINE_BYTES ? h->bytes_since > h->bytes_limit
                                  : (young > 0 || h->batch ? young : 0) > h->recheck;
}

/* A birth, in batches; the counter is compared when one is full (record_allocation). */
never_inline int count_in_batches(Heap *h, const Shape *shape)
{
    settle_batches(h);
    if (++h->buffered < (int64_t)h->batch)
        return ENGINE_END;
    h->buffered = 0;
    h->young += h->batch;
    if (h->young > h->limit && !h->inside && !(shape->flags & FLAG_BARRED))
        return triggers(h, ENGINE_ALLOCATIONS);
    return ENGINE_END;
}

/* The young counter goes up; returns why to hand control to the policy, if so. */
always_inline int count_up(Heap *h, const Shape *shape)
{
    h->young = h->young > (int64_t)h->pending ? h->young - (int64_t)h->pending : 0;
    h->pending = 0;
    if (unlikely(++h->young > h->limit) && !h->inside && !(shape->flags & FLAG_BARRED))
        return triggers(h, ENGINE_ALLOCATIONS);
    return ENGINE_END;
}

/* An object that was not tracked is, by its policy or since it holds something. */
never_inline int tracked_late(Heap *h, uint32_t slot, int generation)
{
    enlist(h, slot, generation);
    return h->tracking && h->started ? count_up(h, &h->shapes[h->objects[slot].shape]) : ENGINE_END;
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
        h->containers += (shape->flags & FLAG_GC) != 0;
    }
    ON_BIRTH(h, slot, shape);
    if (BASIC(mode) != COLLECTING)
        return ENGINE_END;
    if (unlikely(h->unfreeable) && h->dies_inside[h->objects[slot].id] & NEVER_FREED)
        h->objects[slot].marks |= OUTLIVES;
    if ((mode & LENIENT) && unlikely(h->tracking)) {
        if (h->started && (shape->flags & FLAG_TRACKED))
            reason = count_up(h, shape);
    } else if (h->started && (shape->flags & FLAG_GC)) {
        int counted = (shape->flags & FLAG_COUNTED) != 0;
        uint32_t *waiting = &h->free_count[shape->free_list];
        int taken = *waiting && shape->takes && !(shape->flags & FLAG_BYPASS);
        if (h->modelled)
            counted = !taken;
        else
            taken = !counted && *waiting;
        *waiting -= taken;
        if (counted)
            reason = (mode & LENIENT) && unlikely(h->batch) ? count_in_batches(h, shape)
                                                            : count_up(h, shape);
    }
    if (h->started) {
        h->bytes_since += shape->bytes;
        if (unlikely(h->bytes_since > h->bytes_limit) && !h->inside && !reason)
            reason = triggers(h, ENGINE_BYTES);
    }
    if (shape->flags & FLAG_TRACKED) {
        if (unlikely(reason) && reason != ENGINE_ARMED)
            h->newborn = slot;
        else
            enlist(h, slot, 0);
    }
    return reason;
}

#define TOUCH(slot)                                                                        \
    do {                                                                                   \
        if (BASIC(mode) == ANNOTATING) h->objects[slot].touched = h->sequence;             \
        ON_TOUCH(h, slot);                                                                 \
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

/* No collection frees the object: known from its birth on, and no use of it. */
never_inline int unfreeable(Heap *h, uint32_t id, const int mode)
{
    if (id >= h->next_id && !h->running)
        return broken(h, "names an object that was not allocated before it");
    if (!slot_of(h, id) && !(mode & LENIENT) && mode != COLLECTING && !h->clairvoyant)
        return broken(h, "names a dead object");
    if (BASIC(mode) == ANNOTATING && h->dies_inside != NULL)
        h->dies_inside[id] |= NEVER_FREED;
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
        if (b == UNFREEABLE)
            return unfreeable(h, a, mode);
        NAMED(slot, a);
        if (b > PERMANENT)
            return broken(h, "there is no such generation");
        ON_TRACK(h, slot, b);
        if (BASIC(mode) != COLLECTING || h->objects[slot].state != OUTSIDE)
            break;
        if (slot == h->newborn)
            h->newborn = 0;
        if (h->objects[slot].generation != UNTRACKED) {
            b = h->started ? h->objects[slot].generation : b;
            delist(h, &h->objects[slot]);
            enlist(h, slot, (int)b);
            break;
        }
        return tracked_late(h, slot, (int)b);
    }
    case OP_UNTRACK: {
        NAMED(slot, a);
        ON_UNTRACK(h, slot);
        if (BASIC(mode) != COLLECTING || h->objects[slot].state != OUTSIDE)
            break;
        if (slot == h->newborn)
            h->newborn = 0;
        if (h->objects[slot].generation != UNTRACKED) {
            delist(h, &h->objects[slot]);
            h->pending += h->tracking;
        }
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
        if (h->armed && !h->inside && still_due(h))
            return ENGINE_SAFEPOINT;
        break;
    case OP_MARK:
        break;
    case OP_TICK:
        h->tick = (uint64_t)b << 32 | a;
        h->inside_tick = h->sequence;
        if (!h->inside) {       /* the garbage is freed before callbacks are told of the end */
            h->pending += h->late;
            h->late = 0;
            ON_TICK(h);
        }
        if (h->tick >= h->tick_limit && !h->inside)
            return ENGINE_TICK;
        break;
    case OP_WEAKREF: {
        int used = c == WEAK_HIT || c == WEAK_MISS;
        if (used && h->running) /* at another moment: nothing was asked then */
            break;
        if (c > WEAK_MISS)
            return broken(h, "there is no such use of a weak reference");
        NAMED(weakref, a);
        if (used) {
            if (asked(h, b, c == WEAK_HIT, mode))
                return ENGINE_INVALID;
            break;
        }
        NAMED(target, b);
        watch_target(h, weakref, target, (uint8_t)c);
        ON_WATCH(h, target, c);
        break;
    }
    default:
        return broken(h, "there is no such event");
    }
    return ENGINE_END;
}

#endif
