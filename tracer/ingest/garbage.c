/* What a probe finds unreachable, and since when it can have been so. */
#include "ingest.h"

int garbage_is(const ingest_t *s, const object_t *o) { return examined(s, o) && o->scratch == 0; }

/* CPython's deduce_unreachable over the members of the generations 0..upto that the last probe
 * met: `scratch` becomes 0 for garbage and a positive number for the rest. */
void find_garbage(ingest_t *s, uint32_t upto)
{
    s->stack.n = 0;
    for (uint32_t g = 0; g <= upto; g++) {
        for (size_t i = 0; i < s->generations[g].n; i++) {
            object_t *o = object_get(s, s->generations[g].at[i]);
            if (o != NULL && examined(s, o)) o->scratch = o->count;
        }
    }
    for (int reach = 0; reach < 2; reach++) {
        for (uint32_t g = 0; g <= upto; g++) {
            for (size_t i = 0; i < s->generations[g].n; i++) {
                object_t *o = object_get(s, s->generations[g].at[i]);
                if (o == NULL || !examined(s, o)) continue;
                if (reach) {
                    if (o->scratch > 0) words_push(&s->stack, s->generations[g].at[i]);
                    continue;
                }
                for (uint32_t e = o->out_first; e != NONE; e = s->edges[e].out_next) {
                    object_t *c = object_get(s, s->edges[e].to);
                    if (examined(s, c) && c->scratch > 0) c->scratch--;
                }
            }
        }
    }
    while (s->stack.n > 0) {
        object_t *o = object_get(s, s->stack.at[--s->stack.n]);
        for (uint32_t e = o->out_first; e != NONE; e = s->edges[e].out_next) {
            object_t *c = object_get(s, s->edges[e].to);
            if (examined(s, c) && c->scratch == 0) {
                c->scratch = 1;
                words_push(&s->stack, s->edges[e].to);
            }
        }
    }
}

void forget_garbage(ingest_t *s, uint32_t upto)
{
    for (uint32_t g = 0; g <= upto; g++) {
        for (size_t i = 0; i < s->generations[g].n; i++) {
            object_t *o = object_get(s, s->generations[g].at[i]);
            if (o != NULL && o->state == S_ALIVE) o->scratch = 0;
        }
    }
}

/* ---- since when -------------------------------------------------------------- */

static const verdict_t *verdict_of(const ingest_t *s, const object_t *o)
{
    const note_t *note = note_of(s, o);
    return note->judged == s->epoch && note->verdict != NONE ? &s->verdicts[note->verdict] : NULL;
}

static void judge(ingest_t *s, object_t *o, uint32_t verdict)
{
    note_t *note = note_on(s, o);
    note->judged = s->epoch;
    note->verdict = verdict;
}

/* What the probe can say of an object without asking who holds it. */
static int known_reachable(const ingest_t *s, const object_t *o)
{
    const note_t *note = note_of(s, o);
    return note->judged == s->epoch ? note->verdict == NONE : !examined(s, o) || o->count > o->links;
}

/* What leads to an object is garbage with it, so its dates count too. */
static void include(verdict_t *v, const verdict_t *more)
{
    v->used = more->used > v->used ? more->used : v->used;
    v->probe = more->probe < v->probe ? more->probe : v->probe;
    v->last = more->last > v->last ? more->last : v->last;
    v->idle |= more->idle;
}

/* Takes up the search at `id`. Returns whether it, or one that holds it, is known to be reachable. */
static int enter(ingest_t *s, uint32_t id)
{
    object_t *o = object_get(s, id);
    visit_t *v = known_reachable(s, o) ? NULL : APPEND(s, path);
    if (v == NULL || !words_push(&s->trail, id)) {
        return 1;
    }
    s->visits++;
    o->scratch = (uint32_t)s->trail.n;
    uint32_t used = note_of(s, o)->used, probe = window_last_probe(s, o);
    int idle = probe != NONE && used <= probe;
    *v = (visit_t){id, o->in_first, o->scratch, {used, probe, 0, 0, idle}};
    for (uint32_t e = o->in_first; e != NONE; e = s->edges[e].in_next) {
        if (known_reachable(s, object_get(s, s->edges[e].from))) return 1;
    }
    return 0;
}

/* Goes on with the search at the end of the path.  Returns as `enter`. */
static int advance(ingest_t *s)
{
    visit_t *v = &s->path[s->path_n - 1];
    uint32_t from = s->edges[v->edge].from;
    const object_t *holder = object_get(s, from);
    const verdict_t *verdict = verdict_of(s, holder);
    v->edge = s->edges[v->edge].in_next;
    if (holder->scratch != 0) {
        v->low = holder->scratch < v->low ? holder->scratch : v->low;
        return 0;
    }
    if (verdict != NULL) {
        include(&v->dates, verdict);
        return 0;
    }
    return enter(s, from);
}

/* All who hold the end of the path have been asked.  Those that hold each other have one verdict. */
static void leave(ingest_t *s)
{
    visit_t v = s->path[--s->path_n];
    visit_t *below = s->path_n > 0 ? &s->path[s->path_n - 1] : NULL;
    if (v.low == object_get(s, v.id)->scratch) {
        uint32_t verdict = (uint32_t)s->verdicts_n;
        verdict_t *made = APPEND(s, verdicts);
        if (made == NULL) {
            fail(s, "memory ran out");
            return;
        }
        if (v.dates.probe != NONE && v.dates.probe > v.dates.last) v.dates.last = v.dates.probe;
        uint32_t given_up = v.dates.idle ? window_between(s, v.dates.last) : 0;
        v.dates.since = given_up > v.dates.used ? given_up : v.dates.used;
        *made = v.dates;
        while (s->trail.n >= v.low) {
            object_t *o = object_get(s, s->trail.at[--s->trail.n]);
            o->scratch = 0;
            judge(s, o, verdict);
        }
    }
    if (below != NULL) {
        below->low = v.low < below->low ? v.low : below->low;
        include(&below->dates, &v.dates);
    }
}

/* Since where in this window `id` has been unreachable, by the probe just taken; NONE when it is
 * reachable.  The last event that shows running code to have had hold of an ancestor dates it: after
 * Hertz et al., "Generating object lifetime traces with Merlin", TOPLAS 28(3), 2006.  Where nothing
 * does, it was given up since it was last seen to be reachable.  That the collector, or a probe, did
 * not find one of its ancestors shows that this was, unless what had not been probed since even
 * longer leads to it: that is garbage now, and may have been then.
 *
 * The search goes up the links and meets each object once a probe: Tarjan, "Depth-first search and
 * linear graph algorithms", SIAM J. Comput. 1(2), 1972.  What something outside holds makes
 * reachable all that the search has not left yet. */
uint32_t unreachable_since(ingest_t *s, uint32_t id)
{
    object_t *first = object_get(s, id);
    if (note_of(s, first)->judged != s->epoch) {
        s->path_n = s->trail.n = 0;
        int reachable = enter(s, id);
        while (!reachable && s->path_n > 0 && !s->failed) {
            if (s->path[s->path_n - 1].edge == NONE) leave(s);
            else reachable = advance(s);
        }
        while (s->trail.n > 0) {
            object_t *o = object_get(s, s->trail.at[--s->trail.n]);
            o->scratch = 0;
            judge(s, o, NONE);
        }
    }
    const verdict_t *verdict = verdict_of(s, first);
    return verdict == NULL ? NONE : verdict->since;
}
