"""The frame of a plot: axes with round numbers, grid lines, a deadline."""

from __future__ import annotations

from dataclasses import dataclass

from gcreplay.report.renderers.svg.amounts import amount, ticks
from gcreplay.report.renderers.svg.draw import CHARACTER, tag, words

LEFT, RIGHT = 72.0, 14.0
AXIS = 24.0
"""Room for the labels of an axis, in pixels."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From a figure to a pixel."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, figure: float) -> float:
        span = self.high - self.low or 1.0
        return self.start + (figure - self.low) / span * (self.end - self.start)


def x_axis(scale: Scale, unit: str, y: float, grid_top: float) -> str:
    """The axis at height y, with grid lines up to `grid_top`."""
    room = abs(scale.end - scale.start)
    marks = ticks(scale.low, scale.high, unit, max(2, int(room / 110)))
    parts = [tag("line", x1=scale.start, x2=scale.end, y1=y, y2=y, class_="axis")]
    labels = list(marks.labels)
    if unit == "events" and labels:
        labels[-1] += " events"
    for figure, label in zip(marks.at, labels, strict=True):
        x = scale(figure)
        parts.append(tag("line", x1=x, x2=x, y1=grid_top, y2=y + 4, class_="grid"))
        parts.append(words(label, *_inside(label, x, scale, y + 18), class_="tick"))
    return "".join(parts)


def _inside(label: str, x: float, scale: Scale, y: float) -> tuple[float, float]:
    """Where a label in the middle below x starts, so that it does not leave the drawing."""
    width = len(label) * CHARACTER
    return min(max(x - width / 2, scale.start - 30), scale.end + RIGHT - width), y


def y_axis(scale: Scale, unit: str, left: float, right: float) -> str:
    """Figures at the left and a line across at each."""
    room = abs(scale.end - scale.start)
    marks = ticks(scale.low, scale.high, unit, max(2, int(room / 45)))
    parts = []
    for figure, label in zip(marks.at, marks.labels, strict=True):
        y = scale(figure)
        parts.append(tag("line", x1=left, x2=right, y1=y, y2=y, class_="grid"))
        parts.append(words(label, left - 8, y + 4, class_="tick", anchor="end"))
    return "".join(parts)


def deadline_across(figure: float, unit: str, scale: Scale, left: float, right: float) -> str:
    """A line at the height of the deadline, or at the top a word that it lies above."""
    text = f"deadline {amount(figure, unit)}"
    if figure > scale.high:
        return words(f"{text} is above", right, scale.end + 12, class_="late", anchor="end")
    y = scale(figure)
    line = tag("line", x1=left, x2=right, y1=y, y2=y, class_="deadline")
    return line + words(text, right, y - 5, class_="late", anchor="end")
