"""Replays as a whole: windows, marks, names, hashes, hubs, broken logs."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cycles import self_cycle
from random_programs import program

from gcreplay.replay import Policy, diff, known_policies, make_policy, replay, verify
from gcreplay.replay.run import Replay
from gcreplay.store import EventLog, InvalidLog, TraceBuilder
from gcreplay.store.errors import NotFound, UsageError
from gcreplay.store.events import Flag, FreeLists, ObservedCollection

JSON_KEYS = {
    "policy",
    "collections_by_generation",
    "collected_by_generation",
    "collected",
    "freed_by_refcount",
    "uncollectable",
    "revived",
    "displaced",
    "peak_objects",
    "peak_bytes",
    "peak_floating_objects",
    "peak_floating_bytes",
    "work",
    "collections",
    "result_hash",
}


def cycles(n: int, *, marks: dict[int, str] | None = None, started: bool = True) -> TraceBuilder:
    """n dropped self-cycles; `marks`: a mark before the cycle of that number."""
    b = TraceBuilder()
    if started:
        b.start(threshold=(10, 10, 10))
    for i in range(n):
        if marks and i in marks:
            b.mark(marks[i])
        self_cycle(b)
    return b


def test_json_has_the_documented_keys() -> None:
    values = replay(cycles(30).build(), "cpython-3.11").to_json()
    assert set(values) >= JSON_KEYS
    assert set(values["work"]) == {"visited", "links"}
    assert set(values["collections"][0]) >= {
        "sequence",
        "allocation",
        "cause",
        "generation",
        "candidates",
        "links",
        "collected",
        "bytes",
        "survivors",
    }


def test_results_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    path = tmp_path / "cycles.gcreplay"
    cycles(100).build(path).close()
    code = (
        "import sys; from gcreplay.store import EventLog; from gcreplay.replay import replay; "
        "print(replay(EventLog.open(sys.argv[1]), 'cpython-3.11').result_hash)"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code, str(path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(hashes) == 1


def test_a_window_counts_only_what_happens_in_it() -> None:
    """T0 = 10: the 11th, 22nd, 33rd and 44th birth collect. The window holds births 21 to 40."""
    log = cycles(50, marks={20: "from", 40: "to"}).build()
    whole = replay(log, "cpython-3.11")
    part = replay(log, "cpython-3.11", window=("from", "to"))
    assert [c.allocation for c in whole.collections] == [10, 21, 32, 43]
    assert [c.allocation for c in part.collections] == [21, 32]
    assert part.collected == 22
    # start and 20 cycles of 3 events stand before the first mark, then 20 more of them
    assert part.events == 1 + 20 * 3


def test_a_policy_applied_from_a_mark_finds_the_recorded_state_there() -> None:
    """Recorded T0 = 10 collects at birth 11; at the mark, after 15 births, the counter is 4."""
    log = cycles(60, marks={15: "go"}).build()
    made = replay(log, "generational:20,10,10", apply_from="go").collections
    # 15 births: 11 collected, 4 counted. The counter exceeds 20 with 17 more births: number 32.
    assert [c.allocation for c in made] == [10, 31, 52]
    assert replay(log, "never", apply_from="go").collected == 10
    bound = replay(log, "clairvoyant", apply_from="go")
    assert (bound.live_objects, bound.peak_floating_objects) == (0, 10)


def test_marks_that_are_not_there_are_named() -> None:
    log = cycles(3, marks={1: "a"}).build()
    with pytest.raises(NotFound, match="no mark 'b'; its marks are: a"):
        replay(log, "manual", apply_from="b")


def test_the_programs_own_calls_are_obeyed_unless_thresholds_are_given() -> None:
    def log() -> EventLog:
        b = cycles(5)
        b.gc_call("set_threshold", 3, 10, 10)
        for _ in range(5):
            b.alloc("Node", module="demo")
        return b.build()

    # After 5 births the threshold is 3: the 6th birth collects, then 4 more do not exceed it by 1.
    assert [c.allocation for c in replay(log(), "cpython-3.11").collections] == [5, 9]
    assert replay(log(), "cpython-3.11:10,10,10").collections == ()


def test_disable_enable_and_freeze_are_obeyed() -> None:
    b = TraceBuilder()
    b.start(threshold=(2, 10, 10))
    b.gc_call("disable")
    for _ in range(5):
        b.alloc("Node", module="demo")
    b.gc_call("enable")
    b.alloc("Node", module="demo")  # the counter is 6: collects the 5 before it
    b.gc_call("freeze")
    b.gc_call("collect")  # sees nothing
    b.gc_call("unfreeze")
    b.gc_call("collect")  # sees 6
    seen = [(c.allocation, c.candidates) for c in replay(b.build(), "cpython-3.11").collections]
    assert seen == [(5, 5), (6, 0), (6, 6)]


def test_recorded_flags_decide_under_recorded_settings_and_the_model_otherwise() -> None:
    """Three lists wait in the free list at START; the log says their births came from there."""
    b = TraceBuilder()
    b.start(threshold=(2, 10, 10), free_lists=FreeLists(list=1))
    for _ in range(3):
        b.alloc("list", flags=Flag.GC | Flag.TRACKED)
    b.alloc("list")
    b.alloc("list")
    b.alloc("list")
    log = b.build()
    # As recorded, 3 births count, the last is the third. By the model only the first is taken
    # from the free list of one: the 4th birth is the third counted; the 5 others' count is 2.
    assert [c.allocation for c in replay(log, "cpython-3.11").collections] == [5]
    assert [c.allocation for c in replay(log, "generational:2,10,10").collections] == [3]


def test_hubs_unlink_in_any_order() -> None:
    """A list of 60,000, with parallel links, emptied at random; everything dies in the end."""
    rng = random.Random(1)
    b = TraceBuilder()
    hub = b.alloc("list")
    items = [b.alloc("Node", module="demo") for _ in range(20_000)]
    held = [(item, label) for item in items for label in ("x", "y", None)]
    rng.shuffle(held)
    for item, label in held:
        b.link(hub, item, label=label)
    for item in items:
        b.decref(item)
    rng.shuffle(held)
    for item, label in held[:40_000]:
        b.unlink(hub, item, label=label)
    left = held[40_000:]
    log = b.build()
    run = Replay(log, "never")
    run.begin()
    run.apply(log.events())
    heap = run.engine.snapshot()
    assert sorted(target for target, _ in heap[hub][2]) == sorted(item for item, _ in left)
    assert set(heap) == {hub} | {item for item, _ in left}
    b.decref(hub)
    assert replay(b.build(), "never").live_objects == 0


@pytest.mark.parametrize("others", [0, 1, 5, 100, 200])
def test_a_link_without_a_label_is_undone_before_one_of_another_label(others: int) -> None:
    """Of links in the object, in a block and by hash: the youngest of the label, else the youngest
    without one, else the youngest."""
    b = TraceBuilder()
    hub, item, *rest = (b.alloc("list") for _ in range(2 + others))
    for label in (None, None, "x", "y"):
        b.link(hub, item, label=label)
    for other in rest:
        b.link(hub, other)
    left = []
    for label in ("gone", "x", "gone", "gone"):
        b.unlink(hub, item, label=label)
        with b.build() as log:
            run = Replay(log, "never")
            run.begin()
            run.apply(log.events())
            links = run.engine.snapshot()[hub][2]
            left.append([log.labels[label] for target, label in links if target == item])
    assert left == [["", "x", "y"], ["", "y"], ["y"], []]


def test_an_invalid_log_is_refused_with_the_event() -> None:
    b = TraceBuilder()
    b.alloc("list")
    with EventLog.in_memory() as log:
        log.add_shape(log.add_type("builtins", "list", "list"), 56, 7)
        import numpy as np

        columns = ([1, 3, 2], [0, 0, 0], [0, 1, 1], [0, 0, 0])
        op, *rest = columns
        log.append(np.array(op, np.uint8), *(np.array(column, np.uint32) for column in rest))
        with pytest.raises(InvalidLog, match="event 2, INCREF 0 by 1: names a dead object"):
            replay(log, "never")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("nosuch", "there is no policy 'nosuch'"),
        ("generational:1,2", "are no thresholds"),
        ("generational:a,b,c", "are no thresholds"),
        ("manual:3", "takes no arguments"),
        ("missing.py:P", "there is no file missing.py"),
    ],
)
def test_wrong_policies_are_refused_in_a_sentence(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_policy(spec)


@pytest.mark.parametrize("spec", ["mark-sweep:", "cpython-3.11:", "every:a+manual:"])
def test_a_colon_with_nothing_behind_it_is_refused(spec: str) -> None:
    with pytest.raises(UsageError, match="has nothing behind its colon: leave it out, or say more"):
        make_policy(spec)


def test_policies_come_from_files_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from gcreplay.replay import Policy\n"
        "class Every(Policy):\n"
        "    summary = 'every mark'\n"
        "    def begin(self, heap, start): heap.arm()\n"
        "    def on_mark(self, heap, label): heap.collect(2)\n"
        "class NoPolicy: pass\n"
    )
    log = cycles(10, marks={5: "a"}).build()
    (made,) = replay(log, f"{path}:Every").collections
    assert (made.candidates, made.collected, made.cause) == (5, 5, f"{path}:Every")
    with pytest.raises(UsageError, match="is no policy"):
        make_policy(f"{path}:NoPolicy")
    assert {name.split(":")[0].split("[")[0] for name, _, _ in known_policies()} >= {
        "refcount",
        "never",
        "manual",
        "generational",
        "cpython-3.11",
        "clairvoyant",
    }


def test_a_policy_may_trigger_on_bytes_and_ticks() -> None:
    class Both(Policy):
        summary = "young when 200 bytes were allocated, all after 5 ns"

        def begin(self, heap, start):  # type: ignore[no-untyped-def]
            heap.arm(bytes=200, tick=5)

        def on_bytes(self, heap):  # type: ignore[no-untyped-def]
            heap.collect(0)

        def on_tick(self, heap):  # type: ignore[no-untyped-def]
            heap.collect(2)
            heap.arm(bytes=200)

    b = TraceBuilder()
    for tick in range(10):
        b.alloc("Node", module="demo", size=60)
        b.tick(tick)
    made = replay(b.build(), Both()).collections
    # 60, 120, 180, 240 > 200: the 4th birth. Tick 5 comes after the 6th. From there 60 ... 240:
    # the 10th birth. Causes bear the policy's name.
    assert [(c.allocation, c.generation, c.cause) for c in made] == [
        (3, 0, "Both"),
        (6, 2, "Both"),
        (9, 0, "Both"),
    ]


def test_a_policy_is_refused_on_a_log_that_lacks_what_it_needs() -> None:
    class ByTime(Policy):
        summary = "needs the time"
        needs = frozenset({"ticks"})

        def begin(self, heap, start):  # type: ignore[no-untyped-def]
            heap.arm(tick=1)

    with pytest.raises(UsageError, match="ByTime needs ticks"):
        replay(cycles(1).build(), ByTime())


def observed(log: EventLog) -> list[ObservedCollection]:
    """What an interpreter that does as the replay says would have recorded."""
    return [
        ObservedCollection(
            sequence=c.sequence,
            allocation=c.allocation,
            cause=c.cause,
            generation=c.generation,
            candidates=c.candidates,
            collected=c.collected,
            uncollectable=0,
            long_lived_total=0,
            long_lived_pending=0,
            duration_ns=1,
        )
        for c in replay(log, "cpython-3.11").collections
    ]


def test_verify_names_the_first_difference_and_goes_on() -> None:
    """One birth that did not count, of 100, shifts every collection after it by one."""
    good = cycles(100).build()
    good.add_observed(observed(good))
    assert verify(good).equal
    damaged = TraceBuilder()
    damaged.start(threshold=(10, 10, 10))
    for i in range(100):
        flags = Flag.GC | Flag.TRACKED | (Flag(0) if i == 40 else Flag.COUNTED)
        node = damaged.alloc("Node", module="demo", flags=flags)
        damaged.link(node, node)
        damaged.decref(node)
    log = damaged.build()
    log.add_observed(observed(good))
    result = verify(log)
    # Collections stand at births 11, 22, 33, 44 ...; the 44th is the first after the damage.
    assert not result.equal
    assert (result.recorded, result.replayed, result.position_equal) == (9, 9, 3)
    assert result.generation_equal == 9
    assert result.first_difference is not None
    assert result.first_difference.index == 3
    assert result.first_difference.recorded["allocation"] == 43  # type: ignore[index]
    assert result.first_difference.replayed["allocation"] == 44  # type: ignore[index]


def test_verify_of_a_recording_that_was_cut_compares_what_it_holds() -> None:
    """A killed recorder has noted collections of events that were not written any more."""
    whole = cycles(100).build()
    cut = cycles(60).build()  # collections at births 11, 22, 33, 44 and 55
    cut.add_observed(observed(whole))
    assert not verify(cut).equal
    cut.set_meta(complete=False)
    result = verify(cut)
    assert result.equal
    assert (result.recorded, result.replayed) == (5, 5)


def test_diff_finds_where_the_heaps_part_and_what_stays_longer() -> None:
    """T0 = 10 frees the first ten cycles at birth 11, event 31; T0 = 20 at birth 21, event 61."""
    log = cycles(25).build()
    result = diff((log, "cpython-3.11:10,10,10"), (log, "cpython-3.11:20,10,10"))
    assert result.parting is not None
    assert (result.parting.sequence, result.parting.event) == (31, "ALLOC 10 of shape 0")
    (row,) = result.kept_longer
    assert row.type == "demo.Node"
    # First run: cycles 0-9 die at event 31, 10-20 at event 64 (birth 22), 21-24 stay to the end,
    # 76. Second: 0-19 die at 61, 20-24 stay. Cycles 0-9 live 30 events longer, 10-19 3 less,
    # number 20 lives 76 - 64 = 12 longer: 300 - 30 + 12.
    assert row.change == 282
    collections = next(change for change in result.figures if change.figure == "collections")
    assert (collections.first, collections.second) == (2, 1)
    assert diff((log, "never"), (log, "refcount")).parting is None


def test_diff_of_two_logs_parts_at_the_first_event_that_differs() -> None:
    first, second = cycles(5).build(), cycles(5, marks={3: "m"}).build()
    result = diff((first, "manual"), (second, "manual"))
    assert result.parting is not None
    assert result.parting.sequence == 10  # start, three cycles of three events, then the mark


@pytest.mark.parametrize("seed", range(4))
def test_noted_deaths_are_those_that_are_counted(seed: int) -> None:
    """How each object died, and where it stood then, add up to the figures of the result."""
    log = program(seed)
    run = Replay(log, "cpython-3.11:10,3,2")
    run.note_deaths()
    result = run.run()
    assert run.deaths is not None and run.died_in is not None and run.freed is not None
    dead = run.deaths < log.event_count
    for freed, counted in ((0, result.died_by_refcount), (1, result.died_by_collector)):
        spaces = run.died_in[dead & (run.freed == freed)]
        assert np.bincount(spaces, minlength=5).tolist() == list(counted)
