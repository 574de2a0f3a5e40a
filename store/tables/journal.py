"""The journal of a command that was killed while it stored something in a recording.

It holds what stood in the file before. SQLite puts that back when the file is next opened for
writing, and lets nobody read it until then. What is no journal of SQLite's has no say.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from ..errors import StorageError
from ..place import JOURNAL, companion, other_kind
from .patience import connected

_MAGIC = bytes.fromhex("d9d505f920a163d7")


def begun(path: Path) -> bool:
    """Whether the file at `path` has a journal of SQLite's, by which it may have to be put back."""
    return _ends(companion(path, JOURNAL))[0] == _MAGIC


def foreign(path: Path) -> Path | None:
    """What stands in the journal's place, is none, and would keep SQLite from reading."""
    journal = companion(path, JOURNAL)
    if not os.path.lexists(journal):
        return None
    try:
        if other_kind(journal) is not None:
            return journal
    except OSError:  # a link that leads nowhere for ever
        return journal
    first, _ = _ends(journal)
    return journal if first not in (b"", _MAGIC) and first[0] else None


def roll_back(path: Path, uri: str) -> bool:
    """Put back what a command that was killed had half written, where we may write; whether there
    was a journal to do so by.

    Raises StorageError for a journal that leads to other files: none of ours does.
    """
    journal = companion(path, JOURNAL)
    first, last = _ends(journal)
    may = all(os.access(place, os.W_OK) for place in (path, journal, journal.parent))
    if first != _MAGIC or not may:
        return False
    if last == _MAGIC:
        raise StorageError(
            f"{journal} is of another program, which wrote several files at once: let that open "
            f"{path.name} first"
        )
    with closing(connected(uri)) as connection:
        connection.execute("PRAGMA user_version").fetchone()  # the first reading does it
    return True


def _ends(journal: Path) -> tuple[bytes, bytes]:
    """The first and the last eight bytes; none when it cannot be read."""
    try:
        if other_kind(journal) is not None:
            return b"", b""
        with journal.open("rb") as file:
            first = file.read(8)
            file.seek(max(8, file.seek(0, os.SEEK_END) - 8))
            return first, file.read(8)
    except OSError:
        return b"", b""
