"""Older recordings: opened by converting them, version by version, to the present schema.

An upcaster turns rows and events of one version into those of the next. When the schema
changes, raise schema.SCHEMA_VERSION and register here what turns the former version into it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import JSON, Connection, Table, insert, text

from ..encoding import codec
from ..errors import DamagedFile
from ..events import Events, Segment
from ..place import written_whole
from . import database as db
from . import schema
from .seal import Seal, leave_open, names_checksum

Row: TypeAlias = dict[str, object]


def unchanged(table: str, row: Row) -> Row:
    """The row upcaster of a version that changed no table."""
    return row


@dataclass(frozen=True, slots=True)
class Upcaster:
    """Pure functions from one schema version to the next.

    `row(table, row)` gets every row, with JSON columns as text, and returns the new row;
    `events`, when there is one, gets every decoded segment and returns as many new events.
    `tables`: what created those tables that the version it starts from declared otherwise, None
    for those that it did not have.
    """

    row: Callable[[str, Row], Row] = unchanged
    events: Callable[[Events], Events] | None = None
    tables: Mapping[str, str | None] = field(default_factory=dict)


LARGEST_GROWTH = 4
"""By how much the events of a file may take more bytes in the present version."""

_SITES_1 = """
CREATE TABLE sites (
    id INTEGER NOT NULL,
    file TEXT NOT NULL,
    line BIGINT NOT NULL,
    function TEXT NOT NULL,
    PRIMARY KEY (id)
)
"""


def _from_1(table: str, row: Row) -> Row:
    """Version 1 had the place where each birth was noticed, and did not say which were near."""
    return {**row, "near": 0} if table == "sites" else row


UPCASTERS: dict[int, Upcaster] = {
    1: Upcaster(_from_1, tables={"sites": _SITES_1, "lines": None, "annotation": None}),
    2: Upcaster(tables={"readings": None}),
}
"""By the version they start from."""


def opened(path: Path, version: int, *, writable: bool) -> db.Database:
    """The recording of an older `version` in the present one.

    For reading it is converted into a temporary database and the file stays as it is; a
    `writable` one is replaced by its conversion once that is complete. Raises DamagedFile for a
    version that no upcaster starts from.
    """
    if not UPCASTERS.keys() >= set(range(version, schema.SCHEMA_VERSION)):
        raise DamagedFile(f"{path} is damaged: there has never been a schema version {version}")
    if writable:
        with (
            written_whole(path, force=True, database=True) as part,
            closing(db.create(part, force=False)) as target,
        ):
            _convert(path, target, version)
        return db.open_existing(path, writable=True)
    target = db.temporary()
    _convert(path, target, version)
    return target


def _declared(version: int) -> list[str]:
    """What created the tables of that version."""
    names = [table.name for table in schema.metadata.sorted_tables]
    tables: dict[str, str | None] = dict(zip(names, db.statements(), strict=True))
    for older in reversed(range(version, schema.SCHEMA_VERSION)):
        tables.update(UPCASTERS[older].tables)
    return [statement for statement in tables.values() if statement is not None]


def _convert(path: Path, target: db.Database, version: int) -> None:
    source = db.open_existing(path, writable=False, declared=_declared(version))
    with closing(source), source.reading() as old, target.writing() as new:
        sealed = Seal(source).check_everything(old)
        try:
            taken = 0
            for table in schema.metadata.sorted_tables:
                if table in schema.PROJECTIONS:
                    continue
                for row in _rows(old, table, version):
                    taken += sum(len(v) for v in row.values() if isinstance(v, bytes))
                    if taken > LARGEST_GROWTH * source.bytes:
                        raise ValueError("it gives more than it holds")
                    new.execute(insert(table), row)
        except (ValueError, TypeError, LookupError, ArithmeticError, struct.error) as error:
            raise DamagedFile(
                f"{source.name} is damaged: a row of it cannot be converted ({error})"
            ) from error
        _seal_anew(target, new, sealed)


def _seal_anew(target: db.Database, new: Connection, sealed: dict[str, int]) -> None:
    """The checksums of the old rows were right: here are those of the new ones."""
    seal = Seal(target)
    if schema.segments.name not in sealed:
        leave_open(new)
        return
    names = {table.name: names_checksum(new, table) for table in schema.NAMES}
    seal.close(new, names, sealed[schema.segments.name])


def _rows(old: Connection, table: Table, version: int) -> Iterator[Row]:
    exists = text("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = :name")
    if old.execute(exists, {"name": table.name}).first() is None:
        return
    upcasters = [UPCASTERS[v] for v in range(version, schema.SCHEMA_VERSION)]
    for found in old.execute(text(f'SELECT * FROM "{table.name}" ORDER BY 1')).mappings():
        row: Row = dict(found)
        for upcaster in upcasters:
            row = upcaster.row(table.name, row)
        for column in table.columns:
            if isinstance(column.type, JSON) and isinstance(row[column.name], str):
                row[column.name] = json.loads(str(row[column.name]))
        if table is schema.segments and any(u.events for u in upcasters):
            row = _new_events(row, upcasters)
        yield row


def _new_events(row: Row, upcasters: list[Upcaster]) -> Row:
    numbers = [row[column.name] for column in schema.HEADER_COLUMNS]
    if not schema.fits(schema.HEADER_COLUMNS, numbers):
        raise ValueError("a header is malformed")
    number, sequence, count, objects, *counts = map(int, map(str, numbers))
    segment = Segment(number, sequence, count, objects, tuple(counts))
    events = codec.checked(row["payload"], segment, row["codec"], row["checksum"])
    for upcaster in upcasters:
        events = upcaster.events(events) if upcaster.events else events
    encoded = codec.encode(*events.columns(), segment.first_object)
    segment = replace(segment, counts=encoded.counts)
    names = [column.name for column in schema.COUNT_COLUMNS]
    return {
        **row,
        **dict(zip(names, encoded.counts, strict=True)),
        "codec": codec.CODEC_VERSION,
        "payload": encoded.payload,
        "checksum": codec.checksum(encoded.payload, segment),
    }
