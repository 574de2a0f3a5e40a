/* The links of an object, in the order they were made. A few stand in the object itself, more in one
   block of a common pool, both to be searched; many become a hub, where unlinking takes constant
   time. */
#ifndef GCREPLAY_LINKS_H
#define GCREPLAY_LINKS_H

#include "heap.h"

#define EACH_LINK(h, o, link)                                                              \
    for (const Link *link = links_of(h, o), *link##_end = link + link_span(h, o);          \
         link < link##_end; link++)                                                        \
        if (link->target)

always_inline const Link *links_of(const Heap *h, const Object *o)
{
    if (likely(o->block == IN_PLACE))
        return o->few;
    return o->block == HUB ? h->hubs[o->links].link : h->pool + o->links;
}

always_inline uint32_t link_span(const Heap *h, const Object *o)
{
    return o->block == HUB ? h->hubs[o->links].length : o->degree;
}

/* -- blocks -- */

always_inline uint32_t take_block(Heap *h, int size)
{
    uint32_t block = h->free_block[size];
    if (likely(block)) {
        h->free_block[size] = h->pool[block].target;
        return block;
    }
    block = h->pool_length;
    uint32_t end = block + (1u << size);
    ROOM(h, h->pool, end, h->pool_capacity);
    h->pool_length = end;
    return block;
}

always_inline void give_block(Heap *h, int size, uint32_t block)
{
    h->pool[block].target = h->free_block[size];
    h->free_block[size] = block;
}

/* -- hubs -- */

always_inline uint32_t hub_home(const Hub *hub, uint32_t target, uint32_t label)
{
    uint64_t key = ((uint64_t)target << 32 | label) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(key >> 32) & hub->mask;
}

/* The table's place of (target, label), or the empty place where it belongs. */
static uint32_t hub_find(const Hub *hub, uint32_t target, uint32_t label)
{
    uint32_t at = hub_home(hub, target, label);
    while (hub->table[at]) {
        const Link *link = &hub->link[hub->table[at] - 1];
        if (link->target == target && link->label == label)
            break;
        at = (at + 1) & hub->mask;
    }
    return at;
}

static void hub_index(Hub *hub, uint32_t position)
{
    uint32_t at = hub_find(hub, hub->link[position].target, hub->link[position].label);
    hub->older[position] = hub->table[at];
    hub->table[at] = position + 1;
}

/* Close the holes, make room for as many links again, and index anew. */
static void hub_rebuild(Heap *h, Hub *hub, uint32_t degree)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < hub->length; i++)
        if (hub->link[i].target)
            hub->link[kept++] = hub->link[i];
    hub->length = kept;
    uint64_t capacity = 2 << LARGEST_BLOCK;
    while (capacity < 2 * (uint64_t)degree)
        capacity *= 2;
    hub->link = grown(h, hub->link, capacity, sizeof *hub->link);
    hub->older = grown(h, hub->older, capacity, sizeof *hub->older);
    hub->table = grown(h, hub->table, 2 * capacity, sizeof *hub->table);
    hub->capacity = (uint32_t)capacity;
    hub->mask = (uint32_t)(2 * capacity - 1);
    memset(hub->table, 0, 2 * capacity * sizeof *hub->table);
    for (uint32_t i = 0; i < kept; i++)
        hub_index(hub, i);
}

static void hub_remove(Hub *hub, uint32_t position)
{
    Link *link = &hub->link[position];
    uint32_t at = hub_find(hub, link->target, link->label);
    link->target = 0;
    if ((hub->table[at] = hub->older[position]))
        return;
    for (uint32_t next = (at + 1) & hub->mask; hub->table[next]; next = (next + 1) & hub->mask) {
        const Link *other = &hub->link[hub->table[next] - 1];
        uint32_t home = hub_home(hub, other->target, other->label);
        if (((next - home) & hub->mask) >= ((next - at) & hub->mask)) {
            hub->table[at] = hub->table[next];
            hub->table[next] = 0;
            at = next;
        }
    }
}

never_inline void become_hub(Heap *h, Object *o)
{
    uint32_t number = h->free_hub;
    if (number) {
        h->free_hub = h->hubs[number].length;
    } else {
        ROOM(h, h->hubs, h->hub_count, h->hub_capacity);
        number = h->hub_count++;
    }
    Hub *hub = &h->hubs[number];
    memset(hub, 0, sizeof *hub);
    hub->link = grown(h, NULL, o->degree, sizeof *hub->link);
    memcpy(hub->link, h->pool + o->links, o->degree * sizeof *hub->link);
    hub->length = o->degree;
    hub_rebuild(h, hub, o->degree);
    give_block(h, o->block, o->links);
    o->block = HUB;
    o->links = number;
}

never_inline void free_hub(Heap *h, uint32_t number)
{
    Hub *hub = &h->hubs[number];
    free(hub->link);
    free(hub->older);
    free(hub->table);
    memset(hub, 0, sizeof *hub);
    hub->length = h->free_hub;
    h->free_hub = number;
}

/* -- what the rest uses -- */

never_inline void make_room_for_link(Heap *h, Object *o)
{
    if (o->block == IN_PLACE) {
        o->links = take_block(h, SMALLEST_BLOCK);
        o->block = SMALLEST_BLOCK;
        memcpy(h->pool + o->links, o->few, sizeof o->few);
    } else if (o->block < LARGEST_BLOCK) {
        uint32_t larger = take_block(h, o->block + 1);
        memcpy(h->pool + larger, h->pool + o->links, o->degree * sizeof(Link));
        give_block(h, o->block, o->links);
        o->links = larger;
        o->block++;
    } else if (o->block == LARGEST_BLOCK) {
        become_hub(h, o);
    } else {
        hub_rebuild(h, &h->hubs[o->links], o->degree);
    }
}

always_inline void add_link(Heap *h, Object *o, uint32_t target, uint32_t label)
{
    if (likely(o->block == IN_PLACE && o->degree < FEW_LINKS)) {
        o->few[o->degree++] = (Link){target, label};
        return;
    }
    if (likely(o->block != HUB)) {
        if (unlikely(o->block == IN_PLACE || o->degree == 1u << o->block))
            make_room_for_link(h, o);
    } else if (unlikely(h->hubs[o->links].length == h->hubs[o->links].capacity)) {
        make_room_for_link(h, o);
    }
    if (likely(o->block != HUB)) {
        h->pool[o->links + o->degree] = (Link){target, label};
    } else {
        Hub *hub = &h->hubs[o->links];
        hub->link[hub->length] = (Link){target, label};
        hub_index(hub, hub->length++);
    }
    o->degree++;
}

/* Remove the newest link to `target` with this label, else without a label, else with any; 0 if
   there is none, 1 if a traversal shows it, 2 if not. */
static int remove_link(Heap *h, Object *o, uint32_t target, uint32_t label)
{
    uint32_t span = link_span(h, o), found = 0, opaque = 0;
    Link *link = (Link *)links_of(h, o);
    if (o->block == HUB) {
        Hub *hub = &h->hubs[o->links];
        found = hub->table[hub_find(hub, target, label)];
        if (!found)
            found = hub->table[hub_find(hub, target, UNKNOWN)];
        for (uint32_t i = span; !found && i-- > 0;)
            if (link[i].target == target)
                found = i + 1;
        if (found) {
            opaque = link[found - 1].label == OPAQUE;
            hub_remove(hub, found - 1);
        }
    } else {
        for (uint32_t i = span; i-- > 0;)
            if (link[i].target == target) {
                if (link[i].label == label) {
                    found = i + 1;
                    break;
                }
                if (!found || (link[i].label == UNKNOWN && link[found - 1].label != UNKNOWN))
                    found = i + 1;
            }
        if (found) {
            opaque = link[found - 1].label == OPAQUE;
            memmove(link + found - 1, link + found, (span - found) * sizeof *link);
        }
    }
    if (!found)
        return 0;
    o->degree--;
    return opaque ? 2 : 1;
}

always_inline void drop_links(Heap *h, Object *o)
{
    if (unlikely(o->block == HUB))
        free_hub(h, o->links);
    else if (unlikely(o->block != IN_PLACE))
        give_block(h, o->block, o->links);
    o->block = IN_PLACE;
    o->degree = 0;
}

#endif
