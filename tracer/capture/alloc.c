/* Hooks around the object allocator.  Whether a block is a GC object is told by
 * the young generation's counter: +1 after a malloc, -1 before a free. */
#include "capture.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int young_count(void) { return gc_count(cap.gc, 0); }

static inline void *word_in(void *block, size_t size, size_t i)
{
    return size >= (i + 1) * sizeof(void *) ? ((void **)block)[i] : NULL;
}

/* The type of the GC object in a block, or NULL.  Its word stands behind the GC header, or behind
 * the managed dictionary; the near word is then a part of the GC header.  `certain`: the
 * counter has proved that this is a GC object, so an unknown type may be read. */
static PyTypeObject *type_in(void *block, size_t size, int certain)
{
    void *near = word_in(block, size, TYPE_WORD_NEAR), *far = word_in(block, size, TYPE_WORD_FAR);
    if (type_known(near)) {
        return near;
    }
    if (type_known(far) && type_is_far(far)) {
        return far;
    }
    /* A static type of a newly imported extension.  What else can stand here is the header of
     * a GC object, whose word at +8 is no type. */
    uintptr_t at = (uintptr_t)near;
    if (certain && at > 65536 && (at & 7) == 0 && type_known(Py_TYPE((PyObject *)at))
        && (Py_TYPE((PyObject *)at)->tp_flags & Py_TPFLAGS_TYPE_SUBCLASS)) {
        type_remember(near);
        return near;
    }
    return NULL;
}

static int seems_collectable(void *block, size_t size)
{
    void *word[TYPE_WORD_PLAIN + 1] = {0};
    if (size < HEAD_NEAR + sizeof(PyObject)) {
        return 0;
    }
    memcpy(word, block, sizeof(word));
    if (type_known(word[TYPE_WORD_PLAIN])) {
        return 0; /* an object without a GC header */
    }
    PyTypeObject *t = type_in(block, size, 0);
    return t != NULL && (t->tp_flags & Py_TPFLAGS_HAVE_GC);
}

/* How much may be read of a block whose size is not known: to the end of its page, and on
 * when what lies behind can be read (it may be the guard page of a stack).  The kernel tells:
 * it reads the signal set before it refuses to do anything with it. */
static size_t readable(const void *block)
{
    const size_t most = (TYPE_WORD_FAR + 1) * sizeof(void *), page = 4096;
    size_t rest = page - ((uintptr_t)block & (page - 1));
    if (rest >= most) {
        return most;
    }
    int kept = errno;
    syscall(SYS_rt_sigprocmask, -1, (const char *)block + rest, NULL, 8);
    size_t readable = errno == EFAULT ? rest : most;
    errno = kept;
    return readable;
}

/* Gives the entry the next number.  0 when numbers have run out. */
uint32_t alloc_entry_new(entry_t *e, uint32_t type)
{
    if (cap.next_id == UINT32_MAX) {
        capture_stop(SPOOL_FAILED, "more objects than the recording can number");
        return 0;
    }
    e->id = cap.next_id++;
    e->hash = 0;
    e->count = 1;
    e->type = type << 8;
    return e->id;
}

static void settle_type(entry_t *e, PyTypeObject *t, void *block)
{
    entry_place(e, block, t);
    if (t->tp_flags & Py_TPFLAGS_TYPE_SUBCLASS) {
        e->type |= EF_IS_TYPE;
        type_remember((PyTypeObject *)((char *)block + presize_of(t)));
    }
    if (UNLIKELY(type_is_weakref(t))) {
        weakuse_watch((PyObject *)((char *)block + presize_of(t)));
    }
}

static void want_probe(int kind)
{
    if (cap.probe_wanted == 0 && Py_AddPendingCall(probe_pending, NULL) != 0) {
        return; /* the queue is full: asked again at the next allocation */
    }
    if (kind > cap.probe_wanted) {
        cap.probe_wanted = kind;
    }
}

/* The pending block is a GC object: write its birth. */
static void born(void *block, size_t size, int typed)
{
    entry_t *e = map_make(block);
    if (e == NULL) {
        capture_stop(SPOOL_FAILED, "no memory for the table of addresses");
        return;
    }
    PyTypeObject *t = typed ? type_in(block, size, 1) : NULL;
    uint32_t type = t != NULL ? type_number(t) : 0;
    uint32_t site = site_of(cap.sample.place);
    if (!spool_room(RECORD_ROOM) || alloc_entry_new(e, type) == 0) {
        return;
    }
    if (UNLIKELY(cap.sample.exception != NULL)) {
        put_tag(R_BARRED);
    }
    put_record3(R_ALLOC, type, (size + 7) / 8, site);
    if (t != NULL) {
        settle_type(e, t, block);
    } else {
        cap.untyped = block;
        cap.untyped_id = e->id;
        cap.untyped_size = size;
    }
    if (cap.granularity != 0 && --cap.until_young <= 0) {
        want_probe(1);
    }
    if ((cap.full_probe | cap.probe_budget) != 0 && --cap.until_full <= 0) {
        want_probe(2);
    }
}

/* A type that could not be told at birth, because the birth began a collection. */
static void settle_untyped(void)
{
    entry_t *e = map_find(cap.untyped);
    if (e == NULL || e->id != cap.untyped_id) {
        cap.untyped = NULL;
        return;
    }
    PyTypeObject *t = type_in(cap.untyped, cap.untyped_size, 0);
    uint32_t type = t != NULL ? type_number(t) : 0;
    if (type != 0 && spool_room(RECORD_ROOM)) {
        put_tag(R_SETTYPE);
        put_number(cap.next_id - e->id);
        put_number(type);
        e->type = (type << 8) | (e->type & 255);
        settle_type(e, t, cap.untyped);
    }
    cap.untyped = NULL;
}

/* Called at the start of a collection, when the counters are already reset.  The pending block
 * is the one that triggered it, or the last that a callback asked for. */
void alloc_settle(void)
{
    if (cap.pending != NULL) {
        void *block = cap.pending;
        cap.pending = NULL;
        if (!cap.beginning || seems_collectable(block, cap.pending_size)) {
            born(block, cap.pending_size, cap.beginning != 0);
        }
    }
}

void capture_sync(void)
{
    int now = young_count(), trigger = 0;
    int begun = gc_collecting(cap.gc) && !cap.collecting && !cap.beginning;
    if (cap.pending != NULL) {
        void *block = cap.pending;
        cap.pending = NULL;
        if (now != cap.count) {
            cap.count = now;
            trigger = 1;
            born(block, cap.pending_size, !begun);
            freelist_births_rare();
        }
    }
    cap.count = now;
    if (cap.collecting == OWNED && gc_collecting(cap.gc)) {
        owners_check();
    }
    gcwatch_deleted();
    if (begun && runtime_finalizing()) {
        capture_stop(SPOOL_ENDED, "");
    } else if (begun) {
        gcwatch_begun(trigger);
    } else if (gc_collecting(cap.gc) && runtime_finalizing()) {
        capture_stop(SPOOL_FAILED, NEVER_ENDED);
    }
    if (cap.collecting && !gc_collecting(cap.gc)) {
        gcwatch_stopped();
        if (cap.untyped != NULL) {
            settle_untyped();
        }
    }
    freelist_births();
    sample_taken();
}

void capture_refresh(void) { cap.count = young_count(); }

static void freed_block(entry_t *e, void *block)
{
    if (!spool_room(RECORD_ROOM)) {
        return;
    }
    if (cap.untyped == block) {
        settle_untyped();
    }
    put_record1(R_FREE, cap.next_id - e->id);
    if (UNLIKELY(e->type & EF_IS_TYPE)) {
        PyTypeObject *meta = type_in(block, (TYPE_WORD_FAR + 1) * sizeof(void *), 0);
        if (meta != NULL) {
            type_forget((PyTypeObject *)((char *)block + presize_of(meta)));
        }
    }
    entry_leaves(e, block);
    e->id = 0;
    e->type = 0;
    cap.until_young += cap.until_young < cap.granularity;
}

static void unknown_freed(void)
{
    if (spool_room(RECORD_ROOM)) {
        put_tag(R_FREE_UNKNOWN);
    }
}

/* A collection began or ended since the last hook, or code of its garbage may have. */
static inline int phase_changed(void)
{
    return gc_collecting(cap.gc) ? cap.collecting == OWNED || (!cap.collecting && !cap.beginning) : cap.collecting;
}

/* What is released may be a GC object, or what was handed out last may be one. */
static void on_free(void *p)
{
    gcwatch_deleted();
    int before = cap.count, now = young_count(), known = 0;
    entry_t *e = map_find(p);
    if (e != NULL && (e->type & EF_KEPT)) {
        e->type = 0;
        freelist_flushed(p);
        known = 1;
    }
    freelist_births();
    if (p == cap.pending) {
        /* Born and released between two hooks: the counter shows nothing. */
        cap.pending = NULL;
        if (seems_collectable(p, cap.pending_size)) {
            born(p, cap.pending_size, 1);
            e = map_find(p);
            if (cap.active && e != NULL && e->id != 0) {
                freed_block(e, p);
            }
        }
        cap.count = now;
        sample_taken();
        return;
    }
    known |= e != NULL && e->id != 0;
    if (cap.pending != NULL) {
        void *block = cap.pending;
        int collectable;
        cap.pending = NULL;
        if (!known) {
            collectable = now == before + 1 || (now == before && seems_collectable(block, cap.pending_size)
                                                && !type_known(((void **)p)[TYPE_WORD_PLAIN]) && seems_collectable(p, readable(p)));
        } else if (before > 0) {
            collectable = now == before;
        } else {
            collectable = now == 1 || seems_collectable(block, cap.pending_size);
        }
        if (collectable) {
            born(block, cap.pending_size, 1);
            before++;
        }
    }
    if (e != NULL && e->id != 0) {
        freed_block(e, p);
    } else if (!known && now == before - 1) {
        unknown_freed();
    }
    cap.count = now;
    sample_taken();
}

/* Switched from C, as modules compiled by Cython do. */
static void switched(void)
{
    cap.enabled = gc_enabled(cap.gc);
    if (spool_room(RECORD_ROOM)) {
        put_tag(R_CALL);
        put_number(cap.enabled ? CALL_ENABLE : CALL_DISABLE);
        put_number(1);
        put_number(0);
    }
}

static inline void on_malloc(void)
{
    if (LIKELY(capture_quiet() && gc_enabled(cap.gc) == cap.enabled)) {
        cap.pending = NULL;
        sample_taken();
        return;
    }
    capture_sync();
    if (gc_enabled(cap.gc) != cap.enabled) {
        switched();
    }
    spool_commit();
}

static inline void handed_out(void *p, size_t n)
{
    if (p != NULL && n >= HEAD_NEAR + sizeof(PyObject)) {
        cap.pending = p;
        cap.pending_size = n;
        int threshold = gc_threshold(cap.gc, 0);
        if (cap.count >= threshold && threshold != 0 && cap.enabled) {
            cap.due = stopwatch_started(); /* if this is a GC object, it begins a collection */
        }
    }
}

static void *hook_malloc(void *ctx, size_t n)
{
    (void)ctx;
    if (capture_on()) {
        on_malloc();
        void *p = cap.below.malloc(cap.below.ctx, n);
        handed_out(p, n);
        return p;
    }
    return cap.below.malloc(cap.below.ctx, n);
}

static void *hook_calloc(void *ctx, size_t count, size_t size)
{
    (void)ctx;
    if (capture_on()) {
        on_malloc();
        void *p = cap.below.calloc(cap.below.ctx, count, size);
        handed_out(p, count * size);
        return p;
    }
    return cap.below.calloc(cap.below.ctx, count, size);
}

static void *hook_realloc(void *ctx, void *old, size_t n)
{
    (void)ctx;
    if (!capture_on()) {
        return cap.below.realloc(cap.below.ctx, old, n);
    }
    on_malloc();
    entry_t *e = old != NULL ? map_find(old) : NULL;
    int known = e != NULL && e->id != 0;
    void *p = cap.below.realloc(cap.below.ctx, old, n);
    if (old == NULL) {
        handed_out(p, n);
    } else if (known && p != NULL) {
        entry_t moved = *e;
        entry_leaves(e, old);
        e->id = 0;
        e->type = 0;
        e = map_make(p);
        if (e == NULL) {
            capture_stop(SPOOL_FAILED, "no memory for the table of addresses");
        } else if (spool_room(RECORD_ROOM)) {
            *e = moved;
            e->type = (e->type & ~EF_ODD) | (((uintptr_t)p & 16) ? EF_ODD : 0);
            put_tag(R_RESIZED);
            put_number(cap.next_id - e->id);
            put_number((n + 7) / 8);
        }
    }
    spool_commit();
    return p;
}

static void hook_free(void *ctx, void *p)
{
    (void)ctx;
    if (p != NULL && capture_on()) {
        int changed = phase_changed();
        if (UNLIKELY(changed)) {
            if (cap.collecting == OWNED && gc_collecting(cap.gc)) {
                owners_check(); /* the counter has moved for what is released */
            } else {
                capture_sync();
            }
            spool_commit();
        }
        /* The release of a GC object would have moved the counter, unless it stood at 0; what has just
         * been brought up to date knows that already. */
        int now = young_count();
        if (changed || cap.pending != NULL || now != cap.count || now <= 0) {
            on_free(p);
            spool_commit();
        }
    }
    cap.below.free(cap.below.ctx, p);
}

void alloc_install(void)
{
    PyMemAllocatorEx mine = {NULL, hook_malloc, hook_calloc, hook_realloc, hook_free};
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &cap.below);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &mine);
}

/* An object older than the recording, or born untracked in a way no hook saw. */
entry_t *alloc_late(PyObject *op, void *block)
{
    entry_t *e = map_make(block);
    if (e == NULL) {
        capture_stop(SPOOL_FAILED, "no memory for the table of addresses");
        return NULL;
    }
    uint32_t type = type_number(Py_TYPE(op));
    if (!spool_room(RECORD_ROOM) || alloc_entry_new(e, type) == 0) {
        return NULL;
    }
    put_tag(R_LATE);
    put_number(type);
    put_number((size_of_object(op) + 7) / 8);
    settle_type(e, Py_TYPE(op), block);
    return e;
}
