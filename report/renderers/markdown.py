"""A report as Markdown for a pull request: the answer first, what is long folded away.

GitHub takes up to 65,536 characters a comment: tables show their first rows, and what has no room
any more is named and left out. All text is shown, never obeyed: no mark-up, no mention of a person,
no address becomes a link.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from gcreplay.report.view import (
    F64,
    Bars,
    Block,
    Cell,
    Distribution,
    Figures,
    Finding,
    Graph,
    Level,
    Scatter,
    Section,
    Series,
    Table,
    View,
    Words,
)
from gcreplay.report.words.numbers import rounded, size_words
from gcreplay.report.words.text import markdown as escaped
from gcreplay.report.words.text import plain

MOST: Final = 65_000
"""Characters, of the 65,536 that GitHub takes."""

ROWS: Final = 30
"""Of a table at most; more than FOLD rows are folded away."""

FOLD: Final = 8
CELL: Final = 300
"""Characters of a cell or a name; what is longer ends in `...`."""

SPARK: Final = "▁▂▃▄▅▆▇█"
WIDTH: Final = 60
SIGNS: Final[dict[Level, str]] = {"serious": "❌", "warning": "⚠️", "notice": "🔹", "info": ""}
LINKS: Final = re.compile(r"(?i)@|#(?=\d)|GH-(?=\d)|://|www(?=\.)|:(?=[\w+-]+:)")
"""What GitHub makes a link or a picture of within words: people, issues, addresses, emoji."""

ENDS: Final = re.compile(r"^ +| +$")
BEGINS: Final = re.compile(r"([-+=#:])|(\d+)(?=[.)])")
"""What makes a list, a heading or a rule of a line that begins with it."""


def markdown(view: View) -> str:
    """The report as one text, the same for the same view, of at most MOST characters."""
    head = "\n\n".join(_head(view))
    kept, left, room = [], [], MOST - len(head)
    for section in view.sections:
        text = "\n\n".join(_section(section))
        if len(text) + 2 > room:
            left.append(section)
            continue
        kept.append((section, text))
        room -= len(text) + 2
    page = _joined(view, head, [text for _, text in kept], left)
    while kept and len(page) > MOST:  # the last lines need room, too
        left.append(kept.pop()[0])
        page = _joined(view, head, [text for _, text in kept], left)
    return page


def _joined(view: View, head: str, parts: Sequence[str], left: Sequence[Section]) -> str:
    last = []
    if left:
        out = {one.id for one in left}
        titles = ", ".join(one.title for one in view.sections if one.id in out)
        last.append(f"Left out for want of room: {text_of(titles)}.")
    if view.made_by:
        last.append(f"Made by {_command(view.made_by)}")
    return "\n\n".join([head, *parts, *last]) + "\n"


def text_of(text: str) -> str:
    """Text of others within a line: nothing in it is obeyed."""
    short = text if len(text) <= CELL * 4 else text[: CELL * 4] + "..."
    shown = escaped(short).replace("<", "&lt;").replace("\\&lt;", "&lt;").replace("\\>", "&gt;")
    return ENDS.sub(_spaces, LINKS.sub(lambda found: _apart(found[0]), shown))


def _spaces(found: re.Match[str]) -> str:
    """At the ends of a text they would make code of a line, or leave asterisks around it."""
    return "&#32;" * len(found[0])


def line_of(text: str) -> str:
    """As `text_of`, where a line begins."""
    shown = text_of(text)
    found = BEGINS.match(shown)
    if found is None:
        return shown
    rest = shown[found.end() :]
    return f"\\{found[1]}{rest}" if found[1] else f"{found[2]}\\{rest}"


def _apart(link: str) -> str:
    """An empty comment stands within it, so that it is none."""
    return link[0] + "<!-- -->" + link[1:]


def _cell_text(text: str) -> str:
    return text_of(text if len(text) <= CELL else text[:CELL] + "...")


def _command(line: str) -> str:
    """A command within a line, with as many backticks around it as it needs."""
    shown = plain(line if len(line) <= CELL * 4 else line[: CELL * 4] + "...")
    longest = max(map(len, re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    space = " " if "`" in shown else ""
    return f"{fence}{space}{shown}{space}{fence}"


def _code(text: str) -> str:
    shown = "\n".join(map(plain, text.split("\n")))
    longest = max(map(len, re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{shown}\n{fence}"


def _head(view: View) -> Iterator[str]:
    yield f"## {text_of(view.title)}"
    for i, sentence in enumerate(view.answer):
        yield line_of(sentence) if i else f"**{text_of(sentence)}**"
    yield line_of(view.subject)
    if shown := view.beside(info=False):
        yield "\n".join(_finding(one) for one in shown[:20])
    if info := view.beside(info=True):
        yield _folded("For information", "\n".join(_finding(one) for one in info[:20]))
    yield from map(line_of, view.notes)


def _finding(one: Finding) -> str:
    command = f" {_command(one.command)}" if one.command else ""
    sign = f"{SIGNS[one.level]} " if SIGNS[one.level] else ""
    return f"- {sign}{text_of(one.text)}{command}"


def _section(section: Section) -> Iterator[str]:
    yield f"### {text_of(section.title)}"
    if section.meaning:
        yield line_of(section.meaning)
    for block in section.blocks:
        yield from _block(block)
    if section.command:
        yield f"Next: {_command(section.command)}"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Words(text, level, code):
            sign = SIGNS[level]
            shown = f"{sign} {text_of(text)}" if sign else line_of(text)
            yield _code(text) if code else shown
        case Figures(figures):
            yield "\n".join(
                f"- {line_of(one.label)}: **{text_of(one.text)}**"
                + (f" ({text_of(one.note)})" if one.note else "")
                for one in figures
            )
        case Table():
            yield _table(block)
        case Series():
            yield _series(block)
        case Distribution():
            yield _distribution(block)
        case Scatter():
            pass  # its table stands beside it
        case Bars():
            yield _bars(block)
        case Graph():
            yield _graph(block)


def _table(table: Table) -> str:
    if not table.rows:
        return f"**{text_of(table.title)}**: nothing" if table.title else "Nothing."
    shown = table.rows[:ROWS]
    numeric = [column.kind not in ("text", "place") for column in table.columns]
    lines = [
        "| " + " | ".join(text_of(column.title) or " " for column in table.columns) + " |",
        "|" + "|".join(" ---: " if right else " --- " for right in numeric) + "|",
    ]
    for i, row in enumerate(shown):
        lines.append("| " + " | ".join(_cells(row, i in table.marked)) + " |")
    body = "\n".join(lines)
    more = len(table.rows) - len(shown)
    if more:
        body += f"\n\n{more:,} more rows are in the HTML report."
    title = text_of(table.title)
    if len(shown) > FOLD:
        return _folded(f"{table.title or 'Table'} ({len(table.rows):,} rows)", body)
    return f"**{title}**\n\n{body}" if title else body


def _cells(row: Sequence[Cell], marked: bool) -> Iterator[str]:
    for cell in row:
        text = _cell_text(cell.text)
        yield f"**{text}**" if marked and text else text


def _folded(summary: str, body: str) -> str:
    """GitHub reads HTML in a summary, so that text of others is escaped as such there."""
    short = summary if len(summary) <= CELL else summary[:CELL] + "..."
    shown = LINKS.sub(lambda found: _apart(found[0]), entities.escape(plain(short)))
    return f"<details><summary>{shown}</summary>\n\n{body}\n\n</details>"


def spark(values: F64, width: int = WIDTH) -> str:
    """A line of blocks, the greatest value of each part; from 0 up to the greatest of all."""
    if not len(values):
        return ""
    width = min(width, len(values))
    starts = (np.arange(width) * len(values)) // width
    highest = np.maximum.reduceat(np.nan_to_num(values), starts)
    top = highest.max()
    if top <= 0:
        return SPARK[0] * width
    steps = np.ceil(highest / top * len(SPARK)).astype(int) - 1
    return "".join(SPARK[max(step, 0)] for step in steps)


def amount(value: float, unit: str) -> str:
    """A figure with its unit."""
    if unit == "bytes":
        return size_words(int(value))
    if unit in ("objects", "events"):
        return f"{value:,.0f} {unit}"
    return f"{rounded(value)} {unit}"


def _series(block: Series) -> str:
    length = amount(float(block.start[-1] - block.start[0]), block.x_unit)
    lines = [f"**{text_of(block.title)}** over {length}, the highest of each stretch", ""]
    for line in block.lines:
        top = amount(float(line.high.max(initial=0.0)), block.y_unit)
        lines.append(f"- `{spark(line.high)}` {text_of(line.name)}, up to {top}")
    if not block.lines:
        values = np.zeros(WIDTH)
        span = float(block.start[-1] - block.start[0]) or 1.0
        for one in block.moments:
            at = min(int((one.at - float(block.start[0])) / span * WIDTH), WIDTH - 1)
            values[at] = max(values[at], one.value or 0.0)
        lines.append(f"- `{spark(values)}` up to {amount(float(values.max()), block.y_unit)}")
    return "\n".join(lines)


def _distribution(block: Distribution) -> str:
    low, high = (amount(float(edge), block.unit) for edge in (block.edges[0], block.edges[-1]))
    lines = [f"**{text_of(block.title)}**, from {low} to {high}", ""]
    for name, counts in block.counts:
        shown = spark(counts.astype(np.float64))
        lines.append(f"- `{shown}` {text_of(name)}: {int(counts.sum()):,}")
    return "\n".join(lines)


def _bars(block: Bars) -> str:
    lines = [
        "| | " + " | ".join(map(text_of, block.parts)) + " |",
        "| --- |" + " ---: |" * len(block.parts),
    ]
    for name, values in block.rows:
        cells = " | ".join(amount(value, block.unit) for value in values)
        lines.append(f"| {_cell_text(name)} | {cells} |")
    body = "\n".join(lines)
    if len(block.rows) > FOLD:
        return _folded(block.title or "Table", body)
    return f"**{text_of(block.title)}**\n\n{body}" if block.title else body


def _graph(block: Graph) -> str:
    """A cycle in a line a reference."""
    lines = []
    for edge in block.edges:
        source, target = block.nodes[edge.source], block.nodes[edge.target]
        place = f"  ({source.place})" if source.place else ""
        cut = "  <- cut here" if edge.cut else ""
        lines.append(f"{source.text} --{edge.name}--> {target.text}{place}{cut}")
    lines += [f"{one.place}: {one.text}" for one in block.sources]
    drawn = _code("\n".join(plain(line)[:CELL] for line in lines))
    words = "\n\n".join(map(line_of, block.words))
    return f"**{text_of(block.title)}**\n\n{drawn}" + (f"\n\n{words}" if words else "")
