"""Collectors that begin with what may be a cycle: trial deletion with a buffer of roots.

Sources: David F. Bacon and V. T. Rajan, Concurrent Cycle Collection in Reference Counted Systems,
section 3 (the synchronous algorithm); what PHP and Nim make of it stands in php.py and nimorc.py.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from gcreplay.store.events import GcCall, StartState

from ..results.result import Collection
from .policy import OLDEST, OWN_SPACE, Heap, Policy, Recording

ALIVE, ROOTS = 0, OWN_SPACE


class TrialDeletion(Policy):
    """An object that loses a reference and keeps others is a root, once, until it dies. A
    collection visits the roots and all that they lead to, and at nothing else: it takes off the
    references that these have to each other, and what has none left is garbage. No root is left
    then.

    Where one event lets go of several objects the collection comes behind the event, and not
    between two of them. Finalizers run as in CPython, before anything is freed. What no collector
    of CPython tracks is no root, as it is in no cycle.
    """

    counts_links = True
    spaces = 1
    suspects = ROOTS

    def notes(self, recording: Recording) -> Sequence[str]:
        runtime = (
            "every reference that CPython drops makes a root; a compiler that borrows or moves "
            "references drops fewer",
        )
        if not recording.probed:
            return runtime
        return (
            "references were read by probes: those dropped between two make no roots here, so its "
            "roots and collections are a lower bound",
            *runtime,
        )

    def begin(self, heap: Heap, start: StartState) -> None:
        """What is there when the recording starts is no root."""
        for generation in range(1, OLDEST + 1):
            heap.move(generation, into=ALIVE)
        self.arm(heap)

    @abstractmethod
    def arm(self, heap: Heap) -> None:
        """Arm the number of roots."""

    @abstractmethod
    def collect(self, heap: Heap) -> None:
        """What a call by the program does."""

    def delete(self, heap: Heap, *, spare: bool = False) -> Collection:
        return heap.collect(ROOTS, into=ALIVE, reach=True, spare=spare)

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        """Which generation the program names does not matter."""
        if call is not GcCall.COLLECT:
            super().on_call(heap, call, arguments)
        elif heap.size(ROOTS):
            self.collect(heap)
