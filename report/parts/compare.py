"""Two recordings, or two policies, side by side: what is new, what is gone, what changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gcreplay.replay.results.diff import Change, KeptLonger
from gcreplay.replay.results.findings import Finding as Found
from gcreplay.replay.results.findings import Findings, FoundChange
from gcreplay.replay.results.versions import SiteChange

from ..view import Block, Cell, Column, Finding, Level, Section, Table, Words
from ..words.numbers import counted, rounded, size_words

SHOWN = 12
_TITLE = "Compared"
BYTES = ("peak_bytes", "peak_floating_bytes", "garbage_bytes", "leaked_bytes")
TITLES = {
    "GC time ms": "GC time, ms",
    "longest ms": "longest pause, ms",
    "collections": "collections",
    "full collections": "full collections",
    "visited": "objects examined",
    "links": "references examined",
    "collected": "objects that collections found",
    "freed_by_refcount": "objects freed by reference count",
    "uncollectable": "objects that could not be freed",
    "peak_bytes": "peak memory",
    "peak_objects": "most objects at once",
    "peak_floating_objects": "most garbage at once, objects",
    "peak_floating_bytes": "most garbage at once",
    "garbage_groups": "kinds of cycles",
    "garbage_objects": "objects of garbage",
    "garbage_bytes": "bytes of garbage",
    "leaked_objects": "objects that grow",
    "leaked_bytes": "bytes that grow",
    "new_groups": "kinds of cycles that are new",
    "new_leaks": "growing kinds that are new",
    "revived": "uses of objects that were freed here",
    "displaced": "collections that could not run where they were due",
    "unmoved": "actions of finalizers that could not move",
}
"""Figures in words; the others keep their names."""


@dataclass(frozen=True, slots=True)
class Times:
    """An estimated time in both, in ms."""

    figure: str
    first: float
    second: float


Where = Callable[[FoundChange], str]
WhereMade = Callable[[SiteChange], str]


def compare_recordings(
    names: tuple[str, str],
    verdict: str,
    times: Sequence[Times],
    figures: Sequence[Change],
    garbage: Findings,
    leaks: Findings,
    sites: Sequence[SiteChange],
    where: Where,
    where_made: WhereMade,
    command: str,
) -> tuple[Section, list[Finding]]:
    """Two recordings of one program. names: of the first and the second, the report's own.
    verdict: whether the second is better, in a sentence. where, where_made: places in words."""
    blocks: list[Block] = [figures_table(names, times, figures)]
    for id, title, _, changes in _found(garbage, leaks):
        if changes:
            blocks.append(_table(id, title, changes, where))
    if not garbage.new and not leaks.new:
        blocks.append(Words("Nothing is new: no kind of cycles, and none that grows."))
    if sites:
        blocks.append(_sites(names, sites, where_made))
    findings = [
        _finding(id, title, level, number, one, where, command)
        for id, title, level, changes in _found(garbage, leaks)
        for number, one in enumerate(changes[:SHOWN], start=1)
    ]
    meaning = f"{names[1]} against {names[0]}. {verdict}"
    return Section("compare", _TITLE, meaning, command, tuple(blocks)), findings


def compare_policies(
    names: tuple[str, str],
    verdict: str,
    times: Sequence[Times],
    figures: Sequence[Change],
    parting: str,
    kept: Sequence[KeptLonger],
    where: Callable[[KeptLonger], str],
    command: str,
) -> tuple[Section, list[Finding]]:
    """One recording under two policies. parting: the first event after which the heaps differ, in
    words. kept: what one keeps longer, the largest change first."""
    blocks: list[Block] = [figures_table(names, times, figures)]
    blocks.append(Words(f"First difference of the heaps: {parting}."))
    if kept:
        blocks.append(_kept(names, kept, where))
    meaning = f"{names[1]} against {names[0]}, on the same recording. {verdict}"
    finding = Finding("compare", "info", verdict, None, command)
    return Section("compare", _TITLE, meaning, command, tuple(blocks)), [finding]


def _found(
    garbage: Findings, leaks: Findings
) -> list[tuple[str, str, Level, tuple[FoundChange, ...]]]:
    """What is worse first."""
    grew, shrank = _split(garbage.changed)
    more, fewer = _split(leaks.changed)
    return [
        ("new-cycles", "New cycles", "warning", garbage.new),
        ("new-growth", "New: grows", "warning", leaks.new),
        ("more-cycles", "More of these cycles", "notice", grew),
        ("more-growth", "Grows more", "notice", more),
        ("fewer-cycles", "Fewer of these cycles", "info", shrank),
        ("fewer-growth", "Grows less", "info", fewer),
        ("gone-cycles", "Cycles that are gone", "info", garbage.gone),
        ("gone-growth", "Grows no more", "info", leaks.gone),
    ]


def _split(
    changed: Sequence[FoundChange],
) -> tuple[tuple[FoundChange, ...], tuple[FoundChange, ...]]:
    return (
        tuple(one for one in changed if one.objects > 0),
        tuple(one for one in changed if one.objects <= 0),
    )


def figures_table(
    names: tuple[str, str], times: Sequence[Times], figures: Sequence[Change]
) -> Table:
    """Times first, then counts; a figure that is 0 in both is left out."""
    columns = (
        Column("figure", "text", "What was measured, estimated or counted."),
        Column(names[0], "number", "The first of the two."),
        Column(names[1], "number", "The second, which this report is about."),
        Column("change", "number", "The second less the first."),
        Column("change %", "percent", "The change as a share of the first; empty where that is 0."),
    )
    rows = [
        (
            _name(one.figure),
            Cell(one.first, rounded(one.first)),
            Cell(one.second, rounded(one.second)),
            Cell(one.second - one.first, rounded(one.second - one.first, "+")),
            _percent(100 * (one.second - one.first) / one.first if one.first else None),
        )
        for one in times
    ]
    rows += [
        (
            _name(one.figure),
            _amount(one.figure, one.first),
            _amount(one.figure, one.second),
            _signed(one.figure, one.change),
            _percent(one.percent),
        )
        for one in figures
        if one.first or one.second
    ]
    return Table("compare-figures", "Figures", columns, tuple(rows))


def _name(figure: str) -> Cell:
    return Cell(figure, TITLES.get(figure, figure))


def _amount(figure: str, n: int) -> Cell:
    return Cell(n, size_words(n) if figure in BYTES else f"{n:,}")


def _signed(figure: str, n: int) -> Cell:
    if figure in BYTES:
        return _signed_size(n)
    return Cell(n, f"{n:+,}" if n else "0")


def _signed_size(n: int) -> Cell:
    sign = "" if not n else "-" if n < 0 else "+"
    return Cell(n, f"{sign}{size_words(abs(n))}")


def _percent(percent: float | None) -> Cell:
    if percent is None:
        return Cell(None, "")
    return Cell(round(percent, 3), f"{percent:+.1f} %" if percent else "0 %")


def _table(id: str, title: str, changes: Sequence[FoundChange], where: Where) -> Table:
    columns = (
        Column("what", "text", "The types in a cycle, or the type that grows."),
        Column("made at", "place", "The line that makes it."),
        Column("objects before", "number", "Objects in the first recording."),
        Column("objects now", "number", "Objects in the second."),
        Column("size now", "size", "Bytes in the second, or in the first of what is gone."),
        Column("how", "text", "One of these cycles, or the path that holds what grows."),
    )
    rows = tuple(
        (
            Cell(one.newer.title, one.newer.title),
            _place(one, where),
            _objects(one.first),
            _objects(one.second),
            Cell(one.newer.bytes, size_words(one.newer.bytes)),
            Cell(one.newer.text, one.newer.text),
        )
        for one in changes
    )
    return Table(f"compare-{id}", title, columns, rows)


def _objects(found: Found | None) -> Cell:
    n = found.objects if found is not None else 0
    return Cell(n, f"{n:,}")


def _place(one: FoundChange, where: Where) -> Cell:
    made = one.newer
    whole = f"{made.file}:{made.line}" if made.file else ""
    return Cell(whole, where(one), f"{whole} {made.function}".rstrip() if whole else "")


def _sites(names: tuple[str, str], sites: Sequence[SiteChange], where: WhereMade) -> Table:
    columns = (
        Column("type", "text", "The class of the objects."),
        Column("made at", "place", "The line that makes them."),
        Column("made before", "number", f"Objects made there in {names[0]}."),
        Column("made now", "number", f"Objects made there in {names[1]}."),
        Column("change", "number", "How many more."),
        Column("held now", "size", "Their bytes in memory, as the mean over the run."),
        Column("held change", "size", "How many bytes more are held."),
    )
    rows = tuple(
        (
            Cell(one.row.type, one.row.type),
            Cell(one.row.site, where(one), f"{one.row.site} {one.row.function}".rstrip()),
            Cell(one.objects[0], f"{one.objects[0]:,}"),
            Cell(one.objects[1], f"{one.objects[1]:,}"),
            _signed("", one.objects[1] - one.objects[0]),
            Cell(one.bytes[1], size_words(one.bytes[1])),
            _signed_size(one.bytes[1] - one.bytes[0]),
        )
        for one in sites
    )
    return Table("compare-sites", "Lines that make more or less", columns, rows)


def _kept(
    names: tuple[str, str], kept: Sequence[KeptLonger], where: Callable[[KeptLonger], str]
) -> Table:
    columns = (
        Column("type", "text", "The class of the objects."),
        Column("made at", "place", "The line that makes them."),
        Column("objects", "number", "How many are made there."),
        Column(f"life, {names[0]}", "number", "How long one lives, in events, on average."),
        Column(f"life, {names[1]}", "number", "The same under the second policy."),
        Column("change", "number", "Objects times events: above 0 the second keeps them longer."),
    )
    rows = tuple(
        (
            Cell(one.type, one.type),
            Cell(one.site, where(one), f"{one.site} {one.function}".rstrip()),
            Cell(one.second.objects, f"{one.second.objects:,}"),
            _mean(one.first.object_events, one.first.objects),
            _mean(one.second.object_events, one.second.objects),
            _signed("", one.change),
        )
        for one in kept
    )
    return Table("compare-kept", "What one of them keeps longer", columns, rows)


def _mean(total: int, count: int) -> Cell:
    if not count:
        return Cell(None, "")
    return Cell(round(total / count), f"{round(total / count):,}")


def _finding(
    id: str,
    title: str,
    level: Level,
    number: int,
    one: FoundChange,
    where: Where,
    command: str,
) -> Finding:
    """`New cycle: 3,000 objects of Order, list, made at orders.py:41 Order.__init__`."""
    before = one.first.objects if one.first else 0
    now = one.second.objects if one.second else 0
    objects = counted(now or before, "object")
    if before and now:
        objects = f"{before:,} -> {now:,} objects"
    text = f"{_ONE.get(title, title)}: {objects} of {one.newer.title}, made at {where(one)}."
    return Finding(f"{id}-{number}", level, text, float(one.objects), command)


_ONE = {"New cycles": "New cycle", "Cycles that are gone": "Cycle gone"}
