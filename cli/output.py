"""What commands print: tables of figures as text, JSON, Markdown or CSV, and remarks beside them.

Standard output carries the figures alone, so that it can be piped; remarks go to standard error.
"""

import csv
import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console, JustifyMethod
from rich.table import Table as RichTable
from rich.text import Text

Cell = str | int | float | None
Command = TypeVar("Command", bound=Callable[..., Any])

FORMATS: Final = ("table", "json", "markdown", "csv")


class Signed(int):
    """A change: shown with its sign."""


@dataclass(frozen=True, slots=True)
class Table:
    """Figures under headings. Cells keep their type; numbers are set to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""

    def numeric(self, column: int) -> bool:
        """Whether the column holds numbers (and blanks) only."""
        cells = [row[column] for row in self.rows if row[column] is not None]
        return bool(cells) and all(isinstance(cell, int | float) for cell in cells)


@dataclass(frozen=True, slots=True)
class Report:
    """What a command has found out: ``tables`` for people, ``payload`` for JSON.

    The first table is the main one and the only one that CSV prints: a CSV file is one table.
    """

    tables: tuple[Table, ...]
    payload: Mapping[str, Any]
    remarks: tuple[str, ...] = ()


def format_option(command: Command) -> Command:
    """Add ``--format`` to a command that prints figures."""
    option = click.option(
        "--format",
        "output_format",
        type=click.Choice(FORMATS),
        default="table",
        show_default=True,
        help="How to print the figures; csv prints the first table only.",
    )
    return option(command)


def show(report: Report, output_format: str) -> None:
    """Print the report to standard output and its remarks to standard error."""
    if output_format == "json":
        click.echo(json.dumps(report.payload, indent=2))
    elif output_format == "csv":
        click.echo(as_csv(report.tables[0]), nl=False)
    elif output_format == "markdown":
        click.echo("\n\n".join(as_markdown(table) for table in report.tables))
    elif sys.stdout.isatty():
        _show_in_terminal(report.tables)
    else:
        click.echo("\n\n".join(as_text(table) for table in report.tables))
    for remark in report.remarks:
        click.echo(remark, err=True)


def as_csv(table: Table) -> str:
    """The table as CSV with a heading line; numbers without thousands separators."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return text.getvalue()


def as_markdown(table: Table) -> str:
    """The table as GitHub-flavoured Markdown."""
    head = "| " + " | ".join(table.columns) + " |"
    marks = (" ---: " if table.numeric(i) else " --- " for i in range(len(table.columns)))
    rule = "|" + "|".join(marks) + "|"
    escaped = ((words(cell).replace("|", "\\|") for cell in row) for row in table.rows)
    body = ["| " + " | ".join(row) + " |" for row in escaped]
    title = [f"**{table.title}**", ""] if table.title else []
    return "\n".join([*title, head, rule, *body])


def as_text(table: Table) -> str:
    """The table as plain aligned text, for pipes and files."""
    cells = [list(table.columns), *([words(cell) for cell in row] for row in table.rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(table.columns))]
    lines = []
    for row in cells:
        aligned = (
            cell.rjust(width) if table.numeric(i) else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(aligned).rstrip())
    if not any(table.columns):
        del lines[0]
    return "\n".join([table.title, *lines] if table.title else lines)


def words(cell: Cell) -> str:
    """One cell for human readers: 12345 -> 12,345; nothing -> an empty cell."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:,.1f}"
    if isinstance(cell, int):
        return f"{cell:+,}" if isinstance(cell, Signed) else f"{cell:,}"
    return cell


def size_words(size: int) -> str:
    """A number of bytes in the largest unit that keeps it above 1: 1536 -> 1.5 KiB."""
    amount = float(size)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def by_generation(counts: Iterable[int]) -> str:
    """Counts per generation as one cell: [90, 8, 1] -> 90/8/1."""
    return "/".join(f"{count:,}" for count in counts)


def _show_in_terminal(tables: Sequence[Table]) -> None:
    console = Console(highlight=False)
    for table in tables:
        grid = RichTable(
            box=SIMPLE_HEAD,
            title=Text(table.title) if table.title else None,
            title_justify="left",
            title_style="bold",
            show_header=any(table.columns),
            header_style="bold",
            pad_edge=False,
        )
        for i, column in enumerate(table.columns):
            justify: JustifyMethod = "right" if table.numeric(i) else "left"
            grid.add_column(column, justify=justify, overflow="fold")
        for row in table.rows:
            grid.add_row(*(Text(words(cell)) for cell in row))
        console.print(grid)
