"""What a chart shows, in words and as a table: for who cannot see it, and for paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gcreplay.report.renderers.svg import Chart
from gcreplay.report.renderers.svg.amounts import amount
from gcreplay.report.renderers.svg.bins import columns
from gcreplay.report.renderers.svg.distribution import span
from gcreplay.report.renderers.svg.scatter import ROLES, UNITS
from gcreplay.report.renderers.svg.series import KINDS
from gcreplay.report.view import Bars, Distribution, Graph, Scatter, Series

ROWS = 24
"""Into so many spans of equal length the table divides a series."""

MOMENTS = 40


@dataclass(frozen=True, slots=True)
class Plain:
    """A table of text."""

    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def summary(block: Chart) -> str:
    """One or two sentences: what the chart has, and its extremes."""
    match block:
        case Series():
            return _series_words(block)
        case Distribution():
            return f"{block.title}. " + " ".join(_row_words(block, *row) for row in block.counts)
        case Scatter():
            named = [f"{ROLES[d.role]}: {d.text or d.name}" for d in block.dots if d.role in
                     ("present", "recommended")]
            return (
                f"{len(block.dots)} settings by {block.x.title} and {block.y.title}. "
                + "; ".join(named)
            )
        case Bars():
            rows = (f"{name}: {amount(sum(parts), block.unit)}" for name, parts in block.rows)
            return f"{block.title}. {'; '.join(rows)}"
        case Graph():
            cut = [_edge_words(block, i) for i, edge in enumerate(block.edges) if edge.cut]
            best = f" Best cut: {'; '.join(cut)}." if cut else ""
            return f"A cycle of {len(block.nodes)} objects and {len(block.edges)} references.{best}"


def _series_words(block: Series) -> str:
    length = amount(float(block.start[-1] - block.start[0]), block.x_unit)
    parts = [f"{block.title}, over {length}."]
    for line in block.lines:
        if not np.isfinite(line.high).any():
            continue
        top = int(np.nanargmax(line.high))
        first, high, last = (
            amount(float(v), block.y_unit) for v in (line.mean[0], line.high[top], line.mean[-1])
        )
        at = amount(float(block.start[top]), block.x_unit)
        parts.append(f"{line.name}: at first {first}, at most {high} at {at}, at the end {last}.")
    for kind in sorted({m.kind for m in block.moments}):
        of = [m for m in block.moments if m.kind == kind]
        heights = [m.value for m in of if m.value is not None]
        most = f", the highest {amount(max(heights), block.y_unit)}" if heights else ""
        parts.append(f"{KINDS.get(kind, kind)}: {len(of):,}{most}.")
    if block.deadline is not None:
        parts.append(f"Deadline: {amount(block.deadline, block.y_unit)}.")
    return " ".join(parts)


def _row_words(block: Distribution, name: str, counts: np.ndarray) -> str:
    whole = int(counts.sum())
    if not whole:
        return f"{name}: none."
    most, last = int(counts.argmax()), int(np.flatnonzero(counts)[-1])
    return (
        f"{name}: {whole:,}, most of them {span(block, most)}, the greatest {span(block, last)}."
    )


def _edge_words(block: Graph, number: int) -> str:
    edge = block.edges[number]
    return f"{block.nodes[edge.source].text} {edge.name} to {block.nodes[edge.target].text}"


def table(block: Chart) -> Plain:
    """The figures of the chart."""
    match block:
        case Series():
            return _series_table(block)
        case Distribution():
            rows = [
                (span(block, i), *(f"{int(counts[i]):,}" for _, counts in block.counts))
                for i in range(len(block.edges) - 1)
                if any(counts[i] for _, counts in block.counts)
            ]
            return Plain((f"size ({block.unit})", *(name for name, _ in block.counts)), rows)
        case Scatter():
            units = [UNITS.get(c.kind, "") for c in (block.x, block.y)]
            dots = [
                (d.name, amount(d.x, units[0]), amount(d.y, units[1]), ROLES[d.role])
                for d in block.dots
            ]
            return Plain(("setting", block.x.title, block.y.title, ""), dots)
        case Bars():
            return Plain(
                ("", *block.parts),
                [(name, *(amount(p, block.unit) for p in row)) for name, row in block.rows],
            )
        case Graph():
            rows = [
                (
                    block.nodes[e.source].text,
                    e.name + (" (best cut)" if e.cut else ""),
                    block.nodes[e.target].text,
                )
                for e in block.edges
            ]
            return Plain(("object", "refers by", "to"), rows)


def _series_table(block: Series) -> Plain:
    """Spans with least, mean and greatest; without lines the highest moments."""
    if not block.lines:
        of = sorted(block.moments, key=lambda m: (-(m.value or 0.0), m.at))[:MOMENTS]
        rows = [
            (
                amount(m.at, block.x_unit),
                KINDS.get(m.kind, m.kind),
                amount(m.value or 0.0, block.y_unit),
                m.text,
            )
            for m in of
        ]
        return Plain(("at", "kind", "height", ""), rows)
    number = min(ROWS, len(block.start) - 1)
    spans = [columns(block.start, line, number) for line in block.lines]
    kinds = ("least", "mean", "greatest")
    heads = [f"{line.name}, {what}" for line in block.lines for what in kinds]
    cells = [
        (
            amount(float(spans[0].edges[i]), block.x_unit),
            *(
                amount(float(values[i]), block.y_unit)
                for s in spans
                for values in (s.low, s.mean, s.high)
            ),
        )
        for i in range(number)
    ]
    return Plain(("from", *heads), cells)
