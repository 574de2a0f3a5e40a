"""Two versions of a program, for a terminal: what is new first, then figures, then sites."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from gcreplay.replay.results.findings import FoundChange
from gcreplay.replay.results.versions import NOISE, SiteChange
from gcreplay.report.words.numbers import counted, size_words
from gcreplay.screen.garbage import amount
from gcreplay.screen.tables.table import Cell, Place, Signed, SignedSize, Size, Table
from gcreplay.versions.compared import Versions

SHOWN: Final = 5
SITES: Final = 10


def headlines(found: Versions) -> Iterator[str]:
    """The verdict, and what is new, gone and changed, each in a few lines."""
    yield "".join(found.verdict())
    for title, changes in sections(found):
        yield ""
        yield f"{title}:"
        for i, one in enumerate(changes[:SHOWN], 1):
            yield f"{i}  {change_words(one)}"
            where = place_words(found, one)
            yield f"   made at {where}"
            if one.newer.text:
                yield f"     {one.newer.text}"
        if len(changes) > SHOWN:
            yield f"   and {len(changes) - SHOWN:,} more (--format json has all)"


def sections(found: Versions) -> Iterator[tuple[str, Sequence[FoundChange]]]:
    """What there is to tell of garbage and leaks, what is worse first."""
    every = (
        ("New garbage", found.garbage.new),
        ("New leaks", found.leaks.new),
        ("Garbage that has changed", found.garbage.changed),
        ("Leaks that have changed", found.leaks.changed),
        ("Garbage that is gone", found.garbage.gone),
        ("Leaks that are gone", found.leaks.gone),
    )
    return ((title, changes) for title, changes in every if changes)


def change_words(one: FoundChange) -> str:
    """What it is and how much: `3,000 times, 12 objects, 1.2 KiB each: Order, list, Line`."""
    if one.first and one.second:
        before, after = one.first, one.second
        times = _both(before.count, after.count) + " times"
        objects = _both(before.objects, after.objects) + " objects"
        return f"{times}, {objects}: {after.title}"
    newer = one.newer
    return f"{amount(newer.count, newer.objects, newer.bytes)}: {newer.title}"


def _both(before: int, after: int) -> str:
    return f"{after:,}" if before == after else f"{before:,} -> {after:,}"


def place_words(found: Versions, one: FoundChange) -> str:
    """Where it is made: file, line and function."""
    made = one.newer
    return found.made_at(made.file, made.line, made.function, second=one.second is not None)


def tables(found: Versions) -> list[Table]:
    """Figures, and sites whose objects or bytes have changed; nothing where all is equal."""
    if found.equal:
        return []
    told, _ = found.sites
    made = [figures_table(found, found.first_rows() + found.other_changes())]
    return [*made, sites_table(found, told[:SITES])] if told else made


def figures_table(found: Versions, rows: Sequence[tuple[Cell, ...]]) -> Table:
    return Table(("figure", *found.names, "change", "change %"), tuple(rows))


def sites_table(found: Versions, told: Sequence[SiteChange]) -> Table:
    """Objects made, and bytes that lived there as the mean over the run."""
    rows = tuple(
        (
            one.row.type,
            Place(site_words(found, one)),
            one.objects[1],
            Signed(one.objects[1] - one.objects[0]),
            Size(one.bytes[1]),
            SignedSize(one.bytes[1] - one.bytes[0]),
        )
        for one in told
    )
    columns = ("type", "made at", "objects", "+/-", "held", "held +/-")
    title = "Objects made, and bytes held as the mean over the run; own code first"
    return Table(columns, rows, title=title, names=2, key="sites")


def signed_size(size: int) -> str:
    """A change of bytes in words."""
    return f"{'-' if size < 0 else '+'}{size_words(abs(size))}"


def site_words(found: Versions, one: SiteChange) -> str:
    """FILE:LINE FUNCTION, as it is in the second version, or was in the first."""
    row = one.row
    line = int(row.site.rpartition(":")[2])
    second, near = bool(row.lines_second), row.site.startswith("near ")
    return found.made_at(row.file, line, row.function, second=second, near=near)


def left_out(found: Versions) -> list[str]:
    """How many changes of sites are not shown, in a sentence."""
    told, below = found.sites
    if found.equal:
        return []
    parts = []
    if len(told) > SITES:
        parts.append(f"{counted(len(told) - SITES, 'smaller change')} of sites")
    if below:
        parts.append(f"{counted(below, 'change')} of sites below {float(NOISE):.1%}")
    return [f"And {' and '.join(parts)} (--format json)."] if parts else []


def next_commands(found: Versions, second: str) -> list[str]:
    """What to type to see more of what is new."""
    asked = (("cycles", found.garbage), ("leaks", found.leaks))
    commands = [shlex.join(["gcreplay", name, second]) for name, of in asked if of.new]
    return [f"Next: {', '.join(commands)}"] if commands else []
