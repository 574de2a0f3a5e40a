"""`gcreplay import`: a recording from JSON Lines."""

from pathlib import Path
from typing import TextIO

import click

from gcreplay.files import written_whole
from gcreplay.progress import working
from gcreplay.store.errors import GcreplayError, InvalidLog, MalformedLine, UsageError
from gcreplay.store.exchange.jsonl import import_jsonl


@click.command()
@click.argument("source", type=click.File(encoding="utf-8"), metavar="FILE|-")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The recording to write.  [default: the file's name + .gcreplay]",
)
@click.option("--force", is_flag=True, help="Overwrite an existing recording.")
def command(source: TextIO, output: Path | None, force: bool) -> None:
    """Make a recording of JSON Lines, one event a line, as `gcreplay export` writes them.

    Every rule of the event log is checked; the first broken one is named with its event.

    \b
    Example:
      gcreplay import by-hand.jsonl -o by-hand.gcreplay
    """
    target = output or _default_output(source.name)
    try:
        with (
            working(f"reading {source.name}"),
            written_whole(target, force=force) as beside,
            import_jsonl(source, beside) as log,
        ):
            told = f"{log.event_count:,} events, {log.object_count:,} objects in {target}"
    except (InvalidLog, MalformedLine) as error:
        raise GcreplayError(f"{source.name}: {error}") from error
    except UnicodeDecodeError as error:
        raise GcreplayError(f"{source.name} is no UTF-8 text, so no JSON Lines") from error
    click.echo(told, err=True)


def _default_output(source: str) -> Path:
    if source == "<stdin>":
        raise UsageError("A recording of standard input needs a name: give -o FILE")
    return Path(f"{Path(source).stem}.gcreplay")
