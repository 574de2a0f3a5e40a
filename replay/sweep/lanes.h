/* Many settings of one collector at once, each a lane. Objects stand in the order in which they were
   tracked, and generations are cuts in that order, so that no lane knows single objects: it counts, by
   generation, what stands there.

   A count is what all lanes have in common less what the lane has not: most events change the common
   part alone. The loops over all lanes are plain, so that the compiler makes vectors of them. */
#ifndef GCREPLAY_LANES_H
#define GCREPLAY_LANES_H

#include "../engine/heap.h"

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("avx2", "default"), noinline)) static
#else
#define WIDE __attribute__((noinline)) static
#endif

enum { LEVELS = 4, NEVER = 9, DEAD = 255, BATCH = 16 };
enum { PLAIN, PURE_TUPLE, PURE_DICT };          /* Standing.kind */

/* Why lanes may not be what a replay is; bits of Sweep.inexact. */
enum { TOUCHED = 1, UNPROVED = 2, NESTED = 4, AGAIN = 8, DICTS = 16, OPAQUE_HELD = 32,
       HELD_BY_UNTRACKED = 64, BLOCKED = 128, LEGACY = 256, CALLED_BACK = 512, FROZEN = 1024,
       PLACED = 2048, STUCK = 4096 };

typedef struct {                /* of an object, by slot */
    int32_t place;              /* in the order of tracking; negative: untracked */
    int32_t since;              /* a pure dict: the place at which it became so */
    int32_t links;              /* that a traversal shows */
    int32_t holds, tuples;      /* of a tuple or dict: links to what a collector may see */
    uint32_t nested_at;         /* collections made when it came to hold tuples alone */
    uint8_t kind, nested;
} Standing;

typedef struct {                /* one collection, as the tests of each lane want it */
    uint64_t sequence, bytes;
    uint32_t lane, allocation, candidates, tracked, links, collected, freed, survivors;
    uint8_t generation, at_birth;
} Made;

/* By level and lane: in generation 0, in 0 or 1, in 0 to 2, in any. */
typedef int32_t *Counts[LEVELS];

typedef struct {
    uint32_t lanes, width;      /* width: a multiple of BATCH */
    void *memory;

    /* the settings and the collectors' state, by lane */
    int32_t *threshold[3], *count[3], *limit, *young;
    int64_t *long_lived_total, *long_lived_pending;
    int32_t *waiting[FREE_LISTS];
    int32_t *counted;
    int32_t *late;
    uint8_t *fruitless, *settling;
    uint32_t settlings, *settle;

    /* the cuts */
    int32_t *cut[2], *full;
    int32_t frozen, place, newest, newest_full, oldest_full;
    uint64_t *last[3];          /* sequence number of the last collection of at least that generation, +1 */

    /* what is tracked */
    int32_t all[LEVELS], all_links[LEVELS], pure, pure_links, dicts, dict_links;
    Counts less, less_links;
    int32_t *less_pure, *less_pure_links, *less_dicts, *less_dict_links;
    Standing *standing;
    uint32_t standing_capacity;

    /* floating garbage, by the least generation whose collection frees it */
    Counts found, found_links, freed, listed[FREE_LISTS];
    int64_t *freed_bytes[LEVELS];
    Counts young_pure, young_pure_links;        /* tuples that the next collection frees, or untracks */
    int32_t *old[3][LEVELS], *old_links[3][LEVELS];     /* freed with generation e, though in g > e */
    uint8_t lists_used[FREE_LISTS];

    /* figures, by lane */
    int64_t *gone, *gone_bytes, *high, *high_bytes, *peak, *peak_bytes, *peak_floating,
        *peak_floating_bytes, *early;

    /* the garbage, in the order in which it is due */
    const uint32_t *member, *member_begin, *before, *before_begin;
    const uint64_t *due;
    const uint8_t *cyclic;
    const uint8_t *in_garbage;  /* by object id */
    uint8_t *hard, *kept;
    uint32_t *kept_at;
    int32_t *least_place;       /* of a soft group: its own and of all that reach it */
    uint8_t *generations;       /* of kept groups, by lane */
    uint32_t groups, next_group;
    uint8_t has_hard;

    uint8_t enabled, checking;
    uint64_t budget;
    uint32_t *seen, seen_capacity, round;
    uint32_t collections;
    uint32_t inexact;

    Made *made;
    uint32_t made_length, made_capacity;
} Sweep;

#define SWEEP(h) ((Sweep *)(h)->observer)

always_inline int generation_of(const Sweep *s, uint32_t lane, int32_t place)
{
    return place >= s->cut[0][lane] ? 0 : place >= s->cut[1][lane] ? 1 : place >= s->frozen ? 2 : 3;
}

/* -- loops over all lanes -- */

/* Where `place` lies before the cut, the lane lacks `n` objects and `links` more than all have. */
WIDE void change_before(uint32_t width, const int32_t *restrict cut, int32_t place, int32_t n,
                        int32_t links, int32_t *restrict less, int32_t *restrict less_links)
{
    for (uint32_t l = 0; l < width; l++) {
        int32_t before = -(place < cut[l]);
        less[l] += n & before;
        less_links[l] += links & before;
    }
}

/* The same where it lies before either of two cuts. */
WIDE void change_before_either(uint32_t width, const int32_t *restrict cut, int32_t place,
                               const int32_t *restrict full, int32_t since, int32_t n, int32_t links,
                               int32_t *restrict less, int32_t *restrict less_links)
{
    for (uint32_t l = 0; l < width; l++) {
        int32_t before = -((place < cut[l]) | (since < full[l]));
        less[l] += n & before;
        less_links[l] += links & before;
    }
}

/* `n` more where `place` does not lie before the cut. */
WIDE void add_from(uint32_t width, const int32_t *restrict cut, int32_t place, int32_t n,
                   int32_t *restrict sum)
{
    for (uint32_t l = 0; l < width; l++)
        sum[l] += n & -(place >= cut[l]);
}

WIDE void add_bytes_from(uint32_t width, const int32_t *restrict cut, int32_t place, int64_t n,
                         int64_t *restrict sum)
{
    for (uint32_t l = 0; l < width; l++)
        sum[l] += n & -(int64_t)(place >= cut[l]);
}

WIDE void add_to_all(uint32_t width, int32_t n, int32_t *restrict sum)
{
    for (uint32_t l = 0; l < width; l++)
        sum[l] += n;
}

WIDE void add_bytes_to_all(uint32_t width, int64_t n, int64_t *restrict sum)
{
    for (uint32_t l = 0; l < width; l++)
        sum[l] += n;
}

/* A birth from malloc; whether any lane has to collect. */
WIDE int32_t count_birth(uint32_t width, int32_t *restrict young, const int32_t *restrict limit)
{
    int32_t any = 0;
    for (uint32_t l = 0; l < width; l++) {
        int32_t n = young[l] + 1;
        young[l] = n;
        any |= n > limit[l];
    }
    return any;
}

/* A birth that a free list serves where it has one; `counted` says where it does not. */
WIDE int32_t count_listed_birth(uint32_t width, int32_t *restrict young,
                                const int32_t *restrict limit, int32_t *restrict waiting,
                                int32_t *restrict counted)
{
    int32_t any = 0;
    for (uint32_t l = 0; l < width; l++) {
        int32_t taken = waiting[l] > 0;
        waiting[l] -= taken;
        counted[l] = !taken;
        young[l] += !taken;
        any |= !taken & (young[l] > limit[l]);
    }
    return any;
}

WIDE void count_death(uint32_t width, int32_t *restrict young)
{
    for (uint32_t l = 0; l < width; l++)
        young[l] -= young[l] > 0;
}

WIDE void count_listed_death(uint32_t width, int32_t *restrict young, int32_t *restrict waiting,
                             int32_t capacity)
{
    for (uint32_t l = 0; l < width; l++) {
        int32_t keeps = waiting[l] < capacity;
        waiting[l] += keeps;
        young[l] -= !keeps & (young[l] > 0);
    }
}

WIDE void raise_to(uint32_t width, int64_t *restrict high, int64_t now)
{
    for (uint32_t l = 0; l < width; l++)
        high[l] = high[l] > now ? high[l] : now;
}

#endif
