"""`gcreplay record`: run a program and write what happens on its heap."""

import re
import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from gcreplay.files import check_free
from gcreplay.help import Sectioned
from gcreplay.installation import write_limits
from gcreplay.options import chosen_python, probe_options, program_options
from gcreplay.programs.not_a_script import no_such_script
from gcreplay.programs.probes import Probing, probing, thresholds_of
from gcreplay.report.words.numbers import counted, size_words
from gcreplay.screen.output import say
from gcreplay.screen.progress import Done, begin_a_line, working
from gcreplay.store.errors import GcreplayError, UsageError
from gcreplay.store.marks import meant
from gcreplay.store.place import companion_names
from gcreplay.store.values import shown
from gcreplay.tracer import RecordOptions, RecordProgress, RecordSummary, record
from gcreplay.tracer.program import split_command

OF_PYTHON = re.compile("-[bBdEiIOPqsSuvWxX]")
VERIFY, WHAT_IF = "verify", "what-if"


class OwnOptionsThenProgram(Sectioned):
    """Like the interpreter's own command line: the program's arguments begin at the script, or
    after `-m MODULE` or `-c CODE`, and nothing of them is ours."""

    allow_interspersed_args = False

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        write_limits(formatter)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, self._closed(args))
        except click.NoSuchOption as error:
            if not OF_PYTHON.match(error.option_name):
                raise
            raise UsageError(
                f"{error.option_name} is no option of `gcreplay {ctx.info_name}`: those of the "
                f"interpreter stand behind --, as in gcreplay {ctx.info_name} -- "
                f"{error.option_name} SCRIPT"
            ) from None

    def _closed(self, args: Sequence[str]) -> list[str]:
        """The arguments with `--` where the program's begin."""
        at, named = self.program_at(args)
        return [*args[:at], "--", *args[at:]] if named else list(args)

    def program_at(self, args: Sequence[str]) -> tuple[int, bool]:
        """Where our options end, and whether the last of them names the program."""
        with_value = {
            name
            for param in self.params
            if isinstance(param, click.Option) and not param.is_flag
            for name in param.opts
        }
        position = 0
        while position < len(args) and args[position].startswith("-") and args[position] != "--":
            option = args[position]
            position += 2 if option in with_value else 1
            if position > len(args):
                break  # the option's value is missing
            if option[:2] in ("-m", "-c"):
                return position, True
        return position, False


@click.command(
    cls=OwnOptionsThenProgram,
    options_metavar="[OPTIONS] SCRIPT | -m MODULE | -c CODE",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The recording.  [default: the program's name + .gcreplay]",
)
@click.option(
    "--for",
    "purposes",
    multiple=True,
    metavar="PURPOSE",
    help="verify (the default, cheap), what-if, or a policy; repeat.",
)
@click.option(
    "--labels",
    is_flag=True,
    help="Name all references, not those in garbage alone.",
)
@click.option(
    "--report",
    "report_to",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Then write a report: .html, .md or .json.",
)
@probe_options
@program_options
@click.pass_context
def command(
    ctx: click.Context,
    output: Path | None,
    purposes: tuple[str, ...],
    granularity: int | None,
    full_probe: int | None,
    probe_budget: int | None,
    labels: bool,
    report_to: Path | None,
    python: str | None,
    force: bool,
    module: str | None,
    code: str | None,
    args: tuple[str, ...],
) -> None:
    """Run a program under CPython 3.11 and record what happens on its heap.

    The program's output, input, arguments and signals are as without recording. Messages of
    gcreplay go to standard error. Exits with the program's exit code (128 + n for signal n).

    \b
    Example:
      gcreplay record -o before.gcreplay app.py --port 8000
      gcreplay record --for what-if -m json.tool data.json
      gcreplay record -- -O -X dev app.py
    """
    chosen = _probing(purposes, granularity, full_probe, probe_budget)
    python = chosen_python(python)
    argv = program_argv(module, code, args, python)
    output = output or Path(f"{_program_name(argv)}.gcreplay")
    if report_to is not None:
        _check_report(report_to, output, force=force)
    options = RecordOptions(
        output=output,
        argv=argv,
        python=python,
        granularity=chosen[0],
        full_probe=chosen[1],
        probe_budget=chosen[2],
        labels=labels,
        force=force,
        hand_over=True,
    )
    # The terminal is the program's as long as that runs: its errors come there, too.
    with ExitStack() as shown:
        left: list[Done] = []

        def progress(state: RecordProgress) -> None:
            if not state.ended:
                return
            if not left:
                left.append(Done(state.waiting, "writing the recording"))
                begin_a_line()
                shown.enter_context(working(left[0]))
            left[0].made = max(0, left[0].total - state.waiting)

        summary = record(options, progress)
    begin_a_line()
    say(in_one_line(summary))
    if report_to is not None and summary.output.exists():
        _report(summary.output, report_to, force=force)
    ctx.exit(summary.exit_code)


def _check_report(target: Path, recording: Path, *, force: bool) -> None:
    """Before the program runs: raises UsageError for a report that cannot be written."""
    if str(target) == "-":
        raise UsageError("--report - is not possible: the output is the program's; name a file")
    try:
        same = target.resolve() in [recording.resolve(), *companion_names(recording)]
    except (OSError, RuntimeError):
        same = False  # the attempt to write will say it
    if same:
        raise UsageError(f"--report {target} is the recording itself: name another file")
    check_free(target, force=force)


def _report(recording: Path, target: Path, *, force: bool) -> None:
    """Whatever goes wrong with it is said in a sentence: the program has run and is recorded, and
    the exit code is the program's."""
    try:
        from gcreplay.commands.report import of_recorded  # it has no part in a plain recording

        of_recorded(recording, target, force=force)
    except (Exception, KeyboardInterrupt) as error:
        known = isinstance(error, GcreplayError)
        what = str(error) if known else f"{type(error).__name__} {error}".rstrip()
        again = shlex.join(["gcreplay", "report", str(recording), "-o", str(target)])
        say(f"gcreplay: no report is written: {what}. To try again: {again}")


def _probing(
    purposes: tuple[str, ...],
    granularity: int | None,
    full_probe: int | None,
    probe_budget: int | None,
) -> Probing:
    """How finely to probe for these purposes."""
    policies = [purpose for purpose in purposes if purpose not in (VERIFY, WHAT_IF)]
    return probing(
        granularity,
        full_probe,
        probe_budget,
        predicting=bool(set(purposes) - {VERIFY}),
        thresholds=[one for name in policies for one in _thresholds(name)],
    )


def _thresholds(name: str) -> list[int]:
    """The first thresholds of the policy that `--for` names."""
    from gcreplay.replay import make_policy  # it has no part in a plain recording

    try:
        return thresholds_of(make_policy(name))
    except UsageError as error:
        if not str(error).startswith("there is no policy"):
            raise
        near = meant(name, [VERIFY, WHAT_IF])
        raise UsageError(
            f"--for {shown(name)} is neither {VERIFY} nor {WHAT_IF}{near}, and {error}"
        ) from None


def program_argv(
    module: str | None, code: str | None, args: tuple[str, ...], python: str | None
) -> list[str]:
    """What follows the interpreter; raises UsageError when there is no such program."""
    if module is not None:
        return ["-m", module, *args]
    if code is not None:
        return ["-c", code, *args]
    options, program = split_command(args)
    if not program:
        raise UsageError("No program to record: name a script, or give -m MODULE or -c CODE")
    if program[0] not in ("-", "-m", "-c") and not Path(program[0]).exists():
        raise UsageError(no_such_script(program, options, python))
    return list(args)


def _program_name(argv: Sequence[str]) -> str:
    _, (first, *rest) = split_command(argv)
    match first:
        case "-m":
            return next(iter(rest), "") or "module"
        case "-c":
            return "command"
        case "-":
            return "stdin"
    return Path(first).resolve().stem or "program"


def in_one_line(summary: RecordSummary) -> str:
    if not summary.output.exists():
        return f"gcreplay: nothing was recorded: {summary.message}"
    from gcreplay.store.tables.database import size_of  # is there by now

    told = (
        f"gcreplay: {counted(summary.events, 'event')}, {counted(summary.objects, 'object')} "
        f"and {counted(summary.collections, 'collection')} in {summary.output} "
        f"({size_words(size_of(summary.output))})"
    )
    if summary.children:
        started = "process that it started is", "processes that it started are"
        told += f"; {summary.children:,} {started[summary.children > 1]} not in it"
    return told if summary.complete else f"{told}; cut short: {summary.message}"
