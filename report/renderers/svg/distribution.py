"""How often each size occurs: a histogram for each named row, one below the other."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gcreplay.report.renderers.svg.amounts import amount, top
from gcreplay.report.renderers.svg.draw import CHARACTER, drawing, tag, words
from gcreplay.report.renderers.svg.frame import AXIS, LEFT, RIGHT, Scale, y_axis
from gcreplay.report.view import Distribution

UNITS = ("bytes", "ms", "s", "percent")
"""Units that each label has; any other one stands once, at the end of the axis."""

FIRST = 48.0
GAP = 54.0
"""Room above the first row and above each other one, for a name and for a number."""


def distribution_svg(chart: Distribution, width: float = 760) -> str:
    """The chart at that width. Each row fills its height, as three long pauses beside thousands of
    short ones are what matters: the numbers stand on the bars, or at an axis where none fit."""
    height = 120.0 if len(chart.counts) == 1 else 72.0
    parts, y = [], 0.0
    for number, (name, counts) in enumerate(chart.counts):
        y += FIRST if number == 0 else GAP
        beside = chart.deadline is not None and number == 0  # whose name stands at the right
        room = width / 2 if beside else width - LEFT
        parts.append(words(f"{name}: {int(counts.sum()):,}", LEFT, y - 24, "key", room=room))
        high = top(int(counts.max(initial=0)), "", max(2, int(height / 45)))
        parts.append(_row(chart, counts, Scale(0, high, y + height, y), width))
        y += height
    if chart.deadline is not None:
        parts.append(_deadline(chart, width, y))
    parts.append(_edges(chart, width, y))
    return drawing(width, y + AXIS + (0 if chart.unit in UNITS else 18), *parts)


def _place(chart: Distribution, figure: float, width: float) -> float | None:
    """The x of a figure; None outside of the edges. Powers have equal widths: between two of them
    the logarithm counts, where they have one."""
    edges = chart.edges
    if not edges[0] <= figure <= edges[-1]:
        return None
    if not chart.log:
        return Scale(float(edges[0]), float(edges[-1]), LEFT, width - RIGHT)(figure)
    i = min(int(np.searchsorted(edges, figure, side="right")) - 1, len(edges) - 2)
    low, high = float(edges[i]), float(edges[i + 1])
    part = (figure - low) / (high - low)
    if low > 0 and math.isfinite(high):
        part = math.log(figure / low) / math.log(high / low)
    return LEFT + (i + part) * (width - LEFT - RIGHT) / (len(edges) - 1)


def _x(chart: Distribution, i: int, width: float) -> float:
    if chart.log:
        return LEFT + i * (width - LEFT - RIGHT) / (len(chart.edges) - 1)
    return _place(chart, float(chart.edges[i]), width) or LEFT


def _row(chart: Distribution, counts: npt.NDArray[np.int64], y: Scale, width: float) -> str:
    widest = max((len(f"{count:,}") for count in counts.tolist()), default=1) * CHARACTER
    numbered = widest <= (width - LEFT - RIGHT) / max(len(counts), 1) and chart.log
    if numbered:
        y = Scale(0, int(counts.max(initial=1)) or 1, y.start, y.end)
    parts = [] if numbered else [y_axis(y, "", LEFT, width - RIGHT)]
    for i, count in enumerate(counts.tolist()):
        if not count:
            continue
        left, right = _x(chart, i, width), _x(chart, i + 1, width)
        height = max(1.5, y.start - y(count))  # a single one among thousands can be seen
        said = f"{span(chart, i)}: {count:,}"
        bar = tag(
            "rect",
            tag("title", said),
            x=left + 0.5,
            y=y.start - height,
            width=max(right - left - 1, 1),
            height=height,
            class_="bar one",
        )
        parts.append(tag("g", bar, class_="point", data_text=said))
        if numbered:
            middle, above = (left + right) / 2, y.start - height - 5
            parts.append(words(f"{count:,}", middle, above, "tick", "middle"))
    parts.append(tag("line", x1=LEFT, x2=width - RIGHT, y1=y.start, y2=y.start, class_="axis"))
    return "".join(parts)


def span(chart: Distribution, i: int) -> str:
    """From where to where bin i reaches: `1.0 ms to 2.0 ms`, `1 to 2 objects`."""
    low, high = (float(edge) for edge in chart.edges[i : i + 2])
    first = amount(low, chart.unit if chart.unit in UNITS else "")
    return f"{first} to {amount(high, chart.unit)}"


def _edges(chart: Distribution, width: float, y: float) -> str:
    """So many edges as there is room for, evenly."""
    own = chart.unit in UNITS
    labels = [amount(float(edge), chart.unit if own else "") for edge in chart.edges]
    widest = max(map(len, labels)) * CHARACTER + 10
    step = max(1, math.ceil(len(labels) * widest / (width - LEFT)))
    parts = [] if own else [words(f"{chart.unit} →", width - RIGHT, y + 36, "tick", "end")]
    for i in range(0, len(labels), step):
        x = _x(chart, i, width)
        parts.append(tag("line", x1=x, x2=x, y1=y, y2=y + 4, class_="axis"))
        middle = min(x, width - len(labels[i]) * CHARACTER / 2)
        parts.append(words(labels[i], middle, y + 18, "tick", "middle"))
    return "".join(parts)


def _deadline(chart: Distribution, width: float, y: float) -> str:
    assert chart.deadline is not None
    text = f"deadline {amount(chart.deadline, chart.unit)}"
    x = _place(chart, chart.deadline, width)
    if x is None:
        side = "above" if chart.deadline > chart.edges[-1] else "below"
        return words(f"{text} is {side}", width - RIGHT, 12, "late", "end")
    line = tag("line", x1=x, x2=x, y1=16, y2=y, class_="deadline")
    anchor = "end" if x > width / 2 else "start"
    return line + words(text, x, 12, "late", anchor)
