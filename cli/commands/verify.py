"""`gcreplay verify`: does the replay do what the recorded interpreter really did?"""

from pathlib import Path

import click

from gcreplay.options import trace_argument
from gcreplay.output import Cell, Report, Table, format_option, show
from gcreplay.progress import working
from gcreplay.replay import VerifyResult, verify
from gcreplay.store import EventLog

COMPARED = ("sequence", "allocation", "cause", "generation", "candidates", "collected")


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
        click.echo(f"{trace}: the replay differs from the recorded collections", err=True)
        ctx.exit(1)


def _tables(result: VerifyResult) -> tuple[Table, ...]:
    lines: list[tuple[Cell, ...]] = [
        ("collections recorded", result.recorded),
        ("collections replayed", result.replayed),
        ("position equal", result.position_equal),
        ("generation equal", result.generation_equal),
        ("collected equal", result.collected_equal),
        ("candidates equal", result.candidates_equal),
        *((f"repairs: {kind}", n) for kind, n in result.repairs.items() if n),
    ]
    tables = [Table(("", ""), tuple(lines))]
    first = result.first_difference
    if first is not None:
        recorded, replayed = first.recorded or {}, first.replayed or {}
        rows = tuple((name, recorded.get(name), replayed.get(name)) for name in COMPARED)
        title = f"First difference: collection {first.index}, in {', '.join(first.what)}"
        tables.append(Table(("", "recorded", "replayed"), rows, title=title))
    return tuple(tables)
