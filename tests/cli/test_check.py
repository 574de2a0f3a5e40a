"""`check`: a recording beside a log of production, on logs whose figures are worked out by hand.

The recording has 33 collections under 700,10,10: 30 young ones that take 100 us and find 70 objects
each, then 3 middle ones of 300 us that find none. That is 2,100 objects in 33 collections, 63.6 a
collection, and 3.9 ms; its own CPU time is 96.1 ms, so that all of it is 100 ms: 330 collections a
second and 3.9 %.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Gcreplay

from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.events import ObservedCollection

DEFAULT = [700, 10, 10]
MADE = [(0, 70, 100_000)] * 30 + [(1, 0, 300_000)] * 3


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return record(tmp_path / "app.gcreplay", MADE, own_cpu_ns=96_100_000)


def record(path: Path, made: list[tuple[int, int, int]], **meta: Any) -> Path:
    """A recording whose interpreter made these: generation, collected, nanoseconds."""
    b = TraceBuilder(counts="probed", python="3.11.7", **meta)
    b.start()
    for _ in range(1000):
        b.alloc("Node", module="app")
    b.build(path).close()
    with EventLog.open(path, writable=True) as log:
        log.add_observed(
            ObservedCollection(i + 2, i, "threshold", generation, 700, found, 0, 1000, 0, ns)
            for i, (generation, found, ns) in enumerate(made)
        )
    return path


def head(pid: int = 1, **other: Any) -> dict[str, Any]:
    begins = {"gc_log": 1, "pid": pid, "time": 0.0, "cpu_ns": 0, "python": "3.11.9"}
    return {**begins, "threshold": DEFAULT, **other}


def collection(generation: int, cpu_ns: int, **other: Any) -> dict[str, Any]:
    """A line of a young or middle one as in MADE."""
    like = {0: (70, 100_000, [701, 3, 0]), 1: (0, 300_000, [701, 11, 1])}
    found, ns, count = like.get(generation, (0, 5_000_000, [5, 3, 2]))
    line = {"pid": 1, "time": 0.0, "cpu_ns": cpu_ns, "generation": generation, "collected": found}
    told = {"uncollectable": 0, "duration_ns": ns, "threshold": DEFAULT, "count": count}
    return {**line, **told, **other}


def log_of(times: int, cpu_ns: int, **other: Any) -> Iterator[dict[str, Any]]:
    """So many times the collections of MADE in that CPU time, of any of them `other` instead."""
    yield head(**({"threshold": other["threshold"]} if "threshold" in other else {}))
    made = [generation for generation, *_ in MADE] * times
    for i, generation in enumerate(made, 1):
        yield collection(generation, cpu_ns * i // len(made), **other)


def write(path: Path, lines: Any) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def checked(gcreplay: Gcreplay, app: Path, lines: Any) -> tuple[Any, dict[str, Any]]:
    """The JSON, and its figures by name; the exit code is that of the verdict."""
    log = write(app.with_suffix(".jsonl"), lines)
    done = gcreplay("check", app, "--against", log, "--format", "json")
    told = json.loads(done.stdout)
    assert done.exit_code == (0 if told["trusted"] else 1), done.stderr
    return told, {each["figure"]: each for each in told["figures"]}


def unlike(figures: dict[str, Any]) -> list[str]:
    return [name for name, each in figures.items() if each["alike"] is False]


def test_what_differs_in_nothing_but_its_length_is_trusted(gcreplay: Gcreplay, app: Path) -> None:
    told, figures = checked(gcreplay, app, log_of(10, 1_000_000_000))
    assert told["trusted"] is True
    assert unlike(figures) == []
    assert told["production"]["collections_by_generation"] == [300, 30, 0]
    rate = figures["collections a second of CPU"]
    assert (rate["recorded"], rate["production"]) == (330, 330)
    assert figures["GC % of CPU"]["production"] == pytest.approx(3.9)
    assert figures["collected a collection"]["recorded"] == pytest.approx(2100 / 33)


def test_other_thresholds_are_not_trusted(gcreplay: Gcreplay, app: Path) -> None:
    told, figures = checked(gcreplay, app, log_of(10, 1_000_000_000, threshold=[5000, 10, 10]))
    assert told["trusted"] is False
    assert "thresholds" in unlike(figures)


def test_the_first_words_say_whether_why_and_what_to_do(gcreplay: Gcreplay, app: Path) -> None:
    log = write(app.with_suffix(".jsonl"), log_of(1, 100_000_000, threshold=[50, 10, 10]))
    told = gcreplay("check", app, "--against", log)
    assert told.exit_code == 1
    assert " ".join(told.stdout.split()).startswith(
        "No, tune may not be trusted there: production collects under 50,10,10, the recording "
        "under 700,10,10. Record the program under production's thresholds, then check again. "
    )
    assert max(map(len, told.stdout.splitlines())) <= 80
