"""`gcreplay import`: a recording from JSON Lines."""

from pathlib import Path

import click

from gcreplay.files import text_lines
from gcreplay.help import Sectioned
from gcreplay.report.words.numbers import counted
from gcreplay.screen.output import say
from gcreplay.screen.progress import working
from gcreplay.store.errors import GcreplayError, InvalidLog, MalformedLine, UsageError
from gcreplay.store.exchange.jsonl import import_jsonl
from gcreplay.store.place import own_descriptor, written_whole


@click.command(cls=Sectioned)
@click.argument("source", metavar="FILE|-")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The recording to write.  [default: the file's name + .gcreplay]",
)
@click.option("--force", is_flag=True, help="Overwrite an existing recording.")
def command(source: str, output: Path | None, force: bool) -> None:
    """Make a recording of JSON Lines, one event a line, as `gcreplay export` writes them.

    Every rule of the event log is checked; the first broken one is named with its event.

    \b
    Example:
      gcreplay import by-hand.jsonl -o by-hand.gcreplay
    """
    target = output or _default_output(source)
    try:
        with (
            working(f"reading {source}"),
            text_lines(source) as lines,
            written_whole(target, force=force, database=True) as part,
            import_jsonl(lines, part) as log,
        ):
            held = (counted(log.event_count, "event"), counted(log.object_count, "object"))
            told = f"{', '.join(held)} in {target}"
    except (InvalidLog, MalformedLine) as error:
        raise GcreplayError(f"{source}: {error}") from error
    except UnicodeDecodeError as error:
        raise GcreplayError(f"{source} is no UTF-8 text, so no JSON Lines") from error
    say(told)


def _default_output(source: str) -> Path:
    if source == "-" or own_descriptor(Path(source)) is not None:
        raise UsageError("A recording of standard input needs a name: give -o FILE")
    return Path(f"{Path(source).stem}.gcreplay")
