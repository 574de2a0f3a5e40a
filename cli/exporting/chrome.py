"""Runs in the Trace Event Format, which Perfetto, speedscope and chrome://tracing open.

Slices and counters have the names, categories and values that gcmon, which reads a running CPython
3.15, gives them: `GC Pause(gen)` in `gc.pause(gen=N)`, counters `G0`, `G1`, `G2` that add up over
the collections of a generation (`duration` in seconds), and `heap_size` in objects. Its thread is
the interpreter's number, which is 0. Each run is a process.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

from gcreplay.exporting.timeline import Mark, Pause, Run

_GENERATIONS = 3
_THREAD = 0


def write_chrome(file: TextIO, runs: Iterable[Run], told: Mapping[str, str]) -> dict[str, int]:
    """Write the runs, each when its turn comes, an event a line. `told`: about all of it, by name.
    The value has the number of collections by the name of the process."""
    written = {}
    file.write('{"displayTimeUnit": "ms", "otherData": ' + json.dumps(told) + ', "traceEvents": [')
    comma = "\n"
    for number, run in enumerate(runs, 1):
        for event in _events(number, run):
            file.write(comma + event)
            comma = ",\n"
        written[title(run)] = len(run.pauses)
    file.write("\n]}\n")
    return written


def _events(process: int, run: Run) -> Iterator[str]:
    """The events of a run as JSON."""
    yield _event("M", "process_name", process, args={"name": title(run)})
    yield _event("M", "process_sort_index", process, args={"sort_index": process})
    yield _event("M", "thread_name", process, args={"name": "collector"})
    sums = [_Sums() for _ in range(_GENERATIONS)]
    for moment in run.moments():
        if isinstance(moment, Mark):
            yield _event("i", moment.label, process, moment.at_ns, more='"s": "p", "cat": "mark"')
        else:
            yield from _collection(process, run.policy, moment, sums[moment.generation])


def title(run: Run) -> str:
    """The run as a process is named."""
    return f"{run.policy} (times estimated)" if run.estimated else f"recorded ({run.policy})"


class _Sums:
    """What the interpreter counts over all collections of a generation."""

    def __init__(self) -> None:
        self.collections = self.collected = self.uncollectable = self.candidates = self.ns = 0

    def add(self, pause: Pause) -> None:
        self.collections += 1
        self.collected += pause.collected
        self.uncollectable += pause.uncollectable
        self.candidates += pause.candidates
        self.ns += pause.ns


def _collection(process: int, policy: str, pause: Pause, sums: _Sums) -> Iterator[str]:
    sums.add(pause)
    heap = {} if pause.heap is None else {"heap_size": pause.heap}
    args = {
        "generation": pause.generation,
        "iid": _THREAD,
        "collections": sums.collections,
        **heap,
        "collected": pause.collected,
        "uncollectable": pause.uncollectable,
        "candidates": pause.candidates,
        "cause": pause.cause,
        "policy": policy,
    }
    kind = f'"dur": {_microseconds(pause.ns)}, "cat": "gc.pause(gen={pause.generation})"'
    name = f"GC Pause({pause.generation})"
    yield _event("X", name, process, pause.begin_ns, more=kind, args=args)
    counts = {
        "collected": sums.collected,
        "candidates": sums.candidates,
        "duration": sums.ns / 1e9,
        **({"uncollectable": sums.uncollectable} if sums.uncollectable else {}),
    }
    yield _event("C", f"G{pause.generation}", process, pause.begin_ns, args=counts)
    if heap:
        yield _event("C", "heap_size", process, pause.begin_ns, args=heap)


def _event(
    phase: str,
    name: str,
    process: int,
    at_ns: int | None = None,
    *,
    more: str = "",
    args: Mapping[str, object] | None = None,
) -> str:
    parts = [f'"ph": "{phase}", "name": {json.dumps(name)}, "pid": {process}, "tid": {_THREAD}']
    parts += [] if at_ns is None else [f'"ts": {_microseconds(at_ns)}']
    parts += [more] if more else []
    parts += [] if args is None else [f'"args": {json.dumps(args)}']
    return "{" + ", ".join(parts) + "}"


def _microseconds(ns: int) -> str:
    """Exactly: a float would not hold the nanoseconds of a long run."""
    return f"{ns // 1000}.{ns % 1000:03}"
