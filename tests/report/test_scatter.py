"""The line of the front joins the settings that no other beats, the present one too."""

import re

from gcreplay.report.renderers.svg import scatter_svg
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
