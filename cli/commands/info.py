"""`gcreplay info`: what a recording holds, and whether all of it can be read."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from gcreplay.help import Sectioned
from gcreplay.options import trace_argument
from gcreplay.replay.estimates.pauses import PauseModel
from gcreplay.report.words.places import short
from gcreplay.screen.here import here
from gcreplay.screen.outcome import milliseconds
from gcreplay.screen.output import Report, chosen_table, format_option, next_command, show
from gcreplay.screen.pauses import model_words, pause_model
from gcreplay.screen.progress import reading
from gcreplay.screen.tables.table import Cell, Size, Table
from gcreplay.store import EventLog
from gcreplay.store.ending import signal_name
from gcreplay.store.errors import DamagedFile, InvalidLog
from gcreplay.store.marks import as_named, with_marks_read
from gcreplay.store.tables.database import size_of
from gcreplay.store.tables.schema import SCHEMA_VERSION
from gcreplay.trace import opened_with_recorder, recoverable

T = TypeVar("T")
NAMED_MARKS = 12
"""So many different marks are named."""
LAST_RUNS = 5
META = (
    "python",
    "executable",
    "argv",
    "exit_code",
    "children",
    "own_cpu_ns",
    "exit_cpu_ns",
    "granularity",
    "full_probe",
    "probe_budget",
    "labels",
    "counts",
    "checkpoints",
)


@click.command(cls=Sectioned)
@trace_argument
@format_option("facts", "marks", "events", "runs")
def command(trace: Path, output_format: str) -> None:
    """Say what a recording holds: events, objects, the interpreter's own collections, marks, runs.

    Every segment is read and its checksum verified. Exit code 1 when some events are damaged;
    those before them stay readable.

    \b
    Example:
      gcreplay info demo.gcreplay
    """
    careful = _Reading()
    log, recorder = opened_with_recorder(trace)
    with log, reading(log, "reading"):
        payload = _facts(trace, log, careful)
        payload["being_recorded"] = recorder
        recovered = dict(careful(lambda: log.meta.items())).get("recovered")
        damage = log.damage
    known = payload["complete"] or recovered or payload["being_recorded"]
    advice = None if known else recoverable(trace)
    remarks = [advice[0].upper() + advice[1:]] if advice else []
    then = next_command("replay", trace) if payload["events"] else ""
    report = Report(
        _tables(payload), payload, tuple(remarks), notes=tuple(_notes(payload)), then=then
    )
    show(report, output_format)
    intact, events = payload["intact_events"], payload["events"]
    if damage or intact < events:
        what = damage or f"{trace} is damaged"
        raise DamagedFile(f"{what}: the first {intact:,} of {events:,} events are good")
    if careful.damage is not None:
        raise careful.damage


class _Reading:
    """Reads what is intact; `damage` is the first thing that was not."""

    def __init__(self) -> None:
        self.damage: DamagedFile | InvalidLog | None = None

    def __call__(self, read: Callable[[], Iterable[T]]) -> list[T]:
        try:
            return list(read())
        except (DamagedFile, InvalidLog) as error:
            self.damage = self.damage or error
            return []


def _facts(trace: Path, log: EventLog, reading: _Reading) -> dict[str, Any]:
    """The JSON of `info`, without what is damaged."""
    meta: dict[str, Any] = dict(reading(lambda: log.meta.items()))
    observed = reading(lambda: log.observed)
    marks = reading(log.marks)
    runs = reading(log.runs)
    model = _model(log)
    generations = max((each.generation for each in observed), default=2) + 1
    return {
        "trace": str(trace),
        "schema": SCHEMA_VERSION,
        "complete": bool(meta.get("complete", False)),
        "events": log.event_count,
        "intact_events": log.intact_events(),
        "objects": log.object_count,
        "program_ns": max(reading(log.program_times), default=None),
        "bytes": size_of(trace),
        "events_by_kind": {op.name.lower(): n for op, n in log.op_counts.items() if n},
        "observed_collections_by_generation": [
            sum(each.generation == g for each in observed) for g in range(max(3, generations))
        ],
        "observed_collected": sum(each.collected for each in observed),
        **{name: meta.get(name) for name in META},
        "repairs": meta.get("repairs") or {},
        "pause_model": model and model.to_json(),
        "marks": [{"sequence": sequence, "label": label} for sequence, label in marks],
        "runs": [
            {
                "run": run.id,
                "policy": run.policy,
                "options": run.options,
                "result_hash": run.result_hash,
            }
            for run in runs
        ],
    }


def _model(log: EventLog) -> PauseModel | None:
    try:
        return pause_model(log)
    except (DamagedFile, InvalidLog):
        return None


def _tables(facts: dict[str, Any]) -> tuple[Table, ...]:
    facts_table = Table(("fact", "value"), tuple(_lines(facts)), key="facts", bare=True)
    tables = [facts_table, *_asked(facts)]
    if facts["runs"] and chosen_table() in (None, "runs"):
        asked = chosen_table() is not None
        runs = facts["runs"] if asked else facts["runs"][-LAST_RUNS:]
        rows = tuple(
            (
                f"#{run['run']}",
                with_marks_read(run["policy"]),
                _options(run["options"]),
            )
            for run in runs
        )
        title = f"Stored runs, named as {facts['trace']}{rows[-1][0]}"
        if len(runs) < len(facts["runs"]):
            title += f": the last {len(runs)} of {len(facts['runs']):,} (--table runs)"
        tables.append(Table(("run", "policy", "options"), rows, title=title, key="runs"))
    return tuple(tables)


def _asked(facts: dict[str, Any]) -> list[Table]:
    """Tables of which the first has a line: shown where `--table` asks for them."""
    match chosen_table():
        case "marks":
            marks = Counter(mark["label"] for mark in facts["marks"])
            return [Table(("mark", "times"), tuple(marks.items()), key="marks")]
        case "events":
            kinds = facts["events_by_kind"]
            return [Table(("event", "times"), tuple(kinds.items()), key="events")]
        case _:
            return []


def _lines(facts: dict[str, Any]) -> list[tuple[Cell, Cell]]:
    """Name and value of each fact, in the order of a reader's questions."""
    events, intact = facts["events"], facts["intact_events"]
    lines: list[tuple[Cell, Cell]] = [
        ("program", " ".join(facts["argv"] or ()) or "not said"),
        ("python", _python(facts)),
        ("complete", _completeness(facts)),
        ("events", events),
        *([("intact events", intact)] if intact != events else []),
        ("objects", facts["objects"]),
        ("file", Size(facts["bytes"])),
        *_collections(facts["observed_collections_by_generation"]),
        ("objects they collected", facts["observed_collected"]),
    ]
    if facts["counts"] != "probed":
        lines.append(("reference counts", facts["counts"] or "not said"))
    for name, fact in (
        ("time by the clock, ms", "program_ns"),
        ("its own CPU time, ms", "own_cpu_ns"),
        ("CPU time to exit, ms", "exit_cpu_ns"),
    ):
        if facts[fact] is not None:
            lines.append((name, milliseconds(facts[fact])))
    if facts["children"]:
        lines.append(("children not recorded", facts["children"]))
    if facts["exit_code"] is not None:
        by_signal = signal_name(facts["exit_code"])
        lines.append(
            ("exit code", facts["exit_code"]) if not by_signal else ("ended by", by_signal)
        )
    lines += [(f"repairs: {kind}", n) for kind, n in facts["repairs"].items() if n]
    if facts["marks"]:
        lines.append(("marks", len(facts["marks"])))
    return lines


def _notes(facts: dict[str, Any]) -> Iterator[str]:
    """What is no single value."""
    if facts["marks"]:
        yield f"Marks: {marks_words([mark['label'] for mark in facts['marks']])}."
    if facts["pause_model"] is not None:
        yield from model_words(PauseModel.from_json(facts["pause_model"]))


def _collections(by_generation: Sequence[int]) -> list[tuple[Cell, Cell]]:
    """The interpreter's own, the young ones first."""
    names = ("young collections", "middle collections", "full collections")
    more = (f"collections of generation {i}" for i in range(3, len(by_generation)))
    return list(zip((*names, *more), by_generation, strict=True))


def marks_words(labels: Sequence[str]) -> str:
    """The marks in the order of their first, alike ones together: `ready, request x3,000, done`. A
    number behind the last blank makes no other mark of it."""
    kinds: dict[str, list[str]] = {}
    for label in labels:
        name, _, number = label.rpartition(" ")
        kinds.setdefault(name if name and number.isdecimal() else label, []).append(label)
    told = []
    for kind, alike in kinds.items():
        if len(alike) == 1:
            told.append(as_named(alike[0]))
        else:
            told.append(f"{as_named(kind)} x{len(alike):,}")
    more = f" and {len(told) - NAMED_MARKS:,} others (--table marks)"
    return ", ".join(told[:NAMED_MARKS]) + more * (len(told) > NAMED_MARKS)


def _python(facts: dict[str, Any]) -> str:
    version, executable = facts["python"], facts["executable"]
    if version and executable:
        return f"{version} ({short(executable, *here())})"
    return version or "not said"


def _completeness(facts: dict[str, Any]) -> str:
    """Whether it is complete, and who is still at it."""
    if facts["complete"]:
        return "yes"
    made = facts["being_recorded"]
    if made is None:
        return "no, cut short"
    told = "no, being recorded"
    if made["recorder"] is not None:
        told += f" by process {made['recorder']}"
    program = made["program"]
    running = "has ended" if program is None else f"runs as process {program}"
    return f"{told}; the program {running}"


def _options(options: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in options.items() if value is not None)
