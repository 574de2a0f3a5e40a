/* The beginning of a sweep, and what the program's calls of the gc module do to all lanes. */
#ifndef GCREPLAY_SETTINGS_H
#define GCREPLAY_SETTINGS_H

#include "hooked.h"

#define TAKE(array) (array) = (void *)at, at += (size_t)s->width * sizeof *(array)

/* Room for the arrays by lane: with at == NULL only how much it is. */
static size_t lay_out(Sweep *s, char *at)
{
    char *begin = at;
    for (int i = 0; i < 3; i++) { TAKE(s->threshold[i]); TAKE(s->count[i]); TAKE(s->last[i]); }
    TAKE(s->limit); TAKE(s->young); TAKE(s->counted); TAKE(s->late);
    TAKE(s->long_lived_total); TAKE(s->long_lived_pending);
    for (int k = 0; k < FREE_LISTS; k++) {
        TAKE(s->waiting[k]);
        for (int j = 0; j < LEVELS; j++) TAKE(s->listed[k][j]);
    }
    TAKE(s->settle);
    TAKE(s->cut[0]); TAKE(s->cut[1]); TAKE(s->full);
    for (int j = 0; j < LEVELS; j++) {
        TAKE(s->less[j]); TAKE(s->less_links[j]); TAKE(s->found[j]); TAKE(s->found_links[j]);
        TAKE(s->freed[j]); TAKE(s->freed_bytes[j]); TAKE(s->young_pure[j]); TAKE(s->young_pure_links[j]);
        for (int e = 0; e < 3; e++) { TAKE(s->old[e][j]); TAKE(s->old_links[e][j]); }
    }
    TAKE(s->less_pure); TAKE(s->less_pure_links); TAKE(s->less_dicts); TAKE(s->less_dict_links);
    TAKE(s->gone); TAKE(s->gone_bytes); TAKE(s->high); TAKE(s->high_bytes); TAKE(s->peak);
    TAKE(s->peak_bytes); TAKE(s->peak_floating); TAKE(s->peak_floating_bytes); TAKE(s->early);
    TAKE(s->fruitless); TAKE(s->settling);
    return (size_t)(at - begin);
}

static int make_lanes(Sweep *s, uint32_t lanes)
{
    s->lanes = lanes;
    s->width = (lanes + BATCH - 1) / BATCH * BATCH;
    size_t size = lay_out(s, (char *)64);
    s->memory = calloc(size + 64, 1);
    if (!s->memory)
        return -1;
    lay_out(s, (char *)(((uintptr_t)s->memory + 63) / 64 * 64));
    for (uint32_t l = 0; l < s->width; l++)
        s->limit[l] = INT32_MAX;
    return 0;
}

static void free_lanes(Sweep *s)
{
    free(s->memory);
    free(s->standing);
    free(s->hard);
    free(s->kept);
    free(s->kept_at);
    free(s->least_place);
    free(s->generations);
    free(s->seen);
    free(s->made);
}

/* Which groups are hard, and of which the generations are kept for those. */
static int prepare_groups(Sweep *s)
{
    size_t n = (size_t)s->groups + 1;
    uint32_t kept = 0;
    s->hard = calloc(n, 1);
    s->kept = calloc(n, 1);
    s->kept_at = calloc(n, sizeof *s->kept_at);
    s->least_place = calloc(n, sizeof *s->least_place);
    if (!(s->hard && s->kept && s->kept_at && s->least_place))
        return -1;
    for (uint32_t g = 0; g < s->groups; g++) {
        for (uint32_t b = s->before_begin[g]; b < s->before_begin[g + 1]; b++)
            s->hard[g] |= s->hard[s->before[b]] || s->due[s->before[b]] < s->due[g];
        s->has_hard |= s->hard[g];
        for (uint32_t b = s->before_begin[g]; b < s->before_begin[g + 1] && s->hard[g]; b++)
            s->kept[s->before[b]] = 1;
    }
    for (uint32_t g = 0; g < s->groups; g++)
        if (s->kept[g])
            s->kept_at[g] = kept++;
    s->generations = malloc((size_t)kept * s->lanes + 1);
    return s->generations ? 0 : -1;
}

static void arm(Sweep *s, int enabled)
{
    s->enabled = (uint8_t)enabled;
    for (uint32_t l = 0; l < s->lanes; l++)
        s->limit[l] = enabled && s->threshold[0][l] ? s->threshold[0][l] : INT32_MAX;
}

/* The found heap takes its places: what is permanent first, then the oldest. */
static void begin_lanes(Sweep *s, Heap *h)
{
    int32_t begins[LEVELS + 1] = {0};
    for (int g = 3; g >= 0; g--) {
        begins[g] = s->place;
        for (uint32_t r = 1; r < h->slots; r++) {
            Standing *o = &s->standing[r];
            if (!h->objects[r].count || o->place != g || o->kind == NEVER)
                continue;
            int tuple = is_tuple(h, r) && !o->holds, dict = is_dict(h, r) && !o->holds;
            if (tuple && (g == 1 || g == 2))
                s->inexact |= PLACED;
            o->place = o->since = s->place++;
            for (int j = g; j < LEVELS; j++) {
                s->all[j]++;
                s->all_links[j] += o->links;
            }
            if (tuple && g == 0) {
                s->pure++;
                s->pure_links += o->links;
            } else if (dict && g < 3) {
                s->dicts++;
                s->dict_links += o->links;
            }
            o->kind = NEVER;    /* for the moment: it has its place */
            o->nested_at = tuple && g == 0 ? PURE_TUPLE : dict && g < 3 ? PURE_DICT : PLAIN;
        }
    }
    for (uint32_t r = 1; r < h->slots; r++) {
        Standing *o = &s->standing[r];
        if (h->objects[r].count && o->kind == NEVER) {
            o->kind = (uint8_t)o->nested_at;
            note_nested(s, o);
        }
    }
    s->frozen = begins[2];
    s->newest = begins[0];
    for (uint32_t l = 0; l < s->width; l++) {
        s->cut[0][l] = begins[0];
        s->cut[1][l] = begins[1];
    }
}

static void freeze_lanes(Sweep *s)
{
    if (s->has_hard)
        s->inexact |= FROZEN;
    if (s->dicts)
        s->inexact |= DICTS;
    for (uint32_t l = 0; l < s->lanes; l++) {
        if (s->pure != s->less_pure[l] || s->young_pure[3][l])
            s->inexact |= FROZEN;
        for (int e = 0; e < 3; e++)
            for (int o = e + 1; o < LEVELS; o++) {
                s->found[3][l] += s->old[e][o][l];
                s->found_links[3][l] += s->old_links[e][o][l];
                s->old[e][o][l] = s->old_links[e][o][l] = 0;
            }
        for (int j = 0; j < 3; j++) {
            s->found[j][l] = s->found_links[j][l] = s->freed[j][l] = 0;
            s->freed_bytes[j][l] = 0;
            for (int k = 0; k < FREE_LISTS; k++)
                s->listed[k][j][l] = 0;
            s->less[j][l] = s->all[j];
            s->less_links[j][l] = s->all_links[j];
            s->count[j][l] = 0;
        }
        s->cut[0][l] = s->cut[1][l] = s->place;
        s->young[l] = 0;
    }
    s->frozen = s->newest = s->place;
}

static void unfreeze_lanes(Sweep *s)
{
    s->frozen = 0;
    for (uint32_t l = 0; l < s->lanes; l++) {
        s->less[2][l] = s->all[2] - (s->all[3] - s->less[3][l]);
        s->less_links[2][l] = s->all_links[2] - (s->all_links[3] - s->less_links[3][l]);
        s->found[2][l] = s->found[3][l];
        s->found_links[2][l] = s->found_links[3][l];
        s->freed[2][l] = s->freed[3][l];
        s->freed_bytes[2][l] = s->freed_bytes[3][l];
        for (int k = 0; k < FREE_LISTS; k++)
            s->listed[k][2][l] = s->listed[k][3][l];
        for (int e = 0; e < 3; e++) {
            if (s->old[e][3][l] && e == 2)
                s->inexact |= FROZEN;
            s->old[e][2][l] += s->old[e][3][l];
            s->old_links[e][2][l] += s->old_links[e][3][l];
            s->old[e][3][l] = s->old_links[e][3][l] = 0;
        }
    }
}

static int collect_lanes(Sweep *s, Heap *h, int generation)
{
    if (setjmp(h->failure))
        return ENGINE_NO_MEMORY;
    take_notice(s, h);
    for (uint32_t l = 0; l < s->lanes; l++)
        collect_lane(s, h, l, generation, 0);
    after_collections(s, h);
    return ENGINE_END;
}

static void end_lanes(Sweep *s, Heap *h)
{
    take_notice(s, h);
    for (uint32_t l = 0; l < s->lanes; l++)
        note_peaks(s, l);
    for (uint32_t r = 1; r < h->slots; r++)
        if (h->objects[r].count)
            leave_nested(s, &s->standing[r]);
}

#endif
