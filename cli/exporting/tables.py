"""A recording as Parquet files, one a table, written a group of rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from gcreplay.exporting.columns import TABLES, Column
from gcreplay.exporting.ends import Ends
from gcreplay.exporting.objects import object_rows
from gcreplay.replay import Collection
from gcreplay.replay.results.clock import Clock
from gcreplay.store import EventLog
from gcreplay.store.errors import StorageError
from gcreplay.store.events import ObservedCollection
from gcreplay.store.marks import kind
from gcreplay.store.place import written_whole

Rows = Iterator[Mapping[str, Any]]
_ARROW = {"text": pa.dictionary(pa.int32(), pa.string()), "bool": pa.bool_()}


@dataclass(frozen=True, slots=True)
class Made:
    """The collections of a run. heaps: tracked objects after each, None where that is not known;
    took: nanoseconds of each, None where nobody knows."""

    run: str
    collections: Sequence[Collection] | Sequence[ObservedCollection]
    heaps: Sequence[int | None]
    took: Sequence[int] | None
    estimated: bool


def write_tables(
    log: EventLog,
    folder: Path,
    ends: Ends,
    runs: Iterable[Made],
    told: Mapping[str, str],
    *,
    force: bool,
) -> dict[str, int]:
    """Write the files into the folder, which is made where there is none; `told`: about all of
    them, by name, for their metadata. The value has the number of rows of each.

    Raises FileExists for a file that is there already, unless `force`, and StorageError.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror or error}; name a folder") from error
    clock = Clock.of(log)
    tables: dict[str, Rows] = {
        "objects": object_rows(log, ends, clock),
        "collections": (_collections(run, clock) for run in runs),
        "marks": iter([_marks(log, clock)]),
        "sites": iter([_named(TABLES["sites"], log.sites)]),
        "types": iter([_named(TABLES["types"], log.types)]),
    }
    with ExitStack() as files:
        parts = {
            name: files.enter_context(written_whole(folder / f"{name}.parquet", force=force))
            for name in tables
        }
        return {name: _write(parts[name], name, rows, told) for name, rows in tables.items()}


def _write(part: Path, name: str, groups: Rows, told: Mapping[str, str]) -> int:
    fields = [
        pa.field(one.name, _ARROW.get(one.type) or getattr(pa, one.type)()) for one in TABLES[name]
    ]
    meanings = {one.name: one.meaning for one in TABLES[name]}
    schema = pa.schema(fields, metadata={**meanings, **told})
    rows = 0
    with ParquetWriter(part, schema, compression="zstd") as file:
        for group in groups:
            columns = [pa.array(group[field.name], field.type) for field in fields]
            table = pa.table(columns, schema=schema)
            file.write_table(table)
            rows += len(table)
    return rows


def _collections(made: Made, clock: Clock | None) -> Mapping[str, Any]:
    them, took = made.collections, made.took
    unknown = [None] * len(them)
    own = None if clock is None else clock.at([one.sequence for one in them])
    begins = None
    if own is not None and took is not None:
        before = accumulate(took, initial=0)
        begins = [at + gc for at, gc in zip(own, before, strict=False)]
    return {
        "run": [made.run] * len(them),
        "number": range(len(them)),
        "event": [one.sequence for one in them],
        "own_s": _seconds(own) or unknown,
        "begin_s": _seconds(begins) or unknown,
        "pause_s": _seconds(took) or unknown,
        "estimated": [made.estimated] * len(them),
        "heap_size": made.heaps,
        **{
            name: [getattr(one, name) for one in them]
            for name in ("generation", "cause", "candidates", "collected", "uncollectable")
        },
    }


def _marks(log: EventLog, clock: Clock | None) -> Mapping[str, Any]:
    marks = log.marks()
    events = [at for at, _ in marks]
    return {
        "event": events,
        "own_s": [None] * len(marks) if clock is None else _seconds(clock.at(events)),
        "label": [label for _, label in marks],
        "kind": [kind(label) for _, label in marks],
    }


def _named(columns: Iterable[Column], values: Sequence[Any]) -> Mapping[str, Any]:
    """A column an attribute."""
    return {
        one.name: [
            bool(getattr(value, one.name)) if one.type == "bool" else getattr(value, one.name)
            for value in values
        ]
        for one in columns
    }


def _seconds(ns: Sequence[int] | None) -> list[float]:
    return [] if ns is None else [one / 1e9 for one in ns]
