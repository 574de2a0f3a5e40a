"""The heap over time: step functions of a run, and how they are thinned without losing a peak."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import valid_builders

from gcreplay.replay.results.series import HeapSteps, Steps, heap_steps
from gcreplay.replay.run import Replay
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.log import EventLog

POLICIES = st.sampled_from(["cpython-3.11", "cpython-3.11:3,2,2", "never"])


def steps_of(log: EventLog, policy: str) -> tuple[HeapSteps, Replay]:
    run = Replay(log, policy)
    run.note_deaths()
    return heap_steps(run, run.run()), run


def pairs(steps: Steps) -> list[tuple[int, int]]:
    return list(zip(steps.at.tolist(), steps.value.tolist(), strict=True))


def small() -> EventLog:
    trace = TraceBuilder()
    trace.start()  # event 0
    kept = trace.alloc("list", size=100)  # event 1
    cycle = trace.alloc("list", size=50)  # event 2
    trace.link(cycle, cycle)  # event 3
    trace.resize(cycle, 30)  # event 4
    trace.decref(cycle)  # event 5: garbage from here on
    trace.resize(kept, 7)  # event 6
    trace.gc_call("collect", 2)  # event 7
    trace.decref(kept)  # event 8
    return trace.build()


def test_the_heap_of_a_small_run_by_hand() -> None:
    heap, _ = steps_of(small(), "cpython-3.11")
    assert pairs(heap.live_bytes) == [(1, 100), (2, 150), (4, 180), (6, 187), (7, 107), (8, 0)]
    assert pairs(heap.live_objects) == [(1, 1), (2, 2), (7, 1), (8, 0)]
    assert pairs(heap.floating_bytes) == [(5, 80), (7, 0)]
    assert pairs(heap.floating_objects) == [(5, 1), (7, 0)]
    assert heap.floating_bytes.integral(0, heap.end) == 160


def test_without_a_collector_garbage_floats_to_the_end() -> None:
    heap, _ = steps_of(small(), "never")
    assert pairs(heap.floating_bytes) == [(5, 80)]
    assert pairs(heap.live_bytes)[-1] == (8, 80)


@settings(max_examples=40, deadline=None)
@given(builder=valid_builders(), policy=POLICIES)
def test_peaks_are_those_of_the_run(builder: TraceBuilder, policy: str) -> None:
    log = builder.build()
    run = Replay(log, policy)
    run.note_deaths()
    result = run.run()
    heap = heap_steps(run, result)
    assert heap.live_bytes.peak == result.peak_bytes
    assert heap.live_objects.peak == result.peak_objects
    assert heap.floating_bytes.peak == result.peak_floating_bytes
    assert heap.floating_objects.peak == result.peak_floating_objects
    assert (heap.live_bytes.value[-1:].tolist() or [0]) == [result.live_bytes]


@settings(max_examples=40, deadline=None)
@given(builder=valid_builders(owned=False), policy=POLICIES)
def test_integrals_are_those_of_the_run(builder: TraceBuilder, policy: str) -> None:
    log = builder.build()
    run = Replay(log, policy)
    run.note_deaths()
    result = run.run()
    heap = heap_steps(run, result)
    between = (heap.start, heap.end - 1)
    assert heap.floating_bytes.integral(*between) == result.floating_byte_events
    assert heap.floating_objects.integral(*between) == result.floating_object_events


@settings(max_examples=40, deadline=None)
@given(builder=valid_builders(regions=False))
def test_after_every_event_the_steps_have_what_the_engine_has(builder: TraceBuilder) -> None:
    log = builder.build()
    heap, _ = steps_of(log, "cpython-3.11:3,2,2")
    again = Replay(log, "cpython-3.11:3,2,2")
    again.begin()
    for segment in log.segments():
        for i in range(len(segment)):
            again.apply(segment.part(i, i + 1))
            now, figures = segment.first_sequence + i, again.engine.figures()
            for name in ("live_bytes", "live_objects", "floating_bytes", "floating_objects"):
                steps = getattr(heap, name)
                known = np.searchsorted(steps.at, now, side="right")
                assert figures[name] == (steps.value[known - 1] if known else 0), (name, now)


def test_bins_have_least_greatest_and_mean_by_hand() -> None:
    steps = Steps(np.array([1, 4, 5, 5, 9]), np.array([10, 30, 90, 20, 0]))
    thin = steps.thinned(steps.at.astype(float), np.array([0.0, 2.0, 4.0, 8.0, 10.0]))
    assert thin.low.tolist() == [0, 10, 20, 0]
    assert thin.high.tolist() == [10, 10, 90, 20]
    assert thin.mean.tolist() == [5, 10, (30 + 3 * 20) / 4, 10]


@settings(max_examples=60, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 100)), max_size=30),
    bins=st.integers(1, 25),
)
def test_thinning_keeps_peak_and_integral(changes: list[tuple[int, int]], bins: int) -> None:
    changes.sort(key=lambda one: one[0])
    steps = Steps(np.array([a for a, _ in changes], int), np.array([v for _, v in changes], int))
    edges = np.linspace(0, 20, bins + 1)
    thin = steps.thinned(steps.at.astype(float), edges)
    assert thin.high.max() == steps.peak
    assert np.sum(thin.mean * np.diff(edges)) == pytest.approx(steps.integral(0, 20), rel=1e-12)
    assert (thin.low <= thin.mean).all() and (thin.mean <= thin.high).all()
