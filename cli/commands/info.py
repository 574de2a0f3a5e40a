"""`gcreplay info`: what a recording holds, and whether all of it can be read."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from gcreplay.options import trace_argument
from gcreplay.replay.estimates.pauses import PauseModel
from gcreplay.report.words.numbers import by_generation, counted, size_words
from gcreplay.report.words.places import short
from gcreplay.screen.output import Cell, Report, Table, format_option, show
from gcreplay.screen.pauses import model_lines, pause_model
from gcreplay.screen.progress import working
from gcreplay.store import EventLog
from gcreplay.store.ending import signal_name
from gcreplay.store.errors import DamagedFile, InvalidLog
from gcreplay.store.marks import as_named, with_marks_read
from gcreplay.store.tables.database import size_of
from gcreplay.store.tables.schema import SCHEMA_VERSION
from gcreplay.trace import opened_with_recorder, recoverable

T = TypeVar("T")
NAMED_MARKS = 20
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


@click.command()
@trace_argument
@format_option
def command(trace: Path, output_format: str) -> None:
    """Say what a recording holds: events, objects, the interpreter's own collections, marks, runs.

    Every segment is read and its checksum verified. Exit code 1 when some events are damaged;
    those before them stay readable.

    \b
    Example:
      gcreplay info demo.gcreplay
    """
    reading = _Reading()
    log, recorder = opened_with_recorder(trace)
    with log, working("reading"):
        payload = _facts(trace, log, reading)
        payload["being_recorded"] = recorder
        recovered = dict(reading(lambda: log.meta.items())).get("recovered")
        damage = log.damage
    known = payload["complete"] or recovered or payload["being_recorded"]
    advice = None if known else recoverable(trace)
    remarks = [advice[0].upper() + advice[1:]] if advice else []
    show(Report(_tables(payload), payload, tuple(remarks)), output_format)
    intact, events = payload["intact_events"], payload["events"]
    if damage or intact < events:
        what = damage or f"{trace} is damaged"
        raise DamagedFile(f"{what}: the first {intact:,} of {events:,} events are good")
    if reading.damage is not None:
        raise reading.damage


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
    tables = [Table(("", ""), tuple(_lines(facts)))]
    if facts["runs"]:
        rows = tuple(
            (
                f"{facts['trace']}#{run['run']}",
                with_marks_read(run["policy"]),
                _options(run["options"]),
            )
            for run in facts["runs"]
        )
        tables.append(Table(("run", "policy", "options"), rows, title="Stored runs"))
    return tuple(tables)


def _lines(facts: dict[str, Any]) -> list[tuple[Cell, Cell]]:
    """Name and value of each fact, in the order of a reader's questions."""
    events, objects = facts["events"], facts["objects"]
    size = size_words(facts["bytes"])
    if events:
        size += f" ({facts['bytes'] / events:.2f} bytes an event)"
    lines: list[tuple[Cell, Cell]] = [
        ("program", " ".join(facts["argv"] or ()) or "not said"),
        ("python", _python(facts)),
        ("complete", _completeness(facts)),
        ("events", f"{events:,}"),
        ("intact events", f"{facts['intact_events']:,}"),
        ("objects", f"{objects:,}"),
        ("file", size),
        ("observed collections", by_generation(facts["observed_collections_by_generation"])),
        ("observed collected", f"{facts['observed_collected']:,}"),
        ("reference counts", facts["counts"] or "not said"),
    ]
    if facts["program_ns"] is not None:
        lines.append(("program time", f"{facts['program_ns'] / 1e9:,.2f} s"))
    for name, fact in (("its own CPU time", "own_cpu_ns"), ("CPU time to exit", "exit_cpu_ns")):
        if facts[fact] is not None:
            lines.append((name, f"{facts[fact] / 1e9:,.3f} s"))
    if facts["children"]:
        lines.append(("children not recorded", f"{facts['children']:,}"))
    if facts["exit_code"] is not None:
        by_signal = signal_name(facts["exit_code"])
        plainly = ("exit code", f"{facts['exit_code']}")
        lines.append(plainly if by_signal is None else ("ended by", by_signal))
    if facts["pause_model"] is not None:
        lines += model_lines(PauseModel.from_json(facts["pause_model"]))
    lines += [(f"repairs: {kind}", f"{n:,}") for kind, n in facts["repairs"].items() if n]
    if facts["marks"]:
        labels = Counter(mark["label"] for mark in facts["marks"])
        told = [as_named(mark) + f" ({n:,})" * (n > 1) for mark, n in labels.items()]
        more = f" and {len(told) - NAMED_MARKS:,} others" if len(told) > NAMED_MARKS else ""
        heading = counted(labels.total(), "mark")
        lines.append((heading, ", ".join(told[:NAMED_MARKS]) + more))
    return lines


def _python(facts: dict[str, Any]) -> str:
    version, executable = facts["python"], facts["executable"]
    return f"{version} ({short(executable)})" if version and executable else version or "not said"


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
