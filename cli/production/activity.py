"""What a collector did over some time: the same figures of a recording and of a production log."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from gcreplay.replay.policies.policy import OLDEST, PERMANENT
from gcreplay.replay.results.phases import intervals
from gcreplay.replay.run import Replay
from gcreplay.screen.outcome import PRESENT, own_time
from gcreplay.store import EventLog
from gcreplay.store.events import GcCall

GENERATIONS: Final = 3

Thresholds = tuple[int, ...]


@dataclass(slots=True)
class Activity:
    """None, or an empty list, where a figure is not known.

    `thresholds`: how many collections ran under which; `found`: objects that each collection
    collected; `collected`: their sum; `explicit`: collections that no threshold asked for;
    `cpu_ns`: CPU time with that of the collections, and of what in `cpu_of`; `pauses_ns`: of each
    generation; `alive`: objects tracked after full collections; `at_exit`: the same when the
    program ends; `candidates`: objects examined, of each generation.
    """

    kind: str
    python: str | None = None
    thresholds: Counter[Thresholds] = field(default_factory=Counter)
    collections: list[int] = field(default_factory=lambda: [0] * GENERATIONS)
    found: list[int] = field(default_factory=list)
    collected: int = 0
    explicit: int | None = None
    cpu_ns: int | None = None
    cpu_of: str = "recorded"
    gc_ns: int | None = None
    pauses_ns: list[list[int]] = field(default_factory=lambda: [[] for _ in range(GENERATIONS)])
    alive: list[int] = field(default_factory=list)
    at_exit: int | None = None
    candidates: list[int] | None = None
    processes: int = 1
    remarks: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.collections)

    @property
    def threshold(self) -> Thresholds | None:
        """Those under which most collections ran."""
        most = self.thresholds.most_common(1)
        return most[0][0] if most else None

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "python": self.python,
            "threshold": self.threshold,
            "collections_by_generation": self.collections,
            "collected": self.collected,
            "explicit": self.explicit,
            "cpu_ns": self.cpu_ns,
            "gc_ns": self.gc_ns,
            "processes": self.processes,
        }


def recorded(log: EventLog, window: tuple[str, str] | None = None) -> Activity:
    """That of the interpreter which was recorded, between these two marks."""
    python = log.meta.get("python")
    made = Activity("recording", python if isinstance(python, str) else None)
    changes = [
        (sequence, tuple(values))
        for sequence, call, values in log.gc_calls()
        if call == GcCall.SET_THRESHOLD
    ]
    threshold: Thresholds | None = tuple(log.start.threshold) if log.start else None
    made.candidates = [0] * GENERATIONS
    made.explicit = made.gc_ns = 0
    play = Replay(log, PRESENT, window=window)
    begin, end = play.window
    for one in log.observed:
        while changes and changes[0][0] < one.sequence:
            threshold = _changed(threshold, changes.pop(0)[1])
        if not begin <= one.sequence < end and window is not None:
            continue
        if threshold is not None:
            made.thresholds[threshold] += 1
        made.collections[one.generation] += 1
        made.found.append(one.collected)
        made.explicit += one.cause == "call"
        made.gc_ns += one.duration_ns
        made.pauses_ns[one.generation].append(one.duration_ns)
        made.candidates[one.generation] += one.candidates
        if one.generation == OLDEST:
            made.alive.append(one.long_lived_total)
    made.collected = sum(made.found)
    own = own_time(log)
    if window is not None:
        made.cpu_ns = _cpu_between(log, begin, end, made.gc_ns)
    elif own is not None and own.source != "clock":
        made.cpu_ns, made.cpu_of = own.ns + made.gc_ns, own.source
    if window is None and log.meta.get("complete") and log.start is not None:
        play.run()
        made.at_exit = sum(play.heap.size(generation) for generation in range(PERMANENT))
    return made


def _cpu_between(log: EventLog, begin: int, end: int, gc_ns: int) -> int | None:
    """CPU time from one mark to another, where the recording has it."""
    own = [part.own_ns for part in intervals(log) if begin <= part.begin and part.stop <= end]
    known = [ns for ns in own if ns is not None]
    return sum(known) + gc_ns if known and len(known) == len(own) else None


def _changed(before: Thresholds | None, given: Thresholds) -> Thresholds:
    """gc.set_threshold() leaves what it is not given."""
    return given + (before or ())[len(given) :]
