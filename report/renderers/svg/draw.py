"""Elements of SVG as text. Everything that came from a recording goes through `shown`."""

from __future__ import annotations

from html import escape
from typing import Final

from gcreplay.report.words.text import visible

CHARACTER: Final = 7.4
"""The width of a character of a label, in pixels: that of a wide font, so that no font overlaps."""


def shown(text: str) -> str:
    """The text with characters that can be seen: the others as in a string of Python, `\\u202e`.

    A backslash stays single: the parts of a report may have been made visible before.
    """
    if visible(text):
        return text
    return "".join(
        c if visible(c) else c.encode("unicode_escape").decode("ascii") for c in text
    )


def tag(name: str, *content: str, **attributes: str | float | int) -> str:
    """An element; `class_` is the attribute `class`, `_` in a name is `-`."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value(what))}"'
        for key, what in attributes.items()
    )
    inner = "".join(content)
    return f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>"


def value(what: str | float | int) -> str:
    """An attribute: numbers with a tenth of a pixel, which is more than can be seen."""
    return what if isinstance(what, str) else f"{round(what, 1) + 0:g}"


def words(
    text: str, x: float, y: float, class_: str = "", anchor: str = "start", room: float = 0
) -> str:
    """A label; where it is wider than `room` pixels its middle is left out and a title has it."""
    whole = shown(text)
    short = elided(whole, int(room / CHARACTER)) if room else whole
    title = f"<title>{escape(whole[:1000])}</title>" if short != whole else ""
    attributes: dict[str, str | float] = {"x": x, "y": y, "text_anchor": anchor}
    if class_:
        attributes["class_"] = class_
    return tag("text", title, escape(short), **attributes)


def elided(text: str, characters: int) -> str:
    """The text, or its start and end where it has more characters than that."""
    if len(text) <= characters:
        return text
    kept = max(characters - 1, 2)
    return f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"


def path(points: list[tuple[float, float]], close: bool = False) -> str:
    """The `d` of a path through the points."""
    steps = " ".join(f"{value(x)},{value(y)}" for x, y in points)
    return f"M{steps}{'Z' if close else ''}" if points else ""


def drawing(width: float, height: float, *content: str) -> str:
    """A chart. It is hidden from screen readers: the figure around it has a summary in words."""
    return tag(
        "svg",
        *content,
        xmlns="http://www.w3.org/2000/svg",
        class_="drawing",
        viewBox=f"0 0 {value(width)} {value(height)}",
        width=width,
        height=height,
        aria_hidden="true",
    )
