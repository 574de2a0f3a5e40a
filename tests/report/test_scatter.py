"""The line of the front joins the settings that no other beats, the present one too."""

import re

import pytest

from gcreplay.report.renderers.svg import scatter_svg
from gcreplay.report.renderers.svg.draw import CHARACTER
from gcreplay.report.view import Column, Dot, Scatter


def corners(present: tuple[float, float]) -> int:
    """Of the line over (1, 3), (3, 1) and the present setting."""
    dots = [Dot("a", 1, 3, "front", ""), Dot("b", 3, 1, "front", "")]
    dots.append(Dot("now", *present, "present", ""))
    drawn = scatter_svg(Scatter("s", "", Column("x"), Column("y"), tuple(dots)))
    (line,) = re.findall(r'<path d="([^"]*)" class="front"', drawn)
    return len(re.findall(r"[\d.]+", line)) // 2


def test_the_present_setting_is_on_the_line_where_no_other_beats_it() -> None:
    assert corners((2, 2)) == 5  # three settings and a corner between each two


def test_the_present_setting_is_off_the_line_where_another_beats_it() -> None:
    assert corners((3, 2)) == 3  # (3, 1) takes as much of one and less of the other


@pytest.mark.parametrize("width", [330.0, 760.0])
def test_the_two_names_do_not_cover_one_another_or_the_axis(width: float) -> None:
    """Two dots of nearly one height, the long name at the left one: its end is over the other."""
    dots = (
        Dot("freeze-at:linked.py:78+cpython-3.11", 12.1, 17.0, "recommended", ""),
        Dot("cpython-3.11", 30.3, 17.1, "present", ""),
        *(Dot("", 28 + n, 19, "other", "") for n in range(7)),
        Dot("", 80, 44, "other", ""),
    )
    drawn = scatter_svg(Scatter("s", "", Column("x"), Column("y"), dots), width)
    name = r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="(\w+)" class="name">(.*?)</text>'
    names = re.findall(name, drawn)
    assert len(names) == 2
    spans = []
    for x, y, anchor, text in names:
        wide = len(re.sub("<title>.*</title>", "", text)) * CHARACTER
        left = float(x) - wide if anchor == "end" else float(x)
        assert 72 <= left <= width - wide
        spans.append((left, left + wide, float(y)))
    (a, b, above), (c, d, below) = spans
    assert b < c or d < a or abs(above - below) >= 14
