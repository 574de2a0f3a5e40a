"""A table with a row an event, for plain SQL: a SQLite file of its own beside the recording.

It holds 20 to 40 bytes an event, so it is made of what one wants to read, not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, insert

from ..events import NO_OBJECT, U8, Events, GcCall, Op, positions
from ..log import EventLog
from ..tables import database as db
from ..tables import schema

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("sequence", Integer, primary_key=True, comment="sequence number"),
    Column("op", Text, nullable=False, comment="name of the op, in lower case"),
    Column("object", BigInteger, comment="object, source of a link, or weak reference object"),
    Column("target", BigInteger, comment="target of link, unlink and weakref"),
    Column("n", BigInteger, comment="references of incref and decref; generation of track"),
    Column("label", Text, comment="label of incref, decref, link, unlink and mark"),
    Column("type", BigInteger, comment="alloc: id in `types`"),
    Column("size", BigInteger, comment="alloc and resize: bytes"),
    Column("flags", BigInteger, comment="alloc: sum of flags"),
    Column(
        "site",
        BigInteger,
        comment="alloc: id in `sites`, 0 = unknown; gc_call: of the calling code",
    ),
    Column("argument", Text, comment="start: state; gc_call: call and arguments; as JSON"),
    Column(
        "value",
        BigInteger,
        comment="tick: nanoseconds; inside: 1 begin, 0 end; weakref: 1 "
        "with callback, 2 hit, 3 miss; gc_call: 1 from C",
    ),
    comment="One row an event.",
)
types = schema.types.to_metadata(metadata)
sites = schema.sites.to_metadata(metadata)

_CALLS = [call.name.lower() for call in GcCall]
_NO_OBJECT_OPS = (Op.START, Op.GC_CALL, Op.SAFEPOINT, Op.MARK, Op.TICK)
_HAS_OBJECT = np.array([op not in _NO_OBJECT_OPS for op in Op])


def export_rows(
    log: EventLog, path: str | Path, start: int = 0, stop: int | None = None, *, force: bool = False
) -> int:
    """Write events `start` up to `stop` as rows to a new SQLite file; returns their number.

    Raises FileExists unless `force`, and as `EventLog.segments`.
    """
    target = db.create_plain(Path(path), metadata, force=force)
    written = 0
    try:
        with target.writing() as connection:
            for table, values in ((types, log.types), (sites, log.sites)):
                names = [column.name for column in table.columns]
                rows = [{name: getattr(value, name) for name in names} for value in values]
                if rows:
                    connection.execute(insert(table), rows)
        statement = f"INSERT INTO events VALUES ({', '.join('?' * len(events.columns))})"
        rowed = _Rows(log)
        for segment in log.named(start, stop):
            with target.writing() as connection:
                connection.exec_driver_sql(statement, rowed.of(segment))
            written += len(segment)
    finally:
        target.close()
    return written


class _Rows:
    """Turns columns of events into rows."""

    def __init__(self, log: EventLog) -> None:
        self._names = np.array([op.name.lower() for op in Op], object)
        self._types, self._sizes, self._flags = log.shape_arrays()
        self._labels = np.array([None, *log.labels[1:]], object)
        self._arguments = log.arguments

    def of(self, run: Events) -> list[tuple[object, ...]]:
        op = run.op
        a, b, c = (column.astype(np.int64) for column in (run.a, run.b, run.c))
        links = (op == Op.LINK) | (op == Op.UNLINK)
        weak = op == Op.WEAKREF
        counts = (op == Op.INCREF) | (op == Op.DECREF)
        numbered = counts | (op == Op.TRACK)
        alloc = op == Op.ALLOC
        mark = op == Op.MARK
        label = np.full(len(op), None, object)
        labelled = links | counts
        label[labelled] = self._labels[c[labelled]]
        label[mark] = self._labels[a[mark]]
        size = _only(alloc, self._sizes[b[alloc]])
        resize = op == Op.RESIZE
        size[resize] = (b | c << 32)[resize].astype(np.int64).tolist()
        value = _only(weak, c[weak])
        call = op == Op.GC_CALL
        value[call] = (c[call] == 1).astype(np.int64).tolist()
        site = _only(alloc, c[alloc])
        site[call] = [via - 1 if via > 1 else None for via in c[call].tolist()]
        value[op == Op.INSIDE] = b[op == Op.INSIDE].tolist()
        value[op == Op.TICK] = (a | b << 32)[op == Op.TICK].tolist()
        named = _HAS_OBJECT[op] & (a != NO_OBJECT)
        columns: Sequence[Sequence[object]] = [
            range(run.first_sequence, run.first_sequence + len(op)),
            self._names[op].tolist(),
            _only(named, a[named]).tolist(),
            _only(links | weak, b[links | weak]).tolist(),
            _only(numbered, b[numbered]).tolist(),
            label.tolist(),
            _only(alloc, self._types[b[alloc]]).tolist(),
            size.tolist(),
            _only(alloc, self._flags[b[alloc]]).tolist(),
            site.tolist(),
            self._argument(op, run.a.tolist(), run.b.tolist()),
            value.tolist(),
        ]
        return list(zip(*columns, strict=True))

    def _argument(self, op: U8, a: list[int], b: list[int]) -> list[object]:
        out: list[object] = [None] * len(op)
        for i in positions(op, Op.START).tolist():
            out[i] = self._arguments[a[i]]
        for i in positions(op, Op.GC_CALL).tolist():
            out[i] = f'["{_CALLS[a[i]]}", {self._arguments[b[i]]}]'
        return out


def _only(where: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Python integers at `where`, None elsewhere."""
    column = np.full(len(where), None, object)
    column[where] = values.tolist()
    return column
