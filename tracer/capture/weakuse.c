/* Uses of weak references: the program asks one and gets its target, or gets None.  What calling a
 * weak reference does stands in each by itself; there it is replaced, once the reference is made.
 * What C code reads of a weak reference without calling it is not seen. */
#include "capture.h"

static vectorcallfunc below;

/* The last hit of some weak references: between two births, marks or calls of the gc module another
 * one says nothing more, as no collector has run. */
#define LATELY 1024u
static struct {
    uint32_t reference, births, turn;
} lately[LATELY];
static uint32_t turn = 1;

void weakuse_again(void) { turn++; }

static int said_lately(uint32_t reference)
{
    uint32_t i = reference & (LATELY - 1);
    if (lately[i].reference == reference && lately[i].births == cap.next_id && lately[i].turn == turn) {
        return 1;
    }
    lately[i].reference = reference;
    lately[i].births = cap.next_id;
    lately[i].turn = turn;
    return 0;
}

static inline entry_t *known(PyObject *op)
{
    entry_t *e = PyObject_IS_GC(op) ? map_find(block_of(op)) : NULL;
    return e != NULL && e->id != 0 ? e : NULL;
}

static void hit(const entry_t *reference, PyObject *target)
{
    const entry_t *to = known(target);
    if (to != NULL && !said_lately(reference->id) && spool_room(RECORD_ROOM)) {
        put_record3(R_HIT, cap.next_id - reference->id, cap.next_id - to->id, (uint64_t)Py_REFCNT(target) - 1);
        spool_commit();
    }
}

/* A dead weak reference stays dead: that is said once.  While its target is torn down, or a collection
 * clears and frees, the death is still to be told. */
static void miss(const entry_t *reference, PyObject *op)
{
    if (weakref_cleared(op) && !cap.collecting && !cap.beginning && spool_room(RECORD_ROOM)) {
        *weakref_call(op) = below;
        put_record1(R_MISS, cap.next_id - reference->id);
        spool_commit();
    }
}

static PyObject *asked(PyObject *op, PyObject *const *args, size_t nargs, PyObject *names)
{
    PyObject *got = below(op, args, nargs, names);
    if (got == NULL || !capture_on()) {
        return got;
    }
    capture_check();
    const entry_t *reference = cap.active ? known(op) : NULL;
    if (reference != NULL && got == Py_None) {
        miss(reference, op);
    } else if (reference != NULL) {
        hit(reference, got);
    }
    return got;
}

/* A block that is to become a weak reference, or one that is: only what it calls by now is replaced. */
void weakuse_watch(PyObject *op)
{
    if (*weakref_call(op) == below) {
        *weakref_call(op) = asked;
    }
}

/* What a call does is read from a weak reference that is there: every type has one to each subclass. */
int weakuse_check_layout(const char **why)
{
    PyObject *some = type_subclasses(&PyBaseObject_Type), *key, *ref;
    Py_ssize_t at = 0;
    *why = "weak references are not laid out as expected";
    if (!weakref_layout_known() || some == NULL || !PyDict_CheckExact(some)) {
        return 0;
    }
    while (PyDict_Next(some, &at, &key, &ref)) {
        if (!PyWeakref_CheckRefExact(ref) || *weakref_call(ref) == NULL || (below != NULL && *weakref_call(ref) != below)) {
            return 0;
        }
        below = *weakref_call(ref);
    }
    return below != NULL;
}
