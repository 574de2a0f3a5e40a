/* The objects of a log by number, in pages of neighbours.  A page of which half died is packed, one of
 * which all died is given back: what a log takes here goes by what is alive, not by what was born. */
#ifndef GCREPLAY_OBJECTS_H
#define GCREPLAY_OBJECTS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

typedef struct {
    uint32_t held;   /* references that running code holds; of a dead object, the epoch it died in */
    uint32_t linked; /* those that are links */
    uint32_t head;   /* newest link */
    uint32_t state;  /* bits, and the shape above them */
} Object;

enum { IS_DEAD = 1, IS_KEPT = 2, IS_GC = 4, IS_IMMORTAL = 8, IS_INDEXED = 16, IS_WEAK = 32, STATE_BITS = 6 };
#define MOST_SHAPES (1u << (32 - STATE_BITS))

enum { PAGE_BITS = 10, PAGE_OBJECTS = 1 << PAGE_BITS, NO_PLACE = 0xFFFF };

typedef struct { uint32_t dead, wanted, stored; Object objects[PAGE_OBJECTS]; } Page;
/* The rest of a page, and where each object is among them. */
typedef struct { uint32_t dead, wanted, stored; uint16_t place[PAGE_OBJECTS]; Object objects[]; } Packed;

typedef struct {
    uintptr_t *pages;        /* of a packed one, bit 0 is set; 0: all are dead */
    size_t room;
    Page *last;
    uint32_t *sparse;        /* pages to be packed or given back: `wanted` of them, or more, are dead */
    size_t sparse_n, sparse_room;
} Objects;

/* All that is known of what died in an earlier epoch. */
static Object long_dead = {.head = UINT32_MAX, .state = IS_DEAD | IS_KEPT};

/* An object that was born. */
static inline Object *object_at(const Objects *s, uint32_t id)
{
    uintptr_t page = s->pages[id >> PAGE_BITS];
    uint32_t i = id & (PAGE_OBJECTS - 1);
    if (unlikely(page & 1)) {
        Packed *p = (Packed *)(page & ~(uintptr_t)1);
        return p->place[i] == NO_PLACE ? &long_dead : &p->objects[p->place[i]];
    }
    return unlikely(page == 0) ? &long_dead : &((Page *)page)->objects[i];
}

/* The one that is born, in a page that was begun. */
static inline Object *object_new(const Objects *s, uint32_t id) { return &s->last->objects[id & (PAGE_OBJECTS - 1)]; }

static int array_grow(void **at, size_t *room, size_t item)
{
    size_t bigger = 2 * *room + 64;
    void *to = realloc(*at, bigger * item);
    if (to == NULL) {
        return 0;
    }
    *at = to;
    *room = bigger;
    return 1;
}

static inline int array_room(void **at, size_t *room, size_t n, size_t item)
{
    return likely(n < *room) || array_grow(at, room, item);
}

static int page_sparse(Objects *s, uint32_t page, Page *p)
{
    p->wanted = UINT32_MAX;
    if (!array_room((void **)&s->sparse, &s->sparse_room, s->sparse_n, sizeof(*s->sparse))) {
        return 0;
    }
    s->sparse[s->sparse_n++] = page;
    return 1;
}

/* The object, which stays known until the next page is begun.  Returns 0 when memory ran out. */
static inline int object_died(Objects *s, uint32_t id)
{
    Page *p = (Page *)(s->pages[id >> PAGE_BITS] & ~(uintptr_t)1); /* both kinds begin alike */
    return likely(++p->dead != p->wanted) || page_sparse(s, id >> PAGE_BITS, p);
}

/* What is left of a page; NULL when memory ran out. */
static Packed *packed(const Objects *s, uint32_t page, uint32_t alive)
{
    Packed *to = malloc(sizeof(*to) + alive * sizeof(Object));
    if (to == NULL) {
        return NULL;
    }
    to->dead = 0;
    to->stored = alive;
    to->wanted = alive - alive / 2;
    for (uint32_t i = 0, n = 0; i < PAGE_OBJECTS; i++) {
        const Object *o = object_at(s, page << PAGE_BITS | i);
        to->place[i] = o->state & IS_DEAD ? NO_PLACE : (uint16_t)n;
        if (to->place[i] != NO_PLACE) to->objects[n++] = *o;
    }
    return to;
}

/* Begins the page that starts with `id`; all before are full.  Nothing of what died before is asked for
 * any more, and no pointer to an object is good behind it.  Returns 0 when memory ran out. */
static int page_begun(Objects *s, uint32_t id)
{
    for (; s->sparse_n > 0; s->sparse_n--) {
        uint32_t page = s->sparse[s->sparse_n - 1];
        uintptr_t *ref = &s->pages[page];
        Page *p = (Page *)(*ref & ~(uintptr_t)1);
        Packed *to = p->dead < p->stored ? packed(s, page, p->stored - p->dead) : NULL;
        if (p->dead < p->stored && to == NULL) {
            return 0;
        }
        free(p);
        *ref = to == NULL ? 0 : (uintptr_t)to | 1;
    }
    size_t page = id >> PAGE_BITS;
    Page *new = malloc(sizeof(*new));
    if (new == NULL || !array_room((void **)&s->pages, &s->room, page, sizeof(*s->pages))) {
        free(new);
        return 0;
    }
    new->dead = 0;
    new->wanted = PAGE_OBJECTS / 2;
    new->stored = PAGE_OBJECTS;
    s->pages[page] = (uintptr_t)new;
    s->last = new;
    return 1;
}

static inline void objects_free(Objects *s, size_t born)
{
    size_t pages = (born + PAGE_OBJECTS - 1) >> PAGE_BITS;
    for (size_t i = 0; i < pages; i++) {
        free((void *)(s->pages[i] & ~(uintptr_t)1));
    }
    free(s->pages);
    free(s->sparse);
}

#endif
