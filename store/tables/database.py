"""One SQLite file through SQLAlchemy: create, identify, open; SQLite's errors in our words.

While a recording is written the file is in WAL mode with `synchronous=NORMAL`, so others read
it meanwhile; closing folds the WAL back, and the recording is one file.
"""

from __future__ import annotations

import json
import os
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, MetaData, create_engine
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlalchemy.schema import CreateTable

from .. import waiting
from ..errors import (
    DamagedFile,
    FileExists,
    GcreplayError,
    NewerSchema,
    NotARecording,
    NotFound,
    StorageError,
)
from ..holders import holders
from ..place import JOURNAL, WAL, companion, new_database, other_kind, remove_companions
from . import journal, schema
from .bounds import Bounds, Malformed, stored_json
from .known import check_declarations
from .patience import Patient, connected, locked_by

_MAGIC = b"SQLite format 3\0"

First = Callable[[Connection], None]


class Database:
    """An open SQLite file, or one in memory (`path` None), with a single connection."""

    def __init__(
        self, engine: Engine, path: Path | None, *, writable: bool, bounds: Bounds | None = None
    ) -> None:
        self._engine = engine
        self.path = path
        self.writable = writable
        self._bounds = bounds
        self._transaction: Connection | None = None
        self._snapshot: Connection | None = None
        self._written = 0

    @property
    def version(self) -> int | None:
        """Another number after every transaction that may write; None where others can write."""
        return self._written if self.path is None else None

    @property
    def name(self) -> str:
        return str(self.path) if self.path else "the log in memory"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection whose snapshot ends with the block, so a writer can checkpoint.

        Within `writing` it is that transaction's, within `reading` that snapshot's.
        """
        with translated(self.name):
            if (open_already := self._transaction or self._snapshot) is not None:
                yield open_already
                return
            if self._bounds is not None:
                self._bounds.renew()
            with self._engine.connect() as connection:
                connection.exec_driver_sql("BEGIN")  # sqlite3 would not, for reading
                self._snapshot = connection
                try:
                    yield connection
                finally:
                    self._snapshot = None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: committed at the end of the block, undone by an exception."""
        if not self.writable:
            raise StorageError(f"{self.name} is open for reading only: open it as writable")
        if self._bounds is not None:
            self._bounds.lift()
        self._written += 1
        with translated(self.name), self._engine.begin() as connection:
            self._transaction = connection
            try:
                yield connection
            finally:
                self._transaction = None

    def use_wal(self) -> None:
        """Let others read while this process appends."""
        with translated(self.name), self._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("PRAGMA synchronous=NORMAL")

    def close(self) -> None:
        """Fold the WAL into the file, unless another process still uses it, and close.

        Raises StorageError when there is no room for that: the file is not whole without its WAL.
        """
        try:
            if self.writable and self.path is not None:
                with translated(self.name):
                    self._fold()
        finally:
            self._engine.dispose()

    def _fold(self) -> None:
        assert self.path is not None
        others = holders(self.path)
        try:
            with self._engine.connect() as connection:
                raw = connection.connection.driver_connection
                assert isinstance(raw, Patient)
                raw.patient = bool(others)  # readers of our own process may wait for us
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
        except DBAPIError as error:
            code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise
            if code == sqlite3.SQLITE_BUSY and others:
                waiting.tell(
                    f"{self.path} is still read by {locked_by(self.path)}: until that has ended, "
                    f"{companion(self.path, WAL)} is a part of it"
                )

    @property
    def bytes(self) -> int:
        """The size of the file, with what is not folded into it yet; 0 in memory."""
        return size_of(self.path) if self.path else 0


def in_memory(first: First | None = None) -> Database:
    """An empty recording that vanishes when closed; `first` as in `create`."""
    return _initialised(Database(_engine(":memory:"), None, writable=True), first)


def temporary() -> Database:
    """As `in_memory`, but SQLite moves what is large to a file of its own, and deletes it."""
    return _initialised(Database(_engine(""), None, writable=True), None)


def create(path: Path, *, force: bool, first: First | None = None) -> Database:
    """A new recording at `path`, empty but for what `first` writes into it: whoever reads the
    file sees it with that, or empty.

    Raises FileExists unless `force`, StorageError when the file cannot be made.
    """
    return _initialised(_created(path, force=force), first)


def create_plain(path: Path, tables: MetaData, *, force: bool) -> Database:
    """A new SQLite file at `path` with other tables than a recording's; raises as `create`."""
    database = _created(path, force=force)
    with database.writing() as connection:
        tables.create_all(connection)
    return database


def _created(path: Path, *, force: bool) -> Database:
    target = new_database(path, force=force)
    with translated(str(path)):
        if force:
            target.unlink(missing_ok=True)
            remove_companions(target)
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            raise FileExists(
                f"{path} exists: choose another name, or overwrite it with --force"
            ) from None
    return Database(_engine(_uri(target, "rw")), path, writable=True)


def open_existing(path: Path, *, writable: bool, declared: Iterable[str] | None = None) -> Database:
    """Open a file that `identify` has accepted, whose tables are `declared` so (None: as today).

    A file that is cut short opens for reading, so that what is left of it can be read. Raises
    NotARecording when the file declares anything that a recording does not, StorageError when one
    that is to be written has a file beside it where its journal would be.
    """
    if writable and (left := journal.foreign(path)):
        raise StorageError(f"{left} is no journal of SQLite, which wants one there: move it away")
    mode = "rw" if writable else "ro"
    uri = _uri(path, mode)
    if not writable and _as_it_is(path):
        uri += "&immutable=1"
    file, wal = path.resolve(), companion(path, WAL)
    bounds = Bounds(str(path), lambda: _sizes(file, wal))

    def guard(connection: sqlite3.Connection) -> None:
        bounds.guard(connection, writable=writable)

    database = Database(_engine(uri, guard), path, writable=writable, bounds=bounds)
    try:
        with database.reading() as connection:
            connection.exec_driver_sql("PRAGMA trusted_schema=OFF")
            connection.exec_driver_sql("PRAGMA cell_size_check=ON")
            if not writable:
                # SQLite's own way to read a file that has fewer pages than its header says.
                connection.exec_driver_sql("PRAGMA writable_schema=ON")
            found = check_declarations(connection, path, declared or statements())
            missing = {table.name for table in (schema.meta, schema.segments)} - found
        if missing:
            raise NotARecording(f"{path} is no gcreplay recording: it has no table {min(missing)}")
    except BaseException:
        database.close()
        raise
    return database


def identify(path: Path) -> int:
    """The schema version of the recording at `path`, from the file's first 100 bytes.

    Raises NotFound, NotARecording, NewerSchema, DamagedFile or StorageError.
    """
    with translated(str(path)):
        try:
            if (kind := other_kind(path)) is not None:  # opening one can wait for ever
                raise NotARecording(f"{path} is a {kind}, no gcreplay recording")
            with path.open("rb") as file:
                header = file.read(100)
        except FileNotFoundError:
            raise NotFound(f"{path} does not exist: record it, or check the name") from None
    if not header.startswith(_MAGIC[: len(header)]) or not header:
        what = "an empty file" if not header else "no SQLite file"
        raise NotARecording(f"{path} is {what}, so no gcreplay recording")
    if len(header) < 100:
        raise DamagedFile(f"{path} is cut short after {len(header)} bytes: nothing is left of it")
    version, application = struct.unpack_from(">I4xI", header, 60)
    if application != schema.APPLICATION_ID:
        raise NotARecording(f"{path} is an SQLite file of another program, no gcreplay recording")
    if version > schema.SCHEMA_VERSION:
        raise NewerSchema(
            f"{path} has schema version {version}, this gcreplay reads up to "
            f"{schema.SCHEMA_VERSION}: use a newer gcreplay"
        )
    return int(version)


def roll_back(path: Path) -> bool:
    """Undo what a command that was killed had half written, if we may; whether there was anything.

    Raises StorageError.
    """
    with translated(str(path)):
        return journal.roll_back(path, _uri(path, "rw"))


def size_of(path: Path) -> int:
    """Bytes of the file and of its WAL, where the newest pages stand."""
    return _sizes(path, companion(path, WAL))


def _sizes(*paths: Path) -> int:
    total = 0
    for path in paths:
        with suppress(OSError):
            total += path.stat().st_size
    return total


def cut_short(path: Path) -> str | None:
    """That the file lacks bytes which its header promises, in a sentence; None for a whole file."""
    with path.open("rb") as file:
        header = file.read(100)
    page: int = struct.unpack_from(">H", header, 16)[0]
    pages: int = struct.unpack_from(">I", header, 28)[0]
    if _has_wal(path):  # the newest pages stand there
        return None
    missing = (65536 if page == 1 else page) * pages - path.stat().st_size
    return f"{path} is cut short: it lacks its last {missing} bytes" if missing > 0 else None


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into ours, naming the file."""
    try:
        yield
    except GcreplayError:
        raise
    except DBAPIError as error:
        raise _translation(name, str(error.orig)) from error
    except sqlite3.Error as error:
        raise _translation(name, str(error)) from error
    except OSError as error:
        raise StorageError(f"{name}: {error.strerror or error}") from error
    except (Malformed, json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedFile(f"{name} is damaged: one of its values is malformed ({error})") from error


def _translation(name: str, reason: str) -> GcreplayError:
    if "not a database" in reason:
        return NotARecording(f"{name} is no SQLite file, so no gcreplay recording")
    if "interrupted" in reason:
        return DamagedFile(
            f"{name} is damaged: its pages lead on without end; `gcreplay info` says how much "
            f"of it is intact"
        )
    if "too big" in reason:
        return DamagedFile(f"{name} is damaged: a value in it is said to be longer than the file")
    if "malformed" in reason or "corrupt" in reason:
        return DamagedFile(
            f"{name} is damaged ({reason}): `gcreplay info` says how much of it is intact"
        )
    table = reason.rpartition("no such table: ")[2]
    if table in {needed.name for needed in schema.NEEDED}:
        return DamagedFile(
            f"{name} is damaged: its table {table} is gone; `gcreplay info` says what is intact"
        )
    if "full" in reason:
        return StorageError(f"{name}: the disk is full: make room, or write elsewhere")
    if "locked" in reason:
        return StorageError(
            f"{name} is locked by {locked_by(Path(name))}: try again when it is done"
        )
    if "readonly" in reason and journal.begun(Path(name)):
        return StorageError(
            f"{name} was left half written by a command that was killed, and may not be put right: "
            f"open it once where both it and {companion(Path(name), JOURNAL)} may be written"
        )
    if "readonly" in reason or "unable to open" in reason:
        return StorageError(f"{name} cannot be opened ({reason}): check its permissions")
    return StorageError(f"{name}: {reason}")


def _initialised(database: Database, first: First | None) -> Database:
    # Before WAL, so that the file's first bytes always say what it is.
    with translated(database.name), database._engine.begin() as connection:
        connection.exec_driver_sql("BEGIN")  # sqlite3 would not, for tables
        connection.exec_driver_sql(f"PRAGMA application_id={schema.APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version={schema.SCHEMA_VERSION}")
        for statement in _tables_to_create():
            connection.exec_driver_sql(statement)
        if first is not None:
            first(connection)
    return database


@cache
def statements() -> tuple[str, ...]:
    """What creates the tables; compiled once, as logs in memory are made by the thousand."""
    tables = schema.metadata.sorted_tables
    return tuple(str(CreateTable(table).compile(dialect=sqlite.dialect())) for table in tables)


@cache
def _tables_to_create() -> tuple[str, ...]:
    projections = {table.name for table in schema.PROJECTIONS}
    tables = zip(schema.metadata.sorted_tables, statements(), strict=True)
    return tuple(statement for table, statement in tables if table.name not in projections)


def _engine(where: str, guard: Callable[[sqlite3.Connection], None] | None = None) -> Engine:
    def connect() -> sqlite3.Connection:
        connection = connected(where)
        if guard is not None:
            guard(connection)
        return connection

    return create_engine(
        "sqlite://", creator=connect, poolclass=StaticPool, json_deserializer=stored_json
    )


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"


def _as_it_is(path: Path) -> bool:
    """Whether SQLite must be told to read the file alone: it would want to make its -shm file where
    it may not, or obey as a journal what is none."""
    barred = not os.access(path.resolve().parent, os.W_OK) and not journal.begun(path)
    return (barred or journal.foreign(path) is not None) and not _has_wal(path)


def _has_wal(path: Path) -> bool:
    return _sizes(companion(path, WAL)) > 0
