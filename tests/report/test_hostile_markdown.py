"""Names from a recording in Markdown: shown, never obeyed, as CommonMark and GitHub read it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from gcreplay.report.renderers import markdown as renderer
from gcreplay.report.renderers.markdown import markdown
from gcreplay.report.view import (
    Bars,
    Cell,
    Column,
    Edge,
    Figure,
    Figures,
    Finding,
    Graph,
    Line,
    Node,
    Section,
    Series,
    SourceLine,
    Table,
    View,
    Words,
)

HOSTILE = (
    "`x` ``y`` ```\nz", "a | b || c \\| d", "<script>alert(1)</script><img src=x onerror=y>",
    "<!-- c --> </details></summary>", "@team and a@b @x/y", "#1 GH-1 a/b#2 #12",
    "[l](http://evil.example) ![i](//evil.example/x.png)", "https://evil.example www.evil.example",
    "<https://evil.example> mailto:a@evil.example", "[r]: http://evil.example",
    "\u202etxt.exe\u2066",
    "a\u200bb\u2060c\ufeff", "one\n\n# two\n- three\r\n> four\n    five", "a\0b\x1b[31m",
    "a\ud800b",
    "**b** _i_ ~~s~~ $m$ $$m$$", "&lt;b&gt; &#64;team &amp;", "\\", "``", "---", "| --- |", "1. x",
    "- [ ] x", "~~~", "\t\tcode", "==x==", "a" * 900, "    x = 1 ", "# x", "+ x", "2) x", "===",
    ":smile: ^[n] [^1]",
)  # fmt: skip
UNSEEN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def view_of(name: str) -> View:
    """The name in every place that takes text of a recording."""
    start, values = np.array([0.0, 1.0]), np.array([1.0])
    row = (Cell(name, name, name), Cell(1, name))
    columns = (Column(name, "place", name), Column("n"))
    graph = Graph(
        "g", name, (Node(name, name), Node(name)), (Edge(0, 1, name, True),),
        (SourceLine(name, name, name),), (name,),
    )  # fmt: skip
    blocks = (
        Words(name), Words(name, "warning"), Words(f"{name}\n{name}", code=True),
        Figures((Figure(name, name, name),)), Table("t", name, columns, (row, row), (0,)),
        Table("f", name, columns, (row,) * 9), Bars("b", name, "ms", (name,), ((name, (1.0,)),)),
        Bars("c", name, "ms", (name,), ((name, (1.0,)),) * 9), graph,
        Series("s", name, "s", "bytes", start, (Line(name, values, values, values),)),
    )  # fmt: skip
    finding = Finding("x", "warning", name, None, f"gcreplay x {name}")
    section = Section("x", name, name, f"gcreplay y {name}", blocks)
    findings = (replace(finding, text=f"{name}."),)
    return View(name, name, (name,), findings, (section,), name, (name,))


def tokens(text: str) -> list[Token]:
    """Of all blocks, with those within a line in their place."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return [one for block in parser.parse(text) for one in [block, *(block.children or [])]]


def shape(text: str) -> list[str]:
    """What GitHub would make of it, without words: kinds of tokens, and HTML."""
    words = ("text", "text_special", "softbreak")
    kept = [one for one in tokens(text) if one.type not in words]
    html, title = ("html_inline", "html_block"), "(?<=<summary>)([^<]|<!-- -->)*(?=</summary>)"
    return [
        re.sub(title, "", one.content) if one.type in html else one.type
        for one in kept
        if one.content != "<!-- -->"
    ]


PLAIN = shape(markdown(view_of("name")))


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_leaves_the_page_as_an_honest_one_has_it(name: str) -> None:
    text = markdown(view_of(name))
    assert shape(text) == PLAIN
    assert not UNSEEN.search(text)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_is_a_mention_an_issue_or_an_address(name: str) -> None:
    read = "\n".join(
        one.content for one in tokens(markdown(view_of(name))) if one.type in ("text", "html_block")
    )
    shown = re.sub("</?(details|summary)>", "", read)
    assert not re.search(r"@\w|#\d|GH-\d|://|www\.\w|\w@\w", shown), shown
    assert not re.search(r":smile:", shown)


def test_a_page_has_room_in_a_comment_and_names_what_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    view = view_of("|" * 90)
    many = tuple(replace(view.sections[0], id=str(i), title=f"part {i}") for i in range(4))
    size = len(markdown(replace(view, sections=many)))
    for most in range(size - 300, size, 60):  # the last lines have no room beside all four
        monkeypatch.setattr(renderer, "MOST", most)
        text = markdown(replace(view, sections=many))
        left = re.findall(r"part \d", text.partition("Left out for want of room: ")[2])
        assert len(text) <= most
        assert [f"part {i}" for i in range(4)] == [*re.findall(r"(?m)^### (part \d)$", text), *left]
