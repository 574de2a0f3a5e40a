"""What differs between two versions of a program, of each of which a run was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from ..modules import Origin, origin
from .diff import Change, DiffResult, KeptLonger
from .findings import Findings

NOISE: Final = Fraction(1, 1000)
"""A change of less than that share is not told by itself: hash seeds and addresses make as much of
one between two recordings of the same program."""


MUCH: Final = Fraction(1, 100)
"""The same for GC work and peak memory, which the order in sets moves, too."""


def is_noise(before: int, after: int, whole: int | None = None, *, least: Fraction = NOISE) -> bool:
    """Whether the change is too small to be told, as a share of the whole or of the larger one."""
    all_of_it = max(before, after) if whole is None else whole
    return before == after or abs(after - before) < least * all_of_it


def changed(figures: Iterable[Change]) -> list[Change]:
    """Those that are not noise."""
    return [one for one in figures if not is_noise(one.first, one.second)]


FOUND: Final = (
    "garbage_groups",
    "new_groups",
    "garbage_objects",
    "garbage_bytes",
    "new_leaks",
    "leaked_objects",
    "leaked_bytes",
)
"""Figures of what was found, behind those of the runs."""


def found_figures(garbage: Findings, leaks: Findings) -> tuple[Change, ...]:
    """In the order of FOUND; what is new is 0 in the first run."""

    def summed(figure: str, found: Findings, name: str) -> Change:
        first, second = (sum(getattr(one, name) for one in run) for run in found.runs)
        return Change.of(figure, first, second)

    return (
        Change.of("garbage_groups", len(garbage.first), len(garbage.second)),
        Change.of("new_groups", 0, len(garbage.new)),
        summed("garbage_objects", garbage, "objects"),
        summed("garbage_bytes", garbage, "bytes"),
        Change.of("new_leaks", 0, len(leaks.new)),
        summed("leaked_objects", leaks, "objects"),
        summed("leaked_bytes", leaks, "bytes"),
    )


@dataclass(frozen=True, slots=True)
class SiteChange:
    """What one site makes or holds more or less: objects made, and bytes that live there, as the
    mean over all events of a run. `share`: of all objects or all bytes of the larger run,
    whichever is more."""

    row: KeptLonger
    origin: Origin
    objects: tuple[int, int]
    bytes: tuple[int, int]
    share: float

    @property
    def own(self) -> bool:
        return self.origin is Origin.OWN

    def to_json(self) -> dict[str, Any]:
        return {
            "type": self.row.type,
            "site": self.row.site,
            "function": self.row.function,
            "lines_first": list(self.row.lines_first),
            "lines_second": list(self.row.lines_second),
            "origin": str(self.origin),
            "objects_first": self.objects[0],
            "objects_second": self.objects[1],
            "mean_bytes_first": self.bytes[0],
            "mean_bytes_second": self.bytes[1],
            "share": round(self.share, 6),
        }


def site_changes(result: DiffResult) -> tuple[list[SiteChange], int]:
    """The changes that are not noise, one's own code first and then the largest, and how many
    others there are. What was there before a recording began has no site and is left out."""
    events = [max(1, run.events) for run in (result.first, result.second)]
    all_objects = max(1, *(held.objects for held in result.held))
    all_bytes = max(
        1, *(held.byte_events // n for held, n in zip(result.held, events, strict=True))
    )
    found, below = [], 0
    for row in result.kept_longer:
        if not row.site:
            continue
        objects = (row.first.objects, row.second.objects)
        held = (row.first.byte_events // events[0], row.second.byte_events // events[1])
        if is_noise(*objects, all_objects) and is_noise(*held, all_bytes):
            below += objects[0] != objects[1] or held[0] != held[1]
            continue
        share = max(abs(objects[1] - objects[0]) / all_objects, abs(held[1] - held[0]) / all_bytes)
        of = origin(row.file)
        found.append(SiteChange(row, of, objects, held, share))
    return sorted(found, key=lambda one: (not one.own, -one.share)), below
