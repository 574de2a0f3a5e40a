"""A collector, and gc.freeze() and gc.collect() at marks, as a program would call them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gcreplay.store.errors import UsageError
from gcreplay.store.events import GcCall, StartState
from gcreplay.store.marks import QUOTED, mark_from
from gcreplay.store.values import I32_MOST, shown, text, whole_from

from .policy import OLDEST, Heap, Policy, Recording


@dataclass(frozen=True, slots=True)
class Freeze:
    """`gc.freeze()`, once, right after the first such mark."""

    mark: str


@dataclass(frozen=True, slots=True)
class Every:
    """`gc.collect()` right after each such mark, or each n-th."""

    mark: str
    n: int = 1


class AtMarks(Policy):
    """Another policy, and actions at marks, in order, as if the program called the gc module.

    Marks count from where the policy begins. All else is the other policy's.
    """

    summary = "combined with +: gc.freeze() at the first, gc.collect() at every (N-th) such mark"

    def __init__(self, collector: Policy, actions: Sequence[Freeze | Every]) -> None:
        self.collector = collector
        self.actions = tuple(actions)
        self.needs = collector.needs  # type: ignore[misc]
        self.marks = collector.marks | {action.mark for action in actions}  # type: ignore[misc]
        self._passed = [0] * len(self.actions)

    def recorded_storage(self, start: StartState) -> bool:
        """Up to the first of its marks the run is the recorded one."""
        return self.collector.recorded_storage(start)

    def notes(self, recording: Recording) -> Sequence[str]:
        return self.collector.notes(recording)

    def begin(self, heap: Heap, start: StartState) -> None:
        self.collector.begin(heap, start)

    def on_allocations(self, heap: Heap) -> None:
        self.collector.on_allocations(heap)

    def on_bytes(self, heap: Heap) -> None:
        self.collector.on_bytes(heap)

    def on_safepoint(self, heap: Heap) -> None:
        self.collector.on_safepoint(heap)

    def on_tick(self, heap: Heap) -> None:
        self.collector.on_tick(heap)

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        self.collector.on_call(heap, call, arguments)

    def on_mark(self, heap: Heap, label: str) -> None:
        self.collector.on_mark(heap, label)
        for i, action in enumerate(self.actions):
            if action.mark == label:
                self._passed[i] += 1
                self._act(heap, action, self._passed[i])

    def _act(self, heap: Heap, action: Freeze | Every, passed: int) -> None:
        match action:
            case Freeze() if passed == 1:
                self.collector.on_call(heap, GcCall.FREEZE, [])
            case Every(n=n) if passed % n == 0:
                self.collector.on_call(heap, GcCall.COLLECT, [OLDEST])


_PART = re.compile(rf"(?:(?:freeze@|every:){QUOTED})?[^+]*", re.DOTALL)
_EVERY = re.compile(rf"every:(?P<mark>{QUOTED}|.*?)(?:,(?P<n>[0-9]+))?", re.DOTALL)


def parts_of(combination: str) -> list[str]:
    """What stands between the `+` that are not part of a mark in quotes."""
    parts: list[str] = []
    at = 0
    while at <= len(combination):
        part = _PART.match(combination, at)
        assert part is not None  # it matches nothing, too
        parts.append(part[0])
        at = part.end() + 1
    return parts


def is_action(part: str) -> bool:
    """Whether this part of a combination is one at marks, and no collector."""
    return part.startswith(("freeze@", "every:"))


def action_from(part: str) -> Freeze | Every:
    """`freeze@MARK`, `every:MARK` or `every:MARK,N`; raises UsageError."""
    every = _EVERY.fullmatch(part)
    written, n = (every["mark"], every["n"]) if every else (part.removeprefix("freeze@"), None)
    try:
        each = whole_from("N", "1" if n is None else n, 1, I32_MOST)
        if not written:
            raise ValueError('it names no mark; the empty one is written ""')
        mark = text("MARK", mark_from(written))
    except ValueError as error:
        raise UsageError(
            f"{shown(part)} is no action at a mark ({error}): write freeze@MARK, every:MARK, or "
            f"every:MARK,N for each N-th such mark"
        ) from None
    return Every(mark, each) if every else Freeze(mark)
