"""The HTML report as text: one file that asks for nothing, the same each time."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sample_view import heap, large_cycle, sample

from gcreplay.report.renderers.html import html
from gcreplay.report.renderers.svg import graph_svg
from gcreplay.report.renderers.svg.amounts import amount, digits, ticks, top
from gcreplay.report.renderers.svg.bins import columns
from gcreplay.report.renderers.svg.palette import COLOURS
from gcreplay.report.renderers.svg.series import _steps
from gcreplay.report.view import Line, Moment, Section


def test_the_file_names_no_address_to_load_from() -> None:
    page = html(sample())
    assert not re.search(r"(src|href)=\"(?!#|data:,\")", page)
    assert not re.search(r"url\(|@import", page)


def test_the_same_report_is_the_same_file() -> None:
    assert html(sample()) == html(sample())


def test_nothing_has_a_style_that_the_policy_forbids() -> None:
    assert " style=" not in html(sample())


def test_the_policy_names_the_very_style_and_script_of_the_page() -> None:
    page = html(sample())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for element in ("style", "script"):
        text = re.search(f"<{element}>(.*?)</{element}>", page, re.S)
        assert text is not None
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{element}-src &#39;sha256-{digest}&#39;" in policy[1]
    assert policy[1].startswith("default-src &#39;none&#39;;")


def test_headings_follow_one_another() -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", html(sample()))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_id_is_given_once_and_every_reference_leads_to_one() -> None:
    page = html(sample())
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    for target in re.findall(r' (?:href="#|aria-labelledby="|data-help=")([^"]*)"', page):
        assert target in ids


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_has_a_contrast_of_4_5_on_both_grounds(scheme: int) -> None:
    grounds = [luminance(COLOURS[name][scheme]) for name in ("ground", "panel")]
    for name, pair in COLOURS.items():
        if name in ("ground", "panel", "rule"):
            continue
        for ground in grounds:
            light, dark = sorted((luminance(pair[scheme]), ground), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, name


def test_figures_have_three_digits_that_count_and_a_unit() -> None:
    assert [digits(n) for n in (12345, 41.25, 0.00372, 0, 99.96)] == [
        "12,345", "41.2", "0.00372", "0", "100",
    ]
    assert amount(1536, "bytes") == "1.5 KiB"
    assert amount(1000, "bytes") == "1,000 B"
    assert amount(0.25, "s") == "250 ms"
    assert amount(15.3, "ms") == "15.3 ms"
    assert amount(36000, "objects") == "36,000 objects"


def test_axes_have_round_numbers() -> None:
    assert list(ticks(0, 31.2, "s", 5).labels) == ["0 s", "10 s", "20 s", "30 s"]
    assert list(ticks(0, 40 * 2**20, "bytes", 4).labels) == [
        "0 MiB", "10 MiB", "20 MiB", "30 MiB", "40 MiB",
    ]
    assert top(39.1 * 2**20, "bytes", 4) == 40 * 2**20


def test_columns_keep_every_peak_and_weigh_means_by_length() -> None:
    # Bins [0, 1), [1, 3), [3, 4): the middle one lies half in each of two columns of 2.
    start = np.array([0.0, 1.0, 3.0, 4.0])
    low, high, mean = np.array([[1.0, 5.0, 0.0], [2.0, 9.0, 4.0], [1.0, 7.0, 3.0]])
    line = Line("x", low, high, mean)
    drawn = columns(start, line, 2)
    assert drawn.low.tolist() == [1.0, 0.0]
    assert drawn.high.tolist() == [9.0, 9.0]
    assert drawn.mean.tolist() == [(1 + 7) / 2, (7 + 3) / 2]


def test_a_drawn_line_keeps_each_height_and_adds_no_error_up() -> None:
    # 3,000 steps of 0.04 pixels, up and down: the path ends where the last edge is, at 120.
    edges = [0.04 * i for i in range(3001)]
    path = _steps(edges, [10.0, 10.0, *([30.26, 10.0] * 1499)])
    along = [float(h) for h in re.findall(r"h([-\d.]+)", path)]
    assert sum(along) == pytest.approx(120)
    assert _steps([0, 1, 2, 3.5, 4], [7, 7, 6.5, 6.5]) == "M0 7h2v-.5h2"
    assert _steps([4, 3, 1], [2, 12.3]) == "M4 2h-1v10.3h-2"


def test_a_report_of_a_long_recording_is_under_a_megabyte() -> None:
    n, random = 20_000, np.random.default_rng(11)
    values = np.round(np.cumsum(random.normal(0, 20_000, n)) + 5e7)
    noise = np.round(random.exponential(50_000, n))
    line = Line("live", values - noise, values + noise, values + noise / 3)
    at = np.sort(random.uniform(0, 600, 14_000)).tolist()
    moments = tuple(
        Moment(t, "young", f"young collection at {t:.3f} s: 0.{i % 97:02d} ms, freed {i * 7 % 701}")
        for i, t in enumerate(at)
    )
    series = replace(
        heap(), start=np.linspace(0, 600, n + 1), lines=(line, replace(line, name="floating")),
        moments=moments,
    )
    view = replace(sample(), sections=(Section("heap", "Heap", "Long.", "", (series,)),))
    assert len(html(view).encode()) < 1_000_000


def test_no_name_in_a_graph_covers_another_one() -> None:
    drawn = graph_svg(large_cycle())
    boxes = []
    at = r'<text x="([\d.]+)" y="([\d.]+)" class="edge-name[^"]*">'
    for x, y, text in re.findall(at + "<title>[^<]*</title>([^<]*)<", drawn):
        boxes.append((float(x), float(y), float(x) + 7.4 * len(text)))
    assert len(boxes) == 16
    for i, (left, y, right) in enumerate(boxes):
        for other_left, other_y, other_right in boxes[i + 1 :]:
            assert abs(y - other_y) >= 11 or right <= other_left or other_right <= left
    width = re.search(r'viewBox="0 0 ([\d.]+)', drawn)
    assert width is not None
    assert float(width[1]) <= 400
    assert "✂ cut here" in drawn
