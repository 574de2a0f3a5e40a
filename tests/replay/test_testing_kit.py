"""The kit for policies of one's own: it passes ours, and stops a replay that does what none may."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cycles import self_cycle
from hypothesis import HealthCheck, given, settings

from gcreplay.replay import Policy, make_policy, replay
from gcreplay.replay.policies.registry import BUILT_IN
from gcreplay.replay.run import Replay
from gcreplay.replay.testing import BrokenInvariant, check, valid_logs
from gcreplay.store import EventLog, TraceBuilder

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "write-a-collector.md"


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(log=valid_logs())
def test_our_policies_pass(log: EventLog) -> None:
    with log:
        for name in BUILT_IN:
            eager = name.startswith(("generational", "cpython"))
            check(log, f"{name}:2,1,1" if eager else name)


def one_kept_and_one_cycle() -> EventLog:
    """Node 0 is held, 1 holds itself, 2 is held and refers to 0; the birth of 3, event 6, collects
    at T0 = 3."""
    b = TraceBuilder()
    held = b.alloc("Node", module="demo")
    self_cycle(b)
    b.link(b.alloc("Node", module="demo"), held)
    b.alloc("Node", module="demo")
    return b.build()


class Lying:
    """An engine whose answers are changed."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)


class Frees(Lying):
    """Object 0 is gone behind the first collection."""

    gone = False

    def collect(self, *arguments: int) -> tuple[int, ...]:
        self.gone = True
        return self.engine.collect(*arguments)

    def snapshot(self) -> dict[int, Any]:
        heap = self.engine.snapshot()
        return {each: heap[each] for each in heap if each or not self.gone}


class FreesWhatIsReferredTo(Frees):
    """The same, and nothing seems to hold it before: its count is that of its links."""

    def snapshot(self) -> dict[int, Any]:
        heap = super().snapshot()
        for each in {0, 2} & heap.keys() if not self.gone else ():
            count, where, links = heap[each]
            heap[each] = (count - 1, where, links)
        return heap


class Miscounts(Lying):
    def collect(self, *arguments: int) -> tuple[int, ...]:
        *figures, freed, nbytes = self.engine.collect(*arguments)
        return (*figures, freed + 1, nbytes)


class ListsTwice(Lying):
    def order(self, generation: int) -> list[int]:
        return [*self.engine.order(generation), *self.engine.order(generation)]


@pytest.fixture
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The first engine of the test is one that lies."""
    begin = Replay.begin

    def lying(self: Replay) -> None:
        begin(self)
        self.engine = request.param(self.engine)
        self.heap._engine = self.engine

    monkeypatch.setattr(Replay, "begin", lying)
    yield


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        (Frees, r"event 6, object 0 \(demo\.Node\): it is freed, and something reaches it"),
        (FreesWhatIsReferredTo, r"event 6, object 0 .*it is freed, and object 2 still refers"),
        (Miscounts, r"event 6: 1 objects are freed, and 2 counted"),
        (ListsTwice, r"event 0, object 0 .*it stands in two generations"),
    ],
    indirect=["engine"],
)
def test_what_no_collector_may_do_is_told_with_event_and_object(engine: None, says: str) -> None:
    with one_kept_and_one_cycle() as log, pytest.raises(BrokenInvariant, match=says):
        check(log, "generational:3,1,1")


def test_without_lies_the_same_log_passes() -> None:
    with one_kept_and_one_cycle() as log:
        assert check(log, "generational:3,1,1") == replay(log, "generational:3,1,1")


def test_state_that_outlives_a_replay_is_found() -> None:
    class Remembers(Policy):
        summary = ""
        seen: list[int] = []  # noqa: RUF012 - that is the mistake

        def begin(self, heap: Any, start: Any) -> None:
            self.seen.append(1)
            heap.arm(allocations=len(self.seen))

        def on_allocations(self, heap: Any) -> None:
            heap.collect(0)

    with (
        one_kept_and_one_cycle() as log,
        pytest.raises(BrokenInvariant, match=r"Remembers: two replays .* differ in collections"),
    ):
        check(log, Remembers)


@pytest.fixture
def cookbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's files in a folder that is on the path."""
    for block in PAGE.read_text().split("```python\n")[1:]:
        code = block.split("```")[0]
        (tmp_path / code.split()[1]).write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("adaptive", "test_adaptive", "parameter"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_the_cookbooks_tests_pass(cookbook: Path) -> None:
    page = runpy.run_path(str(cookbook / "test_adaptive.py"))
    page["test_the_threshold_follows_what_is_found"]()
    page["test_it_does_nothing_that_no_collector_may_do"]()


def test_the_cookbooks_policy_is_loaded_by_file_and_combined(cookbook: Path) -> None:
    with one_kept_and_one_cycle() as log:
        (made,) = replay(log, f"{cookbook}/adaptive.py:Adaptive:1,3").collections
        assert (made.candidates, made.collected) == (3, 1)
    assert make_policy(f"{cookbook}/adaptive.py:Adaptive:5,2000+freeze@m").marks == {"m"}


def test_the_cookbooks_front_leaves_out_what_is_worse_in_both(cookbook: Path) -> None:
    """2,000 births of what stays, 1,000 of garbage of 48 bytes. 0 %: T0 stays at 700, births 701,
    1402, 2103 and 2804 visit 2,803, and at most 701 float. 1 %: 701 finds nothing, T0 is 1,400;
    2102 finds 101 among 1,401, so it is 700 again, and 2803 finds 701: the same, for one object
    less. 101 % is never reached: 701 and 2102 visit 2,101, and 899 are left."""
    b = TraceBuilder()
    for _ in range(2000):
        b.alloc("Node", module="demo")
    for _ in range(1000):
        self_cycle(b)
    with b.build() as log:
        rows = runpy.run_path(str(cookbook / "parameter.py"))["front"](log, [0, 1, 101])
        assert rows == [(1, 2802, 701 * 48), (101, 2101, 899 * 48)]
