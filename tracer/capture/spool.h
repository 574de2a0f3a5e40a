/* Writing to the spool: what stands in each record tells format.h. */
#ifndef GCREPLAY_SPOOL_H
#define GCREPLAY_SPOOL_H

#include "capture.h"

extern uint8_t *spool_at;    /* where the next byte goes */
extern uint8_t *spool_limit; /* end of the mapped room */
extern uint8_t *spool_base;  /* where the stream would begin if all of it were mapped */
extern struct spool_header *spool_head;
int spool_open(const char *path, uint64_t limit, const char **why);
int spool_grow(size_t need);
void spool_detach(void);
void spool_abandon(void);             /* the same, and nothing of it stays in this process */
int spool_lost(const void *address);  /* after a bus error: whether it was the spool's; then that is over */

#define RECORD_ROOM 128u

static inline int spool_room(size_t need)
{
    return (size_t)(spool_limit - spool_at) >= need || spool_grow(need);
}

/* Writing through a pointer of one's own: the compiler must take a byte written through
 * spool_at for one of spool_at itself. */
static inline uint8_t *number_at(uint8_t *at, uint64_t v)
{
    while (v >= 128) {
        *at++ = (uint8_t)(v | 128);
        v >>= 7;
    }
    *at++ = (uint8_t)v;
    return at;
}

static inline void put_byte(unsigned v)
{
    uint8_t *at = spool_at;
    *at = (uint8_t)v;
    spool_at = at + 1;
}

static inline void put_number(uint64_t v) { spool_at = number_at(spool_at, v); }

/* The first byte of a record; inside a probe it stands behind an escape. */
static inline void put_tag(unsigned tag)
{
    if (cap.in_probe) {
        put_number(PE_ESCAPE + 1);
    }
    put_byte(tag);
}

/* The two shapes of nearly all records. */
static inline void put_record1(unsigned tag, uint64_t a)
{
    put_tag(tag);
    put_number(a);
}

static inline void put_record3(unsigned tag, uint64_t a, uint64_t b, uint64_t c)
{
    put_tag(tag);
    spool_at = number_at(number_at(number_at(spool_at, a), b), c);
}

static inline uint64_t zigzag(int64_t v) { return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63); }

static inline void spool_commit(void)
{
    __atomic_store_n(&spool_head->committed, (uint64_t)(spool_at - spool_base), __ATOMIC_RELEASE);
}

void put_bytes(const void *data, size_t n);
int put_text(const char *text);
int put_unicode(PyObject *text);

#endif
