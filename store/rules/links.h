/* The links between the objects of a log: of each source a list, newest first.  An UNLINK searches it
 * from there; a source whose search grows long gets an index by (source, target), so that large
 * containers emptied from the front stay cheap. */
#ifndef GCREPLAY_LINKS_H
#define GCREPLAY_LINKS_H

#include "objects.h"

#define NONE 0xFFFFFFFFu
enum { LONG_SEARCH = 32, LEAST_SLOTS = 256 };

typedef struct {
    uint32_t target;
    uint32_t next;     /* older link of the same source */
    uint32_t previous; /* newer link of the same source */
    uint32_t same;     /* older link of the same source to the same target, when indexed */
} Link;

typedef struct {
    uint32_t source, target;
    uint32_t link; /* newest link of the pair; NONE marks an empty slot */
} Slot;

typedef struct {
    Link *at;
    size_t used, room;
    uint32_t unused; /* first of those given back */
    Slot *slots;     /* the index: a hash table with linear probing */
    size_t slots_used, slots_room;
} Links;

static inline void links_free(Links *s)
{
    free(s->at);
    free(s->slots);
}

/* ---- the index ------------------------------------------------------------------- */

static inline size_t slot_home(const Links *s, uint32_t source, uint32_t target)
{
    uint64_t key = ((uint64_t)source << 32 | target) * 0x9E3779B97F4A7C15u;
    return (key ^ key >> 32) & (s->slots_room - 1);
}

/* The pair's slot, or the empty one where it belongs. */
static inline Slot *slot_of(const Links *s, uint32_t source, uint32_t target)
{
    size_t i = slot_home(s, source, target);
    while (s->slots[i].link != NONE && (s->slots[i].source != source || s->slots[i].target != target)) {
        i = (i + 1) & (s->slots_room - 1);
    }
    return &s->slots[i];
}

static int slots_grow(Links *s)
{
    Slot *old = s->slots;
    size_t room = s->slots_room, bigger = room ? 2 * room : LEAST_SLOTS;
    Slot *slots = malloc(bigger * sizeof(Slot));
    if (slots == NULL) {
        return 0;
    }
    memset(slots, 0xFF, bigger * sizeof(Slot));
    s->slots = slots;
    s->slots_room = bigger;
    for (size_t i = 0; i < room; i++) {
        if (old[i].link != NONE) *slot_of(s, old[i].source, old[i].target) = old[i];
    }
    free(old);
    return 1;
}

__attribute__((noinline)) static int link_index(Links *s, uint32_t source, uint32_t target, uint32_t link)
{
    if (2 * (s->slots_used + 1) > s->slots_room && !slots_grow(s)) {
        return 0;
    }
    Slot *slot = slot_of(s, source, target);
    s->at[link].same = slot->link;
    s->slots_used += slot->link == NONE;
    *slot = (Slot){source, target, link};
    return 1;
}

static int links_index(Links *s, uint32_t source, Object *holder)
{
    uint32_t oldest = NONE;
    for (uint32_t link = holder->head; link != NONE; link = s->at[link].next) oldest = link;
    for (; oldest != NONE; oldest = s->at[oldest].previous) {
        if (!link_index(s, source, s->at[oldest].target, oldest)) return 0;
    }
    holder->state |= IS_INDEXED;
    return 1;
}

/* Empties a slot, and moves up those that were pushed past it. */
static void slot_remove(Links *s, Slot *slot)
{
    size_t mask = s->slots_room - 1, hole = (size_t)(slot - s->slots), i = hole;
    s->slots_used--;
    for (;;) {
        i = (i + 1) & mask;
        if (s->slots[i].link == NONE) {
            break;
        }
        size_t home = slot_home(s, s->slots[i].source, s->slots[i].target);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            s->slots[hole] = s->slots[i];
            hole = i;
        }
    }
    s->slots[hole].link = NONE;
}

static void link_forget(Links *s, uint32_t source, uint32_t target)
{
    Slot *slot = slot_of(s, source, target);
    if (slot->link != NONE) slot_remove(s, slot);
}

/* ---- the lists ------------------------------------------------------------------- */

__attribute__((noinline)) static int links_grow(Links *s)
{
    size_t room = 2 * s->room + 1024;
    Link *at = s->used >= NONE ? NULL : realloc(s->at, room * sizeof(Link));
    if (at == NULL) {
        return 0;
    }
    s->at = at;
    s->room = room;
    return 1;
}

/* Returns 0 when memory, or the numbers for links, ran out. */
static inline int link_add(Links *s, uint32_t source, Object *holder, uint32_t target)
{
    uint32_t new = s->unused;
    if (new != NONE) {
        s->unused = s->at[new].next;
    } else {
        if (unlikely(s->used == s->room) && !links_grow(s)) {
            return 0;
        }
        new = (uint32_t)s->used++;
    }
    Link *link = &s->at[new];
    link->target = target;
    link->next = holder->head;
    link->previous = NONE;
    if (holder->head != NONE) {
        s->at[holder->head].previous = new;
    }
    holder->head = new;
    return likely(!(holder->state & IS_INDEXED)) || link_index(s, source, target, new);
}

static inline void link_give(Links *s, uint32_t link)
{
    s->at[link].next = s->unused;
    s->unused = link;
}

/* Takes out the newest link to that target.  Returns 1; 0 when there is none, -1 when memory ran out. */
static inline int link_drop(Links *s, uint32_t source, Object *holder, uint32_t target)
{
    uint32_t found = holder->head, steps = 0;
    while (found != NONE && s->at[found].target != target && steps < LONG_SEARCH) {
        found = s->at[found].next;
        steps++;
    }
    if (steps == LONG_SEARCH && !(holder->state & IS_INDEXED) && !links_index(s, source, holder)) {
        return -1;
    }
    if (holder->state & IS_INDEXED) {
        Slot *slot = slot_of(s, source, target);
        found = slot->link;
        if (found != NONE) {
            slot->link = s->at[found].same;
            if (slot->link == NONE) slot_remove(s, slot);
        }
    }
    if (found == NONE) {
        return 0;
    }
    const Link *link = &s->at[found];
    if (link->previous == NONE) holder->head = link->next;
    else s->at[link->previous].next = link->next;
    if (link->next != NONE) s->at[link->next].previous = link->previous;
    link_give(s, found);
    return 1;
}

#endif
