"""Recordings damaged at random, and what reading one may take: counted, not timed."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gcreplay.store.tables import bounds, database

PAGE = 4096


@dataclass
class Work:
    """What SQLite did: thousands of steps, statements, and bytes of text that it gave."""

    kilosteps: int = 0
    statements: int = 0
    text: int = 0


@contextmanager
def counted(patch: pytest.MonkeyPatch) -> Iterator[Work]:
    """Counts what is done with recordings that are opened in the block."""
    work = Work()

    class Counted(bounds.Bounds):
        def guard(self, connection: sqlite3.Connection, *, writable: bool) -> None:
            super().guard(connection, writable=writable)
            connection.set_trace_callback(self._statement)

        def _statement(self, statement: str) -> None:
            work.statements += 1

        def _step(self) -> bool:
            work.kilosteps += 1
            return super()._step()

        def _text(self, raw: bytes) -> str:
            work.text += len(raw)
            return super()._text(raw)

    with patch.context() as changed:
        changed.setattr(database, "Bounds", Counted)
        yield work


def damaged(content: bytes, draw: random.Random) -> bytes:
    """The bytes of a recording after one to four accidents."""
    data = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        pages = len(data) // PAGE
        if pages < 2:
            break
        here, there = (PAGE * draw.randrange(1, pages) for _ in range(2))
        match draw.randrange(6):
            case 0:  # pages change places
                data[here : here + PAGE], data[there : there + PAGE] = (
                    data[there : there + PAGE],
                    data[here : here + PAGE],
                )
            case 1:  # a page stands twice
                data[here : here + PAGE] = data[there : there + PAGE]
            case 2:  # a page leads to another
                data[here + 8 : here + 12] = (1 + draw.randrange(pages)).to_bytes(4, "big")
            case 3:  # the cells of a page lead to others
                at = here + draw.randrange(0, PAGE - 4)
                data[at : at + 4] = (1 + draw.randrange(pages)).to_bytes(4, "big")
            case 4:
                at = draw.randrange(100, len(data))
                data[at] ^= 1 << draw.randrange(8)
            case 5:
                del data[draw.randrange(PAGE, len(data)) :]
    return bytes(data)


def odd_values(path: Path, draw: random.Random) -> None:
    """Put numbers, texts and nothing where a row has something else; checksums are not renewed."""
    tables = ("meta", "types", "sites", "labels", "shapes", "arguments", "segments", "observed")
    odd = ["NULL", "-1", "0", "1 << 31", "1 << 40", "9223372036854775807", "'x'", "x'00'", "1.5"]
    with sqlite3.connect(path) as connection:
        for _ in range(draw.randint(1, 3)):
            table = draw.choice((*tables, "runs"))
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            statement = (
                f"UPDATE OR IGNORE {table} SET {draw.choice(columns)} = {draw.choice(odd)} "
                f"WHERE rowid % 3 = {draw.randrange(3)}"
            )
            try:
                connection.execute(statement)
            except sqlite3.IntegrityError:  # a key, or NOT NULL
                continue
