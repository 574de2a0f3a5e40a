"""`EventLog`: append events, read them back whole, by window or segment by segment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from sqlalchemy import Connection, Table

from . import facts, rare
from .encoding import readings as readings_rows
from .encoding.segments import SegmentReader, SegmentWriter
from .errors import DamagedFile, StorageError
from .events import (
    U32,
    U64,
    Events,
    Flag,
    GcCall,
    ObjectType,
    ObservedCollection,
    Op,
    Segment,
    Shape,
    Site,
    StartState,
    joined,
)
from .readings import Readings, of_objects
from .results import StoredResults
from .rules.operands import Operands
from .tables import database as db
from .tables import projections, schema, sealed, told, upcast
from .tables.names import Names, NameTable, shape_arrays


class EventLog(StoredResults):
    """An event log in a SQLite file or in memory; a context manager.

    Leaving the block closes the log; a log being written is marked complete only when no
    exception ended the block.
    """

    def __init__(self, database: db.Database) -> None:
        self._db = database
        self._names = Names()
        self._reader = SegmentReader(database)
        # Its segments stay what they are at the first look.
        self._tables = sealed.SealedTables(database, self._names, self._reader.table)
        self._writer: SegmentWriter | None = None
        self._new = False
        self._closed = False
        self.on_read: Callable[[int, int], None] | None = None
        """Told of events that were just gone through: the first one's number, and how many."""
        self._first_start: tuple[int, StartState] | None = None

    # Opening and closing

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        force: bool = False,
        meta: Mapping[str, object] | None = None,
    ) -> EventLog:
        """A new log at `path`, open for appending.

        Raises FileExists when the file exists and `force` is not given, StorageError when it
        cannot be made.
        """
        return cls._begun(db.create(Path(path), force=force, first=sealed.first_facts(meta)))

    @classmethod
    def in_memory(cls, *, meta: Mapping[str, object] | None = None) -> EventLog:
        """A new log that vanishes when closed."""
        return cls._begun(db.in_memory(sealed.first_facts(meta)))

    @classmethod
    def open(cls, path: str | Path, *, writable: bool = False) -> EventLog:
        """The log at `path`; one of an older schema version is upcast.

        Nothing in the file is executed; what a command that was killed had half stored is undone.
        Opened for reading, a log may be in the middle of being written by another process: it
        stays what it was at the first look. An older log opened as `writable` is rewritten in the
        present version. Raises NotFound, NotARecording, NewerSchema, DamagedFile or StorageError.
        """
        path = Path(path)
        version = db.identify(path)
        if db.roll_back(path):
            version = db.identify(path)
        if writable and (cut := db.cut_short(path)):
            raise DamagedFile(cut)
        if version < schema.SCHEMA_VERSION:
            return cls(upcast.opened(path, version, writable=writable))
        return cls(db.open_existing(path, writable=writable))

    @classmethod
    def _begun(cls, database: db.Database) -> EventLog:
        log = cls(database)
        log._new = True
        if log.path is not None:
            database.use_wal()
        log._writer = SegmentWriter(database, log._names, 0, 0)
        return log

    def close(self, complete: bool | None = None, **meta: object) -> None:
        """Write what is buffered and close; a closed log is one file.

        `complete` says whether the recording reached its end (None: leave as it was); further
        keywords go to the log's meta. Closing twice does nothing.
        """
        if self._closed:
            return
        try:
            if complete is not None:
                meta["complete"] = complete
            if self._writer is not None:
                self.flush()
            if self._writer is None:
                if meta:
                    self.set_meta(**meta)
                return
            facts.checked(meta)
            self._tables.close(meta, self.event_count)
        finally:
            self._closed = True
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(complete=True if self._new and kind is None else None)

    @property
    def path(self) -> Path | None:
        """The file, or None for a log in memory."""
        return self._db.path

    @property
    def damage(self) -> str | None:
        """What is wrong with the file as a whole, in a sentence; None when nothing is seen."""
        if self.path is None or self._db.writable:
            return None
        return db.cut_short(self.path)

    @property
    def unfinished(self) -> bool:
        """Whether whoever records it had not closed it at the first look: they were at it, or had
        been killed."""
        return self._tables.whole().unfinished

    # Writing

    def append(self, op: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
        """Append a run of events of any length: columns of uint8 and three times uint32.

        Full segments are written and committed at once, the rest is buffered (see `flush`).
        Raises InvalidLog for an event that cannot be stored: an unknown op, an ALLOC whose
        object is not the next one, or an operand that its op does not have.
        """
        self._writing().append(op, a, b, c)

    def flush(self) -> None:
        """Write and commit what is buffered: events, as a segment of their own, all names and
        collections."""
        writer = self._writing()
        if writer.buffered:
            writer.flush()
        writer.store_rest()

    def add_type(self, module: str, name: str, kind: str = "other", finalizer: int = 0) -> int:
        """Id of the type; the same type gives the same id."""
        return self._interned(self._names.types, (module, name, kind, finalizer))

    def add_site(self, file: str, line: int, function: str, near: int = 0) -> int:
        """Id of the allocation site; see `Site`."""
        return self._interned(self._names.sites, (file, line, function, near))

    def add_label(self, text: str) -> int:
        """Id of the label."""
        return self._interned(self._names.labels, (text,))

    def add_shape(self, type: int, size: int, flags: int) -> int:
        """Id of the shape: type id, bytes with GC header, `Flag` sum."""
        return self._interned(self._names.shapes, (type, size, int(flags)))

    def add_argument(self, json_text: str) -> int:
        """Id of the argument of a START or GC_CALL event, given as JSON text."""
        return self._interned(self._names.arguments, (json_text,))

    def add_types(self, types: Iterable[tuple[str, str, str, int]]) -> None:
        """Append types (module, name, kind, finalizer) that may repeat; ids follow the order."""
        self._writing()
        for row in types:
            self._names.types.append(row)

    def take_names(self, names: Names) -> None:
        """Take over all types, sites, labels, shapes and arguments with their ids.

        This log must not have any of its own yet.
        """
        self._writing()
        self._names.replace(names)

    def add_observed(self, collections: Iterable[ObservedCollection]) -> None:
        """Append collections that the recorded interpreter made, in the order they ran, before the
        events that they ran among: they are committed with those."""
        self._writing().observed.extend(collections)

    def add_readings(self, readings: Readings) -> None:
        """Append readings, in the order of the log; the events before them come first. Raises
        ValueError for what no readings of it are."""
        writer = self._writing()
        writer.readings.add(readings, writer.objects, len(self._names.labels.rows))

    def add_lines(self, lines: Mapping[tuple[str, int], str]) -> None:
        """Keep lines of source, by file and line number, none of which the log has yet."""
        self._writing()
        with self._db.writing() as connection:
            told.add_lines(connection, lines)

    def set_meta(self, /, **given: object) -> None:
        """Set facts about the recording; raises ValueError for what no such fact is."""
        facts.checked(given)
        with self._changing(schema.meta) as connection:
            sealed.store_facts(connection, given)

    # Reading

    @property
    def meta(self) -> dict[str, object]:
        """Facts about the recording, with the `schema` version."""
        return self._tables.meta()

    @property
    def segment_table(self) -> tuple[Segment, ...]:
        """Headers of the segments that can be found, in the order of the log."""
        self._written()
        self._tables.whole()
        return self._reader.table()

    @property
    def event_count(self) -> int:
        """Number of events that were written."""
        table = self.segment_table
        return max(self._tables.whole().events, table[-1].stop_sequence if table else 0)

    @property
    def object_count(self) -> int:
        """Number of objects allocated, those of the found heap included."""
        table = self.segment_table
        return table[-1].first_object + table[-1].objects if table else 0

    @property
    def op_counts(self) -> dict[Op, int]:
        """Number of events of each op."""
        table = self.segment_table
        return {op: sum(segment.counts[op] for segment in table) for op in Op}

    def segments(self, start: int = 0, stop: int | None = None) -> Iterator[Events]:
        """Decoded segments, cut to sequence numbers `start` up to `stop` (None: to the end).

        Each is read and its checksum verified when its turn comes. Raises DamagedSegment or
        DamagedFile when one cannot be read.
        """
        self._written()
        read = self._reader.segments(start, stop, self._tables.whole().events)
        return read if self.on_read is None else self._told(read, self.on_read)

    def _told(
        self, read: Iterator[Events], on_read: Callable[[int, int], None]
    ) -> Iterator[Events]:
        for events in read:
            yield events
            on_read(events.first_sequence, len(events))

    def named(self, start: int = 0, stop: int | None = None) -> Iterator[Events]:
        """As `segments`, for who looks up what the events name; raises InvalidLog where one names
        what the log does not have."""
        yield from self._checked(self.segments(start, stop))

    def window(self, start: int, stop: int) -> Events:
        """Events `start` up to `stop` as one run; raises as `segments`."""
        return joined(list(self.segments(start, stop)), start)

    def events(self) -> Events:
        """All events as one run, 13 bytes an event; raises as `segments`."""
        return joined(list(self.segments()), 0)

    def intact_events(self) -> int:
        """Number of events before the first one that cannot be read."""
        good = 0
        try:
            for segment in self.segments():
                good = segment.first_sequence + len(segment)
        except DamagedFile:
            pass
        return good

    @property
    def names(self) -> Names:
        """All types, sites, labels, shapes and arguments, as `take_names` takes them."""
        for table in self._names.tables:
            self._rows(table)
        return self._names

    @property
    def types(self) -> tuple[ObjectType, ...]:
        """All types, indexed by id."""
        return tuple(ObjectType(i, *row) for i, row in enumerate(self._rows(self._names.types)))  # type: ignore[arg-type]

    @property
    def sites(self) -> tuple[Site, ...]:
        """All allocation sites, indexed by id."""
        return tuple(Site(i, *row) for i, row in enumerate(self._rows(self._names.sites)))  # type: ignore[arg-type]

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels, indexed by id."""
        return tuple(str(text) for (text,) in self._rows(self._names.labels))

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """All shapes, indexed by id."""
        rows: list[tuple[int, int, int]] = self._rows(self._names.shapes)  # type: ignore[assignment]
        return tuple(Shape(i, t, size, Flag(flags)) for i, (t, size, flags) in enumerate(rows))

    def shape_arrays(self) -> tuple[U32, U64, U32]:
        """Type id (uint32), size in bytes (uint64) and flags (uint32) of every shape."""
        return shape_arrays(self._rows(self._names.shapes))

    @property
    def arguments(self) -> tuple[str, ...]:
        """JSON texts of START and GC_CALL arguments, indexed by id."""
        return tuple(str(text) for (text,) in self._rows(self._names.arguments))

    @property
    def observed(self) -> tuple[ObservedCollection, ...]:
        """The collections that the recorded interpreter made, in the order they ran."""
        self._written()
        before = None if self._tables.whole().complete else self.event_count
        with self._tables.reading(schema.observed) as connection:
            return told.observed(connection, before, self._db.name)

    def readings(self, *, frames: bool = False) -> Readings:
        """What objects held at moments of the recording, by name, in the order of the log; none in
        a log that was not recorded, or by an older gcreplay. `frames`: also what running frames
        held at marks and at the end, as readings of `NO_OBJECT`."""
        self._written()
        before = None if self._tables.whole().complete else self.event_count
        objects, labels = self.object_count, len(self._rows(self._names.labels))
        with self._tables.reading(schema.readings) as connection:
            every = readings_rows.stored(connection, before, objects, labels, self._db.name)
        return every if frames else of_objects(every)

    @property
    def lines(self) -> dict[tuple[str, int], str]:
        """Lines of source as they were when the program ran, by file and line number."""
        with self._tables.reading(schema.lines) as connection:
            return told.lines(connection, self._db.name)

    @property
    def start(self) -> StartState | None:
        """The collector's state at the START event; None for a log without one."""
        return self._started[1] if self._started else None

    @property
    def start_sequence(self) -> int:
        """Sequence number of the START event, 0 for a log without one."""
        return self._started[0] if self._started else 0

    @property
    def _started(self) -> tuple[int, StartState] | None:
        """Where START stands, and what it says: that is not asked again, for nothing is undone."""
        if self._first_start is None:
            for sequence, argument in self._operands(Op.START):
                state = StartState.from_json(self.arguments[argument])
                self._first_start = sequence, state
                break
        return self._first_start

    def marks(self) -> list[tuple[int, str]]:
        """(sequence number, label) of every MARK event."""
        labels = self.labels
        return [(sequence, labels[label]) for sequence, label in self._operands(Op.MARK)]

    def program_times(self) -> Iterator[int]:
        """The program's time in nanoseconds at the ticks of the last segment that has any."""
        for segment in reversed(self.segment_table):
            if segment.counts[Op.TICK]:
                ticks = self.window(segment.first_sequence, segment.stop_sequence)
                yield from rare.times(ticks)
                return

    def ticks(self) -> tuple[U64, U64]:
        """Sequence number of every TICK event, and the program's time there in nanoseconds."""
        return rare.ticks(self._with(Op.TICK))

    def gc_calls(self) -> list[tuple[int, GcCall, list[int]]]:
        """(sequence number, call, arguments) of every GC_CALL event."""
        arguments = self.arguments
        return rare.gc_calls(self._with(Op.GC_CALL), arguments)

    # Projections

    def rebuild_projections(self) -> None:
        """Write the tables `objects`, `by_type` and `by_op` anew; the log must be writable."""
        self._written()
        projections.rebuild(self, self._db)

    def discard_projections(self) -> None:
        """Delete those tables."""
        with self._db.writing() as connection:
            projections.discard(connection)

    def projection(self, name: str) -> list[tuple[object, ...]]:
        """All rows of a projection that was built, in the order of its key."""
        with self._db.reading() as connection:
            return projections.rows(connection, name)

    # Inside

    def _interned(self, names: NameTable, row: tuple[object, ...]) -> int:
        self._writing()
        return names.intern(row)

    def _writing(self) -> SegmentWriter:
        if self._writer is None:
            if not self._db.writable or self._closed:
                raise StorageError(f"{self._db.name} is not open for writing")
            self._tables.check_names()
            if self.path is not None:
                self._db.use_wal()
            events = self.event_count  # those of lost segments too, so that the gap stays seen
            self._tables.reopen()
            self._writer = SegmentWriter(self._db, self._names, events, self.object_count)
        return self._writer

    def _written(self) -> None:
        """What this log has appended can be read back from it."""
        if self._writer is not None and self._writer.waiting:
            self.flush()

    def _rows(self, names: NameTable) -> list[tuple[object, ...]]:
        return names.rows if self._writer is not None else self._tables.rows(names)

    @contextmanager
    def _changing(self, table: Table) -> Iterator[Connection]:
        """A transaction that changes such a table, which nobody else may be writing."""
        if self._writer is None and self.unfinished:
            raise StorageError(
                f"{self._db.name} was not closed by its recorder, which may still write it"
            )
        with self._tables.changing(table) as connection:
            yield connection

    def _with(self, op: Op) -> Iterator[Events]:
        """Events of the segments that have any of that op."""
        return self._checked(
            events
            for segment in self.segment_table
            if segment.counts[op]
            for events in self.segments(segment.first_sequence, segment.stop_sequence)
        )

    def _checked(self, segments: Iterable[Events]) -> Iterator[Events]:
        """They name nothing that the log does not have."""
        operands = None
        for events in segments:
            operands = operands or self._bounds()
            operands.check(events)
            yield events

    def _bounds(self) -> Operands:
        """What the events of the segments known by now may name."""
        names = self._names
        shapes, sites, labels = (
            len(self._rows(table)) for table in (names.shapes, names.sites, names.labels)
        )
        return Operands(self.object_count, shapes, sites, labels, self.arguments)

    def _operands(self, op: Op) -> Iterator[tuple[int, int]]:
        """(sequence number, operand a) of every event of a rare op."""
        return rare.operands(self._with(op), op)
