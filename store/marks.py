"""Marks as people name them in a command, and names that come close to one that there is not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
"""A pattern: a mark in double quotes, which may hold what else would end it."""

_SAID = 20
_ESCAPE = re.compile(r'\\(?:["\\nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U000[0-9a-f]{5}|U0010[0-9a-f]{4})')
_MISREAD = re.compile(r"|\..*|.*(?:\+|\.\.).*|.*(?:\.|,[0-9]+)", re.DOTALL)
"""Marks that end too early, or begin or end too late, without quotes."""


def mark_from(written: str) -> str:
    """The mark that is meant: as it stands, or in double quotes, with escapes as in a string of
    Python: so odd characters are shown."""
    if not re.fullmatch(QUOTED, written, re.DOTALL):
        return written
    return _ESCAPE.sub(lambda one: one[0].encode().decode("unicode_escape"), written[1:-1])


def kind(mark: str) -> str:
    """What marks that differ in numbers alone have in common: each number is a #."""
    return re.sub(r"[0-9]+", "#", mark)


def acts(named: str, mark: str) -> bool:
    """Whether who acts at what is named does so at the mark: it is that one, or of that kind."""
    return named in (mark, kind(mark))


def as_named(mark: str) -> str:
    """The mark as it is to be named, but for odd characters, which are escaped where it is shown:
    escapes stand in quotes only."""
    odd = "\\" in mark or not mark.isprintable()
    return f'"{mark}"' if odd or _MISREAD.fullmatch(mark) else mark


def written(mark: str) -> str:
    """The mark as `mark_from` reads it, in policies: in quotes where it needs them."""
    odd = '"' in mark or "\\" in mark or not mark.isprintable()
    if not odd and not _MISREAD.fullmatch(mark):
        return mark
    inside = mark.replace("\\", r"\\").replace('"', r"\"")
    return f'"{inside}"'


def with_marks_read(policy: str) -> str:
    """A policy's name with its marks in quotes as they are, so that what they were escaped for is
    escaped once where it is shown. One that has a quote stays as it was typed."""
    return re.sub(
        rf"(?:(?<=freeze@)|(?<=freeze-at:)|(?<=every:)|(?<=at:)|(?<=disabled-until:)){QUOTED}",
        lambda one: one[0] if '"' in (mark := mark_from(one[0])) else f'"{mark}"',
        policy,
        flags=re.DOTALL,
    )


def spelled(marks: Iterable[str]) -> str:
    """These marks in a sentence, each as it is to be named; many are not all said."""
    names = list(dict.fromkeys(marks))
    said = [as_named(name) for name in names[:_SAID]]
    more = f" and {len(names) - _SAID:,} others" if len(names) > _SAID else ""
    return (", ".join(said) or "none") + more


def meant(name: str, known: Iterable[str] | Mapping[str, str]) -> str:
    """` (did you mean A?)`, where something known comes close to the name; else nothing. A mapping
    has for what is known how it is said."""
    from difflib import get_close_matches  # only who mistypes waits for it

    said = known if isinstance(known, Mapping) else {one: one for one in known}
    return did_you_mean([said[one] for one in get_close_matches(name, said)])


def did_you_mean(near: Sequence[str]) -> str:
    """The same of what may have been meant, if there is anything."""
    first = ", ".join(near[:-1])
    return f" (did you mean {first}{' or ' * bool(first)}{near[-1]}?)" if near else ""
