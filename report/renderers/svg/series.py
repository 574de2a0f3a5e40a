"""A series over time: a band from the least to the greatest value, a line at the mean.

What happened at one moment stands below in a row of its kind, one tick a pixel; marks with names
stand as lines across while they are few; what has a height, as a pause, stands up to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from gcreplay.report.renderers.svg.amounts import top
from gcreplay.report.renderers.svg.bins import Columns, as_given, columns
from gcreplay.report.renderers.svg.draw import CHARACTER, drawing, tag, value, words
from gcreplay.report.renderers.svg.frame import (
    AXIS,
    LEFT,
    RIGHT,
    Scale,
    deadline_across,
    x_axis,
    y_axis,
)
from gcreplay.report.renderers.svg.palette import SERIES
from gcreplay.report.view import Line, Moment, Series

PLOT: Final = 220.0
ROW: Final = 16.0
NAMED: Final = 12
"""So many marks are drawn across with their names; more have a row below."""

KINDS: Final = {
    "young": "young",
    "full": "full",
    "pause": "pauses",
    "mark": "marks",
}


def series_svg(series: Series, width: float = 760) -> str:
    """The chart at that width. Lines are told apart by dashes also, see `palette.css`."""
    rows = strip(series)
    legend_height, legend = _legend(series, width)
    up, down = legend_height + 20.0, legend_height + 20.0 + PLOT
    x = Scale(float(series.start[0]), float(series.start[-1]), LEFT, width - RIGHT)
    y = Scale(0.0, highest(series), down, up)
    base = down + 6 + ROW * len(rows)
    room = int(x.end - x.start)
    parts = [legend, y_axis(y, series.y_unit, x.start, x.end), x_axis(x, series.x_unit, base, up)]
    if series.y_unit == "objects":
        parts.append(words("objects", 0, up - 8, "tick"))
    for number, line in enumerate(series.lines):
        name = SERIES[number % len(SERIES)]
        parts.append(_line(_within(series, line, room), x, y, name))
    parts.append(_stems(series.moments, x, y))
    if series.deadline is not None:
        parts.append(deadline_across(series.deadline, series.y_unit, y, x.start, x.end))
    named = [m for m in series.moments if m.kind == "mark" and m.value is None]
    if len(named) <= NAMED:
        parts.append(_named(named, x, up, base))
    for number, kind in enumerate(rows):
        at = down + 6 + ROW * (number + 0.5)
        parts.append(words(KINDS.get(kind, kind), LEFT - 8, at + 4, "tick", "end", LEFT - 10))
        flat = (m.at for m in series.moments if m.kind == kind and m.value is None)
        parts.append(_ticks(flat, x, at, kind))
    return drawing(width, base + AXIS, *parts)


def strip(series: Series) -> list[str]:
    """The kinds of moments that have a row of ticks below the plot."""
    flat = [m.kind for m in series.moments if m.value is None]
    kinds = [kind for kind in (*KINDS, *sorted(set(flat) - set(KINDS))) if kind in flat]
    return [kind for kind in kinds if kind != "mark" or flat.count("mark") > NAMED]


def highest(series: Series) -> float:
    """The end of the y axis. A deadline far above everything would press it to the ground."""
    tops = [float(np.nanmax(line.high)) for line in series.lines if np.isfinite(line.high).any()]
    tops += [m.value for m in series.moments if m.value is not None]
    greatest = max(tops, default=0.0)
    if series.deadline is not None and (series.deadline <= 3 * greatest or greatest <= 0):
        greatest = max(greatest, series.deadline * 1.05)
    return top(greatest, series.y_unit, int(PLOT / 45))


def _within(series: Series, line: Line, room: int) -> Columns:
    if len(line.low) <= room:
        return as_given(series.start, line)
    return columns(series.start, line, room)


def _line(line: Columns, x: Scale, y: Scale, name: str) -> str:
    """The band as one closed shape for each stretch without a gap, the mean as steps."""
    parts = []
    for begin, end in _stretches(np.isfinite(line.mean)):
        edges = [x(float(edge)) for edge in line.edges[begin : end + 1]]
        lows, highs, means = (
            [y(float(v)) for v in values[begin:end]] for values in (line.low, line.high, line.mean)
        )
        mean = _steps(edges, means)
        if not np.array_equal(line.low[begin:end], line.high[begin:end]):
            back = _steps(edges[::-1], lows[::-1])
            shape = f"M{_steps(edges, highs)[1:]}L{back[1:]}Z"
            parts.append(tag("path", d=shape, class_=f"band {name}"))
        parts.append(tag("path", d=mean, class_=f"mean {name}"))
    return "".join(parts)


def _steps(edges: Sequence[float], heights: Sequence[float]) -> str:
    """A path that holds each height from one edge to the next.

    It moves by differences between places rounded to a tenth of a pixel, so that no error adds
    up, and goes on where a height does not change: a chart takes half the bytes.
    """
    x, y = (np.round(of, 1) for of in (edges, heights))
    turns = np.flatnonzero(np.diff(y)) + 1
    xs, ys = x[np.concatenate([[0], turns, [-1]])], y[np.concatenate([[0], turns])]
    along, across = np.diff(xs), np.diff(ys, append=ys[-1])
    steps = (
        f"h{_brief(h)}" + (f"v{_brief(v)}" if v else "")
        for h, v in zip(along.tolist(), across.tolist(), strict=True)
    )
    return f"M{value(x[0].item())} {value(y[0].item())}{''.join(steps)}"


def _brief(difference: float) -> str:
    """-0.5 as -.5"""
    return value(difference).replace("0.", ".", 1) if abs(difference) < 1 else value(difference)


def _stretches(known: np.ndarray) -> Iterable[tuple[int, int]]:
    ends = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    return ((int(a), int(b)) for a, b in zip(ends[::2], ends[1::2], strict=True))


def _ticks(at: Iterable[float], x: Scale, middle: float, kind: str) -> str:
    """One tick a pixel at most."""
    pixels = sorted({round(x(moment)) for moment in at})
    half = ROW / 2 - 2 if kind == "full" else ROW / 4
    d = "".join(f"M{pixel} {middle - half:g}v{2 * half:g}" for pixel in pixels)
    return tag("path", d=d, class_=f"ticks {kind}") if d else ""


def _named(marks: Iterable[Moment], x: Scale, up: float, base: float) -> str:
    """Lines across; a name stands where it does not cover the one before."""
    parts, free = [], 0.0
    for mark in sorted(marks, key=lambda m: m.at):
        at = x(mark.at)
        parts.append(tag("line", x1=at, x2=at, y1=up, y2=base, class_="mark"))
        room = x.end - at
        if at >= free and room > 5 * CHARACTER:
            parts.append(words(mark.text, at, up - 6, "name", room=min(room, 140)))
            free = at + min(len(mark.text) * CHARACTER, 140) + CHARACTER
    return "".join(parts)


def _stems(moments: Iterable[Moment], x: Scale, y: Scale) -> str:
    """Of the moments at one pixel the highest of its kind, which covers the others."""
    highest: dict[tuple[str, int], float] = {}
    for moment in moments:
        if moment.value is not None:
            where = (moment.kind, round(x(moment.at)))
            highest[where] = max(highest.get(where, 0.0), moment.value)
    parts = []
    for kind in sorted({kind for kind, _ in highest}):
        at = sorted((pixel, long) for (of, pixel), long in highest.items() if of == kind)
        d = "".join(f"M{pixel} {y(0):g}V{y(long):.1f}" for pixel, long in at)
        parts.append(tag("path", d=d, class_=f"stem {kind}"))
        heads = "".join(_head(kind, pixel, y(long)) for pixel, long in at)
        parts.append(tag("path", d=heads, class_=f"head {kind}"))
    return "".join(parts)


def _head(kind: str, x: float, y: float) -> str:
    """A full collection has a diamond, any other a dot."""
    if kind == "full":
        return f"M{x:g} {y - 5:.1f}l5 5l-5 5l-5-5z"
    return f"M{x - 2:g} {y:.1f}a2 2 0 1 0 4 0a2 2 0 1 0-4 0z"


def _legend(series: Series, width: float) -> tuple[float, str]:
    """What the lines and the heads are, in rows that fit: the height, the drawing."""
    entries = [
        (line.name, tag("path", d="M0,0H22", class_=f"mean {SERIES[i % len(SERIES)]}"), 22)
        for i, line in enumerate(series.lines)
    ]
    stems = {m.kind for m in series.moments if m.value is not None}
    entries += [
        (KINDS[kind], tag("path", d=_head(kind, 6, 0), class_=f"head {kind}"), 10)
        for kind in KINDS
        if kind in stems and len(stems) > 1
    ]
    return key(entries, width)


def key(entries: Sequence[tuple[str, str, float]], width: float) -> tuple[float, str]:
    """Names with what they look like, in rows that fit: the height, the drawing."""
    parts, x, y = [], 0.0, 8.0
    for name, swatch, size in entries:
        need = size + 8 + min(len(name), 40) * CHARACTER + 18
        if x and x + need > width:
            x, y = 0.0, y + 20
        parts.append(tag("g", swatch, transform=f"translate({x:g} {y:g})"))
        parts.append(words(name, x + size + 6, y + 4, "key", room=40 * CHARACTER))
        x += need
    return (y + 12 if entries else 0.0), "".join(parts)
