"""The seal of a closed recording: checksums of its tables, in the meta value `checksums`.

Segments and readings carry their own, so of them it has the number of events and of readings; the
tables of names count theirs in names.py, the others here. A table that changes later, as `runs`
does, is sealed anew in the same transaction.
"""

from __future__ import annotations

import json
import zlib

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.sqlite import insert

from ..errors import DamagedFile
from . import schema
from .bounds import stored_json
from .database import Database

KEY = "checksums"
OPEN: dict[str, int] = {}
"""The seal of a recording that is being written: nothing is sure yet."""

_TABLES = (schema.observed, schema.meta, schema.runs, schema.lines, schema.readings)
_NAMES = {table.name for table in schema.NAMES}
_ALL = _NAMES | {table.name for table in (*_TABLES, schema.segments)}
_ALL_2 = _ALL - {schema.readings.name}
_ALL_1 = _ALL_2 - {schema.lines.name}


class Seal:
    """The seal of one file; its methods take the connection of a snapshot or a transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def read(self, connection: Connection) -> dict[str, int]:
        """The checksums by table. Older recordings have those of the names alone, or no `lines`
        and no `readings`.

        Raises DamagedFile when there are none where there must be.
        """
        facts = dict(tuple(row) for row in connection.exec_driver_sql("SELECT * FROM meta"))
        if KEY not in facts and facts.get("complete") == "false":
            return OPEN  # an older version was killed while it recorded
        text = facts.get(KEY)
        seal = stored_json(text) if isinstance(text, str) else None
        if (
            not isinstance(seal, dict)
            or set(seal) not in (set(), _NAMES, _ALL_1, _ALL_2, _ALL)
            or not all(type(value) is int and value >= 0 for value in seal.values())
        ):
            raise DamagedFile(f"{self._db.name} is damaged: its checksums are lost")
        return seal

    def check(self, connection: Connection, table: Table) -> None:
        """Raises DamagedFile when the rows of the table are not those that were sealed."""
        expected = self.read(connection).get(table.name)
        if expected is not None and expected != _checksum(connection, table):
            raise DamagedFile(
                f"{self._db.name} is damaged: its table {table.name} is not what was written; "
                f"`gcreplay info` says what is intact"
            )

    def events(self, connection: Connection) -> int:
        """How many events there must be at least."""
        return self.read(connection).get(schema.segments.name, 0)

    def complete(self, connection: Connection) -> bool:
        """Whether the recording does not say of itself that it is not."""
        said = "SELECT 1 FROM meta WHERE key = 'complete' AND value = 'false'"
        return connection.exec_driver_sql(said).first() is None

    def check_all(self, connection: Connection) -> None:
        """Raises as `check`."""
        for table in _TABLES:
            self.check(connection, table)

    def check_everything(self, connection: Connection) -> dict[str, int]:
        """The checksums by table, which are all right. Raises as `check`."""
        sealed = self.read(connection)
        for table in schema.NAMES:
            if table.name in sealed and sealed[table.name] != names_checksum(connection, table):
                raise DamagedFile(
                    f"{self._db.name} is damaged: its table {table.name} is not what was written"
                )
        for table in _TABLES:
            if table.name in sealed:
                self.check(connection, table)
        return sealed

    def renew(self, connection: Connection, table: Table) -> None:
        """The table was changed on purpose."""
        seal = self.read(connection)
        if table.name in seal:
            _write(connection, {**seal, table.name: _checksum(connection, table)})

    def close(self, connection: Connection, names: dict[str, int], events: int) -> None:
        """Seal what the file holds now; `names` are the checksums of the tables of names."""
        others = {table.name: _checksum(connection, table) for table in _TABLES}
        _write(connection, {**names, **others, schema.segments.name: events})


def leave_open(connection: Connection) -> None:
    """Events are going to be appended."""
    _write(connection, OPEN)


def _write(connection: Connection, seal: dict[str, int]) -> None:
    # It stays the first row: a page that lost its last rows has not lost it with them.
    row = insert(schema.meta).values(key=KEY, value=seal)
    connection.execute(row.on_conflict_do_update(set_={"value": row.excluded.value}))


def names_checksum(connection: Connection, table: Table) -> int:
    """CRC-32 of the rows of a table of names in the file, as `NameTable.checksum` has it."""
    rows = connection.exec_driver_sql(f"SELECT * FROM {table.name} ORDER BY id")
    return zlib.crc32(json.dumps([list(row)[1:] for row in rows]).encode())


def _checksum(connection: Connection, table: Table) -> int:
    """CRC-32 of the rows as they stand in the file, but for the seal itself; of readings, whose
    rows have their own, how many there are."""
    if table is schema.readings:
        numbers = connection.exec_driver_sql("SELECT readings FROM readings")
        return sum(number for (number,) in numbers if type(number) is int)
    rows = connection.exec_driver_sql(f"SELECT * FROM {table.name}")
    lines = sorted(repr(tuple(row)) for row in rows if row[0] != KEY)
    return zlib.crc32("\n".join(lines).encode())
