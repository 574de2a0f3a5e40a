/* Reading objects: tp_traverse tells the children, the fields of the object their names. */
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
static size_t field_count, field_room, field_at; /* where the next child is looked for first */
static int searches;                             /* that found nothing, in the object under way */
#define MOST_SEARCHES 32

static PyObject *const *items; /* of a list or tuple: they are met from the last to the first */
static Py_ssize_t item_count;
static uint32_t rest;

/* The entries of the record under way, which are written when their labels have been. */
static uint8_t *entries, *links;
static size_t entries_used, entries_room, links_used, links_room;
static uint32_t last_id, link_count, children, reading;
static enum read_reason reason;
#define ENTRIES_WRITTEN ((size_t)1 << 18)

/* ---- fields ------------------------------------------------------------------------------------ */

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

/* The number of a name that a type keeps. */
static inline uint32_t shared_label(const recipe_t *recipe, const PyDictKeysObject *keys, Py_ssize_t i)
{
    uint32_t *label = &recipe->attributes[i];
    if (UNLIKELY(*label == 0)) {
        *label = label_string(text_entries(keys)[i].me_key, FORM_ATTRIBUTE);
    }
    return *label;
}

static void add_attributes(PyObject *op, const recipe_t *recipe)
{
    const PyDictValues *values = inline_values(op);
    const PyDictKeysObject *keys = values != NULL ? attribute_keys(Py_TYPE(op)) : NULL;
    if (keys != NULL && keys_are_text(keys)) {
        for (Py_ssize_t i = 0; i < keys_count(keys); i++) {
            PyObject *value = value_at(values, i);
            if (value != NULL && i < SHARED_MOST && recipe->attributes != NULL) {
                add_name(value, name_of(shared_label(recipe, keys, i), NAME_LABEL));
            } else {
                add_text(value, text_entries(keys)[i].me_key, FORM_ATTRIBUTE);
            }
        }
    }
    PyObject **place = dict_place(op);
    PyObject *dict = place != NULL ? *place : managed_dict(op);
    ADD_LABEL(dict, ".__dict__");
}

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

static void add_items(PyObject *op, const recipe_t *recipe)
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

static void find_fields(PyObject *op, const recipe_t *recipe)
{
    field_count = field_at = 0;
    item_count = 0;
    searches = 0;
    rest = recipe->rest;
    for (unsigned i = 0; i < recipe->count; i++) {
        add_name(*(void **)((char *)op + recipe->fields[i].offset), name_of(recipe->fields[i].label, NAME_LABEL));
    }
    add_attributes(op, recipe);
    add_items(op, recipe);
}

/* ---- children -------------------------------------------------------------------------------- */

static uint64_t taken(field_t *f)
{
    f->child = NULL;
    field_at = (size_t)(f - fields) + 1;
    if (f->text == NULL) {
        return f->name;
    }
    uint32_t label = f->form == FORM_KEY ? label_key(f->text) : label_string(f->text, f->form);
    return label != 0 ? name_of(label, NAME_LABEL) : name_of(children, NAME_POSITION);
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
static uint64_t name_of_child(const void *child)
{
    if (field_at < field_count && fields[field_at].child == child) {
        return taken(&fields[field_at]);
    }
    if (is_item(child)) {
        return name_of((uint64_t)item_count, NAME_INDEX);
    }
    for (size_t n = 0; n < field_count && searches < MOST_SEARCHES; n++) {
        size_t at = field_at + n < field_count ? field_at + n : field_at + n - field_count;
        if (fields[at].child == child) {
            return taken(&fields[at]);
        }
    }
    searches++;
    return rest != 0 ? name_of(rest, NAME_LABEL) : name_of(children, NAME_POSITION);
}

static int meet(PyObject *child, void *unused)
{
    (void)unused;
    const entry_t *e = Py_TYPE(child)->tp_flags & Py_TPFLAGS_HAVE_GC ? map_find(block_of(child)) : NULL;
    if (e == NULL || e->id == 0) {
        is_item(child);
    } else if (links_used + 20 <= links_room || grow((void **)&links, &links_room, 1)) {
        uint64_t name = name_of_child(child);
        uint8_t *at = links + links_used;
        at = number_at(at, zigzag((int64_t)e->id - (int64_t)reading));
        links_used = (size_t)(number_at(at, name) - links);
        link_count++;
    }
    children++;
    return 0;
}

/* ---- titles ------------------------------------------------------------------------------------ */

static table_t cell_names; /* number of a cell -> label, of those that are read now */
static uint32_t *noted;
static size_t noted_count, noted_room;

static void note_cell(PyObject *cell, PyObject *name)
{
    const entry_t *e = entry_at(cell);
    uint32_t label = e != NULL && Py_TYPE(cell) == &PyCell_Type ? label_string(name, FORM_PLAIN) : 0;
    if (label != 0 && (noted_count < noted_room || grow((void **)&noted, &noted_room, sizeof(*noted)))
        && table_put(&cell_names, e->id, label)) {
        noted[noted_count++] = e->id;
    }
}

static void note_frame(const frame_t *f)
{
    PyObject *names = f != NULL ? local_names(frame_code(f)) : NULL;
    if (names == NULL || !PyTuple_Check(names)) {
        return;
    }
    for (int i = 0; i < frame_locals(f) && i < frame_top(f) && i < PyTuple_GET_SIZE(names); i++) {
        note_cell(frame_slot(f, i), PyTuple_GET_ITEM(names, i));
    }
}

/* A cell has the name of its variable from those who know it. */
void names_note(PyObject *op)
{
    if (Py_TYPE(op) == &PyFunction_Type) {
        const PyFunctionObject *f = (PyFunctionObject *)op;
        PyObject *closure = f->func_closure;
        if (closure != NULL && PyTuple_Check(closure) && f->func_code != NULL) {
            for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(closure); i++) {
                note_cell(PyTuple_GET_ITEM(closure, i), code_free_name((PyCodeObject *)f->func_code, i));
            }
        }
    } else if (Py_TYPE(op) == &PyFrame_Type) {
        note_frame(object_frame(op));
    } else if (Py_TYPE(op) == &PyGen_Type || Py_TYPE(op) == &PyCoro_Type || Py_TYPE(op) == &PyAsyncGen_Type) {
        note_frame(generator_frame(op));
    }
}

static uint32_t title_of_method(PyObject *op)
{
    PyObject *f = PyMethod_GET_FUNCTION(op);
    return f != NULL && Py_TYPE(f) == &PyFunction_Type ? label_string(function_title(f), FORM_PLAIN) : 0;
}

static uint32_t title_of_cell(uint32_t id)
{
    uint32_t *label = table_find(&cell_names, id);
    return label != NULL ? *label : 0;
}

static uint32_t title_of(PyObject *op, enum titled titled, uint32_t id)
{
    switch (titled) {
    case TITLE_MODULE: return label_string(module_title(op), FORM_PLAIN);
    case TITLE_TYPE:
        return Py_TYPE(op) != NULL && (((PyTypeObject *)op)->tp_flags & Py_TPFLAGS_HEAPTYPE)
                   ? label_string(((PyHeapTypeObject *)op)->ht_qualname, FORM_PLAIN)
                   : 0;
    case TITLE_FUNCTION: return label_string(function_title(op), FORM_PLAIN);
    case TITLE_CODE: return label_string(code_title((PyCodeObject *)op), FORM_PLAIN);
    case TITLE_FRAME: return object_frame(op) != NULL ? label_string(code_title(frame_code(object_frame(op))), FORM_PLAIN) : 0;
    case TITLE_GENERATOR: return label_string(generator_title(op), FORM_PLAIN);
    case TITLE_METHOD: return title_of_method(op);
    case TITLE_BUILTIN: return builtin_title(op) != NULL ? label_text(builtin_title(op)) : 0;
    case TITLE_CELL: return title_of_cell(id);
    default: return 0;
    }
}

/* ---- readings ---------------------------------------------------------------------------------- */

/* What the heap held when it was last read, to send what has changed since: hashes by object, and those
 * of the reading of the heap that is under way. */
static table_t read_before, read_now;

static uint32_t hash_of(const uint8_t *content, size_t n)
{
    uint64_t h = n;
    for (; n >= 8; n -= 8, content += 8) {
        uint64_t word;
        memcpy(&word, content, 8);
        h = (h ^ word) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
    }
    for (; n > 0; n--) {
        h = (h ^ *content++) * 0x9E3779B97F4A7C15u;
    }
    return (uint32_t)(h >> 32);
}

/* Whether it was sent like this already. */
static int sent_before(uint32_t id, const uint8_t *content, size_t n)
{
    uint32_t hash = hash_of(content, n);
    uint32_t *was = table_find(&read_before, id);
    if (!table_put(&read_now, id, hash)) {
        capture_stop(SPOOL_FAILED, "no memory for the table of readings");
    }
    return was != NULL && *was == hash;
}

void names_heap_read(void)
{
    table_drop(&read_before);
    read_before = read_now;
    read_now = (table_t){0};
}

void names_begin(enum read_reason why)
{
    reason = why;
    entries_used = 0;
    last_id = 0;
}

static void write_entries(void)
{
    if (entries_used > 0 && spool_room(entries_used + RECORD_ROOM)) {
        put_tag(R_READ);
        put_number(reason);
        put_bytes(entries, entries_used);
        put_byte(0);
    }
    entries_used = 0;
    last_id = 0;
}

/* Puts what has been met into the record under way. */
static void write_reading(uint32_t title)
{
    while (entries_used + links_used + 40 > entries_room) {
        if (!grow((void **)&entries, &entries_room, 1)) {
            return;
        }
    }
    uint8_t *begin = entries + entries_used;
    uint8_t *said = number_at(begin, zigzag((int64_t)reading - (int64_t)last_id) + 1), *at = said;
    at = number_at(number_at(at, title), link_count);
    memcpy(at, links, links_used);
    at += links_used;
    int whole_heap = reason == READ_MARK || reason == READ_END;
    if (whole_heap && reading != READ_FRAME && sent_before(reading, said, (size_t)(at - said))) {
        return;
    }
    entries_used = (size_t)(at - entries);
    last_id = reading;
    if (entries_used > ENTRIES_WRITTEN && !cap.in_probe) {
        write_entries();
    }
}

void names_read(PyObject *op, const entry_t *e)
{
    PyTypeObject *t = Py_TYPE(op);
    const recipe_t *recipe = recipe_of(t);
    if (recipe == NULL || t->tp_traverse == NULL) {
        return;
    }
    reading = e->id;
    uint32_t title = title_of(op, recipe->title, reading);
    link_count = children = 0;
    links_used = 0;
    find_fields(op, recipe);
    t->tp_traverse(op, meet, NULL);
    write_reading(title);
}

/* A frame that runs is no object: its locals are roots.  What its stack holds besides is not told, as it may
 * be stale. */
void names_frame(const frame_t *f)
{
    PyObject *names = local_names(frame_code(f));
    reading = READ_FRAME;
    field_count = field_at = searches = 0;
    item_count = 0;
    rest = 0;
    link_count = children = 0;
    links_used = 0;
    if (names == NULL || !PyTuple_Check(names) || PyTuple_GET_SIZE(names) != frame_locals(f)) {
        return;
    }
    for (int i = 0; i < frame_locals(f); i++) {
        add_text(frame_slot(f, i), PyTuple_GET_ITEM(names, i), FORM_LOCAL);
    }
    ADD_LABEL(frame_namespace(f), ".f_locals");
    ADD_LABEL(frame_function(f), ".(function)");
    for (size_t i = 0; i < field_count; i++) {
        if (entry_at(fields[i].child) != NULL) { /* else it may be stale */
            meet((PyObject *)fields[i].child, NULL);
        }
    }
    write_reading(label_string(code_title(frame_code(f)), FORM_PLAIN));
}

void names_end(void)
{
    write_entries();
    for (size_t i = 0; i < noted_count; i++) {
        table_remove(&cell_names, noted[i]);
    }
    noted_count = 0;
}
