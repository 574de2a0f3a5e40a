"""`gcreplay export`: a recording as other tools read it: lines of JSON, rows for plain SQL, a
timeline, or tables for notebooks."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import click

from gcreplay.exporting.chrome import write_chrome
from gcreplay.exporting.runs import export_tables, timed_runs
from gcreplay.files import spare, text_output
from gcreplay.help import Sectioned
from gcreplay.options import policy_option, trace_argument
from gcreplay.report.words.numbers import counted
from gcreplay.screen.output import say
from gcreplay.screen.progress import reading
from gcreplay.store import EventLog
from gcreplay.store.errors import UsageError
from gcreplay.store.exchange.jsonl import export_jsonl
from gcreplay.store.exchange.rows import export_rows
from gcreplay.store.place import written_whole
from gcreplay.trace import opened


@click.command(cls=Sectioned)
@trace_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write.  [default: standard output]",
)
@click.option("--rows", is_flag=True, help="An SQLite file with one row an event instead.")
@click.option(
    "--chrome-trace",
    is_flag=True,
    help="The collections in time instead, for Perfetto and speedscope.",
)
@click.option(
    "--parquet",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Parquet files in this folder instead, for notebooks.",
)
@policy_option("With these two: this collector's collections too; repeatable.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(
    trace: Path,
    output: Path | None,
    rows: bool,
    chrome_trace: bool,
    parquet: Path | None,
    policies: tuple[str, ...],
    force: bool,
) -> None:
    """Write a recording for other tools: as JSON Lines, one event a line, as rows for plain SQL, as
    a timeline of its collections, or as tables for notebooks.

    \b
    Example:
      gcreplay export demo.gcreplay -o demo.jsonl
      gcreplay export demo.gcreplay --rows -o rows.db
      sqlite3 rows.db 'SELECT op, count(*) FROM events GROUP BY op'
      gcreplay export demo.gcreplay --chrome-trace -p manual -o trace.json
      gcreplay export demo.gcreplay --parquet tables
    """
    if rows + chrome_trace + (parquet is not None) > 1:
        raise UsageError("--rows, --chrome-trace and --parquet write different files: choose one")
    if parquet is not None and output is not None:
        raise UsageError("--parquet names its folder itself: leave -o out")
    if policies and not chrome_trace and parquet is None:
        raise UsageError("-p is for --chrome-trace and --parquet: all else is the recording alone")
    spare(output, trace)
    with opened(trace) as log:
        if parquet is not None:
            written = _tables(log, parquet, trace, policies, force=force)
        elif rows:
            written = _rows(log, output, force=force)
        elif chrome_trace:
            written = _timeline(log, trace, policies, output, force=force)
        else:
            written = _lines(log, output, force=force)
    if (target := parquet or output) is not None:
        say(f"{written} in {target}")


def _lines(log: EventLog, output: Path | None, *, force: bool) -> str:
    """Each of these says what it has written."""
    if output is None:
        return counted(export_jsonl(log, sys.stdout), "event")
    with reading(log, f"writing {output}"), text_output(output, force=force) as file:
        return counted(export_jsonl(log, file), "event")


def _rows(log: EventLog, output: Path | None, *, force: bool) -> str:
    if output is None:
        raise UsageError("--rows makes an SQLite file: name it with -o FILE")
    with (
        reading(log, f"writing {output}"),
        written_whole(output, force=force, database=True) as part,
    ):
        return counted(export_rows(log, part), "event")


def _tables(
    log: EventLog, folder: Path, trace: Path, policies: Sequence[str], *, force: bool
) -> str:
    written = export_tables(log, folder, policies, _told(log, trace), force=force)
    return ", ".join(f"{n:,} {name}" for name, n in written.items())


def _told(log: EventLog, trace: Path) -> dict[str, str]:
    """About what is written, for its metadata."""
    return {"recording": trace.name, "python": str(log.meta.get("python") or "")}


def _timeline(
    log: EventLog, trace: Path, policies: Sequence[str], output: Path | None, *, force: bool
) -> str:
    def write(file: TextIO) -> str:
        written = write_chrome(file, timed_runs(log, policies), _told(log, trace))
        return ", ".join(f"{counted(n, 'collection')} {name}" for name, n in written.items())

    if output is None:
        return write(sys.stdout)
    with text_output(output, force=force) as file:
        return write(file)
