"""What a policy is: it arms triggers, and decides what to collect when one fires.

The engine applies events natively and calls Python once per trigger, never per event. A policy
subclasses `Policy` and overrides what it cares about; docs/reference/policies.md works one out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import ClassVar, Protocol, Self

from gcreplay.store.errors import UsageError
from gcreplay.store.events import GcCall, StartState
from gcreplay.store.values import I32_LEAST, I32_MOST, shown, whole_from

from ..results.result import Collection

OLDEST = 2
PERMANENT = 3
OWN_SPACE = 5
MOST_SPACES = 251


class Untrack(IntFlag):
    """What a collection stops tracking among its survivors when it holds nothing trackable."""

    NOTHING = 0
    TUPLES = 1
    DICTS = 2
    IMMORTALS = 4
    """Immortal objects among the candidates, whatever they hold; they are not examined."""
    FREEZE_IMMORTALS = 8
    """The same, but they stay tracked, in the permanent generation."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What a policy is told of a recording before it says what its figures are worth.

    python: the version that was recorded, "" where the recording does not say. safepoints: the log
    has them. probed: references were read by probes, so those that were taken and dropped between
    two are not recorded.
    """

    python: str
    safepoints: bool
    probed: bool


class Heap(Protocol):
    """The heap as a policy sees it at a trigger: three generations, a permanent one (3), and as
    many spaces of the policy's own as it has, from number `OWN_SPACE` on. Whatever takes a
    generation takes such a space too; a collection of one takes no younger ones along."""

    enabled: bool
    """Whether triggers fire; the program's `gc.enable` and `gc.disable` set it."""

    young: int
    """The young counter: births of containers less frees, never below 0."""

    @property
    def sequence(self) -> int:
        """Number of the event being applied."""

    @property
    def tick(self) -> int:
        """Program time in nanoseconds, as far as the log tells it."""

    @property
    def allocated_bytes(self) -> int:
        """Bytes allocated since the last collection."""

    def arm(
        self,
        *,
        allocations: int | None = None,
        bytes: int | None = None,
        tick: int | None = None,
        recheck: int | None = None,
        suspects: int | None = None,
    ) -> None:
        """Fire `on_allocations` when the young counter exceeds `allocations`, `on_bytes` when
        `allocated_bytes` exceeds `bytes`, `on_tick` when `tick` ns are reached, `on_suspects`
        behind an event that makes them more than `suspects`. None: never.

        With `recheck` the first two do not fire; `on_safepoint` does in their place, at the next
        safepoint and only if the young counter then exceeds `recheck` (`allocated_bytes` still
        exceeds `bytes`). Where a log has no safepoints, each allocation has one before it."""

    @property
    def containers(self) -> int:
        """Living objects with a GC header, for policies with `counts_links`."""

    def size(self, generation: int) -> int:
        """Number of tracked objects in a generation."""

    def collect(
        self,
        generation: int,
        *,
        into: int | None = None,
        untrack: Untrack = Untrack.NOTHING,
        front: tuple[int, int] | None = None,
        reach: bool = False,
        spare: bool = False,
        called: int | None = None,
        goes_on: bool = False,
    ) -> Collection:
        """Collect a generation and all younger ones; returns what came of it.

        Survivors go to the end of generation `into`, by default the next older one. The young
        counter starts again from 0. A collection of the oldest generation empties the free lists.
        `front`: (generation, size): the oldest object of that generation and what it leads to there
        are collected too, again and again until there are so many candidates. `reach`: and all that
        the candidates lead to, but for the permanent generation. `spare`: the newest is no
        candidate of its own, is held meanwhile and stays where it is; for policies with
        `counts_links`. `called`: the generation that the result names, if it is another (of a
        policy's own spaces 0). `goes_on`: it is a part of the collection before, right here, whose
        figures grow.
        """

    def mark(self, into: int, *, roots: int | None = None, called: int | None = None) -> int:
        """Move to the end of generation `into` what roots lead to through tracked objects.

        Roots are objects that something outside the recorded ones refers to: those of generation
        `roots`, or of all but the permanent one. Returns how many were moved; with `called` it is
        work that the result shows, as a collection of that generation. For policies with
        `counts_links`.
        """

    def scan(
        self,
        space: int,
        among: int,
        into: int,
        *,
        limit: int,
        called: int | None = None,
        goes_on: bool = False,
    ) -> int:
        """Mark a part: move objects from the end of `space` to the end of `into`, and what each
        leads to in `among` to the end of `space`, until `limit` have moved or none is left. Their
        number returns; `called` and `goes_on` as in `mark` and `collect`."""

    def untrack_tuples(self, generation: int) -> None:
        """Untrack tuples of a generation that hold nothing trackable, in one pass."""

    def move(self, generation: int, into: int, *, held: bool = False) -> None:
        """Move a generation to the end of another; with `held` only what something outside the
        recorded objects refers to, for policies with `counts_links`."""

    def freeze(self) -> None:
        """Move all generations to the permanent one, which no collection visits."""

    def unfreeze(self) -> None:
        """Move the permanent generation to the end of the oldest."""


class Policy(ABC):
    """A collector. One instance serves one replay.

    summary: what it does, in one line. counts_only: it never collects, so the engine may leave
    out everything but reference counts. recorded_storage(start): births and deaths move the young
    counter as the log's flags say, which only holds for the settings the log was recorded under;
    otherwise a model of the free lists decides.
    """

    summary: ClassVar[str]
    counts_only: ClassVar[bool] = False
    foresees: ClassVar[bool] = False
    counts_links: ClassVar[bool] = False
    """It marks from roots: the engine counts links, at some cost."""
    counts_tracking: ClassVar[bool] = False
    """Its young counter goes up when an object is tracked and down when one is untracked, whatever
    is allocated; only with `counts_links`."""
    counts_in: ClassVar[int] = 0
    """Or births and deaths are added to it so many at a time, as a thread's buffer is flushed: it
    may fall below 0, and triggers when a buffer of births is full; only with `counts_links`."""
    spaces: ClassVar[int] = 0
    """How many spaces it has beside the generations, from number `OWN_SPACE` on, empty at first."""
    suspects: ClassVar[int] = 0
    """One of its own spaces, to which objects move that lose a reference and keep others: a cycle
    may be all that holds them. 0: none. Only with `counts_links`."""
    needs: ClassVar[frozenset[str]] = frozenset()
    """What the log must have: "ticks", "marks", "exact counts"."""
    marks: ClassVar[frozenset[str]] = frozenset()
    """The marks it acts at; each must stand in the log after the policy begins."""
    places: ClassVar[frozenset[tuple[str, int]]] = frozenset()
    """Files and lines it acts at, before the first object made there after the policy begins."""

    @classmethod
    def from_arguments(cls, arguments: str) -> Self:
        """A policy from what stands after the colon in `name:arguments`; raises UsageError."""
        if arguments:
            raise UsageError(f"{cls.__name__} takes no arguments, not '{arguments}'")
        return cls()

    def recorded_storage(self, start: StartState) -> bool:
        return False

    def notes(self, recording: Recording) -> Sequence[str]:
        """What has to be said beside figures of this policy over such a recording: sentences."""
        return ()

    @abstractmethod
    def begin(self, heap: Heap, start: StartState) -> None:
        """The log begins, or this policy takes over at a mark: arm the triggers.

        `start` is the state of the interpreter's collector: counters, thresholds, long_lived_*.
        The heap has taken `young` and `enabled` from it.
        """

    def on_allocations(self, heap: Heap) -> None:  # noqa: B027 - overriding is optional
        """The young counter exceeds what was armed; the newest object is not tracked yet."""

    def on_bytes(self, heap: Heap) -> None:  # noqa: B027
        """More bytes were allocated since the last collection than was armed."""

    def on_safepoint(self, heap: Heap) -> None:  # noqa: B027
        """A safepoint, and what was armed with `recheck` is due. All objects are tracked."""

    def on_suspects(self, heap: Heap) -> None:  # noqa: B027
        """More suspects than were armed, the newest among them."""

    def on_tick(self, heap: Heap) -> None:  # noqa: B027
        """The armed time is reached; arm the next."""

    def on_mark(self, heap: Heap, label: str) -> None:  # noqa: B027
        """The program passed a mark of its own."""

    def on_place(self, heap: Heap, place: tuple[str, int]) -> None:  # noqa: B027
        """The next event is the first birth at one of `places`."""

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        """The program called the gc module. By default it is obeyed, but for thresholds, and for
        collections where the policy only counts."""
        if call is GcCall.COLLECT and not self.counts_only:
            heap.collect(arguments[0] if arguments else OLDEST)
        elif call is GcCall.FREEZE:
            heap.freeze()
            heap.young = 0
        elif call is GcCall.UNFREEZE:
            heap.unfreeze()
        elif call is GcCall.ENABLE:
            heap.enabled = True
        elif call is GcCall.DISABLE:
            heap.enabled = False


def thresholds_from(arguments: str, least: int = I32_LEAST) -> tuple[int, int, int]:
    """(T0, T1, T2) from the text "T0,T1,T2", each at least so large; raises UsageError."""
    parts = arguments.split(",")
    try:
        t0, t1, t2 = (whole_from("each", part, least, I32_MOST) for part in parts)
    except ValueError as error:
        why = f": {error}" if len(parts) == 3 else ""
        raise UsageError(
            f"{shown(arguments)} are no thresholds, write three integers, as in 700,10,10{why}"
        ) from None
    return t0, t1, t2
