"""Generates docs/reference/event-log.md: `python -m gcreplay.store.documentation FILE`."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Table

from .builder import TraceBuilder
from .events import FLAG_MEANING, KINDS, NO_OBJECT, SEGMENT_EVENTS, Flag, GcCall, Op, StartState
from .exchange import rows
from .exchange.jsonl import export_jsonl
from .readings import Reason
from .rules.operands import RULES
from .tables import schema

OPERANDS: dict[Op, tuple[str, str, str, str]] = {
    Op.START: (
        "argument",
        "",
        "",
        "Recording begins, with the collector in this state. What stands before is the *found "
        "heap*: objects, references, tracking with generation and list order, weak references. It "
        "triggers nothing. A log without START begins with an empty heap.",
    ),
    Op.ALLOC: (
        "object",
        "shape",
        "site",
        "The object exists, with reference count 1, held by running code. Ids are dense, in "
        "order of allocation.",
    ),
    Op.INCREF: (
        "object",
        "n",
        "label",
        "Running code, or anything that is no recorded object, takes n >= 1 references.",
    ),
    Op.DECREF: (
        "object",
        "n",
        "label",
        "It drops n >= 1 of its references. At 0 the object dies at once, and "
        "each of its links is undone.",
    ),
    Op.LINK: (
        "source",
        "target",
        "label",
        "The source takes one reference to the target. n references are n events, and parallel "
        "links are allowed. A link to a container tracks an untracked exact dict, unless that "
        "container is an untracked exact tuple. Engines derive that. They derive the same for a "
        "tuple whose links became known only after it was untracked.",
    ),
    Op.UNLINK: (
        "source",
        "target",
        "label",
        "It drops one link to that target: the youngest with that label. If there is none, the "
        "youngest without a label. If there is none either, the youngest.",
    ),
    Op.KEPT: (
        "object",
        "",
        "",
        "The storage of the object that just died went to a free list, so the young counter did "
        "not move. It stands once, after the event that killed the object and before the next "
        "ALLOC or GC_CALL. An object that only garbage held, and that a collector freed in the "
        "recorded run, has it where it died. No later event names that object.",
    ),
    Op.RESIZE: (
        "object",
        "bytes, low 32 bits",
        "bytes, high 32 bits",
        "So many bytes (signed) more than the block it was born with are now its own: memory "
        "outside that it alone owns, or a block that has grown or shrunk. A dead tuple goes to the "
        "free list of its last size.",
    ),
    Op.TRACK: (
        "object",
        "generation",
        "",
        "The collector starts to see the object, at the end of the young list. If it is tracked "
        "already, it moves there. In the found heap it goes to the end of the list of generation "
        "0, 1, 2 or 3 (permanent). After it 4 says that nothing frees the object when a "
        "collector has found it: no `tp_clear` takes it apart, or its `tp_dealloc` "
        "saves it. Such an object is counted as collected. It refers no more to the garbage that "
        "is freed, and goes to where survivors go. Engines know that from its birth on.",
    ),
    Op.UNTRACK: (
        "object",
        "",
        "",
        "The collector stops seeing the object, for a cause of the program. In the found heap it "
        "names a dict that stays untracked although one of its links would have tracked it.",
    ),
    Op.GC_CALL: (
        "call",
        "argument",
        "0 from Python, 1 from C, 1 + site",
        "The program calls the `gc` module, or its C functions. The argument is a JSON list of "
        "integers. Operand c is 1 + the site of the Python code that calls it, if that is known.",
    ),
    Op.INSIDE: (
        "object or none",
        "1 begin, 0 end",
        "",
        "The events between the two happened in a finalizer or weak reference callback of that "
        "object, its owner, during a recorded collection. They trigger nothing. They move with the "
        "collection that finds the owner. Regions do not nest.",
    ),
    Op.SAFEPOINT: ("", "", "", "A collector that defers its work may run here."),
    Op.MARK: ("label", "", "", "The program's own boundary: a request, a frame, a test."),
    Op.TICK: (
        "ns, low 32 bits",
        "ns, high 32 bits",
        "",
        "Program time here, in nanoseconds, probes and recorded collections excluded.",
    ),
    Op.WEAKREF: (
        "weak reference object",
        "target",
        "1 with callback, 2 hit, 3 miss",
        "The first object refers weakly to the target. It holds no count, has one target, once, "
        "and lapses when either dies. Hit: the program asks it and gets the target. Miss: it gets "
        "None, since its target is dead.",
    ),
}
"""For each op: what a, b and c are (empty: always 0), and what the event means."""


REASONS: dict[Reason, str] = {
    Reason.GARBAGE: "the collection under way has just found it, before any finalizer runs",
    Reason.MARK: "with all of the heap, at a mark of the program",
    Reason.END: "with all of the heap, at the end of the program",
    Reason.LOOK: "at a probe that found its links changed; only with `record --labels`",
}


def document() -> str:
    """The text of docs/reference/event-log.md."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# The event log"
    yield ""
    yield "<!-- Generated by `python -m gcreplay.store.documentation FILE`. -->"
    yield ""
    yield (
        "You get: every event and every table of a recording, for programs that read or write one. "
        "A log says what a *program* did to its heap, never what a collector did. So one log "
        "serves every policy. Logical time is the sequence number of an event: its index in the "
        "log, from 0. The reference count of an object is the number of references that running "
        "code holds plus its incoming links. That is the whole semantics: under `never` a replay "
        "frees every acyclic object at exactly the event where the program freed it."
    )
    yield from _section("Events")
    yield f"An event is an op and three unsigned 32-bit operands. `{NO_OBJECT:#x}` is no object."
    yield ""
    table = [(f"`{op.name}`", str(int(op)), *OPERANDS[op]) for op in Op]
    yield from _table(("op", "code", "a", "b", "c", "meaning"), table)
    yield from _section("Flags of a shape")
    flags = [(f"`{flag.name}`", str(int(flag)), FLAG_MEANING[flag]) for flag in Flag]
    yield from _table(("flag", "value", "meaning"), flags)
    yield from _section("Labels")
    yield (
        "Label 0 is unknown. Label 1, `(opaque)`, marks a reference that is held but not shown by "
        "`tp_traverse`: it is undone when its source dies, and no cycle detection sees it."
    )
    yield ""
    yield (
        "Labels of INCREF, DECREF and UNLINK say what a reference is for, if anything. In a "
        "recording they mark *repairs*: events that nobody saw. Only the later death of an object, "
        "or the fact that it lives on, tells of them:"
    )
    yield ""
    yield "* `(stale link)` undoes a link to an object that died while the log still had that link."
    yield "* `(late decref)` drops the references to an object that died, where several were known."
    yield "* `(hold)` takes one to an object that lives on although all known holders died."
    yield "* `(opaque)` drops those that an opaque link takes the place of."
    yield from _section("Types")
    kinds = ", ".join(f"`{kind}`" for kind in KINDS)
    yield f"Kinds, of exact types only, not of subclasses: {kinds}."
    yield "The length of a tuple is (size - 40) / 8."
    yield from _section("gc calls")
    yield from _table(
        ("call", "code"), [(f"`{call.name.lower()}`", str(int(call))) for call in GcCall]
    )
    yield from _section("The state at START")
    yield "The argument of START, here with the values that a log without START begins with:"
    yield from _block("json", StartState().to_json())
    yield "`tuple` counts free tuples of length 1 to 20."
    yield from _section("Rules")
    yield (
        "Validity is judged by reference counting alone, as no collector is part of a log. "
        "A broken rule is reported with the sequence number and the event."
    )
    yield ""
    yield from (f"* {rule.format('N')}" for rule in RULES if rule)
    yield from _section("The file")
    yield (
        f"A recording is one SQLite file with application id `{schema.APPLICATION_ID:#x}` and the "
        f"schema version, now {schema.SCHEMA_VERSION}, as its user version. Files of older "
        "versions are converted when opened. While a recording is written it is in WAL mode, and "
        "others can read it. Closing folds the WAL back. Opening executes nothing from the file. "
        "A file may declare only these tables, as they are created here. One with anything else is "
        "refused: a trigger, a view, a virtual table, a column, an index, another table. Tables of "
        "your own stand in another file, from which a recording can be attached. Reading takes no "
        "more steps, texts and segments than a file of its size has a use for."
    )
    recording = list(schema.metadata.tables.values())
    yield from _schema(recording)
    yield from _section("Segments")
    yield (
        f"Up to {SEGMENT_EVENTS:,} events are encoded together, so an event takes between 0.1 and "
        "2 bytes. The payload begins with a table of lengths. Seven streams follow, each a zstd "
        "frame: ops (4 bits an event), ages of objects, ages of targets, shapes and sites of "
        "allocations, labels, and all other operands. An age is the next object id minus the id. "
        "All but the ops are group varints. Ids of allocations follow from their order and take no "
        "space. `store/encoding/_codec.pyx` has the details. A segment whose checksum does not "
        "match is reported; the others stay readable."
    )
    yield from _section("Readings")
    yield (
        "A reading says what one object held at one moment, by name. It has a title: what a person "
        "would call the object. For each of its links to a recorded object it has the target and a "
        "label. A label is an id in `labels`. With the bits `0x80000000` it is an index in a list "
        "or tuple. With `0xc0000000` it is a position among all that the object holds, which is no "
        "name. Readings are no events, and no replay depends on them. The time of each is the "
        "number of events before it. An object is read for a reason:"
    )
    yield ""
    yield from _table(
        ("reason", "code", "when"), [(f"`{r.name}`", str(int(r)), REASONS[r]) for r in Reason]
    )
    yield ""
    yield (
        "Labels are written so: an attribute, slot or C field `.order`. The value of a dict by its "
        "key `['name']`; if the key is no text, by its type `[int]`. A key of a dict `(key)`. An "
        "element of a set `(element)`. A local of a frame, generator or coroutine `:name`, what "
        "stands on its stack `:(stack)`. The `__dict__` of an instance is an object of its own, "
        "`.__dict__`."
    )
    yield from _section("Rows for plain SQL")
    yield (
        "`gcreplay export --rows` writes a SQLite file of its own with a row an event, and copies "
        "of `types` and `sites`:"
    )
    yield from _schema([rows.events])
    yield from _section("JSON Lines")
    yield (
        "One event a line, after a header. `gcreplay export` writes all keys; a writer may leave "
        "out `names`, `observed`, `lines` and every key with a default (`n`: 1, `label`, `site`, "
        "and of alloc all but `object`). `link` and `unlink` take an `n`, too. A reading is a line "
        "at its place, with `op` `read`: of each of its `links` the target and a text, an index or "
        '`{"child": position}`. These lines of Python make the log below:'
    )
    yield from _block("python", EXAMPLE.strip())
    yield from _block("json", _example())


EXAMPLE = """
from gcreplay.store import TraceBuilder

b = TraceBuilder()
a = b.alloc("list", size=56, site=("demo.py", 1, "main"))
d = b.alloc("dict")
b.link(a, d, label="[0]")
b.link(d, a, label="back")
b.decref(d)
b.decref(a)
b.read(a, [(d, 0)], title="rows")
b.gc_call("collect", 2)
b.mark("done")
log = b.build()
"""


def _example() -> str:
    names: dict[str, object] = {"TraceBuilder": TraceBuilder}
    exec(EXAMPLE, names)
    log = names["log"]
    out = io.StringIO()
    export_jsonl(log, out)  # type: ignore[arg-type]
    lines = out.getvalue().splitlines()
    return "\n".join(['{"gcreplay": 1, "meta": {"counts": "exact"}}', *lines[1:]])


def _schema(tables: Iterable[Table]) -> Iterator[str]:
    for table in tables:
        yield ""
        yield f"### `{table.name}`"
        yield ""
        yield str(table.comment)
        yield ""
        columns = [
            (f"`{column.name}`", str(column.type).lower(), str(column.comment))
            for column in table.columns
        ]
        yield from _table(("column", "type", "meaning"), columns)


def _section(title: str) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""


def _block(language: str, text: str) -> Iterator[str]:
    yield ""
    yield f"```{language}"
    yield text
    yield "```"
    yield ""


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in body:
        yield "| " + " | ".join(row) + " |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
