"""Stored results of replays; see `EventLog.save_run` and its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from .. import values
from ..errors import DamagedFile, NotFound
from ..events import Run
from . import schema


def store(
    connection: Connection,
    policy: str,
    options: dict[str, object],
    result: dict[str, object],
    result_hash: str,
) -> int:
    """Its number."""
    row = {"policy": policy, "options": options, "result": result, "result_hash": result_hash}
    key = connection.execute(insert(schema.runs), row).inserted_primary_key
    assert key is not None
    return int(key[0])


def every(connection: Connection, log: str) -> list[Run]:
    """All of the log of that name, oldest first."""
    rows = connection.execute(select(schema.runs).order_by(schema.runs.c.id))
    return [_run(row, log) for row in rows]


def numbered(connection: Connection, id: int, log: str) -> Run:
    """The one of that number; raises NotFound."""
    row = connection.execute(select(schema.runs).where(schema.runs.c.id == id)).first()
    if row is None:
        raise NotFound(f"{log} has no run {id}: see `gcreplay info`")
    return _run(row, log)


def discard(connection: Connection) -> None:
    """Delete all, damaged ones too."""
    connection.execute(delete(schema.runs))


def _run(row: Sequence[object], log: str) -> Run:
    number, policy, options, result, digest = row
    try:
        for name, value in values.mapping("options", options).items():
            if value is not None:
                values.text(name, value)
        return Run(
            values.whole("id", number, 0, values.I64_MOST),
            values.text("policy", policy),
            values.mapping("options", options),
            values.mapping("result", result),
            values.text("result_hash", digest),
        )
    except ValueError as error:
        raise DamagedFile(f"{log} is damaged: run {number!r}: {error}") from None
