"""Logs written by hand, event by event.

b = TraceBuilder()
x = b.alloc("list", size=56)      # count 1, held by running code
b.link(x, x)                      # a list that holds itself
b.decref(x)                       # `del x`: a cycle, garbage from here on
log = b.build()
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from . import facts, values
from .events import (
    KINDS,
    NO_OBJECT,
    Flag,
    FreeLists,
    GcCall,
    Op,
    StartState,
    WeakUse,
    call_arguments,
)
from .log import EventLog
from .readings import INDEX, POSITION, Gathered, Reason
from .rules.validate import validate
from .tables.names import Names, Row

_HEADER = 16
_LOW = 0xFFFFFFFF
_BUILTIN = {
    "list": ("list", 56),
    "dict": ("dict", 64),
    "tuple": ("tuple", 48),
    "slice": ("slice", 56),
    "Context": ("context", 72),
    "async_generator_asend": ("async_gen_asend", 56),
    "async_generator_wrapped_value": ("async_gen_value", 40),
    "weakref": ("weakref", 88),
    "type": ("type", 1064),
    "int": ("other", 28),
    "str": ("other", 50),
}
GC_CALLS = tuple(call.name.lower() for call in GcCall)
MOST_TIMES = 1_000_000
"""As often as a link is made or undone at once: each time is an event."""
_FIRST: dict[int, str] = {Op.LINK: "source", Op.UNLINK: "source", Op.WEAKREF: "reference"}
_SECOND: dict[int, str] = {
    **dict.fromkeys((Op.LINK, Op.UNLINK, Op.WEAKREF), "target"),
    **dict.fromkeys((Op.INCREF, Op.DECREF), "n"),
    Op.TRACK: "generation",
}
_LEAVES = ("int", "float", "str", "bytes", "bool")


class TraceBuilder:
    """Collects events in memory; `build` makes a valid log of them.

    Every method appends events and returns what it made. Objects are their ids. A value that no
    event can have raises ValueError at once; the rules are checked by `build`.
    """

    def __init__(self, /, **meta: object) -> None:
        facts.checked(meta)
        self._names = Names()
        self._arguments: dict[str, int] = {}
        self._columns = (array("B"), array("I"), array("I"), array("I"))
        self._objects = 0
        self._meta = meta
        self._readings = Gathered()

    @property
    def objects(self) -> range:
        """The ids of the objects so far."""
        return range(self._objects)

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables that `take_names` takes."""
        return tuple(table.table.name for table in self._names.tables)

    def __len__(self) -> int:
        """Number of events so far; also the sequence number of the next one."""
        return len(self._columns[0])

    def alloc(
        self,
        type: str = "object",
        *,
        size: int | None = None,
        module: str = "builtins",
        kind: str | None = None,
        finalizer: int = 0,
        site: tuple[str, int, str] | tuple[str, int, str, int] | None = None,
        flags: Flag | None = None,
    ) -> int:
        """An object with reference count 1, held by running code; returns its id.

        `size` is in bytes with the GC header. By default a container is GC | COUNTED |
        TRACKED, except that dicts are born untracked; int, float, str, bytes and bool are
        leaves. `kind` and `size` default to those of the built-in type of that name.
        """
        module, type = values.text("module", module), values.text("type", type)
        known = _BUILTIN.get(type) if module == "builtins" else None
        if kind is None:
            kind = known[0] if known else "other"
        if size is None:
            size = known[1] if known else 32 + _HEADER
        if flags is None:
            leaf = module == "builtins" and type in _LEAVES
            flags = Flag(0) if leaf else Flag.GC | Flag.COUNTED
            flags |= Flag(0) if leaf or kind == "dict" else Flag.TRACKED
        row = (
            module,
            type,
            values.one_of("kind", kind, KINDS),
            values.whole("finalizer", finalizer, 0, 2),
        )
        size = values.whole("size", size, 0, values.MOST_BYTES)
        bits = values.whole("flags", flags, 0, sum(Flag))
        where = self._names.sites.intern(_site(site)) if site else 0
        shape = self._names.shapes.intern((self._names.types.intern(row), size, bits))
        self.event(Op.ALLOC, self._objects, shape, where)
        self._objects += 1
        return self._objects - 1

    def incref(self, object: int, n: int = 1, label: str | None = None) -> None:
        """Running code takes `n` references."""
        self.event(Op.INCREF, object, n, self._label(label))

    def decref(self, object: int, n: int = 1, label: str | None = None) -> None:
        """Running code drops `n` of the references it holds; at 0 the object dies."""
        self.event(Op.DECREF, object, n, self._label(label))

    def link(self, source: int, target: int, n: int = 1, label: str | None = None) -> None:
        """`source` takes `n` references to `target`: `n` events."""
        said = self._label(label)
        for _ in range(values.whole("n", n, 1, MOST_TIMES)):
            self.event(Op.LINK, source, target, said)

    def unlink(self, source: int, target: int, n: int = 1, label: str | None = None) -> None:
        """`source` drops `n` references to `target`: `n` events."""
        said = self._label(label)
        for _ in range(values.whole("n", n, 1, MOST_TIMES)):
            self.event(Op.UNLINK, source, target, said)

    def kept(self, object: int) -> None:
        """The storage of the object that just died went to a free list."""
        self.event(Op.KEPT, object)

    def resize(self, object: int, bytes: int) -> None:
        """The object has so many bytes more (fewer) than the block it was born with."""
        bytes = values.whole("bytes", bytes, -values.MOST_BYTES, values.MOST_BYTES)
        self.event(Op.RESIZE, object, bytes & _LOW, bytes >> 32 & _LOW)

    def track(self, object: int, generation: int = 0) -> None:
        """The collector starts to see the object."""
        self.event(Op.TRACK, object, generation)

    def untrack(self, object: int) -> None:
        """The collector stops seeing the object."""
        self.event(Op.UNTRACK, object)

    def gc_call(
        self,
        call: str,
        *arguments: int,
        from_c: bool = False,
        site: tuple[str, int, str] | tuple[str, int, str, int] | None = None,
    ) -> None:
        """The program calls `gc.<call>`: collect, enable, disable, freeze, unfreeze,
        set_threshold (always three numbers) or set_debug. `site`: of the calling Python code, as
        in `alloc`."""
        code = GcCall[values.one_of("call", call, GC_CALLS).upper()]
        if code == GcCall.COLLECT and not arguments:
            arguments = (2,)
        taken = json.dumps(call_arguments(code, arguments))
        via = int(values.switch("from_c", from_c))
        if site is not None:
            if from_c:
                raise ValueError("a call from C has no site")
            where = self._names.sites.intern(_site(site))
            via = 1 + where if where else 0
        self.event(Op.GC_CALL, code, self._argument(taken), via)

    def begin_inside(self, object: int | None = None) -> None:
        """A finalizer or weakref callback of `object` begins, during a recorded collection."""
        self.event(Op.INSIDE, NO_OBJECT if object is None else object, 1)

    def end_inside(self, object: int | None = None) -> None:
        """It ends."""
        self.event(Op.INSIDE, NO_OBJECT if object is None else object, 0)

    @contextmanager
    def inside(self, object: int | None = None) -> Iterator[None]:
        """The events of the block stand in a finalizer or weakref callback of `object`."""
        self.begin_inside(object)
        yield
        self.end_inside(object)

    def safepoint(self) -> None:
        """A deferred collector may run here."""
        self.event(Op.SAFEPOINT)

    def mark(self, label: str) -> None:
        """The program's own boundary."""
        self.event(Op.MARK, self._label(label))

    def tick(self, nanoseconds: int) -> None:
        """Program time at this point."""
        nanoseconds = values.whole("nanoseconds", nanoseconds, 0, 2**64 - 1)
        self.event(Op.TICK, nanoseconds & _LOW, nanoseconds >> 32)

    def weakref(self, reference: int, target: int, *, callback: bool = False) -> None:
        """The weak reference object `reference` refers to `target`."""
        self.event(Op.WEAKREF, reference, target, int(values.switch("callback", callback)))

    def weakref_used(self, reference: int, target: int, *, hit: bool) -> None:
        """The program asks the weak reference and gets its target, or None where that is dead."""
        self.event(Op.WEAKREF, reference, target, WeakUse.HIT if hit else WeakUse.MISS)

    def start(
        self,
        *,
        count: tuple[int, int, int] = (0, 0, 0),
        threshold: tuple[int, int, int] = (700, 10, 10),
        enabled: bool = True,
        long_lived_total: int = 0,
        long_lived_pending: int = 0,
        free_lists: FreeLists | None = None,
    ) -> None:
        """Recording begins; what stands before is the found heap."""
        state = StartState(
            count,
            threshold,
            enabled,
            long_lived_total,
            long_lived_pending,
            free_lists or FreeLists(),
        )
        self.start_with(state.to_json())

    def start_with(self, state: str) -> None:
        """As `start`, with the state as JSON text."""
        StartState.from_json(state)
        self.event(Op.START, self._argument(state))

    def read(
        self,
        object: int | None,
        links: Iterable[tuple[int, str | int | None]],
        title: str = "",
        reason: Reason = Reason.GARBAGE,
    ) -> None:
        """What the object holds here: targets, each with its name such as ".order", an index such
        as 3, `POSITION` and a position, or None: its position among these. No event. Object None:
        what a frame that runs holds."""
        most = self._objects - 1
        named = [
            (values.whole("a target", target, 0, most), self._name(name, place))
            for place, (target, name) in enumerate(links)
        ]
        holder = NO_OBJECT if object is None else values.whole("object", object, 0, most)
        self._readings.add(len(self), holder, Reason(reason), self._label(title), named)

    def event(self, op: int, a: int = 0, b: int = 0, c: int = 0) -> None:
        """Any event by its operands; also one that breaks the rules."""
        operands = (
            values.whole("op", op, 0, 255),
            values.whole(_FIRST.get(op, "object"), a),
            values.whole(_SECOND.get(op, "an operand"), b),
            values.whole("an operand", c),
        )
        for column, value in zip(self._columns, operands, strict=True):
            column.append(value)

    def columns(self) -> Sequence[np.ndarray]:
        """The events so far: op (uint8), a, b, c (uint32)."""
        dtypes = (np.uint8, np.uint32, np.uint32, np.uint32)
        return [np.array(x, dtype) for x, dtype in zip(self._columns, dtypes, strict=True)]

    def build(self, path: str | Path | None = None, *, force: bool = False) -> EventLog:
        """A validated log, in memory or at `path`, complete and open for reading and results.

        Raises InvalidLog for the first event that breaks a rule, FileExists as
        `EventLog.create`.
        """
        meta = {"counts": "exact", **self._meta}
        if path is None:
            log = EventLog.in_memory(meta=meta)
        else:
            log = EventLog.create(path, force=force, meta=meta)
        try:
            log.take_names(self._names)
            log.append(*self.columns())
            log.add_readings(self._readings.readings())
            log.flush()
            validate(log)
            log.set_meta(complete=True)
        except BaseException:
            log.close()
            raise
        return log

    def take_names(self, names: Mapping[str, list[Row]]) -> None:
        """Number types, sites, labels, shapes and arguments as in these tables of rows.

        Raises ValueError for rows that such a table cannot hold.
        """
        for table in self._names.tables:
            if table.table.name in names:
                table.replace(names[table.table.name])
        self._names.check_types()
        for i, (text,) in enumerate(self._names.arguments.rows):
            value = json.dumps(values.from_json(str(text)), sort_keys=True)
            self._arguments.setdefault(value, i)

    def _name(self, name: str | int | None, place: int) -> int:
        if name is None:
            return POSITION | place
        if isinstance(name, str):
            return self._label(name)
        return INDEX | values.whole("an index", name)

    def _label(self, label: str | None) -> int:
        return self._names.labels.intern((values.text("label", "" if label is None else label),))

    def _argument(self, text: str) -> int:
        # The same value written otherwise is the same argument.
        value = json.dumps(values.from_json(text), sort_keys=True)
        if value not in self._arguments:
            self._arguments[value] = self._names.arguments.intern((text,))
        return self._arguments[value]


def _site(site: tuple[str, int, str] | tuple[str, int, str, int]) -> tuple[str, int, str, int]:
    file, line, function, *near = site
    return (
        values.text("file", file),
        values.whole("line", line),
        values.text("function", function),
        values.whole("near", near[0] if near else 0, 0, 1),
    )
