"""Finalizers and callbacks that ran in collections of the recorded program.

They are what the program did, not what a policy would do. The log has them where they ran, with the
object whose finalizer or callback it was, if that is known. One that makes, takes and drops nothing
that the collector knows leaves no trace in the log. Finalizers are all known from the garbage that
was read: each collection runs those of all that it finds. In which thread is not recorded.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np

from gcreplay.store.events import NO_OBJECT, GcCall, ObservedCollection, Op, positions
from gcreplay.store.log import EventLog
from gcreplay.store.readings import Readings, Reason

from ..references.births import births_of
from ..results.callers import callers


@dataclass(frozen=True, slots=True)
class BegunAt:
    """A place at which collections began, and how often a finalizer or callback ran in them. `file`
    is empty where nobody knows it, and where C code called the collector."""

    file: str
    line: int
    function: str
    times: int

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "line": self.line,
            "function": self.function,
            "times": self.times,
        }


@dataclass(frozen=True, slots=True)
class Ran:
    """What ran in collections, and how often.

    It is the finalizer of a type, or callbacks of weak references of that type (`callback`: at
    least so many), or several at once of unknown objects (`type` is empty). begun_at: the places
    at which the collections began, those with most first.
    """

    type: str
    callback: bool
    times: int
    begun_at: tuple[BegunAt, ...]

    @property
    def name(self) -> str:
        """`Deferred.__del__`, `callbacks of weakref.ref`."""
        if not self.type:
            return "code of unknown objects (such as gc.callbacks)"
        return f"callbacks of {self.type}" if self.callback else f"{self.type}.__del__"

    def to_json(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "callback": self.callback,
            "times": self.times,
            "begun_at": [place.to_json() for place in self.begun_at],
        }


def ran_inside(log: EventLog, readings: Readings) -> tuple[Ran, ...]:
    """All that is known to have run in the recorded collections, the most frequent first.

    readings: those of the log.
    """
    begun = _begun(log)
    owners = {owner for _, owner in begun}
    begun += [one for one in _finalized(log, readings) if one[1] not in owners]
    if not begun:
        return ()
    places = _Places(log)
    kinds: dict[tuple[str, bool], dict[tuple[str, int, str], int]] = {}
    shape, shapes, types = births_of(log).shape, log.shapes, log.types
    for sequence, owner in begun:
        kind = None if owner == NO_OBJECT else types[shapes[int(shape[owner])].type]
        callback = kind is not None and (kind.kind == "weakref" or not kind.finalizer)
        key = (kind.qualified if kind else "", callback)
        where = places.before(sequence)
        counts = kinds.setdefault(key, {})
        counts[where] = counts.get(where, 0) + 1
    found = [
        Ran(
            name,
            callback,
            sum(counts.values()),
            tuple(
                BegunAt(*where, times)
                for where, times in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
            ),
        )
        for (name, callback), counts in kinds.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.times, one.name)))


_FINALIZER = 1
"""`tp_finalize`, `__del__`: objects with the older `tp_del` are not freed, and it does not run."""
_ACTS = (Op.ALLOC, Op.INCREF, Op.LINK)


def _begun(log: EventLog) -> list[tuple[int, int]]:
    """Where each began, and its owner. Where nobody knows the owner, one that has nothing but
    repairs is none: no code ran."""
    begun: list[tuple[int, int]] = []
    since: tuple[int, int] | None = None
    acted = False
    for events in log.segments() if log.op_counts[Op.INSIDE] else ():
        acts = np.isin(events.op, _ACTS)
        behind = 0
        for i in positions(events.op, Op.INSIDE).tolist():
            acted |= bool(acts[behind:i].any())
            if since is not None and (acted or since[1] != NO_OBJECT):
                begun.append(since)
            since = (events.first_sequence + i, int(events.a[i])) if events.b[i] else None
            acted, behind = False, i
        acted |= bool(acts[behind:].any())
    return begun


def _finalized(log: EventLog, readings: Readings) -> list[tuple[int, int]]:
    """Of all that collections found to be garbage, by the readings: what has a finalizer, which
    runs once for each object, and the sequence of the first that found it."""
    has = np.array([log.types[shape.type].finalizer == _FINALIZER for shape in log.shapes], bool)
    found = np.flatnonzero(readings.reason == Reason.GARBAGE)
    found = found[has[births_of(log).shape[readings.object[found]]]]
    objects, first = np.unique(readings.object[found], return_index=True)
    return list(zip(readings.sequence[found[first]].tolist(), objects.tolist(), strict=True))


class _Places:
    """Where the recorded collections began."""

    def __init__(self, log: EventLog) -> None:
        self._observed: tuple[ObservedCollection, ...] = log.observed
        self._sequences = [one.sequence for one in self._observed]
        self._site = births_of(log).site
        self._sites = log.sites
        calls = [
            (sequence, (caller.file, caller.line, caller.function))
            for caller in callers(log, GcCall.COLLECT)
            for sequence in caller.calls
        ]
        self._calls = sorted(calls)

    def before(self, sequence: int) -> tuple[str, int, str]:
        """Of the last collection at or before an event."""
        at = bisect_right(self._sequences, sequence) - 1
        if at < 0:
            return "", 0, ""
        one = self._observed[at]
        if one.cause == "call":
            i = bisect_left(self._calls, (one.sequence, ("", 0, "")))
            exact = i < len(self._calls) and self._calls[i][0] == one.sequence
            return self._calls[i][1] if exact else ("", 0, "")
        if one.allocation >= len(self._site):
            return "", 0, ""
        site = self._sites[int(self._site[one.allocation])]
        return site.file, site.line, site.function
