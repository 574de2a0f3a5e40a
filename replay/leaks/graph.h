/* The heap of an engine as plain arrays, and what holds what in such a graph: the way from roots, and
   dominators. Vertices are numbered from 0; the links of vertex v are link[begin[v]] up to
   link[begin[v + 1]]. Who calls has room in every array that is written. */
#ifndef GCREPLAY_GRAPH_H
#define GCREPLAY_GRAPH_H

#include "../engine/links.h"

/* -- export -- */

#define GONE UINT32_MAX

/* Vertices are the objects alive, by ascending id; what a region that ran early has made, too, whose id
   the log has not reached. */
static void export_objects(const Heap *h, uint32_t *vertex, uint32_t *id, uint32_t *shape,
                           uint32_t *count, uint64_t *owned)
{
    uint32_t n = 0;
    for (uint32_t slot = 0; slot < h->slots; slot++)
        vertex[slot] = GONE;
    for (uint64_t i = 0; i < (uint64_t)h->opened << PAGE_BITS; i++) {
        uint32_t slot = slot_of(h, (uint32_t)i);
        if (!slot)
            continue;
        const Object *o = &h->objects[slot];
        vertex[slot] = n;
        id[n] = (uint32_t)i;
        shape[n] = o->shape;
        count[n] = o->count;
        owned[n++] = o->marks & OWNS_BYTES ? h->extra[slot].owned : 0;
    }
}

static uint64_t links_alive(const Heap *h)
{
    uint64_t links = 0;
    for (uint32_t slot = 1; slot < h->slots; slot++)
        if (h->objects[slot].count)
            links += h->objects[slot].degree;
    return links;
}

/* What a region that ran early has made may hold what this run has freed since: such links lead
   nowhere. How many there are is the value. */
static uint64_t export_links(const Heap *h, const uint32_t *vertex, const uint32_t *id, uint32_t n,
                             uint64_t *begin, uint32_t *target, uint32_t *label)
{
    uint64_t at = 0;
    for (uint32_t v = 0; v < n; v++) {
        begin[v] = at;
        EACH_LINK(h, &h->objects[slot_of(h, id[v])], link) {
            if (vertex[link->target] == GONE)
                continue;
            target[at] = vertex[link->target];
            label[at++] = link->label;
        }
    }
    begin[n] = at;
    return at;
}

/* -- the shortest way from roots -- */

#define NOT_REACHED UINT64_MAX
#define IS_START (UINT64_MAX - 1)

/* From starts (in this order) over what was not reached before and is not barred: `via` of each is the
   link by which it was reached first, `depth` how many lead there. `queue` has room for all. */
static void reach(const uint64_t *begin, const uint32_t *target, const uint32_t *start,
                  uint32_t starts, const uint8_t *barred, uint64_t *via, uint32_t *holder,
                  uint32_t *depth, uint32_t *queue)
{
    uint32_t length = 0;
    for (uint32_t i = 0; i < starts; i++)
        if (via[start[i]] == NOT_REACHED && !barred[start[i]]) {
            via[start[i]] = IS_START;
            depth[start[i]] = 0;
            queue[length++] = start[i];
        }
    for (uint32_t i = 0; i < length; i++)
        for (uint64_t k = begin[queue[i]]; k < begin[queue[i] + 1]; k++) {
            uint32_t t = target[k];
            if (via[t] != NOT_REACHED || barred[t])
                continue;
            via[t] = k;
            holder[t] = queue[i];
            depth[t] = depth[queue[i]] + 1;
            queue[length++] = t;
        }
}

/* -- dominators -- */

#define NO_ANCESTOR UINT32_MAX

/* By number in preorder, from 1; 0 is a root of all roots. */
typedef struct {
    uint32_t *vertex, *parent, *semi, *label, *ancestor, *dominator, *first, *next, *stack;
    uint64_t *before;           /* where the links to each begin in `source` */
    uint32_t *source;
} Search;

/* Number what roots lead to, in preorder; how much it is. */
static uint32_t number_in_preorder(uint32_t n, const uint64_t *begin, const uint32_t *target,
                                   const uint8_t *root, Search *s, uint32_t *number, uint64_t *at)
{
    uint32_t found = 0;
    for (uint32_t r = 0; r < n; r++) {
        if (!root[r] || number[r])
            continue;
        uint32_t depth = 0;
        number[r] = ++found;
        s->vertex[found] = r;
        s->parent[found] = 0;
        at[r] = begin[r];
        s->stack[depth++] = r;
        while (depth) {
            uint32_t v = s->stack[depth - 1];
            if (at[v] == begin[v + 1]) {
                depth--;
                continue;
            }
            uint32_t t = target[at[v]++];
            if (number[t])
                continue;
            number[t] = ++found;
            s->vertex[found] = t;
            s->parent[found] = number[v];
            at[t] = begin[t];
            s->stack[depth++] = t;
        }
    }
    return found;
}

/* The links that lead to each number, but for those of the root of all roots. */
static void turn_round(uint32_t found, const uint64_t *begin, const uint32_t *target,
                       const uint32_t *number, Search *s)
{
    for (uint32_t i = 1; i <= found; i++)
        for (uint64_t k = begin[s->vertex[i]]; k < begin[s->vertex[i] + 1]; k++)
            s->before[number[target[k]] + 1]++;
    for (uint32_t i = 1; i <= found; i++)
        s->before[i + 1] += s->before[i];
    s->before[found + 2] = s->before[found + 1];
    for (uint32_t i = found; i; i--)    /* from the end: what ends at i + 1 comes to begin there */
        for (uint64_t k = begin[s->vertex[i]]; k < begin[s->vertex[i] + 1]; k++)
            s->source[--s->before[number[target[k]] + 1]] = i;
}

/* The number with the least semidominator from v up to below the root of its tree in the forest. */
static uint32_t least_above(Search *s, uint32_t v)
{
    if (s->ancestor[v] == NO_ANCESTOR)
        return s->label[v];
    uint32_t depth = 0;
    for (uint32_t u = v; s->ancestor[s->ancestor[u]] != NO_ANCESTOR; u = s->ancestor[u])
        s->stack[depth++] = u;
    while (depth) {             /* path compression, the topmost first */
        uint32_t u = s->stack[--depth], above = s->ancestor[u];
        if (s->semi[s->label[above]] < s->semi[s->label[u]])
            s->label[u] = s->label[above];
        s->ancestor[u] = s->ancestor[above];
    }
    return s->label[v];
}

/* After Lengauer, Tarjan: "A fast algorithm for finding dominators in a flowgraph", TOPLAS 1(1), 1979,
   the simple version: O(m log n). What the root of all roots links to has semidominator 0 from the start.
   `found` is the number of vertices reached. */
static void find_dominators(uint32_t found, const uint8_t *root, Search *s)
{
    for (uint32_t i = 0; i <= found; i++) {
        s->semi[i] = s->label[i] = i;
        s->ancestor[i] = NO_ANCESTOR;
        s->first[i] = 0;
    }
    for (uint32_t w = found; w; w--) {
        uint32_t least = root[s->vertex[w]] ? 0 : w;
        for (uint64_t k = s->before[w + 1]; least && k < s->before[w + 2]; k++) {
            uint32_t u = s->semi[least_above(s, s->source[k])];
            if (u < least)
                least = u;
        }
        s->semi[w] = least;
        s->next[w] = s->first[least];
        s->first[least] = w;
        uint32_t above = s->parent[w];
        s->ancestor[w] = above;
        for (uint32_t v = s->first[above]; v; v = s->next[v]) {
            uint32_t u = least_above(s, v);
            s->dominator[v] = s->semi[u] < s->semi[v] ? u : above;
        }
        s->first[above] = 0;
    }
    for (uint32_t w = 1; w <= found; w++)
        if (s->dominator[w] != s->semi[w])
            s->dominator[w] = s->dominator[s->dominator[w]];
}

#endif
