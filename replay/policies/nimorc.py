"""Nim's cycle collector, ORC (Nim, lib/system/orc.nim of Nim 2.2)."""

from __future__ import annotations

from typing import ClassVar

from .policy import Heap
from .trialdeletion import ALIVE, ROOTS, TrialDeletion


class NimORC(TrialDeletion):
    """Trial deletion when there are so many roots; their number adapts after each collection.

    A collection begins with the root that makes them `defaultThreshold` = 128 more than
    `rootsThreshold`, which is 0 at first (registerCycle). If all that was touched was garbage, that
    stays (`keepThreshold`); if half of it or more was, it becomes two thirds of itself, 16 at
    least; else it grows by half, from 128 where it was 0 (collectCycles). So does a call,
    GC_runOrc(). What garbage held is no root for that: the references are gone with the marking
    (collectColor).

    Left out: roots that destructors of garbage make, and types that the compiler proves acyclic.
    """

    summary = "Nim ORC's collector: trial deletion from 128 roots on, with its adaptive threshold"
    least: ClassVar[int] = 128

    def __init__(self) -> None:
        self.roots_threshold = 0

    def arm(self, heap: Heap) -> None:
        heap.arm(suspects=self.least + self.roots_threshold - 1)

    def on_suspects(self, heap: Heap) -> None:
        self.collect(heap)

    def collect(self, heap: Heap) -> None:
        done = self.delete(heap)
        heap.move(ROOTS, into=ALIVE)
        garbage = done.candidates - done.survivors
        if not done.survivors:
            pass
        elif 2 * garbage >= done.candidates:
            self.roots_threshold = max(self.roots_threshold // 3 * 2, 16)
        else:
            threshold = self.roots_threshold or self.least
            self.roots_threshold = threshold // 2 + threshold
        self.arm(heap)
