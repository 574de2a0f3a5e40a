/* The instructions of CPython 3.11, as far as it matters what they may take from a free list. */
#ifndef GCREPLAY_BYTECODE_H
#define GCREPLAY_BYTECODE_H

#include "layout.h"

#include "format.h"

/* Both tables are this module's own copies: the interpreter does not export its. */
#define NEED_OPCODE_TABLES 1
#include "internal/pycore_opcode.h"

typedef struct {
    int op;      /* as it runs, perhaps specialised */
    int plain;   /* as it was compiled */
    int oparg;
    int at;      /* itself, in code units; a node of the code begins at its EXTENDED_ARG */
    int next;    /* what is behind it and its caches */
    int targets[2], n; /* where it goes on in its frame */
} instruction_t;

static inline int code_units(const PyCodeObject *code) { return (int)Py_SIZE(code); }

/* Whether nothing tells if the unit before is an EXTENDED_ARG or a cache that looks like one. */
static inline int code_prefixed(const PyCodeObject *code, int at)
{
    int before = at > 0 ? _Py_OPCODE(_PyCode_CODE(code)[at - 1]) : 0;
    return before == EXTENDED_ARG || before == EXTENDED_ARG_QUICK;
}

/* A specialised PRECALL of what is written in C makes the call, and CALL is passed by. */
static inline int calls_c_at_once(int op)
{
    switch (op) {
    case PRECALL_BUILTIN_CLASS:
    case PRECALL_BUILTIN_FAST_WITH_KEYWORDS:
    case PRECALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS:
    case PRECALL_NO_KW_BUILTIN_FAST:
    case PRECALL_NO_KW_BUILTIN_O:
    case PRECALL_NO_KW_ISINSTANCE:
    case PRECALL_NO_KW_LEN:
    case PRECALL_NO_KW_LIST_APPEND:
    case PRECALL_NO_KW_METHOD_DESCRIPTOR_FAST:
    case PRECALL_NO_KW_METHOD_DESCRIPTOR_NOARGS:
    case PRECALL_NO_KW_METHOD_DESCRIPTOR_O:
    case PRECALL_NO_KW_STR_1:
    case PRECALL_NO_KW_TUPLE_1:
    case PRECALL_NO_KW_TYPE_1:
        return 1;
    default:
        return 0;
    }
}

/* 0 where there is none. */
static inline int code_instruction(const PyCodeObject *code, int at, instruction_t *i)
{
    const _Py_CODEUNIT *units = _PyCode_CODE(code);
    int end = code_units(code);
    i->oparg = 0;
    for (;; at++) {
        if (at < 0 || at >= end) {
            return 0;
        }
        i->op = _Py_OPCODE(units[at]);
        i->plain = _PyOpcode_Deopt[i->op];
        i->oparg |= _Py_OPARG(units[at]);
        if (i->plain != EXTENDED_ARG) {
            break;
        }
        i->oparg <<= 8;
    }
    i->at = at;
    i->next = at + 1 + _PyOpcode_Caches[i->plain];
    i->targets[0] = i->next;
    i->n = 1;
    switch (i->plain) {
    case RETURN_VALUE:
    case RAISE_VARARGS:
    case RERAISE:
    case YIELD_VALUE: /* others run before it goes on */
        i->n = 0;
        break;
    case JUMP_FORWARD:
        i->targets[0] = i->next + i->oparg;
        break;
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
        i->targets[0] = i->next - i->oparg;
        break;
    case PRECALL:
        if (calls_c_at_once(i->op)) {
            i->targets[0] = i->next + 1 + _PyOpcode_Caches[CALL];
        }
        break;
    case POP_JUMP_BACKWARD_IF_FALSE:
    case POP_JUMP_BACKWARD_IF_TRUE:
    case POP_JUMP_BACKWARD_IF_NONE:
    case POP_JUMP_BACKWARD_IF_NOT_NONE:
        i->targets[i->n++] = i->next - i->oparg;
        break;
    case POP_JUMP_FORWARD_IF_FALSE:
    case POP_JUMP_FORWARD_IF_TRUE:
    case POP_JUMP_FORWARD_IF_NONE:
    case POP_JUMP_FORWARD_IF_NOT_NONE:
    case JUMP_IF_FALSE_OR_POP:
    case JUMP_IF_TRUE_OR_POP:
    case FOR_ITER:
    case SEND:
    case END_ASYNC_FOR:
        i->targets[i->n++] = i->next + i->oparg;
        break;
    }
    return 1;
}

/* What an instruction may do to the free list of a kind: take from it itself or by C code, or run
 * Python code that does.  Code that is called but returns no container leaves none behind that
 * nothing else has seen: a comparison, a length, a truth. */
enum taking { TAKES_NONE, TAKES_ONE, TAKES_SOME };

typedef struct {
    enum taking takes;
    int calls;   /* may call a function */
    int resumes; /* may go on with a generator */
} effect_t;

#define NOTHING ((effect_t){TAKES_NONE, 0, 0})

static inline effect_t effect_of_special(int op, enum type_kind kind)
{
    switch (op) {
    case CALL_PY_EXACT_ARGS:
    case CALL_PY_WITH_DEFAULTS:
    case BINARY_SUBSCR_GETITEM:
        return (effect_t){TAKES_NONE, 1, 0};
    case PRECALL_NO_KW_ISINSTANCE:
    case PRECALL_NO_KW_LEN:
    case PRECALL_NO_KW_LIST_APPEND:
    case PRECALL_NO_KW_STR_1:
    case PRECALL_NO_KW_TYPE_1:
        return NOTHING;
    case PRECALL_NO_KW_TUPLE_1:
        return (effect_t){kind == KIND_TUPLE ? TAKES_SOME : TAKES_NONE, 0, 1};
    default:
        return calls_c_at_once(op) ? (effect_t){TAKES_SOME, 1, 1} : NOTHING;
    }
}

static inline int is_adaptive(int op)
{
    switch (op) {
    case BINARY_OP_ADAPTIVE:
    case BINARY_SUBSCR_ADAPTIVE:
    case CALL_ADAPTIVE:
    case LOAD_ATTR_ADAPTIVE:
    case LOAD_METHOD_ADAPTIVE:
    case STORE_ATTR_ADAPTIVE:
    case STORE_SUBSCR_ADAPTIVE:
    case UNPACK_SEQUENCE_ADAPTIVE:
        return 1;
    default:
        return 0;
    }
}

#define TAKES_IF(condition) ((condition) ? TAKES_SOME : TAKES_NONE)

static inline effect_t effect_of(const instruction_t *i, enum type_kind kind, int length)
{
    int pair = kind == KIND_TUPLE && length == 2; /* an item of a dictionary */
    if (i->op != i->plain && !is_adaptive(i->op)) {
        return effect_of_special(i->op, kind);
    }
    switch (i->plain) {
    case BUILD_TUPLE:
        return (effect_t){kind == KIND_TUPLE && i->oparg == length ? TAKES_ONE : TAKES_NONE, 0, 0};
    case BUILD_LIST:
        return (effect_t){kind == KIND_LIST ? TAKES_ONE : TAKES_NONE, 0, 0};
    case BUILD_MAP:
    case BUILD_CONST_KEY_MAP:
        return (effect_t){kind == KIND_DICT ? TAKES_ONE : TAKES_NONE, 0, 0};
    case BUILD_SLICE:
        return (effect_t){kind == KIND_SLICE ? TAKES_ONE : TAKES_NONE, 0, 0};
    case LIST_TO_TUPLE:
    case MATCH_KEYS:
    case MATCH_CLASS:
        return (effect_t){TAKES_IF(kind == KIND_TUPLE), i->plain == MATCH_CLASS, 0};
    case SETUP_ANNOTATIONS:
        return (effect_t){TAKES_IF(kind == KIND_DICT), 0, 0};
    case STORE_ATTR:
        return (effect_t){TAKES_IF(kind == KIND_DICT), 1, 0};
    case LOAD_METHOD:
    case STORE_SUBSCR:
    case DELETE_SUBSCR:
    case DELETE_ATTR:
    case UNARY_POSITIVE:
    case UNARY_NEGATIVE:
    case UNARY_INVERT:
    case GET_ITER:
    case GET_AITER:
    case GET_AWAITABLE:
        return (effect_t){TAKES_NONE, 1, 0};
    case BINARY_OP:
    case BINARY_SUBSCR:
        return (effect_t){TAKES_IF(kind != KIND_SLICE), 1, 0};
    case LOAD_ATTR:
    case CALL:
    case CALL_FUNCTION_EX:
    case DICT_MERGE:
    case DICT_UPDATE:
    case IMPORT_NAME:
    case IMPORT_FROM:
    case IMPORT_STAR:
    case BEFORE_WITH:
    case BEFORE_ASYNC_WITH:
    case WITH_EXCEPT_START:
    case CHECK_EG_MATCH:
    case PREP_RERAISE_STAR:
    case PRINT_EXPR:
        return (effect_t){TAKES_SOME, 1, i->plain == CALL || i->plain == CALL_FUNCTION_EX};
    case FOR_ITER:
    case LIST_EXTEND:
    case SET_UPDATE:
    case UNPACK_SEQUENCE:
        return (effect_t){TAKES_IF(pair), 1, 1};
    case UNPACK_EX:
        return (effect_t){TAKES_IF(pair || kind == KIND_LIST), 1, 1};
    case GET_YIELD_FROM_ITER:
    case GET_ANEXT:
    case SEND:
    case ASYNC_GEN_WRAP:
        return (effect_t){TAKES_SOME, 1, 1};
    default:
        return NOTHING;
    }
}

#endif
