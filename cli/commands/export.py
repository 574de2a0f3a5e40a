"""`gcreplay export`: a recording as JSON Lines, or as a table of events for plain SQL."""

import sys
from pathlib import Path

import click

from gcreplay.files import text_output
from gcreplay.options import trace_argument
from gcreplay.screen.output import counted, say
from gcreplay.screen.progress import working
from gcreplay.store.errors import UsageError
from gcreplay.store.exchange.jsonl import export_jsonl
from gcreplay.store.exchange.rows import export_rows
from gcreplay.store.place import written_whole
from gcreplay.trace import opened


@click.command()
@trace_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write.  [default: standard output]",
)
@click.option("--rows", is_flag=True, help="An SQLite file with one row an event instead.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(trace: Path, output: Path | None, rows: bool, force: bool) -> None:
    """Write a recording as JSON Lines, one event a line, or as rows for plain SQL.

    \b
    Example:
      gcreplay export demo.gcreplay -o demo.jsonl
      gcreplay export demo.gcreplay --rows -o rows.db
      sqlite3 rows.db 'SELECT op, count(*) FROM events GROUP BY op'
    """
    with opened(trace) as log:
        if output is None:
            if rows:
                raise UsageError("--rows makes an SQLite file: name it with -o FILE")
            export_jsonl(log, sys.stdout)
            return
        with working(f"writing {output}"):
            if rows:
                with written_whole(output, force=force, database=True) as part:
                    written = export_rows(log, part)
            else:
                with text_output(output, force=force) as file:
                    written = export_jsonl(log, file)
    say(f"{counted(written, 'event')} in {output}")
