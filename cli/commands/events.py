"""`gcreplay events`: single events of a recording in words."""

from pathlib import Path

import click

from gcreplay.help import Sectioned
from gcreplay.options import Whole, trace_argument
from gcreplay.report.words.text import plain
from gcreplay.screen.wording import Wording
from gcreplay.store.errors import UsageError
from gcreplay.trace import opened

DEFAULT_EVENTS = 40
EITHER_SIDE = 10


@click.command(cls=Sectioned)
@trace_argument
@click.option("--from", "start", type=Whole(), metavar="N", help="The first event.")
@click.option("--to", "stop", type=Whole(), metavar="M", help="The last event.")
@click.option(
    "--around",
    type=Whole(),
    metavar="N",
    help=f"Event N with {EITHER_SIDE} on either side.",
)
def command(trace: Path, start: int | None, stop: int | None, around: int | None) -> None:
    """Print a window of events, one a line: number, kind, and what it says.

    Objects appear as type#number, as in list#12. Without options the first 40 events are printed.
    `gcreplay export` writes all events, as JSON Lines or as a table for SQL.

    \b
    Example:
      gcreplay events demo.gcreplay --from 5000 --to 5019
      gcreplay events demo.gcreplay --around 5000
    """
    with opened(trace) as log:
        first, last = _window(start, stop, around)
        count = log.event_count
        if count and first >= count:
            raise UsageError(f"{trace} has {count:,} events, so the last one is {count - 1}")
        wording = Wording(log)
        width = len(str(min(last, count)))
        for segment in log.named(first, min(last + 1, count)):
            for sequence, op, told in wording.lines(segment):
                sign = ">" if sequence == around else " "
                click.echo(f"{sign}{sequence:>{width}}  {op:<9} {plain(told)}".rstrip())


def _window(start: int | None, stop: int | None, around: int | None) -> tuple[int, int]:
    """The first and the last event to print."""
    if around is not None:
        if start is not None or stop is not None:
            raise UsageError("--around stands alone: leave out --from and --to")
        return max(0, around - EITHER_SIDE), around + EITHER_SIDE
    first = start or 0
    last = first + DEFAULT_EVENTS - 1 if stop is None else stop
    if last < first:
        raise UsageError(f"--to {last} comes before --from {first}: exchange them")
    return first, last
