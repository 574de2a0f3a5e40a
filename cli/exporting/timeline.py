"""Collections in time: those of the recorded run as they were, those of a replay as estimated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import accumulate

from gcreplay.replay import Collection
from gcreplay.replay.results.clock import Clock
from gcreplay.store.events import ObservedCollection


@dataclass(frozen=True, slots=True)
class Pause:
    """A collection: when it began and how long it took, in nanoseconds. `heap`: tracked objects
    after it, None where that is not known. The rest as `Collection` has it."""

    sequence: int
    begin_ns: int
    ns: int
    generation: int
    cause: str
    candidates: int
    collected: int
    uncollectable: int
    heap: int | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of the program, and when it was set."""

    sequence: int
    at_ns: int
    label: str


@dataclass(frozen=True, slots=True)
class Run:
    """What happened in one run, in order. `policy`: that of the collections; `estimated`: whether
    their times are estimates."""

    policy: str
    estimated: bool
    pauses: tuple[Pause, ...]
    marks: tuple[Mark, ...]

    def moments(self) -> Iterator[Pause | Mark]:
        """Pauses and marks in order of time; a collection during a mark's event follows it."""
        marks: Iterable[Pause | Mark] = self.marks
        return merge(marks, self.pauses, key=lambda one: one.sequence)


def recorded_run(
    clock: Clock,
    observed: Sequence[ObservedCollection],
    made_again: Sequence[Collection],
    marks: Sequence[tuple[int, str]],
    policy: str,
) -> Run:
    """The collections that the interpreter made. What it did not say, the size of the heap, is that
    of the replay `made_again` under the same settings, for collections that both made."""
    heaps = heaps_of(observed, made_again)
    took = [seen.duration_ns for seen in observed]
    begins, marked = _placed(clock, [seen.sequence for seen in observed], took, marks)
    pauses = (
        Pause(
            seen.sequence,
            begin,
            seen.duration_ns,
            seen.generation,
            seen.cause,
            seen.candidates,
            seen.collected,
            seen.uncollectable,
            heap,
        )
        for seen, begin, heap in zip(observed, begins, heaps, strict=True)
    )
    return Run(policy, False, tuple(pauses), marked)


def replayed_run(
    clock: Clock,
    made: Sequence[Collection],
    took: Sequence[int],
    marks: Sequence[tuple[int, str]],
    policy: str,
) -> Run:
    """The collections of a replay, which take so many nanoseconds each."""
    begins, marked = _placed(clock, [one.sequence for one in made], took, marks)
    pauses = (
        Pause(
            one.sequence,
            begin,
            ns,
            one.generation,
            one.cause,
            one.candidates,
            one.collected,
            one.uncollectable,
            heap_after(one),
        )
        for one, begin, ns in zip(made, begins, took, strict=True)
    )
    return Run(policy, True, tuple(pauses), marked)


def heaps_of(
    observed: Sequence[ObservedCollection], made_again: Sequence[Collection]
) -> list[int | None]:
    """Tracked objects after each recorded collection; None where the replay did not make it."""
    heaps = [
        heap_after(made)
        if (made.allocation, made.generation) == (seen.allocation, seen.generation)
        else None
        for made, seen in zip(made_again, observed, strict=False)
    ]
    return heaps + [None] * (len(observed) - len(heaps))


def heap_after(made: Collection) -> int:
    """Tracked objects after a collection of a replay."""
    return made.tracked - made.candidates + made.survivors


def _placed(
    clock: Clock, sequence: Sequence[int], took: Sequence[int], marks: Sequence[tuple[int, str]]
) -> tuple[list[int], tuple[Mark, ...]]:
    """When collections begin, and marks: the program's own time, and the collections before it."""
    before = list(accumulate(took, initial=0))
    begins = [own + gc for own, gc in zip(clock.at(sequence), before, strict=False)]
    marked, done = [], 0
    for (at, label), own in zip(marks, clock.at([at for at, _ in marks]), strict=True):
        while done < len(sequence) and sequence[done] < at:
            done += 1
        marked.append(Mark(at, own + before[done], label))
    return begins, tuple(marked)
