"""What an event log consists of: operations, flags and the values they refer to.

Logical time is the sequence number of an event: its index in the log, from 0. Objects are
numbered from 0 in the order of their alloc events. Events say what the program did, never what
a collector did, so one log serves every policy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from . import values

U8: TypeAlias = npt.NDArray[np.uint8]
U32: TypeAlias = npt.NDArray[np.uint32]
U64: TypeAlias = npt.NDArray[np.uint64]
I64: TypeAlias = npt.NDArray[np.int64]

Counts: TypeAlias = tuple[int, ...]

NO_OBJECT = 0xFFFFFFFF
UNKNOWN_LABEL = 0
OPAQUE_LABEL = 1
UNKNOWN_SITE = 0
REPAIR_LABELS = {
    "stale_link": "(stale link)",
    "late_decref": "(late decref)",
    "hold": "(hold)",
    "opaque": "(opaque)",
}
"""By kind of repair: the label of the INCREF, DECREF and UNLINK events that are such repairs."""
UNFREEABLE = 4
"""In place of a generation, operand `b` of a TRACK event."""
SEGMENT_EVENTS = 131072
TUPLE_LISTS = 20


class Op(IntEnum):
    """The kinds of events, with the codes of the `op` column."""

    START = 0
    ALLOC = 1
    INCREF = 2
    DECREF = 3
    LINK = 4
    UNLINK = 5
    KEPT = 6
    RESIZE = 7
    TRACK = 8
    UNTRACK = 9
    GC_CALL = 10
    INSIDE = 11
    SAFEPOINT = 12
    MARK = 13
    TICK = 14
    WEAKREF = 15


class GcCall(IntEnum):
    """Operand `a` of a GC_CALL event."""

    COLLECT = 0
    ENABLE = 1
    DISABLE = 2
    FREEZE = 3
    UNFREEZE = 4
    SET_THRESHOLD = 5
    SET_DEBUG = 6


class WeakUse(IntEnum):
    """Operand `c` of a WEAKREF event: what the weak reference is made with, or used for."""

    PLAIN = 0
    CALLBACK = 1
    HIT = 2
    MISS = 3


class Flag(IntFlag):
    """How an object of a shape is born."""

    GC = 1
    COUNTED = 2
    TRACKED = 4
    IMMORTAL = 8
    BYPASS = 16
    BARRED = 32


FLAG_MEANING = {
    Flag.GC: "a container: it has a GC header and can be tracked",
    Flag.COUNTED: "the birth moved the young counter; without it a container came from a free list",
    Flag.TRACKED: "tracked as soon as born: stands at the end of the young list, "
    "after a collection triggered by this very alloc",
    Flag.IMMORTAL: "never dies, whatever its reference count",
    Flag.BYPASS: "malloc'ed although its free list could have served; so are calls of the type",
    Flag.BARRED: "born while an exception was set: a collection that it would trigger waits for "
    "the next birth",
}

KINDS = (
    "other",
    "list",
    "dict",
    "tuple",
    "slice",
    "context",
    "weakref",
    "type",
    "async_gen_asend",
    "async_gen_value",
)
"""Kinds of types that collectors treat apart; only exact types of that name, not subclasses."""


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """A run of consecutive decoded events as four columns of equal length.

    `op` is uint8 (see `Op`), `a`, `b`, `c` are uint32 operands whose meaning depends on the op.
    `first_sequence` numbers the first event, `first_object` is the id that its first ALLOC gets.
    """

    op: U8
    a: U32
    b: U32
    c: U32
    first_sequence: int = 0
    first_object: int = 0

    def __len__(self) -> int:
        return len(self.op)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Events):
            return NotImplemented
        return (
            self.first_sequence == other.first_sequence
            and self.first_object == other.first_object
            and np.array_equal(self.op, other.op)
            and np.array_equal(self.a, other.a)
            and np.array_equal(self.b, other.b)
            and np.array_equal(self.c, other.c)
        )

    def columns(self) -> tuple[U8, U32, U32, U32]:
        """The columns (op, a, b, c)."""
        return self.op, self.a, self.b, self.c

    def part(self, start: int, stop: int) -> Events:
        """The events at positions `start` up to `stop` of this run, sharing its memory."""
        born = int(np.count_nonzero(self.op[:start] == np.uint8(Op.ALLOC)))
        return Events(
            self.op[start:stop],
            self.a[start:stop],
            self.b[start:stop],
            self.c[start:stop],
            self.first_sequence + start,
            self.first_object + born,
        )


def positions(op: U8, *which: Op) -> npt.NDArray[np.intp]:
    """Where in a column of ops these stand; compared as bytes, as an IntEnum would make numpy widen
    the whole column, which takes fifty times as long."""
    found = op == np.uint8(which[0])
    for other in which[1:]:
        found |= op == np.uint8(other)
    return np.flatnonzero(found)


def resizes(events: Events) -> tuple[U64, U32, I64]:
    """What RESIZE events say: sequence number (uint64), object (uint32), and its own bytes
    from then on beside its block of birth (int64)."""
    at = positions(events.op, Op.RESIZE)
    low, high = events.b[at].astype(np.uint64), events.c[at].astype(np.uint64)
    sequence = at.astype(np.uint64) + np.uint64(events.first_sequence)
    return sequence, events.a[at], (low | high << np.uint64(32)).view(np.int64)


def joined(parts: Sequence[Events], start: int) -> Events:
    """Consecutive runs as one; without any, an empty one at that sequence number."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        none = np.empty(0, np.uint32)
        return Events(np.empty(0, np.uint8), none, none, none, start, 0)
    return Events(
        np.concatenate([part.op for part in parts]),
        np.concatenate([part.a for part in parts]),
        np.concatenate([part.b for part in parts]),
        np.concatenate([part.c for part in parts]),
        parts[0].first_sequence,
        parts[0].first_object,
    )


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A type. `finalizer`: 0 none, 1 tp_finalize or __del__, 2 legacy tp_del. `kind`: see KINDS."""

    id: int
    module: str
    name: str
    kind: str = "other"
    finalizer: int = 0

    @property
    def qualified(self) -> str:
        """The name as people write it: `dict`, `mymodule.Node`."""
        return self.name if self.module in ("builtins", "") else f"{self.module}.{self.name}"


@dataclass(frozen=True, slots=True)
class Site:
    """Where an object was allocated. Id 0 is the unknown site.

    `near`: 1 where the birth was noticed late: the place is near the true one.
    """

    id: int
    file: str
    line: int
    function: str
    near: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """What all allocations of one kind share: type id, bytes including GC header, flags."""

    id: int
    type: int
    size: int
    flags: Flag


@dataclass(frozen=True, slots=True)
class FreeLists:
    """How many objects wait in the interpreter's free lists. `tuple[i]`: tuples of length i+1."""

    list: int = 0
    dict: int = 0
    slice: int = 0
    context: int = 0
    async_gen_asend: int = 0
    async_gen_value: int = 0
    tuple: Counts = (0,) * TUPLE_LISTS


@dataclass(frozen=True, slots=True)
class StartState:
    """The collector's state when recording began (argument of the START event)."""

    count: tuple[int, int, int] = (0, 0, 0)
    threshold: tuple[int, int, int] = (700, 10, 10)
    enabled: bool = True
    long_lived_total: int = 0
    long_lived_pending: int = 0
    free_lists: FreeLists = FreeLists()

    def to_json(self) -> str:
        """The canonical JSON text that the log's `arguments` table holds."""
        lists = {name: getattr(self.free_lists, name) for name in FreeLists.__slots__}
        return json.dumps(
            {
                "count": self.count,
                "threshold": self.threshold,
                "enabled": self.enabled,
                "long_lived_total": self.long_lived_total,
                "long_lived_pending": self.long_lived_pending,
                "free_lists": lists,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> StartState:
        """Parse `to_json`'s text; keys that are absent keep their defaults.

        Raises ValueError when the text is not such a state.
        """
        return cls.from_value(values.from_json(text))

    @classmethod
    def from_value(cls, value: object) -> StartState:
        """The same of the JSON value."""
        given = values.mapping("the state", value, cls.__slots__)
        return cls(**{name: _STATE[name](name, each) for name, each in given.items()})  # type: ignore[arg-type]


def _free_lists(name: str, value: object) -> FreeLists:
    given = values.mapping(name, value, FreeLists.__slots__)
    sizes = values.wholes("tuple", given.pop("tuple", ()))
    if len(sizes) > TUPLE_LISTS:
        raise ValueError(f"tuple must be a list of up to {TUPLE_LISTS} numbers, not {len(sizes)}")
    waiting = {each: values.whole(each, n) for each, n in given.items()}
    return FreeLists(**waiting, tuple=sizes + (0,) * (TUPLE_LISTS - len(sizes)))


def _counts(name: str, value: object) -> Counts:
    return values.wholes(name, value, 3, 0, values.I32_MOST)


def _thresholds(name: str, value: object) -> Counts:
    return values.wholes(name, value, 3, values.I32_LEAST, values.I32_MOST)


def _survivors(name: str, value: object) -> int:
    return values.whole(name, value, 0, values.I64_MOST)


_STATE: dict[str, Callable[[str, object], object]] = {
    "count": _counts,
    "threshold": _thresholds,
    "enabled": values.switch,
    "long_lived_total": _survivors,
    "long_lived_pending": _survivors,
    "free_lists": _free_lists,
}
"""How each part of the state at START is read: numbers as the interpreter's C types hold them."""


def call_arguments(call: GcCall, value: object) -> tuple[int, ...]:
    """The arguments of a GC_CALL; raises ValueError when the call does not take such."""
    match call:
        case GcCall.COLLECT:
            return values.wholes("arguments", value, 1, 0, 2)
        case GcCall.SET_THRESHOLD:
            return _thresholds("arguments", value)
        case GcCall.SET_DEBUG:
            return values.wholes("arguments", value, 1, values.I32_LEAST, values.I32_MOST)
        case _:
            return values.wholes("arguments", value, 0)


@dataclass(frozen=True, slots=True)
class ObservedCollection:
    """A collection that the recorded interpreter really made.

    `sequence`: it ran before this event was complete; `allocation`: id of the triggering object,
    or the next object id for calls; `cause`: "threshold" or "call"; the long_lived values are
    those after it.
    """

    sequence: int
    allocation: int
    cause: str
    generation: int
    candidates: int
    collected: int
    uncollectable: int
    long_lived_total: int
    long_lived_pending: int
    duration_ns: int

    @classmethod
    def from_value(cls, value: object) -> ObservedCollection:
        """The collection that a JSON object says; raises ValueError."""
        given = values.mapping("a collection", value, cls.__slots__)
        if missing := set(cls.__slots__) - set(given):
            raise ValueError(f"a collection needs a value of {min(missing)}")
        cause = values.one_of("cause", given.pop("cause"), ("threshold", "call"))
        values.whole("generation", given["generation"], 0, 2)
        numbers = {name: values.whole(name, n, 0, values.I64_MOST) for name, n in given.items()}
        return cls(cause=cause, **numbers)


@dataclass(frozen=True, slots=True)
class Segment:
    """The header of one stored segment; `counts[op]` events of each op, indexed by `Op`."""

    id: int
    first_sequence: int
    events: int
    first_object: int
    counts: tuple[int, ...]

    @property
    def stop_sequence(self) -> int:
        return self.first_sequence + self.events

    @property
    def objects(self) -> int:
        """Number of objects allocated in this segment."""
        return self.counts[Op.ALLOC]


@dataclass(frozen=True, slots=True)
class Run:
    """A stored replay result: a projection of the log, identified by its hash."""

    id: int
    policy: str
    options: dict[str, object]
    result: dict[str, object]
    result_hash: str


def signed64(low: int, high: int) -> int:
    """The signed number whose two's complement is these 32-bit halves."""
    value = low | high << 32
    return value - (1 << 64) if value >> 63 else value
