"""Text of others in what we print: names from a recording, file names, messages of the system.

Such text is shown, never obeyed: a terminal would take ESC as a command, a bidirectional control
turns the rest of a line round, a spreadsheet runs `=...`, Markdown makes a link. `plain` is for
terminals, pipes and sentences; the other functions put it into their format. Nothing is lost: what
is shown says which characters the text has.
"""

import re
from typing import Final

INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U0001d159\U000e0100-\U000e01ef]"
)
"""What Python calls printable, and yet leaves no mark."""

MARKUP: Final = re.compile(r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown obeys within a line; an underscore only at the edge of a word."""

FORMULA: Final = re.compile(r"['=+\-@\uff1d\uff0b\uff0d\uff20]")
NUMBER: Final = re.compile(r"[+-]?[0-9.,]*%?")


def plain(text: str) -> str:
    """The text in one line of characters that can be seen: the others, and a backslash, as in a
    string of Python: `\\x1b`, `\\n`, `\\u202e`, `\\\\`."""
    if visible(text) and "\\" not in text:
        return text
    return "".join(map(_shown, text))


def visible(text: str) -> bool:
    """Whether every character of the text leaves a mark, or is a space."""
    return text.isprintable() and not INVISIBLE.search(text)


def _shown(character: str) -> str:
    if visible(character) and character != "\\":
        return character
    return character.encode("unicode_escape").decode("ascii")


def markdown(text: str) -> str:
    """As `plain`, where Markdown is read: a backslash stands before what it would obey."""
    return MARKUP.sub(r"\\\g<0>", plain(text))


def csv_cell(text: str) -> str:
    """As `plain`, where a spreadsheet is read: an apostrophe stands before a formula."""
    shown = plain(text)
    formula = FORMULA.match(shown) and not NUMBER.fullmatch(shown)
    return f"'{shown}" if formula else shown
