"""`gcreplay leaks`: what is alive at the end, what of it grows, and what holds it."""

import shlex
from pathlib import Path

import click

from gcreplay.options import trace_argument
from gcreplay.replay.leaks import Leaks, leaks
from gcreplay.screen.leaks import alive_table, growing_lines, verdict
from gcreplay.screen.output import Report, format_option, show
from gcreplay.screen.progress import working
from gcreplay.store import EventLog
from gcreplay.store.marks import mark_from
from gcreplay.trace import opened

UNNAMED = (
    "References have no names here: the recording was made before there were any. Record again."
)


@click.command()
@trace_argument
@click.option(
    "--between",
    nargs=2,
    metavar="MARK MARK",
    help="Of what is born between these two marks, what is alive at the second.",
)
@click.option("--all", "show_all", is_flag=True, help="Show all that grows, and all kinds.")
@format_option
def command(
    trace: Path, between: tuple[str, str] | None, show_all: bool, output_format: str
) -> None:
    """Say what is alive at the end of the program, by type and site: what of it grows steadily, and
    what holds it.

    Garbage is not alive, whether a collector has freed it or not. A cache that fills and stays does
    not grow.

    \b
    Example:
      gcreplay leaks demo.gcreplay
      gcreplay leaks demo.gcreplay --between "request 10" "request 20"
    """
    marks = None if between is None else (mark_from(between[0]), mark_from(between[1]))
    with opened(trace) as log, working("looking at what is alive"):
        found = leaks(log, between=marks)
        following = _next(log, trace, found)
    told = growing_lines(found, show_all, output_format == "markdown")
    notes = [following] if found.named or not found.growing else [UNNAMED, following]
    payload = {"trace": str(trace), **found.to_json()}
    report = Report(
        (alive_table(found, show_all),), payload, words=(verdict(found), *told), notes=tuple(notes)
    )
    show(report, output_format)


def _next(log: EventLog, trace: Path, found: Leaks) -> str:
    """The command to type next."""
    labels = [label for _, label in log.marks()]
    if found.growing and found.between is None and found.unit:
        first, last = labels[len(labels) // 2 : len(labels) // 2 + 2]
        return f"Next: {shlex.join(['gcreplay', 'leaks', str(trace), '--between', first, last])}"
    if found.growing:
        return "Next: gcreplay leaks --run MODULE:FUNCTION says what one call leaves behind."
    return f"Next: {shlex.join(['gcreplay', 'replay', str(trace)])}"
