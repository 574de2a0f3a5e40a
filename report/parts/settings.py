"""The front of settings: those that no other beats in time, pauses and memory at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gcreplay.replay.estimates.pauses import Times
from gcreplay.report.parts.runs import (
    GC_TIME,
    LONGEST,
    P99,
    PEAK,
    SHARE,
    number_cell,
    of_cpu,
    size_cell,
    time_cells,
)
from gcreplay.report.view import Cell, Column, Dot, Finding, Scatter, Section, Table, Words
from gcreplay.report.words.numbers import counted, in_ms, size_words


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that was tried. policy: as `-p` takes it; name: as people read it."""

    policy: str
    name: str
    pauses: Times
    share: float | None
    peak: int
    full: int
    role: Literal["present", "recommended", "front", "other"]


COLUMNS = (
    GC_TIME,
    SHARE,
    LONGEST,
    P99,
    Column("full", "number", "Collections of the whole heap."),
    PEAK,
    Column("setting", "text", "As the option -p takes it."),
    Column("is", "text", "What the setting is here."),
)
_ROLES = {"present": "now", "recommended": "recommended", "front": "", "other": "not on the front"}


def settings(
    tried: Sequence[Setting], considered: int, command: str, how: str
) -> tuple[Section, list[Finding]]:
    """tried: by GC time, those of the front among them; how: what to do where none were tried."""
    meaning = (
        "Shorter pauses usually cost memory. Each dot is a setting that was tried; for those of "
        "the front no other is better in GC time, pauses and memory at once."
    )
    title = "Settings to choose from"
    if not tried:
        return Section("settings", title, meaning, command, (Words(how),)), []
    dots = tuple(
        Dot(one.name, one.pauses.longest / 1e6, float(one.peak), one.role, _told(one))
        for one in tried
    )
    chart = Scatter("settings-chart", "Longest pause against peak memory", LONGEST, PEAK, dots)
    shown = [one for one in tried if one.role != "other"]
    rows = tuple(map(_row, shown))
    marked = tuple(i for i, one in enumerate(shown) if one.role in ("present", "recommended"))
    table = Table("settings-table", "The front", COLUMNS, rows, marked)
    said = Words(f"{counted(considered, 'setting')} tried beside the one of now.")
    return Section("settings", title, meaning, command, (said, chart, table)), []


def _told(one: Setting) -> str:
    return (
        f"{one.name}: {in_ms(one.pauses.total)} ms of GC time{of_cpu(one.share)}, longest pause "
        f"{in_ms(one.pauses.longest)} ms, peak {size_words(one.peak)}"
    )


def _row(one: Setting) -> tuple[Cell, ...]:
    return (
        *time_cells(one.pauses, one.share),
        number_cell(one.full),
        size_cell(one.peak),
        Cell(one.policy, one.name),
        Cell(_ROLES[one.role], _ROLES[one.role]),
    )
