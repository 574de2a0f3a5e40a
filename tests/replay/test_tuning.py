"""Thresholds at marks, collection off up to a mark, and full collections with time between them."""

from __future__ import annotations

import pytest
from cycles import self_cycle, self_cycles
from test_article import collections

from gcreplay.replay import make_policy, replay
from gcreplay.replay.policies.registry import runs_a_file
from gcreplay.replay.tuning.candidates import freezes, manual
from gcreplay.store import EventLog, TraceBuilder
from gcreplay.store.errors import NotFound, UsageError

SECOND = 1_000_000_000


def started(n: int, *, calls: tuple[str, ...] = ()) -> EventLog:
    """n self-cycles, then what the program calls, "ready", and n more."""
    b = TraceBuilder()
    b.start(threshold=(1, 10, 10))
    self_cycles(b, n)
    for call in calls:
        b.gc_call(call)
    b.mark("ready")
    self_cycles(b, n)
    return b.build()


def test_thresholds_change_at_the_mark() -> None:
    """T0 = 1: births 1, 3, 5 collect. Behind the mark T0 = 3: birth 6 makes the counter 1, as 5
    has started it anew; 9 makes it 4."""
    with started(6) as log:
        births = [c.allocation for c in replay(log, "at:ready=3,10,10+generational").collections]
        assert births == [1, 3, 5, 9]


@pytest.mark.parametrize(
    "collector", ["cpython-3.13", "cpython-3.14.0", "cpython-3.14.2", "cpython-3.14.5"]
)
def test_thresholds_of_newer_collectors_change_too(collector: str) -> None:
    """Nodes that stay, and T0 = 9. At the mark the counter is 4 and T0 becomes 4: the fifth birth
    exceeds it, and the safepoint behind it visits all five."""
    b = TraceBuilder()
    b.start()
    for i in range(6):
        if i == 4:
            b.mark("ready")
        b.alloc("Node", module="demo")
        b.safepoint()
    with b.build() as log:
        assert replay(log, f"{collector}:9,0,0").collections == ()
        made = replay(log, f"at:ready=4,10,0+{collector}:9,0,0").collections
        assert [(c.allocation, c.candidates) for c in made] == [(5, 5)]


def test_what_the_program_sets_behind_it_does_nothing() -> None:
    b = TraceBuilder()
    b.start()
    b.mark("ready")
    b.gc_call("set_threshold", 1, 1, 1)
    self_cycles(b, 9)
    with b.build() as log:
        plain = replay(log, "generational")
        ours = replay(log, "at:ready=3,10,10+generational")
        assert [c.allocation for c in plain.collections] == [1, 3, 5, 7]
        assert [c.allocation for c in ours.collections] == [3, 7]


def test_nothing_runs_before_the_mark() -> None:
    """The counter goes on: at the mark it is 6, so birth 6, the seventh, collects all six."""
    with started(6) as log:
        result = replay(log, "disabled-until:ready+generational")
        assert collections(result)[:2] == [(6, 0, 6, 6), (8, 0, 2, 2)]


@pytest.mark.parametrize(
    ("calls", "collected"), [(("disable",), 0), (("disable", "enable"), 10), (("collect",), 11)]
)
def test_what_the_program_enables_holds_from_the_mark_on(
    calls: tuple[str, ...], collected: int
) -> None:
    """Its own gc.collect() is obeyed. T0 = 1, and the counter at the mark is 6: births 6, 8 and 10
    collect, and objects 10 and 11 are left. After a collection it is 0: births 7, 9 and 11 do, and
    object 11 is left."""
    with started(6, calls=calls) as log:
        result = replay(log, "disabled-until:ready+generational")
        assert all(c.allocation >= 6 for c in result.collections)
        assert result.collected == collected


def ticking(*seconds: int) -> EventLog:
    """At each of these seconds three self-cycles."""
    b = TraceBuilder()
    b.start()
    for second in seconds:
        b.tick(second * SECOND)
        for _ in range(3):
            self_cycle(b)
            b.safepoint()
    return b.build()


@pytest.mark.parametrize("collector", ["generational", "cpython-3.11", "cpython-3.13"])
def test_full_collections_keep_their_distance(collector: str) -> None:
    """T = 1,0,0: births 1, 3, 5 ... 23 collect, a young one, a middle one, a full one and so on.
    With 10 s between: birth 5 at 2 s is full; births 11 (5 s) and 13 (6 s) are young and middle in
    its place, 15 (12 s) is full, and 21 (14 s) is not."""
    with ticking(1, 2, 3, 5, 6, 12, 13, 14) as log:
        free = replay(log, f"{collector}:1,0,0").collections
        kept = replay(log, f"min-interval:10+{collector}:1,0,0").collections
        assert [c.generation for c in free] == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]
        assert [c.generation for c in kept] == [0, 1, 2, 0, 1, 0, 1, 2, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("at:ready", "sets no thresholds.*write at:MARK=T0,T1,T2"),
        ("at:=1,1,1", "names no mark"),
        ("at:ready=1,2", "no thresholds"),
        ("at:done=-1,2,3", '"-1,2,3" are no thresholds.*from 0 to .*write at:MARK=T0,T1,T2'),
        ("freeze-at:app.py", "names no line of a file.*write freeze-at:FILE:LINE"),
        ("freeze-at:app.py:0", "LINE must be a whole number from 1"),
        ("disabled-until:", "names no mark.*write disabled-until:MARK"),
        ("min-interval:soon", "no interval.*write min-interval:SECONDS"),
        ("at:ready=1,1,1+clairvoyant", "obeys no gc.freeze"),
        ("at:ready=1,1,1+mark-sweep", "for collectors with thresholds, and MarkSweep has none"),
        ("min-interval:1+cpython-3.14.2", "for collectors with three generations, and CPython3142"),
        ("min-intervall:3", "did you mean min-interval:SECONDS"),
    ],
)
def test_malformed(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_policy(spec)


def test_an_interval_needs_ticks() -> None:
    with started(1) as log, pytest.raises(UsageError, match="needs ticks"):
        replay(log, "min-interval:1")


def test_a_mark_in_quotes_may_hold_what_separates() -> None:
    b = TraceBuilder()
    b.mark("a=1+b")
    self_cycles(b, 3)
    with b.build() as log:
        made = replay(log, 'at:"a=1+b"=1,1,1+disabled-until:"a=1+b"+generational').collections
        assert [c.allocation for c in made] == [1]


@pytest.mark.parametrize(
    ("call", "collected"), [("collect", [1, 1, 2]), ("freeze", [1, 2]), ("disable", [])]
)
def test_calls_of_the_program_do_nothing_where_they_are_left_out(
    call: str, collected: list[int]
) -> None:
    """T0 = 1: births 1, 3 and 5 collect what was dropped before them. A call after birth 0 that
    starts the counter anew moves that to births 2 and 4; a freeze keeps the first cycle."""
    b = TraceBuilder()
    b.start(threshold=(1, 10, 10))
    self_cycles(b, 1)
    b.gc_call(call)
    self_cycles(b, 5)
    with b.build() as log:
        plain = replay(log, "generational")
        without = replay(log, f"without:{call}+generational")
        assert [c.collected for c in plain.collections] == collected
        assert [c.collected for c in without.collections] == [1, 2, 2]


def test_a_call_that_cannot_be_left_out_is_said() -> None:
    with pytest.raises(UsageError, match="CALL is one of collect, disable, freeze"):
        make_policy("without:enable+cpython-3.11")


@pytest.mark.parametrize("mark", ["a+b", "C:\\x1b", 'so "it" is', "=\x1b[2J+#1,2", "x\n\u202e"])
def test_candidates_name_the_marks_that_there_are(mark: str) -> None:
    """However odd they are: each candidate of them can be replayed."""
    b = TraceBuilder()
    b.start()
    for _ in range(2):
        b.mark(mark)
        self_cycles(b, 2)
    with b.build() as log:
        named = [*freezes(log), *manual(log)]
        assert len(named) == 2
        assert [replay(log, name).policy for name in named] == named


def loaded() -> EventLog:
    """Three self-cycles of line 2, and behind `ready` three of line 5 and one of line 2."""
    b = TraceBuilder()
    b.start(threshold=(0, 10, 10))
    for line in (2, 2, 2, 0, 5, 5, 5, 2):
        if not line:
            b.mark("ready")
            continue
        node = b.alloc("Node", module="app", site=("/src/demo/app.py", line, "<module>"))
        b.link(node, node)
        b.decref(node)
    b.gc_call("collect")
    return b.build()


@pytest.mark.parametrize("file", ["/src/demo/app.py", "demo/app.py", "app.py"])
@pytest.mark.parametrize(("line", "collected"), [(2, 7), (5, 4)])
def test_a_freeze_before_a_line_keeps_what_is_older(file: str, line: int, collected: int) -> None:
    with loaded() as log:
        run = replay(log, f"freeze-at:{file}:{line}")
        assert [c.collected for c in run.collections] == [collected]


@pytest.mark.parametrize(
    ("spec", "runs"),
    [
        ("mine.py:Mine", True),
        ("mine.py:Mine:1,2", True),
        ("a+b.py:Mine", True),
        ("freeze-at:app.py:2+mine.py:Mine", True),
        ("mine.py:Mine+freeze@ready", True),
        ("freeze-at:app.py:2", False),
        ("freeze-at:app.py:2+cpython-3.11:5000,10,10", False),
        ('every:"a.py:b"+manual', False),
    ],
)
def test_a_file_is_run_for_a_collector_alone(spec: str, runs: bool) -> None:
    assert runs_a_file(spec) is runs


def test_a_line_counts_from_where_the_policy_begins() -> None:
    """Behind `ready` line 2 makes its first object when six are there."""
    with loaded() as log:
        run = replay(log, "freeze-at:app.py:2", apply_from="ready")
        assert [c.collected for c in run.collections] == [1]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("freeze-at:app.py:3", "line 3 of app.py makes no object.*that do: 2, 5$"),
        ("freeze-at:ap.py:2", r"line 2 of ap.py makes no object.*did you mean app.py\?"),
        ("freeze-at:src/app.py:2", "line 2 of src/app.py makes no object"),
    ],
)
def test_a_line_that_makes_nothing_is_said(spec: str, words: str) -> None:
    with loaded() as log, pytest.raises(NotFound, match=words):
        replay(log, spec)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_marks_of_one_kind_are_one(n: int) -> None:
    """Five of them, and each has a cycle before it."""
    b = TraceBuilder()
    b.start(threshold=(0, 10, 10))
    for label in ("job 1", "job 22", "job 3", "other 4", "job 5", "job #"):
        self_cycles(b, 1)
        b.mark(label)
    with b.build() as log:
        made = replay(log, f"every:job #,{n}").collections
        found = {1: [1, 1, 1, 2, 1], 2: [2, 3], 3: [3]}
        assert [c.collected for c in made] == found[n]
