"""Logs as JSON Lines: any runtime can write one, and `import_jsonl` makes a log of it.

The first line is a header, `{"gcreplay": 1, "meta": {...}}`, every other line one event, or one
reading at its place, as `records` gives them. The header may also hold `names`, `observed` and
`lines`. They keep the numbering of types, sites, labels and arguments through a round trip. A
writer can leave them out, and also every key of an event that has a default.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from heapq import merge
from inspect import Parameter, signature
from operator import itemgetter
from pathlib import Path
from typing import TextIO, TypeAlias

from .. import values
from ..builder import TraceBuilder
from ..errors import MalformedLine
from ..events import Flag, ObservedCollection
from ..log import EventLog
from ..readings import INDEX, MOST_NUMBER, POSITION, Reason
from ..tables.names import Row
from .records import Record, readings_as_records, records

FORMAT = 1
Lines: TypeAlias = dict[tuple[str, int], str]


def export_jsonl(log: EventLog, out: TextIO) -> int:
    """Write the log as JSON Lines; returns the number of events. Raises as `segments`."""
    header = {
        "gcreplay": FORMAT,
        "meta": {key: value for key, value in log.meta.items() if key != "schema"},
        "names": {
            "types": [[t.module, t.name, t.kind, t.finalizer] for t in log.types],
            "sites": [[s.file, s.line, s.function, s.near] for s in log.sites],
            "labels": [[label] for label in log.labels],
            "shapes": [[s.type, s.size, int(s.flags)] for s in log.shapes],
            "arguments": [[text] for text in log.arguments],
        },
        "observed": [asdict(collection) for collection in log.observed],
        "lines": [[file, line, text] for (file, line), text in log.lines.items()],
    }
    out.write(json.dumps(header) + "\n")
    events = 0
    readings = readings_as_records(log)
    for _, record in merge(readings, enumerate(records(log)), key=itemgetter(0)):
        out.write(json.dumps(record) + "\n")
        events += record["op"] != "read"
    return events


def import_jsonl(
    lines: Iterable[str], path: str | Path | None = None, *, force: bool = False
) -> EventLog:
    """A validated log of the lines, in memory or at `path`.

    Raises MalformedLine, naming the line, InvalidLog, naming the event, or FileExists.
    """
    numbered = enumerate(lines, 1)
    builder, observed, source = _begun(numbered)
    for number, line in numbered:
        if not line.strip():
            continue
        try:
            _apply(builder, values.mapping("an event", values.from_json(line)))
        except ValueError as error:
            raise MalformedLine(number, str(error)) from None
    log = builder.build(path, force=force)
    log.add_observed(observed)
    log.add_lines(source)
    return log


def _begun(
    numbered: Iterator[tuple[int, str]],
) -> tuple[TraceBuilder, list[ObservedCollection], Lines]:
    """A builder with the header's meta and names, and what else the header says."""
    _, line = next(numbered, (1, ""))
    try:
        header = values.from_json(line)
        if not (isinstance(header, dict) and "gcreplay" in header):
            raise ValueError("it does not say so")
        if type(header["gcreplay"]) is not int or header["gcreplay"] != FORMAT:
            said = values.shown(header["gcreplay"])
            raise ValueError(f"format {said} is not {FORMAT}, which this gcreplay reads")
        builder = TraceBuilder(**values.mapping("meta", header.get("meta", {})))
        names = values.mapping("names", header.get("names", {}), builder.tables)
        builder.take_names({name: _rows(name, rows) for name, rows in names.items()})
        return builder, _observed(header.get("observed", [])), _source(header.get("lines", []))
    except ValueError as error:
        raise MalformedLine(1, f'no header such as {{"gcreplay": 1}}: {error}') from None


def _rows(name: str, rows: object) -> list[Row]:
    if not (isinstance(rows, list) and all(isinstance(row, list) for row in rows)):
        raise ValueError(f"{name} must be a list of lists, not {values.shown(rows)}")
    fill: Row = (0,) if name == "sites" else ()  # `near`, which older files do not have
    return [tuple(row) + fill[: max(0, 4 - len(row))] for row in rows]


def _observed(collections: object) -> list[ObservedCollection]:
    if not isinstance(collections, list):
        raise ValueError(f"observed must be a list, not {values.shown(collections)}")
    return [ObservedCollection.from_value(each) for each in collections]


def _source(lines: object) -> Lines:
    if not (isinstance(lines, list) and all(isinstance(x, list) and len(x) == 3 for x in lines)):
        raise ValueError(f"lines must be a list of triples, not {values.shown(lines)}")
    return {
        (values.text("a file", file), values.whole("a line number", line)): values.text(
            "a line", text
        )
        for file, line, text in lines
    }


def _apply(builder: TraceBuilder, record: Record) -> None:
    op = str(record.pop("op", "")).replace("-", "_")
    method = _METHODS[values.one_of("op", op, _METHODS)]
    known = _PARAMETERS[op]
    values.mapping(op, record, known)
    for name, default in known.items():
        if default is _REQUIRED and name not in record:
            raise ValueError(f"{op} needs a value of {name}")
    method(builder, **record)


def _alloc(
    builder: TraceBuilder,
    object: int,
    type: str = "object",
    module: str = "builtins",
    kind: str | None = None,
    finalizer: int = 0,
    size: int | None = None,
    flags: list[str] | None = None,
    site: dict[str, object] | None = None,
) -> None:
    following = len(builder.objects)
    if values.whole("object", object) != following:
        raise ValueError(f"object ids are dense: the next object is {following}")
    builder.alloc(
        type,
        module=module,
        kind=kind,
        finalizer=finalizer,
        size=size,
        flags=None if flags is None else _flags(flags),
        site=None if site is None else _site(site),
    )


def _flags(names: object) -> Flag:
    if not isinstance(names, list):
        raise ValueError(f"flags must be a list of names, not {values.shown(names)}")
    flags = Flag(0)
    for name in names:
        flags |= Flag[values.one_of("each of flags", name, FLAGS).upper()]
    return flags


def _site(site: object) -> tuple[str, int, str, int]:
    given = values.mapping("site", site, ("file", "line", "function", "near"))
    return (
        values.text("file", given.get("file", "")),
        values.whole("line", given.get("line", 0)),
        values.text("function", given.get("function", "")),
        values.whole("near", given.get("near", 0), 0, 1),
    )


def _start(builder: TraceBuilder, state: dict[str, object] | None = None) -> None:
    builder.start_with(json.dumps({} if state is None else state))


def _gc_call(
    builder: TraceBuilder,
    call: str,
    arguments: list[int] | None = None,
    via: str = "python",
    site: dict[str, object] | None = None,
) -> None:
    arguments = [] if arguments is None else arguments
    given = values.wholes("arguments", arguments, None, values.I32_LEAST, values.I32_MOST)
    from_c = values.one_of("via", via, ("python", "c")) == "c"
    builder.gc_call(call, *given, from_c=from_c, site=None if site is None else _site(site))


def _inside(builder: TraceBuilder, begin: bool, object: int | None = None) -> None:
    method = builder.begin_inside if values.switch("begin", begin) else builder.end_inside
    method(object)


def _weakref(
    builder: TraceBuilder, object: int, target: int, callback: bool = False, use: str = ""
) -> None:
    if use:
        builder.weakref_used(object, target, hit=values.one_of("use", use, USES) == "hit")
    else:
        builder.weakref(object, target, callback=callback)


def _read(
    builder: TraceBuilder,
    object: int | None,
    links: list[list[object]],
    title: str = "",
    reason: str = "garbage",
) -> None:
    if not (isinstance(links, list) and all(isinstance(x, list) and len(x) == 2 for x in links)):
        raise ValueError(f"links must be a list of pairs, not {values.shown(links)}")
    named = [(values.whole("a target", target), _name(name)) for target, name in links]
    why = Reason[values.one_of("reason", reason, REASONS).upper()]
    builder.read(object, named, title, why)


def _name(name: object) -> str | int:
    match name:
        case str():
            return name
        case dict():
            given = values.mapping("the name of a link", name, ("child",))
            return POSITION | values.whole("child", given.get("child"), 0, MOST_NUMBER)
        case _:
            return INDEX | values.whole("an index", name, 0, MOST_NUMBER)


_METHODS: dict[str, Callable[..., object]] = {
    "start": _start,
    "alloc": _alloc,
    "incref": TraceBuilder.incref,
    "decref": TraceBuilder.decref,
    "link": TraceBuilder.link,
    "unlink": TraceBuilder.unlink,
    "kept": TraceBuilder.kept,
    "resize": TraceBuilder.resize,
    "track": TraceBuilder.track,
    "untrack": TraceBuilder.untrack,
    "gc_call": _gc_call,
    "inside": _inside,
    "safepoint": TraceBuilder.safepoint,
    "mark": TraceBuilder.mark,
    "tick": TraceBuilder.tick,
    "weakref": _weakref,
    "read": _read,
}

_REQUIRED = Parameter.empty
_PARAMETERS = {
    op: {
        name: parameter.default
        for name, parameter in list(signature(method).parameters.items())[1:]
    }
    for op, method in _METHODS.items()
}
"""By op: the keys of its events, and what they are without a value."""

USES = ("hit", "miss")
REASONS = tuple(reason.name.lower() for reason in Reason)
FLAGS = tuple(str(flag.name).lower() for flag in Flag)
