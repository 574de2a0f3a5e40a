"""Where events stand in the time of the recorded run."""

import numpy as np

from gcreplay.replay.results.clock import TICKS_FOR_AN_AXIS, Axis, Clock
from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder


def ticking(ticks: int) -> EventLog:
    """An allocation before START, which is event 1; then by turns an allocation and a tick, each
    2 s after the one before."""
    trace = TraceBuilder()
    trace.alloc("list")
    trace.start()
    for i in range(ticks):
        trace.alloc("list")
        trace.tick((i + 1) * 2_000_000_000)
    return trace.build()


def test_between_two_ticks_time_passes_with_the_events() -> None:
    clock = Clock.of(ticking(2))  # the ticks are events 3 and 5
    assert clock is not None
    assert clock.at([0, 1, 2, 3, 4, 5, 9]) == [n * 10**9 for n in (0, 0, 1, 2, 3, 4, 4)]
    assert clock.seconds(np.array([2, 5], np.uint64)).tolist() == [1, 4]


def test_a_log_without_ticks_has_no_clock() -> None:
    assert Clock.of(ticking(0)) is None


def test_the_axis_is_in_seconds_where_the_clock_was_read_often() -> None:
    axis = Axis.of(ticking(TICKS_FOR_AN_AXIS))
    assert (axis.unit, axis.end) == ("s", 400.0)
    assert axis.places([0, 1, 2, 3, 4, 5]).tolist() == [0, 0, 1, 2, 3, 4]


def test_the_axis_is_in_events_from_the_start_where_the_clock_was_read_rarely() -> None:
    axis = Axis.of(ticking(TICKS_FOR_AN_AXIS - 1))  # 2 events before the first of 199 pairs
    assert (axis.unit, axis.ticks, axis.end) == ("events", 199, 399.0)
    assert axis.places([0, 1, 2]).tolist() == [0, 0, 1]


def test_the_axis_is_in_events_where_there_is_no_clock() -> None:
    axis = Axis.of(ticking(0))
    assert (axis.unit, axis.ticks, axis.end) == ("events", 0, 1.0)
