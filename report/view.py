"""What a report consists of: plain data, without markup, that every renderer draws in its own way.

Texts are plain text: a renderer escapes them. A raw figure stands beside the text that shows it,
so that tables sort by it and JSON has it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Level = Literal["info", "notice", "warning", "serious"]
"""How much a finding matters, least first. `serious`: figures of the report may be wrong."""

Kind = Literal["text", "place", "number", "size", "ms", "percent"]
"""What a column holds. `place`: a file and line, in a long and a short form."""

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know or to do. id: stable, such as `threshold`; figure: the number it rests on,
    in the unit that the text names; command: what acts on it or shows more, "" if nothing does."""

    id: str
    level: Level
    text: str
    figure: float | None = None
    command: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph. `code`: lines to paste, shown as they are, with a button that copies them."""

    text: str
    level: Level = "info"
    code: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure shown large. text: with its unit; note: what it is held against, small."""

    label: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """raw: to sort by and to copy; text: as shown; full: the long form of a place, "" if there is
    no other."""

    raw: str | int | float | None
    text: str
    full: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """help: what the figure means, in one sentence (a tooltip, and the legend of Markdown)."""

    title: str
    kind: Kind = "number"
    help: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """id: unique in the report. marked: rows to stand out, as the present setting. shown: so many
    rows at first, the others on demand."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    marked: tuple[int, ...] = ()
    shown: int = 12


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A series, thinned into bins: bin i reaches from start[i] to start[i + 1] of its chart.

    low, high, mean: float64 (n,), the exact least, greatest and (weighted by length) mean value
    within each bin. Unthinned series have low = high = mean.
    """

    name: str
    low: F64
    high: F64
    mean: F64


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened at one point of the axis, as a collection, a pause or a mark.

    kind: `young`, `full`, `mark` or `pause`. value: its height on the chart's axis, such as ms;
    None for a line over the full height. text: what a reader hovers over.
    """

    at: float
    kind: str
    text: str
    value: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Something over the time of the recording.

    x_unit: `s` or `events`; y_unit: `bytes`, `objects` or `ms`. start: float64 (n + 1,), where
    bins begin, and the end. thinning: "each point is 2 s", "" if nothing was thinned. deadline: a
    line across, in y_unit. Where lines is empty the moments are the series.
    """

    id: str
    title: str
    x_unit: str
    y_unit: str
    start: F64
    lines: tuple[Line, ...]
    moments: tuple[Moment, ...] = ()
    thinning: str = ""
    deadline: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """How often each size occurs: edges float64 (n + 1,) in `unit`, counts by named row, each
    int64 (n,). `log`: edges are powers, drawn at equal widths."""

    id: str
    title: str
    unit: str
    edges: F64
    counts: tuple[tuple[str, npt.NDArray[np.int64]], ...]
    log: bool = True
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """A setting on a chart of two figures. role: `present`, `recommended`, `front` or `other`."""

    name: str
    x: float
    y: float
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Scatter:
    id: str
    title: str
    x: Column
    y: Column
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """Rows of parts that add up, such as deaths by generation. parts: names; rows: a name and a
    number for each part."""

    id: str
    title: str
    unit: str
    parts: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float, ...]], ...]


@dataclass(frozen=True, slots=True)
class Node:
    """text: type, or what a person calls the object; place: where it is made, "" if unknown."""

    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """A reference from node to node, by number. cut: the one that is best cut."""

    source: int
    target: int
    name: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class SourceLine:
    place: str
    full: str
    text: str


@dataclass(frozen=True, slots=True)
class Graph:
    """A cycle: what refers to what, and by which name."""

    id: str
    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    sources: tuple[SourceLine, ...] = ()
    words: tuple[str, ...] = ()


Block = Words | Figures | Table | Series | Distribution | Scatter | Bars | Graph


@dataclass(frozen=True, slots=True)
class Section:
    """id: stable, the address behind `#`. meaning: one sentence, what it shows. command: a command
    line that acts on it, "" if none does."""

    id: str
    title: str
    meaning: str
    command: str
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A report. subject: one line, what was recorded and under what; answer: what to do, first of
    all; made_by: the command that made the report."""

    title: str
    subject: str
    answer: tuple[str, ...]
    findings: tuple[Finding, ...]
    sections: tuple[Section, ...]
    made_by: str
    notes: tuple[str, ...] = field(default=())

    def beside(self, *, info: bool) -> tuple[Finding, ...]:
        """The findings of level info, or the others, that the answer does not give already."""
        said = " ".join(self.answer)
        return tuple(
            one for one in self.findings if (one.level == "info") is info and one.text not in said
        )
