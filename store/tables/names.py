"""What events name by number: types, sites, labels, shapes, arguments.

Each table is a list of rows, the id being the index. New rows are interned in memory and
written in the transaction of the next segment, so that no stored event names what is not there.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence

import numpy as np
from sqlalchemy import Connection, Table, insert, select

from ..errors import DamagedFile
from ..events import KINDS, U32, U64, Flag
from ..values import MOST_BYTES, U32_MOST, text
from . import schema

Row = tuple[object, ...]

RESERVED: dict[Table, tuple[Row, ...]] = {
    schema.sites: (("", 0, "", 0),),
    schema.labels: (("",), ("(opaque)",)),
}
"""Rows that every log has: the unknown site, the unknown and the opaque label."""

_IN_RANGE: dict[Table, Callable[[Row], bool]] = {
    schema.types: lambda row: row[2] in KINDS and row[3] in (0, 1, 2),
    schema.sites: lambda row: row[1] <= U32_MOST and row[3] in (0, 1),  # type: ignore[operator]
    schema.shapes: lambda row: row[1] <= MOST_BYTES and row[2] <= sum(Flag),  # type: ignore[operator]
}
"""Of a row whose values have the right types: whether they are such as there are."""


class NameTable:
    """The rows of one table, without their ids."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.name = table.name
        self.rows: list[Row] = []
        self._ids: dict[Row, int] = {}
        self._stored = 0
        self._reserved = RESERVED.get(table, ())
        for row in self._reserved:
            self.intern(row)

    def intern(self, row: Row) -> int:
        """The id of `row`, which is added when it is new."""
        known = self._ids.setdefault(row, len(self.rows))
        if known == len(self.rows):
            self.rows.append(row)
        return known

    def append(self, row: Row) -> int:
        """A new id for `row`, also when it is a repetition."""
        self._ids.setdefault(row, len(self.rows))
        self.rows.append(row)
        return len(self.rows) - 1

    def replace(self, rows: list[Row]) -> None:
        """Become a copy of `rows`; only for a table that has none but reserved ones.

        Raises ValueError when the rows are not such as this table holds.
        """
        if tuple(rows[: len(self._reserved)]) != self._reserved:
            raise ValueError(f"{self.table.name} must begin with {self._reserved}")
        if not all(map(self._well_formed, rows)):
            raise ValueError(f"a row of {self.table.name} is malformed")
        for value in (value for row in rows for value in row if isinstance(value, str)):
            text(f"a text of {self.table.name}", value)
        del self.rows[:]
        self._ids.clear()
        for row in rows:
            self.append(row)

    def _well_formed(self, row: Row) -> bool:
        columns = list(self.table.columns)[1:]
        fits = len(row) == len(columns) and schema.fits(columns, row)
        return fits and (self.table not in _IN_RANGE or _IN_RANGE[self.table](row))

    def store(self, connection: Connection) -> None:
        """Write the rows that are not in the file yet."""
        names = [column.name for column in self.table.columns]
        fresh = [
            dict(zip(names, (self._stored + i, *row), strict=True))
            for i, row in enumerate(self.rows[self._stored :])
        ]
        if fresh:
            connection.execute(insert(self.table), fresh)

    def stored(self) -> None:
        """The transaction of `store` was committed."""
        self._stored = len(self.rows)

    def load(self, connection: Connection, log: str) -> None:
        """Read the rows that another process has added since."""
        query = select(self.table).where(self.table.c.id >= self._stored)
        for number, *row in connection.execute(query.order_by(self.table.c.id)):
            if number < len(self._reserved):
                continue
            if number != len(self.rows):
                raise damaged(log, f"its table {self.table.name} lacks row {len(self.rows)}")
            if not self._well_formed(tuple(row)):
                raise damaged(log, f"row {number} of its table {self.table.name} is malformed")
            self._ids.setdefault(tuple(row), number)
            self.rows.append(tuple(row))
        self._stored = len(self.rows)

    def checksum(self) -> int:
        """CRC-32 of all rows, as JSON."""
        return zlib.crc32(json.dumps(self.rows).encode())


def damaged(log: str, what: str) -> DamagedFile:
    """What is wrong with that file's tables of names, in a sentence."""
    return DamagedFile(f"{log} is damaged: {what}; `gcreplay info` says what is intact")


def shape_arrays(shapes: Sequence[Row]) -> tuple[U32, U64, U32]:
    """Type id (uint32), size in bytes (uint64) and flags (uint32) of every shape."""
    rows = np.array(shapes, np.uint64).reshape(-1, 3)
    return rows[:, 0].astype(np.uint32), rows[:, 1].copy(), rows[:, 2].astype(np.uint32)


class Names:
    """The five tables of a log, and how to add to them."""

    def __init__(self) -> None:
        self.types = NameTable(schema.types)
        self.sites = NameTable(schema.sites)
        self.labels = NameTable(schema.labels)
        self.shapes = NameTable(schema.shapes)
        self.arguments = NameTable(schema.arguments)
        self.tables = (self.types, self.sites, self.labels, self.shapes, self.arguments)

    def store(self, connection: Connection) -> None:
        """Write the rows that are not in the file yet."""
        for table in self.tables:
            table.store(connection)

    def stored(self) -> None:
        """The transaction of `store` was committed."""
        for table in self.tables:
            table.stored()

    def load(self, connection: Connection, log: str) -> None:
        """Read the rows that another process has added since."""
        for table in self.tables:
            table.load(connection, log)
        try:
            self.check_types()
        except ValueError as error:
            raise damaged(log, str(error)) from None

    def check_types(self) -> None:
        """Raises ValueError when a shape names a type that there is not."""
        types = len(self.types.rows)
        if not all(shape[0] < types for shape in self.shapes.rows):  # type: ignore[operator]
            raise ValueError("a shape names a type that is not in the log's table of types")

    def replace(self, other: Names) -> None:
        """Become a copy of `other`; only where nothing is stored yet."""
        for mine, theirs in zip(self.tables, other.tables, strict=True):
            mine.replace(theirs.rows)

    def checksums(self) -> dict[str, int]:
        """What the meta value `checksums` of a closed recording holds."""
        return {table.table.name: table.checksum() for table in self.tables}
