"""Text that has not the room it would take: folded where a reader expects it, paths shortened."""

import re
from collections.abc import Collection
from typing import Final

_PIECE: Final = re.compile(r" *[^ +]*\+?")
"""What is not broken: a word, or an action of a policy with the + behind it."""

_JOINT: Final = "/.:,_]("
"""Behind these even that is broken, where it is longer than the line."""

_PLACE: Final = re.compile(r"(?P<near>near )?(?P<file>.*?)(?P<line>:\d+)(?P<function> .*)?")
_ELLIPSIS: Final = ".../"


def cells(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # only where somebody writes so

    return cell_len(text)


def folded(text: str, width: int) -> list[str]:
    """The text in lines no wider than that: broken at blanks and behind the + of a policy.

    What is longer than a line is broken behind the last joint of a name that there is room for.
    """
    lines = [""]
    for piece in _PIECE.findall(text):
        if cells(lines[-1] + piece) <= width:
            lines[-1] += piece
            continue
        rest = piece.lstrip()
        if lines[-1]:
            lines.append("")
        while cells(rest) > width:
            taken = _prefix(rest, width)
            lines[-1] = taken
            lines.append("")
            rest = rest.removeprefix(taken)
        lines[-1] = rest
    return lines


def _prefix(word: str, width: int) -> str:
    """So much of the word as fits, up to the last joint in its second half."""
    room = max(1, width)
    while cells(word[:room]) > width and room > 1:
        room -= 1
    joint = max(word.rfind(each, room // 2, room) for each in _JOINT)
    return word[: joint + 1] if joint >= 0 else word[:room]


def longest_piece(text: str) -> int:
    """The width of the longest piece that is not broken willingly."""
    return max((cells(piece.strip()) for piece in _PIECE.findall(text)), default=0)


def place_lines(text: str, width: int, others: Collection[str]) -> list[str]:
    """`near FILE:LINE FUNCTION` in lines of that width.

    Folders in front are left out as far as that takes, but for what tells the file from those of
    `others`. If that is not enough, the function has a line of its own.
    """
    match = _PLACE.fullmatch(text)
    if cells(text) <= width or match is None:
        return folded(text, width)
    near, line, function = match["near"] or "", match["line"], match["function"] or ""
    tails = _tails(match["file"], files_of(others))
    for end in (line + function, line):
        for tail in tails:
            if cells(near + tail + end) <= width:
                behind = folded(function.strip(), width) if end == line and function else []
                return [near + tail + end, *behind]
    return folded(near + tails[-1] + line + function, width)


def files_of(places: Collection[str]) -> set[str]:
    """The files of places."""
    return {match["file"] for text in places if (match := _PLACE.fullmatch(text))}


def _tails(file: str, others: Collection[str]) -> list[str]:
    """The file with ever fewer folders in front, down to what no other file ends in."""
    parts = file.split("/")
    tails = [file]
    for first in range(1, len(parts)):
        tail = "/".join(parts[first:])
        if any(f"/{other}".endswith(f"/{tail}") for other in others if other != file):
            break
        tails.append(_ELLIPSIS + tail)
    if len(tails) > 1:
        name = tails[-1].removeprefix(_ELLIPSIS)
        tails.append(name)
    return tails
