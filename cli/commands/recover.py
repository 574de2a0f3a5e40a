"""`gcreplay recover`: finish a recording whose writer was killed."""

from pathlib import Path

import click

from gcreplay.commands.record import in_one_line
from gcreplay.help import Sectioned
from gcreplay.screen.output import say
from gcreplay.screen.progress import working
from gcreplay.store.errors import GcreplayError
from gcreplay.tracer import recover


@click.command(cls=Sectioned)
@click.argument("spool", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The recording to write.  [default: the spool's name + .gcreplay]",
)
@click.option("--force", is_flag=True, help="Overwrite an existing recording.")
def command(spool: Path, output: Path | None, force: bool) -> None:
    """Make a recording of a spool file that `gcreplay record` left behind.

    That happens when gcreplay itself was killed. The spool holds everything the program committed
    before it ended; it is kept.

    \b
    Example:
      gcreplay recover app.gcreplay.spool -o app.gcreplay
    """
    with working("recovering"):
        summary = recover(spool, output or _default_output(spool), force=force)
    say(in_one_line(summary))


def _default_output(spool: Path) -> Path:
    if not spool.name:
        raise GcreplayError(f"{spool} is a directory, no spool of gcreplay")
    stem = spool.name.removesuffix(".spool").removesuffix(".gcreplay")
    return spool.with_name(f"{stem}.gcreplay")
