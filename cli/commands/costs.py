"""`gcreplay costs`: where the collector's time goes, by phase of the program and by caller."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gcreplay.help import Sectioned
from gcreplay.options import policy_option, trace_argument
from gcreplay.replay import Collection, RunResult, replay
from gcreplay.replay.estimates.pauses import PauseModel
from gcreplay.replay.policies.policy import OLDEST, PERMANENT
from gcreplay.replay.results.callers import Caller, WithoutCalls, callers
from gcreplay.replay.results.phases import Phase, Spent, intervals, phases, quantile
from gcreplay.replay.run import Replay
from gcreplay.report.words.numbers import counted, in_ms, in_percent
from gcreplay.report.words.places import short
from gcreplay.screen.here import here
from gcreplay.screen.outcome import PRESENT, OwnTime, milliseconds, own_time
from gcreplay.screen.output import Report, format_option, next_command, show
from gcreplay.screen.pauses import LONGER, pause_model, too_few, trust
from gcreplay.screen.progress import reading
from gcreplay.screen.tables.table import Cell, Counts, Figure, Place, Size, Table, words
from gcreplay.store import EventLog
from gcreplay.store.errors import GcreplayError, UsageError
from gcreplay.store.marks import with_marks_read
from gcreplay.trace import opened

QUANTILES = (50, 95, 99)
LENGTHS = "ms of phases are by the clock of the recorded run, waiting included; GC ms are CPU time."
AS_RECORDED = f"GC times are those of the recorded collections, {LONGER}."
MOST_CALLERS = 5
"""Each is replayed once more."""


@click.command(cls=Sectioned)
@trace_argument
@policy_option("Whose time; once.  [default: the recorded setting]")
@format_option("phases", "callers")
def command(trace: Path, policies: tuple[str, ...], output_format: str) -> None:
    """Say where the collector's time goes: by phase of the program (imports, start-up, work behind
    each kind of mark, exit), and by who calls gc.collect().

    \b
    Example:
      gcreplay costs demo.gcreplay
      gcreplay costs demo.gcreplay -p cpython-3.11:5000,10,10
    """
    if len(policies) > 1:
        raise UsageError("costs shows one policy: give -p once")
    policy = policies[0] if policies else PRESENT
    with opened(trace) as log, reading(log, "replaying"):
        play = Replay(log, policy)
        run = play.run()
        alive = sum(play.heap.size(g) for g in range(PERMANENT))
        model = pause_model(log, run.collections if policy == PRESENT else None)
        if model is None and policy != PRESENT:
            raise GcreplayError(
                f"{trace} does not tell what collections under {policy} would take, as "
                f"{too_few(log)}: without -p costs says what those of the recording took"
            )
        spent = spent_by(log, run, model)
        exits = exit_of(log, run, alive, model)
        table = phases(intervals(log), spent)
        asked = called(log, run, spent, model) if policy == PRESENT else []
        own = own_time(log)
        note = trust(log, model) if model is not None else AS_RECORDED
    payload = {
        "trace": str(trace),
        "policy": policy,
        "pause_model": model and model.to_json(),
        "phases": [phase_json(phase) for phase in table],
        "exit": exits.to_json(),
        "callers": [one.to_json() for one in asked],
    }
    tables = [phase_table(table, exits)]
    lengths = (LENGTHS,) if any(phase.whole_ns is not None for phase in table) else ()
    if asked:
        tables.append(caller_table(asked))
    said = answer(with_marks_read(policy), table, asked, own)
    notes = (*exits.words(), *lengths, note)
    then = next_command("cycles", trace)
    show(Report(tuple(tables), payload, (), said, notes, then=then), output_format)


def spent_by(log: EventLog, run: RunResult, model: PauseModel | None) -> list[Spent]:
    """What each collection of the run takes; without a model, what the recorded ones took."""
    if model is None:
        return [
            Spent(one.sequence, one.generation, one.duration_ns, one.collected)
            for one in log.observed
        ]
    each = model.estimate(run.collections).each
    return [
        Spent(one.sequence, one.generation, ns, one.collected)
        for one, ns in zip(run.collections, each, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Exit:
    """From the end of the recording on: CPU time, if it was measured, the objects that are alive in
    the three generations, and what one collection of them would take."""

    cpu_ns: int | None
    alive: int
    gc_ns: int | None

    def to_json(self) -> dict[str, Any]:
        return {"cpu_ns": self.cpu_ns, "alive": self.alive, "gc_ns": self.gc_ns}

    def words(self) -> tuple[str, ...]:
        return (
            f"At exit the interpreter collects what is alive and not frozen, {self.alive:,} "
            f"objects, before and after it takes the modules apart"
            + (": GC ms there is one such collection." if self.gc_ns is not None else "."),
        )


def exit_of(log: EventLog, run: RunResult, alive: int, model: PauseModel | None) -> Exit:
    """The links of what is alive are not counted: those of an object are as many as in the last
    full collection, or in all."""
    told = log.meta.get("exit_cpu_ns")
    cpu_ns = told if isinstance(told, int) else None
    if model is None:
        return Exit(cpu_ns, alive, None)
    full = [one for one in run.collections if one.generation == OLDEST][-1:] or run.collections
    candidates = sum(one.candidates for one in full)
    links = alive * sum(one.links for one in full) // candidates if candidates else 0
    last = Collection(
        sequence=run.events,
        allocation=0,
        cause="exit",
        generation=OLDEST,
        candidates=alive,
        tracked=alive,
        links=links,
        collected=0,
        bytes=0,
        survivors=alive,
        freed=0,
        uncollectable=0,
    )
    return Exit(cpu_ns, alive, model.estimate([last]).total)


@dataclass(frozen=True, slots=True)
class Called:
    """A caller, what its calls took and found, and the run without them."""

    caller: Caller
    spent: tuple[Spent, ...]
    without: RunResult | None
    without_ns: int | None
    run: RunResult

    @property
    def place(self) -> str:
        if self.caller.from_c:
            return "C code"
        if not self.caller.file:
            return "unknown"
        return Place(f"{short(self.caller.file, *here())}:{self.caller.line}")

    def to_json(self) -> dict[str, Any]:
        left_out = None
        if self.without is not None:
            left_out = {
                "gc_ns": self.without_ns,
                "collections_by_generation": self.without.collections_by_generation,
                "peak_bytes": self.without.peak_bytes,
            }
        return {
            "file": self.caller.file,
            "line": self.caller.line,
            "function": self.caller.function,
            "from_c": self.caller.from_c,
            "calls": len(self.caller.calls),
            "gc_ns": sum(one.ns for one in self.spent),
            "collected": sum(one.collected for one in self.spent),
            "left_out": left_out,
        }


def called(
    log: EventLog, run: RunResult, made: Sequence[Spent], model: PauseModel | None
) -> list[Called]:
    """Each caller of gc.collect(), the dearest first."""
    by_place = {one.sequence: one for one in made}
    found = []
    for caller in callers(log):
        spent = tuple(by_place[at] for at in caller.calls if at in by_place)
        found.append((caller, spent))
    found.sort(key=lambda one: -sum(spent.ns for spent in one[1]))
    asked = []
    for i, (caller, spent) in enumerate(found):
        without = replay(log, WithoutCalls(caller.calls)) if i < MOST_CALLERS else None
        known = without is not None and model is not None
        ns = model.estimate(without.collections).total if known else None  # type: ignore[union-attr]
        asked.append(Called(caller, spent, without, ns, run))
    return asked


def answer(
    policy: str, table: Sequence[Phase], asked: Sequence[Called], own: OwnTime | None
) -> tuple[str, ...]:
    """Which phase takes most of it, and what explicit calls take."""
    total = sum(sum(phase.gc_ns) for phase in table)
    share = "" if own is None else f", {in_percent(total / (own.ns + total))} of CPU"
    told = f"Under {policy} the collector takes {in_ms(total)} ms{share}"
    if total:
        most = max(table, key=lambda phase: sum(phase.gc_ns))
        told += f", {sum(most.gc_ns) / total:.0%} of it in {most.name}"
    if not asked:
        return (f"{told}.",)
    ns = sum(spent.ns for one in asked for spent in one.spent)
    calls = counted(sum(len(one.caller.calls) for one in asked), "explicit collection")
    found = sum(spent.collected for one in asked for spent in one.spent)
    return (f"{told}; {in_ms(ns)} ms in {calls}, {counted(found, 'object')} found.",)


PHASE_COLUMNS = (
    "phase",
    "times",
    *(f"ms p{q}" for q in QUANTILES),
    "GC ms",
    *(f"GC p{q}" for q in QUANTILES),
    "% GC",
    "collections",
)


PHASES_SPARE = ("ms p95", "GC p95", "ms p50", "ms p99", "GC p50", "GC p99")


def phase_table(table: Sequence[Phase], exits: Exit) -> Table:
    """One row a phase, and the exit."""
    rows: list[tuple[Cell, ...]] = []
    for phase in table:
        whole = phase.whole_ns
        total = sum(whole) if whole is not None else 0
        rows.append(
            (
                phase.name,
                phase.times,
                *(None if whole is None else milliseconds(quantile(whole, q)) for q in QUANTILES),
                milliseconds(sum(phase.gc_ns)),
                *(milliseconds(quantile(phase.gc_ns, q)) for q in QUANTILES),
                Figure(100 * sum(phase.gc_ns) / total) if total else None,
                Counts(tuple(phase.collections_by_generation)),
            )
        )
    took = None if exits.cpu_ns is None else milliseconds(exits.cpu_ns)
    gc = None if exits.gc_ns is None else milliseconds(exits.gc_ns)
    rows.append(("(exit)", 1, took, took, took, gc, *(None,) * 5))
    return Table(PHASE_COLUMNS, tuple(rows), key="phases", spare=PHASES_SPARE).without(None)


def phase_json(phase: Phase) -> dict[str, Any]:
    return {
        "phase": phase.name,
        "times": phase.times,
        "ns": None if phase.whole_ns is None else _quantiles(phase.whole_ns),
        "gc_ns": _quantiles(phase.gc_ns),
        "collections_by_generation": list(phase.collections_by_generation),
        "collected": phase.collected,
    }


def _quantiles(values: Sequence[int]) -> dict[str, int]:
    return {"total": sum(values), **{f"p{q}": quantile(values, q) for q in QUANTILES}}


def caller_table(asked: Sequence[Called]) -> Table:
    """One row a caller of gc.collect()."""
    rows = []
    for one in asked:
        change: tuple[Cell, ...] = (None, None, None)
        if one.without is not None:
            change = (
                None if one.without_ns is None else milliseconds(one.without_ns),
                one.without.collections_by_generation[OLDEST],
                Size(one.without.peak_bytes),
            )
        ns = sum(spent.ns for spent in one.spent)
        found = sum(spent.collected for spent in one.spent)
        rows.append((one.place, len(one.caller.calls), milliseconds(ns), found, *change))
    heads = ("gc.collect() called at", "calls", "GC ms", "found")
    without = ("GC ms without", "full without", "peak without")
    peak = words(Size(asked[0].run.peak_bytes))
    title = f"Explicit collections, and the run without those of each place (peak now: {peak})"
    return Table((*heads, *without), tuple(rows), title=title, key="callers").without(None)
