"""Floating garbage, and the two bounds: what no policy can be worse or better than."""

from __future__ import annotations

import os
import random

from cycles import self_cycle
from hypothesis import HealthCheck, given, settings
from reference import Reference
from strategies import valid_logs

from gcreplay.replay import replay
from gcreplay.replay.engine.annotation import garbage_of
from gcreplay.store import EventLog, TraceBuilder
from gcreplay.store.events import Op

LOGS = 150 if os.environ.get("CI") == "true" else 60


def unreachable_in(plain: Reference) -> set[int]:
    """Objects that no external reference leads to."""
    external = {id: thing.count for id, thing in plain.things.items()}
    for thing in plain.things.values():
        for target, _ in thing.links:
            external[target] -= 1
    todo = [id for id, n in external.items() if n > 0]
    reachable: set[int] = set()
    while todo:
        id = todo.pop()
        if id not in reachable:
            reachable.add(id)
            todo += [target for target, _ in plain.things[id].links]
    return set(plain.things) - reachable


def by_brute_force(log: EventLog) -> dict[int, int]:
    """{id: event after which it was unreachable for good}, by searching the heap every time."""
    plain = Reference(log, "never")
    events = log.events()
    since: dict[int, int] = {}
    for i in range(len(events)):
        plain.apply(events.part(i, i + 1))
        lost = unreachable_in(plain)
        since = {id: since.get(id, i) for id in lost}
    return since


def program(seed: int, steps: int) -> EventLog:
    """A program that, as programs do, only touches what it can reach from its variables."""
    rng = random.Random(seed)
    b = TraceBuilder()
    links: dict[int, list[int]] = {}
    names: list[int] = []
    for _ in range(steps):
        move = rng.randrange(9)
        if move < 2 or not names:
            new = b.alloc("Node", module="demo")
            links[new] = []
            names.append(new)
        elif move < 5:
            source, target = rng.choice(names), rng.choice(names)
            b.link(source, target)
            links[source].append(target)
        elif move == 5:
            source = rng.choice(names)
            if links[source]:
                target = links[source][rng.randrange(len(links[source]))]
                b.incref(target)
                names.append(target)
        elif move == 6:
            source = rng.choice(names)
            if links[source]:
                target = links[source].pop(rng.randrange(len(links[source])))
                b.unlink(source, target)
        else:
            b.decref(names.pop(rng.randrange(len(names))))
    return b.build()


def test_garbage_becomes_unreachable_exactly_when_brute_force_says_so() -> None:
    """On logs of real programs the Merlin times equal a search of the whole heap per event."""
    found = 0
    for seed in range(60):
        with program(seed, 120) as log:
            due = garbage_of(log).due
            times = dict(zip(due["id"].tolist(), due["sequence"].tolist(), strict=True))
            assert times == by_brute_force(log)
            found += len(times)
    assert found > 100  # the programs do leave garbage


def test_under_never_the_floating_garbage_is_all_there_is() -> None:
    """What brute force finds unreachable after each event, summed, is the integral."""
    for seed in range(20):
        with program(seed, 120) as log:
            result = replay(log, "never")
            times = by_brute_force(log)
            assert result.floating_objects == len(times)
            last = log.event_count - 1
            assert result.floating_object_events == sum(last - since for since in times.values())


@settings(max_examples=LOGS, deadline=None, suppress_health_check=list(HealthCheck))
@given(log=valid_logs(owned=False))
def test_clairvoyant_frees_all_garbage_and_nothing_that_is_used_again(log: EventLog) -> None:
    with log:
        bound, never = replay(log, "clairvoyant"), replay(log, "never")
        assert bound.revived == 0
        assert bound.collected == never.floating_objects
        assert bound.live_objects == never.live_objects - never.floating_objects
        assert bound.peak_floating_objects == bound.floating_object_events == 0
        for policy in ("cpython-3.11", "generational:2,1,1"):
            between = replay(log, policy)
            assert between.peak_objects <= never.peak_objects
            if not between.revived:
                assert bound.live_objects <= between.live_objects <= never.live_objects


def test_a_garbage_cycle_floats_from_its_last_reference_to_its_collection() -> None:
    """Events: 0 alloc, 1 link, 2 decref (unreachable), 3 and 4 marks, 5 collect: 3 events long."""
    b = TraceBuilder()
    self_cycle(b, size=100)
    b.mark("x")
    b.mark("y")
    b.gc_call("collect")
    log = b.build()
    assert log.op_counts[Op.MARK] == 2
    result = replay(log, "manual")
    assert (result.floating_object_events, result.floating_byte_events) == (3, 300)
    assert (result.peak_floating_objects, result.floating_objects) == (1, 0)


def test_garbage_that_hangs_from_a_cycle_is_freed_with_it_but_not_counted_as_collected() -> None:
    """A leaf object dies of the collection, by its reference count, as CPython counts."""
    b = TraceBuilder()
    node, leaf = b.alloc("Node", module="demo", size=48), b.alloc("str", size=50)
    b.link(node, node)
    b.link(node, leaf)
    b.decref(leaf)
    b.decref(node)
    b.gc_call("collect")
    (made,) = replay(b.build(), "manual").collections
    assert (made.collected, made.freed, made.bytes) == (1, 2, 98)
