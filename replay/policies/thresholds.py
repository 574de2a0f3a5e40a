"""Policies with thresholds: given ones, or those that the program sets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self

from gcreplay.store.events import GcCall, StartState

from .policy import OLDEST, Heap, Policy, thresholds_from

DEFAULTS = ((700, 10, 10), (2000, 10, 10), (2000, 10, 0))
"""The thresholds that a version of CPython begins with."""


class WithThresholds(Policy):
    """Thresholds that are given override the program's own `gc.set_threshold`; without them that is
    obeyed, starting with the recorded ones, or with `defaults` where the recording begins with
    those of a version of CPython."""

    defaults: ClassVar[tuple[int, int, int] | None] = None

    def __init__(self, thresholds: Sequence[int] | None = None) -> None:
        self.fixed = tuple(thresholds) if thresholds is not None else None
        self.thresholds: tuple[int, ...] = self.defaults or DEFAULTS[0]

    @classmethod
    def from_arguments(cls, arguments: str) -> Self:
        return cls(thresholds_from(arguments) if arguments else None)

    def begin(self, heap: Heap, start: StartState) -> None:
        own = self.defaults if start.threshold in DEFAULTS else None
        self.thresholds = self.fixed or own or start.threshold
        self.arm(heap)

    @abstractmethod
    def arm(self, heap: Heap) -> None:
        """Arm the triggers for the thresholds of now."""

    @abstractmethod
    def collect(self, heap: Heap, generation: int) -> object:
        """What `gc.collect(generation)` does."""

    def set_thresholds(self, heap: Heap, thresholds: tuple[int, int, int]) -> None:
        """From here on these, whatever the program sets."""
        self.fixed = self.thresholds = thresholds
        self.arm(heap)

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        if call is GcCall.COLLECT:
            self.collect(heap, arguments[0] if arguments else OLDEST)
        elif call is GcCall.SET_THRESHOLD:
            if self.fixed is None:
                self.thresholds = (*arguments, *self.thresholds[len(arguments) :])
                self.arm(heap)
        else:
            super().on_call(heap, call, arguments)
