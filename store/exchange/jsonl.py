"""Logs as JSON Lines: any runtime can write one, and `import_jsonl` makes a log of it.

The first line is a header, `{"gcreplay": 1, "meta": {...}}`, every other line one event, as
`records` gives it. What the header may hold besides (`names`, `observed`) keeps the numbering
of types, sites, labels and arguments through a round trip; a writer can leave it out, and also
every key of an event that has a default.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from ..builder import TraceBuilder
from ..errors import MalformedLine
from ..events import Flag, ObservedCollection, StartState
from ..log import EventLog
from .records import Record, records

FORMAT = 1


def export_jsonl(log: EventLog, out: TextIO) -> int:
    """Write the log as JSON Lines; returns the number of events. Raises as `segments`."""
    header = {
        "gcreplay": FORMAT,
        "meta": {key: value for key, value in log.meta.items() if key != "schema"},
        "names": {
            "types": [[t.module, t.name, t.kind, t.finalizer] for t in log.types],
            "sites": [[s.file, s.line, s.function] for s in log.sites],
            "labels": [[label] for label in log.labels],
            "shapes": [[s.type, s.size, int(s.flags)] for s in log.shapes],
            "arguments": [[text] for text in log.arguments],
        },
        "observed": [asdict(collection) for collection in log.observed],
    }
    out.write(json.dumps(header) + "\n")
    written = 0
    for record in records(log):
        out.write(json.dumps(record) + "\n")
        written += 1
    return written


def import_jsonl(
    lines: Iterable[str], path: str | Path | None = None, *, force: bool = False
) -> EventLog:
    """A validated log of the lines, in memory or at `path`.

    Raises MalformedLine, naming the line, InvalidLog, naming the event, or FileExists.
    """
    numbered = enumerate(lines, 1)
    builder, observed = _begun(numbered)
    for number, line in numbered:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise MalformedLine(number, f"not JSON ({error.msg})") from None
        if not isinstance(record, dict):
            raise MalformedLine(number, "no JSON object")
        try:
            _apply(builder, record)
        except KeyError as error:
            raise MalformedLine(number, f"{error.args[0]!r} is missing or unknown") from None
        except (ValueError, OverflowError) as error:
            raise MalformedLine(number, str(error)) from None
        except (TypeError, AttributeError):
            keys = ", ".join(record)
            raise MalformedLine(number, f"a key or value does not fit the op ({keys})") from None
    log = builder.build(path, force=force)
    log.add_observed(observed)
    return log


def _begun(numbered: Iterator[tuple[int, str]]) -> tuple[TraceBuilder, list[ObservedCollection]]:
    """A builder with the header's meta and names."""
    _, line = next(numbered, (1, ""))
    try:
        header = json.loads(line)
        version = header["gcreplay"]
        meta = dict(header.get("meta", {}))
        names = dict(header.get("names", {}))
        observed = [ObservedCollection(**values) for values in header.get("observed", ())]
        builder = TraceBuilder(**{str(key): value for key, value in meta.items()})
        builder.take_names({key: [tuple(row) for row in rows] for key, rows in names.items()})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise MalformedLine(1, 'no header such as {"gcreplay": 1}') from None
    if version != FORMAT:
        raise MalformedLine(1, f"format {version} is not {FORMAT}, which this gcreplay reads")
    return builder, observed


def _apply(builder: TraceBuilder, record: Record) -> None:
    values = dict(record)
    op = str(values.pop("op")).replace("-", "_")
    method = _METHODS[op]
    method(builder, **values)


def _alloc(builder: TraceBuilder, object: int, **values: object) -> None:
    if object != len(builder.objects):
        raise ValueError(f"object ids are dense: the next object is {len(builder.objects)}")
    site = values.pop("site", None)
    flags = values.pop("flags", None)
    if isinstance(site, dict):
        values["site"] = (str(site["file"]), int(site["line"]), str(site["function"]))
    if isinstance(flags, list):
        values["flags"] = sum((Flag[str(name).upper()] for name in flags), Flag(0))
    builder.alloc(**values)  # type: ignore[arg-type]


def _start(builder: TraceBuilder, state: dict[str, object] | None = None) -> None:
    text = json.dumps(state or {})
    StartState.from_json(text)
    builder.start_with(text)


def _gc_call(
    builder: TraceBuilder, call: str, arguments: tuple[int, ...] = (), via: str = "python"
) -> None:
    builder.gc_call(call, *arguments, from_c={"python": False, "c": True}[via])


def _inside(builder: TraceBuilder, begin: bool, object: int | None = None) -> None:
    (builder.begin_inside if begin else builder.end_inside)(object)


def _weakref(builder: TraceBuilder, object: int, target: int, callback: bool = False) -> None:
    builder.weakref(object, target, callback=callback)


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
}
