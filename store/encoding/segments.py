"""Rows of the table `segments`: cut, encode and commit; find, verify and decode."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from itertools import count, islice, takewhile
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, func, insert, select

from ..errors import DamagedFile, DamagedSegment, InvalidLog
from ..events import SEGMENT_EVENTS, Events, ObservedCollection, Op, Segment
from ..tables import schema
from ..tables.database import Database
from ..tables.names import Names
from . import codec
from .readings import ReadingsWriter

LEAST_ROW = 128
"""Bytes that a segment takes at least: its columns, and the lengths and frames of seven streams."""

_DTYPES = (np.uint8, np.uint32, np.uint32, np.uint32)

# Asked for again and again: built once.
_HEADERS = (
    select(*schema.HEADER_COLUMNS)
    .where(schema.segments.c.id >= bindparam("first"))
    .order_by(schema.segments.c.id)
)
_LAST = select(func.max(schema.segments.c.id))
_NAMES = ", ".join(column.name for column in schema.HEADER_COLUMNS)
_HEADER = f"SELECT {_NAMES} FROM segments WHERE id = ?"
_CONTENTS = select(
    schema.segments.c.id,
    schema.segments.c.payload,
    schema.segments.c.codec,
    schema.segments.c.checksum,
).where(schema.segments.c.id.between(bindparam("first"), bindparam("last")))

Contents = dict[int, Sequence[Any] | None]
Decoding = Callable[[], Events]
_TOGETHER = 8
"""So many segments are read from the file at once: a query takes half as long as decoding one."""
_AHEAD = 2
"""So many segments are decoded at most while the one before them is used."""


class SegmentWriter:
    """Buffers events, and commits them with the names they use and the collections and readings
    that were made among them, a segment at a time."""

    def __init__(self, database: Database, names: Names, sequence: int, objects: int) -> None:
        self._db = database
        self._names = names
        self._sequence = sequence
        self._objects = objects
        self._buffer = tuple(np.empty(SEGMENT_EVENTS, dtype) for dtype in _DTYPES)
        self.buffered = 0
        self.observed: deque[ObservedCollection] = deque()
        """Not stored yet: a file that ends early tells of no collection beyond its events."""
        self.readings = ReadingsWriter()

    @property
    def objects(self) -> int:
        """Number of objects that were allocated."""
        return self._objects + int(np.count_nonzero(self._buffer[0][: self.buffered] == Op.ALLOC))

    @property
    def waiting(self) -> bool:
        """Whether anything is not committed yet."""
        return bool(self.buffered or self.observed or self.readings)

    def append(self, *columns: np.ndarray) -> None:
        """Add columns (op, a, b, c) of one length; see `EventLog.append`."""
        arrays = [np.ascontiguousarray(x, t) for x, t in zip(columns, _DTYPES, strict=True)]
        length = len(arrays[0])
        if any(len(array) != length for array in arrays):
            raise ValueError("columns of different length")
        done = 0
        while done < length:
            n = min(length - done, SEGMENT_EVENTS - self.buffered)
            if n == SEGMENT_EVENTS:
                self._commit([array[done : done + n] for array in arrays])
            else:
                for mine, theirs in zip(self._buffer, arrays, strict=True):
                    mine[self.buffered : self.buffered + n] = theirs[done : done + n]
                self.buffered += n
                if self.buffered == SEGMENT_EVENTS:
                    self.flush()
            done += n

    def flush(self) -> None:
        """Commit what is buffered."""
        n, self.buffered = self.buffered, 0
        self._commit([column[:n] for column in self._buffer])

    def store_rest(self) -> None:
        """Commit all names, collections and readings, of whatever events."""
        with self._db.writing() as connection:
            self._names.store(connection)
            self.readings.store(connection)
            self._store_observed(connection, len(self.observed))
        self._stored(len(self.observed))

    def _commit(self, columns: list[np.ndarray]) -> None:
        op, a, b, c = columns
        try:
            encoded = codec.encode(op, a, b, c, self._objects)
        except ValueError as error:
            i = int(error.args[0])
            raise _unstorable(self._sequence + i, op[i], a[i], b[i], c[i]) from None
        with self._db.writing() as connection:
            number = connection.execute(select(func.count(schema.segments.c.id))).scalar_one()
            segment = Segment(number, self._sequence, len(op), self._objects, encoded.counts)
            self._names.store(connection)
            stop = segment.stop_sequence
            among = sum(1 for _ in takewhile(lambda one: one.sequence < stop, self.observed))
            self._store_observed(connection, among)
            self.readings.store(connection, stop)
            connection.execute(insert(schema.segments), _row(segment, encoded.payload))
        self._stored(among)
        self._sequence += len(op)
        self._objects += segment.objects

    def _store_observed(self, connection: Connection, n: int) -> None:
        """The first so many of them."""
        if not n:
            return
        table = schema.observed
        last = connection.execute(select(func.max(table.c.id))).scalar()
        ids = count(0 if last is None else last + 1)
        waiting = islice(self.observed, n)
        rows = [{"id": i, **asdict(one)} for i, one in zip(ids, waiting, strict=False)]
        connection.execute(insert(table), rows)

    def _stored(self, observed: int) -> None:
        """That transaction is committed."""
        self._names.stored()
        self.readings.stored()
        for _ in range(observed):
            self.observed.popleft()


class SegmentReader:
    """Reads segments back; what cannot be read does not keep it from the others."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._table: list[Segment] = []
        self._lost = self._found_all = False
        self._read_at: int | None = None

    def table(self) -> tuple[Segment, ...]:
        """Headers of all segments that can be found. Of a log that others write they are those that
        were there when it was first read, of our own all."""
        version = self._db.version
        same = not self._db.writable or (version is not None and version == self._read_at)
        if self._lost or (self._found_all and same):
            return tuple(self._table)
        known = len(self._table)
        first = self._table[-1].id + 1 if self._table else 0
        try:
            with self._db.reading() as connection:
                for row in connection.execute(_HEADERS, {"first": first}):
                    self._found(row)
        except DamagedFile:
            self._lost = True
            del self._table[known:]
            for header in self._rescued(first):
                self._found(header)
        self._found_all, self._read_at = True, version
        return tuple(self._table)

    def _found(self, row: Sequence[int]) -> None:
        """Take a header; one that cannot be true is left out, and its segment is lost."""
        if not schema.fits(schema.HEADER_COLUMNS, row):
            self._lost = True
            return
        number, sequence, events, objects, *counts = row
        if self._table and number <= self._table[-1].id:
            raise DamagedFile(f"{self._db.name} is damaged: its segments are in no order")
        most = number * SEGMENT_EVENTS
        if sum(counts) == events <= SEGMENT_EVENTS and objects <= sequence <= most:
            self._table.append(Segment(number, sequence, events, objects, tuple(counts)))
        else:
            self._lost = True

    def segments(self, start: int, stop: int | None, written: int) -> Iterator[Events]:
        """See `EventLog.segments`; `written`: the least number of events that there must be."""
        return _ahead(self._decodings(start, stop, written))

    def _decodings(self, start: int, stop: int | None, written: int) -> Iterator[Decoding]:
        """What gives the segments, one by one; the last may raise instead."""
        try:
            yield from self._intact(start, stop, written)
        except DamagedFile as error:
            yield partial(_fail, error)

    def _intact(self, start: int, stop: int | None, written: int) -> Iterator[Decoding]:
        sequence = objects = number = 0
        held: Contents = {}
        for segment in self.table():
            if stop is not None and stop <= max(start, sequence):
                return  # not before: what stands between could be missing
            follows = (segment.id, segment.first_sequence, segment.first_object)
            if start < segment.first_sequence and follows != (number, sequence, objects):
                raise self._damaged(number, sequence, "it is missing")
            number, sequence = segment.id + 1, segment.stop_sequence
            objects = segment.first_object + segment.objects
            if segment.stop_sequence > start:
                if segment.id not in held:
                    held = self._contents(segment.id, stop)
                yield partial(self._decoded, segment, held.get(segment.id), start, stop)
        if (self._lost or sequence < written) and (stop is None or stop > sequence):
            raise self._damaged(number, sequence, "the file is cut short or damaged there")

    def _contents(self, first: int, stop: int | None) -> Contents:
        """What the file holds of this segment and some behind it, as far as they are wanted; of
        this one alone where not all of it can be read, None where that cannot."""
        at = bisect_left(self._table, first, key=lambda each: each.id)
        wanted = [
            each.id
            for each in self._table[at : at + _TOGETHER]
            if stop is None or each.first_sequence < stop
        ]
        for last in (max(wanted, default=first), first):
            with suppress(DamagedFile), self._db.reading() as connection:
                rows = connection.execute(_CONTENTS, {"first": first, "last": last}).all()
                return {first: None, **{row.id: row[1:] for row in rows}}
        return {first: None}

    def _decoded(self, segment: Segment, row: Any, start: int, stop: int | None) -> Events:
        """The segment's events, cut to `start` up to `stop`. (In a thread: no SQLite here.)"""
        payload, version, checksum = row or (None, None, None)
        try:
            events = codec.checked(payload, segment, version, checksum)
        except ValueError as error:
            raise self._damaged(segment.id, segment.first_sequence, str(error)) from None
        low = max(0, start - segment.first_sequence)
        high = len(events) if stop is None else stop - segment.first_sequence
        return events if low == 0 and high >= len(events) else events.part(low, high)

    def _rescued(self, first: int) -> Iterator[Sequence[int]]:
        """Headers one by one, as far as damaged pages let them be found, and as many as the file
        has room for."""
        most = self._db.bytes // LEAST_ROW
        with suppress(DamagedFile), self._db.reading() as connection:
            last = connection.execute(_LAST).scalar()
            most = min(most, 0 if last is None else last + 1)
        for number in range(first, most):
            row = None
            with suppress(DamagedFile), self._db.reading() as connection:
                row = connection.exec_driver_sql(_HEADER, (number,)).first()
            if row is not None:
                yield row

    def _damaged(self, segment: int, sequence: int, reason: str) -> DamagedSegment:
        return DamagedSegment(
            f"{self._db.name}: segment {segment}, from event {sequence} on, cannot be read "
            f"({reason}): `gcreplay info` says which events are intact",
            segment=segment,
            first_sequence=sequence,
        )


def _ahead(decodings: Iterator[Decoding]) -> Iterator[Events]:
    """What they give, in order; decoded in a thread, while the one before is used. An error comes
    when its turn does."""
    first = list(islice(decodings, _AHEAD))
    if len(first) == 1:
        yield first[0]()
        return
    with ThreadPoolExecutor(1) as thread:  # which ends with the iterator
        given = deque(map(thread.submit, first))
        while given:
            events = given.popleft().result()
            given.extend(map(thread.submit, islice(decodings, 1)))
            yield events


def _fail(error: DamagedFile) -> Events:
    raise error


def _row(segment: Segment, payload: bytes) -> dict[str, object]:
    counts = zip((column.name for column in schema.COUNT_COLUMNS), segment.counts, strict=True)
    return {
        "id": segment.id,
        "first_sequence": segment.first_sequence,
        "events": segment.events,
        "first_object": segment.first_object,
        **dict(counts),
        "codec": codec.CODEC_VERSION,
        "checksum": codec.checksum(payload, segment),
        "payload": payload,
    }


def _unstorable(sequence: int, op: int, a: int, b: int, c: int) -> InvalidLog:
    if op >= len(Op):
        return InvalidLog(sequence, f"op {op}", "there is no such op")
    name = Op(op).name
    rule = "object ids are dense: an ALLOC makes the next one"
    if op != Op.ALLOC:
        rule = "an operand that this op does not have must be 0"
    return InvalidLog(sequence, f"{name} a={a} b={b} c={c}", rule)
