/* Applying events. One loop serves every mode; the compiler makes one copy of it for each, so
   that counting pays nothing for collecting. */
#ifndef GCREPLAY_ADVANCE_H
#define GCREPLAY_ADVANCE_H

#include "collect.h"

/* Why control comes back. */
enum { ENGINE_END, ENGINE_STOP, ENGINE_START, ENGINE_ALLOCATIONS, ENGINE_BYTES, ENGINE_TICK,
       ENGINE_CALL,
       ENGINE_INVALID = -1, ENGINE_NO_MEMORY = -2 };

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
    if (id >= h->next_id)
        return broken(h, "names an object that was not allocated before it");
    if (mode != COLLECTING && !h->clairvoyant)
        return broken(h, "names a dead object");
    if (h->inside && h->inside_first && h->dies_inside != NULL && h->dies_inside[id])
        return ENGINE_END;      /* a finalizer kills what its collection has freed by now */
    if (!h->revived++) {
        h->first_revived = h->sequence;
        h->first_revived_id = id;
    }
    return ENGINE_END;
}

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
        ROOM(h, h->queue, n, h->queue_capacity);
        h->queue[n++] = slot;
        if (h->objects[slot].generation != UNTRACKED)
            delist(h, &h->objects[slot]);
        h->objects[slot].state = DYING;
    }
    for (uint32_t i = 0; i < n; i++)
        EACH_LINK(h, &h->objects[h->queue[i]], link)
            if (h->objects[link->target].state != DYING)
                lose_reference(h, link->target, mode);
    for (uint32_t i = 0; i < n; i++)
        release(h, h->queue[i], mode);
    die(h, mode);
    h->freed_by_collector += h->freed_by_count - freed;
    h->freed_by_count = freed;
    h->due_next = end;
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
        h->objects[slot].count++;
        h->pinned_next++;
    }
    if (mode != COLLECTING)
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
            if (unlikely(++h->young > h->limit) && !h->inside)
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
        if (mode == ANNOTATING) h->objects[slot].touched = h->sequence;                    \
    } while (0)

/* The slot an operand names, or handle the event as one that names no living object. */
#define NAMED(slot, operand)                                                               \
    uint32_t slot = slot_of(h, operand);                                                   \
    if (unlikely(!slot)) {                                                                 \
        if (missing(h, operand, mode)) return ENGINE_INVALID;                              \
        break;                                                                             \
    }                                                                                      \
    TOUCH(slot)

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
        if (a >= h->next_id)
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
        if (mode != COLLECTING)
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
        if (mode != COLLECTING)
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
                h->inside_first = h->inside_tick + 1 != h->sequence;
                h->inside_before = !h->modelled && !h->aftermath && h->inside_first;
                h->young_before = h->young;
                h->pending_before = h->pending;
            }
        } else {
            if (!h->inside)
                return broken(h, "no region begun is open");
            if (--h->inside)
                break;
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
        if (c == WEAK_MISS) {
            if (a >= h->next_id || b >= h->next_id)
                return broken(h, "names an object that was not allocated before it");
            break;
        }
        NAMED(target, b);
        NAMED(weakref, a);
        if (c != WEAK_HIT)
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

/* Apply the events up to position `end`; ends early with a reason. h->at is what comes next. */
always_inline int apply(Heap *h, uint32_t end, const int mode)
{
    const uint8_t *op = h->op;
    const uint32_t *a = h->a, *b = h->b, *c = h->c;
    const uint64_t first = h->first_sequence;
    for (uint32_t i = h->at; i < end; i++) {
        h->at = i + 1;
        h->sequence = first + i;
        look_ahead(h, i);
        switch (op[i]) {
        case OP_ALLOC: {
            if (unlikely(a[i] != h->next_id))
                return broken(h, "object ids must be dense");
            if (unlikely(b[i] >= h->shape_count))
                return broken(h, "there is no such shape");
            uint32_t slot = new_object(h, a[i], b[i]);
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
            if (unlikely(b[i] > h->objects[slot].count))
                return broken(h, "takes the reference count below 0");
            if (!(h->objects[slot].count -= b[i])) {
                doom(h, slot);
                die(h, mode);
            }
            break;
        }
        case OP_LINK: {
            /* What an opaque reference held goes with its holder, whenever that is. */
            if (mode == COLLECTING && unlikely(c[i] == OPAQUE) && a[i] < h->next_id && b[i] < h->next_id
                && !(slot_of(h, a[i]) && slot_of(h, b[i])))
                break;
            NAMED(source, a[i]);
            NAMED(target, b[i]);
            Object *o = &h->objects[source];
            h->objects[target].count++;
            add_link(h, o, target, c[i]);
            /* A tuple is filled before a collector sees it: one untracked before its links were
             * known to the log was untracked by mistake. */
            if (mode == COLLECTING && o->generation == UNTRACKED
                && (h->shapes[o->shape].is_dict || h->shapes[o->shape].is_tuple) && h->started && c[i] != OPAQUE && may_be_tracked(h, &h->objects[target])
                && source != h->newborn)
                enlist(h, source, 0);
            break;
        }
        case OP_UNLINK: {
            NAMED(source, a[i]);
            NAMED(target, b[i]);
            if (unlikely(!remove_link(h, &h->objects[source], target, c[i])))
                return broken(h, "undoes a link that does not exist");
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
            if (unlikely(h->aftermath && !h->inside && i + 1 < h->length && !goes_on(h, i + 1)))
                settle(h);
        }
        }
    }
    return ENGINE_END;
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
        int due = mode != ANNOTATING && h->due_next < h->due_length
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
            h->objects[slot].count++;
    }
    if (!h->next_id)
        return ENGINE_END;
    if (mode == COLLECTING)
        vanish(h, COLLECTING);
    else
        vanish(h, COUNTING);
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
