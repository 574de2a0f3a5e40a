"""Readings: what an object held at one moment, by name.

They are no events: nothing of a replay depends on them. One that is not made where its object
changes says what the object held then, and nothing of the time before or behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np

from .events import NO_OBJECT, U8, U32, U64

INDEX = 1 << 31
"""Of a label: the other bits are an index, in a list or a tuple."""
POSITION = 3 << 30
"""Of a label, both bits: the others are a position among all children, which is no name."""
MOST_NUMBER = (1 << 30) - 1
"""The largest index, and position."""


class Reason(IntEnum):
    """Why an object was read."""

    GARBAGE = 0
    """The collection under way has just found it, and run no finalizer yet."""
    MARK = 1
    """All of the heap was, at a mark of the program."""
    END = 2
    """The same at the end of the program."""
    LOOK = 3
    """It may have changed, and all links were to be named (`record --labels`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Readings in the order of the log. The links of reading i are `first[i]` up to `first[i + 1]`.

    sequence: uint64, number of events of the log before it, never less than that of the one before.
    object: uint32, the object that was read; `NO_OBJECT`: a frame that ran then, whose locals are
        the links.
    reason: uint8, a `Reason`.
    title: uint32, what a person would call it: id in the log's labels, 0 none.
    first: uint32, one more than there are readings.
    target, label: uint32, what the links lead to, and the name of each: id in the log's labels,
        0 unknown, or with `INDEX` or `POSITION`; see `label_text`.
    """

    sequence: U64
    object: U32
    reason: U8
    title: U32
    first: U32
    target: U32
    label: U32

    def __len__(self) -> int:
        return len(self.object)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Readings) and all(
            np.array_equal(getattr(self, column.name), getattr(other, column.name))
            for column in fields(self)
        )

    __hash__ = None  # type: ignore[assignment]

    def part(self, start: int, stop: int) -> Readings:
        """Readings `start` up to `stop`."""
        first = self.first[start : stop + 1]
        low, high = int(first[0]), int(first[-1])
        return Readings(
            self.sequence[start:stop],
            self.object[start:stop],
            self.reason[start:stop],
            self.title[start:stop],
            first - np.uint32(low),
            self.target[low:high],
            self.label[low:high],
        )


def of_objects(readings: Readings) -> Readings:
    """Those that are of objects, and not of frames."""
    kept = readings.object != NO_OBJECT
    if kept.all():
        return readings
    counts = np.diff(readings.first)
    links = np.repeat(kept, counts)
    return Readings(
        readings.sequence[kept],
        readings.object[kept],
        readings.reason[kept],
        readings.title[kept],
        firsts(counts[kept]),
        readings.target[links],
        readings.label[links],
    )


class Gathered:
    """Readings that come one by one."""

    def __init__(self) -> None:
        self._readings: list[tuple[int, int, int, int]] = []
        self._first = [0]
        self._links: list[tuple[int, int]] = []

    def add(
        self,
        sequence: int,
        object: int,
        reason: Reason,
        title: int,
        links: Iterable[tuple[int, int]],
    ) -> None:
        """One more; links are target and label."""
        self._readings.append((sequence, object, reason, title))
        self._links += links
        self._first.append(len(self._links))

    def readings(self) -> Readings:
        """All of them."""
        sequence, object, reason, title = np.array(self._readings, np.uint64).reshape(-1, 4).T
        target, label = np.array(self._links, np.uint32).reshape(-1, 2).T
        return Readings(
            sequence,
            object.astype(np.uint32),
            reason.astype(np.uint8),
            title.astype(np.uint32),
            np.array(self._first, np.uint32),
            target,
            label,
        )


def empty() -> Readings:
    """No readings."""
    return Gathered().readings()


def joined(parts: Iterable[Readings]) -> Readings:
    """Those of all parts, in their order. Raises ValueError where they have too many links."""
    parts = [empty(), *parts]
    counts = np.concatenate([np.diff(part.first) for part in parts])
    return Readings(
        np.concatenate([part.sequence for part in parts]),
        np.concatenate([part.object for part in parts]),
        np.concatenate([part.reason for part in parts]),
        np.concatenate([part.title for part in parts]),
        firsts(counts),
        np.concatenate([part.target for part in parts]),
        np.concatenate([part.label for part in parts]),
    )


def firsts(counts: U32) -> U32:
    """Where the links of each reading begin, and where the last end, by their numbers."""
    first = np.zeros(len(counts) + 1, np.uint64)
    np.cumsum(counts, out=first[1:], dtype=np.uint64)
    if first[-1] > np.iinfo(np.uint32).max:
        raise ValueError("readings have more than 4294967295 links")
    return first.astype(np.uint32)


def misfit(readings: Readings, objects: int, labels: int) -> str | None:
    """What is wrong with readings of a log of so many objects and labels; None: nothing."""
    plain = readings.label[readings.label < INDEX]
    lengths = {len(readings.object), len(readings.reason), len(readings.title)}
    if lengths != {len(readings.sequence)} or len(readings.first) != len(readings) + 1:
        return "columns of different length"
    if not len(readings.target) == len(readings.label) == readings.first[-1] or readings.first[0]:
        return "links that belong to no reading"
    if (readings.first[1:] < readings.first[:-1]).any():
        return "a reading ends before it begins"
    if (readings.sequence[1:] < readings.sequence[:-1]).any():
        return "they are in no order"
    read = readings.object[readings.object != NO_OBJECT]
    if max(_most(read), _most(readings.target)) >= objects:
        return "an object has not been allocated"
    if max(_most(readings.title), _most(plain)) >= labels:
        return "a label is not in the log's table of labels"
    return "there is no such reason" if _most(readings.reason) > max(Reason) else None


def _most(column: U8 | U32) -> int:
    return int(column.max()) if len(column) else -1


def label_text(labels: Sequence[str], label: int) -> str:
    """The name as people read it: `.order`, `[3]`, `(child 3)`, or nothing where it is unknown."""
    if label >= POSITION:
        return f"(child {label & MOST_NUMBER})"
    return f"[{label & MOST_NUMBER}]" if label >= INDEX else labels[label]
