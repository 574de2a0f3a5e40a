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
