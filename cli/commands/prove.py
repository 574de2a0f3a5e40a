"""`gcreplay prove`: predictions from one recording beside real runs of the same program."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from gcreplay.commands.record import OwnOptionsThenProgram, program_argv
from gcreplay.commands.replay import replayed
from gcreplay.options import (
    apply_from_option,
    chosen_python,
    in_unit,
    policy_option,
    probe_options,
    real_run_options,
    window_bounds,
)
from gcreplay.programs.probes import probing
from gcreplay.programs.proof import COMPARED, Proof, Totals, measured_totals, predicted_totals
from gcreplay.programs.realruns import ProvedProgram, input_of, own_ns_of, recording_at
from gcreplay.programs.stock import plan_of
from gcreplay.replay import make_policy
from gcreplay.replay.estimates.pauses import PauseModel, Pauses
from gcreplay.replay.policies.policy import OLDEST
from gcreplay.report.words.numbers import in_ms
from gcreplay.screen.outcome import TIMES, time_cells
from gcreplay.screen.output import Report, format_option, say, show
from gcreplay.screen.pauses import PauseProof, measured_model, quiet, store_model, trust_in_proof
from gcreplay.screen.progress import Runs, working
from gcreplay.screen.tables.table import Cell, Counts, Percent, Table
from gcreplay.store import EventLog
from gcreplay.store.errors import StorageError, UsageError
from gcreplay.store.marks import with_marks_read
from gcreplay.trace import opened
from gcreplay.tracer import Plan, RealCollection, RealRun, RecordOptions

DEFAULT = "cpython-3.11"
REPEATS = 2
Window = tuple[str, str] | None


@click.command(
    cls=OwnOptionsThenProgram,
    options_metavar="[OPTIONS] SCRIPT | -m MODULE | -c CODE",
)
@policy_option("A setting to predict and to run; repeat.")
@apply_from_option("Begin with the settings at this mark.")
@click.option("--window", metavar="A..B", help="Count between these two marks only.")
@click.option("--tolerance", metavar="P%", help="Exit code 1 when an error is above this.")
@click.option(
    "--trace",
    type=click.Path(path_type=Path),
    help="Predict from this recording, not from a new one.",
)
@probe_options
@click.option(
    "--pauses",
    "show_pauses",
    is_flag=True,
    help="Measure times too, in two more runs each.",
)
@real_run_options
@format_option("settings")
@click.pass_context
def command(
    ctx: click.Context,
    policies: tuple[str, ...],
    apply_from: str | None,
    window: str | None,
    tolerance: str | None,
    trace: Path | None,
    output: Path | None,
    given: Path | None,
    granularity: int | None,
    full_probe: int | None,
    probe_budget: int | None,
    show_pauses: bool,
    python: str | None,
    exit_code: int,
    force: bool,
    output_format: str,
    module: str | None,
    code: str | None,
    args: tuple[str, ...],
) -> None:
    """Predict from one recording, really run the program, and compare.

    The program is recorded once and then really run, unrecorded, twice under each setting and
    under the interpreter's own default. What it prints while it is recorded goes to standard
    error, what the real runs print is dropped. Exit code 1 when a run fails or an error is above
    --tolerance.

    \b
    Example:
      gcreplay prove -p cpython-3.11:5000,10,10 -p manual app.py --port 8000
    """
    python = chosen_python(python)
    argv = program_argv(module, code, args, python)
    bounds = window_bounds(window)
    limit = None if tolerance is None else float(in_unit("--tolerance", tolerance, "5%"))
    if trace is not None and (output or granularity or full_probe or probe_budget):
        raise UsageError("--trace uses a recording as it is: leave out -o and record's options")
    plans: dict[str, Plan] = {}
    for policy in dict.fromkeys([DEFAULT, *policies]):
        plans[policy] = plan_of(policy, make_policy(policy), apply_from)
    thresholds = (plan.thresholds[0] for plan in plans.values() if plan.thresholds)
    chosen = probing(
        granularity,
        full_probe,
        probe_budget,
        predicting=True,
        thresholds=tuple(filter(None, thresholds)),
    )
    with recording_at(trace, output, force) as path, input_of(given) as stdin:
        total = (trace is None) + (2 if show_pauses else 1) * REPEATS * len(plans)
        program = ProvedProgram(argv, python, stdin, exit_code, Runs("run", total))
        if trace is None:
            program.record(
                RecordOptions(
                    path,
                    argv,
                    python,
                    *chosen,
                    force=force,
                    stdin=stdin,
                    stdout=2,
                )
            )
        with opened(path) as log:
            program.check(log)
            made = replayed(log, list(plans), apply_from, bounds)
            runs = dict(zip(plans, made, strict=True))
        proofs = []
        real: dict[str, list[RealRun]] = {}
        for policy, plan in plans.items():
            measured = [program.run(policy, plan) for _ in range(REPEATS)]
            totals = (measured_totals(_within(run, bounds)) for run in measured)
            proofs.append(Proof(policy, runs[policy], tuple(totals)))
            real[policy] = measured
        if show_pauses:
            real = _timed(program, plans)
        own_ns = own_ns_of(real[DEFAULT]) if bounds is None else None
        model = _measured_model(path, real[DEFAULT], own_ns, keep=show_pauses)
        pauses = [_pause_proof(one, real[one.policy], model, bounds) for one in proofs]
        with opened(path) as log:
            note = trust_in_proof(log, model)
    remarks = [
        f"{with_marks_read(proof.policy)}: the program is not repeatable, two real runs differ"
        for proof in proofs
        if not proof.repeatable
    ]
    depends = [
        f"{with_marks_read(proof.policy)}: {proof.predicted.depends_on_collector.sentence()}"
        for proof in proofs
        if proof.predicted.depends_on_collector.count
    ]
    payload = {"trace": str(trace or output or ""), "window": window, "apply_from": apply_from}
    payload |= {"proofs": [proof.to_json() for proof in proofs]}  # type: ignore[dict-item]
    payload["pause_model"] = model and model.to_json()  # type: ignore[assignment]
    payload["pauses"] = {one.policy: one.to_json() for one in pauses}  # type: ignore[assignment]
    own = {policy: None if bounds else own_ns_of(runs) for policy, runs in real.items()}
    table = _table(proofs, pauses, own)
    said = _answer(pauses)
    report = Report((table,), payload, tuple(remarks), said, (note,), warnings=tuple(depends))
    show(report, output_format)
    if limit is not None:
        too_far = {proof.policy: proof.beyond(limit) for proof in proofs}
        for policy, figures in too_far.items():
            if figures:
                say(f"{policy}: {', '.join(figures)} off by more than {tolerance}")
        if any(too_far.values()):
            ctx.exit(1)


def _within(run: RealRun, window: Window) -> Sequence[RealCollection]:
    return run.window(*window) if window else run.collections


def _timed(program: ProvedProgram, plans: dict[str, Plan]) -> dict[str, list[RealRun]]:
    """Runs that count no objects, which would warm the caches."""
    runs: dict[str, list[RealRun]] = {policy: [] for policy in plans}
    for policy in list(plans) * REPEATS:
        runs[policy].append(program.run(policy, plans[policy], sizes=False))
    return runs


def _measured_model(
    path: Path, runs: Sequence[RealRun], own_ns: int | None, *, keep: bool
) -> PauseModel | None:
    """Fitted to runs under the program's own settings; stays in the recording where they were made
    for that."""
    with opened(path) as log, working("fitting pauses"):
        model = measured_model(log, [run.collections for run in runs])
    if keep:
        with contextlib.suppress(StorageError), EventLog.open(path, writable=True) as log:
            store_model(log, model, own_ns)  # a recording that may not be written is as good
    return model


def _pause_proof(
    proof: Proof, runs: Sequence[RealRun], model: PauseModel | None, window: Window
) -> PauseProof:
    measured = Pauses(tuple(quiet([_within(run, window) for run in runs])))
    predicted = model.estimate(proof.predicted.collections) if model is not None else None
    return PauseProof(proof.policy, predicted, measured)


def _answer(pauses: Sequence[PauseProof]) -> tuple[str, ...]:
    """What the settings really took, in a sentence."""
    first, *others = (
        f"{with_marks_read(one.policy)} {in_ms(one.measured.total)} ms" for one in pauses
    )
    told = ", ".join(others)
    return (f"GC time really measured: {first}{' (the default), ' if told else ''}{told}.",)


HEADS = (
    "policy",
    "",
    *TIMES,
    "full",
    "peak tracked",
    "collections",
    "collected",
    "by generation",
    "uncollectable",
)


SPARE = ("uncollectable", "peak tracked", "by generation")


def _table(
    proofs: Sequence[Proof], pauses: Sequence[PauseProof], own: Mapping[str, int | None]
) -> Table:
    """Three rows a policy: predicted, measured, error in percent. Where nothing is collected no
    peak of the collector's lists is known. Shares of what is predicted are of the time that the
    program takes under the default."""
    rows: list[tuple[Cell, ...]] = []
    for proof, times in zip(proofs, pauses, strict=True):
        name = with_marks_read(proof.policy)
        rows.append(
            _row(
                name,
                "predicted",
                predicted_totals(proof.predicted),
                times.predicted,
                own[DEFAULT],
            )
        )
        measured = proof.measured[0]
        rows.append(_row("", "measured", measured, times.measured, own[proof.policy]))
        if not proof.repeatable:
            rows.append(_row("", "again", proof.measured[1], None, None))
        off = {figure: _off(proof.error(figure)) for figure in COMPARED}
        total, longest = _off(times.error("total")), _off(times.error("longest"))
        rows.append(
            (
                *("", "error", total, None, longest, None),
                off["peak_tracked"] if measured.collections else None,
                *(off["collections"], off["collected"], None),
                off["uncollectable"],
            )
        )
    return Table(HEADS, tuple(rows), names=2, key="settings", spare=SPARE)


def _off(percent: float | None) -> Percent | None:
    return None if percent is None else Percent(percent)


def _row(
    policy: str, what: str, totals: Totals, pauses: Pauses | None, own_ns: int | None
) -> tuple[Cell, ...]:
    return (
        policy,
        what,
        *time_cells(pauses, own_ns),
        totals.collections_by_generation[OLDEST],
        totals.peak_tracked if totals.collections else None,
        Counts(tuple(totals.collections_by_generation)),
        totals.collected,
        Counts(tuple(totals.collected_by_generation)),
        totals.uncollectable,
    )
