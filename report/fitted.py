"""A page of at most MOST bytes, whatever was recorded: long tables end, then long texts, and the
page says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from gcreplay.report.view import Block, Section, Table, View, Words

MOST: Final = 1_000_000
"""Bytes of a page."""

STEPS: Final = (
    (150, 1_000_000),
    (150, 1_000),
    (75, 1_000),
    (37, 1_000),
    (18, 400),
    (9, 200),
    (5, 100),
    (3, 60),
)
"""Rows of a table and characters of a text, tried in this order until the page has room."""


def page(view: View, drawn: Callable[[View], str], most: int = MOST) -> str:
    """What is drawn of the view, cut as little as it takes to be of at most that many bytes."""
    text = ""
    for rows, characters in STEPS:
        text = drawn(fitted(view, rows, characters))
        if len(text.encode("utf-8", "surrogatepass")) <= most:
            break
    return text


def fitted(view: View, rows: int, characters: int) -> View:
    """The view with the first rows of its tables, of marked ones those that are among them, and
    the first characters of its texts."""
    all_of_it = f"all: {view.made_by} --format json -o all.json"
    cut = replace(view, sections=tuple(_section(one, rows, all_of_it) for one in view.sections))
    short, left_out = _short(cut, characters)
    assert isinstance(short, View)
    if not left_out:
        return cut
    said = f"Texts of more than {characters:,} characters end in ...; {all_of_it}"
    return replace(short, notes=(*short.notes, said))


def _section(section: Section, rows: int, all_of_it: str) -> Section:
    return replace(section, blocks=tuple(_blocks(section, rows, all_of_it)))


def _blocks(section: Section, rows: int, all_of_it: str) -> Iterator[Block]:
    for block in section.blocks:
        if not isinstance(block, Table) or len(block.rows) <= rows:
            yield block
            continue
        marked = tuple(i for i in block.marked if i < rows)
        yield replace(block, rows=block.rows[:rows], marked=marked)
        yield Words(f"{rows:,} of {len(block.rows):,} rows; {all_of_it}")


def _short(value: Any, characters: int) -> tuple[Any, bool]:
    """The same with texts of at most so many characters, and whether any was longer."""
    if isinstance(value, str):
        long = len(value) > characters
        return (f"{value[:characters]}..." if long else value), long
    if isinstance(value, tuple):
        each = [_short(one, characters) for one in value]
        return tuple(one for one, _ in each), any(long for _, long in each)
    if not is_dataclass(value) or isinstance(value, type):
        return value, False
    told = {one.name: _short(getattr(value, one.name), characters) for one in fields(value)}
    if not any(long for _, long in told.values()):
        return value, False
    return replace(value, **{name: one for name, (one, _) in told.items()}), True
