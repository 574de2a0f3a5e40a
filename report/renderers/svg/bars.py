"""Rows of parts that add up. Parts differ in colour and in hatching."""

from __future__ import annotations

from html import escape

from gcreplay.report.renderers.svg.amounts import amount
from gcreplay.report.renderers.svg.draw import CHARACTER, drawing, shown, tag, words
from gcreplay.report.renderers.svg.palette import SERIES
from gcreplay.report.renderers.svg.series import key
from gcreplay.report.view import Bars

ROW, BAR = 30.0, 18.0


def bars_svg(chart: Bars, width: float = 760) -> str:
    """The chart at that width: the longest row fills it."""
    names = min(max((len(name) for name, _ in chart.rows), default=0) * CHARACTER, width * 0.35)
    sums = [sum(parts) for _, parts in chart.rows]
    totals = [amount(total, chart.unit) for total in sums]
    behind = max(map(len, totals), default=0) * CHARACTER + 10
    most = max(sums, default=0) or 1
    scale = (width - names - 12 - behind) / most
    height, legend = _legend(chart, width)
    parts = [legend]
    for number, (name, row) in enumerate(chart.rows):
        y = height + 6 + number * ROW
        parts.append(words(name, names, y + 13, "key", "end", names))
        x = names + 12
        for i, figure in enumerate(row):
            if figure > 0:
                parts.append(_part(chart, name, i, figure, (x, y, figure * scale)))
                x += figure * scale
        parts.append(words(totals[number], x + 8, y + 13, "tick"))
    return drawing(width, height + 6 + len(chart.rows) * ROW, *parts)


def said(chart: Bars, name: str, part: int, figure: float) -> str:
    """What a piece of a bar stands for, in words."""
    of = f", {chart.parts[part]}" if len(chart.parts) > 1 else ""
    return shown(f"{name}{of}: {amount(figure, chart.unit)}")


def _part(
    chart: Bars, name: str, part: int, figure: float, at: tuple[float, float, float]
) -> str:
    x, y, width = at
    text = said(chart, name, part, figure)
    return tag(
        "g",
        tag("title", escape(text[:1000])),
        _hatched(part, x, y, max(width - 1, 1), BAR),
        class_="point",
        data_text=text,
    )


def _hatched(part: int, x: float, y: float, width: float, height: float) -> str:
    """A bar of the part's colour; all but the first have lines of the ground over it, further
    apart each time, which no pattern with an id of its own has to draw."""
    name = SERIES[part % len(SERIES)]
    bar = tag("rect", x=x, y=y, width=width, height=height, class_=f"bar {name}")
    step = (0, 9, 5, 14)[part % len(SERIES)]
    if not step:
        return bar
    lines, at = [], x + step / 2
    while at < x + width - 1:
        lines.append(f"M{at:.1f} {y:g}v{height:g}")
        at += step
    return bar + (tag("path", d="".join(lines), class_="hatch") if lines else "")


def _legend(chart: Bars, width: float) -> tuple[float, str]:
    if len(chart.parts) < 2:
        return 0.0, ""
    return key(
        [(part, _hatched(i, 0, -7, 22, 14), 22) for i, part in enumerate(chart.parts)], width
    )
