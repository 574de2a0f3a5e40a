"""`gcreplay replay`: what the recorded program's heap would do under other collectors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gcreplay.help import Sectioned
from gcreplay.options import (
    apply_from_option,
    cut_option,
    policy_option,
    trace_argument,
    window_bounds,
)
from gcreplay.programs.probes import too_wide
from gcreplay.replay import RunResult, make_policy
from gcreplay.replay.cuts import Cut, CutLog
from gcreplay.replay.estimates.pauses import PauseModel
from gcreplay.replay.run import Replay
from gcreplay.screen.cuts import counted, cut_json, effect, without
from gcreplay.screen.outcome import (
    MEMORY,
    PRESENT,
    RARE,
    TIMES,
    WORK,
    Outcome,
    is_recorded,
    own_time,
    program_words,
    rare_figures,
)
from gcreplay.screen.output import Report, chosen_table, format_option, next_command, show
from gcreplay.screen.pauses import P99, p99_cell, pause_model, store_model, trust
from gcreplay.screen.progress import Runs, working
from gcreplay.screen.tables.table import Table
from gcreplay.screen.verdict import Verdict, verdict
from gcreplay.store import EventLog
from gcreplay.store.errors import DamagedFile, StorageError
from gcreplay.store.marks import with_marks_read
from gcreplay.trace import SO_FAR, opened

BOUNDS = ("never", "clairvoyant")


@click.command(cls=Sectioned)
@trace_argument
@policy_option("One that `gcreplay policies` names; repeat to compare.")
@apply_from_option("Begin with the policies at this mark.")
@click.option("--window", metavar="A..B", help="Count between these two marks only.")
@cut_option("As if references like Line.order were weak; repeatable.")
@click.option("--work", "show_work", is_flag=True, help="Show what was counted as well.")
@click.option("--pauses", "show_pauses", is_flag=True, help="Show the 99 % quantile of pauses.")
@format_option("runs", "work")
def command(
    trace: Path,
    policies: tuple[str, ...],
    apply_from: str | None,
    window: str | None,
    cuts: tuple[str, ...],
    show_work: bool,
    show_pauses: bool,
    output_format: str,
) -> None:
    """Replay a recording under each policy and compare the results.

    The setting that was recorded stands in every comparison, and both bounds: `never` collects
    nothing, `clairvoyant` frees garbage after its last touch. The runs are stored in the recording.

    With --cut the first row is that of the program as it is, all others are of one in which these
    references hold nothing: the name of a type and an attribute, `['key']` or `[index]`, or that of
    a function and a `:local` variable of its frame.

    \b
    Example:
      gcreplay replay demo.gcreplay -p cpython-3.11 -p generational:5000,10,10
      gcreplay replay demo.gcreplay --cut Line.order --cut checkout:error
    """
    bounds = window_bounds(window)
    parsed = [Cut.parse(text) for text in cuts]
    with opened(trace) as log, without(log, parsed) as cut:
        present = [PRESENT] if is_recorded(log) else []
        wanted = list(dict.fromkeys([*present, *policies, *BOUNDS]))
        runs = replayed(log, wanted, apply_from, bounds, cut)
        whole = runs[0] if present and apply_from is None and bounds is None else None
        with working("fitting pauses"):
            model = pause_model(log, whole.collections if whole else None)
        wide = {policy: too_wide(log, policy, make_policy(policy)) for policy in wanted}
        own = None if bounds else own_time(log)
        is_cut = [()] + [tuple(map(str, parsed))] * (len(runs) - 1)
        outcomes = [
            Outcome.of(run, model, own, cuts=weak) for run, weak in zip(runs, is_cut, strict=True)
        ]
        best = best_of(outcomes, model) if cut is None else None
        said = [program_words(log, own)] if is_recorded(log) else []
        note = trust(log, model)
        so_far = log.unfinished
    depends = [
        f"{with_marks_read(run.policy)}: {run.depends_on_collector.sentence()}"
        for run in runs
        if run.policy not in BOUNDS and run.depends_on_collector.count
    ]
    remarks = [f"{with_marks_read(run.policy)}: {note}." for run in runs for note in run.notes]
    options = {"apply_from": apply_from, "window": window}
    kept = runs if cut is None else runs[:1]
    remarks += [save_runs(trace, kept, options, model, so_far=so_far)]
    remarks += map(with_marks_read, filter(None, wide.values()))
    remarks += [unmoved(run) for run in runs if run.first_unmoved is not None]
    payload = {
        "trace": str(trace),
        "own_ns": None if own is None else own.ns,
        "own_source": None if own is None else own.source,
        "pause_model": model and model.to_json(),
        "best": best and best.to_json(),
        **({} if cut is None else {"cut": cut_json(cut)}),
        "runs": [{**one.to_json(), "remark": wide[one.run.policy]} for one in outcomes],
    }
    tables = [comparison(outcomes, pauses=show_pauses)]
    if show_work or model is None or chosen_table() == "work":
        tables.append(work_table(outcomes))
    first = [best.sentence] if best else [] if model else [note]
    if cut is not None:
        first = [effect(outcomes[0], outcomes[1], cut)]
        depends += [cut.lost.sentence()] if cut.lost.objects else []
        remarks += [counted(cut)]
    words, notes = (*first, *said), (note,) if model else ()
    if own is not None and any(one.share is not None for one in outcomes):
        notes = (*notes, own.words())
    then = next_command("tune", trace) if present and model is not None and cut is None else ""
    report = Report(
        tuple(tables), payload, tuple(remarks), words, notes, warnings=tuple(depends), then=then
    )
    show(report, output_format)


def best_of(outcomes: Sequence[Outcome], model: PauseModel | None) -> Verdict | None:
    """Which row is best; None where no time is known, or no present setting to compare with."""
    if model is None or outcomes[0].run.policy != PRESENT:
        return None
    return verdict(
        outcomes[0], [one for one in outcomes[1:] if one.run.policy not in BOUNDS], model
    )


def replayed(
    log: EventLog,
    policies: Sequence[str],
    apply_from: str | None,
    window: tuple[str, str] | None,
    cut: CutLog | None = None,
) -> list[RunResult]:
    """One run a policy; a policy or mark mistyped is said before the first long replay. With a cut
    all are of that, behind the first policy on the log as it is."""
    uncut = policies if cut is None else policies[:1]
    plays = [Replay(log, one, apply_from=apply_from, window=window) for one in uncut]
    if cut is not None:
        plays += [Replay(cut.log, one, apply_from=apply_from, window=window) for one in policies]
    replays = Runs("replay", len(plays))
    runs = []
    for play in plays:
        with replays.one(play.name, play.log):
            runs.append(play.run())
    return runs


def save_runs(
    trace: Path,
    runs: Sequence[RunResult],
    options: dict[str, Any],
    model: PauseModel | None,
    *,
    so_far: bool,
) -> str:
    """Store the runs and the model of pauses in the recording; the value says where, or why not
    (it may be read-only, or damaged where runs are stored). `so_far`: they are of a recording that
    was not whole when it was opened, whatever it is by now."""
    if so_far:
        return f"The runs are not stored: {SO_FAR.format(trace)}"
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


def comparison(outcomes: Sequence[Outcome], *, pauses: bool) -> Table:
    """One row a run: what a person asks first. Times that nobody knows have no column."""
    columns = ("policy", *TIMES, *((P99,) if pauses else ()), *MEMORY)
    rows = []
    for one in outcomes:
        times = (*one.times(), *((p99_cell(one),) if pauses else ()))
        rows.append((one.name, *times, *one.memory()))
    return Table(columns, tuple(rows), key="runs").without(None)


def work_table(outcomes: Sequence[Outcome]) -> Table:
    """One row a run: what was counted. Rare figures that are 0 in all runs have no column."""
    rare = rare_figures([one.run for one in outcomes])
    rows = tuple(
        (one.name, *one.work(), *(one.run.to_json()[name] for name in rare)) for one in outcomes
    )
    return Table(("policy", *WORK, *(RARE[name] for name in rare)), rows, key="work")
