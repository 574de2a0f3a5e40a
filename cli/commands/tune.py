"""`gcreplay tune`: the setting that suits a program, in lines to paste, and the proof."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, get_args

import click

from gcreplay.advice.bearing import REPEATS, Real
from gcreplay.advice.paste import FORMS
from gcreplay.advice.tuned import Tuned
from gcreplay.commands.record import OwnOptionsThenProgram, program_argv
from gcreplay.options import alone, chosen_python, in_unit, real_run_options, several_options
from gcreplay.programs.probes import probing
from gcreplay.programs.realruns import ProvedProgram, input_of, own_ns_of, recording_at
from gcreplay.programs.stock import plan_of
from gcreplay.replay import make_policy
from gcreplay.replay.tuning.choice import Goal, Limits
from gcreplay.screen.outcome import PRESENT
from gcreplay.screen.output import Report, format_option, show
from gcreplay.screen.pauses import measured_model, store_model
from gcreplay.screen.progress import Runs
from gcreplay.several.named import ENDING, names_several
from gcreplay.store import EventLog
from gcreplay.store.errors import UsageError
from gcreplay.trace import opened
from gcreplay.tracer import RecordOptions

TRIES = 3
"""Settings that are really run, one after another, until one holds what was predicted of it."""


class RecordingOrProgram(OwnOptionsThenProgram):
    """A recording, behind which options may stand, or a program, whose own they are."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at, named = self.program_at(args)
        first = args[at : at + 1]
        ctx.allow_interspersed_args = not named and (is_recording(first) or is_folder(first))
        return super().parse_args(ctx, args)


def is_recording(args: Sequence[str]) -> bool:
    """Whether this names a recording and no program."""
    if len(args) != 1 or args[0] in ("-", "--"):
        return False
    path = Path(args[0])
    if path.suffix == ".gcreplay":
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def is_folder(args: Sequence[str]) -> bool:
    """Whether this names a folder of recordings, and no program that is one."""
    return len(args) == 1 and recordings_in(Path(args[0])) and not is_program(Path(args[0]))


def recordings_in(path: Path) -> bool:
    return path.is_dir() and any(path.glob(f"*{ENDING}"))


def is_program(path: Path) -> bool:
    return (path / "__main__.py").is_file()


_SQLITE = b"SQLite format 3\0"


@click.command(
    cls=RecordingOrProgram,
    options_metavar="[OPTIONS] RECORDING... | FOLDER | SCRIPT | -m MODULE | -c CODE",
)
@click.option(
    "--for",
    "goal",
    type=click.Choice([one for one in get_args(Goal) if one != "balance"]),
    metavar="GOAL",
    help="throughput, latency, p99 or memory.  [default: a balance]",
)
@click.option(
    "--max-memory",
    default="+10%",
    show_default=True,
    metavar="+P%",
    help="More peak memory than now, at most.",
)
@click.option("--max-pause", metavar="5ms", help="The longest pause at most.")
@click.option("--max-p99", metavar="2ms", help="The pause that 99 % do not exceed, at most.")
@click.option(
    "--as",
    "form",
    type=click.Choice(FORMS),
    default="python",
    metavar="PLACE",
    help="python, gunicorn, uvicorn or pytest.  [default: python]",
)
@several_options
@real_run_options
@format_option("settings", "comparison", "recordings")
@click.pass_context
def command(
    ctx: click.Context,
    goal: Goal | None,
    max_memory: str,
    max_pause: str | None,
    max_p99: str | None,
    form: str,
    each: bool,
    jobs: int | None,
    dask: str | None,
    output: Path | None,
    given: Path | None,
    python: str | None,
    exit_code: int,
    force: bool,
    output_format: str,
    module: str | None,
    code: str | None,
    args: tuple[str, ...],
) -> None:
    """Find the setting of the collector that suits a program, and say what it gains and costs.

    A program is recorded and tuned, and then really run under its present setting and the one
    found, three times each: that is recommended only as far as the real runs bear it out.

    \b
    Example:
      gcreplay tune app.py --port 8000
      gcreplay tune demo.gcreplay --for latency --max-memory +20% --as gunicorn
      gcreplay tune workers/ --as gunicorn
    """
    more = float(in_unit("--max-memory", max_memory, "+10%")) / 100
    limits = Limits(more, _ns("--max-pause", max_pause), _ns("--max-p99", max_p99))
    goal = goal or "balance"
    recorded = module is None and code is None and (is_recording(args[:1]) or is_folder(args[:1]))
    if recorded:
        others = [one for one in args[1:] if not (is_recording([one]) or is_folder([one]))]
        if others:
            raise UsageError(
                f"{args[0]} is a recording, which takes no arguments, and {others[0]} is none"
            )
        if output or given or python or exit_code or force:
            raise UsageError("A recording is tuned as it is: leave out the options for a program")
        traces = [Path(one) for one in args]
        if names_several(traces):
            from gcreplay.several.tuning import tuned_together  # it brings what one needs not

            report, ended = tuned_together(traces, goal, limits, form, jobs, dask, each=each)
            show(report, output_format)
            ctx.exit(ended)
    alone(each=each, jobs=jobs, dask=dask)
    if recorded:
        show(_of_recording(Path(args[0]), goal, limits, form), output_format)
        return
    python = chosen_python(python)
    argv = program_argv(module, code, args, python)
    chosen = probing(None, None, None, predicting=True)
    with recording_at(None, output, force) as path, input_of(given) as stdin:
        program = ProvedProgram(argv, python, stdin, exit_code, Runs("run", 3 + 2 * REPEATS))
        options = RecordOptions(path, argv, python, *chosen, force=force, stdin=stdin, stdout=2)
        program.record(options)
        report = _of_program(path, program, goal, limits, form, str(output or ""))
    where = RUN_WITH.format(python or sys.executable)
    show(replace(report, notes=(*report.notes, where)), output_format)


def _ns(option: str, given: str | None) -> int | None:
    return None if given is None else int(in_unit(option, given, "5ms") * 1_000_000)


RUN_WITH: Final = (
    "Run with {}; another interpreter or environment starts with other objects, and `--python` "
    "names one."
)
CUT: Final = "The recording is cut short: all figures are of what is there."


def _of_recording(trace: Path, goal: Goal, limits: Limits, form: str) -> Report:
    with opened(trace) as log:
        report = Tuned(log, goal, limits).report(str(trace), form)
        cut = (CUT,) if log.meta.get("complete") is False else ()
        return replace(report, warnings=(*report.warnings, *cut))


def _of_program(
    path: Path, program: ProvedProgram, goal: Goal, limits: Limits, form: str, trace: str
) -> Report:
    """Of a program that has just been recorded there."""
    now = plan_of(PRESENT, make_policy(PRESENT), None)
    plain = [program.run(PRESENT, now, sizes=False) for _ in range(2)]
    with opened(path) as log:
        model = measured_model(log, [run.collections for run in plain])
    with EventLog.open(path, writable=True) as log:
        store_model(log, model, own_ns_of(plain))
    with opened(path) as log:
        tuned = Tuned(log, goal, limits, Real.of(plain).peak_bytes)
        for _ in range(TRIES):
            if tuned.chosen is None:
                break
            policy = tuned.chosen.policy
            then = plan_of(policy, make_policy(policy), None)
            before, after = [], []
            for _ in range(REPEATS):
                before.append(program.run(PRESENT, now, sizes=False))
                after.append(program.run(policy, then, sizes=False))
            if tuned.prove(Real.of(before), Real.of(after)):
                break
        return tuned.report(trace, form)
