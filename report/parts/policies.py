"""Policies side by side, with what no collector can beat."""

from __future__ import annotations

from collections.abc import Sequence

from gcreplay.report.parts.runs import (
    GC_TIME,
    LONGEST,
    P99,
    PEAK,
    SHARE,
    Played,
    number_cell,
    size_cell,
    time_cells,
)
from gcreplay.report.view import Block, Cell, Column, Finding, Section, Table, Words
from gcreplay.report.words.numbers import by_generation

COLUMNS = (
    Column("policy", "text", "The collector and its setting; the marked one is that of now."),
    GC_TIME,
    SHARE,
    LONGEST,
    P99,
    Column("full", "number", "Collections of the whole heap, which take longest."),
    PEAK,
    Column("garbage", "size", "The most bytes of garbage that waited to be freed at one moment."),
    Column("collections", "text", "Collections of the young, middle and oldest generation."),
    Column("freed", "number", "Objects that the collector freed, reference counting aside."),
    Column("examined", "number", "Objects that collections looked at, in sum."),
)


def policies(
    played: Sequence[Played], verdict: str, depends: Sequence[str], command: str
) -> tuple[Section, list[Finding]]:
    """verdict: which is best, a sentence, "" where none is; depends: why figures of some are no
    prediction."""
    rows = tuple(map(_row, played))
    marked = tuple(i for i, one in enumerate(played) if one.role == "present")
    table = Table("policies-table", "", COLUMNS, rows, marked)
    meaning = (
        "The same program under each collector. Two are bounds: under never nothing is collected, "
        "under clairvoyant garbage is freed the moment it becomes so. No collector takes more "
        "memory than the first, or less than the second."
    )
    words = [Words(verdict)] if verdict else []
    words += [Words(one, "serious") for one in depends]
    blocks: tuple[Block, ...] = (*words, table)
    return Section("policies", "Policies side by side", meaning, command, blocks), []


def _row(one: Played) -> tuple[Cell, ...]:
    run = one.run
    made = run.collections_by_generation
    bound = run.bound
    return (
        Cell(run.policy, one.name),
        *time_cells(one.pauses, one.share),
        Cell(None, "") if bound else number_cell(one.full),
        size_cell(run.peak_bytes),
        size_cell(run.peak_floating_bytes),
        Cell(None, "") if bound else Cell(sum(made), by_generation(made)),
        number_cell(run.freed_by_collector),
        number_cell(sum(c.candidates for c in run.collections)),
    )
