"""Places of the recorded program's code, as the cells and sentences of a report show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gcreplay.replay.garbage import Group
from gcreplay.replay.modules import root_of
from gcreplay.store import EventLog

from .view import Cell, SourceLine
from .words.places import UNKNOWN, made_at, short


@dataclass(frozen=True, slots=True)
class Places:
    """root: the folder that one's own files have in common, cut off the short form. lines: source
    that the recording keeps, by file and line."""

    root: str
    lines: Mapping[tuple[str, int], str]

    @classmethod
    def of(cls, log: EventLog) -> Places:
        return cls(root_of(site.file for site in log.sites), log.lines)

    def words(self, file: str, line: int, function: str, near: bool = False) -> str:
        """The short form."""
        return made_at(file, line, function, near, (self.root,))

    def words_of(self, group: Group) -> str:
        """Where a kind of cycles is made, by the best of its places."""
        if not group.sites:
            return UNKNOWN
        site = group.sites[0]
        return self.words(site.file, site.line, site.function, site.near)

    def cell(self, file: str, line: int, function: str, near: bool = False) -> Cell:
        """Both forms; raw is FILE:LINE whole, "" where nobody knows it."""
        shown = self.words(file, line, function, near)
        whole = f"{file}:{line}" if file else ""
        return Cell(whole, shown, f"{whole} {function}".rstrip() if whole else "")

    def source(self, file: str, line: int) -> SourceLine | None:
        """The line of code, where the recording has it."""
        text = self.lines.get((file, line), "").strip()
        if not text:
            return None
        return SourceLine(f"{short(file, self.root)}:{line}", f"{file}:{line}", text)
