"""The pages of the documentation: what they link to is there, heading and all."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BESIDE = [ROOT / "README.md", ROOT / "examples" / "README.md"]
PAGES = BESIDE + sorted((ROOT / "docs").rglob("*.md"))
FENCED = re.compile(r"^( *)(`{3,}|~{3,}).*?^\1\2", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+).+?\1")
LINK = re.compile(r"\]\(([^()\s]+)\)")
SOURCE = re.compile(r"""<(?:img|source)\b[^>]*\bsrc(?:set)?=["']([^"' ]+)""")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def targets(text: str) -> list[str]:
    """What the links and pictures of a page lead to; other sites left out."""
    bare = CODE.sub("", FENCED.sub("", text))
    found = LINK.findall(bare) + SOURCE.findall(bare)
    return [target for target in found if not re.match(r"[a-z]+:", target)]


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors that a Git host gives to the headings of a page."""
    made: dict[str, int] = {}
    for heading in HEADING.findall(FENCED.sub("", page.read_text())):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        made[slug] = made.get(slug, 0) + 1
    return frozenset(made) | {f"{s}-{n}" for s, times in made.items() for n in range(1, times)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    for target in targets(page.read_text()):
        path, _, anchor = target.partition("#")
        led_to = (page.parent / path).resolve() if path else page
        assert led_to.exists(), target
        assert led_to.is_relative_to(ROOT), f"{target} leads out of the repository"
        if anchor:
            assert anchor in anchors(led_to), target


def test_links_are_found_and_code_is_none() -> None:
    page = "[a](b.md#c) ![d](e.svg)\n`[f](g.md)`\n```\n[h](i.md)\n```\n[j](https://k)"
    assert targets(page) == ["b.md#c", "e.svg"]
