"""The schema of a recording: one SQLite file.

Every table and column carries its meaning as a comment, and docs/reference/event-log.md is
generated from here (`python -m gcreplay.store.documentation FILE`; a test fails when stale).

The log proper is `segments`; `types`, `sites`, `labels`, `shapes` and `arguments` are what its
events name by number; `meta` and `observed` say what was recorded and what the interpreter's
own collector did, `readings` what objects held, by name. All these are append-only. `runs` holds
results. Tables whose names begin with `by_`, and `objects`, are projections: deleted and rebuilt at
will (see projections.py).

Versions
    1   first version
    2   `sites` has `near`; tables `lines` and `annotation`; WEAKREF events tell uses
    3   table `readings`
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import JSON, BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

from ..events import Op

SCHEMA_VERSION = 3
"""Stored as SQLite's user_version."""

APPLICATION_ID = 0x67637270
"""Stored as SQLite's application_id: "gcrp"."""

metadata = MetaData()


def _id(comment: str) -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=False, comment=comment)


def _int(name: str, comment: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, comment=comment)


def _text(name: str, comment: str) -> Column[str]:
    return Column(name, Text, nullable=False, comment=comment)


def fits(columns: Iterable[Column[object]], row: Sequence[object]) -> bool:
    """Whether the values are of the columns' types; SQLite keeps any value in any column.

    JSON columns hold what they like. There are no negative numbers in a recording but arguments.
    """
    return all(
        isinstance(column.type, JSON)
        or (type(value) is column.type.python_type and not (type(value) is int and value < 0))
        for column, value in zip(columns, row, strict=True)
    )


meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True, comment="name of the fact"),
    Column("value", JSON, comment="its value, as JSON"),
    comment="Facts about the recording: created_by, python, executable, argv, granularity, "
    "full_probe, probe_budget, counts, checkpoints, complete, exit_code, repairs and so on. "
    "`own_cpu_ns` is the CPU time that the program took for itself, `own_cpu_measured_ns` the same "
    "in unrecorded runs. `exit_cpu_ns` is what it took to exit, after the end of the recording. "
    "`pauses` is the model that estimates pauses: its coefficients in ns, what it was fitted to "
    "and its error. "
    "`unusual_types` counts objects by type, of three sorts. `private_free_list`: they died "
    "into a free list of their type. `outlived`: they lived on after a collection that counted "
    "them. `own_blocks`: their type has a tp_free of its own. "
    "`checksums` holds a CRC-32 of every table; for `segments` the number of events, for "
    "`readings` the number of readings.",
)

types = Table(
    "types",
    metadata,
    _id("dense, from 0"),
    _text("module", "module of the type"),
    _text("name", "qualified name in that module"),
    _text("kind", "which built-in type it exactly is, or `other`"),
    _int("finalizer", "0 none, 1 tp_finalize or __del__, 2 legacy tp_del"),
    comment="The types of the recorded objects.",
)

sites = Table(
    "sites",
    metadata,
    _id("dense; 0 is the unknown site"),
    _text("file", "source file"),
    _int("line", "line number, from 1; 0 = unknown"),
    _text("function", "qualified name of the function"),
    _int("near", "1: the birth was noticed late, at another instruction; the line may be another"),
    comment="Where objects were allocated.",
)

lines = Table(
    "lines",
    metadata,
    _id("dense, from 0"),
    _text("file", "source file, as in `sites`"),
    _int("line", "line number, from 1"),
    _text("text", "the line"),
    comment="Lines of source where objects were allocated, as they were when the program ran. "
    "Of each the first 500 characters; none of a file that could not be read then.",
)

labels = Table(
    "labels",
    metadata,
    _id("dense; 0 is the unknown label, 1 marks opaque references"),
    _text("text", "attribute, key, index, slot or cell of a reference; name of a mark"),
    comment="Names of references and marks.",
)

shapes = Table(
    "shapes",
    metadata,
    _id("dense, from 0"),
    _int("type", "id in `types`"),
    _int("size", "bytes of the block, with the header of the garbage collector"),
    _int("flags", "sum of flags: how such an object is born"),
    comment="What many allocations have in common.",
)

arguments = Table(
    "arguments",
    metadata,
    _id("dense, from 0"),
    _text("json", "the argument as JSON text"),
    comment="Arguments of START and GC_CALL events.",
)

segments = Table(
    "segments",
    metadata,
    _id("dense, from 0, in the order of the log"),
    _int("first_sequence", "sequence number of the first event"),
    _int("events", "number of events"),
    _int("first_object", "object id that the first ALLOC gets"),
    *(_int(f"{op.name.lower()}_events", f"number of {op.name} events") for op in Op),
    _int("codec", "version of the payload's encoding"),
    _int("checksum", "CRC-32 over the columns from first_sequence to the counts, and payload"),
    Column("payload", LargeBinary, nullable=False, comment="the events, see codec.py"),
    comment="The log: up to 131,072 consecutive events a row.",
)

observed = Table(
    "observed",
    metadata,
    _id("dense, from 0, in the order they ran"),
    _int("sequence", "event during which it ran"),
    _int("allocation", "id of the triggering object; the next object id for calls"),
    _text("cause", "`threshold` or `call`"),
    _int("generation", "oldest generation collected"),
    _int("candidates", "objects examined"),
    _int("collected", "objects found unreachable, as the interpreter counts them"),
    _int("uncollectable", "objects found uncollectable"),
    _int("long_lived_total", "the interpreter's value after it"),
    _int("long_lived_pending", "the interpreter's value after it"),
    _int("duration_ns", "CPU time of it in nanoseconds, probes excluded"),
    comment="The collections that the recorded interpreter really made.",
)

readings = Table(
    "readings",
    metadata,
    _id("dense, from 0, in the order of the log"),
    _int("readings", "number of readings"),
    _int("links", "number of links, which need not be those of these readings"),
    _int("checksum", "CRC-32 over readings and links (little-endian uint64) and payload"),
    Column("payload", LargeBinary, nullable=False, comment="see encoding/readings.py"),
    comment="What objects held at moments of the recording, by name: up to 131,072 readings and as "
    "many links a row. Older recordings have none.",
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, comment="number of the run, from 1"),
    _text("policy", "the policy's specification"),
    Column("options", JSON, nullable=False, comment="window, apply-from and the like"),
    Column("result", JSON, nullable=False, comment="the result, as `replay --format json`"),
    _text("result_hash", "SHA-256 of the canonical JSON of the result"),
    comment="Results of replays. The same policy, options and result are stored once.",
)

objects = Table(
    "objects",
    metadata,
    Column("object", Integer, primary_key=True, autoincrement=False, comment="object id"),
    _int("sequence", "its ALLOC event"),
    _int("type", "id in `types`"),
    _int("size", "bytes of the block, with the header of the garbage collector"),
    _int("flags", "sum of flags: how it was born"),
    _int("site", "id in `sites`"),
    comment="Projection: one row an object.",
)

by_type = Table(
    "by_type",
    metadata,
    Column("type", Integer, primary_key=True, autoincrement=False, comment="id in `types`"),
    _text("name", "the type as people write it"),
    _int("objects", "objects allocated"),
    _int("bytes", "bytes allocated"),
    comment="Projection: allocations of each type.",
)

by_op = Table(
    "by_op",
    metadata,
    Column("op", Integer, primary_key=True, autoincrement=False, comment="code of the op"),
    _text("name", "name of the op"),
    _int("events", "number of events"),
    comment="Projection: events of each op.",
)

annotation = Table(
    "annotation",
    metadata,
    Column("name", Text, primary_key=True, comment="which array"),
    _int("events", "number of events of the log that it was made of"),
    _int("checksum", "CRC-32 of the payload"),
    Column("payload", LargeBinary, nullable=False, comment="the array, a zstd frame"),
    comment="Projection: what every replay has to know of the log first.",
)

PROJECTIONS = (objects, by_type, by_op, annotation)
"""Deleted and rebuilt at will."""

NEEDED = tuple(table for table in metadata.sorted_tables if table not in PROJECTIONS)
"""What every recording has."""

NAMES = (types, sites, labels, shapes, arguments)
"""What events name by number: ids dense and in order of first use."""

COUNT_COLUMNS = tuple(segments.c[f"{op.name.lower()}_events"] for op in Op)
HEADER_COLUMNS = (
    segments.c.id,
    segments.c.first_sequence,
    segments.c.events,
    segments.c.first_object,
    *COUNT_COLUMNS,
)
