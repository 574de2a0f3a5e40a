"""Charts of a recording, of counts and bytes alone: they are the same each time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gcreplay.replay import Collection
from gcreplay.replay.garbage import cycles
from gcreplay.replay.results.clock import Axis
from gcreplay.replay.results.series import HeapSteps, Steps, heap_steps
from gcreplay.replay.run import Replay
from gcreplay.report.parts.cycles import Advice, graph
from gcreplay.report.places import Places
from gcreplay.report.view import Graph, Line, Moment, Series
from gcreplay.store import EventLog

BINS = 300


def garbage(log: EventLog, policies: Mapping[str, str]) -> Series:
    """Garbage that waits under each policy, by the name to show."""
    axis = Axis.in_events(log)
    lines = [
        _line(f"garbage under {name}", _heap(log, policy).floating_bytes, axis)
        for name, policy in policies.items()
    ]
    return _series("garbage", "Garbage that waits for a collection", log, axis, lines)


def memory(log: EventLog, policy: str) -> Series:
    """All recorded objects."""
    axis = Axis.in_events(log)
    lines = [_line("memory of recorded objects", _heap(log, policy).live_bytes, axis)]
    return _series("memory", "Memory", log, axis, lines)


def visits(log: EventLog, policy: str) -> Series:
    """A pause is as long as what the collection visits."""
    axis = Axis.in_events(log)
    moments = tuple(_moment(one, axis) for one in Replay(log, policy).run().collections)
    title = "Objects that each collection visits"
    return Series("visits", title, "events", "objects", np.array([0.0, axis.end]), (), moments)


def cycle(log: EventLog, cut: str, holder: str, label: str) -> Graph:
    """The first kind of cycle, and the reference that is best cut: as `--cut` names it, and who
    holds it by which name."""
    found = cycles(log)
    return graph(1, found.groups[0], found, Places.of(log), Advice(cut, holder, label, "", ()))


def _heap(log: EventLog, policy: str) -> HeapSteps:
    run = Replay(log, policy)
    run.note_deaths()
    return heap_steps(run, run.run())


def _series(id: str, title: str, log: EventLog, axis: Axis, lines: list[Line]) -> Series:
    each = f"each point is {(log.event_count - log.start_sequence) // BINS:,} events"
    edges = axis.edges(BINS)
    return Series(id, title, "events", "bytes", edges, tuple(lines), thinning=each)


def _line(name: str, steps: Steps, axis: Axis) -> Line:
    thin = steps.thinned(axis.places(steps.at), axis.edges(BINS))
    return Line(name, thin.low, thin.high, thin.mean)


def _moment(one: Collection, axis: Axis) -> Moment:
    at = float(axis.places([one.sequence])[0])
    kind = "full" if one.generation == 2 else "young"
    return Moment(at, kind, f"{one.candidates:,} objects", float(one.candidates))
