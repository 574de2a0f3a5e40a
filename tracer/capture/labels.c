/* The texts of names and titles: each content has one number, which the spool tells once. */
#include "names.h"

#define LONGEST 80 /* characters of a string that are told in full */
#define SHORTENED 77
#define MOST_LABELS (1u << 20)
#define MOST_TEXT ((size_t)64 << 20) /* bytes of them that are kept */

/* Keys come without end, as those of requests do: they get half, so that names in code find room. */
enum share { ALL, HALF };

/* What has a number: its record as it was written, behind its length. */
static uint8_t *texts;
static size_t texts_used, texts_room;
static table_t by_content; /* hash of content -> place in `texts`; more of one hash stand behind it */
static uint32_t label_count;

typedef struct {
    uint32_t label, characters;
    uint8_t kind; /* bytes a character */
} text_head_t;

/* A string was asked for in this form: found by its address, which may be another string's by now, so
 * the content decides. */
#define NEAR_LABELS 4096u
static struct {
    const void *string;
    uint32_t form;
    uint32_t at; /* its text; 0 = none */
} near_labels[NEAR_LABELS];

static const struct {
    const char *before, *behind;
} forms[] = {
    [FORM_PLAIN] = {"", ""}, [FORM_ATTRIBUTE] = {".", ""}, [FORM_KEY] = {"['", "']"},
    [FORM_LOCAL] = {":", ""}, [FORM_TYPE] = {"[", "]"},
};

static inline const text_head_t *head_at(uint32_t at) { return (const text_head_t *)(texts + at); }

static uint64_t hash_of(const text_head_t *head, const uint8_t *content)
{
    uint64_t h = 0xcbf29ce484222325u ^ head->kind;
    for (size_t i = 0; i < (size_t)head->characters * head->kind; i++) {
        h = (h ^ content[i]) * 0x100000001b3u;
    }
    return h | 1;
}

/* The place of this content in `texts`; it is told to the spool when it is new.  0: there are too many. */
static uint32_t place_of(const text_head_t *head, const uint8_t *content, enum share share)
{
    size_t bytes = (size_t)head->characters * head->kind, room = (sizeof(*head) + bytes + 7) & ~(size_t)7;
    uint64_t hash = hash_of(head, content);
    uint32_t *found;
    for (; (found = table_find(&by_content, hash)) != NULL; hash += 2) {
        const text_head_t *known = head_at(*found);
        if (known->kind == head->kind && known->characters == head->characters
            && memcmp(known + 1, content, bytes) == 0) {
            return *found;
        }
    }
    texts_used = texts_used == 0 ? 8 : texts_used;
    if (label_count >= MOST_LABELS >> share || texts_used + room > MOST_TEXT >> share
        || !spool_room(bytes + RECORD_ROOM)) {
        return 0;
    }
    if (texts_used + room > texts_room && !grow((void **)&texts, &texts_room, 1)) {
        return 0;
    }
    uint32_t at = (uint32_t)texts_used;
    if (!table_put(&by_content, hash, at)) {
        capture_stop(SPOOL_FAILED, "no memory for the table of names");
        return 0;
    }
    text_head_t *to = (text_head_t *)(texts + at);
    *to = *head;
    to->label = ++label_count;
    memcpy(to + 1, content, bytes);
    texts_used += room;
    put_tag(R_LABEL);
    put_byte(head->kind);
    put_number(head->characters);
    put_bytes(content, bytes);
    return at;
}

typedef struct {
    uint32_t n, most;
    Py_UCS4 characters[LONGEST * 4 + 16];
} draft_t;

static void add(draft_t *d, Py_UCS4 c)
{
    if (d->n < sizeof(d->characters) / sizeof(*d->characters)) {
        d->characters[d->n++] = c;
        d->most |= c;
    }
}

/* What is no UTF-8 is taken byte by byte. */
static void add_utf8(draft_t *d, const char *text)
{
    while (*text != '\0') {
        unsigned char lead = (unsigned char)*text++;
        int more = lead >= 0xF0 && lead < 0xF8 ? 3 : lead >= 0xE0 ? 2 : 1, n = 0;
        Py_UCS4 c = lead & (0x3Fu >> more);
        for (; lead >= 0xC2 && lead < 0xF8 && n < more && (text[n] & 0xC0) == 0x80; n++) {
            c = c << 6 | (text[n] & 0x3F);
        }
        int whole = n == more && c <= 0x10FFFF;
        add(d, whole ? c : lead);
        text += whole ? n : 0;
    }
}

static uint32_t place_of_draft(const draft_t *d, enum share share)
{
    uint8_t content[sizeof(d->characters)];
    uint8_t kind = d->most < 256 ? 1 : d->most < 65536 ? 2 : 4;
    for (uint32_t i = 0; i < d->n; i++) {
        if (kind == 1) {
            content[i] = (uint8_t)d->characters[i];
        } else if (kind == 2) {
            ((uint16_t *)(void *)content)[i] = (uint16_t)d->characters[i];
        } else {
            ((uint32_t *)(void *)content)[i] = d->characters[i];
        }
    }
    return place_of(&(text_head_t){.characters = d->n, .kind = kind}, content, share);
}

static uint32_t label_at(uint32_t at) { return at != 0 ? head_at(at)->label : 0; }

uint32_t label_utf8(const char *text, enum label_form form)
{
    draft_t d;
    d.n = d.most = 0;
    add_utf8(&d, forms[form].before);
    add_utf8(&d, text);
    add_utf8(&d, forms[form].behind);
    return label_at(place_of_draft(&d, ALL));
}

uint32_t label_text(const char *text) { return label_utf8(text, FORM_PLAIN); }

/* Names in code may be longer than what a key's text shows. */
static Py_ssize_t shown(Py_ssize_t length, enum label_form form)
{
    if (form != FORM_KEY) {
        return length <= 4 * LONGEST ? length : 4 * LONGEST;
    }
    return length <= LONGEST ? length : SHORTENED;
}

/* Mostly these are a few bytes: a call would cost more than it compares. */
static inline int same_bytes(const uint8_t *a, const uint8_t *b, size_t n)
{
    for (; n >= 8; n -= 8, a += 8, b += 8) {
        uint64_t of_a, of_b;
        memcpy(&of_a, a, 8);
        memcpy(&of_b, b, 8);
        if (of_a != of_b) {
            return 0;
        }
    }
    uint32_t of_a, of_b;
    if (n >= 4) {
        memcpy(&of_a, a, 4);
        memcpy(&of_b, b, 4);
        if (of_a != of_b) {
            return 0;
        }
        n -= 4;
        a += 4;
        b += 4;
    }
    for (; n > 0; n--) {
        if (*a++ != *b++) {
            return 0;
        }
    }
    return 1;
}

static inline int is_text(uint32_t at, PyObject *text, size_t before, size_t around)
{
    const text_head_t *head = head_at(at);
    size_t n = (size_t)PyUnicode_GET_LENGTH(text), kind = (size_t)PyUnicode_KIND(text);
    return head->characters == n + around && head->kind == kind
           && same_bytes((const uint8_t *)(head + 1) + before * kind, PyUnicode_DATA(text), n * kind);
}

static __attribute__((noinline)) uint32_t label_new(PyObject *text, enum label_form form, size_t line)
{
    draft_t d;
    d.n = d.most = 0;
    Py_ssize_t n = shown(PyUnicode_GET_LENGTH(text), form);
    add_utf8(&d, forms[form].before);
    for (Py_ssize_t i = 0; i < n; i++) {
        add(&d, PyUnicode_READ_CHAR(text, i));
    }
    add_utf8(&d, n < PyUnicode_GET_LENGTH(text) ? "..." : "");
    add_utf8(&d, forms[form].behind);
    uint32_t at = place_of_draft(&d, form == FORM_KEY ? HALF : ALL);
    if (at == 0) {
        return form == FORM_KEY ? label_utf8("str", FORM_TYPE) : 0; /* as any other key that has no text */
    }
    near_labels[line].string = text;
    near_labels[line].form = form;
    near_labels[line].at = at;
    return label_at(at);
}

uint32_t label_string(PyObject *text, enum label_form form)
{
    static const uint8_t before[] = {[FORM_ATTRIBUTE] = 1, [FORM_KEY] = 2, [FORM_LOCAL] = 1, [FORM_TYPE] = 1};
    static const uint8_t around[] = {[FORM_ATTRIBUTE] = 1, [FORM_KEY] = 4, [FORM_LOCAL] = 1, [FORM_TYPE] = 2};
    if (text == NULL || !PyUnicode_Check(text) || !PyUnicode_IS_READY(text)) {
        return 0;
    }
    size_t line = (((uintptr_t)text >> 4) ^ ((uintptr_t)text >> 14) ^ (form << 9)) & (NEAR_LABELS - 1);
    if (near_labels[line].string == text && near_labels[line].form == form && near_labels[line].at != 0
        && is_text(near_labels[line].at, text, before[form], around[form])) {
        return head_at(near_labels[line].at)->label;
    }
    return label_new(text, form, line);
}

/* A type as a person calls it, without its module. */
uint32_t label_key(PyObject *key)
{
    if (PyUnicode_Check(key)) {
        return label_string(key, FORM_KEY);
    }
    PyTypeObject *t = Py_TYPE(key);
    if (t->tp_flags & Py_TPFLAGS_HEAPTYPE) {
        return label_string(((PyHeapTypeObject *)t)->ht_name, FORM_TYPE);
    }
    const char *dot = strrchr(t->tp_name, '.');
    return label_utf8(dot != NULL ? dot + 1 : t->tp_name, FORM_TYPE);
}
