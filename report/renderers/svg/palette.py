"""The colours of the report, for light and dark: one list for the page, its charts and pictures.

Text has a contrast of 4.5 or more against both grounds, what is drawn 3 or more (WCAG 2.2, AA).
The four series differ in lightness and lie on the line from blue to orange, which people with any
kind of colour blindness tell apart; dashes, shapes and words say the same.
"""

from __future__ import annotations

from typing import Final

COLOURS: Final[dict[str, tuple[str, str]]] = {
    "ground": ("#fdfdfb", "#16181b"),
    "panel": ("#f5f4f0", "#1f2226"),
    "rule": ("#dddbd4", "#363a40"),
    "ink": ("#1b1c1e", "#e9e7e2"),
    "muted": ("#5c5c57", "#a8a69f"),
    "accent": ("#0a5ea8", "#74b9f5"),
    "one": ("#0a5ea8", "#74b9f5"),
    "two": ("#b34a06", "#f3a064"),
    "three": ("#0b7a5c", "#54cfa5"),
    "four": ("#8d4a80", "#dca6cf"),
    "notice": ("#0a5ea8", "#74b9f5"),
    "warning": ("#8a5200", "#ecb95c"),
    "serious": ("#b0241c", "#ff9389"),
}
"""By name: in light, in dark."""

SERIES: Final = ("one", "two", "three", "four")


def variables() -> str:
    """The colours as variables of CSS that follow the scheme of the page."""
    lines = (f"--{name}: light-dark({light}, {dark});" for name, (light, dark) in COLOURS.items())
    return ":root { " + " ".join(lines) + " }"


def picture_variables() -> str:
    """The same for a picture that stands alone, as in a page of documentation."""
    light, dark = (
        " ".join(f"--{name}: {pair[scheme]};" for name, pair in COLOURS.items())
        for scheme in (0, 1)
    )
    return f"svg {{ {light} }} @media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}"
