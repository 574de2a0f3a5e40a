"""A table as other programs read it: CSV for computing, Markdown for pages."""

import csv
import io
from collections.abc import Sequence

from gcreplay.report.words.text import csv_cell, markdown
from gcreplay.screen.tables.table import (
    YOUNG_TO_OLD,
    Cell,
    Counts,
    Figure,
    Percent,
    Size,
    Table,
    words,
)


def as_csv(table: Table) -> str:
    """The table as CSV with a heading line: one value a cell, numbers as they are, the unit in the
    heading, or in the row's name where a column has several. Counts by generation have a column
    each."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    sized = [_units(table, i) for i in range(len(table.columns))]
    widths = [_counts(table, i) for i in range(len(table.columns))]
    heads: list[str] = []
    for name, unit, width in zip(table.columns, sized, widths, strict=True):
        heads += [f"{name} {age}" for age in _ages(width)] if width else [name + unit]
    writer.writerow(map(csv_cell, heads))
    for row in table.rows:
        made: list[Cell] = []
        for cell, width in zip(row, widths, strict=True):
            made += _spread(cell, width) if width else [_value(cell)]
        units = {_unit(cell) for cell, unit in zip(row, sized, strict=True) if not unit}
        made[0] = f"{made[0]}{''.join(sorted(units))}" if units != {""} else made[0]
        writer.writerow(made)
    return text.getvalue()


def _unit(cell: Cell) -> str:
    match cell:
        case Size():
            return " (bytes)"
        case Percent():
            return " (%)"
        case _:
            return ""


def _units(table: Table, column: int) -> str:
    """The unit that all cells of the column have."""
    units = {_unit(row[column]) for row in table.rows if row[column] is not None}
    return units.pop() if len(units) == 1 else ""


def _counts(table: Table, column: int) -> int:
    """How many counts a cell of the column has; 0 where none has any."""
    told = [row[column] for row in table.rows]
    return max((len(cell.counts) for cell in told if isinstance(cell, Counts)), default=0)


def _ages(count: int) -> Sequence[str]:
    """What generations are called."""
    return YOUNG_TO_OLD if count == len(YOUNG_TO_OLD) else [f"generation {i}" for i in range(count)]


def _spread(cell: Cell, width: int) -> list[Cell]:
    counts = list(cell.counts) if isinstance(cell, Counts) else []
    return [*counts, *[None] * (width - len(counts))]


def _value(cell: Cell) -> Cell:
    match cell:
        case str():
            return csv_cell(cell)
        case Figure() | Percent():
            return round(float(cell), 6)
        case float():
            return round(cell, 6)
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
