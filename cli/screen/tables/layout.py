"""A table in so many columns of a terminal: what is most important stays, no figure is broken."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

from gcreplay.report.words.text import plain
from gcreplay.screen.tables.folding import cells, folded, longest_piece, place_lines
from gcreplay.screen.tables.table import Place, Table, words

GAP: Final = 2
LEAST_GAP: Final = 1
"""Where a column has no room otherwise."""
SHORT: Final = 12
"""Text up to here is never folded."""
WORD: Final = 28
"""Nor is a word up to here, nor an action of a policy."""
_FIGURE: Final = re.compile(r"[-+]?\d[\d,./]*%?")
"""Also several, as in 90/8/1."""


@dataclass(frozen=True, slots=True)
class Laid:
    """The lines of a table, the first `heads` of them its headings; the columns that have no room,
    and how wide a terminal shows them too."""

    lines: tuple[str, ...]
    heads: int
    left_out: tuple[str, ...]
    needed: int


def laid_out(table: Table, width: int) -> Laid:
    """The table with as many of its columns as that width has room for."""
    kept = list(range(len(table.columns)))
    spare = [table.columns.index(name) for name in table.spare if name in table.columns]
    least = _Columns(table)
    for column in [*spare, *reversed(range(table.names, len(kept)))]:
        if least.room(kept) <= width:
            break
        if column in kept and len(kept) > table.names + 1:
            kept.remove(column)
    left_out = tuple(plain(name) for i, name in enumerate(table.columns) if i not in kept)
    lines, heads = _lines(table.with_columns(kept), width)
    return Laid(tuple(lines), heads, left_out, least.room(range(len(table.columns))))


def parts(table: Table, width: int) -> list[Table]:
    """All columns, in tables that fit below one another: each time behind those that name the
    rows."""
    least = _Columns(table)
    names = list(range(table.names))
    made, shown = [], list(names)
    for i in range(table.names, len(table.columns)):
        if shown != names and least.room([*shown, i]) > width:
            made.append(table.with_columns(shown))
            shown = list(names)
        shown.append(i)
    made.append(table.with_columns(shown))
    return [made[0], *(replace(part, title="") for part in made[1:])]


class _Columns:
    """What each column must have."""

    def __init__(self, table: Table) -> None:
        self._least = [_least(table, i) for i in range(len(table.columns))]

    def room(self, columns: Sequence[int]) -> int:
        """What these need beside one another."""
        return _sum([self._least[i] for i in columns], LEAST_GAP)


def _least(table: Table, column: int) -> int:
    """The narrowest that is still readable. A heading stands in lines of a word each."""
    names = [] if table.bare else plain(table.columns[column]).split()
    heading = max(map(cells, names), default=0)
    texts = [words(row[column]) for row in table.rows]
    natural = max(map(cells, texts), default=0)
    if table.numeric(column) or natural <= SHORT:
        return max(heading, natural)
    figures = [len(word) for text in texts for word in text.split() if _FIGURE.fullmatch(word)]
    if any(isinstance(row[column], Place) for row in table.rows):
        return max(heading, min(natural, WORD), *figures, 0)
    pieces = min(WORD, max(map(longest_piece, texts)))
    return max(heading, SHORT, pieces, *figures, 0)


Row = list[list[str]]
"""The lines of each cell."""


def _lines(table: Table, width: int) -> tuple[list[str], int]:
    """The lines of a table that fits, and how many are headings: these stand in one line where
    they fit, else in a line a word; then text is folded."""
    heads: Row = [["" if table.bare else plain(column)] for column in table.columns]
    rows: list[Row] = [[[words(cell)] for cell in row] for row in table.rows]
    gap, widths = GAP, _natural([heads, *rows])
    if _sum(widths) > width:
        bodies = _natural(rows) if rows else [0] * len(heads)
        heads = [_stacked(head[0], least) for head, least in zip(heads, bodies, strict=True)]
        widths = _natural([heads, *rows])
    if _sum(widths) > width >= _sum(widths, LEAST_GAP):
        gap = LEAST_GAP
    elif _sum(widths) > width:
        least = [_least(table, i) for i in range(len(widths))]
        gap = GAP if _sum(least) <= width else LEAST_GAP
        widths = _squeezed(least, widths, width - gap * (len(widths) - 1))
        heads = [folded(" ".join(head), least) for head, least in zip(heads, widths, strict=True)]
        rows = [_folded(table, row, widths) for row in table.rows]
        widths = _natural([heads, *rows])
    numeric = [table.numeric(i) for i in range(len(widths))]
    told = [] if table.bare else list(_aligned(heads, widths, numeric, gap, below=True))
    body = [line for row in rows for line in _aligned(row, widths, numeric, gap)]
    return [*told, *body], len(told)


def _stacked(head: str, width: int) -> list[str]:
    """The heading in lines of that width, or of a word each where one is wider."""
    return folded(head, max(width, *map(cells, head.split()), 1) if head else 1)


def _natural(rows: Sequence[Row]) -> list[int]:
    """The width of each column that folds nothing."""
    columns = zip(*rows, strict=True)
    return [max(cells(line) for cell in column for line in cell) for column in columns]


def _sum(widths: Sequence[int], gap: int = GAP) -> int:
    return sum(widths) + gap * (len(widths) - 1)


def _squeezed(least: Sequence[int], natural: Sequence[int], room: int) -> list[int]:
    """What each column gets where not all have what they would take: first what it must have, then,
    from the left, what is over."""
    widths = list(least)
    over = room - sum(widths)
    for i, wanted in enumerate(natural):
        more = max(0, min(over, wanted - widths[i]))
        widths[i] += more
        over -= more
    return widths


def _folded(table: Table, row: Sequence[object], widths: Sequence[int]) -> Row:
    made: Row = []
    for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
        if isinstance(cell, Place):
            others = [words(other[i]) for other in table.rows]
            made.append(place_lines(words(cell), width, others))
        else:
            made.append(folded(words(cell), width))  # type: ignore[arg-type]
    return made


def _aligned(
    row: Row, widths: Sequence[int], numeric: Sequence[bool], gap: int, *, below: bool = False
) -> Iterator[str]:
    """The lines of a row, numbers to the right; `below`: short cells stand in its last lines, as
    headings do."""
    if below:
        height = max(map(len, row))
        row = [[""] * (height - len(cell)) + cell for cell in row]
    for pieces in zip_longest(*row, fillvalue=""):
        aligned = (
            " " * (width - cells(piece)) + piece if right else piece + " " * (width - cells(piece))
            for piece, width, right in zip(pieces, widths, numeric, strict=True)
        )
        yield (" " * gap).join(aligned).rstrip()
