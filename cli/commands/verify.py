"""`gcreplay verify`: does the replay do what the recorded interpreter really did?"""

from pathlib import Path

import click

from gcreplay.options import trace_argument
from gcreplay.output import Report, format_option, show
from gcreplay.progress import working
from gcreplay.replay import verify
from gcreplay.store import EventLog


@click.command()
@trace_argument
@format_option
@click.pass_context
def command(ctx: click.Context, trace: Path, output_format: str) -> None:
    """Replay under the recorded settings and compare with the interpreter's own collections.

    The replay runs freely: after a difference it is never set right again. Exit code 0 when every
    collection is equal in position, generation and number collected, 1 otherwise.

    \b
    Example:
      gcreplay verify demo.gcreplay
    """
    with EventLog.open(trace) as log, working("verifying"):
        result = verify(log)
    show(Report(_tables(result), result.to_json()), output_format)
    if not result.equal:
        click.echo(f"{trace}: the replay differs from the recorded collections.", err=True)
        ctx.exit(1)
