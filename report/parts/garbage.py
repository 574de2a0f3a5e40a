"""What the collector freed, and what is garbage at the end: by type and by line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

from gcreplay.replay.garbage import Ended, GarbageAt
from gcreplay.replay.modules import Origin, origin

from ..places import Places
from ..view import Block, Cell, Column, Figure, Figures, Finding, Section, Table, Words
from ..words.numbers import counted, in_percent, size_words

Key = TypeVar("Key")

SUMS = (
    Column(
        "freed", "number", "Objects that died in collections: cycles, and what only those held."
    ),
    Column("size", "size", "Bytes of these objects when they died."),
    Column("% of freed", "percent", "Their share of all objects that collections freed."),
    Column("left", "number", "Objects that are garbage at the end, and not freed yet."),
    Column("left size", "size", "Bytes of these objects."),
    Column(
        "% of work",
        "percent",
        "How often collections examined these objects when they were garbage, as a share of all "
        "examinations. What is missing to 100 % was for objects still in use.",
    ),
)
TYPE = Column("type", "text", "The class of the objects.")
PLACE = Column("made at", "place", "The line of code that ran when the objects were made.")
TYPES = Column("types", "text", "What is made there and becomes garbage, most objects first.")
SHOWN_TYPES = 3


@dataclass(frozen=True, slots=True)
class Sum:
    """Objects and bytes that were freed and that are left, and examinations of both."""

    freed: int = 0
    freed_bytes: int = 0
    floating: int = 0
    floating_bytes: int = 0
    visited: int = 0

    def __add__(self, other: Sum | GarbageAt) -> Sum:
        return Sum(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Sum)))

    @property
    def rank(self) -> tuple[int, int, int]:
        """The largest first, sorted by this."""
        return -self.visited, -self.freed_bytes - self.floating_bytes, -self.freed - self.floating


def garbage(found: Ended, places: Places, command: str) -> tuple[Section, list[Finding]]:
    """Two tables. command: what shows the cycles in a terminal."""
    total = summed(found.garbage, lambda one: None).get(None, Sum())
    visited = found.cycles.gc_visited
    blocks: tuple[Block, ...] = (
        Figures(tuple(_figures(total, visited))),
        _by_type(found.garbage, total, visited),
        _by_line(found.garbage, total, visited, places),
        *(Words(text) for text in _notes(found, total)),
    )
    meaning = (
        "Garbage that only the collector frees: objects that refer to each other in a cycle, and "
        "what hangs from them. All else was freed at once, by its reference count."
    )
    if not found.garbage:
        return Section("garbage", _TITLE, _NONE, "", ()), []
    return Section("garbage", _TITLE, meaning, command, blocks), _findings(found, total, command)


_TITLE = "Garbage by type and by line"
_NONE = "There was no garbage for the collector: reference counts freed all that died."


def _figures(total: Sum, visited: int) -> Iterator[Figure]:
    yield Figure(
        "freed by the collector", counted(total.freed, "object"), size_words(total.freed_bytes)
    )
    yield Figure(
        "garbage at the end", counted(total.floating, "object"), size_words(total.floating_bytes)
    )
    if visited:
        yield Figure(
            "work for garbage",
            in_percent(total.visited / visited),
            f"{total.visited:,} of {visited:,} examinations; the rest was for objects in use",
        )


def _by_type(found: Sequence[GarbageAt], total: Sum, visited: int) -> Table:
    sums = summed(found, lambda one: one.type)
    rows = tuple(
        (Cell(kind, kind), *cells(one, total, visited))
        for kind, one in sorted(sums.items(), key=lambda each: (each[1].rank, each[0]))
    )
    return Table("garbage-types", "Garbage by type", (TYPE, *SUMS), rows)


def _by_line(found: Sequence[GarbageAt], total: Sum, visited: int, places: Places) -> Table:
    """A line is one row, also where it is exact for some objects and near for others."""
    sums = summed(found, _line)
    near = {_line(one): bool(one.site.near) for one in found}
    for one in found:
        near[_line(one)] &= bool(one.site.near)
    mixes: dict[tuple[str, int, str], dict[str, int]] = {}
    for one in found:
        mix = mixes.setdefault(_line(one), {})
        mix[one.type] = mix.get(one.type, 0) + one.freed + one.floating
    rows = tuple(
        (places.cell(*line, near=near[line]), _mix(mixes[line]), *cells(one, total, visited))
        for line, one in sorted(sums.items(), key=lambda each: (each[1].rank, each[0]))
    )
    return Table("garbage-lines", "Garbage by line", (PLACE, TYPES, *SUMS), rows)


def _line(one: GarbageAt) -> tuple[str, int, str]:
    return one.site.file, one.site.line, one.site.function


def _mix(types: dict[str, int]) -> Cell:
    names = sorted(types, key=lambda kind: (-types[kind], kind))
    more = f" and {len(names) - SHOWN_TYPES} more" if len(names) > SHOWN_TYPES else ""
    shown = ", ".join(name.rpartition(".")[2] for name in names[:SHOWN_TYPES]) + more
    return Cell(", ".join(names), shown)


def cells(one: Sum, total: Sum, visited: int) -> tuple[Cell, ...]:
    """Under SUMS."""
    return (
        number(one.freed),
        size(one.freed_bytes),
        percent(one.freed, total.freed),
        number(one.floating),
        size(one.floating_bytes),
        percent(one.visited, visited),
    )


def number(n: int) -> Cell:
    return Cell(n, f"{n:,}")


def size(n: int) -> Cell:
    return Cell(n, size_words(n))


def percent(part: int, whole: int) -> Cell:
    """Without a whole there is no share."""
    if not whole:
        return Cell(None, "")
    return Cell(round(100 * part / whole, 3), in_percent(part / whole))


def summed(found: Iterable[GarbageAt], key: Callable[[GarbageAt], Key]) -> dict[Key, Sum]:
    sums: dict[Key, Sum] = {}
    for one in found:
        of = key(one)
        sums[of] = sums.get(of, Sum()) + one
    return sums


def _notes(found: Ended, total: Sum) -> Iterator[str]:
    run = found.cycles.run
    if beside := total.freed - run.freed_by_collector:
        yield (
            f"{counted(beside, 'object')} of what was freed died by reference count, in finalizers "
            "that collections ran."
        )
    if unknown := sum(one.freed + one.floating for one in found.garbage if not one.site.file):
        yield (
            f"Made at an unknown place: {counted(unknown, 'object')}, before recording began or by "
            "code that is not Python's."
        )


def _findings(found: Ended, total: Sum, command: str) -> list[Finding]:
    """Who makes the garbage: one's own code, or that of others."""
    every = total.freed + total.floating
    own = sum(
        one.freed + one.floating for one in found.garbage if origin(one.site.file) is Origin.OWN
    )
    text = f"{own:,} of {counted(every, 'object')} of garbage are made in your code."
    return [Finding("garbage-own", "info", text, float(own), command)]
