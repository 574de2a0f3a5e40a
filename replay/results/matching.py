"""Which code of one version of a program is which code of another.

Files are matched by the end of their path, sites by type and function. So neither a checkout
elsewhere nor a moved line is a change.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from gcreplay.store.log import EventLog

from ..modules import Origin, installed_name, origin
from ..run import CUTS

Root = tuple[str, str]
"""Where the same code lies in the first and in the second log."""
K = TypeVar("K")
T = TypeVar("T")
_MINOR: Final = re.compile(r"^python3\.\d+/")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where objects of a type are made. `near`: the birth was noticed late, at another line."""

    type: str
    file: str
    function: str
    near: bool
    line: int


Code = tuple[str, str, str]
"""Type, file and function: what stays of a place when lines move."""


def same_log(first: EventLog, second: EventLog) -> bool:
    """Whether they are one recording, opened twice or cut in one of them."""
    facts = [dict(log.meta) for log in (first, second)]
    cut = [one.pop(CUTS, None) for one in facts]
    return first is second or (
        (cut[0] != cut[1] or first.segment_table == second.segment_table)
        and (first.event_count, first.object_count) == (second.event_count, second.object_count)
        and first.sites == second.sites
        and facts[0] == facts[1]
    )


def same_places(
    first: Iterable[Place], second: Iterable[Place], files: Mapping[str, str]
) -> Iterator[tuple[tuple[Place, ...], tuple[Place, ...]]]:
    """The places of both that are the same code, in order.

    files: the names that the first log's files have in the second. Places of one type and function
    are matched in the order of their lines where they are equally many. Else all of them are one.
    So they are where a line is only near, which it need not be in the next recording.
    """
    before, after = _by_code(first, files), _by_code(second, {})
    for code in sorted({*before, *after}):
        ours, theirs = before.get(code, ()), after.get(code, ())
        if len(ours) == len(theirs) and not any(place.near for place in (*ours, *theirs)):
            yield from (((one,), (other,)) for one, other in zip(ours, theirs, strict=True))
        else:
            yield ours, theirs


def _by_code(places: Iterable[Place], files: Mapping[str, str]) -> dict[Code, tuple[Place, ...]]:
    """Each with its places in the order of their lines."""
    found = _grouped(
        ((place.type, files.get(place.file, place.file), place.function), place)
        for place in sorted(places, key=lambda one: (one.line, one.near))
    )
    return {code: tuple(each) for code, each in found.items()}


def same_files(first: EventLog, second: EventLog) -> dict[str, str]:
    """Of the first log's files those that the second has too, with their names there."""
    ours, theirs = ({site.file for site in log.sites} for log in (first, second))
    found = {file: file for file in ours & theirs}
    found |= _paired(_elsewhere(ours - theirs), _elsewhere(theirs - ours))
    left = [sorted(_own(ours - set(found))), sorted(_own(theirs - set(found.values())))]
    found |= _below_roots(*left)
    scripts = _script(first, _own(ours)), _script(second, _own(theirs))
    if scripts[0] not in found and scripts[1] not in found.values():
        found |= {one: other for one, other in [scripts] if one and other}
    return found


def roots_of(files: Mapping[str, str]) -> Root:
    """Where one's own code lies in each log, by most of the files that lie elsewhere in the other;
    "" where there are none."""
    voices = Counter(
        _roots(one, other)
        for one, other in files.items()
        if one != other and origin(one) is Origin.OWN and one.rpartition("/")[2] in other
    )
    return min(voices, key=lambda roots: (-voices[roots], roots), default=("", ""))


def _elsewhere(files: Iterable[str]) -> dict[str, str]:
    """By their names from `site-packages` on, or in the standard library of any version."""
    named = ((installed_name(file), file) for file in sorted(files))
    return {_MINOR.sub("python/", name): file for name, file in named if name is not None}


def _paired(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    return {first[name]: second[name] for name in first if name in second}


def _own(files: Iterable[str]) -> set[str]:
    return {file for file in files if origin(file) is Origin.OWN}


def _below_roots(first: Sequence[str], second: Sequence[str]) -> dict[str, str]:
    """Files below the roots of two checkouts. Each two files of one name speak for the roots that
    are left when the ends that they share are taken off; most voices are heard first."""
    voices: defaultdict[Root, list[tuple[str, str]]] = defaultdict(list)
    named = _grouped((file.rpartition("/")[2], file) for file in second)
    for one in first:
        for other in named.get(one.rpartition("/")[2], ()):
            voices[_roots(one, other)].append((one, other))
    found: dict[str, str] = {}
    taken: set[str] = set()
    for roots in sorted(voices, key=lambda root: (-len(voices[root]), root)):
        for one, other in voices[roots]:
            if one not in found and other not in taken:
                found[one] = other
                taken.add(other)
    return found


def _grouped(pairs: Iterable[tuple[K, T]]) -> dict[K, list[T]]:
    found = defaultdict(list)
    for name, value in pairs:
        found[name].append(value)
    return dict(found)


def _roots(first: str, second: str) -> Root:
    """Both without the folders and the name in which they end alike."""
    ours, theirs = first.split("/"), second.split("/")
    while ours and theirs and ours[-1] == theirs[-1]:
        ours.pop()
        theirs.pop()
    return "/".join(ours), "/".join(theirs)


def _script(log: EventLog, files: Iterable[str]) -> str:
    """The file of the program that was started; "" where that cannot be told."""
    argv = log.meta.get("argv")
    for word in map(str, argv) if isinstance(argv, list) else ():
        ending = word.removeprefix("./")
        if word.endswith(".py"):
            return min((f for f in files if f == word or f.endswith(f"/{ending}")), default="")
    return ""
