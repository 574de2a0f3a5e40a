"""What is alive at the end, by type and line; what grows first, with what holds it."""

from __future__ import annotations

from collections.abc import Sequence

from gcreplay.replay.leaks import Kind, Leaks

from ..places import Places
from ..view import Block, Cell, Column, Finding, Section, Table, Words
from ..words.leaks import called, leak_facts, path_words, verdict
from ..words.numbers import counted, size_words
from .garbage import PLACE, TYPE, number, size

SHOWN = 8
GROWING = "yes"
_ALIVE = Column("alive", "number", "Objects alive at the end.")
_SIZE = Column("size", "size", "Bytes of these objects alone, without what they refer to.")
_GROWS = Column(
    "grows",
    "text",
    "Whether there were steadily more of them, or more of their bytes, up to the end; empty where "
    "they are too few, or the recording too short, to tell.",
)


def alive(found: Leaks, places: Places, command: str) -> tuple[Section, list[Finding]]:
    """What grows, each with its holder; then everything that is alive, by line and by type."""
    blocks: list[Block] = []
    growing = found.growing[:SHOWN]
    if growing:
        blocks.append(_growing(found, places))
        for leak in growing:
            title, facts = leak_facts(leak, found, (found.root,))
            told = "; ".join(f"{key} {text}" for key, text in facts if key != "made at")
            blocks.append(Words(f"{title}, made at {_made(leak.kind, places)}; {told}.", "warning"))
        if rest := len(found.growing) - len(growing):
            blocks.append(Words(f"{counted(rest, 'other kind')} grow, too: see the command."))
    blocks += [_by_line(found.kinds, places), _by_type(found.kinds)]
    if not found.whole:
        blocks.append(
            Words(
                "The heap was not read as a whole at the end, so some holders are not known. "
                "References that nobody read may be missing."
            )
        )
    section = Section("alive", "What is alive at the end", _sentence(found), command, tuple(blocks))
    return section, _findings(found, places, command)


def _sentence(found: Leaks) -> str:
    said = verdict(found)
    return said if said.endswith(".") else f"{said}."


def _made(kind: Kind, places: Places) -> str:
    return places.words(kind.file, kind.line, kind.function, kind.near)


def _growing(found: Leaks, places: Places) -> Table:
    columns = (
        TYPE,
        PLACE,
        _ALIVE,
        _SIZE,
        Column("keeps", "size", "Bytes that would be free without these objects."),
        Column("held by", "text", "A path of references to one of them, by name."),
    )
    rows = tuple(
        (
            Cell(leak.kind.type, leak.kind.type),
            places.cell(leak.kind.file, leak.kind.line, leak.kind.function, leak.kind.near),
            number(leak.kind.objects),
            size(leak.kind.bytes),
            size(leak.retained),
            _held(path_words(leak.path) if leak.path else ""),
        )
        for leak in found.growing
    )
    return Table("alive-growing", "What grows", columns, rows)


def _held(path: str) -> Cell:
    return Cell(path, path)


def _by_line(kinds: Sequence[Kind], places: Places) -> Table:
    """What grows first, then one's own code, then the most bytes."""
    ordered = sorted(kinds, key=lambda kind: (not kind.growing, not kind.own))
    rows = tuple(
        (
            Cell(kind.type, kind.type),
            places.cell(kind.file, kind.line, kind.function, kind.near),
            number(kind.objects),
            size(kind.bytes),
            _grows(kind),
        )
        for kind in ordered
    )
    return Table(
        "alive-lines", "Alive by type and line", (TYPE, PLACE, _ALIVE, _SIZE, _GROWS), rows
    )


def _by_type(kinds: Sequence[Kind]) -> Table:
    sums: dict[str, tuple[int, int]] = {}
    for kind in kinds:
        objects, held = sums.get(kind.type, (0, 0))
        sums[kind.type] = objects + kind.objects, held + kind.bytes
    rows = tuple(
        (Cell(type, type), number(objects), size(held))
        for type, (objects, held) in sorted(sums.items(), key=lambda one: (-one[1][1], one[0]))
    )
    return Table("alive-types", "Alive by type", (TYPE, _ALIVE, _SIZE), rows)


def _grows(kind: Kind) -> Cell:
    if kind.growing:
        return Cell(GROWING, GROWING)
    return Cell("no", "no") if kind.growth is not None else Cell("", "")


def _findings(found: Leaks, places: Places, command: str) -> list[Finding]:
    told = []
    for i, leak in enumerate(found.growing[:SHOWN], start=1):
        kind = leak.kind
        by = f", kept by {called(leak.holder)}" if leak.holder is not None else ""
        text = (
            f"Grows: {kind.type}, {kind.objects:,} alive at the end, made at "
            f"{_made(kind, places)}{by}; {size_words(leak.retained)} with what they hold."
        )
        told.append(Finding(f"grows-{i}", "warning", text, float(kind.objects), command))
    return told
