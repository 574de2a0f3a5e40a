/* Readings: what an object held at one moment, with names.  Which objects it holds tells its tp_traverse;
 * the names come from how it is laid out, and find their object by its address.  No code runs for it and
 * no Python object is made. */
#ifndef GCREPLAY_NAMES_H
#define GCREPLAY_NAMES_H

#include "capture.h"

/* The name of a link as the spool has it: a number and what kind of number it is. */
static inline uint64_t name_of(uint64_t n, unsigned kind) { return n << NAME_BITS | kind; }

/* labels.c: numbers of texts; 0 when there is none (left) */
enum label_form { FORM_PLAIN, FORM_ATTRIBUTE, FORM_KEY, FORM_LOCAL, FORM_TYPE };
uint32_t label_text(const char *text);                       /* UTF-8, as it is */
uint32_t label_string(PyObject *text, enum label_form form); /* of a str */
uint32_t label_utf8(const char *text, enum label_form form);
uint32_t label_key(PyObject *key);                           /* of a key of a dictionary */

/* names_types.c: what is known of a type, found once */
enum shape {
    SHAPE_PLAIN, SHAPE_LIST, SHAPE_TUPLE, SHAPE_ONLY_DICT, SHAPE_ITEMS_LIST, SHAPE_ITEMS_TUPLE, SHAPE_DICT, SHAPE_SET,
    SHAPE_FRAME, SHAPE_GENERATOR, SHAPE_DEQUE, SHAPE_LRU_CACHE
};
enum titled { UNTITLED, TITLE_MODULE, TITLE_TYPE, TITLE_FUNCTION, TITLE_CODE, TITLE_FRAME, TITLE_GENERATOR, TITLE_METHOD, TITLE_BUILTIN, TITLE_CELL };

/* Where an object keeps a child: in itself, in its inline values, or where it has its dictionary. */
enum place_base { IN_OBJECT, IN_VALUES, IN_DICT, PLACE_BASES };

typedef struct {
    int32_t offset;
    uint32_t base;
    uint32_t label; /* 0: not asked for yet */
} place_of_child_t;

/* Keys that all objects of a type share keep their places as long as the type lives; so many are known. */
#define SHARED_MOST 64

typedef struct {
    uint8_t shape, title, has_attributes, has_dict;
    uint8_t only_places; /* what its objects hold is in places, as their tp_traverse is that of class statements */
    uint8_t alike;       /* so many were seen to be so */
    uint16_t count, attributes; /* places, and how many of these are of shared keys */
    uint32_t rest;              /* the label of what has no name of its own, or 0 */
    place_of_child_t places[];
} recipe_t;

extern recipe_t **recipes; /* by type number */
extern size_t recipes_room;
recipe_t *recipe_new(PyTypeObject *t, uint32_t number);

/* NULL: there is no memory, or the type has no number. */
static inline recipe_t *recipe_of(PyTypeObject *t)
{
    uint32_t number = type_number(t);
    return LIKELY(number < recipes_room && recipes[number] != NULL) ? recipes[number] : recipe_new(t, number);
}

/* The name of a child that has none of its own. */
static inline uint64_t name_else(size_t position, uint32_t rest)
{
    return rest != 0 ? name_of(rest, NAME_LABEL) : name_of(position, NAME_POSITION);
}

static inline uint64_t name_of_text(PyObject *text, enum label_form form, size_t position)
{
    uint32_t label = form == FORM_KEY ? label_key(text) : label_string(text, form);
    return label != 0 ? name_of(label, NAME_LABEL) : name_of(position, NAME_POSITION);
}

#define MOST_SEARCHES 32 /* that find nothing, for one object */

/* names_titles.c */
uint32_t title_of(PyObject *op, enum titled titled, uint32_t id);
void names_forget(void);                 /* what cells are called */

/* names_fields.c: those of one object at a time */
void fields_none(void);
void fields_add(const void *child, uint64_t name);
void fields_add_items(PyObject *op, const recipe_t *recipe); /* by its shape */
int fields_of_running(const frame_t *f); /* 0: it is not known how its locals are called */
void fields_visit(visitproc visit);      /* of these, what is an object */
uint64_t fields_name(const void *child, size_t position, uint32_t rest);
void fields_pass(const void *child);     /* one that gets no name */

/* names.c */
void names_begin(enum read_reason reason);
void names_note_others(PyObject *op);
void names_read(PyObject *op, const entry_t *e);
void names_frame(const frame_t *f);      /* one that runs */
void names_end(void);
void names_heap_read(void);              /* all that lives has been read: what was not has died */

/* First of all: what knows how others are called.  Most objects are of types that know nothing. */
static inline void names_note(PyObject *op)
{
    if (!(Py_TYPE(op)->tp_flags
          & (Py_TPFLAGS_HEAPTYPE | Py_TPFLAGS_LIST_SUBCLASS | Py_TPFLAGS_TUPLE_SUBCLASS | Py_TPFLAGS_DICT_SUBCLASS))) {
        names_note_others(op);
    }
}

/* readings.c */
void readings_garbage(PyGC_Head *aside);
int readings_wanted(PyObject *mark);
void readings_mark(void);
void readings_end(void);

#endif
