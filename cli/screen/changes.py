"""What comparisons of two replays have in common, of one recording or of several."""

from collections.abc import Sequence
from typing import Final

from gcreplay.replay.modules import root_of
from gcreplay.replay.results.diff import Change, KeptLonger
from gcreplay.report.words.places import place
from gcreplay.screen.here import here
from gcreplay.screen.outcome import RARE, TIMES, Outcome
from gcreplay.screen.pauses import P99, p99_cell
from gcreplay.screen.tables.table import Cell, Place, Signed, SignedFigure, SignedSize, Size, Table

SHOWN_ROWS: Final = 10
NAMES: Final = {
    **RARE,
    "freed_by_refcount": "freed by count",
    "peak_bytes": "peak memory",
    "peak_floating_bytes": "peak garbage",
    "peak_objects": "peak objects",
    "peak_floating_objects": "peak waiting",
    "visited": "objects visited",
    "links": "links followed",
}
"""Of figures, as the columns of `replay` are called; the others bear their own, in words. JSON
and --fail-if have the names of the keys."""
MEMORY_FIRST: Final = ("peak_bytes", "peak_floating_bytes")
"""Figures that stand before the counts of work."""


def change_row(one: Change) -> tuple[Cell, ...]:
    """A figure that was counted in both."""
    name = NAMES.get(one.figure, one.figure.replace("_", " "))
    if one.figure.endswith("_bytes"):
        sizes = (Size(one.first), Size(one.second), SignedSize(one.change))
        return (name, *sizes, one.percent)
    return (name, one.first, one.second, Signed(one.change), one.percent)


def is_rare_and_nowhere(one: Change) -> bool:
    """A figure that is 0 in most runs, and is in both of these."""
    return one.figure in RARE and not one.first and not one.second


def time_rows(outcomes: Sequence[Outcome], *, pauses: bool) -> list[tuple[Cell, ...]]:
    """The estimated times of both, with `pauses` also the 99 % quantile of pauses."""
    names = (*TIMES, *((P99,) if pauses else ()))
    cells = [(*one.times(), *((p99_cell(one),) if pauses else ())) for one in outcomes]
    return [(name, *pair, *change_cells(*pair)) for name, *pair in zip(names, *cells, strict=True)]


def change_cells(first: Cell, second: Cell) -> tuple[Cell, Cell]:
    """The change and the same in per cent; blanks where one side has no figure."""
    if not isinstance(first, int | float) or not isinstance(second, int | float):
        return None, None
    change = second - first
    signed = Signed(change) if isinstance(change, int) else SignedFigure(change)
    return signed, 100 * change / first if first else None


def kept_longer_table(changes: Sequence[KeptLonger], headings: Sequence[str]) -> Table:
    """The largest changes; lives are measured in events, as the mean of all such objects."""
    roots = here(root_of(row.file for row in changes))
    rows = tuple(
        (
            row.type,
            Place(f"{place(row.site, *roots)} {row.function}".rstrip()),
            row.first.objects,
            row.second.objects,
            _mean(row.first.object_events, row.first.objects),
            _mean(row.second.object_events, row.second.objects),
        )
        for row in changes[:SHOWN_ROWS]
    )
    total = len(changes)
    most = f", the {SHOWN_ROWS} largest of {total:,} changes" if total > SHOWN_ROWS else ""
    return Table(
        ("type", "site", "objects A", "objects B", "mean life A", "mean life B"),
        rows,
        title=f"What one keeps longer (A: {headings[0]}, B: {headings[1]}; lives in events{most})",
        names=2,
        key="lives",
    )


def _mean(total: int, count: int) -> int | None:
    return round(total / count) if count else None
