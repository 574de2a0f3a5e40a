"""A sweep that says it is exact is what so many replays are: each collection, totals, peaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from random_programs import program
from strategies import valid_logs

from gcreplay.replay import replay
from gcreplay.replay.sweep.sweep import Setting, Sweep, SweepResult
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.log import EventLog

SETTINGS: Sequence[Setting] = [(1, 1, 1), (2, 1, 1), (3, 1, 2), (6, 0, 0), (9, 2, 1), (0, 1, 1)]
COLUMNS = (
    "sequence",
    "allocation",
    "generation",
    "candidates",
    "tracked",
    "links",
    "collected",
    "bytes",
    "survivors",
    "freed",
)
SEEDS = 160


def made_by(result: SweepResult, lane: int) -> list[tuple[int, ...]]:
    assert result.made is not None
    rows = result.made[result.made["lane"] == lane]
    return [tuple(int(row[name]) for name in COLUMNS) for row in rows]


def compared(log: EventLog, settings: Sequence[Setting]) -> tuple[SweepResult, list[bool]]:
    """The sweep, and whether each setting is what its replay is."""
    result = Sweep(log, settings, keep=True).run()
    equal = []
    for lane, (setting, swept) in enumerate(zip(settings, result.settings, strict=True)):
        run = replay(log, "cpython-3.11:{},{},{}".format(*setting))
        made = [tuple(getattr(one, name) for name in COLUMNS) for one in run.collections]
        equal.append(
            made_by(result, lane) == made
            and swept.collected == run.collected
            and list(swept.collections_by_generation) == run.collections_by_generation
            and swept.visited == sum(one.candidates for one in run.collections)
            and swept.links == sum(one.links for one in run.collections)
            and swept.freed_by_refcount == run.freed_by_refcount
            and swept.freed == run.freed_by_collector
            and swept.peak_objects == run.peak_objects
            and swept.peak_bytes == run.peak_bytes
            and swept.peak_floating_objects == run.peak_floating_objects
            and swept.peak_floating_bytes == run.peak_floating_bytes
        )
    return result, equal


def test_an_exact_sweep_is_what_the_replays_are() -> None:
    """Enough of the random programs are exact, and collect enough, for this to say something."""
    exact = collected = full = 0
    for seed in range(SEEDS):
        result, equal = compared(program(seed, 120), SETTINGS)
        if not result.inexact:
            assert all(equal), f"program({seed}, 120)"
            exact += 1
            collected += sum(one.collected for one in result.settings)
            full += sum(one.collections_by_generation[2] for one in result.settings)
    assert exact > SEEDS * 0.35
    assert collected > 10 * exact
    assert full > exact


def test_an_exact_sweep_of_any_valid_log_is_what_the_replays_are() -> None:
    """These logs touch what nothing reaches, and most are not exact: some long ones are."""
    lengths: list[int] = []
    made = 0

    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(valid_logs(owned=False))
    def equal_where_exact(log: EventLog) -> None:
        nonlocal made
        made += 1
        wanted = [one for one in SETTINGS if log.start is None or one != log.start.threshold]
        result, equal = compared(log, wanted)
        if not result.inexact:
            assert all(equal)
            lengths.append(log.event_count)

    equal_where_exact()
    assert sum(length > 20 for length in lengths) > made / 20


def test_most_sweeps_that_are_not_exact_are_near() -> None:
    """Otherwise the sweep would be no search."""
    counts: Counter[bool] = Counter()
    for seed in range(60):
        result, equal = compared(program(seed, 120), SETTINGS)
        if result.inexact:
            counts.update(equal)
    assert counts[True] > 2 * counts[False] > 0


def test_garbage_of_the_found_heap_stands_in_its_generation() -> None:
    """A cycle of generation 2 is dropped before the log's start: a young collection leaves it, a
    full one frees it."""
    builder = TraceBuilder()
    old = builder.alloc("Node", size=100)
    builder.link(old, old)
    builder.track(old, 2)
    builder.decref(old)
    builder.start(threshold=(700, 10, 10))
    builder.gc_call("collect", 0)
    builder.gc_call("collect", 2)
    log = builder.build()
    result, equal = compared(log, [(500, 10, 10)])
    assert result.inexact == ()
    assert all(equal)
    assert result.made is not None
    made = [(int(one["generation"]), int(one["collected"])) for one in result.made]
    assert made == [(0, 0), (2, 1)]


def garbage_of_garbage() -> EventLog:
    """A cycle a <-> b is let go of, then what it holds, c. A setting that has collected the cycle
    by then sees c die by its count; another finds it with the cycle."""
    builder = TraceBuilder()
    a, b, c = (builder.alloc("Node", size=100) for _ in range(3))
    builder.link(a, b)
    builder.link(b, a)
    builder.link(a, c)
    builder.decref(a)
    builder.decref(b)  # event 7: the cycle is garbage
    builder.alloc("Node", size=100)  # event 8
    builder.decref(c)  # event 9
    builder.alloc("Node", size=100)  # event 10
    return builder.build()


@pytest.mark.parametrize(
    ("threshold", "collections", "by_count", "peak_floating"),
    [
        # 4 births > 3 at event 8: the cycle is found among three objects, and c dies by its count.
        (3, [(8, 0, 3, 2)], 1, 2),
        # 5 births > 4 at event 10: four stand there, three of them garbage.
        (4, [(10, 0, 4, 3)], 0, 3),
        (5, [], 0, 3),
    ],
)
def test_what_garbage_held_dies_by_its_count_or_is_found(
    threshold: int,
    collections: list[tuple[int, ...]],
    by_count: int,
    peak_floating: int,
) -> None:
    result = Sweep(garbage_of_garbage(), [(threshold, 10, 10)], keep=True).run()
    assert result.inexact == ()
    assert result.made is not None
    named = ["sequence", "generation", "candidates", "collected"]
    assert [tuple(int(one[name]) for name in named) for one in result.made] == collections
    (swept,) = result.settings
    assert swept.freed_by_refcount == by_count
    assert swept.peak_floating_objects == peak_floating
