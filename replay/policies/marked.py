"""A collector, and what a program could tell it: freezes, collections and thresholds at marks."""

from __future__ import annotations

from collections.abc import Sequence

from gcreplay.store.errors import UsageError
from gcreplay.store.events import GcCall, StartState
from gcreplay.store.marks import acts

from .actions import Action, At, DisabledUntil, Every, Freeze, FreezeBefore, MinInterval, Without
from .generational import Generational
from .policy import OLDEST, Heap, Policy, Recording
from .thresholds import WithThresholds

_UNMARKED = FreezeBefore | MinInterval | Without


class AtMarks(Policy):
    """Another policy, and actions at marks, in order, as if the program called the gc module.

    Marks count from where the policy begins. All else is the other policy's, but that
    `DisabledUntil` keeps back what the program enables, `MinInterval` full collections, and
    `Without` calls of the program.
    """

    summary = "a collector, and what is done at marks"

    def __init__(self, collector: Policy, actions: Sequence[Action]) -> None:
        self.collector = collector
        self.actions = tuple(actions)
        intervals = [action.ns for action in actions if isinstance(action, MinInterval)]
        if intervals:
            if not isinstance(collector, Generational):
                raise _unfit("min-interval", "three generations", collector)
            collector.min_interval = max(intervals)
        if any(isinstance(action, At) for action in actions):
            _with_thresholds(collector)
        marks = {one.mark for one in actions if not isinstance(one, _UNMARKED)}
        places = {(one.file, one.line) for one in actions if isinstance(one, FreezeBefore)}
        self.needs = collector.needs | ({"ticks"} if intervals else set())  # type: ignore[misc]
        self.marks = collector.marks | marks  # type: ignore[misc]
        self.places = collector.places | places  # type: ignore[misc]
        self.counts_links = collector.counts_links  # type: ignore[misc]
        self.counts_tracking = collector.counts_tracking  # type: ignore[misc]
        self.counts_in = collector.counts_in  # type: ignore[misc]
        self.spaces = collector.spaces  # type: ignore[misc]
        self.suspects = collector.suspects  # type: ignore[misc]
        at_once = DisabledUntil | MinInterval | Without
        self._at_once = any(isinstance(one, at_once) for one in actions)
        self._left_out = {one.call for one in actions if isinstance(one, Without)}
        self._passed = [0] * len(self.actions)
        self._waits_for = {one.mark for one in actions if isinstance(one, DisabledUntil)}
        self._enabled = True

    def recorded_storage(self, start: StartState) -> bool:
        """Up to the first of its marks the run is the recorded one, if nothing else is changed."""
        return not self._at_once and self.collector.recorded_storage(start)

    def notes(self, recording: Recording) -> Sequence[str]:
        return self.collector.notes(recording)

    def begin(self, heap: Heap, start: StartState) -> None:
        self.collector.begin(heap, start)
        if self._waits_for:
            self._enabled, heap.enabled = heap.enabled, False

    def on_allocations(self, heap: Heap) -> None:
        self.collector.on_allocations(heap)

    def on_bytes(self, heap: Heap) -> None:
        self.collector.on_bytes(heap)

    def on_safepoint(self, heap: Heap) -> None:
        self.collector.on_safepoint(heap)

    def on_suspects(self, heap: Heap) -> None:
        self.collector.on_suspects(heap)

    def on_tick(self, heap: Heap) -> None:
        self.collector.on_tick(heap)

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        if call in self._left_out:
            return
        if self._waits_for and call in (GcCall.ENABLE, GcCall.DISABLE):
            self._enabled = call is GcCall.ENABLE
        else:
            self.collector.on_call(heap, call, arguments)

    def on_mark(self, heap: Heap, label: str) -> None:
        self.collector.on_mark(heap, label)
        for i, action in enumerate(self.actions):
            if not isinstance(action, _UNMARKED) and acts(action.mark, label):
                self._passed[i] += 1
                self._act(heap, action, self._passed[i])

    def on_place(self, heap: Heap, place: tuple[str, int]) -> None:
        self.collector.on_place(heap, place)
        for action in self.actions:
            if isinstance(action, FreezeBefore) and (action.file, action.line) == place:
                self.collector.on_call(heap, GcCall.FREEZE, [])

    def _act(self, heap: Heap, action: Action, passed: int) -> None:
        match action:
            case Freeze() if passed == 1:
                self.collector.on_call(heap, GcCall.FREEZE, [])
            case Every(n=n) if passed % n == 0:
                self.collector.on_call(heap, GcCall.COLLECT, [OLDEST])
            case At(thresholds=thresholds):
                _with_thresholds(self.collector).set_thresholds(heap, thresholds)
            case DisabledUntil(mark=mark) if mark in self._waits_for:
                self._waits_for.remove(mark)
                if not self._waits_for:
                    call = GcCall.ENABLE if self._enabled else GcCall.DISABLE
                    self.collector.on_call(heap, call, [])


def _with_thresholds(collector: Policy) -> WithThresholds:
    """The collector, if it has thresholds; raises UsageError."""
    if not isinstance(collector, WithThresholds):
        raise _unfit("at", "thresholds", collector)
    return collector


def _unfit(action: str, what: str, collector: Policy) -> UsageError:
    return UsageError(
        f"{action}: is for collectors with {what}, and {type(collector).__name__} has none"
    )
