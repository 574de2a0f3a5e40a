"""Logs that programs in production write of their collector: three kinds of JSON lines, told apart
by what stands in the first one.

* `callbacks`: a line a collection, as `examples/gc_log.py` writes them from `gc.callbacks`.
* `samples`: what `gc.get_stats()` says from time to time.
* `gcmon`: what the tool of that name reads in a process of CPython 3.15.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final, Protocol, TextIO

from gcreplay.production.activity import GENERATIONS, Activity, Thresholds
from gcreplay.report.words.numbers import counted
from gcreplay.store import values
from gcreplay.store.errors import GcreplayError, NotFound
from gcreplay.store.values import I64_MOST

LONGEST: Final = 1 << 20
"""Characters of a line: no line of these logs comes near."""


class OddLine(GcreplayError):
    """A line of the log is not what its kind of log has."""


class Reader(Protocol):
    """Takes the lines of one kind of log; ValueError for one that is none."""

    def take(self, line: dict[str, object] | list[object]) -> None: ...

    def done(self) -> Activity: ...


def read(path: Path) -> Activity:
    """The log's activity; raises NotFound, or OddLine with the number of the line."""
    reader: Reader | None = None
    remarks = []
    number = 0
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            for number, text in _lines(file, path):
                try:
                    value = values.from_json(text)
                    reader = reader or _reader(value)
                    if not isinstance(value, dict | list):
                        raise ValueError(f"it is {values.shown(value)}")
                    reader.take(value)
                except ValueError as error:
                    if reader is not None and not text.endswith("\n") and "not JSON" in str(error):
                        remarks.append(f"Line {number} of {path}, the last, is cut: left out.")
                        break
                    raise OddLine(
                        f"line {number} of {path} is none of a log of collections: {error}"
                    ) from None
    except FileNotFoundError:
        raise NotFound(f"{path} does not exist: check the name") from None
    if reader is None:
        raise OddLine(f"{path} holds no line, so it says nothing of production")
    made = reader.done()
    made.remarks = remarks + made.remarks
    return made


def _lines(file: TextIO, path: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their numbers."""
    for number, text in enumerate(iter(lambda: file.readline(LONGEST), ""), 1):
        if len(text) == LONGEST and not text.endswith("\n"):
            raise OddLine(f"line {number} of {path} is longer than {LONGEST:,} characters")
        if text.strip():
            yield number, text


def _reader(first: object) -> Reader:
    match first:
        case {"gc_log": _} | {"generation": _, "duration_ns": _}:
            return Callbacks()
        case {"stats": _} | [{"collections": _}, *_]:
            return Samples()
        case {"pid": _, "gen": _, "ts_start": _} | {"pid": _, "gens": _} | {"pid": _, "type": _}:
            return Gcmon()
    raise ValueError("it is of no kind that is known: callbacks, gc.get_stats() samples, gcmon")


def _number(line: dict[str, object], key: str, most: int = I64_MOST) -> int:
    if key not in line:
        raise ValueError(f"it has no {key}")
    return values.whole(key, line[key], 0, most)


def _generation(line: dict[str, object], key: str) -> int:
    return _number(line, key, GENERATIONS - 1)


def _threshold(line: dict[str, object]) -> Thresholds:
    return values.wholes("threshold", line.get("threshold"), GENERATIONS, 0, I64_MOST)


class Callbacks:
    """Lines of `examples/gc_log.py`, of one or more processes."""

    def __init__(self) -> None:
        self.made = Activity("callbacks", explicit=0, gc_ns=0)
        self.cpu: dict[int, tuple[int, int]] = {}
        self.exits: list[int] = []

    def take(self, line: dict[str, object] | list[object]) -> None:
        line = values.mapping("the line", line)
        pid, cpu = _number(line, "pid"), _number(line, "cpu_ns")
        if "gc_log" in line:
            if values.whole("gc_log", line["gc_log"]) != 1:
                raise ValueError("gc_log is not 1: written by a newer module")
            self.made.python = values.text("python", line.get("python"))
            _threshold(line)
        elif "heap" in line:
            self.exits.append(_number(line, "heap"))
        else:
            self.collection(line)
        self.cpu[pid] = (self.cpu.get(pid, (cpu, cpu))[0], cpu)

    def collection(self, line: dict[str, object]) -> None:
        generation, took = _generation(line, "generation"), _number(line, "duration_ns")
        found, threshold = _number(line, "collected"), _threshold(line)
        count = values.wholes("count", line.get("count"), GENERATIONS, 0, I64_MOST)
        made = self.made
        assert made.explicit is not None and made.gc_ns is not None
        made.collections[generation] += 1
        made.found.append(found)
        made.collected += found
        made.gc_ns += took
        made.pauses_ns[generation].append(took)
        made.thresholds[threshold] += 1
        # An automatic one, of any generation, begins when the youngest has more than its threshold.
        made.explicit += not threshold[0] or count[0] <= threshold[0]

    def done(self) -> Activity:
        self.made.cpu_ns = sum(last - first for first, last in self.cpu.values()) or None
        self.made.processes = len(self.cpu)
        if self.exits:
            self.made.at_exit = sorted(self.exits)[len(self.exits) // 2]
        return self.made


class Samples:
    """Lines that hold a gc.get_stats(): alone, or as `stats` beside `pid`, `time`, `cpu_ns`,
    `threshold` and `python`, all of which may be left out. What counts is what grew between two
    samples of a process."""

    def __init__(self) -> None:
        self.made = Activity("samples")
        self.last: dict[int, list[dict[str, int]]] = {}
        self.cpu: dict[int, tuple[int, int]] = {}
        self.timed = True
        self.samples = 0

    def take(self, line: dict[str, object] | list[object]) -> None:
        given = values.mapping("the line", {"stats": line} if isinstance(line, list) else line)
        stats = given.get("stats")
        if not isinstance(stats, list) or len(stats) != GENERATIONS:
            raise ValueError(f"stats must be a list of three objects, not {values.shown(stats)}")
        now = [_counters(each) for each in stats]
        pid = _number(given, "pid") if "pid" in given else 0
        cpu = _number(given, "cpu_ns") if "cpu_ns" in given else None
        threshold = _threshold(given) if "threshold" in given else None
        if "python" in given:
            self.made.python = values.text("python", given["python"])
        self.grown(pid, now, threshold)
        self.timed = self.timed and cpu is not None
        if cpu is not None:
            first, last = self.cpu.get(pid, (cpu, cpu))
            self.cpu[pid] = (first, cpu) if cpu >= last else (cpu - (last - first), cpu)
        self.samples += 1

    def grown(self, pid: int, now: list[dict[str, int]], threshold: Thresholds | None) -> None:
        before = self.last.get(pid)
        self.last[pid] = now
        if before is None:
            return
        new = [n["collections"] - b["collections"] for n, b in zip(now, before, strict=True)]
        found = [n["collected"] - b["collected"] for n, b in zip(now, before, strict=True)]
        if min(new) < 0:  # the process was started anew
            self.made.processes += 1
            return
        if min(found) < 0:
            raise ValueError("collected is less than in the sample before")
        for generation in range(GENERATIONS):
            self.made.collections[generation] += new[generation]
        self.made.collected += sum(found)
        if threshold is not None:
            self.made.thresholds[threshold] += sum(new)

    def done(self) -> Activity:
        if self.timed:
            self.made.cpu_ns = sum(last - first for first, last in self.cpu.values()) or None
        self.made.processes += len(self.last) - 1
        if self.samples == 1:
            self.made.remarks.append("One sample says nothing: two are needed, some time apart.")
        return self.made


def _counters(value: object) -> dict[str, int]:
    given = values.mapping("each of stats", value)
    return {key: _number(given, key) for key in ("collections", "collected")}


class Gcmon:
    """gcmon's lines, in any order. The counters in them are the interpreter's own, which go on from
    collection to collection; collections that gcmon missed are counted by them as well."""

    def __init__(self) -> None:
        self.made = Activity("gcmon", candidates=[0] * GENERATIONS)
        self.rings: dict[tuple[int, int, int], list[tuple[int, dict[str, int]]]] = {}

    def take(self, line: dict[str, object] | list[object]) -> None:
        line = values.mapping("the line", line)
        pid = _number(line, "pid")
        if "collections" not in line and ("gens" in line or "type" in line):
            return  # what it missed is counted by the next record; marks of its own
        generation = _generation(line, "gen")
        began, ended = _number(line, "ts_start"), _number(line, "ts_stop")
        if ended < began:
            raise ValueError("ts_stop is before ts_start")
        now = {key: _number(line, key) for key in (*_GROWING, "heap_size")}
        self.rings.setdefault((pid, _number(line, "iid"), generation), []).append((began, now))
        self.made.pauses_ns[generation].append(ended - began)
        if generation == GENERATIONS - 1:
            self.made.alive.append(now["heap_size"])

    def done(self) -> Activity:
        made, seen = self.made, 0
        assert made.candidates is not None
        for (_, _, generation), records in self.rings.items():
            records.sort(key=lambda record: record[0])
            for (_, before), (_, now) in pairwise(records):
                grown = {key: now[key] - before[key] for key in _GROWING}
                if min(grown.values()) < 0:
                    continue  # another process of that number: what was before it is not known
                seen += 1
                made.collections[generation] += grown["collections"]
                made.collected += grown["collected"]
                made.candidates[generation] += grown["candidates"]
        made.python = "3.15"  # what gcmon reads; no older one has these statistics
        made.processes = len({pid for pid, _, _ in self.rings})
        if made.total > seen:
            made.remarks.append(f"gcmon missed {counted(made.total - seen, 'collection')}.")
        return made


_GROWING: Final = ("collections", "collected", "candidates")
