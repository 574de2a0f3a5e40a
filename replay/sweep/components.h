/* The groups of the garbage: strongly connected components of what is left unreachable at the end of
   a log, after find_garbage(). Tarjan's algorithm without recursion. */
#ifndef GCREPLAY_COMPONENTS_H
#define GCREPLAY_COMPONENTS_H

#include "../engine/links.h"

typedef struct {
    uint32_t slots, groups, edges;
    uint32_t *group;            /* by slot, +1, in reverse topological order; 0: no garbage */
    uint32_t *order;            /* slots of all garbage, group by group */
    uint32_t *edge_from, *edge_to;      /* between groups */
    uint8_t *cyclic;            /* by group */
} Components;

typedef struct { uint32_t slot, at; } Frame;

static int find_components(const Heap *h, uint32_t garbage, Components *found)
{
    uint32_t n = h->slots, next = 1, depth = 0, open = 0, placed = 0;
    uint64_t links = 0;
    memset(found, 0, sizeof *found);
    for (uint32_t r = 1; r < n; r++)
        if (h->objects[r].count && h->objects[r].state == DYING)
            links += h->objects[r].degree;
    if (links > UINT32_MAX)
        return -1;
    uint32_t *index = calloc(n, sizeof *index), *low = calloc(n, sizeof *low);
    uint32_t *stack = calloc((size_t)garbage + 1, sizeof *stack);
    Frame *frame = calloc((size_t)garbage + 1, sizeof *frame);
    found->group = calloc(n, sizeof *found->group);
    found->order = calloc((size_t)garbage + 1, sizeof *found->order);
    found->cyclic = calloc((size_t)garbage + 1, 1);
    found->edge_from = calloc(links + 1, sizeof *found->edge_from);
    found->edge_to = calloc(links + 1, sizeof *found->edge_to);
    int failed = !(index && low && stack && frame && found->group && found->order && found->cyclic
                   && found->edge_from && found->edge_to);
    for (uint32_t root = 1; root < n && !failed; root++) {
        if (!h->objects[root].count || h->objects[root].state != DYING || index[root])
            continue;
        index[root] = low[root] = next++;
        stack[open++] = root;
        frame[depth++] = (Frame){root, 0};
        while (depth) {
            Frame *f = &frame[depth - 1];
            const Object *o = &h->objects[f->slot];
            const Link *link = links_of(h, o);
            uint32_t span = link_span(h, o);
            while (f->at < span) {
                uint32_t target = link[f->at++].target;
                if (!target || h->objects[target].state != DYING)
                    continue;
                if (!index[target]) {
                    index[target] = low[target] = next++;
                    stack[open++] = target;
                    frame[depth++] = (Frame){target, 0};
                    break;
                }
                if (!found->group[target] && index[target] < low[f->slot])
                    low[f->slot] = index[target];
            }
            if (f != &frame[depth - 1] || f->at < span)
                continue;
            uint32_t slot = f->slot;
            depth--;
            if (depth && low[slot] < low[frame[depth - 1].slot])
                low[frame[depth - 1].slot] = low[slot];
            if (low[slot] != index[slot])
                continue;
            uint32_t first = placed, member;
            found->groups++;
            do {
                member = stack[--open];
                found->group[member] = found->groups;
                found->order[placed++] = member;
            } while (member != slot);
            found->cyclic[found->groups - 1] = placed - first > 1;
        }
    }
    for (uint32_t i = 0; i < placed && !failed; i++) {
        uint32_t from = found->group[found->order[i]];
        EACH_LINK(h, &h->objects[found->order[i]], link) {
            uint32_t to = found->group[link->target];
            if (to == from) {
                found->cyclic[from - 1] = 1;
            } else if (to) {
                found->edge_from[found->edges] = from - 1;
                found->edge_to[found->edges++] = to - 1;
            }
        }
    }
    found->slots = placed;
    free(index);
    free(low);
    free(stack);
    free(frame);
    return failed ? -1 : 0;
}

static void free_components(Components *found)
{
    free(found->group);
    free(found->order);
    free(found->cyclic);
    free(found->edge_from);
    free(found->edge_to);
}

#endif
