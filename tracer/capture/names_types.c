/* What is known of a type's objects: found when the first of them is read, and kept by the type's number. */
#include "names.h"

#include "buffers.h"
#include "layout_names.h"

recipe_t **recipes;
size_t recipes_room;
static char *kept;
static size_t kept_left;

#define MOST_FIELDS 250
#define MOST_PLACES (MOST_FIELDS + 1) /* and the dictionary */

typedef struct {
    recipe_t head;
    place_of_child_t places[MOST_PLACES];
} draft_t;

static void add(draft_t *d, Py_ssize_t offset, uint32_t label)
{
    for (unsigned i = 0; i < d->head.count; i++) {
        if (d->places[i].offset == offset) {
            return; /* the first name it was given */
        }
    }
    if (label != 0 && d->head.count < MOST_FIELDS) {
        d->places[d->head.count++] = (place_of_child_t){(int32_t)offset, IN_OBJECT, label};
    }
}

/* Slots, and what a type in C shows of its objects. */
static void add_members(draft_t *d, const PyTypeObject *t)
{
    const PyMemberDef *m = t->tp_members;
    for (; m != NULL && m->name != NULL; m++) {
        int word = m->type == T_OBJECT || m->type == T_OBJECT_EX;
        if (word && m->offset >= (Py_ssize_t)sizeof(PyObject)
            && m->offset + (Py_ssize_t)sizeof(PyObject *) <= t->tp_basicsize) {
            add(d, m->offset, label_utf8(m->name, FORM_ATTRIBUTE));
        }
    }
}

static void add_known(draft_t *d, const PyTypeObject *t)
{
    for (size_t i = 0; i < LAYOUT_TYPES; i++) {
        if (!layout_is_of(&layout_types[i], t)) {
            continue;
        }
        for (const layout_field_t *f = layout_types[i].fields; f->label != NULL; f++) {
            if (f->offset == REST) {
                d->head.rest = label_text(f->label);
            } else {
                add(d, f->offset, label_text(f->label));
            }
        }
    }
}

static enum shape shape_of(PyTypeObject *t)
{
    unsigned long is = t->tp_flags;
    return t == &PyList_Type                ? SHAPE_LIST
           : t == &PyTuple_Type             ? SHAPE_TUPLE
           : t == &PyDict_Type              ? SHAPE_ONLY_DICT
           : is & Py_TPFLAGS_LIST_SUBCLASS  ? SHAPE_ITEMS_LIST
           : is & Py_TPFLAGS_TUPLE_SUBCLASS ? SHAPE_ITEMS_TUPLE
           : is & Py_TPFLAGS_DICT_SUBCLASS  ? SHAPE_DICT
           : PyType_IsSubtype(t, &PySet_Type) || PyType_IsSubtype(t, &PyFrozenSet_Type) ? SHAPE_SET
           : t == &PyFrame_Type                                                        ? SHAPE_FRAME
           : t == &PyGen_Type || t == &PyCoro_Type || t == &PyAsyncGen_Type            ? SHAPE_GENERATOR
           : buffer_kind(t) == DEQUE                                                   ? SHAPE_DEQUE
           : type_is_lru_cache(t)                                                      ? SHAPE_LRU_CACHE
                                                                                       : SHAPE_PLAIN;
}

static enum titled titled(const PyTypeObject *t)
{
    return t->tp_flags & Py_TPFLAGS_TYPE_SUBCLASS               ? TITLE_TYPE
           : t == &PyFunction_Type                              ? TITLE_FUNCTION
           : t == &PyCode_Type                                  ? TITLE_CODE
           : t == &PyFrame_Type                                 ? TITLE_FRAME
           : t == &PyGen_Type || t == &PyCoro_Type || t == &PyAsyncGen_Type ? TITLE_GENERATOR
           : t == &PyMethod_Type                                ? TITLE_METHOD
           : t == &PyCFunction_Type || t == &PyCMethod_Type     ? TITLE_BUILTIN
           : t == &PyCell_Type                                  ? TITLE_CELL
           : PyType_IsSubtype((PyTypeObject *)t, &PyModule_Type) ? TITLE_MODULE
                                                                : UNTITLED;
}

/* Whether class statements alone have made it, so that what its objects hold is in slots, attributes and their
 * dictionary. */
static int holds_only_places(const draft_t *d, const PyTypeObject *t)
{
    const PyTypeObject *base = t;
    while (base != NULL && base != &PyBaseObject_Type && type_from_class_statement(base)
           && base->tp_traverse == t->tp_traverse) {
        base = base->tp_base;
    }
    return base == &PyBaseObject_Type && d->head.shape == SHAPE_PLAIN && d->head.title == UNTITLED
           && d->head.rest == 0 && d->head.count < MOST_FIELDS && t->tp_itemsize == 0;
}

static recipe_t *keep(const draft_t *d)
{
    size_t places = d->head.count * sizeof(place_of_child_t);
    size_t shared = d->head.has_attributes ? SHARED_MOST * sizeof(place_of_child_t) : 0;
    size_t size = (sizeof(recipe_t) + places + shared + 7) & ~(size_t)7;
    if (size > kept_left) {
        kept = reserve_memory(kept_left = (size_t)256 << 10);
        if (kept == NULL) {
            kept_left = 0;
            capture_stop(SPOOL_FAILED, "no memory for the table of names");
            return NULL;
        }
    }
    recipe_t *to = (recipe_t *)(void *)kept;
    kept += size;
    kept_left -= size;
    *to = d->head;
    memcpy(to->places, d->places, places);
    return to;
}

recipe_t *recipe_new(PyTypeObject *t, uint32_t number)
{
    static draft_t d;
    while (number >= recipes_room) {
        if (!grow((void **)&recipes, &recipes_room, sizeof(*recipes))) {
            return NULL;
        }
    }
    if (number == 0) {
        return NULL;
    }
    memset(&d.head, 0, sizeof(d.head));
    d.head.shape = (uint8_t)shape_of(t);
    d.head.title = (uint8_t)titled(t);
    d.head.rest = d.head.shape == SHAPE_SET ? label_text("(element)") : 0;
    for (const PyTypeObject *base = t; base != NULL; base = base->tp_base) {
        if (!type_from_class_statement(base)) {
            add_known(&d, base);
        }
        add_members(&d, base);
    }
    if (t->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        add(&d, offsetof(PyObject, ob_type), label_text(".__class__"));
    }
    d.head.only_places = (uint8_t)holds_only_places(&d, t);
    d.head.has_attributes = type_is_far(t);
    d.head.has_dict = t->tp_dictoffset != 0 || type_is_far(t);
    if (d.head.has_dict) {
        d.places[d.head.count++] = (place_of_child_t){0, IN_DICT, 0};
    }
    return cap.active ? recipes[number] = keep(&d) : NULL;
}
