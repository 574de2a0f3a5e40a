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
uint32_t label_text(const char *text);                       /* ASCII, as it is */
uint32_t label_string(PyObject *text, enum label_form form); /* of a str */
uint32_t label_ascii(const char *text, enum label_form form);
uint32_t label_key(PyObject *key);                           /* of a key of a dictionary */

/* names_types.c: what is known of a type, found once */
enum shape {
    SHAPE_PLAIN, SHAPE_ITEMS_LIST, SHAPE_ITEMS_TUPLE, SHAPE_DICT, SHAPE_SET, SHAPE_FRAME, SHAPE_GENERATOR, SHAPE_DEQUE,
    SHAPE_LRU_CACHE
};
enum titled { UNTITLED, TITLE_MODULE, TITLE_TYPE, TITLE_FUNCTION, TITLE_CODE, TITLE_FRAME, TITLE_GENERATOR, TITLE_METHOD, TITLE_BUILTIN, TITLE_CELL };

typedef struct {
    int32_t offset;
    uint32_t label;
} named_field_t;

typedef struct {
    uint8_t shape, title;
    uint16_t count;
    uint32_t rest; /* the label of what has no name of its own, or 0 */
    uint32_t *attributes; /* the labels of its keys that all its objects share, as far as they are known: what
                             has a place among these keeps it as long as the type lives */
    named_field_t fields[];
} recipe_t;

#define SHARED_MOST 64 /* keys of one type that are kept so */

extern recipe_t **recipes; /* by type number */
extern size_t recipes_room;
recipe_t *recipe_new(PyTypeObject *t, uint32_t number);

/* NULL: there is no memory, or the type has no number. */
static inline recipe_t *recipe_of(PyTypeObject *t)
{
    uint32_t number = type_number(t);
    return LIKELY(number < recipes_room && recipes[number] != NULL) ? recipes[number] : recipe_new(t, number);
}

/* names.c */
void names_begin(enum read_reason reason);
void names_note(PyObject *op);           /* first of all: what knows how others are called */
void names_read(PyObject *op, const entry_t *e);
void names_frame(const frame_t *f);      /* one that runs */
void names_end(void);
void names_heap_read(void);              /* all that lives has been read: what was not has died */

/* readings.c */
void readings_garbage(PyGC_Head *aside);
int readings_wanted(PyObject *mark);
void readings_mark(void);
void readings_end(void);

#endif
