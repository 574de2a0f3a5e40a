"""Two versions of a program compared in counts, and the sentence that says which is better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Final

from gcreplay.replay.results.diff import Change, DiffResult
from gcreplay.replay.results.findings import Findings
from gcreplay.replay.results.matching import Root, roots_of, same_files
from gcreplay.replay.results.versions import (
    MUCH,
    NOISE,
    SiteChange,
    changed,
    found_figures,
    is_noise,
    site_changes,
)
from gcreplay.report.words.numbers import counted, size_words
from gcreplay.report.words.places import made_at
from gcreplay.screen.changes import change_row, time_rows
from gcreplay.screen.here import here
from gcreplay.screen.outcome import Outcome
from gcreplay.screen.tables.table import Cell
from gcreplay.store import EventLog
from gcreplay.versions.found import garbage, growing

FIRST: Final = (
    "collections",
    "visited",
    "links",
    "garbage_groups",
    "garbage_objects",
    "leaked_objects",
    "peak_bytes",
)
"""Figures that stand in the table of figures, if they were taken; the others stand below."""
BYTES: Final = ("peak_bytes", "peak_floating_bytes", "garbage_bytes", "leaked_bytes")
UNTOLD: Final = "% CPU"
"""A share of a time that is another in each recording."""


@dataclass(frozen=True)
class Versions:
    """What was compared: two runs, of a log each."""

    logs: tuple[EventLog, EventLog]
    names: tuple[str, str]
    result: DiffResult
    outcomes: tuple[Outcome, Outcome]
    garbage: Findings
    leaks: Findings
    roots: Root
    pauses: bool = False
    """Whether the 99 % quantile of pauses is asked for."""
    shown_from: tuple[str, ...] = field(default_factory=here)
    """Folders to name files from, where the two have no roots of their own."""

    @classmethod
    def of(
        cls,
        result: DiffResult,
        logs: tuple[EventLog, EventLog],
        names: Sequence[str],
        outcomes: Sequence[Outcome],
        pauses: bool = False,
    ) -> Versions:
        """Finds garbage and leaks in both logs."""
        policies = (result.first.policy, result.second.policy)
        files = same_files(*logs)
        return cls(
            logs,
            (names[0], names[1]),
            result,
            (outcomes[0], outcomes[1]),
            garbage(logs, policies, files),
            growing(logs, files),
            roots_of(files),
            pauses,
        )

    @cached_property
    def figures(self) -> tuple[Change, ...]:
        return (*self.result.figures, *found_figures(self.garbage, self.leaks))

    @cached_property
    def sites(self) -> tuple[list[SiteChange], int]:
        """The changes that are told, and how many are not."""
        return site_changes(self.result)

    def made_at(
        self, file: str, line: int, function: str, *, second: bool, near: bool = False
    ) -> str:
        """Where that is in the second version, or was in the first: from the root of the version
        on where the two have their own."""
        root = self.roots[second]
        below = file.removeprefix(f"{root}/") if root else file
        return made_at(below, line, function, near, self.shown_from)

    @property
    def equal(self) -> bool:
        """Whether all counts are the same."""
        findings = (self.garbage, self.leaks)
        return (
            all(one.change == 0 for one in self.figures)
            and not any(one.new or one.gone or one.changed for one in findings)
            and all(
                row.first.objects == row.second.objects
                for row in self.result.kept_longer
                if row.site
            )
            and not self.sites[0]
        )

    @cached_property
    def judged(self) -> tuple[list[str], list[str]]:
        """What is worse in the second version, and what is better."""
        worse: list[str] = []
        better: list[str] = []
        for is_worse, words in self._judged():
            (worse if is_worse else better).append(words)
        return worse, better

    def _judged(self) -> Iterator[tuple[bool, str]]:
        for found, noun in ((self.garbage, "kind of cycles"), (self.leaks, "leak")):
            if found.new:
                yield True, _new(len(found.new), noun)
            if found.gone:
                yield False, f"{_several(len(found.gone), noun)} gone"
        by_name = {one.figure: one for one in self.figures}
        visited, links = by_name["visited"], by_name["links"]
        work = Change.of("work", visited.first + links.first, visited.second + links.second)
        for name, one, least in (
            ("garbage", by_name["garbage_objects"], NOISE),
            ("growing objects", by_name["leaked_objects"], NOISE),
            ("GC work", work, MUCH),
            ("peak memory", by_name["peak_bytes"], MUCH),
        ):
            if not is_noise(one.first, one.second, least=least):
                yield one.change > 0, f"{name} {_change_words(one)}"

    def verdict(self) -> tuple[str, str]:
        """Better, worse, both or no change; and the rest of the sentence."""
        worse, better = self.judged
        if self.equal:
            return "No change", ": all counts are equal."
        if not worse and not better:
            least = f"{float(NOISE):.1%} in garbage or leaks, nor of {float(MUCH):.0%}"
            return "No change", f" of {least} in GC work or peak memory."
        if not better:
            return "Worse", f": {', '.join(worse)}."
        if not worse:
            return "Better", f": {', '.join(better)}."
        return "Better and worse", f": {', '.join(better)}; but {', '.join(worse)}."

    def first_rows(self) -> list[tuple[Cell, ...]]:
        """Times where they are estimated, and the figures that people ask for."""
        times = time_rows(self.outcomes, pauses=self.pauses)
        full = Change.of("full collections", *(one.full for one in self.outcomes))
        by_name = {one.figure: one for one in self.figures}
        return [
            *(row for row in times if row[0] != UNTOLD and row[3] is not None),
            *map(change_row, [full, *(by_name[name] for name in FIRST)]),
        ]

    def other_rows(self) -> list[tuple[Cell, ...]]:
        """All figures that do not stand there."""
        return [change_row(one) for one in self.figures if one.figure not in FIRST]

    def other_changes(self) -> list[tuple[Cell, ...]]:
        """Those of them that have changed by more than noise."""
        changes = changed(one for one in self.figures if one.figure not in FIRST)
        return [change_row(one) for one in changes]

    def to_json(self) -> dict[str, Any]:
        told, below = self.sites
        return {
            "verdict": self.verdict()[0].lower(),
            "worse": self.judged[0],
            "better": self.judged[1],
            "figures": [asdict(one) for one in self.figures],
            "garbage": self.garbage.to_json(),
            "leaks": self.leaks.to_json(),
            "sites": [one.to_json() for one in told],
            "sites_below": below,
        }


def _several(number: int, noun: str) -> str:
    if noun.startswith("kind of "):
        return f"{counted(number, 'kind')} of {noun.removeprefix('kind of ')}"
    return counted(number, noun)


def _new(number: int, noun: str) -> str:
    return f"{number:,} new {_several(number, noun).partition(' ')[2]}"


def _change_words(one: Change) -> str:
    """+36,000 objects (+120.0 %)."""
    sign = "+" if one.change > 0 else "-"
    percent = "" if one.percent is None else f" ({one.percent:+,.1f} %)"
    match one.figure:
        case "work":
            visits = f"{one.first:,} -> {one.second:,} visits"
            return visits if one.percent is None else f"{one.percent:+,.1f} %"
        case "peak_bytes":
            return f"{sign}{size_words(abs(one.change))}{percent}"
        case _:
            return f"{sign}{counted(abs(one.change), 'object')}{percent}"
