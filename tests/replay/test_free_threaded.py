"""Free-threaded CPython 3.14, by hand: batches of 512, the whole heap, a quarter of what lives."""

from __future__ import annotations

import pytest
from programs import Program, node_loop

from gcreplay.replay import replay
from gcreplay.store import TraceBuilder


def test_a_collection_comes_with_the_first_full_buffer_over_the_threshold() -> None:
    """512, 1,024, 1,536, 2,048 > 2,000: at birth 2,048, and so on; all but the two newest go."""
    program = node_loop(7000)
    with program.b.build() as log:
        made = replay(log, "cpython-3.14t").collections
        assert [c.allocation for c in made] == [2048, 4096, 6144]
        visited = [(c.candidates, c.collected) for c in made]
        assert visited == [(2048, 2046), (2050, 2048), (2050, 2048)]
        assert {c.generation for c in made} == {0}


@pytest.mark.parametrize(
    ("policy", "births"),
    [("cpython-3.14t", [2560, 6144]), ("cpython-3.14t:2000,0,0", [2048, 4096, 6144])],
)
def test_a_quarter_of_what_lives_has_to_be_new(policy: str, births: list[int]) -> None:
    """10,000 found alive, a quarter is 2,500: five buffers of 512 exceed it. That collection finds
    12,560, a quarter is 3,140: seven buffers. T1 = 0: four exceed 2,000, whatever lives."""
    program = Program(found=(0, 0, 10_000), long_lived_total=10_000)
    first = program.born(8000)
    with program.b.build() as log:
        assert [c.allocation - first for c in replay(log, policy).collections] == births


def test_deaths_are_counted_in_batches_too_and_below_0() -> None:
    """600 found objects die: -512, and 88 in the buffer. So births fill the buffer at 600, and the
    counter exceeds 2,000 with the sixth: -512 + 512 n > 2,000 for n = 5 is 2,048."""
    b = TraceBuilder()
    found = [b.alloc("Node", module="demo") for _ in range(600)]
    for each in found:
        b.track(each, 2)
    b.start()
    for each in found:
        b.decref(each)
    for _ in range(3000):
        b.alloc("Node", module="demo")
        b.safepoint()
    with b.build() as log:
        (first,) = replay(log, "cpython-3.14t").collections
        assert first.allocation - 600 == 88 + 5 * 512


def test_thresholds_change_at_a_mark() -> None:
    """At birth 512 the counter is 512, and T0 = 2,000; T0 = 100 from birth 600 on: the next full
    buffer, at 1,024, exceeds it."""
    program = Program()
    program.born(600)
    program.b.mark("ready")
    program.born(600)
    with program.b.build() as log:
        assert replay(log, "cpython-3.14t").collections == ()
        (made,) = replay(log, "at:ready=100,0,0+cpython-3.14t").collections
        assert (made.allocation, made.candidates) == (1024, 1024)


def test_a_freeze_leaves_the_counter_alone() -> None:
    program = Program()
    program.born(1500)
    program.b.gc_call("freeze")
    program.born(600)
    with program.b.build() as log:
        (made,) = replay(log, "cpython-3.14t").collections
        assert (made.allocation, made.candidates) == (2048, 548)
