"""What commands print: tables of figures as text, JSON, Markdown or CSV, and remarks beside them.

Standard output carries the figures alone, so that it can be piped; remarks go to standard error.
"""

import csv
import io
import json
import re
import shlex
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from rich.table import Table as RichTable

from gcreplay.report.words.numbers import rounded, size_words
from gcreplay.report.words.text import csv_cell, markdown, plain

Cell = str | int | float | None
Command = TypeVar("Command", bound=Callable[..., Any])

PIPE_WIDTH: Final = 80
NARROW: Final = 12
FOLDED: Final = 12
NAMES: Final = 24
"""So much of a row's name a terminal never folds, nor what takes half of it; a pipe folds none, as
it may be searched for names."""
WHOLE: Final = 1 << 20
_FIGURE: Final = re.compile(r"[-+]?\d[\d,./]*%?")
"""Also several, as in 90/8/1."""
FORMATS: Final = ("table", "json", "markdown", "csv")


class Signed(int):
    """A change: shown with its sign."""


class Figure(float):
    """An estimate, in ms or per cent: shown with three digits that count."""


class SignedFigure(Figure):
    """A change of one: shown with its sign."""


class Size(int):
    """A number of bytes: shown in the largest unit that keeps it above 1."""


@dataclass(frozen=True, slots=True)
class Table:
    """Figures under headings. Cells keep their type; numbers are set to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    names: int = 1
    """The first columns, which name the rows."""

    def numeric(self, column: int) -> bool:
        """Whether the column holds numbers (and blanks) only."""
        cells = [row[column] for row in self.rows if row[column] is not None]
        return bool(cells) and all(isinstance(cell, int | float) for cell in cells)

    def without(self, empty: Cell) -> "Table":
        """The table without the columns that hold nothing else."""
        kept = [
            i
            for i in range(len(self.columns))
            if i < self.names or any(row[i] != empty for row in self.rows)
        ]
        return replace(
            self,
            columns=tuple(self.columns[i] for i in kept),
            rows=tuple(tuple(row[i] for i in kept) for row in self.rows),
        )


@dataclass(frozen=True, slots=True)
class Report:
    """What a command has found out: ``tables`` for people, ``payload`` for JSON.

    The first table is the main one and the only one that CSV prints: a CSV file is one table.
    ``words`` stand before the tables and ``notes`` behind them, where people read them; ``code``,
    lines to paste, stands behind the words. ``comment`` is the whole of it in Markdown, where that
    is more than the same tables. ``warnings`` are words that go to standard error where
    figures alone are printed.
    """

    tables: tuple[Table, ...]
    payload: Mapping[str, Any]
    remarks: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    comment: str = ""


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
    if output_format in ("json", "csv"):
        report = replace(report, remarks=report.warnings + report.remarks)
    else:
        report = replace(report, words=report.words + report.warnings)
    if output_format == "json":
        click.echo(json.dumps(report.payload, indent=2))
    elif output_format == "csv":
        click.echo(as_csv(report.tables[0]), nl=False)
    elif output_format == "markdown" and report.comment:
        click.echo(report.comment)
    elif output_format == "markdown":
        tables = map(as_markdown, report.tables)
        lines = ["```python", *map(plain, report.code), "```"]
        code = ["\n".join(lines)] if report.code else []
        parts = [*map(markdown, report.words), *code, *tables, *map(markdown, report.notes)]
        click.echo("\n\n".join(parts))
    elif sys.stdout.isatty():
        _show_in_terminal(report)
    else:
        before, behind = ("\n".join(map(filled, said)) for said in (report.words, report.notes))
        pasted = _indented(report.code)
        click.echo(
            "\n\n".join(filter(None, [before, pasted, *map(as_text, report.tables), behind]))
        )
    for remark in report.remarks:
        say(remark)


def say(sentence: str) -> None:
    """Print a sentence to standard error."""
    click.echo(plain(sentence), err=True)


def next_command(*words: object) -> str:
    """The last line of a screen: what to ask next."""
    return f"Next: {shlex.join(['gcreplay', *map(str, words)])}"


def as_csv(table: Table) -> str:
    """The table as CSV with a heading line; numbers without thousands separators."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (table.columns, *table.rows):
        writer.writerow(map(_csv_value, row))
    return text.getvalue()


def _csv_value(cell: Cell) -> Cell:
    match cell:
        case str():
            return csv_cell(cell)
        case Figure():
            return round(float(cell), 3)
        case _:
            return cell


def as_markdown(table: Table) -> str:
    """The table as GitHub-flavoured Markdown."""
    head = "| " + " | ".join(map(markdown, table.columns)) + " |"
    marks = (" ---: " if table.numeric(i) else " --- " for i in range(len(table.columns)))
    rule = "|" + "|".join(marks) + "|"
    body = ["| " + " | ".join(words(cell, markdown) for cell in row) + " |" for row in table.rows]
    title = [f"**{markdown(table.title)}**", ""] if table.title else []
    return "\n".join([*title, head, rule, *body])


def _indented(code: Sequence[str]) -> str:
    return "\n".join(f"    {plain(line)}".rstrip() for line in code)


def filled(sentence: str) -> str:
    """The sentence in lines that fit into a pipe's reader; what has no blanks is not broken."""
    return "\n".join(wrapped(plain(sentence)))


def wrapped(text: str, first: str = "", later: str = "", width: int = PIPE_WIDTH) -> list[str]:
    """The text in lines of that width, `first` before the first of them and `later` before the
    others; what has no blanks is not broken."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def as_text(table: Table, width: int = PIPE_WIDTH) -> str:
    """The table as plain aligned text, for pipes and files: what has no room stands below."""
    blocks = [_block(part, width) for part in _parts(table, width, WHOLE)]
    title = [filled(table.title)] if table.title else []
    return "\n".join([*title, "\n\n".join(blocks)])


Row = list[list[str]]
"""The lines of each cell."""


def _block(table: Table, width: int) -> str:
    """Headings in one line where they fit, else each word of a short one in a line of its own;
    then text is folded."""
    heads: Row = [[plain(column)] for column in table.columns]
    rows: list[Row] = [[[words(cell)] for cell in row] for row in table.rows]
    gap = 2
    widths = _natural([heads, *rows])
    if sum(widths) + gap * (len(widths) - 1) > width:
        heads = [h[0].split() or h if _short(table, i) else h for i, h in enumerate(heads)]
        widths = _natural([heads, *rows])
    if sum(widths) + gap * (len(widths) - 1) > width:
        gap, widths = 1, _widths(table, width, WHOLE)
        heads, *rows = (_folded(row, widths) for row in (heads, *rows))
    shown = [heads, *rows] if any(table.columns) else rows
    numeric = [table.numeric(i) for i in range(len(widths))]
    return "\n".join(line for row in shown for line in _lines(row, widths, numeric, " " * gap))


def _natural(rows: Sequence[Row]) -> list[int]:
    """The width of each column that folds nothing."""
    return [
        max(len(line) for cell in column for line in cell) for column in zip(*rows, strict=True)
    ]


def _folded(row: Row, widths: Sequence[int]) -> Row:
    return [
        [line for each in cell for line in textwrap.wrap(each, width) or [""]]
        for cell, width in zip(row, widths, strict=True)
    ]


def _lines(row: Row, widths: Sequence[int], numeric: Sequence[bool], gap: str) -> Iterator[str]:
    for parts in zip_longest(*row, fillvalue=""):
        aligned = (
            part.rjust(width) if right else part.ljust(width)
            for part, width, right in zip(parts, widths, numeric, strict=True)
        )
        yield gap.join(aligned).rstrip()


def words(cell: Cell, shown: Callable[[str], str] = plain) -> str:
    """One cell for human readers: 12345 -> 12,345; nothing -> an empty cell; text as `shown`."""
    match cell:
        case None:
            return ""
        case str():
            return shown(cell)
        case Figure():
            return rounded(cell, "+" if isinstance(cell, SignedFigure) else "")
        case float():
            return f"{cell:,.1f}"
        case Size():
            return size_words(cell)
        case Signed():
            return f"{cell:+,}"
        case _:
            return f"{cell:,}"


def _show_in_terminal(report: Report) -> None:
    from rich.console import Console  # slow to import, and pipes do without
    from rich.text import Text

    console = Console(highlight=False)
    for sentence in report.words:
        console.print(Text(plain(sentence)))
    if report.words:
        console.print()
    if report.code:
        console.print(Text(_indented(report.code) + "\n"))
    unbounded = console.options.update(max_width=10_000)
    for table in report.tables:
        names = max(NAMES, console.width // 2)
        for part in _parts(table, console.width, names):
            grid = _grid(part, names)
            if console.measure(grid, options=unbounded).maximum > console.width:
                grid.padding = 0
                for column, width in zip(
                    grid.columns, _widths(part, console.width, names), strict=True
                ):
                    column.width = width  # left to itself it may cut the last column's digits
            console.print(grid)
            console.print()
    for sentence in report.notes:
        console.print(Text(plain(sentence)))


def _parts(table: Table, width: int, names_room: int) -> Iterator[Table]:
    """The table, or where the terminal is too narrow for it parts that fit below one another:
    as many columns as there is room for, each time behind those that name the rows."""
    least = [_least_width(table, i, names_room) for i in range(len(table.columns))]
    names = list(range(table.names))
    shown = list(names)
    for i in range(table.names, len(least)):
        if shown != names and sum(least[k] + 1 for k in (*shown, i)) > width:
            yield _with_columns(table, shown)
            shown = list(names)
        shown.append(i)
    yield _with_columns(table, shown)


def _with_columns(table: Table, shown: Sequence[int]) -> Table:
    return Table(
        tuple(table.columns[i] for i in shown),
        tuple(tuple(row[i] for i in shown) for row in table.rows),
        title=table.title if list(shown) == list(range(len(shown))) else "",
        names=table.names,
    )


def _widest_cell(table: Table, column: int) -> int:
    return max((len(words(row[column])) for row in table.rows), default=0)


def _short(table: Table, column: int) -> bool:
    """Numbers and short words, which are never folded."""
    widest = max(_widest_cell(table, column), len(plain(table.columns[column])))
    return table.numeric(column) or widest <= NARROW


def _least_width(table: Table, column: int, names: int) -> int:
    """What a column must have to be readable. Its heading stands in lines of a word each, if it
    is short; the first column is folded only where it is longer than `names`, and no figure is."""
    heading = max(map(len, plain(table.columns[column]).split()), default=0)
    cells = _widest_cell(table, column)
    if _short(table, column):
        return max(heading, cells)
    if column == 0:
        return min(cells, names)
    texts = (words(row[column]).split() for row in table.rows)
    return max([FOLDED, *(len(word) for text in texts for word in text if _FIGURE.fullmatch(word))])


def _widths(table: Table, room: int, names: int) -> list[int]:
    """What each column gets where not all have what they would take: first what it must have,
    then, from the left, what is over for those that are folded. One space between two."""
    widths = [_least_width(table, i, names) for i in range(len(table.columns))]
    over = room - sum(widths) - (len(widths) - 1)
    for i, heading in enumerate(table.columns):
        if not _short(table, i):
            wanted = max(_widest_cell(table, i), len(plain(heading)))
            more = max(0, min(over, wanted - widths[i]))
            widths[i] += more
            over -= more
    return widths


def _grid(table: Table, names: int) -> "RichTable":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as RichTable
    from rich.text import Text

    grid = RichTable(
        box=SIMPLE_HEAD,
        title=Text(plain(table.title)) if table.title else None,
        title_justify="left",
        title_style="bold",
        show_edge=False,
        collapse_padding=True,
        show_header=any(table.columns),
        header_style="bold",
    )
    for i in range(len(table.columns)):
        _add_column(grid, table, i, names)
    for row in table.rows:
        grid.add_row(*(Text(words(cell)) for cell in row))
    return grid


def _add_column(grid: "RichTable", table: Table, column: int, names: int) -> None:
    from rich.text import Text

    heading = plain(table.columns[column])
    short = _short(table, column)
    grid.add_column(
        Text(heading.replace(" ", "\n") if short else heading),
        justify="right" if table.numeric(column) else "left",
        no_wrap=short,
        min_width=_least_width(table, column, names),
        overflow="fold",
    )
