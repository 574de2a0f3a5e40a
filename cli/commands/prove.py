"""`gcreplay prove`: predictions from one recording beside real runs of the same program."""

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from gcreplay.commands.record import OwnOptionsThenProgram, program_argv
from gcreplay.commands.replay import replayed
from gcreplay.looks import closeness
from gcreplay.options import (
    Whole,
    apply_from_option,
    chosen_python,
    closeness_options,
    policy_option,
    window_bounds,
)
from gcreplay.output import Cell, Report, Table, by_generation, format_option, say, show
from gcreplay.pauses import PauseProof, measured_model, proof_table, quiet, store_model, trust
from gcreplay.progress import Runs, working
from gcreplay.proof import COMPARED, Proof, Totals, measured_totals, predicted_totals
from gcreplay.realruns import ProvedProgram
from gcreplay.replay import RunResult, make_policy
from gcreplay.replay.estimates.pauses import PauseModel, Pauses
from gcreplay.stock import plan_of
from gcreplay.store import EventLog
from gcreplay.store.errors import StorageError, UsageError
from gcreplay.store.marks import with_marks_read
from gcreplay.store.place import new_database, other_kind
from gcreplay.store.values import decimal_from, shown
from gcreplay.trace import opened
from gcreplay.tracer import Plan, RealCollection, RealRun, RecordOptions

DEFAULT = "cpython-3.11"
REPEATS = 2


@click.command(
    cls=OwnOptionsThenProgram,
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS] SCRIPT | -m MODULE | -c CODE",
)
@policy_option("A setting to predict and to run, as `gcreplay policies` names it; repeat.")
@apply_from_option("Begin with the settings at this mark.")
@click.option("--window", metavar="A..B", help="Count between these two marks only.")
@click.option("--tolerance", metavar="P%", help="Exit code 1 when an error is above this.")
@click.option(
    "--trace",
    type=click.Path(path_type=Path),
    help="Predict from this recording of the program instead of a new one.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Keep the new recording there."
)
@click.option(
    "--input",
    "given",
    type=click.Path(path_type=Path),
    help="Standard input of every run.  [default: empty]",
)
@closeness_options
@click.option(
    "--pauses",
    "show_pauses",
    is_flag=True,
    help="Predict pauses as well; takes two runs more each.",
)
@click.option(
    "--python",
    metavar="EXE",
    help="The interpreter to run with.  [default: that of the active virtual environment, else "
    "ours]",
)
@click.option(
    "--exit-code",
    type=Whole(0, 255),
    default=0,
    metavar="N",
    help="The exit code that every run is to end with.  [default: 0]",
)
@click.option("--force", is_flag=True, help="Overwrite an existing recording.")
@format_option
@click.option("-m", "module", metavar="MODULE", help="Run a module, as `python -m` does.")
@click.option("-c", "code", metavar="CODE", help="Run code, as `python -c` does.")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
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
    limit = _percent(tolerance)
    if trace is not None and (output or granularity or full_probe or probe_budget):
        raise UsageError("--trace uses a recording as it is: leave out -o and record's options")
    plans: dict[str, Plan] = {}
    for policy in dict.fromkeys([DEFAULT, *policies]):
        plans[policy] = plan_of(policy, make_policy(policy), apply_from)
    thresholds = (plan.thresholds[0] for plan in plans.values() if plan.thresholds)
    closely = closeness(
        granularity,
        full_probe,
        probe_budget,
        predicting=True,
        thresholds=tuple(filter(None, thresholds)),
    )
    with _recording(trace, output, force) as path, _stdin(given) as stdin:
        total = (trace is None) + (2 if show_pauses else 1) * REPEATS * len(plans)
        program = ProvedProgram(argv, python, stdin, exit_code, Runs("run", total))
        if trace is None:
            program.record(
                RecordOptions(
                    path,
                    argv,
                    python,
                    *closely,
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
        for policy, plan in plans.items():
            measured = [program.run(policy, plan) for _ in range(REPEATS)]
            totals = (measured_totals(_within(run, bounds)) for run in measured)
            proofs.append(Proof(policy, runs[policy], tuple(totals)))
        model: PauseModel | None = None
        pauses: list[PauseProof] = []
        if show_pauses:
            model, pauses = _prove_pauses(path, program, plans, runs, bounds)
    remarks = [
        f"{with_marks_read(proof.policy)}: the program is not repeatable, two real runs differ"
        for proof in proofs
        if not proof.repeatable
    ]
    remarks += [
        f"{with_marks_read(proof.policy)}: {proof.predicted.depends_on_collector.sentence()}"
        for proof in proofs
        if proof.predicted.depends_on_collector.count
    ]
    payload = {"trace": str(trace or output or ""), "window": window, "apply_from": apply_from}
    payload |= {"proofs": [proof.to_json() for proof in proofs]}  # type: ignore[dict-item]
    tables = [_table(proofs)]
    if show_pauses:
        payload["pause_model"] = model and model.to_json()  # type: ignore[assignment]
        payload["pauses"] = {one.policy: one.to_json() for one in pauses}  # type: ignore[assignment]
        tables.append(proof_table(pauses))
        remarks.append(trust(model))
    show(Report(tuple(tables), payload, tuple(remarks)), output_format)
    if limit is not None:
        too_far = {proof.policy: proof.beyond(limit) for proof in proofs}
        for policy, figures in too_far.items():
            if figures:
                say(f"{policy}: {', '.join(figures)} off by more than {tolerance}")
        if any(too_far.values()):
            ctx.exit(1)


def _percent(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        if not text.endswith("%"):
            raise ValueError("it lacks the %")
        return float(decimal_from("it", text[:-1]))
    except ValueError as error:
        raise UsageError(
            f"--tolerance {shown(text)} is no percentage such as 5%: {error}"
        ) from None


@contextlib.contextmanager
def _recording(trace: Path | None, output: Path | None, force: bool) -> Iterator[Path]:
    """The recording to predict from: a given one, one to keep, or one for now."""
    if trace is not None:
        yield trace
    elif output is not None:
        new_database(output, force=force)
        yield output
    else:
        with tempfile.TemporaryDirectory(prefix="gcreplay-") as folder:
            yield Path(folder, "recording.gcreplay")


@contextlib.contextmanager
def _stdin(given: Path | None) -> Iterator[int]:
    if given is not None and (kind := other_kind(given)) is not None:
        raise UsageError(f"--input {given} is a {kind}: every run reads it anew, so give a file")
    with Path(given or os.devnull).open("rb") as file:
        yield file.fileno()


def _within(run: RealRun, window: tuple[str, str] | None) -> Sequence[RealCollection]:
    return run.window(*window) if window else run.collections


def _prove_pauses(
    path: Path,
    program: ProvedProgram,
    plans: dict[str, Plan],
    predicted: dict[str, RunResult],
    window: tuple[str, str] | None,
) -> tuple[PauseModel | None, list[PauseProof]]:
    """Runs that count no objects, which would warm the caches. The model is fitted to those under
    the program's own settings, and stays in the recording."""
    runs: dict[str, list[RealRun]] = {policy: [] for policy in plans}
    for policy in list(plans) * REPEATS:
        runs[policy].append(program.run(policy, plans[policy], sizes=False))
    with opened(path) as log, working("fitting pauses"):
        model = measured_model(log, [run.collections for run in runs[DEFAULT]])
    with contextlib.suppress(StorageError), EventLog.open(path, writable=True) as log:
        store_model(log, model)  # a recording that may not be written is as good
    if model is None:
        return None, []
    proofs = []
    for policy, made in runs.items():
        windows = [_within(run, window) for run in made]
        estimated = model.estimate(predicted[policy].collections)
        proofs.append(PauseProof(policy, estimated, Pauses(tuple(quiet(windows)))))
    return model, proofs


def _table(proofs: Sequence[Proof]) -> Table:
    """Three rows a policy: predicted, measured, error in percent."""
    heads = ("policy", "", "collections", "collected", "by generation")
    rows: list[tuple[Cell, ...]] = []
    for proof in proofs:
        rows.append(
            _row(with_marks_read(proof.policy), "predicted", predicted_totals(proof.predicted))
        )
        rows.append(_row("", "measured", proof.measured[0]))
        if not proof.repeatable:
            rows.append(_row("", "again", proof.measured[1]))
        errors = {figure: proof.error(figure) for figure in COMPARED}
        said = {f: "-" if e is None else f"{e:+.1f}%" for f, e in errors.items()}
        collected = (said["collections"], said["collected"], "")
        rows.append(("", "error", *collected, said["uncollectable"], said["peak_tracked"]))
    return Table((*heads, "uncollectable", "peak tracked"), tuple(rows), names=2)


def _row(policy: str, what: str, totals: Totals) -> tuple[Cell, ...]:
    return (
        policy,
        what,
        by_generation(totals.collections_by_generation),
        f"{totals.collected:,}",
        by_generation(totals.collected_by_generation),
        f"{totals.uncollectable:,}",
        f"{totals.peak_tracked:,}",
    )
