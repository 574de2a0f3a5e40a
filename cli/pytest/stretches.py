"""The stretches of a recording that are judged: tests, and blocks and windows in them, by marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .inside import ALL, END, TEST
from .repeated import LEAKS, LEAKS_END, MIDDLE

_BLOCK = re.compile(r"block (.*) \(((?:limit_\w+=\d+(?:, )?)*)\)", re.DOTALL)
_LEAKS = re.compile(re.escape(LEAKS) + r"(.*) \(allowed=(\d+)\)", re.DOTALL)


@dataclass(slots=True)
class Stretch:
    """A test, or a part of one: events `begin` up to `stop`, what it makes gone at `after`.

    part: `block NAME` or `leaks of FUNCTION`, empty for the test. limits: those of a part, by
    marker. middle: where the second window of leaks begins.
    """

    test: str
    part: str
    begin: int
    stop: int = 0
    after: int = 0
    middle: int | None = None
    limits: dict[str, int] = field(default_factory=dict)


def stretches(marks: Sequence[tuple[int, str]]) -> list[Stretch]:
    """Those that began and ended, in the order in which they ended."""
    done: list[Stretch] = []
    left: Stretch | None = None  # the test that ended last
    open_: list[Stretch] = []
    for at, label in marks:
        if label.startswith(TEST) or label == ALL:
            if left is not None:
                left.after = at
            left = None
            open_ = [] if label == ALL else [Stretch(label.removeprefix(TEST), "", at)]
        elif not open_:
            continue
        elif label == END + open_[0].test:
            left = open_[0]
            left.stop = at
            done.append(left)
            open_ = []
        elif (part := _begun(label, open_[0].test, at)) is not None:
            open_.append(part)
        elif label == f"{MIDDLE}{open_[-1].part.removeprefix(LEAKS)}":
            open_[-1].middle = at
        elif len(open_) > 1 and label in (
            f"end of {open_[-1].part}",
            f"{LEAKS_END}{open_[-1].part.removeprefix(LEAKS)}",
        ):
            part = open_.pop()
            part.stop = part.after = at
            done.append(part)
    return [one for one in done if one.after]


def _begun(label: str, test: str, at: int) -> Stretch | None:
    """The part of the test that begins with this mark, if one does."""
    if block := _BLOCK.fullmatch(label):
        limits = {name: int(n) for name, n in re.findall(r"(\w+)=(\d+)", block[2])}
        return Stretch(test, f"block {block[1]}", at, limits=limits)
    if leaks := _LEAKS.fullmatch(label):
        limits = {"limit_leaked_objects": int(leaks[2])}
        return Stretch(test, f"{LEAKS}{leaks[1]}", at, limits=limits)
    return None
