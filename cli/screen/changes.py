"""What comparisons of two replays have in common, of one recording or of several."""

from collections.abc import Sequence
from typing import Final

from gcreplay.replay.modules import root_of
from gcreplay.replay.results.diff import KeptLonger
from gcreplay.screen.output import Table
from gcreplay.screen.places import place

SHOWN_ROWS: Final = 10
MEMORY_FIRST: Final = ("peak_bytes", "peak_floating_bytes")
"""Figures that stand before the counts of work."""


def kept_longer_table(changes: Sequence[KeptLonger], headings: Sequence[str]) -> Table:
    """The largest changes; lives are measured in events, as the mean of all such objects."""
    root = root_of(row.file for row in changes)
    rows = tuple(
        (
            row.type,
            f"{place(row.site, root)} {row.function}".rstrip(),
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
    )


def _mean(total: int, count: int) -> int | None:
    return round(total / count) if count else None
