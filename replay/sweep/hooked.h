/* The engine's headers, compiled once more, with hooks at which the lanes take part. */
#ifndef GCREPLAY_HOOKED_H
#define GCREPLAY_HOOKED_H

#include <stdint.h>

#define HOOKED
#define ON_BIRTH(h, slot, shape) sweep_birth(h, slot, shape)
#define ON_DEATH(h, slot, shape, bytes) sweep_death(h, slot, shape, bytes)
#define ON_TOUCH(h, slot) sweep_touch(h, slot)
#define ON_LINK(h, source, target, label) sweep_link(h, source, target, label)
#define ON_UNLINK(h, source, target, shown) sweep_unlink(h, source, target, shown)
#define ON_TRACK(h, slot, generation) sweep_track(h, slot, generation)
#define ON_UNTRACK(h, slot) sweep_untrack(h, slot)
#define ON_WATCH(h, target, callback) sweep_watch(h, target, callback)
#define ON_TICK(h) sweep_tick(h)
#define ON_SETTLE(h) sweep_settle(h)
#define ON_DUE(h) sweep_due(h)

#include "../engine/heap.h"

static void sweep_birth(Heap *h, uint32_t slot, const Shape *shape);
static void sweep_death(Heap *h, uint32_t slot, const Shape *shape, uint64_t bytes);
static void sweep_touch(Heap *h, uint32_t slot);
static void sweep_link(Heap *h, uint32_t source, uint32_t target, uint32_t label);
static void sweep_unlink(Heap *h, uint32_t source, uint32_t target, int shown);
static void sweep_track(Heap *h, uint32_t slot, uint32_t generation);
static void sweep_untrack(Heap *h, uint32_t slot);
static void sweep_watch(Heap *h, uint32_t target, uint32_t callback);
static void sweep_tick(Heap *h);
static void sweep_settle(Heap *h);
static void sweep_due(Heap *h);

#include "../engine/advance.h"
#include "garbage.h"

#endif
