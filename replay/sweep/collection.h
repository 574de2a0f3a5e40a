/* A collection of one lane: no object is visited, what it frees has been counted before. The rules
   are those of policies/cpython311.py and engine/collect.h. */
#ifndef GCREPLAY_COLLECTION_H
#define GCREPLAY_COLLECTION_H

#include "lanes.h"

/* What is freed at level g leaves the sums of the older levels too. */
static int32_t take_sum(int32_t **sum, int g, uint32_t l)
{
    int32_t n = sum[g][l];
    for (int j = 0; j < LEVELS; j++)
        sum[j][l] = j <= g ? 0 : sum[j][l] - n;
    return n;
}

/* Blocks of freed objects go to the free lists, which a full collection empties; how many frees the
   young counter will see returns. */
static int32_t free_blocks(Sweep *s, const Heap *h, uint32_t l, int g)
{
    int32_t late = 0;
    for (int k = 0; k < FREE_LISTS; k++)
        if (s->lists_used[k]) {
            int32_t n = take_sum(s->listed[k], g, l), room = (int32_t)h->free_capacity[k] - s->waiting[k][l];
            int32_t kept = n < room ? n : room;
            s->waiting[k][l] += kept;
            late += n - kept;
        }
    for (int k = 1; k < FREE_LISTS && g == 2; k++)
        if (k != SLICE_LIST) {
            late += s->waiting[k][l];
            s->waiting[k][l] = 0;
        }
    return late;
}

/* The peaks of the lane up to now; what it has freed since the last time must not have changed. */
static void note_peaks(Sweep *s, uint32_t l)
{
    int64_t live = s->high[l] - s->gone[l], bytes = s->high_bytes[l] - s->gone_bytes[l];
    if (live > s->peak[l])
        s->peak[l] = live;
    if (bytes > s->peak_bytes[l])
        s->peak_bytes[l] = bytes;
    if (s->freed[3][l] > s->peak_floating[l])
        s->peak_floating[l] = s->freed[3][l];
    if (s->freed_bytes[3][l] > s->peak_floating_bytes[l])
        s->peak_floating_bytes[l] = s->freed_bytes[3][l];
}

/* All lanes take notice of the peaks since some lane last freed something. */
static void take_notice(Sweep *s, Heap *h)
{
    raise_to(s->width, s->high, (int64_t)h->peak);
    raise_to(s->width, s->high_bytes, (int64_t)h->peak_bytes);
    h->peak = h->live;
    h->peak_bytes = h->live_bytes;
}

static int due_generation(const Sweep *s, uint32_t l)
{
    int waits = s->long_lived_pending[l] < s->long_lived_total[l] / 4;
    for (int g = waits ? 1 : 2; g > 0; g--)
        if (s->count[g][l] > s->threshold[g][l])
            return g;
    return 0;
}

static void collect_lane(Sweep *s, Heap *h, uint32_t l, int g, int at_birth)
{
    int32_t tracked[LEVELS], links[LEVELS], later[LEVELS] = {0}, later_links[LEVELS] = {0};
    for (int j = 0; j < LEVELS; j++) {
        tracked[j] = s->all[j] - s->less[j][l];
        links[j] = s->all_links[j] - s->less_links[j][l];
    }
    note_peaks(s, l);

    int32_t found = s->young_pure[g][l], found_links = s->young_pure_links[g][l];
    int32_t untracked = s->pure - s->less_pure[l] - found;
    int32_t untracked_links = s->pure_links - s->less_pure_links[l] - found_links;
    for (int j = 0; j < LEVELS; j++)
        s->young_pure[j][l] = s->young_pure_links[j][l] = 0;
    s->less_pure[l] = s->pure;
    s->less_pure_links[l] = s->pure_links;
    if (g == 2) {
        untracked += s->dicts - s->less_dicts[l];
        untracked_links += s->dict_links - s->less_dict_links[l];
        s->less_dicts[l] = s->dicts;
        s->less_dict_links[l] = s->dict_links;
    }
    for (int e = 0; e <= g; e++)
        for (int o = e + 1; o < LEVELS; o++) {
            if (o <= g) {
                found += s->old[e][o][l];
                found_links += s->old_links[e][o][l];
            }
            for (int j = o; j < LEVELS && o > g; j++) {
                later[j] += s->old[e][o][l];
                later_links[j] += s->old_links[e][o][l];
            }
            s->old[e][o][l] = s->old_links[e][o][l] = 0;
        }
    found += take_sum(s->found, g, l);
    found_links += take_sum(s->found_links, g, l);
    int32_t freed = take_sum(s->freed, g, l);
    int64_t bytes = s->freed_bytes[g][l];
    for (int j = 0; j < LEVELS; j++)
        s->freed_bytes[j][l] = j <= g ? 0 : s->freed_bytes[j][l] - bytes;
    for (int j = 0; j < LEVELS; j++)
        if (j <= g && j < 2) {
            s->less[j][l] = s->all[j];
            s->less_links[j][l] = s->all_links[j];
        } else {
            s->less[j][l] += found + untracked + later[j];
            s->less_links[j][l] += found_links + untracked_links + later_links[j];
        }
    int32_t survivors = tracked[g] - found - untracked;

    s->gone[l] += freed;
    s->gone_bytes[l] += bytes;
    s->high[l] = (int64_t)h->live;
    s->high_bytes[l] = (int64_t)h->live_bytes;
    s->late[l] = free_blocks(s, h, l, g);
    s->fruitless[l] = !found;
    if (!s->settling[l]) {
        s->settling[l] = 1;
        s->settle[s->settlings++] = l;
    }
    s->young[l] = 0;
    for (int j = 0; j <= g; j++) {
        s->count[j][l] = 0;
        s->last[j][l] = h->sequence + 1;
        if (j < 2)
            s->cut[j][l] = s->place;
    }
    if (g < 2)
        s->count[g + 1][l]++;
    if (g == 1)
        s->long_lived_pending[l] += survivors;
    if (g == 2) {
        s->long_lived_total[l] = survivors;
        s->long_lived_pending[l] = 0;
        s->full[l] = s->newest_full = s->place;
    }
    s->newest = s->place;
    s->collections++;
    ROOM(h, s->made, s->made_length, s->made_capacity);
    s->made[s->made_length++] = (Made){
        .sequence = h->sequence, .bytes = (uint64_t)bytes, .lane = l,
        .allocation = h->next_id - (uint32_t)at_birth, .candidates = (uint32_t)tracked[g],
        .tracked = (uint32_t)tracked[2], .links = (uint32_t)links[g], .collected = (uint32_t)found,
        .freed = (uint32_t)freed, .survivors = (uint32_t)survivors, .generation = (uint8_t)g,
        .at_birth = (uint8_t)at_birth};
}

static void find_oldest_full(Sweep *s)
{
    s->oldest_full = INT32_MAX;
    for (uint32_t l = 0; l < s->lanes; l++)
        if (s->full[l] < s->oldest_full)
            s->oldest_full = s->full[l];
}

/* The collections are over, and so are their regions. */
static void settle_lanes(Sweep *s)
{
    for (uint32_t i = 0; i < s->settlings; i++) {
        uint32_t l = s->settle[i];
        int32_t late = s->fruitless[l] ? 0 : s->late[l];
        s->young[l] = s->young[l] > late ? s->young[l] - late : 0;
        s->late[l] = 0;
        s->settling[l] = 0;
    }
    s->settlings = 0;
}

/* At a tick the frees count, whatever was found. */
static void settle_frees(Sweep *s)
{
    for (uint32_t i = 0; i < s->settlings; i++) {
        uint32_t l = s->settle[i];
        s->young[l] = s->young[l] > s->late[l] ? s->young[l] - s->late[l] : 0;
        s->late[l] = 0;
    }
}

/* Collections were made: they settle now, or when their regions are over. */
static void after_collections(Sweep *s, Heap *h)
{
    find_oldest_full(s);
    h->aftermath = 1;
    if (!h->inside && h->at < h->length && !goes_on(h, h->at)) {
        h->aftermath = 0;
        settle_lanes(s);
    }
}

/* A birth was counted; lanes whose counter exceeds its threshold collect. */
never_inline void collect_where_due(Sweep *s, Heap *h, const int32_t *counted)
{
    int any = 0;
    for (uint32_t l = 0; l < s->lanes; l++)
        if (s->young[l] > s->limit[l] && (!counted || counted[l])) {
            if (!any++)
                take_notice(s, h);
            collect_lane(s, h, l, due_generation(s, l), 1);
        }
    if (any)
        after_collections(s, h);
}

#endif
