"""Projections: tables derived from the log, deleted and rebuilt to identical rows at will.

`objects` has a row an object (about 0.4 million rows a second, 25 bytes each), `by_type` and
`by_op` are small. They stand in the recording, for plain SQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection, insert, select
from sqlalchemy.schema import CreateTable, DropTable

from ..events import Op, positions
from . import schema

if TYPE_CHECKING:
    from ..log import EventLog
    from .database import Database


def rebuild(log: EventLog, database: Database) -> None:
    """Replace all projections of a writable log; see `EventLog.rebuild_projections`."""
    types, sizes, flags = log.shape_arrays()
    shape_counts = np.zeros(len(types), np.int64)
    with database.writing() as connection:
        discard(connection)
        for table in schema.PROJECTIONS:
            connection.execute(CreateTable(table))
        statement = f"INSERT INTO objects VALUES ({', '.join('?' * len(schema.objects.columns))})"
        for events in log.named():
            at = positions(events.op, Op.ALLOC)
            if not len(at):
                continue
            shape = events.b[at]
            shape_counts += np.bincount(shape, minlength=len(types))
            columns = (
                events.a[at],
                at + events.first_sequence,
                types[shape],
                sizes[shape],
                flags[shape],
                events.c[at],
            )
            rows = list(zip(*(column.tolist() for column in columns), strict=True))
            connection.exec_driver_sql(statement, rows)
        _insert_types(connection, log, types, sizes, shape_counts)
        rows_of_ops = [
            {"op": int(op), "name": op.name.lower(), "events": n} for op, n in log.op_counts.items()
        ]
        connection.execute(insert(schema.by_op), rows_of_ops)


def discard(connection: Connection) -> None:
    """Drop all projections."""
    for table in schema.PROJECTIONS:
        connection.execute(DropTable(table, if_exists=True))


def rows(connection: Connection, name: str) -> list[tuple[object, ...]]:
    """All rows of the projection of that name, in the order of its key."""
    table = schema.metadata.tables[name]
    return [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]


def _insert_types(
    connection: Connection,
    log: EventLog,
    types: np.ndarray,
    sizes: np.ndarray,
    shape_counts: np.ndarray,
) -> None:
    objects = np.zeros(len(log.types), np.int64)
    total = np.zeros(len(log.types), np.int64)
    np.add.at(objects, types, shape_counts)
    np.add.at(total, types, shape_counts * sizes.astype(np.int64))
    values = [
        {"type": t.id, "name": t.qualified, "objects": n, "bytes": size}
        for t, n, size in zip(log.types, objects.tolist(), total.tolist(), strict=True)
    ]
    if values:
        connection.execute(insert(schema.by_type), values)
