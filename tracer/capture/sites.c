/* Allocation sites: the code object and instruction of the running frame.
 * Line numbers are resolved outside, from the line table. */
#include "capture.h"

static table_t codes; /* address of a code object -> its number */
static table_t sites; /* code number << 32 | near << 31 | byte offset + 3 -> number of the site */
static uint32_t next_code = 1, next_site = 1;

near_site_t site_near[NEAR_SITES];
uint32_t code_deaths[CODE_DEATHS];

static destructor code_dealloc;

/* What it allocated last may not be settled yet. */
static void forget_code(PyObject *op)
{
    if (cap.sample.place.code == (PyCodeObject *)op && capture_on()) {
        capture_check();
        spool_commit();
        if (cap.sample.place.code == (PyCodeObject *)op) {
            cap.sample = (sample_t){.frame = NULL};
        }
    }
    if (cap.active && table_find(&codes, (uint64_t)(uintptr_t)op) != NULL) {
        table_remove(&codes, (uint64_t)(uintptr_t)op);
        ++*deaths_of((PyCodeObject *)op);
    }
    code_dealloc(op);
}

void sites_install(void)
{
    code_dealloc = PyCode_Type.tp_dealloc;
    PyCode_Type.tp_dealloc = forget_code;
}

static uint32_t code_number(PyCodeObject *code)
{
    uint32_t *found = table_find(&codes, (uint64_t)(uintptr_t)code);
    if (found != NULL) {
        return *found;
    }
    size_t length = (size_t)PyBytes_GET_SIZE(code->co_linetable);
    if (!spool_room(RECORD_ROOM)) {
        return 0;
    }
    put_tag(R_CODE);
    put_number((uint64_t)(code->co_firstlineno < 0 ? 0 : code->co_firstlineno));
    if (!put_unicode(code->co_filename) || !put_unicode(code->co_qualname) || !spool_room(length + RECORD_ROOM)) {
        return 0;
    }
    put_number(length);
    put_bytes(PyBytes_AS_STRING(code->co_linetable), length);
    if (!table_put(&codes, (uint64_t)(uintptr_t)code, next_code)) {
        capture_stop(SPOOL_FAILED, "no memory for the table of code objects");
        return 0;
    }
    return next_code++;
}

static uint32_t site_number(PyCodeObject *code, int offset, int near)
{
    uint32_t number = code_number(code);
    uint64_t key = ((uint64_t)number << 32) | (uint32_t)near << 31 | (uint32_t)(offset + 3);
    uint32_t *found = table_find(&sites, key);
    if (found != NULL) {
        return *found;
    }
    if (number == 0 || !spool_room(RECORD_ROOM)) {
        return 0;
    }
    put_tag(R_SITE);
    put_number(number);
    put_number((uint64_t)(offset < 0 ? 0 : offset));
    put_number((uint64_t)near);
    if (!table_put(&sites, key, next_site)) {
        capture_stop(SPOOL_FAILED, "no memory for the table of sites");
        return 0;
    }
    return next_site++;
}

uint32_t site_unseen(place_t place)
{
    uint32_t site = site_number(place.code, instruction_offset(place.code, place.instruction), 0);
    *site_line(place.instruction) = (near_site_t){place.instruction, site, *deaths_of(place.code)};
    return site;
}

uint32_t site_near_to(place_t place)
{
    return site_number(place.code, instruction_offset(place.code, place.instruction), 1);
}
