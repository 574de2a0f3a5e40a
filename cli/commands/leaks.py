"""`gcreplay leaks`: what is alive at the end, what of it grows, and what holds it."""

from collections.abc import Iterator
from pathlib import Path

import click

from gcreplay.help import Sectioned
from gcreplay.options import Whole, chosen_python
from gcreplay.programs.realruns import recording_at
from gcreplay.replay.leaks import Leaks, grown, leaks
from gcreplay.report.words.leaks import verdict
from gcreplay.screen.garbage import UNNAMED
from gcreplay.screen.leaks import alive_table, growing_lines
from gcreplay.screen.output import Report, format_option, next_command, show
from gcreplay.screen.progress import reading
from gcreplay.store import EventLog
from gcreplay.store.errors import UsageError
from gcreplay.store.marks import mark_from
from gcreplay.trace import opened

UNREAD = (
    "The heap was not read at that moment: what holds young objects there is what held them when "
    "it was read next."
)


@click.command(cls=Sectioned)
@click.argument("trace", type=click.Path(path_type=Path), required=False)
@click.option(
    "--between",
    nargs=2,
    metavar="MARK MARK",
    help="What is made between two marks and alive at the second.",
)
@click.option(
    "--run",
    "target",
    metavar="MODULE:FUNCTION",
    help="Call this again and again: what does a call leave?",
)
@click.option(
    "--times",
    type=Whole(1, 1_000_000),
    default=30,
    show_default=True,
    metavar="N",
    help="Calls to warm up, and twice to measure.",
)
@click.option(
    "--python",
    metavar="EXE",
    help="The interpreter.  [default: that of VIRTUAL_ENV, else ours]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="With --run: keep the recording there.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing recording.")
@click.option("--all", "show_all", is_flag=True, help="Show all that grows, and all kinds.")
@format_option("alive")
@click.pass_context
def command(
    ctx: click.Context,
    trace: Path | None,
    between: tuple[str, str] | None,
    target: str | None,
    times: int,
    python: str | None,
    output: Path | None,
    force: bool,
    show_all: bool,
    output_format: str,
) -> None:
    """Say what is alive at the end of the program, by type and site: what of it grows steadily, and
    what holds it.

    Garbage is not alive, whether a collector has freed it or not. A cache that fills and stays does
    not grow. With --run the exit code is 1 where something grows with the calls.

    \b
    Example:
      gcreplay leaks demo.gcreplay
      gcreplay leaks demo.gcreplay --between "request 10" "request 20"
      gcreplay leaks --run shop.orders:checkout --times 30
    """
    if target is None:
        if trace is None:
            raise UsageError("No recording: name one, or a function with --run MODULE:FUNCTION")
        if python is not None or output is not None or force:
            raise UsageError("--python, -o and --force are for --run")
        marks = None if between is None else (mark_from(between[0]), mark_from(between[1]))
        with opened(trace) as log, reading(log, "finding what is alive"):
            found = leaks(log, between=marks)
            following = _next(log, trace, found)
    else:
        if trace is not None or between is not None:
            raise UsageError("--run makes a recording of its own: leave out TRACE and --between")
        from gcreplay.programs.calls import MARKS, record_calls  # only who runs needs it

        with recording_at(None, output, force) as path:
            record_calls(target, times, path, chosen_python(python), force=output is not None)
            with opened(path) as log, reading(log, "finding what is alive"):
                found = grown(log, MARKS, times)
        following = next_command("leaks", output) if output else ""
    payload = {"trace": str(trace or output or ""), "run": target, **found.to_json()}
    told = growing_lines(found, show_all, output_format == "markdown")
    report = Report(
        (alive_table(found, show_all),) if found.kinds or output_format == "csv" else (),
        payload,
        words=(verdict(found, target), *told),
        notes=(*_doubts(found), *filter(None, [following])),
    )
    show(report, output_format)
    if target is not None and found.growing:
        ctx.exit(1)


def _doubts(found: Leaks) -> Iterator[str]:
    """What to think of the ways that are shown."""
    shown = found.growing or found.staying
    if shown and not found.named:
        yield UNNAMED
    elif shown and not found.whole:
        yield UNREAD


def _next(log: EventLog, trace: Path, found: Leaks) -> str:
    """The command to type next."""
    labels = [label for _, label in log.marks()]
    if found.growing and found.between is None and found.unit:
        first, last = labels[len(labels) // 2 : len(labels) // 2 + 2]
        return next_command("leaks", trace, "--between", first, last)
    if found.growing:
        return "Next: gcreplay leaks --run MODULE:FUNCTION says what one call leaves behind."
    return next_command("cycles", trace)
