/* Reading objects: tp_traverse tells the children, the fields of the object their names. */
#include "names.h"

#include "layout_names.h"

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

static uint32_t label_of_place(const place_of_child_t *p, const PyTypeObject *t)
{
    if (p->base != IN_VALUES) {
        return label_text(".__dict__");
    }
    const PyDictKeysObject *keys = attribute_keys(t);
    const size_t i = (size_t)p->offset / sizeof(void *);
    return keys != NULL ? label_string(text_entries(keys)[i].me_key, FORM_ATTRIBUTE) : 0;
}

/* The name of a place is asked for when something is found there first. */
static inline uint64_t name_at(place_of_child_t *p, const PyTypeObject *t)
{
    if (UNLIKELY(p->label == 0)) {
        p->label = label_of_place(p, t);
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
            fields_add(child, name_at(&recipe->places[i], Py_TYPE(op)));
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

static void put_by_fields(uint32_t rest)
{
    for (size_t i = 0; i < child_count; i++) {
        const entry_t *e = entry_of_child(children[i]);
        if (e == NULL) {
            fields_pass(children[i]);
        } else {
            put_link(e, fields_name(children[i], i, rest));
        }
    }
}

/* The places stand in the order in which tp_traverse has met what is there: one that is found elsewhere is
 * put where it is searched first the next time.  So mostly one comparison names a child.  Returns whether all
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

/* Whether it was sent like this already; nothing is read behind the end. */
static int sent_before(uint32_t id, const uint8_t *content, size_t n)
{
    uint32_t hash = hash_of(content, n);
    uint32_t *was = table_find(&read_before, id);
    if (reason != READ_END && !table_put(&read_now, id, hash)) {
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
static inline size_t most_links(PyObject *op, PyTypeObject *t, recipe_t *recipe)
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
        fields_none();
        add_places(op, recipe);
        fields_add_items(op, recipe);
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
    if (begin_reading(e->id, title, most_links(op, t, recipe))) {
        put_links(op, recipe);
        end_reading();
    }
}

/* A frame that runs is no object: its locals are roots. */
void names_frame(const frame_t *f)
{
    if (!fields_of_running(f)) {
        return;
    }
    child_count = 0;
    fields_visit(meet);
    if (begin_reading(READ_FRAME, label_string(code_title(frame_code(f)), FORM_PLAIN), child_count)) {
        put_by_fields(0);
        end_reading();
    }
}

void names_end(void)
{
    write_entries();
    names_forget();
}
