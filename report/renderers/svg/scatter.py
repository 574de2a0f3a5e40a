"""Settings by two figures; a step line joins those that none beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import product
from math import inf

from gcreplay.report.renderers.svg.amounts import amount, top
from gcreplay.report.renderers.svg.draw import CHARACTER, drawing, path, shown, tag, words
from gcreplay.report.renderers.svg.frame import AXIS, LEFT, RIGHT, Scale, x_axis, y_axis
from gcreplay.report.renderers.svg.series import key
from gcreplay.report.view import Dot, Scatter

PLOT = 280.0
UNITS = {"size": "bytes", "ms": "ms", "percent": "percent"}
ROLES = {
    "present": "now",
    "recommended": "recommended",
    "front": "front: none is better in all",
    "other": "other settings",
}


def scatter_svg(chart: Scatter, width: float = 760) -> str:
    """The chart at that width. Roles differ in shape, and the two that matter have a name."""
    height, legend = _legend(chart.dots, width)
    up = height + 28.0
    x_unit, y_unit = (UNITS.get(c.kind, "") for c in (chart.x, chart.y))
    x = Scale(*_range([d.x for d in chart.dots], x_unit), LEFT, width - RIGHT)
    y = Scale(*_range([d.y for d in chart.dots], y_unit), up + PLOT, up)
    parts = [
        legend,
        words(f"↑ {chart.y.title}", 0, up - 14, "tick", room=width / 2),
        y_axis(y, y_unit, x.start, x.end),
        x_axis(x, x_unit, up + PLOT, up),
        words(f"{chart.x.title} →", x.end, up + PLOT + AXIS + 12, "tick", "end", width / 2),
        _front(chart.dots, x, y),
    ]
    parts.append(_names(chart.dots, x, y))
    order = ["other", "front", "present", "recommended"]
    for dot in sorted(chart.dots, key=lambda d: order.index(d.role)):
        parts.append(_dot(chart, dot, x(dot.x), y(dot.y)))
    return drawing(width, up + PLOT + AXIS + 20, *parts)


def _range(figures: Sequence[float], unit: str) -> tuple[float, float]:
    """From 0, or from near the least where that leaves the dots no room to differ."""
    least, most = min(figures, default=0.0), max(figures, default=1.0)
    if least <= 0 or most - least > most / 3 or most == least:
        return 0.0, top(most * 1.03, unit, 5)
    margin = (most - least) * 0.12
    return least - margin, most + margin


def _front(dots: Sequence[Dot], x: Scale, y: Scale) -> str:
    """Between two neighbours of the front nothing is better than a step."""
    least = inf
    front = []
    for at, figure in sorted((d.x, d.y) for d in dots):
        if figure < least:  # of these two figures alone: a front of three has others too
            least = figure
            front.append((at, figure))
    steps: list[tuple[float, float]] = []
    for at, figure in front:
        if steps:
            steps.append((x(at), steps[-1][1]))
        steps.append((x(at), y(figure)))
    return tag("path", d=path(steps), class_="front") if len(front) > 1 else ""


SHAPES = {
    "present": "M0-7L7 0L0 7L-7 0Z",
    "recommended": "M0-8L2.4-2.6L8-2.2L3.6 1.6L5 7L0 4L-5 7L-3.6 1.6L-8-2.2L-2.4-2.6Z",
    "front": "M-4.5 0A4.5 4.5 0 1 0 4.5 0A4.5 4.5 0 1 0-4.5 0Z",
    "other": "M-3.5 0A3.5 3.5 0 1 0 3.5 0A3.5 3.5 0 1 0-3.5 0Z",
}


def said(chart: Scatter, dot: Dot) -> str:
    """What the dot stands for, in words."""
    figures = (
        f"{column.title} {amount(figure, UNITS.get(column.kind, ''))}"
        for column, figure in ((chart.x, dot.x), (chart.y, dot.y))
    )
    return shown(dot.text or f"{dot.name}: {', '.join(figures)}")


def _dot(chart: Scatter, dot: Dot, x: float, y: float) -> str:
    text = said(chart, dot)
    return tag(
        "g",
        tag("title", escape(text[:1000])),
        _shape(dot.role),
        class_="point",
        transform=f"translate({x:.1f} {y:.1f})",
        data_text=text,
    )


def _shape(role: str, transform: str = "") -> str:
    moved = {"transform": transform} if transform else {}
    return tag("path", d=SHAPES[role], class_=f"dot {role}", **moved)


def _names(dots: Sequence[Dot], x: Scale, y: Scale) -> str:
    """The names of the two that matter, each where it covers no other name, is cut least and covers
    the fewest dots."""
    parts = []
    marks = [(x(d.x) - 5, x(d.x) + 5, y(d.y)) for d in dots]
    names: list[tuple[float, float, float]] = []
    for dot in sorted((d for d in dots if d.role in ("present", "recommended")), key=lambda d: d.y):
        text = shown(f"{dot.name} ({ROLES[dot.role]})")
        places = []
        for right, below in product((True, False), (-8.0, 18.0, -24.0, 34.0)):
            room = (x.end - x(dot.x) if right else x(dot.x) - x.start) - 14
            width = min(len(text) * CHARACTER, room)
            left = x(dot.x) + 11 if right else x(dot.x) - 11 - width
            place = left, left + width, y(dot.y) + below - 4
            cut = len(text) * CHARACTER - width
            places.append((_covered(place, names), cut, _covered(place, marks), right, room, place))
        *_, right, room, place = min(places, key=lambda one: one[:3])
        names.append(place)
        side, end = ("start", place[0]) if right else ("end", place[1])
        parts.append(words(text, end, place[2] + 4, "name", side, room))
    return "".join(parts)


def _covered(place: tuple[float, float, float], others: list[tuple[float, float, float]]) -> int:
    """How many of the others it meets; each is its left, its right and its middle's height."""
    left, right, middle = place
    return sum(a < right and left < b and abs(middle - c) < 14 for a, b, c in others)


def _legend(dots: Sequence[Dot], width: float) -> tuple[float, str]:
    roles = {d.role for d in dots}
    return key(
        [
            (name, _shape(role, "translate(8 0)"), 16.0)
            for role, name in ROLES.items()
            if role in roles
        ],
        width,
    )


