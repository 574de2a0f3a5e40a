"""Runs as all sections show them: a name, figures, estimated pauses, what the run stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gcreplay.replay import RunResult
from gcreplay.replay.estimates.pauses import Pauses, Times
from gcreplay.replay.policies.policy import OLDEST
from gcreplay.report.view import Cell, Column
from gcreplay.report.words.numbers import in_ms, in_percent, rounded, size_words

Role = Literal["present", "given", "bound"]

GC_TIME = Column(
    "GC ms", "ms", "Time in the collector, in milliseconds: an estimate from recorded collections."
)
SHARE = Column("% CPU", "percent", "The collector's share of the CPU time of both.")
LONGEST = Column(
    "longest ms", "ms", "The longest single collection: so long the program stands still."
)
P99 = Column("p99 ms", "ms", "The pause that 99 of 100 collections do not exceed.")
PEAK = Column("peak memory", "size", "The most bytes that recorded objects had at any moment.")


@dataclass(frozen=True, slots=True)
class Played:
    """A run under one policy. pauses: None where none can be estimated, or none are made; share:
    of the CPU time of program and collector, None where that is unknown."""

    name: str
    run: RunResult
    pauses: Pauses | None
    share: float | None
    role: Role

    @property
    def full(self) -> int:
        """Collections of the whole heap."""
        return self.run.collections_by_generation[OLDEST]


def ms_cell(ns: int | None) -> Cell:
    """Nanoseconds under a column of milliseconds."""
    return Cell(None, "") if ns is None else Cell(ns / 1e6, in_ms(ns))


def time_cells(pauses: Times | None, share: float | None) -> tuple[Cell, Cell, Cell, Cell]:
    """Under GC_TIME, SHARE, LONGEST and P99."""
    if pauses is None:
        return (ms_cell(None),) * 4
    percent = Cell(None, "") if share is None else Cell(100 * share, rounded(100 * share))
    return (ms_cell(pauses.total), percent, ms_cell(pauses.longest), ms_cell(pauses.p99))


def size_cell(size: int) -> Cell:
    return Cell(size, size_words(size))


def number_cell(number: int) -> Cell:
    return Cell(number, f"{number:,}")


def of_cpu(share: float | None) -> str:
    """ ", 2.9 % of CPU", nothing where it is unknown."""
    return "" if share is None else f", {in_percent(share)} of CPU"
