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
#define MOST_SEARCHES 32                         /* that find nothing, for one object */
static int searches;

static PyObject *const *items; /* of a list or tuple: they are met from the last to the first */
static Py_ssize_t item_count;

/* What tp_traverse has met. */
static PyObject **children;
static size_t child_count, child_room;

/* The entries of the record under way, which are written when their labels have been.  Of the one under
 * way: where it says how many links it has, and where the next one goes. */
static uint8_t *entries, *count_at, *link_at;
static size_t entries_used, entries_room;
static uint32_t last_id, link_count, reading;
static enum read_reason reason;
#define ENTRIES_WRITTEN ((size_t)1 << 18)
#define LINK_ROOM 20 /* bytes */

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

static void no_fields(void)
{
    field_count = field_at = 0;
    item_count = 0;
    searches = 0;
}

/* ---- places ------------------------------------------------------------------------------------ */

/* What the places of one object are counted from, by enum place_base. */
typedef struct {
    const char *of[PLACE_BASES];
} bases_t;

static inline bases_t bases_of(PyObject *op, const recipe_t *recipe)
{
    static void *const nothing[SHARED_MOST];
    bases_t at = {{(const char *)op, (const char *)nothing, (const char *)nothing}};
    if (recipe->has_attributes) {
        const PyDictValues *values = inline_values(op);
        at.of[IN_VALUES] = values != NULL ? (const char *)first_value(values) : (const char *)nothing;
    }
    if (recipe->has_dict) {
        PyObject *const *dict = type_is_far(Py_TYPE(op)) ? managed_dict_place(op) : dict_place(op);
        at.of[IN_DICT] = dict != NULL ? (const char *)dict : (const char *)nothing;
    }
    return at;
}

static inline const void *word_at(const place_of_child_t *p, const bases_t *at)
{
    return *(void *const *)(const void *)(at->of[p->base] + p->offset);
}

/* The name of a place is asked for when something is found there first. */
static inline uint64_t name_at(place_of_child_t *p, const PyTypeObject *t)
{
    if (UNLIKELY(p->label == 0)) {
        p->label = p->base == IN_VALUES
                       ? label_string(text_entries(attribute_keys(t))[(size_t)p->offset / sizeof(void *)].me_key, FORM_ATTRIBUTE)
                       : label_text(".__dict__");
    }
    return name_of(p->label, NAME_LABEL);
}

/* The type's objects share their keys, whose number grows. */
static inline void know_attributes(recipe_t *recipe, const PyTypeObject *t)
{
    const PyDictKeysObject *keys = attribute_keys(t);
    if (keys != NULL && keys_are_text(keys)) {
        while (UNLIKELY(recipe->attributes < keys_count(keys)) && recipe->attributes < SHARED_MOST) {
            recipe->alike = 0;
            recipe->places[recipe->count++] =
                (place_of_child_t){(int32_t)(recipe->attributes++ * sizeof(void *)), IN_VALUES, 0};
        }
    }
}

static void add_places(PyObject *op, recipe_t *recipe)
{
    const bases_t at = bases_of(op, recipe);
    for (unsigned i = 0; i < recipe->count; i++) {
        const void *child = word_at(&recipe->places[i], &at);
        if (child != NULL) {
            add_name(child, name_at(&recipe->places[i], Py_TYPE(op)));
        }
    }
}

/* ---- children -------------------------------------------------------------------------------- */

static int meet(PyObject *child, void *unused)
{
    (void)unused;
    if (child_count < child_room || grow((void **)&children, &child_room, sizeof(*children))) {
        children[child_count++] = child;
    }
    return 0;
}

/* An object of this type that has a number, or NULL. */
static inline const entry_t *entry_of_child(PyObject *child)
{
    const entry_t *e = Py_TYPE(child)->tp_flags & Py_TPFLAGS_HAVE_GC ? map_find(block_of(child)) : NULL;
    return e != NULL && e->id != 0 ? e : NULL;
}

static inline void put_link(const entry_t *e, uint64_t name)
{
    link_at = number_at(number_at(link_at, zigzag((int64_t)e->id - (int64_t)reading)), name);
    link_count++;
}

static inline uint64_t name_else(size_t position, uint32_t rest)
{
    return rest != 0 ? name_of(rest, NAME_LABEL) : name_of(position, NAME_POSITION);
}

static inline uint64_t name_of_text(PyObject *text, enum label_form form, size_t position)
{
    uint32_t label = form == FORM_KEY ? label_key(text) : label_string(text, form);
    return label != 0 ? name_of(label, NAME_LABEL) : name_of(position, NAME_POSITION);
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
static uint64_t name_by_fields(const void *child, size_t position, uint32_t rest)
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

static void put_by_fields(uint32_t rest)
{
    for (size_t i = 0; i < child_count; i++) {
        const entry_t *e = entry_of_child(children[i]);
        if (e == NULL) {
            is_item(children[i]);
        } else {
            put_link(e, name_by_fields(children[i], i, rest));
        }
    }
}

/* The places stand in the order in which tp_traverse has met what is there: one that is found elsewhere is
 * put where it is looked for first the next time.  So mostly one look names a child.  Returns whether all
 * that is in the places, and nothing else, was met in their order. */
static int put_by_places(PyObject *op, recipe_t *recipe)
{
    const bases_t at = bases_of(op, recipe);
    place_of_child_t *p = recipe->places;
    const place_of_child_t *end = p + recipe->count;
    int missed = 0, alike = 1;
    for (size_t i = 0; i < child_count; i++) {
        PyObject *child = children[i];
        const void *word = NULL;
        while (p < end && (word = word_at(p, &at)) == NULL) {
            p++;
        }
        int here = p < end && word == child;
        const entry_t *e = entry_of_child(child);
        alike &= here;
        if (!here && (e != NULL || recipe->only_places) && missed < MOST_SEARCHES) {
            place_of_child_t *found = p;
            while (found < end && word_at(found, &at) != child) {
                found++;
            }
            if ((here = found < end)) {
                place_of_child_t is = *found;
                memmove(p + 1, p, (size_t)((char *)found - (char *)p));
                *p = is;
            }
            missed += !here;
        }
        if (e != NULL) {
            put_link(e, here ? name_at(p, Py_TYPE(op)) : name_else(i, recipe->rest));
        }
        p += here;
    }
    for (; p < end; p++) {
        alike &= word_at(p, &at) == NULL;
    }
    return alike;
}

/* What class statements alone have made has one tp_traverse, which meets what is in its places.  When that was
 * seen to be so for some objects of a type, the rest are read without calling it. */
#define ALIKE_ENOUGH 8

static void read_places(PyObject *op, recipe_t *recipe)
{
    const bases_t at = bases_of(op, recipe);
    place_of_child_t *end = recipe->places + recipe->count;
    for (place_of_child_t *p = recipe->places; p < end; p++) {
        PyObject *child = (PyObject *)word_at(p, &at);
        const entry_t *e = child != NULL ? entry_of_child(child) : NULL;
        if (e != NULL) {
            put_link(e, name_at(p, Py_TYPE(op)));
        }
    }
}

/* Of lists, tuples and dictionaries themselves it is known what their tp_traverse meets. */
static void put_items(PyObject *const *item, Py_ssize_t n)
{
    while (item != NULL && --n >= 0) {
        const entry_t *e = item[n] != NULL ? entry_of_child(item[n]) : NULL;
        if (e != NULL) {
            put_link(e, name_of((uint64_t)n, NAME_INDEX));
        }
    }
}

static void put_value(PyObject *value, PyObject *key, size_t *position)
{
    if (value != NULL) {
        const entry_t *e = entry_of_child(value);
        if (e != NULL) {
            put_link(e, name_of_text(key, FORM_KEY, *position));
        }
        ++*position;
    }
}

static void put_dict(PyObject *op)
{
    const PyDictKeysObject *keys = dict_keys(op);
    const PyDictValues *values = dict_values(op);
    const Py_ssize_t n = keys_count(keys);
    size_t position = 0;
    if (keys_are_text(keys)) {
        const PyDictUnicodeEntry *at = text_entries(keys);
        for (Py_ssize_t i = 0; i < n; i++) {
            put_value(values != NULL ? value_at(values, i) : at[i].me_value, at[i].me_key, &position);
        }
        return;
    }
    static uint32_t number;
    const PyDictKeyEntry *at = other_entries(keys);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (at[i].me_value == NULL) {
            continue;
        }
        put_value(at[i].me_value, at[i].me_key, &position);
        const entry_t *e = entry_of_child(at[i].me_key);
        if (e != NULL) {
            number = number != 0 ? number : label_text("(key)");
            put_link(e, name_of(number, NAME_LABEL));
        }
        position++;
    }
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
void names_note_others(PyObject *op)
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

static __attribute__((noinline)) void write_entries(void)
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

/* Begins an entry, with room for so many links.  0: there is none. */
static inline int begin_reading(uint32_t id, uint32_t title, size_t most)
{
    while (UNLIKELY(entries_used + most * LINK_ROOM + 64 > entries_room)) {
        if (!grow((void **)&entries, &entries_room, 1)) {
            return 0;
        }
    }
    reading = id;
    link_count = 0;
    uint8_t *at = number_at(entries + entries_used, zigzag((int64_t)id - (int64_t)last_id) + 1);
    count_at = number_at(at, title);
    link_at = count_at + 1;
    return 1;
}

/* Whether the heap under way was sent with this in it already. */
static __attribute__((noinline)) int known_already(void)
{
    const uint8_t *said = entries + entries_used;
    while (*said++ & 128) {
    }
    return reading != READ_FRAME && sent_before(reading, said, (size_t)(link_at - said));
}

static inline void end_reading(void)
{
    if (LIKELY(link_count < 128)) {
        *count_at = (uint8_t)link_count;
    } else {
        uint8_t number[10];
        size_t more = (size_t)(number_at(number, link_count) - number);
        memmove(count_at + more, count_at + 1, (size_t)(link_at - count_at) - 1);
        memcpy(count_at, number, more);
        link_at += more - 1;
    }
    if ((reason == READ_MARK || reason == READ_END) && known_already()) {
        return;
    }
    entries_used = (size_t)(link_at - entries);
    last_id = reading;
    if (entries_used > ENTRIES_WRITTEN && !cap.in_probe) {
        write_entries();
    }
}

static size_t children_of(PyObject *op, PyTypeObject *t)
{
    child_count = 0;
    t->tp_traverse(op, meet, NULL);
    return child_count;
}

/* How many links it may have at most. */
static inline size_t look_into(PyObject *op, PyTypeObject *t, recipe_t *recipe)
{
    switch (recipe->shape) {
    case SHAPE_LIST:
    case SHAPE_TUPLE: return (size_t)Py_SIZE(op);
    case SHAPE_ONLY_DICT: return 2 * (size_t)keys_count(dict_keys(op));
    default: break;
    }
    if (recipe->has_attributes) {
        know_attributes(recipe, t);
    }
    return recipe->alike == ALIKE_ENOUGH ? recipe->count : children_of(op, t);
}

static void put_links(PyObject *op, recipe_t *recipe)
{
    switch (recipe->shape) {
    case SHAPE_LIST: put_items(((PyListObject *)op)->ob_item, Py_SIZE(op)); return;
    case SHAPE_TUPLE: put_items(((PyTupleObject *)op)->ob_item, Py_SIZE(op)); return;
    case SHAPE_ONLY_DICT: put_dict(op); return;
    case SHAPE_PLAIN:
        if (recipe->alike == ALIKE_ENOUGH) {
            read_places(op, recipe);
        } else {
            int alike = put_by_places(op, recipe) && recipe->only_places;
            recipe->alike = alike ? (uint8_t)(recipe->alike + 1) : 0;
        }
        return;
    default:
        no_fields();
        add_places(op, recipe);
        add_items(op, recipe);
        put_by_fields(recipe->rest);
    }
}

void names_read(PyObject *op, const entry_t *e)
{
    PyTypeObject *t = Py_TYPE(op);
    recipe_t *recipe = recipe_of(t);
    if (recipe == NULL || t->tp_traverse == NULL) {
        return;
    }
    uint32_t title = recipe->title != UNTITLED ? title_of(op, recipe->title, e->id) : 0;
    if (begin_reading(e->id, title, look_into(op, t, recipe))) {
        put_links(op, recipe);
        end_reading();
    }
}

/* A frame that runs is no object: its locals are roots.  What its stack holds besides is not told, as it may
 * be stale. */
void names_frame(const frame_t *f)
{
    PyObject *names = local_names(frame_code(f));
    if (names == NULL || !PyTuple_Check(names) || PyTuple_GET_SIZE(names) != frame_locals(f)) {
        return;
    }
    no_fields();
    for (int i = 0; i < frame_locals(f); i++) {
        add_text(frame_slot(f, i), PyTuple_GET_ITEM(names, i), FORM_LOCAL);
    }
    ADD_LABEL(frame_namespace(f), ".f_locals");
    ADD_LABEL(frame_function(f), ".(function)");
    child_count = 0;
    for (size_t i = 0; i < field_count; i++) {
        if (entry_at(fields[i].child) != NULL) { /* else it may be stale */
            meet((PyObject *)fields[i].child, NULL);
        }
    }
    if (begin_reading(READ_FRAME, label_string(code_title(frame_code(f)), FORM_PLAIN), child_count)) {
        put_by_fields(0);
        end_reading();
    }
}

void names_end(void)
{
    write_entries();
    for (size_t i = 0; i < noted_count; i++) {
        table_remove(&cell_names, noted[i]);
    }
    noted_count = 0;
}
