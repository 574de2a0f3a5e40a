"""gc.freeze() and gc.collect() at marks, as tiny traces worked by hand."""

from __future__ import annotations

import pytest
from cycles import self_cycles
from test_article import collections

from gcreplay.replay import make_policy, replay
from gcreplay.store import EventLog, TraceBuilder
from gcreplay.store.errors import NotFound, UsageError


def requests(n: int) -> EventLog:
    """Two kept nodes, the mark "ready", then n times two self-cycles and the mark "request"."""
    b = TraceBuilder()
    for _ in range(2):
        b.alloc("Node", module="demo")
    b.mark("ready")
    for _ in range(n):
        self_cycles(b, 2)
        b.mark("request")
    return b.build()


def test_a_collection_at_each_mark() -> None:
    """Each finds the two kept nodes and the two dropped since the last one."""
    result = replay(requests(3), "manual+every:request")
    assert collections(result) == [(4, 2, 4, 2), (6, 2, 4, 2), (8, 2, 4, 2)]
    assert {c.cause for c in result.collections} == {"manual+every:request"}


def test_a_collection_at_every_second_mark() -> None:
    """At the 2nd and 4th of five: four dropped nodes each."""
    assert collections(replay(requests(5), "manual+every:request,2")) == [
        (6, 2, 6, 4),
        (10, 2, 6, 4),
    ]


def test_frozen_objects_are_not_visited() -> None:
    """The two kept nodes are permanent, so a collection sees the two dropped ones alone; the second
    mark "ready" freezes nothing."""
    result = replay(requests(2), "manual+freeze@ready+every:request")
    assert collections(result) == [(4, 2, 2, 2), (6, 2, 2, 2)]
    assert [c.tracked for c in result.collections] == [2, 2]


def test_a_freeze_sets_the_counters_to_0() -> None:
    """T0 = 3: births 1, 2, freeze, then the fourth birth after it exceeds 3: object 5 (from 0)."""
    frozen = replay(requests(3), "freeze@ready+generational:3,10,10")
    plain = replay(requests(3), "generational:3,10,10")
    assert collections(plain)[0] == (3, 0, 3, 1)  # births 0, 1, 2 counted 3; number 3 triggers
    assert collections(frozen)[0] == (5, 0, 3, 3)  # births 2, 3, 4 counted 3; number 5 triggers


def test_a_full_collection_at_a_mark_sets_the_long_lived_total() -> None:
    """With 100 long-lived nodes the 25 % rule makes the next full collections wait; without the
    collection at the mark long_lived_total stays 0 and the third collection is a full one."""
    b = TraceBuilder()
    for _ in range(100):
        b.alloc("Node", module="demo")
    b.mark("ready")
    self_cycles(b, 16)
    log = b.build()
    spec = "cpython-3.11:1,0,0"
    with_mark = replay(log, f"every:ready+{spec}", apply_from="ready")
    without = replay(log, spec, apply_from="ready")
    assert [c.generation for c in without.collections][:3] == [0, 1, 2]
    assert [c.generation for c in with_mark.collections].count(2) == 1
    assert with_mark.collections[0].candidates == 100


def test_peak_tracked_is_the_most_objects_in_the_generations() -> None:
    """The births 3 and 7 of a growing heap trigger; they are not tracked yet themselves."""
    b = TraceBuilder()
    for _ in range(9):
        b.alloc("Node", module="demo")
    result = replay(b.build(), "generational:3,10,10")
    assert [(c.allocation, c.tracked) for c in result.collections] == [(3, 3), (7, 7)]
    assert result.peak_tracked == 7 == result.to_json()["peak_tracked"]


def test_marks_count_from_where_the_policy_begins() -> None:
    """From the second request on, that one included, the 2nd is the third request."""
    b = TraceBuilder()
    for name in ("a", "b", "c", "d"):
        self_cycles(b, 1)
        b.mark(f"request {name}")
        b.mark("request")
    result = replay(b.build(), "manual+every:request,2", apply_from="request b")
    assert [(c.allocation, c.collected) for c in result.collections] == [(3, 3)]


def test_an_action_at_the_windows_first_mark_counts_and_at_its_last_does_not() -> None:
    """As in a program: what is called right after a mark stands behind that mark."""
    result = replay(requests(3), "manual+every:request+every:ready", window=("ready", "request"))
    assert collections(result) == [(2, 2, 2, 0)]


@pytest.mark.parametrize("acting", ["a", "b", "c", "d"])
@pytest.mark.parametrize("apply_from", [None, "a", "b"])
def test_between_adjacent_marks_are_the_actions_of_the_first(
    acting: str, apply_from: str | None
) -> None:
    """a, b, c, d with nothing between: the window b..c has what is done at b, and that alone."""
    if apply_from == "b" and acting == "a":
        return  # a stands before the policy, which is refused
    b = TraceBuilder()
    kept = b.alloc("Node", module="demo")
    for mark in "abcd":
        b.mark(mark)
    b.incref(kept)
    result = replay(b.build(), f"manual+every:{acting}", apply_from=apply_from, window=("b", "c"))
    assert collections(result) == ([(1, 2, 1, 0)] if acting == "b" else [])
    assert result.peak_tracked == (acting == "b")


def test_a_mark_the_recording_does_not_have_is_refused() -> None:
    with pytest.raises(NotFound, match=r"no mark 'redy'.*ready"):
        replay(requests(1), "freeze@redy")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("freeze@", "write freeze@MARK"),
        ("every:request,0", "no action at a mark"),
        ("every:", "every:MARK,N"),
        ("evry:request", "did you mean every:MARK or never"),
        ('manual+every:"a+b', "no policy 'manual.b'.*the quote in every:.a is not closed"),
        ("never+every:request", "obeys no gc.freeze"),
        ("manual+generational:1,1,1+every:request", "no policy 'manual|takes no arguments"),
    ],
)
def test_malformed_combinations(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_policy(spec)


@pytest.mark.parametrize(
    "mark", ["a+b", "x,2", "", "a..b", '"q"', "a\nb", "\\", "é\u202e", "@=:", " "]
)
def test_any_mark_can_be_named_in_quotes(mark: str) -> None:
    b = TraceBuilder()
    self_cycles(b, 1)
    b.mark(mark)
    self_cycles(b, 1)
    b.mark(mark)
    log = b.build()
    quoted = mark.replace("\\", "\\\\").replace('"', '\\"')
    assert replay(log, f'manual+every:"{quoted}"').collected == 2
    assert replay(log, f'every:"{quoted}",2+manual').collected == 2
    assert len(replay(log, f'every:"{quoted}",2+manual').collections) == 1
    assert replay(log, f'freeze@"{quoted}"+every:"{quoted}"+manual').collected == 1


def test_marks_may_hold_colons_commas_and_spaces() -> None:
    b = TraceBuilder()
    self_cycles(b, 1)
    b.mark("GET /a:b, 2")
    b.mark("x,2")
    log = b.build()
    assert replay(log, "manual+every:GET /a:b, 2,1").collected == 1
    assert replay(log, "manual+every:x,2,1").collected == 1
