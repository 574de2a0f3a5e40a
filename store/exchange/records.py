"""Events as plain dictionaries: what JSON Lines and `gcreplay events` show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from ..events import NO_OBJECT, Flag, GcCall, Op, WeakUse, signed64
from ..log import EventLog
from ..readings import INDEX, MOST_NUMBER, POSITION, Reason

Record: TypeAlias = dict[str, object]
_Operands: TypeAlias = Callable[[int, int, int], Record]


def records(log: EventLog, start: int = 0, stop: int | None = None) -> Iterator[Record]:
    """One dictionary an event, `op` first, names resolved.

    docs/reference/event-log.md lists the keys.

    The events are `start` up to `stop` (None: to the end). Raises as `EventLog.segments`.
    """
    shown = _operands(log)
    names = [op.name.lower() for op in Op]
    for events in log.named(start, stop):
        columns = (column.tolist() for column in events.columns())
        for op, a, b, c in zip(*columns, strict=True):
            yield {"op": names[op], **shown[op](a, b, c)}


def readings_as_records(log: EventLog) -> Iterator[tuple[int, Record]]:
    """The readings of the log in the same way, each with the number of events before it."""
    readings, labels = log.readings(frames=True), log.labels
    for i, sequence in enumerate(readings.sequence.tolist()):
        links = slice(*readings.first[i : i + 2].tolist())
        targets, names = readings.target[links].tolist(), readings.label[links].tolist()
        record: Record = {
            "op": "read",
            "object": None if readings.object[i] == NO_OBJECT else int(readings.object[i]),
            "links": [[t, _name(labels, name)] for t, name in zip(targets, names, strict=True)],
            "title": labels[readings.title[i]],
            "reason": Reason(readings.reason[i]).name.lower(),
        }
        yield sequence, record


def _name(labels: Sequence[str], label: int) -> object:
    """A text, an index, or {"child": position}."""
    if label >= POSITION:
        return {"child": label & MOST_NUMBER}
    return label & MOST_NUMBER if label >= INDEX else labels[label]


def _operands(log: EventLog) -> list[_Operands]:
    """For each op, the function that makes a dictionary of its operands."""
    labels = log.labels
    arguments = log.arguments
    sites = log.sites
    types = log.types
    shapes = [
        {
            "type": types[shape.type].name,
            "module": types[shape.type].module,
            "kind": types[shape.type].kind,
            "finalizer": types[shape.type].finalizer,
            "size": shape.size,
            "flags": flag_names(shape.flags),
        }
        for shape in log.shapes
    ]

    def alloc(a: int, b: int, c: int) -> Record:
        record: Record = {"object": a, **shapes[b]}
        return {**record, "site": shown_site(c)} if c else record

    def shown_site(number: int) -> Record:
        site = sites[number]
        record: Record = {"file": site.file, "line": site.line, "function": site.function}
        return {**record, "near": 1} if site.near else record

    def link(a: int, b: int, c: int) -> Record:
        return {"source": a, "target": b, **({"label": labels[c]} if c else {})}

    def count(a: int, b: int, c: int) -> Record:
        return {"object": a, "n": b, **({"label": labels[c]} if c else {})}

    def gc_call(a: int, b: int, c: int) -> Record:
        call = GcCall(a).name.lower()
        via = "c" if c == 1 else "python"
        record: Record = {"call": call, "arguments": json.loads(arguments[b]), "via": via}
        return {**record, "site": shown_site(c - 1)} if c > 1 else record

    def weakref(a: int, b: int, c: int) -> Record:
        use: Record = {"use": WeakUse(c).name.lower()} if c >= WeakUse.HIT else {}
        return {"object": a, "target": b, **(use or {"callback": bool(c)})}

    table: dict[Op, _Operands] = {
        Op.START: lambda a, b, c: {"state": json.loads(arguments[a])},
        Op.ALLOC: alloc,
        Op.INCREF: count,
        Op.DECREF: count,
        Op.LINK: link,
        Op.UNLINK: link,
        Op.KEPT: lambda a, b, c: {"object": a},
        Op.RESIZE: lambda a, b, c: {"object": a, "bytes": signed64(b, c)},
        Op.TRACK: lambda a, b, c: {"object": a, "generation": b},
        Op.UNTRACK: lambda a, b, c: {"object": a},
        Op.GC_CALL: gc_call,
        Op.INSIDE: lambda a, b, c: {"object": None if a == NO_OBJECT else a, "begin": bool(b)},
        Op.SAFEPOINT: lambda a, b, c: {},
        Op.MARK: lambda a, b, c: {"label": labels[a]},
        Op.TICK: lambda a, b, c: {"nanoseconds": a | b << 32},
        Op.WEAKREF: weakref,
    }
    return [table[op] for op in Op]


def flag_names(flags: int) -> list[str]:
    """Lower-case names of the flags that are set, in the order of their bits."""
    return [str(flag.name).lower() for flag in Flag if flags & flag]
