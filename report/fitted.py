"""A report whose tables fit into a page: long ones end after some rows, and say so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from gcreplay.report.view import Block, Section, Table, View, Words

ROWS: Final = 150
"""Of a table in a page; JSON has all of them."""


def fitted(view: View, rows: int = ROWS) -> View:
    """The view with the first rows of its tables, of marked ones those that are among them."""
    return replace(view, sections=tuple(_section(one, rows) for one in view.sections))


def _section(section: Section, rows: int) -> Section:
    return replace(section, blocks=tuple(_blocks(section, rows)))


def _blocks(section: Section, rows: int) -> Iterator[Block]:
    for block in section.blocks:
        if not isinstance(block, Table) or len(block.rows) <= rows:
            yield block
            continue
        marked = tuple(i for i in block.marked if i < rows)
        yield replace(block, rows=block.rows[:rows], marked=marked)
        of = f"the first {rows:,} of {len(block.rows):,} rows"
        yield Words(f"These are {of}; --format json has all.")
