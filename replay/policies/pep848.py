"""The collector that PEP 848 proposes (python/peps, peps/pep-0848.rst, commit 3562b92, a draft)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from gcreplay.store.events import GcCall, StartState

from .cpython311 import swapped
from .cpython312 import without_safepoints
from .policy import MOST_SPACES, OLDEST, OWN_SPACE, PERMANENT, Heap, Recording, Untrack
from .thresholds import WithThresholds

NURSERY, VISITED, PENDING = 0, 1, 2
REACHABLE, INCREMENT, AGING = OWN_SPACE, OWN_SPACE + 1, OWN_SPACE + 2
_MOST = MOST_SPACES - 2
_LEAVE = Untrack.TUPLES | Untrack.IMMORTALS


class Pep848(WithThresholds):
    """A nursery, aging spaces, and an old generation in two spaces, pending and visited.

    Each T0 kB allocated, live or not, begin a collection, old and young ones by turns: when the
    nursery is half full, increments of the old generation, as much as there is work; when it is
    full, the oldest aging space, whose survivors are old and are new work. What is reached from
    roots moves from pending to visited without being collected.

    The draft's pseudocode slips in places. It is read so:

    * scan_reachable() tests its limit behind its loop, where it changes nothing: here within it, as
      its argument and the loop of old_collection() mean.
    * `visited`, `pending` and `visited_space`, `pending_space` are the same two lists. At the end
      of a cycle these change roles first, so it is in pending that the root, `sys`, stands then.
    * collect_cycles() returns a list in young_collection() and a number in old_collection(): the
      number. Survivors are all candidates that were not collected, so that the two add up.
    * An aging generation of one space, `[[]]`, is one of as many as T1 says: T1 half spaces,
      rounded up to an even number, two in a space, five by default, one at least. Where a program
      changes T1 the oldest are joined, or empty ones are added behind the oldest, at the next young
      collection.
    * A kB is 1,000 bytes, as 2,000 kB times twelve are "24MB".
    * gc.collect() is not spelled out: everything is collected, and a cycle begins anew as at the
      end of one. gc.collect(0) and gc.collect(1) leave alone which comes next by itself.
    * As in 3.15 the trigger asks for a run, which comes at the next safepoint; tuples of nothing
      trackable and immortal objects are untracked.

    Bytes are those of objects at birth: what they come to own later, and other memory, is not in
    them. For `sys` stand all old objects that something outside the recorded ones refers to.
    """

    summary = "PEP 848 (draft): generational and incremental, young and old collections by turns"
    counts_links = True
    spaces = MOST_SPACES
    defaults = (2000, 10, 10)
    kb: ClassVar[int] = 1000
    credit: ClassVar[int] = 100_000
    """Objects that become old before there is work."""

    def __init__(self, thresholds: Sequence[int] | None = None) -> None:
        super().__init__(thresholds)
        self.work_to_do = -self.credit
        self.young_next = False
        self.since = 0
        self.aging: list[int] = []
        """Numbers of the spaces, the youngest first."""

    def notes(self, recording: Recording) -> Sequence[str]:
        return (
            *swapped(recording, ("3.16",)),
            *without_safepoints(recording),
            "its roots are all old objects that something outside the recorded ones refers to, in "
            "place of what `sys` leads to; bytes are those of objects at their birth",
        )

    def begin(self, heap: Heap, start: StartState) -> None:
        """All that is not in the nursery is old, and pending."""
        heap.move(VISITED, into=PENDING)
        heap.move(PENDING, into=REACHABLE, held=True)
        self.since = heap.allocated_bytes
        super().begin(heap, start)
        self.aging = list(range(AGING, AGING + self.aging_spaces()))

    def aging_spaces(self) -> int:
        return min(max(1, (self.thresholds[1] + 1) // 2), _MOST)

    def arm(self, heap: Heap) -> None:
        t0 = self.thresholds[0]
        heap.arm(bytes=self.since + max(0, t0) * self.kb if t0 else None, recheck=-1)

    def rest(self, heap: Heap) -> None:
        """From here on allocated bytes count for the next collection."""
        self.since = heap.allocated_bytes
        self.arm(heap)

    def on_safepoint(self, heap: Heap) -> None:
        if self.young_next:
            self.young_collection(heap)
        else:
            self.old_collection(heap)
        self.young_next = not self.young_next
        self.rest(heap)

    def young_collection(self, heap: Heap) -> None:
        self.resize(heap)
        oldest = self.aging.pop()
        done = heap.collect(oldest, into=VISITED, untrack=_LEAVE)
        self.work_to_do += done.candidates - done.collected
        heap.move(NURSERY, into=oldest)
        self.aging.insert(0, oldest)

    def resize(self, heap: Heap) -> None:
        """As many aging spaces as T1 says."""
        wanted = self.aging_spaces()
        while len(self.aging) > wanted:
            oldest = self.aging.pop()
            heap.move(self.aging[-1], into=oldest)
            self.aging[-1] = oldest
        unused = (space for space in range(AGING, AGING + _MOST) if space not in self.aging)
        self.aging += [next(unused) for _ in range(wanted - len(self.aging))]

    def old_collection(self, heap: Heap) -> None:
        goes_on = False
        while self.work_to_do > 0:
            if heap.size(REACHABLE):
                self.work_to_do -= heap.scan(
                    REACHABLE, PENDING, VISITED, limit=self.work_to_do, called=1, goes_on=goes_on
                )
            elif heap.size(PENDING):
                self.increment(heap, goes_on=goes_on)
            else:
                self.complete(heap)
            goes_on = True

    def increment(self, heap: Heap, *, goes_on: bool) -> None:
        """The oldest pending object and what it leads to there."""
        done = heap.collect(
            INCREMENT,
            into=VISITED,
            untrack=_LEAVE,
            front=(PENDING, 1),
            called=1,
            goes_on=goes_on,
        )
        self.work_to_do -= done.candidates - done.collected
        self.work_to_do += 2 * done.collected

    def complete(self, heap: Heap) -> None:
        """The spaces change roles, and what is reachable is found anew."""
        heap.move(VISITED, into=PENDING)
        heap.move(PENDING, into=REACHABLE, held=True)
        self.work_to_do = 0

    def collect(self, heap: Heap, generation: int) -> None:
        """gc.collect(generation)."""
        if generation == 0:
            self.young_collection(heap)
        elif generation == 1:
            self.old_collection(heap)
        else:
            for space in (REACHABLE, *reversed(self.aging), NURSERY):
                heap.move(space, into=PENDING)
            heap.collect(OLDEST, into=VISITED, untrack=_LEAVE)
            self.complete(heap)
        self.rest(heap)

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        if call is GcCall.UNFREEZE:
            heap.move(PERMANENT, into=VISITED)
        else:
            super().on_call(heap, call, arguments)
