"""A table: cells that keep their type, and what each looks like to a person."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gcreplay.report.words.numbers import by_generation, rounded, size_words
from gcreplay.report.words.text import plain

YOUNG_TO_OLD: Final = ("young", "middle", "old")


class Signed(int):
    """A change: shown with its sign."""


class Figure(float):
    """An estimate, in ms or per cent: shown with three digits that count."""


class SignedFigure(Figure):
    """A change of one: shown with its sign."""


class Percent(float):
    """A change in per cent, which stands below figures of other units: shown with the sign."""


class Size(int):
    """A number of bytes: shown in the largest unit that keeps it above 1."""


class SignedSize(Size):
    """A change of one: shown with its sign."""


class Place(str):
    """`FILE:LINE FUNCTION`: where there is no room the folders in front are left out."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """One count a generation, the young one first: shown as 90/8/1; CSV has a column for each."""

    counts: tuple[int, ...]

    def __str__(self) -> str:
        return by_generation(self.counts)


Cell = str | int | float | Counts | None


@dataclass(frozen=True, slots=True)
class Table:
    """Figures under headings. Cells keep their type; numbers are set to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    names: int = 1
    """The first columns, which name the rows."""
    key: str = "figures"
    """What `--table` calls it."""
    bare: bool = False
    """The headings are for programs: people see at once what is what."""
    spare: tuple[str, ...] = ()
    """The columns that a narrow terminal leaves out first, in this order; the others follow from
    the right."""

    def numeric(self, column: int) -> bool:
        """Whether the column holds numbers (and blanks) only."""
        cells = [row[column] for row in self.rows if row[column] is not None]
        return bool(cells) and all(isinstance(cell, int | float | Counts) for cell in cells)

    def without(self, empty: Cell) -> "Table":
        """The table without the columns that hold nothing else."""
        return self.with_columns(
            [
                i
                for i in range(len(self.columns))
                if i < self.names or any(row[i] != empty for row in self.rows)
            ]
        )

    def with_columns(self, kept: Sequence[int]) -> "Table":
        """The table with these columns alone."""
        return replace(
            self,
            columns=tuple(self.columns[i] for i in kept),
            rows=tuple(tuple(row[i] for i in kept) for row in self.rows),
        )


def words(cell: Cell, shown: Callable[[str], str] = plain) -> str:
    """One cell for human readers: 12345 -> 12,345; nothing -> an empty cell; text as `shown`."""
    match cell:
        case None:
            return ""
        case str():
            return shown(cell)
        case Counts():
            return str(cell)
        case Figure():
            sign = "+" if isinstance(cell, SignedFigure) else ""
            return rounded(cell, sign)
        case Percent():
            return f"{cell:+,.1f} %"
        case float():
            return f"{cell:,.1f}"
        case SignedSize():
            return f"{'-' if cell < 0 else '+'}{size_words(abs(cell))}"
        case Size():
            return size_words(cell)
        case Signed():
            return f"{cell:+,}"
        case _:
            return f"{cell:,}"
