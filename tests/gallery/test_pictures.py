"""The pictures of the documentation are what the examples make of them today."""

import platform
import re
from pathlib import Path

import pytest

from gallery.pictures import FOLDER, PICTURES, drawn, record

NEAR = 0.02
"""A recording differs a little with its surroundings: folders and variables are strings in it."""
ELEMENT = re.compile(r"<(\w+)(?:[^>]*?class=\"([^\"]*)\")?[^>]*>([^<]*)")


def skeleton(svg: str) -> list[tuple[str, str, str]]:
    """What is drawn in which order, a row of the same as one, numbers left out."""
    found = [
        (tag, re.sub("(?<=^dot ).*", "", of), re.sub(r"[\d.,]+", "0", text))
        for tag, of, text in ELEMENT.findall(svg)
    ]  # which settings are on the front may differ by a few objects
    return [one for before, one in zip([None, *found], found, strict=False) if one != before]


def figures(svg: str) -> list[float]:
    """The numbers that a picture tells: in its axes, and in what a reader hovers over."""
    told = (text for tag, _, text in ELEMENT.findall(svg) if tag in ("text", "title"))
    return [
        float(number.replace(",", ""))
        for text in told
        for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)
    ]


def test_the_pictures_are_as_they_would_be_drawn_today(tmp_path: Path) -> None:
    for name, remade in drawn(record(tmp_path)).items():
        stands = (FOLDER / f"{name}.svg").read_text()
        assert skeleton(stands) == skeleton(remade), f"{name}: `make pictures` draws it anew"
        if f"CPython {platform.python_version()} " in stands:  # of others counts differ more
            now, then = figures(remade), figures(stands)
            assert len(now) == pytest.approx(len(then), rel=NEAR)
            assert sum(now) == pytest.approx(sum(then), rel=NEAR), f"{name}: `make pictures`"


def test_no_picture_stands_there_that_nothing_draws() -> None:
    assert {path.stem for path in FOLDER.glob("*.svg")} == set(PICTURES)


def test_a_skeleton_has_words_and_no_numbers() -> None:
    svg = '<svg><text class="tick">1.5 MB</text><text class="tick">2 MB</text><path d="M1"/></svg>'
    assert skeleton(svg) == [("svg", "", ""), ("text", "tick", "0 MB"), ("path", "", "")]


def test_figures_are_those_of_texts_and_titles() -> None:
    svg = (
        '<svg><text class="tick">1.5 MB</text><path d="M7"/><title>3: 34,612 visited</title></svg>'
    )
    assert figures(svg) == [1.5, 3, 34612]


def test_no_picture_names_a_folder_of_the_machine() -> None:
    for path in FOLDER.glob("*.svg"):
        assert str(Path(__file__).parents[2]) not in path.read_text()
