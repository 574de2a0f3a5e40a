"""What is told of code that ran in collections."""

from __future__ import annotations

import pytest

from gcreplay.replay.garbage import cycles
from gcreplay.store import TraceBuilder
from gcreplay.store.log import EventLog


def with_region(*, code: bool) -> EventLog:
    b = TraceBuilder()
    b.start()
    holder, held = b.alloc("Holder"), b.alloc("Held")
    b.link(holder, held)
    with b.inside():
        if code:
            b.alloc("Made")
        b.unlink(holder, held)
    return b.build()


@pytest.mark.parametrize(("code", "times"), [(False, 0), (True, 1)])
def test_repairs_alone_are_no_finalizer(code: bool, times: int) -> None:
    ran = cycles(with_region(code=code)).ran
    assert sum(one.times for one in ran) == times


def test_a_finalizer_that_leaves_no_trace_ran_where_its_object_was_found():
    """One acts, in a region of its own; one does not, and is found twice; an instance without one
    and one with an older `tp_del` run none."""
    b = TraceBuilder()
    b.start()
    acts, silent = (b.alloc("Conn", module="app", finalizer=1) for _ in range(2))
    plain, old = b.alloc("Plain", module="app"), b.alloc("Old", module="app", finalizer=2)
    for one in (acts, silent, plain, old):
        b.read(one, [])
    with b.inside(acts):
        b.alloc("Made")
    b.read(silent, [])
    (ran,) = cycles(b.build()).ran
    assert (ran.name, ran.times) == ("app.Conn.__del__", 2)
