"""What a recording tells beside its events: collections as the interpreter made them, and lines of
source."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, insert, select

from ..errors import DamagedFile
from ..events import ObservedCollection
from . import schema

_OBSERVED = [column for column in schema.observed.columns if column.name != "id"]
_LINE = (schema.lines.c.file, schema.lines.c.line, schema.lines.c.text)


def observed(
    connection: Connection, before: int | None, log: str
) -> tuple[ObservedCollection, ...]:
    """The collections in the order they ran, those before that event (None: all)."""
    known = select(*_OBSERVED).order_by(schema.observed.c.id)
    if before is not None:
        known = known.where(schema.observed.c.sequence < before)
    rows = connection.execute(known).all()
    if not all(schema.fits(_OBSERVED, row) and row.generation <= 2 for row in rows):
        raise DamagedFile(f"{log} is damaged: a recorded collection is malformed")
    return tuple(ObservedCollection(*row) for row in rows)


def lines(connection: Connection, log: str) -> dict[tuple[str, int], str]:
    """By file and line number."""
    rows = connection.execute(select(*_LINE)).all()
    if not all(schema.fits(_LINE, row) for row in rows):
        raise DamagedFile(f"{log} is damaged: a line of source is malformed")
    return {(file, line): text for file, line, text in rows}


def add_lines(connection: Connection, lines: Mapping[tuple[str, int], str]) -> None:
    """None of which the file has yet."""
    last = connection.execute(select(func.max(schema.lines.c.id))).scalar()
    first = 0 if last is None else last + 1
    rows = [
        {"id": first + i, "file": file, "line": line, "text": text}
        for i, ((file, line), text) in enumerate(lines.items())
    ]
    if rows:
        connection.execute(insert(schema.lines), rows)
