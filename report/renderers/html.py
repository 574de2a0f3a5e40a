"""A report as one HTML file that needs nothing else: no network, no other file, no script to read.

The page is made of `page/`: a template, style sheets and scripts, each set into the file. The
browser runs those alone: their hashes stand in its Content-Security-Policy, and nothing of a
recording can become a script, a style or an address. Every text goes through `finalize`, which
makes visible what cannot be seen, and then through Jinja2's escaping, so that no place of the
template can forget it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any, Final, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gcreplay.report.renderers.data_for_charts import chart_data
from gcreplay.report.renderers.svg import Chart, chart, chart_style
from gcreplay.report.renderers.svg.draw import shown
from gcreplay.report.renderers.svg.palette import variables
from gcreplay.report.renderers.words_for_charts import Plain, summary, table
from gcreplay.report.view import Cell, Finding, Graph, Level, Section, Table, View

PAGE: Final = Path(__file__).parent / "page"
STYLES: Final = ("page.css", "blocks.css", "print.css")
SCRIPTS: Final = (
    "state.js",
    "copy.js",
    "page.js",
    "tables.js",
    "amounts.js",
    "decode.js",
    "points.js",
    "bins.js",
    "series.js",
    "zoom.js",
    "start.js",
)
"""In the order in which they run: each uses what stands before it."""

OWN: Final = ("answer", "findings", "contents", "theme", "paths", "link", "tip", "spoken")
"""Ids that the template gives."""

CODE: Final = re.compile(r"(?<![\w`])`([^`\n]+)`(?![\w`])")

WIDE: Final = 780
NARROW: Final = 380
"""The widths of the drawings that stand in the page: the style sheet shows the one that fits."""

LEVELS: Final[dict[Level, tuple[str, str]]] = {
    "serious": ("✖", "Serious"),
    "warning": ("▲", "Warning"),
    "notice": ("●", "Notice"),
    "info": ("○", "For information"),
}
"""The sign and the word of a finding, the worst first."""

NUMBERS: Final = ("number", "size", "ms", "percent")


@dataclass(frozen=True, slots=True)
class Lines:
    """Text of several lines, kept as they are."""

    text: str

    def __html__(self) -> Markup:
        kept = (shown(line.expandtabs(8)) for line in self.text.splitlines())
        return Markup("\n").join(kept)


def with_code(text: str) -> Markup:
    """A sentence, what stands in backticks of it as code: a command, a name, a line."""
    parts = CODE.split(text)  # text, code, text, ...
    return Markup("").join(
        Markup("<code>{}</code>").format(shown(part)) if i % 2 else Markup.escape(shown(part))
        for i, part in enumerate(parts)
    )


def html(view: View) -> str:
    """The report as the text of one HTML file, the same for the same view."""
    page = _environment()
    names = _Names()
    style = "\n".join(
        [variables(), *((PAGE / name).read_text("utf-8") for name in STYLES), chart_style()]
    )
    script = "\n".join((PAGE / name).read_text("utf-8") for name in SCRIPTS)
    script = f'(() => {{\n"use strict";\n{script}\n}})();'
    return page.get_template("page.html").render(
        view=view,
        sections=[_section(section, names) for section in view.sections],
        findings=sorted(view.beside(info=False), key=_worst_first),
        information=view.beside(info=True),
        levels=LEVELS,
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
    )


def _worst_first(finding: Finding) -> int:
    return list(LEVELS).index(finding.level)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["lines"] = Lines
    environment.filters["code"] = with_code
    environment.globals["is_number"] = lambda kind: kind in NUMBERS
    environment.globals["raw"] = raw
    return environment


def _visible(what: Any) -> Any:
    """What a template shows: markup of our own as it is, any other text made visible."""
    return shown(what) if isinstance(what, str) and not isinstance(what, Markup) else what


def _policy(style: str, script: str) -> str:
    """What the browser may do: nothing, but run these two."""
    allowed = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "img-src": "data:",  # the empty icon, without which a browser asks the server for one
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{what} {where}" for what, where in allowed.items())


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A block as the template takes it. name: its id in the page."""

    kind: str
    name: str
    block: Any
    wide: str = ""
    narrow: str = ""
    summary: str = ""
    table: Plain | None = None
    data: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    section: Section
    blocks: list[_Drawn]


class _Names:
    """Ids for the page: of letters, digits, `-`, `_` and `.` alone, each only once."""

    def __init__(self) -> None:
        self._given = set(OWN)

    def __call__(self, wanted: str) -> str:
        clean = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in wanted)
        clean = clean[:60] or "part"
        numbered = (f"{clean}-{n}" for n in count(2))
        name = next(name for name in chain([clean], numbered) if name not in self._given)
        self._given.add(name)
        return name


def _section(section: Section, names: _Names) -> _Part:
    return _Part(names(section.id), section, list(_blocks(section, names)))


def _blocks(section: Section, names: _Names) -> Iterator[_Drawn]:
    for block in section.blocks:
        kind = type(block).__name__.lower()
        if isinstance(block, get_args(Chart)):
            yield _chart(block, names(f"chart-{block.id}"))
        elif isinstance(block, Table):
            yield _Drawn(kind, names(f"table-{block.id}"), block)
        else:
            yield _Drawn(kind, "", block)


def _chart(block: Chart, name: str) -> _Drawn:
    graph = isinstance(block, Graph)
    return _Drawn(
        type(block).__name__.lower(),
        name,
        block,
        Markup(chart(block, WIDE)),
        Markup("" if graph else chart(block, NARROW)),
        summary(block),
        table(block),
        Markup(chart_data(block)),
    )


def raw(cell: Cell) -> str:
    """What a cell is sorted by and copied as: "" for nothing."""
    return "" if cell.raw is None else str(cell.raw)
