"""`gcreplay record`: run a program and write what happens on its heap."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import click

from gcreplay.options import closeness_options
from gcreplay.output import say, size_words
from gcreplay.progress import working
from gcreplay.store.errors import UsageError
from gcreplay.tracer import RecordOptions, RecordProgress, RecordSummary, record


class OwnOptionsThenProgram(click.Command):
    """Like the interpreter's own command line: the program's arguments begin at the script, or
    after `-m MODULE` or `-c CODE`, and nothing of them is ours."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self._closed(args))

    def _closed(self, args: Sequence[str]) -> list[str]:
        """The arguments with `--` where the program's begin."""
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
                return [*args[:position], "--", *args[position:]]
        return list(args)


@click.command(
    cls=OwnOptionsThenProgram,
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS] SCRIPT | -m MODULE | -c CODE",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The recording to write.  [default: the program's name + .gcreplay]",
)
@closeness_options
@click.option(
    "--python", metavar="EXE", help="The interpreter to run the program with.  [default: ours]"
)
@click.option("--force", is_flag=True, help="Overwrite an existing recording.")
@click.option("-m", "module", metavar="MODULE", help="Run a module, as `python -m` does.")
@click.option("-c", "code", metavar="CODE", help="Run code, as `python -c` does.")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(
    ctx: click.Context,
    output: Path | None,
    granularity: int,
    full_probe: int,
    probe_budget: int,
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
      gcreplay record --granularity 100 --probe-budget 80 -m json.tool data.json
    """
    argv = program_argv(module, code, args)
    options = RecordOptions(
        output=output or Path(f"{_program_name(module, code, argv)}.gcreplay"),
        argv=argv,
        python=python,
        granularity=granularity,
        full_probe=full_probe,
        probe_budget=probe_budget,
        force=force,
        hand_over=True,
    )
    # A terminal that shows the program's output is the program's: no progress in between.
    with nullcontext() if sys.stdout.isatty() else working("recording") as tell:

        def progress(state: RecordProgress) -> None:
            if tell is not None:
                tell(f"recording: {state.events:,} events, {state.objects:,} objects")

        summary = record(options, progress)
    say(in_one_line(summary))
    ctx.exit(summary.exit_code)


def program_argv(module: str | None, code: str | None, args: tuple[str, ...]) -> list[str]:
    """What follows the interpreter; raises UsageError when there is no such program."""
    if module is not None:
        return ["-m", module, *args]
    if code is not None:
        return ["-c", code, *args]
    if not args:
        raise UsageError("No program to record: name a script, or give -m MODULE or -c CODE")
    if args[0] != "-" and not Path(args[0]).exists():
        raise UsageError(f"The script {args[0]} does not exist: check the path")
    return list(args)


def _program_name(module: str | None, code: str | None, argv: Sequence[str]) -> str:
    if module is not None:
        return module or "module"
    if code is not None:
        return "command"
    return "stdin" if argv[0] == "-" else Path(argv[0]).resolve().stem or "program"


def in_one_line(summary: RecordSummary) -> str:
    told = "gcreplay: nothing was recorded"
    if summary.output.exists():
        told = (
            f"gcreplay: {summary.events:,} events, {summary.objects:,} objects and "
            f"{summary.collections:,} collections in {summary.output} "
            f"({size_words(summary.output.stat().st_size)})"
        )
    return told if summary.complete else f"{told}; cut short: {summary.message}"
