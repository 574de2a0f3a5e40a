"""The HTML report as text: one file that asks for nothing, the same each time."""

from __future__ import annotations

import re

from sample_view import sample

from gcreplay.report.renderers.html import html


def test_the_file_names_no_address_to_load_from() -> None:
    page = html(sample())
    assert not re.search(r"(src|href)=\"(?!#|data:,\")", page)
    assert not re.search(r"url\(|@import", page)


def test_the_same_report_is_the_same_file() -> None:
    assert html(sample()) == html(sample())


def test_nothing_has_a_style_that_the_policy_forbids() -> None:
    assert " style=" not in html(sample())
