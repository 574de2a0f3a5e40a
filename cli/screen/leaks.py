"""What is alive and what of it grows, in words and a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gcreplay.replay.leaks import Kind, Leaks
from gcreplay.report.words.leaks import leak_facts, site_words
from gcreplay.screen.here import here
from gcreplay.screen.output import screen_width, wrapped
from gcreplay.screen.tables.folding import place_lines
from gcreplay.screen.tables.table import Cell, Place, Size, Table

SHOWN: Final = 5
ROWS: Final = 8
_KEY: Final = 10
MADE_AT: Final = "made at"


def growing_lines(found: Leaks, show_all: bool, markdown: bool) -> Iterator[str]:
    """What grows, each in a few lines."""
    told = found.growing or found.staying
    shown = told if show_all else told[:SHOWN]
    roots = here(found.root)
    places = [site_words(kind, roots) for kind in found.kinds]
    for number, leak in enumerate(shown, 1):
        title, facts = leak_facts(leak, found, roots)
        if markdown:
            yield f"{number}. {title}"
            yield from (f"{key} {text}" for key, text in facts)
            continue
        yield ""
        yield from wrapped(title, f"{number}  ", " " * 3)
        for key, text in facts:
            if key == MADE_AT:
                lines = place_lines(text, screen_width() - 5 - _KEY, places)
                yield f"     {key:{_KEY}}{lines[0]}"
                yield from (" " * (5 + _KEY) + line for line in lines[1:])
                continue
            yield from wrapped(text, f"     {key:{_KEY}}", " " * (5 + _KEY))
    if left := len(told) - len(shown):
        yield ""
        yield f"{left:,} more (--all)"


def alive_table(found: Leaks, show_all: bool) -> Table:
    """One row a kind, the most bytes first; not all: the first of one's own code."""
    roots = here(found.root)
    own = [kind for kind in found.kinds if kind.own] or found.kinds
    shown = found.kinds if show_all else own[:ROWS]
    rows: list[tuple[Cell, ...]] = [
        (kind.type, kind.objects, Size(kind.bytes), _growing(kind), Place(site_words(kind, roots)))
        for kind in shown
    ]
    title = "Alive" if found.between is None else "Born since and alive"
    if len(shown) < len(found.kinds):
        whose = ", made in your code" if own is not found.kinds else ""
        title += f"{whose}: {len(shown):,} of {len(found.kinds):,} kinds in all (--all)"
    return Table(
        ("type", "alive", "shallow", "growing", "made at"), tuple(rows), title=title, key="alive"
    )


def _growing(kind: Kind) -> str:
    if kind.growing:
        return "yes"
    return "no" if kind.growth is not None else ""
