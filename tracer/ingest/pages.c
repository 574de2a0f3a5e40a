/* Objects in pages of neighbouring numbers.  A page is given back when all in it are dead.  Among
 * what dies young some stay, one in a page is enough to keep it: so pages are packed as they empty. */
#include "ingest.h"

#include <stdlib.h>
#include <string.h>

object_t *object_new(ingest_t *s, uint32_t type, uint32_t size8)
{
    uint32_t id = s->next_id;
    size_t page = id >> PAGE_BITS;
    if (id == NONE) {
        fail(s, "there are more objects than numbers for them");
        return NULL;
    }
    while (page >= s->pages_room) {
        size_t had = s->pages_room;
        if (!array_grow((void **)&s->pages, &s->pages_room, sizeof(*s->pages))) {
            fail(s, "memory ran out");
            return NULL;
        }
        memset(s->pages + had, 0, (s->pages_room - had) * sizeof(*s->pages));
    }
    page_t *p = s->pages[page].whole; /* a page that is not full is not packed */
    if (p == NULL) {
        if ((p = aligned_alloc(_Alignof(page_t), sizeof(page_t))) == NULL) {
            fail(s, "memory ran out");
            return NULL;
        }
        p->born = p->dead = 0;
        s->pages[page].whole = p;
        s->page_bytes += sizeof(*p);
    }
    s->next_id++;
    p->born++;
    object_t *o = &p->objects[id & (PAGE_OBJECTS - 1)];
    memset(o, 0, sizeof(*o));
    p->outside[id & (PAGE_OBJECTS - 1)] = 0;
    o->name = NONE;
    o->type = type;
    o->size8 = o->born8 = size8;
    o->count = o->reported = 1;
    o->out_first = o->out_last = o->in_first = NONE;
    o->generation = 4;
    o->state = S_ALIVE;
    return o;
}

static size_t packed_bytes(uint32_t objects) { return sizeof(packed_t) + objects * (sizeof(object_t) + sizeof(uint32_t)); }

static uint32_t *outside_packed(packed_t *p, uint32_t objects) { return (uint32_t *)&p->objects[objects]; }

uint32_t *object_outside(ingest_t *s, uint32_t id)
{
    page_ref_t p = s->pages[id >> PAGE_BITS];
    uint32_t i = id & (PAGE_OBJECTS - 1);
    if (p.bits & 1) {
        p.bits &= ~(uintptr_t)1;
        return &outside_packed(p.packed, p.packed->born)[p.packed->place[i]];
    }
    return &p.whole->outside[i];
}

/* No edge may be left on it. */
void object_died(ingest_t *s, uint32_t id)
{
    object_t *o = object_get(s, id);
    if (o->in_first != NONE || o->out_first != NONE) {
        fail(s, "a dead object still has links");
        return;
    }
    if (kind_of(s, o) == KIND_WEAKREF) {
        weak_forget(s, id);
    }
    o->state = S_DEAD;
    page_ref_t *ref = &s->pages[id >> PAGE_BITS], p = {.bits = ref->bits & ~(uintptr_t)1};
    int packed = p.bits != ref->bits;
    uint32_t room = packed ? p.packed->born : PAGE_OBJECTS;
    uint32_t dead = packed ? ++p.packed->dead : ++p.whole->dead;
    if (packed) {
        p.packed->place[id & (PAGE_OBJECTS - 1)] = NO_PLACE;
    }
    if (dead == room) {
        s->page_bytes -= packed ? packed_bytes(room) : sizeof(page_t);
        free(p.whole);
        ref->whole = NULL;
    } else if (dead == room / 2) {
        words_push(&s->sparse, id >> PAGE_BITS);
    }
}

/* Takes back the birth of the last object. */
void object_unborn(ingest_t *s)
{
    s->next_id--;
    s->pages[s->next_id >> PAGE_BITS].whole->born--;
}

static packed_t *packed(ingest_t *s, uint32_t page, uint32_t live)
{
    size_t bytes = (packed_bytes(live) + _Alignof(object_t) - 1) / _Alignof(object_t) * _Alignof(object_t);
    packed_t *to = aligned_alloc(_Alignof(object_t), bytes);
    if (to == NULL) {
        return NULL;
    }
    to->born = to->dead = 0;
    for (uint32_t i = 0; i < PAGE_OBJECTS; i++) {
        object_t *o = object_get(s, page << PAGE_BITS | i);
        to->place[i] = NO_PLACE;
        if (o != NULL && o->state != S_DEAD) {
            to->place[i] = (uint16_t)to->born;
            outside_packed(to, live)[to->born] = *object_outside(s, page << PAGE_BITS | i);
            to->objects[to->born++] = *o;
        }
    }
    return to;
}

/* What has half emptied is packed; no pointer to an object is good behind it. */
void pages_pack(ingest_t *s)
{
    size_t keep = 0;
    for (size_t i = 0; i < s->sparse.n; i++) {
        uint32_t page = s->sparse.at[i];
        page_ref_t *ref = &s->pages[page], p = {.bits = ref->bits & ~(uintptr_t)1}, to;
        if (p.bits == 0) {
            continue; /* all the rest died too */
        }
        int again = p.bits != ref->bits;
        uint32_t born = again ? p.packed->born : p.whole->born, dead = again ? p.packed->dead : p.whole->dead;
        to.packed = again || born == PAGE_OBJECTS ? packed(s, page, born - dead) : NULL;
        if (to.packed == NULL) {
            s->sparse.at[keep++] = page; /* it is not full yet, or there is no room now */
            continue;
        }
        s->page_bytes += packed_bytes(born - dead);
        s->page_bytes -= again ? packed_bytes(born) : sizeof(page_t);
        free(p.whole);
        *ref = to;
        ref->bits |= 1;
    }
    s->sparse.n = keep;
}
