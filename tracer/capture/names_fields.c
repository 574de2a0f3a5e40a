/* The named fields of objects that do not keep all they hold in fixed places: found anew for each. */
#include "names.h"

#include "buffers.h"
#include "layout_names.h"

/* A word of the object that may be one of its children, and what its name is made of. */
typedef struct {
    const void *child; /* NULL: it has been given away */
    PyObject *text;    /* of the name; NULL: `label` is the name */
    uint64_t name;
    enum label_form form;
} field_t;

static field_t *fields;
static size_t field_count, field_room, field_at; /* where the next child is searched first */
static int searches; /* that found nothing */

static PyObject *const *items; /* of a list or tuple: they are met from the last to the first */
static Py_ssize_t item_count;

static inline field_t *field_new(const void *child)
{
    if (child == NULL || (field_count == field_room && !grow((void **)&fields, &field_room, sizeof(*fields)))) {
        return NULL;
    }
    field_t *f = &fields[field_count++];
    f->child = child;
    return f;
}

static inline void add_text(const void *child, PyObject *text, enum label_form form)
{
    field_t *f = field_new(child);
    if (f != NULL) {
        f->text = text;
        f->form = form;
    }
}

static inline void add_name(const void *child, uint64_t name)
{
    field_t *f = field_new(child);
    if (f != NULL) {
        f->text = NULL;
        f->name = name;
    }
}

/* The same text each time, so that its number is asked for once. */
#define ADD_LABEL(CHILD, TEXT)                                                                                         \
    do {                                                                                                               \
        static uint32_t number;                                                                                        \
        const void *child_ = (CHILD);                                                                                  \
        if (child_ != NULL) {                                                                                          \
            number = number != 0 ? number : label_text(TEXT);                                                          \
            add_name(child_, name_of(number, NAME_LABEL));                                                             \
        }                                                                                                              \
    } while (0)

static void add_dict(PyObject *op)
{
    const PyDictKeysObject *keys = dict_keys(op);
    const PyDictValues *values = dict_values(op);
    if (keys_are_text(keys)) {
        const PyDictUnicodeEntry *at = text_entries(keys);
        for (Py_ssize_t i = 0; i < keys_count(keys); i++) {
            add_text(values != NULL ? value_at(values, i) : at[i].me_value, at[i].me_key, FORM_KEY);
        }
        return;
    }
    const PyDictKeyEntry *at = other_entries(keys);
    for (Py_ssize_t i = 0; i < keys_count(keys); i++) {
        if (at[i].me_value != NULL) {
            add_text(at[i].me_value, at[i].me_key, FORM_KEY);
            ADD_LABEL(at[i].me_key, "(key)");
        }
    }
}

static void add_frame(const frame_t *f)
{
    PyObject *names = local_names(frame_code(f));
    int known = names != NULL && PyTuple_Check(names) && PyTuple_GET_SIZE(names) == frame_locals(f);
    ADD_LABEL(frame_namespace(f), ".f_locals");
    ADD_LABEL(frame_function(f), ".(function)");
    for (int i = 0; i < frame_top(f); i++) {
        if (i >= frame_locals(f)) {
            ADD_LABEL(frame_slot(f, i), ":(stack)");
        } else if (known) {
            add_text(frame_slot(f, i), PyTuple_GET_ITEM(names, i), FORM_LOCAL);
        }
    }
}

static void add_generator(PyObject *op)
{
    const frame_t *f = generator_frame(op);
    if (f != NULL) {
        ADD_LABEL(frame_object(f), ".gi_frame");
        add_frame(f);
    }
}

static void add_frame_object(PyObject *op)
{
    const frame_t *f = object_frame(op);
    if (f != NULL) {
        ADD_LABEL(frame_code(f), ".f_code");
        add_frame(f);
    }
}

static void add_deque(PyObject *op)
{
    const deque_t *d = (deque_t *)op;
    const deque_block_t *block = deque_blocks(d) > 0 ? d->left : NULL;
    Py_ssize_t at = d->left_at;
    for (Py_ssize_t i = 0; i < Py_SIZE(d) && block != NULL; i++) {
        add_name(block->items[at], name_of((uint64_t)i, NAME_INDEX));
        if (++at == DEQUE_BLOCK) {
            at = 0;
            block = block->right;
        }
    }
}

static void add_cached(PyObject *op)
{
    const lru_cache_t *c = (lru_cache_t *)op;
    for (const cached_t *at = c->root.next; at != NULL && at != &c->root; at = at->next) {
        ADD_LABEL(at->key, "(key)");
        ADD_LABEL(at->result, "(result)");
        ADD_LABEL(Py_TYPE(at), ".(link type)");
    }
    ADD_LABEL(c->cache, ".(cache)");
    ADD_LABEL(c->function, ".(function)");
    ADD_LABEL(c->element, ".(link type)");
    ADD_LABEL(c->info, ".(info type)");
    ADD_LABEL(c->mark, ".(mark)");
}

void fields_add_items(PyObject *op, const recipe_t *recipe)
{
    switch (recipe->shape) {
    case SHAPE_ITEMS_LIST:
        items = ((PyListObject *)op)->ob_item;
        item_count = items != NULL ? Py_SIZE(op) : 0;
        break;
    case SHAPE_ITEMS_TUPLE:
        items = ((PyTupleObject *)op)->ob_item;
        item_count = Py_SIZE(op);
        break;
    case SHAPE_DICT: add_dict(op); break;
    case SHAPE_FRAME: add_frame_object(op); break;
    case SHAPE_GENERATOR: add_generator(op); break;
    case SHAPE_DEQUE: add_deque(op); break;
    case SHAPE_LRU_CACHE: add_cached(op); break;
    default: break;
    }
}

void fields_none(void)
{
    field_count = field_at = 0;
    item_count = 0;
    searches = 0;
}

void fields_add(const void *child, uint64_t name) { add_name(child, name); }

/* What its stack holds besides is not told, as it may be stale. */
int fields_of_running(const frame_t *f)
{
    PyObject *names = local_names(frame_code(f));
    if (names == NULL || !PyTuple_Check(names) || PyTuple_GET_SIZE(names) != frame_locals(f)) {
        return 0;
    }
    fields_none();
    for (int i = 0; i < frame_locals(f); i++) {
        add_text(frame_slot(f, i), PyTuple_GET_ITEM(names, i), FORM_LOCAL);
    }
    ADD_LABEL(frame_namespace(f), ".f_locals");
    ADD_LABEL(frame_function(f), ".(function)");
    return 1;
}

void fields_visit(visitproc visit)
{
    for (size_t i = 0; i < field_count; i++) {
        if (entry_at(fields[i].child) != NULL) { /* else it may be stale */
            visit((PyObject *)fields[i].child, NULL);
        }
    }
}

static uint64_t taken(field_t *f, size_t position)
{
    f->child = NULL;
    field_at = (size_t)(f - fields) + 1;
    return f->text == NULL ? f->name : name_of_text(f->text, f->form, position);
}

/* Which item it is, if it is the next one that there is. */
static inline int is_item(const void *child)
{
    while (item_count > 0 && items[item_count - 1] == NULL) {
        item_count--;
    }
    if (item_count > 0 && items[item_count - 1] == child) {
        item_count--;
        return 1;
    }
    return 0;
}

/* Mostly the children come in the order of the fields. */
uint64_t fields_name(const void *child, size_t position, uint32_t rest)
{
    if (field_at < field_count && fields[field_at].child == child) {
        return taken(&fields[field_at], position);
    }
    if (is_item(child)) {
        return name_of((uint64_t)item_count, NAME_INDEX);
    }
    for (size_t n = 0; n < field_count && searches < MOST_SEARCHES; n++) {
        size_t at = field_at + n < field_count ? field_at + n : field_at + n - field_count;
        if (fields[at].child == child) {
            return taken(&fields[at], position);
        }
    }
    searches++;
    return name_else(position, rest);
}

/* A child that gets no name: it may stand in a list. */
void fields_pass(const void *child) { is_item(child); }
