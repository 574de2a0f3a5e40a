"""Kinds of garbage and leaks of two runs: which are new, which are gone, which have changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from ..modules import Origin, origin


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of garbage, or of objects that become more, in one run.

    key: what it is known by in another version of the program. file, line, function: where it is
    made; file "" where that is unknown. count: how often it was found. text: what it is, as people
    read it: a cycle, or the path that keeps it.
    """

    key: str
    title: str
    file: str
    line: int
    function: str
    count: int
    objects: int
    bytes: int
    text: str

    def __add__(self, other: Finding) -> Finding:
        """More of the same."""
        return replace(
            self,
            count=self.count + other.count,
            objects=self.objects + other.objects,
            bytes=self.bytes + other.bytes,
        )

    @property
    def own(self) -> bool:
        return origin(self.file) is Origin.OWN

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "title": self.title,
            "site": {"file": self.file, "line": self.line, "function": self.function},
            "count": self.count,
            "objects": self.objects,
            "bytes": self.bytes,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class FoundChange:
    """A finding in both runs; None where one has it not."""

    first: Finding | None
    second: Finding | None

    @property
    def newer(self) -> Finding:
        """As it is in the second run, or was in the first."""
        found = self.second or self.first
        assert found is not None
        return found

    @property
    def objects(self) -> int:
        """How many more there are."""
        return (self.second.objects if self.second else 0) - (
            self.first.objects if self.first else 0
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "first": self.first and self.first.to_json(),
            "second": self.second and self.second.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings of two runs by their keys, one's own code first, then the largest change."""

    first: tuple[Finding, ...]
    second: tuple[Finding, ...]
    new: tuple[FoundChange, ...]
    gone: tuple[FoundChange, ...]
    changed: tuple[FoundChange, ...]

    @classmethod
    def of(cls, first: Iterable[Finding], second: Iterable[Finding]) -> Findings:
        before, after = ({one.key: one for one in run} for run in (first, second))
        pairs = [FoundChange(before.get(key), after.get(key)) for key in {**before, **after}]
        pairs.sort(key=lambda one: (not one.newer.own, -abs(one.objects), one.newer.key))
        return cls(
            tuple(before.values()),
            tuple(after.values()),
            tuple(one for one in pairs if one.first is None),
            tuple(one for one in pairs if one.second is None),
            tuple(one for one in pairs if one.first and one.second and _differ(one)),
        )

    @property
    def runs(self) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
        return self.first, self.second

    def to_json(self) -> dict[str, Any]:
        return {
            name: [one.to_json() for one in getattr(self, name)]
            for name in ("new", "gone", "changed")
        }


def _differ(pair: FoundChange) -> bool:
    first, second = pair.first, pair.second
    assert first is not None and second is not None
    return (first.count, first.objects) != (second.count, second.objects)
