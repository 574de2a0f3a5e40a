/* Free lists that types keep to themselves: MemoryError, what Cython makes, any extension.  No block
 * is released when an object goes there, none is asked for when it comes back, and a foreign
 * tp_dealloc is not wrapped, since it may compare itself with what stands in its type.  But an object
 * whose block is its own, that has no references and stands in no list of the collector, is dead and
 * lies in one.  What is met there afterwards is another object. */
#include "capture.h"

#include <dlfcn.h>
#include <stdlib.h>

uint8_t *pools_traits;
size_t pools_types;

typedef struct {
    PyObject *op;
    uint32_t id;
} met_t;

static struct {
    met_t *at;
    size_t n, room;
} met[GC_LISTS]; /* by generation, what the last walk over it has shown of such types */

static struct {
    const void **at;
    size_t n, room;
} young; /* objects of such types, by address */

/* Where the file that this function stands in is mapped. */
static const void *file_of(any_fn function)
{
    Dl_info found;
    return dladdr((const void *)function, &found) != 0 ? found.dli_fbase : NULL;
}

/* The interpreter's own deallocators keep nothing that is not known otherwise, but for one; nor do
 * ours, which stand in their place. */
static int dealloc_keeps(destructor dealloc)
{
    const void *file = file_of((any_fn)dealloc);
    return dealloc == ((PyTypeObject *)PyExc_MemoryError)->tp_dealloc
           || (file != file_of((any_fn)PyType_GenericAlloc) && file != file_of((any_fn)pools_new_type));
}

#define LATELY 64u /* to ask takes long, and few deallocators serve most types */

static int keeps_dead(const PyTypeObject *t)
{
    static struct {
        destructor dealloc;
        int keeps;
    } lately[LATELY];
    for (; t != NULL; t = t->tp_base) {
        uint32_t at = ((uintptr_t)t->tp_dealloc >> 4) & (LATELY - 1);
        if (t->tp_dealloc != lately[at].dealloc) {
            lately[at].keeps = dealloc_keeps(t->tp_dealloc);
            lately[at].dealloc = t->tp_dealloc;
        }
        if (lately[at].keeps) {
            return 1;
        }
    }
    return 0;
}

int pools_own_blocks(const PyTypeObject *t)
{
    return (t->tp_flags & Py_TPFLAGS_HAVE_GC) && t->tp_free != NULL && t->tp_free != PyObject_GC_Del;
}

void pools_new_type(const PyTypeObject *t, uint32_t number)
{
    if (number >= pools_types && !grow((void **)&pools_traits, &pools_types, 1)) {
        return;
    }
    pools_traits[number] = (uint8_t)(pools_own_blocks(t) ? OWN_BLOCKS : keeps_dead(t) ? MAY_KEEP : 0);
}

void pools_walk(int g) { met[g].n = 0; }

void pools_met(PyObject *op, uint32_t id, int g)
{
    if (met[g].n < met[g].room || grow((void **)&met[g].at, &met[g].room, sizeof(met_t))) {
        met[g].at[met[g].n++] = (met_t){op, id};
    }
}

static void died(const met_t *m, entry_t *e)
{
    if (spool_room(RECORD_ROOM)) {
        put_record1(R_KEPT, cap.next_id - m->id);
        entry_leaves(e, (char *)m->op - ((e->type & EF_NEAR) ? HEAD_NEAR : HEAD_FAR));
        e->id = 0;
        e->type &= EF_ODD;
    }
}

static int by_address(const void *a, const void *b)
{
    const void *x = *(const void *const *)a, *y = *(const void *const *)b;
    return (x > y) - (x < y);
}

static int is_young(const met_t *m)
{
    return young.n > 0 && bsearch(&m->op, young.at, young.n, sizeof(*young.at), by_address) != NULL;
}

/* Writes the deaths among what was met in the generations 0..upto. */
void pools_check(int upto)
{
    for (int g = 0; g <= upto; g++) {
        size_t kept = 0;
        for (size_t i = 0; i < met[g].n && cap.active; i++) {
            const met_t m = met[g].at[i];
            entry_t *e = entry_at(m.op);
            if (e == NULL || e->id != m.id) {
                continue;
            }
            if (is_young(&m) || (!object_tracked(m.op) && Py_REFCNT(m.op) == 0)) {
                died(&m, e);
            } else {
                met[g].at[kept++] = m;
            }
        }
        met[g].n = kept;
    }
}

/* The collector has deleted its garbage.  What it left alive stands in an older list now: an object of
 * before that stands in the youngest has been taken out of a free list again. */
void pools_collected(int generation)
{
    PyGC_Head *head = gc_list(cap.gc, 0);
    young.n = 0;
    for (PyGC_Head *at = gc_next(head); met[generation].n > 0 && at != head; at = gc_next(at)) {
        PyObject *op = (PyObject *)(at + 1);
        const entry_t *e = entry_at(op);
        if (e != NULL && pools_trait(e->type >> 8) == MAY_KEEP
            && (young.n < young.room || grow((void **)&young.at, &young.room, sizeof(*young.at)))) {
            young.at[young.n++] = op;
        }
    }
    if (young.n > 0) {
        qsort(young.at, young.n, sizeof(*young.at), by_address);
    }
    pools_check(generation);
    young.n = 0;
    if (generation < 2) {
        for (size_t i = 0; i < met[generation].n; i++) {
            pools_met(met[generation].at[i].op, met[generation].at[i].id, generation + 1);
        }
        met[generation].n = 0;
    }
}
