"""A connection that says what it waits for, when another process has locked its file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from .. import waiting
from ..holders import holders

PATIENCE_SECONDS: Final = 30.0
SILENT_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 0.02

T = TypeVar("T")


def connected(where: str) -> sqlite3.Connection:
    """A connection to the database of that name or URI, which any thread may use."""
    return sqlite3.connect(
        where,
        uri=where.startswith("file:"),
        timeout=SILENT_SECONDS,
        check_same_thread=False,
        factory=Patient,
    )


def locked_by(path: Path) -> str:
    """Who has locked the file, in words."""
    known = holders(path, kind="WRITE") or holders(path)
    return f"process {known[0]}" if known else "another process"


class _Cursor(sqlite3.Cursor):
    @property
    def _patient(self) -> Patient:
        assert isinstance(self.connection, Patient)
        return self.connection

    def execute(self, *words: Any) -> sqlite3.Cursor:  # type: ignore[override]
        return _patiently(self._patient, lambda: super(_Cursor, self).execute(*words))

    def executemany(self, *words: Any) -> sqlite3.Cursor:  # type: ignore[override]
        return _patiently(self._patient, lambda: super(_Cursor, self).executemany(*words))


class Patient(sqlite3.Connection):
    patient = True
    """Whether it waits for longer than a moment."""

    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)

    def execute(self, *words: Any) -> sqlite3.Cursor:
        return self.cursor().execute(*words)  # type: ignore[no-any-return]

    def commit(self) -> None:
        _patiently(self, super().commit)


def _patiently(connection: Patient, act: Callable[[], T]) -> T:
    """Try until it can be done: for a moment silently, then it is told. What was refused because of
    a lock has changed nothing. Most statements wait for a moment themselves, not all."""
    begun, told = time.monotonic(), False
    while True:
        try:
            return act()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not connection.patient:
                raise
            waited = time.monotonic() - begun
            if waited >= SILENT_SECONDS and not told:
                path = _file_of(connection)
                waiting.tell(
                    f"{path} is locked by {locked_by(Path(path))}: waiting up to "
                    f"{PATIENCE_SECONDS:.0f} seconds for it"
                )
                told = True
            if waited >= PATIENCE_SECONDS:
                raise
        time.sleep(_PAUSE_SECONDS)


def _file_of(connection: sqlite3.Connection) -> str:
    return str(sqlite3.Connection.execute(connection, "PRAGMA database_list").fetchone()[2])
