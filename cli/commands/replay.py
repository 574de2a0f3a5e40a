"""`gcreplay replay`: what the recorded program's heap would do under other collectors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gcreplay.looks import too_wide
from gcreplay.options import apply_from_option, policy_option, trace_argument, window_bounds
from gcreplay.output import (
    Cell,
    Report,
    Size,
    Table,
    by_generation,
    format_option,
    show,
)
from gcreplay.pauses import COLUMNS, pause_cells, pause_model, store_model, trust, with_pauses
from gcreplay.progress import Runs, working
from gcreplay.replay import RunResult, make_policy
from gcreplay.replay.estimates.pauses import PauseModel
from gcreplay.replay.run import Replay
from gcreplay.store import EventLog
from gcreplay.store.errors import DamagedFile, StorageError
from gcreplay.store.marks import with_marks_read
from gcreplay.trace import opened

BOUNDS = ("never", "clairvoyant")
RARE = ("uncollectable", "revived", "displaced", "unmoved")


@click.command()
@trace_argument
@policy_option("A collector to replay, as `gcreplay policies` names it; repeat to compare.")
@apply_from_option("Begin with the policies at this mark.")
@click.option("--window", metavar="A..B", help="Count between these two marks only.")
@click.option("--pauses", "show_pauses", is_flag=True, help="Show estimated pauses in the table.")
@format_option
def command(
    trace: Path,
    policies: tuple[str, ...],
    apply_from: str | None,
    window: str | None,
    show_pauses: bool,
    output_format: str,
) -> None:
    """Replay a recording under each policy and compare the results.

    Both bounds stand in every comparison: `never` collects nothing, `clairvoyant` frees garbage
    after its last touch. The runs are stored in the recording.

    \b
    Example:
      gcreplay replay demo.gcreplay -p cpython-3.11 -p generational:5000,10,10
    """
    wanted = list(dict.fromkeys([*policies, *BOUNDS]))
    bounds = window_bounds(window)
    with opened(trace) as log:
        runs = replayed(log, wanted, apply_from, bounds)
        with working("fitting pauses"):
            model = pause_model(log)
        wide = {policy: too_wide(log, policy, make_policy(policy)) for policy in wanted}
    remarks = [
        f"{with_marks_read(run.policy)}: {run.depends_on_collector.sentence()}"
        for run in runs
        if run.policy not in BOUNDS and run.depends_on_collector.count
    ]
    remarks += [f"{with_marks_read(run.policy)}: {note}." for run in runs for note in run.notes]
    remarks += [save_runs(trace, runs, {"apply_from": apply_from, "window": window}, model)]
    remarks += map(with_marks_read, filter(None, wide.values()))
    remarks += [unmoved(run) for run in runs if run.first_unmoved is not None]
    table = comparison(runs)
    if show_pauses:
        table = _beside(table, runs, model)
        remarks.append(trust(model))
    payload = {
        "trace": str(trace),
        "pause_model": model and model.to_json(),
        "runs": [{**with_pauses(run, model), "remark": wide[run.policy]} for run in runs],
    }
    show(Report((table,), payload, tuple(remarks)), output_format)


def replayed(
    log: EventLog, policies: Sequence[str], apply_from: str | None, window: tuple[str, str] | None
) -> list[RunResult]:
    """One run a policy; a policy or mark mistyped is said before the first long replay."""
    plays = [Replay(log, one, apply_from=apply_from, window=window) for one in policies]
    replays = Runs("replay", len(plays))
    runs = []
    for play in plays:
        with replays.one(play.name):
            runs.append(play.run())
    return runs


def save_runs(
    trace: Path, runs: Sequence[RunResult], options: dict[str, Any], model: PauseModel | None
) -> str:
    """Store the runs and the model of pauses in the recording; the value says where, or why not
    (it may be read-only, or damaged where runs are stored)."""
    try:
        with EventLog.open(trace, writable=True) as log:
            ids = [
                log.save_run(run.policy, options, run.to_json(), run.result_hash) for run in runs
            ]
            store_model(log, model)
    except (StorageError, DamagedFile) as error:
        return f"The runs are not stored: {error}"
    return f"Stored as {trace}#" + ", #".join(map(str, ids))


def unmoved(run: RunResult) -> str:
    """What the program uses of finalizers and callbacks that this policy has not run."""
    first = run.first_unmoved
    assert first is not None
    return (
        f"{with_marks_read(run.policy)}: {run.unmoved:,} events use what a finalizer or callback "
        f"made or saved, and that had not run by then; the first is event "
        f"{first.sequence:,}, of a {first.type}."
    )


def comparison(runs: Sequence[RunResult]) -> Table:
    """One row a run. Figures that are 0 in all of them have no column."""
    results = [run.to_json() for run in runs]
    rare = [name for name in RARE if any(result[name] for result in results)]
    columns = (
        "policy",
        "collections",
        "collected",
        "freed by collector",
        "freed by refcount",
        "peak size",
        "peak floating",
        "visited",
        *rare,
    )
    return Table(columns, tuple(_row(result, rare) for result in results))


def _row(result: dict[str, Any], rare: Sequence[str]) -> tuple[Cell, ...]:
    return (
        with_marks_read(result["policy"]),
        by_generation(result["collections_by_generation"]),
        result["collected"],
        result["freed_by_collector"],
        result["freed_by_refcount"],
        Size(result["peak_bytes"]),
        result["peak_floating_objects"],
        result["work"]["visited"],
        *(result[name] for name in rare),
    )


def _beside(table: Table, runs: Sequence[RunResult], model: PauseModel | None) -> Table:
    """The table with the estimated pauses of each run."""
    rows = tuple(
        (*row, *pause_cells(run, model)) for row, run in zip(table.rows, runs, strict=True)
    )
    return Table((*table.columns, *COLUMNS), rows, table.title)
