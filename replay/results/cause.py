"""Why a replay under the recorded settings differs: of which types, and what the recording knows
that may be the cause."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import SEGMENT_EVENTS, GcCall, Op
from gcreplay.store.log import EventLog

I64 = npt.NDArray[np.int64]
SHOWN = 5
_SAVEALL = 32
_NAMES_A = [op for op in Op if op not in (Op.START, Op.KEPT, Op.GC_CALL, Op.INSIDE, Op.SAFEPOINT)]
_NAMES_A = [op for op in _NAMES_A if op not in (Op.MARK, Op.TICK)]
_NAMES_B = (Op.LINK, Op.UNLINK, Op.WEAKREF)
_UNUSUAL = {
    "own_blocks": "{type} has a tp_free of its own, so nobody sees its objects die ({n:,} objects)",
    "outlived": "{n:,} objects of {type} were alive after a collection that counted them as"
    " collected: their tp_dealloc saves them, or no tp_clear takes them apart",
    "private_free_list": "{type} keeps dead objects in a list of its own ({n:,} were seen there)",
}


@dataclass(frozen=True, slots=True)
class TypeNumbers:
    """Objects of one type at the first collection that differs, as far as the log knows.

    freed: by the replay. used_later: those of them that a later event names, so they were alive in
    the recorded run. never_named: born since such a collection last ran, alive in the replay and
    named by no later event, so the interpreter may have freed them there.
    """

    type: str
    freed: int
    used_later: int
    never_named: int


def type_numbers(
    log: EventLog, deaths: I64, since: int, at: int, behind: int
) -> tuple[TypeNumbers, ...]:
    """What a replay with those `deaths` did in the collection at event `at`, whose regions end
    before `behind`; the one before of such a generation was at `since`. The types with most objects
    in question first."""
    lives = _Lives.of(log)
    freed = deaths == at
    used = freed & (lives.last >= behind)
    young = (lives.birth > max(since, lives.start)) & (lives.birth < at)
    unnamed = young & (deaths > at) & (lives.last < behind)
    kinds = len(log.types)
    counts = [np.bincount(lives.type[of], minlength=kinds) for of in (freed, used, unnamed)]
    asked = counts[1] + counts[2] if used.any() or unnamed.any() else counts[0]
    order = sorted(np.flatnonzero(sum(counts)), key=lambda i: (-asked[i], -counts[0][i], i))
    return tuple(
        TypeNumbers(log.types[i].qualified, *(int(count[i]) for count in counts))
        for i in order[:SHOWN]
    )


@dataclass(frozen=True, slots=True)
class _Lives:
    """Of each object the events of its birth and of its last mention, and its type; the START."""

    birth: I64
    last: I64
    type: I64
    start: int

    @classmethod
    def of(cls, log: EventLog) -> _Lives:
        birth, last, kind = (np.zeros(log.object_count, np.int64) for _ in range(3))
        type_of, start = np.array([shape.type for shape in log.shapes] or [0]), 0
        for events in log.segments():
            op, a, b, _ = events.columns()
            sequence = np.arange(len(op)) + events.first_sequence
            born = op == Op.ALLOC
            birth[a[born]] = sequence[born]
            kind[a[born]] = type_of[b[born]]
            for names, operand in ((_NAMES_A, a), (_NAMES_B, b)):
                named = np.isin(op, names)
                last[operand[named]] = sequence[named]  # of the same object the last stands
            for i in np.flatnonzero(op == Op.START):
                start = events.first_sequence + int(i)
        return cls(birth, last, kind, start)


def end_of_regions(log: EventLog, at: int) -> int:
    """The first event behind the collection at event `at` and what the program did inside it."""
    end, depth = at + 1, 0
    for first in range(at + 1, log.event_count, SEGMENT_EVENTS):
        op, _, b, _ = log.window(first, min(first + SEGMENT_EVENTS, log.event_count)).columns()
        for i in range(len(op)):
            if op[i] == Op.INSIDE:
                depth += 1 if b[i] else -1
                end = first + i + 1
            elif depth == 0 and op[i] != Op.TICK:
                return end
    return end


def causes(log: EventLog, at: int, what: tuple[str, ...]) -> tuple[str, ...]:
    """What may have made the collection at event `at` another one, the likeliest first."""
    return tuple(_causes(log, at, what)) or ("nothing in the recording tells why",)


def _causes(log: EventLog, at: int, what: tuple[str, ...]) -> Iterator[str]:
    repairs = log.meta.get("repairs")
    mended = repairs if isinstance(repairs, Mapping) else {}
    if not log.meta.get("complete", True):
        yield "the recording was cut, and how its end went is not in it"
    if missed := mended.get("missed_collection"):
        yield f"{missed:,} collections ran where the recording did not see them"
    if _saved_all(log, at):
        yield "gc.DEBUG_SAVEALL was on: what was collected stayed alive in gc.garbage"
    yield from _unusual(log.meta.get("unusual_types"))
    if inside := _inside(log, end_of_regions(log, at)):
        yield f"finalizers or callbacks ran in collections, in this or before ({inside:,} events)"
    if any(each.qualified == "threading.Thread" for each in log.types):
        yield "the program has threads, which may act while a collection ends"
    if "position" in what and (unknown := mended.get("unknown_free")):
        yield f"{unknown:,} objects died whose birth was not seen"


def _unusual(known: Any) -> Iterator[str]:
    """Sentences about types that do what the interpreter's own do not."""
    if not isinstance(known, Mapping):
        return
    named: set[str] = set()
    for kind, sentence in _UNUSUAL.items():
        types: Mapping[str, int] = known.get(kind, {})
        for name, n in sorted(types.items(), key=lambda each: (-each[1], each[0])):
            if name not in named:
                named.add(name)
                yield sentence.format(type=name, n=n)


def _saved_all(log: EventLog, at: int) -> bool:
    """Whether gc.DEBUG_SAVEALL was ever on before event `at`."""
    for events in log.segments() if log.op_counts[Op.GC_CALL] else ():
        op, a, b, _ = events.columns()
        for i in np.flatnonzero((op == Op.GC_CALL) & (a == GcCall.SET_DEBUG)):
            flags = int(json.loads(log.arguments[int(b[i])])[0])
            if flags & _SAVEALL and events.first_sequence + int(i) < at:
                return True
    return False


def _inside(log: EventLog, end: int) -> int:
    """How many events before `end` stand in regions of finalizers and callbacks."""
    inside, opened = 0, 0
    for events in log.segments() if log.op_counts[Op.INSIDE] else ():
        op, _, begins, _ = events.columns()
        for i in np.flatnonzero(op == Op.INSIDE):
            sequence = events.first_sequence + int(i)
            if sequence >= end:
                return inside
            if begins[i]:
                opened = sequence
            else:
                inside += sequence - opened - 1
    return inside
