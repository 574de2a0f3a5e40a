"""One event in words."""

from __future__ import annotations

from .events import NO_OBJECT, GcCall, Op, signed64


def describe(op: int, a: int, b: int, c: int) -> str:
    """The event as messages name it: `LINK 3 -> 4`, `DECREF 7 by 2`."""
    try:
        kind = Op(op)
    except ValueError:
        return f"op {op}"
    match kind:
        case Op.LINK | Op.UNLINK | Op.WEAKREF:
            rest = f" {a} -> {b}" + (f" label {c}" if c and kind != Op.WEAKREF else "")
        case Op.INCREF | Op.DECREF:
            rest = f" {a} by {b}" + (f" label {c}" if c else "")
        case Op.ALLOC:
            rest = f" {a} of shape {b}"
        case Op.RESIZE:
            rest = f" {a} by {signed64(b, c)} bytes"
        case Op.TRACK:
            rest = f" {a} in generation {b}"
        case Op.GC_CALL:
            rest = f" {GcCall(a).name.lower()}" if a < len(GcCall) else f" {a}"
        case Op.INSIDE:
            rest = f" {'no object' if a == NO_OBJECT else a} {'end' if b == 0 else 'begin'}"
        case Op.TICK:
            rest = f" at {a | b << 32} ns"
        case Op.START | Op.SAFEPOINT:
            rest = ""
        case _:
            rest = f" {a}"
    return kind.name + rest
