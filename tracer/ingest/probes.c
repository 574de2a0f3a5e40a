/* A probe: links and counts as they were at one moment.  Written in an order that
 * lets no count touch 0: new links, increfs, gone links, decrefs. */
#include "ingest.h"

static void touch(ingest_t *s, uint32_t id, object_t *o)
{
    if (!o->touched) {
        o->touched = 1;
        words_push(&s->touched, id);
    }
}

/* How far from one object number another is. */
static int64_t read_distance(ingest_t *s)
{
    return unzigzag(read_upto(s, (uint64_t)UINT32_MAX << 1, "an object further than all"));
}

static void read_links(ingest_t *s, uint32_t id)
{
    uint32_t outside = (uint32_t)read_upto(s, UINT32_MAX, "an object that owns more than there is");
    uint64_t n = read_number(s);
    s->targets.n = 0;
    for (uint64_t i = 0; i < n && !s->failed; i++) {
        int64_t to = (int64_t)id + read_distance(s);
        object_t *t = object_named(s, to, "a link names an object that is not alive");
        if (t == NULL || t->name == NONE) {
            fail(s, "a link names an object that is being born");
            return;
        }
        words_push(&s->targets, (uint32_t)to);
    }
    if (s->failed) {
        return;
    }
    if (*object_outside(s, id) != outside) {
        *object_outside(s, id) = outside;
        words_push(&s->grown, id);
    }
    object_t *o = object_get(s, id);
    uint32_t edge = o->out_first;
    size_t same = 0;
    while (edge != NONE && same < s->targets.n && s->edges[edge].to == s->targets.at[same]) {
        edge = s->edges[edge].out_next;
        same++;
    }
    uint32_t rest = edge, last = o->out_last;
    for (uint32_t e = rest; e != NONE; e = s->edges[e].out_next) {
        object_get(s, s->edges[e].to)->scratch++;
    }
    for (size_t i = same; i < s->targets.n; i++) {
        object_t *t = object_get(s, s->targets.at[i]);
        touch(s, s->targets.at[i], t);
        if (t->scratch > 0) {
            t->scratch--;
            continue;
        }
        words_push(&s->added, id);
        words_push(&s->added, s->targets.at[i]);
        words_push(&s->added, NONE);
        edge_add(s, id, s->targets.at[i]);
        t->count++;
        link_made(s, id, s->targets.at[i]);
    }
    for (uint32_t e = rest, next; e != NONE; e = next) {
        next = e == last ? NONE : s->edges[e].out_next;
        uint32_t to = s->edges[e].to;
        object_t *t = object_get(s, to);
        if (t->scratch > 0) {
            t->scratch--;
            t->count--;
            if (examined(s, t)) {
                touch(s, to, t); /* its count has been read, and was equal before */
            }
            words_push(&s->removed, id);
            words_push(&s->removed, to);
            edge_drop(s, e);
        }
    }
}

/* What the list membership says about tracking. */
static void member(ingest_t *s, uint32_t id, object_t *o, uint32_t list)
{
    if (list > 3) {
        return;
    }
    if (o->seen < s->epoch - 1 && o->generation == 0 && s->found_done && !window_born_since(s, o)) {
        o->before = s->epoch - 1; /* every probe shows the youngest: at the last it was not tracked yet */
    } else if (o->seen != 0) {
        o->before = o->seen;
    }
    o->seen = s->epoch;
    s->walked++;
    int moved = s->collecting ? o->generation > s->start_generation
                : s->merged   ? o->generation > list
                              : o->generation != list;
    if (!s->found_done || !moved) {
        return;
    }
    if (!window_born_since(s, o)) {
        o->before = s->epoch - 1; /* the last probe saw that it was not tracked yet */
    }
    if (o->generation <= 3) {
        /* Untracked and tracked again, as an asynchronous generator that its finalizer saved. */
        emit(s, OP_UNTRACK, o->name, 0, 0);
    }
    emit(s, OP_TRACK, o->name, 0, 0);
    o->generation = 0;
    words_push(&s->generations[0], id);
}

/* Members by belief that no list showed.  Tuples and dictionaries that have been through a
 * collection were untracked by it, which is the policy's act; else it was the program's. */
static void missing(ingest_t *s, uint32_t upto)
{
    for (uint32_t g = 0; g <= (s->changes ? 0 : upto); g++) {
        words_t *list = &s->generations[g];
        size_t keep = 0;
        for (size_t i = 0; i < list->n; i++) {
            object_ahead(s, list, i);
            object_t *o = object_get(s, list->at[i]);
            if (o == NULL || o->state != S_ALIVE || o->generation != g) {
                continue;
            }
            if (o->seen != s->epoch) {
                unsigned kind = kind_of(s, o);
                if (g == 0 || (kind != KIND_TUPLE && kind != KIND_DICT)) {
                    emit(s, OP_UNTRACK, o->name, 0, 0);
                }
                o->generation = 4;
                continue;
            }
            list->at[keep++] = list->at[i];
        }
        list->n = keep;
    }
}

/* Where the loss of a reference to an object is dated: to when it became garbage, else to now. */
static uint32_t lost_at(ingest_t *s, uint32_t id, int dated)
{
    return dated ? unreachable_since(s, id) : NONE;
}

/* Where the code that made an object, which only links hold now, may have let go of it: at its last
 * use, as which each of these links counts.  NONE where it was born before the last probe, or
 * something holds it that is no link. */
static uint32_t taken_over(const ingest_t *s, const object_t *o)
{
    return window_born_since(s, o) && o->count == o->links ? note_of(s, o)->used : NONE;
}

/* A probe that met an object, and not the holder of a link to it, took the link for a reference of running
 * code.  Where it has such a one too many now, that was the link: from `at` on, but not before its last use.
 * NONE where it has none. */
static uint32_t was_counted(ingest_t *s, object_t *to, uint32_t at)
{
    if (note_of(s, to)->surplus == 0) {
        return NONE;
    }
    note_t *note = note_on(s, to);
    note->surplus--;
    return at > note->used ? at : note->used;
}

/* How many of the links to an object are of holders that this probe did not read. */
static uint32_t unseen_links(ingest_t *s, const object_t *o)
{
    uint32_t unseen = 0;
    for (uint32_t e = o->in_first; e != NONE; e = s->edges[e].in_next) {
        unseen += !examined(s, object_get(s, s->edges[e].from));
    }
    return unseen;
}

/* An object that has fewer references than the model has links to it: holders that this probe did
 * not read have given theirs up.  All of them are dropped where all must have gone; which of
 * several, is left to the next probe of them, and until then the links count as references, lest a
 * collector frees what a stale link still leads to. */
static void drop_stale(ingest_t *s, uint32_t id, object_t *o, uint32_t unseen)
{
    if (unseen == 0 || unseen > o->links - o->reported) {
        return;
    }
    for (uint32_t e = o->in_first, next; e != NONE; e = next) {
        next = s->edges[e].in_next;
        if (!examined(s, object_get(s, s->edges[e].from))) {
            words_push(&s->removed, s->edges[e].from);
            words_push(&s->removed, id);
            edge_drop(s, e);
            o->count--;
        }
    }
}

/* How many references an object has in the log: those found, but one for each link at least.  A
 * tp_traverse may visit a child more often than it holds it.  The collector then takes off more
 * references than there are, arrives at a number that is not 0, and lets the object live: so one
 * reference stands beside the links. */
static uint32_t references(ingest_t *s, uint32_t id, object_t *o)
{
    uint32_t unseen = o->links > o->reported ? unseen_links(s, o) : 0;
    o->overdrawn |= o->links - unseen > o->reported;
    drop_stale(s, id, o, unseen);
    o->overdrawn &= o->links > o->reported;
    return o->links > o->reported ? o->links + o->overdrawn : o->reported;
}

/* Sets the counts of what was touched to those found, and keeps of it what had others, with the
 * difference in `balance`.  Returns whether something lost references. */
static int settle(ingest_t *s)
{
    words_t *list = &s->touched;
    size_t keep = 0;
    int lost = 0;
    s->balance.n = 0;
    for (size_t i = 0; i < list->n; i++) {
        object_ahead(s, list, i);
        object_t *o = object_get(s, list->at[i]);
        o->touched = 0;
        uint32_t now = references(s, list->at[i], o);
        int32_t balance = (int32_t)(o->count - now);
        o->count = now;
        if (balance != 0) {
            lost |= balance > 0;
            if (balance < 0) window_gained(s, o); /* a use of it, before anything is dated */
            else note_on(s, o)->surplus = (uint32_t)balance;
            list->at[keep++] = list->at[i];
            words_push(&s->balance, (uint32_t)balance);
        }
    }
    list->n = keep;
    return lost;
}

static void reconcile(ingest_t *s, uint32_t upto)
{
    int lost = settle(s);
    int dated = (lost || s->removed.n > 0) && s->found_done && upto <= 2;
    for (size_t i = 0; i < s->added.n; i += 3) { /* uses, before anything is dated */
        s->added.at[i + 2] = window_linked(s, object_get(s, s->added.at[i]), object_get(s, s->added.at[i + 1]));
    }
    for (size_t i = 0; i < s->added.n; i += 3) {
        object_t *from = object_get(s, s->added.at[i]), *to = object_get(s, s->added.at[i + 1]);
        uint32_t at = s->added.at[i + 2], counted = at <= s->probed ? was_counted(s, to, at) : NONE;
        at = counted != NONE ? counted : at <= s->probed && window_met_since(s, to, at) ? NONE : at;
        at = at == NONE ? lost_at(s, s->added.at[i + 1], dated) : at;
        window_gain(s, to, at, OP_LINK, from->name, to->name);
        if (counted != NONE) window_lose(s, s->added.at[i + 1], at, OP_DECREF, to->name, 1);
    }
    for (size_t i = 0; i < s->grown.n; i++) {
        uint32_t at = window_owned(s, object_get(s, s->grown.at[i]));
        window_resized(s, s->grown.at[i], at == NONE ? lost_at(s, s->grown.at[i], dated) : at);
    }
    for (size_t i = 0; i < s->touched.n; i++) {
        int32_t balance = (int32_t)s->balance.at[i];
        if (balance < 0) {
            object_t *o = object_get(s, s->touched.at[i]);
            uint32_t at = window_gained(s, o);
            at = at == NONE ? lost_at(s, s->touched.at[i], dated) : at;
            window_gain(s, o, at, OP_INCREF, o->name, (uint32_t)-balance);
        }
    }
    weak_probed(s);
    for (size_t i = 0; i < s->removed.n; i += 2) {
        object_t *t = object_get(s, s->removed.at[i + 1]);
        if ((int32_t)t->count < 1) {
            emit(s, OP_INCREF, t->name, 1 - t->count, LABEL_HOLD); /* alive, so something else holds it */
            window_used(s, t);
            t->count = 1;
            s->repairs[REPAIR_HOLD]++;
        }
    }
    for (size_t i = 0; i < s->removed.n; i += 2) {
        object_t *from = object_get(s, s->removed.at[i]), *to = object_get(s, s->removed.at[i + 1]);
        window_lose(s, s->removed.at[i + 1], lost_at(s, s->removed.at[i + 1], dated), OP_UNLINK, from->name, to->name);
    }
    for (size_t i = 0; i < s->touched.n; i++) {
        int32_t balance = (int32_t)s->balance.at[i];
        object_t *o = object_get(s, s->touched.at[i]);
        uint32_t surplus = balance > 0 ? note_of(s, o)->surplus : 0;
        if (surplus > 0) {
            note_on(s, o)->surplus = 0;
            uint32_t at = o->handed_over ? note_of(s, o)->used : lost_at(s, s->touched.at[i], dated);
            at = at == NONE ? taken_over(s, o) : at;
            window_lose(s, s->touched.at[i], at, OP_DECREF, o->name, surplus);
        }
    }
    weak_forget_probe(s);
    s->touched.n = s->grown.n = s->added.n = s->removed.n = 0;
    if (upto >= 2) {
        if (s->found_done && upto == 2) window_redate(s);
        window_open(s);
    } else {
        window_probed(s);
    }
}

void probe_read(ingest_t *s)
{
    uint32_t upto = (uint32_t)read_upto(s, 31, "a probe of unknown generations"), id = 0, list = 4;
    s->changes = (upto & PROBE_CHANGES) != 0;
    s->merged = (upto & PROBE_MERGED) != 0;
    upto &= ~(PROBE_CHANGES | PROBE_MERGED);
    if (upto > 3) {
        fail(s, "a probe of unknown generations");
        return;
    }
    s->epoch++;
    s->walked = 0;
    s->verdicts_n = 0;
    while (!s->failed) {
        uint64_t v = read_number(s);
        if (v == 0) {
            break;
        }
        v--;
        unsigned bits = v & 7;
        if (bits == PE_ESCAPE) {
            s->in_probe = 1;
            read_record(s);
            s->in_probe = 0;
            continue;
        }
        int64_t next = (int64_t)id + unzigzag(v >> PE_BITS);
        if (bits == PE_LIST) {
            list = (uint32_t)read_upto(s, 4, "a probe of an unknown generation");
            continue;
        }
        object_t *o = object_named(s, next, "a probe names an object that is not alive");
        if (o == NULL || o->name == NONE) {
            fail(s, "a probe names an object that is being born");
            return;
        }
        id = (uint32_t)next;
        if (bits == PE_WEAK) {
            int64_t to = (int64_t)id + read_distance(s);
            uint32_t callback = (uint32_t)read_upto(s, 1, "a weak reference of an unknown kind");
            object_t *t = to < 0 || to >= NONE ? NULL : object_get(s, (uint32_t)to);
            if (t != NULL && t->state == S_ALIVE && t->name != NONE) {
                window_weak(s, o, t, callback);
                weak_made(s, id, (uint32_t)to);
            }
            continue;
        }
        if (bits & PE_COUNT) {
            o->reported = (uint32_t)read_upto(s, INT32_MAX, "more references than can be counted");
            o->reported += o->reported == 0; /* being torn down: its release is still to come */
        }
        if (bits != 0 || o->count != o->reported) {
            touch(s, id, o);
        }
        if (bits & PE_CHILD) {
            continue;
        }
        if (bits & PE_LINKS) {
            read_links(s, id);
        }
        member(s, id, object_get(s, id), list);
    }
    if (s->failed) {
        return;
    }
    s->members += s->walked;
    missing(s, upto);
    reconcile(s, upto);
}
