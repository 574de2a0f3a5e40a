"""Who calls the gc module, and the collector without some calls of gc.collect()."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gcreplay.store.events import GcCall, Op, StartState
from gcreplay.store.log import EventLog

from ..policies.cpython311 import CPython311
from ..policies.policy import Heap


@dataclass(frozen=True, slots=True)
class Caller:
    """A place that calls a function of gc: in Python code, in C (`file` is empty and `from_c` set),
    or where nobody knows; and the events of its calls."""

    file: str
    line: int
    function: str
    from_c: bool
    calls: tuple[int, ...]


def callers(log: EventLog, call: GcCall = GcCall.COLLECT) -> list[Caller]:
    """Those of a function in a log, in the order of their first calls."""
    sites = log.sites
    calls: dict[int, list[int]] = {}
    for events in log.named():
        for i in np.flatnonzero((events.op == Op.GC_CALL) & (events.a == call)).tolist():
            calls.setdefault(int(events.c[i]), []).append(events.first_sequence + i)
    found = []
    for via, sequences in calls.items():
        site = sites[via - 1] if via > 1 else None
        place = (site.file, site.line, site.function) if site is not None else ("", 0, "")
        found.append(Caller(*place, via == 1, tuple(sequences)))
    return found


class WithoutCalls(CPython311):
    """The recorded collector, which some calls of gc.collect() do not reach."""

    summary = "CPython 3.11's collector without some of the recorded calls"

    def __init__(self, left_out: Sequence[int]) -> None:
        super().__init__()
        self.left_out = frozenset(left_out)

    def recorded_storage(self, start: StartState) -> bool:
        return False

    def on_call(self, heap: Heap, call: GcCall, arguments: Sequence[int]) -> None:
        if call is not GcCall.COLLECT or heap.sequence not in self.left_out:
            super().on_call(heap, call, arguments)
