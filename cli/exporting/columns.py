"""The tables of `export --parquet`: their columns, with type and meaning.

A file's metadata has the meaning of each column by its name; docs/guide/notebook.md has the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """type: as pyarrow names it, `text` for strings that repeat. May be null where the meaning says
    when."""

    name: str
    type: str
    meaning: str


OWN: Final = "seconds of the program's own time (waiting counts; collections and recording do not)"

TABLES: Final = {
    "objects": (
        Column("id", "uint32", "number of the object, in the order of births"),
        Column("type", "text", "its type"),
        Column("module", "text", "the module of the type"),
        Column("file", "text", "file of the line that made it; null: not known"),
        Column("line", "uint32", "number of that line; null: not known"),
        Column("function", "text", "function of that line; null: not known"),
        Column("near", "bool", "true: the line is only near the true one"),
        Column("birth", "uint64", "event of its birth; null: it was there before the recording"),
        Column("birth_s", "float64", f"{OWN} at its birth; null: as birth, or nobody knows"),
        Column("death", "uint64", "event of its death; null: alive at the end"),
        Column("death_s", "float64", f"{OWN} at its death; null: as death, or nobody knows"),
        Column("freed_by", "text", "refcount, collector, or alive at the end"),
        Column(
            "generation",
            "uint8",
            "where it stood when it died: 0, 1, 2, or 3 if frozen; null: untracked, or alive",
        ),
        Column(
            "garbage", "uint64", "event after which nothing reached it; null: no cyclic garbage"
        ),
        Column("garbage_s", "float64", f"{OWN} then; null: as garbage, or nobody knows"),
        Column("bytes", "uint64", "bytes at its death or the end, with what it owns alone"),
        Column("type_id", "uint32", "its type in types"),
        Column("site_id", "uint32", "its line in sites; 0: not known"),
    ),
    "collections": (
        Column("run", "text", "recorded, or the policy of the replay"),
        Column("number", "uint32", "from 0 in each run"),
        Column("event", "uint64", "event during which it ran"),
        Column("own_s", "float64", f"{OWN} when it began; null: nobody knows"),
        Column(
            "begin_s", "float64", "own_s and the seconds of all collections before; null: as own_s"
        ),
        Column("pause_s", "float64", "seconds it took; null: nobody knows"),
        Column("estimated", "bool", "true: pause_s is an estimate"),
        Column("generation", "uint8", "the oldest generation that it collected"),
        Column("cause", "text", "threshold, call, or the policy"),
        Column("candidates", "uint64", "objects it looked at"),
        Column("collected", "uint64", "unreachable objects it found"),
        Column("uncollectable", "uint64", "of them those it could not free"),
        Column("heap_size", "uint64", "tracked objects after it; null: the replay did not make it"),
    ),
    "marks": (
        Column("event", "uint64", "event of the mark"),
        Column("own_s", "float64", f"{OWN}; null: nobody knows"),
        Column("label", "text", "as the program set it"),
        Column("kind", "text", "the label with # for each number"),
    ),
    "sites": (
        Column("id", "uint32", "number of the site; 0 is the unknown one"),
        Column("file", "text", "file name"),
        Column("line", "uint32", "line number"),
        Column("function", "text", "name of the function"),
        Column("near", "bool", "true: the line is only near the true one"),
    ),
    "types": (
        Column("id", "uint32", "number of the type"),
        Column("module", "text", "its module"),
        Column("name", "text", "its qualified name"),
        Column("kind", "text", "a built-in type that collectors treat apart, or other"),
        Column("finalizer", "uint8", "0 none, 1 __del__ or tp_finalize, 2 tp_del"),
    ),
}
