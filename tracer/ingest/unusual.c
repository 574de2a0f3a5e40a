/* What types do that the interpreter's own do not, counted by type, for whom it concerns when a replay
 * differs: it changes no event. */
#include "ingest.h"

/* Of a type that was defined. */
unusual_t *unusual_of(ingest_t *s, uint32_t type)
{
    while (s->unusual_n <= type) {
        unusual_t *made = APPEND(s, unusual);
        if (made == NULL) {
            fail(s, "memory ran out");
            return NULL;
        }
        *made = (unusual_t){0};
    }
    return &s->unusual[type];
}

/* The collection that ends ran no code, and counted garbage as collected that is alive: what a tp_dealloc
 * saved, what no tp_clear takes apart, or what is released where nothing sees it. */
void note_outlived(ingest_t *s)
{
    uint64_t died = 0, found = 0;
    for (size_t i = 0; i < s->doomed.n; i++) died += object_get(s, s->doomed.at[i])->seen == s->epoch;
    if (died >= s->stop[0] || s->garbage_known || (s->debug & DEBUG_SAVEALL)) {
        return;
    }
    find_garbage(s, s->start_generation);
    for (int count = 0; count < 2; count++) {
        if (count && found != s->stop[0]) break; /* finalizers saved some of it, and it is not known which */
        for (uint32_t g = 0; g <= s->start_generation; g++) {
            for (size_t i = 0; i < s->generations[g].n; i++) {
                const object_t *o = object_get(s, s->generations[g].at[i]);
                if (o == NULL || o->generation != g || !garbage_is(s, o)) continue;
                unusual_t *u = count && !o->released ? unusual_of(s, o->type) : NULL;
                if (u != NULL) {
                    u->outlived++;
                    words_push(&s->outlived, s->generations[g].at[i]);
                }
                found += !count;
            }
        }
    }
    forget_garbage(s, s->start_generation);
}
