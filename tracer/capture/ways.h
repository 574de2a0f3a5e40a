/* Ways through the code of one frame, and what the instructions on them take from free lists. */
#ifndef GCREPLAY_WAYS_H
#define GCREPLAY_WAYS_H

#include "layout.h"

#include "format.h"

#define ENTRY (-1) /* in place of an instruction: before the first of a call */
#define EXIT (-2)  /* where the frame is left, not by an exception */

typedef struct {
    const PyCodeObject *code;
    int from, to; /* in code units */
    int again;    /* both may be passed more than once */
} stretch_t;

#define TAKERS_MOST 8

/* The instructions that may have taken objects from the list of one kind: those that surely took one
 * each, in order, and one of the others with its place among them. */
typedef struct {
    int once[TAKERS_MOST], surely;
    int other, others, place;
    int calls, resumes; /* other code may have run, and have taken some */
} takers_t;

/* 0 where there is no such way, or no telling. */
int takers_on(const stretch_t *stretch, enum type_kind kind, int length, takers_t *found);
int takers_on_one_line(const PyCodeObject *code, const takers_t *found); /* of the last call */

#endif
