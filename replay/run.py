"""Replaying a log under a policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np

from gcreplay.store.errors import InvalidLog, NotFound, UsageError
from gcreplay.store.events import U8, U64, Events, GcCall, Op, StartState
from gcreplay.store.log import EventLog
from gcreplay.store.marks import acts, meant, spelled
from gcreplay.store.rules.operands import BAD_ARGUMENT, RULES, Taken
from gcreplay.store.values import shown
from gcreplay.store.words import describe

from .engine import _engine
from .engine.annotation import garbage_of
from .engine.storage import advance, engine_for
from .heap import FOREVER, Course, EngineHeap
from .places import Place, first_birth
from .policies.asking import asking, check_policy
from .policies.cpython311 import CPython311
from .policies.policy import Policy, Recording
from .policies.registry import make_policy
from .results.dependence import Dependence, Example, What
from .results.result import FirstUse, RunResult

_SUMMED = (
    "freed_by_refcount",
    "freed_by_collector",
    "revived",
    "displaced",
    "unmoved",
    "lapsed",
    "regions_run",
    "floating_object_events",
    "floating_byte_events",
)


def replay(
    log: EventLog,
    policy: str | Policy,
    *,
    apply_from: str | None = None,
    window: tuple[str, str] | None = None,
) -> RunResult:
    """Replay the log under a policy.

    `policy` is a name as in `known_policies()`, `file.py:Class`, or a fresh policy object.
    `apply_from`: a mark; before it the recorded run's own settings hold. `window`: two marks; only
    what happens between them is counted. Raises UsageError for an unknown policy or mark,
    InvalidLog for a log that breaks its rules, DamagedFile for one that cannot be read.
    """
    return Replay(log, policy, apply_from=apply_from, window=window).run()


CUTS = "cuts"
"""In the meta of a log from which references were cut: how it frees is not as it was recorded."""

DEBUG_SAVEALL = 32
"""The flag of gc.set_debug() under which garbage is not deleted but kept in gc.garbage."""


class Replay:
    """One replay: feeds the engine, calls the policy at its triggers, gathers the result.

    `note_deaths` makes three arrays, by object id: `deaths` (uint64) holds the sequence number at
    which each object died, or the number of events if it did not; `died_in` (uint8) the generation
    or other space in which it stood then, and `freed` (uint8) 1 where a collection freed it.
    """

    def __init__(
        self,
        log: EventLog,
        policy: str | Policy,
        *,
        apply_from: str | None = None,
        window: tuple[str, str] | None = None,
    ) -> None:
        self.log = log
        self.name, self.wanted = named(policy)
        _check_needs(log, self.name, self.wanted)
        self.first = CPython311() if apply_from is not None else self.wanted
        start = log.start or StartState()
        self.recording = recording_of(log)
        with asking(self.wanted, self.name):
            recorded = self.first.recorded_storage(start)
            self.modelled = CUTS in log.meta or not recorded
            self.notes = notes_from(self.wanted.notes(self.recording))
        self._taken = Taken(log.arguments)
        self.events = log.event_count
        self.policy = self.first
        marks = log.marks()
        since = 0 if apply_from is None else find_mark(log, marks, apply_from, 0)
        begin = 0 if window is None else find_mark(log, marks, window[0], 0)
        end = self.events
        if window is not None:
            end = find_mark(log, marks, window[1], begin + 1, window[0])
        self.window = (begin, end)
        # At one place first what belongs to the mark before it, as in a program.
        self.actions: list[tuple[int, Callable[[], None]]] = []
        if type(self.wanted).on_mark is not Policy.on_mark:
            for label in sorted(self.wanted.marks):
                if not any(at >= since and acts(label, text) for at, text in marks):
                    find_mark(log, marks, label, since)
            self.actions += [
                (at + 1, lambda label=label: self._dispatch_mark(label))  # type: ignore[misc]
                for at, label in marks
                if at >= since
            ]
        if type(self.wanted).on_place is not Policy.on_place:
            self.actions += [
                (first_birth(log, place, since), lambda place=place: self._dispatch_place(place))  # type: ignore[misc]
                for place in sorted(self.wanted.places)
            ]
        if window is not None:
            self.actions += [(end, self._close_window), (begin, self._open_window)]
        if apply_from is not None:
            self.actions.append((since, self._take_over))
        self.actions.sort(key=lambda action: action[0])
        self.deaths: U64 | None = None
        self.died_in: U8 | None = None
        self.freed: U8 | None = None
        self._collections_before = 0
        self._before: dict[str, int] = dict.fromkeys(_SUMMED, 0)
        self._died_before: tuple[list[int], list[int]] = ([0] * 5, [0] * 5)

    def note_deaths(self) -> None:
        objects = self.log.object_count
        self.deaths = np.full(objects, self.events, dtype=np.uint64)
        self.died_in, self.freed = np.zeros(objects, np.uint8), np.zeros(objects, np.uint8)

    def run(self) -> RunResult:
        self.begin()
        for segment in self.log.segments():
            self.apply(segment)
            if self.closed:
                break
        return self.result()

    def begin(self) -> None:
        """Make the engine ready for the first event."""
        garbage = garbage_of(self.log)
        mode = _engine.COUNTING if self.first.counts_only else _engine.COLLECTING
        self.engine = engine_for(self.log, mode, modelled=self.modelled)
        self.engine.schedule(garbage.due, garbage.alive)
        self.engine.know_inside(garbage.dies_inside)
        self.engine.know_safepoints(self.recording.safepoints)
        if garbage.regions is not None:
            self.engine.know_regions(garbage.regions)
        if self.wanted.counts_links:
            self._count_links()
        if self.deaths is not None and self.died_in is not None and self.freed is not None:
            self.engine.note_deaths(self.deaths, self.died_in, self.freed)
        self.course = Course()
        self.heap = self.heap_of(self.engine)
        self.course.stop = self.actions[0][0] if self.actions else FOREVER
        self.heap.set_limits()
        self.closed = False
        if self.policy.foresees:
            self.engine.foresee()
        if self.log.start is None:
            with asking(self.wanted, self.name):
                self._take(StartState())

    def _count_links(self) -> None:
        """For the wanted policy, from the first event on; the young counter is that of now."""
        self.engine.count_links(self.policy.counts_tracking, self.policy.counts_in)

    def heap_of(self, engine: _engine.Engine) -> EngineHeap:
        """The heap that the policy sees."""
        return EngineHeap(engine, self.course)

    def apply(self, events: Events) -> None:
        """Apply the next events of the log, up to the end of the window."""
        self.engine.feed(*events.columns(), events.first_sequence)
        with asking(self.wanted, self.name):
            while not self.closed and (reason := advance(self.engine)) != _engine.END:
                self._handle(reason)

    # Triggers

    def _take(self, start: StartState) -> None:
        self.heap.young = start.count[0]
        self.heap.enabled = start.enabled
        self.heap.give_spaces(self.policy.spaces, self.policy.suspects)
        self.policy.begin(self.heap, start)

    def _handle(self, reason: int) -> None:
        heap, policy, course = self.heap, self.policy, self.course
        course.at_birth = reason in (_engine.ALLOCATIONS, _engine.BYTES)
        if reason == _engine.ALLOCATIONS:
            course.cause = "threshold"
            policy.on_allocations(heap)
        elif reason == _engine.SAFEPOINT:
            course.cause = "threshold"
            policy.on_safepoint(heap)
        elif reason == _engine.SUSPECTS:
            course.cause = "threshold"
            policy.on_suspects(heap)
        elif reason == _engine.CALL:
            course.cause = "call"
            call, arguments = self._call()
            if call is GcCall.SET_DEBUG:
                self.engine.save_all(bool(arguments[0] & DEBUG_SAVEALL))
            policy.on_call(heap, call, arguments)
        elif reason == _engine.STOP:
            self._act()
        elif reason == _engine.START:
            self._take(self.log.start or StartState())
        else:
            course.cause = self.name
            (policy.on_bytes if reason == _engine.BYTES else policy.on_tick)(heap)

    def _call(self) -> tuple[GcCall, list[int]]:
        """The call of the gc module that the event says; raises InvalidLog."""
        op, call, argument, c = self.engine.event
        if not self._taken.fits(op, call, argument):
            event = describe(op, call, argument, c)
            raise InvalidLog(self.heap.sequence, event, RULES[BAD_ARGUMENT])
        return GcCall(call), json.loads(self.log.arguments[argument])

    def _act(self) -> None:
        """What is to be done before the event at which the engine was told to stop."""
        _, action = self.actions.pop(0)
        action()
        self.course.stop = self.actions[0][0] if self.actions else FOREVER
        self.heap.set_limits()

    def _dispatch_mark(self, label: str) -> None:
        if self.engine.inside:
            return  # a recorded collection runs, in which another one cannot begin
        self.course.cause, self.course.at_birth = self.name, False
        if any(acts(named, label) for named in self.policy.marks):
            self.engine.model_free_lists()  # from here on it is no more the recorded run
        self.policy.on_mark(self.heap, label)

    def _dispatch_place(self, place: Place) -> None:
        if self.engine.inside:
            return  # as of marks
        self.course.cause, self.course.at_birth = self.name, False
        self.engine.model_free_lists()
        self.policy.on_place(self.heap, place)

    def _take_over(self) -> None:
        recorded = self.first
        assert isinstance(recorded, CPython311)
        state = recorded.state(self.heap)
        self.policy = self.wanted
        self.engine.model_free_lists()
        if self.policy.counts_links:
            self._count_links()
        if self.policy.foresees:
            self.engine.foresee()
        self._take(state)

    def _open_window(self) -> None:
        self._collections_before = len(self.course.collections)
        figures = self.engine.figures()
        self._before = {name: figures[name] for name in _SUMMED}
        self._died_before = (figures["died_by_refcount"], figures["died_by_collector"])
        self.engine.restart_peaks()

    def _close_window(self) -> None:
        self.closed = True

    # The result

    def result(self) -> RunResult:
        """What the replay came to, after the last event."""
        with asking(self.wanted, self.name):
            while self.actions and not self.closed:
                self._act()
        figures = self.engine.figures()
        since = {name: figures[name] - self._before[name] for name in _SUMMED}
        begin, end = self.window
        by_count, by_collector = (
            tuple(now - then for now, then in zip(figures[name], before, strict=True))
            for name, before in zip(
                ("died_by_refcount", "died_by_collector"), self._died_before, strict=True
            )
        )
        return RunResult(
            policy=self.name,
            events=end - begin,
            collections=tuple(self.course.collections[self._collections_before :]),
            freed_by_refcount=since["freed_by_refcount"],
            freed_by_collector=since["freed_by_collector"],
            revived=since["revived"],
            first_revived=self._first(self.engine.first_revived),
            displaced=since["displaced"],
            regions_run=since["regions_run"],
            unmoved=since["unmoved"],
            first_unmoved=self._first(self.engine.first_unmoved),
            lapsed=since["lapsed"],
            depends_on_collector=self._dependence(figures["misled"] + figures["unmoved"]),
            peak_objects=figures["peak_objects"],
            peak_bytes=figures["peak_bytes"],
            peak_floating_objects=figures["peak_floating_objects"],
            peak_floating_bytes=figures["peak_floating_bytes"],
            floating_object_events=since["floating_object_events"],
            floating_byte_events=since["floating_byte_events"],
            live_objects=figures["live_objects"],
            live_bytes=figures["live_bytes"],
            floating_objects=figures["floating_objects"],
            floating_bytes=figures["floating_bytes"],
            died_by_refcount=by_count,
            died_by_collector=by_collector,
            bound=self.wanted.foresees,
            notes=self.notes,
        )

    def _first(self, first: tuple[int, int] | None) -> FirstUse | None:
        if first is None:
            return None
        sequence, wanted = first
        return FirstUse(sequence, self._type_of(wanted))

    def _dependence(self, count: int) -> Dependence:
        asked, lacked = self.engine.first_misled, self.engine.first_unmoved
        firsts: list[tuple[int, int, What]] = []
        if asked is not None:
            firsts.append((*asked[:2], "hit" if asked[2] else "miss"))
        if lacked is not None:
            firsts.append((*lacked, "region"))
        if not firsts:
            return Dependence()
        sequence, wanted, what = min(firsts)
        return Dependence(count, Example(sequence, self._type_of(wanted), what))

    def _type_of(self, wanted: int) -> str:
        """Name of the type of an object of the log."""
        header = next(
            segment
            for segment in reversed(self.log.segment_table)
            if segment.first_object <= wanted
        )
        events = self.log.window(header.first_sequence, header.stop_sequence)
        births = events.op == Op.ALLOC
        shape = int(events.b[births][wanted - header.first_object])
        return self.log.types[self.log.shapes[shape].type].qualified


def named(policy: str | Policy) -> tuple[str, Policy]:
    """The policy with the name its results bear."""
    if isinstance(policy, Policy):
        return type(policy).__name__, check_policy(policy, type(policy).__name__)
    return policy, make_policy(policy)


def recording_of(log: EventLog) -> Recording:
    """What policies are told of a log."""
    return Recording(
        python=str(log.meta.get("python") or ""),
        safepoints=bool(log.op_counts[Op.SAFEPOINT]),
        probed=log.meta.get("counts") == "probed",
    )


def notes_from(notes: object) -> tuple[str, ...]:
    """The sentences of a policy; raises TypeError for anything else."""
    if not isinstance(notes, Sequence) or not all(isinstance(one, str) for one in notes):
        raise TypeError(f"notes must give sentences, not {shown(notes)}")
    return tuple(notes)


def _check_needs(log: EventLog, name: str, policy: Policy) -> None:
    present = {
        "ticks": bool(log.op_counts[Op.TICK]),
        "marks": bool(log.op_counts[Op.MARK]),
        "exact counts": log.meta.get("counts") == "exact",
    }
    for need in sorted(policy.needs):
        if not present.get(need, False):
            _check_readable(log)
            raise UsageError(f"the policy {name} needs {need}, which this recording does not have")


def _check_readable(log: EventLog) -> None:
    """What is not found in a damaged log may stand in what is lost: then the damage is raised."""
    for _ in log.segments():
        pass


def find_mark(
    log: EventLog, marks: Sequence[tuple[int, str]], label: str, since: int, after: str = ""
) -> int:
    """Sequence number of the first such mark at or after `since`, which is behind mark `after`."""
    for sequence, text in marks:
        if text == label and sequence >= since:
            return sequence
    _check_readable(log)
    known = [text for _, text in marks]
    where = (
        (f" after '{after}'" if after else " from there on")
        if label in known
        else meant(label, known)
    )
    raise NotFound(f"the recording has no mark '{label}'{where}; its marks are: {spelled(known)}")
