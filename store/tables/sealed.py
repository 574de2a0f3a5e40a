"""The tables under the seal: read and changed only as what was written, and what the log says of
itself as a whole, when it is first read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Connection, Table, insert, select

from ..errors import DamagedFile
from ..facts import checked
from . import schema, seal
from .database import Database, First
from .names import Names, NameTable


@dataclass(slots=True)
class Summary:
    """complete: whether it may be called so. unfinished: whether its recorder has not closed it.
    events: how many there must be. facts: the rows of the meta; None: to be read, or damaged."""

    complete: bool = True
    unfinished: bool = False
    events: int = 0
    facts: dict[str, object] | None = None


class SealedTables:
    """Those of one file. `with_the_first` reads what else must stay as it was when first read."""

    def __init__(
        self, database: Database, names: Names, with_the_first: Callable[[], object]
    ) -> None:
        self._db = database
        self._names = names
        self._names_checked = False
        self._loaded_at: dict[str, int] = {}
        self._with_the_first = with_the_first
        self._first: Summary | None = None
        self._read_at: int | None = None
        self._seal = seal.Seal(database)

    def whole(self) -> Summary:
        """What is said of the log as a whole: as it was when first read, for whoever writes it may
        go on, and end."""
        version = self._db.version
        same = not self._db.writable or (version is not None and version == self._read_at)
        if self._first is not None and same:
            return self._first
        summary = Summary()
        with self._db.reading() as connection:  # one snapshot
            with suppress(DamagedFile):
                summary.complete = self._seal.complete(connection)
                summary.unfinished = not summary.complete and not self._seal.read(connection)
                summary.events = self._seal.events(connection)
            if not self._db.writable or version is not None:
                with suppress(DamagedFile):
                    summary.facts = self._facts()
            if not self._db.writable:
                self._with_the_first()
        self._first, self._read_at = summary, version
        return summary

    def meta(self) -> dict[str, object]:
        """See `EventLog.meta`."""
        summary = self.whole()
        said = dict(self._facts() if summary.facts is None else summary.facts)
        for key in (seal.KEY, "schema"):
            said.pop(key, None)
        if "complete" in said and not summary.complete:
            said["complete"] = False
        try:
            return {"schema": schema.SCHEMA_VERSION, **checked(said)}
        except ValueError as error:
            raise DamagedFile(f"{self._db.name} is damaged: {error}") from None

    def _facts(self) -> dict[str, object]:
        """The rows of the meta."""
        with self.reading(schema.meta) as connection:
            rows = connection.execute(select(schema.meta.c.key, schema.meta.c.value))
            return {row.key: row.value for row in rows}

    def rows(self, names: NameTable) -> list[tuple[object, ...]]:
        """Of one of the tables of names, as the file has them."""
        version = self._db.version
        if version is None or version != self._loaded_at.get(names.name):
            with self._db.reading() as connection:
                names.load(connection, self._db.name)
            if not self._names_checked:
                self.check_names()
            if version is not None:
                self._loaded_at[names.name] = version
        return names.rows

    def check_names(self) -> None:
        """Load them all, those of a closed recording are checked once; raises DamagedFile when they
        are not those that were sealed."""
        with self._db.reading() as connection:
            expected = self._seal.read(connection)
            self._names.load(connection, self._db.name)
        found = self._names.checksums()
        if expected and any(expected[name] != checksum for name, checksum in found.items()):
            raise DamagedFile(
                f"{self._db.name} is damaged: its types, sites and labels are not those that were "
                "written, so only `gcreplay info` and undecoded events can be trusted"
            )
        self._names_checked = True

    def reopen(self) -> None:
        """Events are going to be appended. What is there is checked, and read first: that is
        bounded."""
        with self._db.reading() as connection:
            self._seal.check_all(connection)
        with self._db.writing() as connection:
            self._seal.check_all(connection)
            seal.leave_open(connection)

    def close(self, said: Mapping[str, object], events: int) -> None:
        """Nothing more is appended: at once, so that who reads it sees all of it or none."""
        with self._db.writing() as connection:
            store_facts(connection, said)
            self._seal.close(connection, self._names.checksums(), events)

    @contextmanager
    def reading(self, table: Table) -> Iterator[Connection]:
        """A snapshot in which the table is known to be what was written."""
        with self._db.reading() as connection:
            self._seal.check(connection, table)
            yield connection

    @contextmanager
    def changing(self, table: Table) -> Iterator[Connection]:
        """A transaction that changes such a table, which is read first: that is bounded."""
        with self.reading(table):
            pass
        with self._db.writing() as connection:
            self._seal.check(connection, table)
            yield connection
            self._seal.renew(connection, table)

    @contextmanager
    def rewriting(self, table: Table) -> Iterator[Connection]:
        """A transaction that writes such a table anew, whatever it held."""
        with self._db.writing() as connection:
            yield connection
            self._seal.renew(connection, table)


def first_facts(meta: Mapping[str, object] | None) -> First:
    """What a new log says of itself from the first."""
    said = {"complete": False, **(meta or {})}
    checked(said)

    def write(connection: Connection) -> None:
        seal.leave_open(connection)
        store_facts(connection, said)

    return write


def store_facts(connection: Connection, said: Mapping[str, object]) -> None:
    """Write them, over those of the same keys."""
    rows = [{"key": key, "value": value} for key, value in said.items()]
    if rows:
        connection.execute(insert(schema.meta).prefix_with("OR REPLACE"), rows)
