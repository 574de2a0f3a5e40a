"""Results that are stored in a log."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection, Table

from . import values
from .events import Run
from .tables import database as db
from .tables import runs, schema, sealed


class StoredResults:
    """That part of `EventLog`."""

    _db: db.Database
    _tables: sealed.SealedTables
    _changing: Callable[[Table], AbstractContextManager[Connection]]

    def save_run(
        self, policy: str, options: dict[str, object], result: dict[str, object], result_hash: str
    ) -> int:
        """Store a result and return its number; an equal one that is stored gives its number."""
        for run in self.runs():
            if (run.policy, run.options, run.result_hash) == (policy, options, result_hash):
                return run.id
        values.text("policy", policy)
        with self._changing(schema.runs) as connection:
            return runs.store(connection, policy, options, result, result_hash)

    def runs(self) -> list[Run]:
        """All stored results, oldest first."""
        with self._tables.reading(schema.runs) as connection:
            return runs.every(connection, self._db.name)

    def run(self, id: int) -> Run:
        """The stored result of that number; raises NotFound."""
        with self._tables.reading(schema.runs) as connection:
            return runs.numbered(connection, id, self._db.name)

    def discard_runs(self) -> None:
        """Delete all stored results, damaged ones too."""
        with self._tables.rewriting(schema.runs) as connection:
            runs.discard(connection)
