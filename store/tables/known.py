"""Whether a file declares what a recording declares, and nothing else.

What SQLite finds declared in a file it obeys: a trigger runs when a row is written, a view or a
virtual table runs code in place of reading, a generated column and a constraint compute. So a
recording is opened only when every declaration in it is, to the letter, one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection

from ..errors import DamagedFile, NotARecording

_CREATED = re.compile(r'CREATE TABLE "?(\w+)"?')
_DECLARED = "SELECT type, name, tbl_name, sql, rootpage FROM sqlite_master"


def check_declarations(connection: Connection, path: Path, known: Iterable[str]) -> set[str]:
    """The names of the tables in the file, which are declared as `known` statements declare them.

    Raises NotARecording for anything else that is declared, naming it, DamagedFile for what
    cannot be told from damage.
    """
    statements: dict[str, set[str]] = {}
    for statement in known:
        created = _CREATED.match(_spaced(statement))
        assert created is not None
        statements.setdefault(created[1], set()).add(_spaced(statement))
    tables: set[str] = set()
    roots: set[int] = set()
    for kind, name, table, sql, root in connection.exec_driver_sql(_DECLARED):
        if not all(isinstance(text, str) for text in (kind, name, table)):
            raise DamagedFile(f"{path} is damaged: what it declares is no text")
        own_index = kind == "index" and sql is None and table in statements
        if not own_index and not (kind == "table" and name in statements):
            raise NotARecording(
                f"{path} declares the {kind} {name}, which no recording has, so it is not opened: "
                f"drop the {kind} in a copy, and keep tables of your own in another file"
            )
        if not own_index and (not isinstance(sql, str) or _spaced(sql) not in statements[name]):
            raise NotARecording(
                f"{path} declares its table {name} otherwise than a recording does, so it is not "
                f"opened: it is damaged, or another program has changed it"
            )
        if root in roots or (kind == "table" and name in tables):
            raise DamagedFile(f"{path} is damaged: two of its tables are one")
        roots.add(root)
        if kind == "table":
            tables.add(name)
    return tables


def _spaced(sql: str) -> str:
    """The statement with single spaces."""
    return " ".join(sql.split())
