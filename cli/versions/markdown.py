"""Two versions of a program in GitHub-flavoured Markdown: a comment that a reviewer reads at once,
with the details folded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gcreplay.replay.results.findings import FoundChange
from gcreplay.report.words.text import markdown, plain
from gcreplay.screen.tables.formats import as_markdown
from gcreplay.screen.tables.table import Table
from gcreplay.versions.compared import Versions
from gcreplay.versions.text import (
    SHOWN,
    SITES,
    change_words,
    figures_table,
    left_out,
    place_words,
    sections,
    sites_table,
)

OPEN = ("New garbage", "New leaks")
"""What a reviewer has to see; the rest is folded."""


def as_comment(found: Versions, notes: Sequence[str]) -> str:
    """The whole comment; where there is no change to tell, that sentence alone."""
    judgement, rest = found.verdict()
    first = f"**{judgement}**{markdown(rest)}"
    worse, better = found.judged
    if not worse and not better:
        return first
    parts = [first, as_markdown(figures_table(found, found.first_rows()))]
    folded = []
    for title, changes in sections(found):
        if title in OPEN:
            parts.append("\n\n".join([f"**{title}**", *_findings(found, changes)]))
        else:
            folded.append(
                _details(f"{title}: {len(changes):,}", "\n\n".join(_findings(found, changes)))
            )
    told, _ = found.sites
    if told:
        table = sites_table(found, told[:SITES])
        body = "\n\n".join([_untitled(table), *map(markdown, left_out(found))])
        folded.append(_details(table.title, body))
    folded.append(_details("All counts", as_markdown(figures_table(found, found.other_rows()))))
    return "\n\n".join([*parts, *folded, *(f"<sub>{markdown(note)}</sub>" for note in notes)])


def _findings(found: Versions, changes: Sequence[FoundChange]) -> Iterator[str]:
    for i, one in enumerate(changes[:SHOWN], 1):
        head = f"{i}. {markdown(change_words(one))}, made at {code(place_words(found, one))}"
        yield f"{head}\n{_indented(fenced(one.newer.text))}" if one.newer.text else head
    if len(changes) > SHOWN:
        yield f"and {len(changes) - SHOWN:,} more"


def _untitled(table: Table) -> str:
    return as_markdown(Table(table.columns, table.rows, names=table.names))


def _details(summary: str, body: str) -> str:
    """Folded; the empty lines make GitHub read the body as Markdown."""
    return f"<details><summary>{markdown(summary)}</summary>\n\n{body}\n\n</details>"


def code(text: str) -> str:
    """As a code span, whatever backticks the text has."""
    shown = plain(text)
    fence = "`" * (_longest_ticks(shown) + 1)
    space = " " if "`" in shown else ""
    return f"{fence}{space}{shown}{space}{fence}"


def fenced(text: str) -> str:
    """As a block of code, whatever backticks the text has."""
    lines = [plain(line) for line in text.splitlines()]
    fence = "`" * max(3, max(map(_longest_ticks, lines), default=0) + 1)
    return "\n".join([f"{fence}text", *lines, fence])


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _indented(block: str) -> str:
    """Within an item of a list."""
    return "\n".join(f"   {line}" for line in block.splitlines())
