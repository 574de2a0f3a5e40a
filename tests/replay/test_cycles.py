"""Cycles: their components, what hangs from them, their groups; against a plain program."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from plain_cycles import components, hanging
from reference.player import Reference
from strategies import valid_logs

from gcreplay.replay.engine.annotation import garbage_of
from gcreplay.replay.garbage import cycles
from gcreplay.store import TraceBuilder
from gcreplay.store.log import EventLog

POLICIES: dict[str, dict[str, Any]] = {
    "generational:3,2,1": {"rules": "generational", "thresholds": (3, 2, 1)},
    "cpython-3.11:2,1,1": {"rules": "cpython-3.11", "thresholds": (2, 1, 1)},
    "never": {"rules": "never"},
}


Freed = dict[int, tuple[list[int], int]]


class Noting(Reference):
    """The plain engine, which notes what each collection frees, with its links and bytes."""

    def note(self) -> None:
        self.freed: list[Freed] = []

    def bury(self, id: int, thing: Any) -> None:
        if self.collecting:
            targets = [target for target, _ in thing.links]
            self.freed[-1][id] = targets, thing.size + thing.owned
        super().bury(id, thing)

    def delete(self, garbage: list[int]) -> None:
        self.freed.append({})
        super().delete(garbage)


def played(log: EventLog, rules: dict[str, Any]) -> Noting:
    reference = Noting(log, **rules)
    reference.note()
    for events in log.segments():
        reference.apply(events)
    return reference


def left_floating(log: EventLog, plain: Noting) -> Freed:
    """What is garbage at the end and was not freed."""
    ids = garbage_of(log).due["id"].tolist()
    things = {id: plain.things[id] for id in ids if id in plain.things}
    return {
        id: ([target for target, _ in thing.links], thing.size + thing.owned)
        for id, thing in things.items()
    }


def summed(parts: list[Freed]) -> dict[str, int]:
    """Cycles and what hangs from them, in numbers."""
    total = dict.fromkeys(("count", "objects", "bytes", "hanging_objects", "hanging_bytes"), 0)
    for freed in parts:
        graph = {id: [t for t in targets if t in freed] for id, (targets, _) in freed.items()}
        inside = components(graph)
        members = {id for cycle in inside for id in cycle}
        hung = set(freed) - members
        assert set(hanging(graph, inside)) == hung
        total["count"] += len(inside)
        total["objects"] += len(members)
        total["bytes"] += sum(freed[id][1] for id in members)
        total["hanging_objects"] += len(hung)
        total["hanging_bytes"] += sum(freed[id][1] for id in hung)
    return total


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(valid_logs(), st.sampled_from(sorted(POLICIES)))
def test_cycles_and_what_hangs_from_them_are_those_of_a_plain_program(
    log: EventLog, policy: str
) -> None:
    with log:
        found = cycles(log, policy)
        run, total = found.run, found.total()
        assume(garbage_of(log).regions is None)  # of those with any see below
        plain = played(log, POLICIES[policy])
        expected = summed([*plain.freed, left_floating(log, plain)])
    assert {name: total[name] for name in expected} == expected
    assert total["visited"] <= found.gc_visited
    assert total["objects"] + total["hanging_objects"] == (
        run.freed_by_collector + run.floating_objects
    )
    assert total["floating_object_events"] == run.floating_object_events


def test_what_a_finalizer_takes_apart_in_a_collection_was_a_cycle() -> None:
    """`__del__` unlinks the child, and the cycle with it: both die by their counts, in a collection
    that found them. What a finalizer makes and drops is no garbage; what it saves is not freed."""
    b = TraceBuilder()
    b.start()
    child = b.alloc("Child", module="app")
    node = b.alloc("Node", module="app", finalizer=1, site=("/app/node.py", 3, "make"))
    saved = b.alloc("Node", module="app", finalizer=1, site=("/app/node.py", 9, "keep"))
    b.link(node, node, label=".me")
    b.link(node, child, label=".child")
    b.link(saved, saved, label=".me")
    for one in (child, node, saved):
        b.decref(one)
    b.gc_call("collect")
    with b.inside(node):
        b.decref(b.alloc("list"))
        b.unlink(node, child, label=".child")
        b.unlink(node, node, label=".me")
    with b.inside(saved):
        b.incref(saved)
    b.mark("end")
    with b.build() as log:
        found = cycles(log)
    assert [(group.count, group.objects, group.hanging_objects) for group in found.groups] == [
        (1, 1, 1)
    ]
    assert found.groups[0].example.path == "Node.me -> Node"
    assert found.groups[0].signature == "app.Node.me -> app.Node in node.py:make"


def test_what_two_cycles_hold_hangs_from_that_with_the_oldest_object() -> None:
    """Leaf 0 hangs from both, behind a list of the younger; and a cycle that hangs is a cycle."""
    b = TraceBuilder()
    b.start()
    leaf = b.alloc("str")
    old, young = (b.alloc(name, module="app") for name in ("Old", "Young"))
    items = b.alloc("list")
    for one in (old, young):
        b.link(one, one, label=".me")
    b.link(young, items, label=".items")
    b.link(items, leaf, label="[0]")
    b.link(old, leaf, label=".leaf")
    b.link(young, old, label=".old")
    for one in (leaf, old, young, items):
        b.decref(one)
    b.gc_call("collect")
    with b.build() as log:
        found = cycles(log)
    hung = {next(iter(group.types)): group.hanging_objects for group in found.groups}
    assert hung == {"app.Old": 1, "app.Young": 1}


def test_sizes_do_not_matter_and_a_dict_of_its_own_is_no_object_of_the_shape() -> None:
    """Orders of one, two and three lines are one kind; the last was never read: it has no names."""
    b = TraceBuilder()
    b.start()
    for n in (1, 2, 3):
        order, own, lines = b.alloc("Order", module="shop"), b.alloc("dict"), b.alloc("list")
        b.link(order, own)
        b.link(own, lines)
        made = [b.alloc("Line", module="shop", site=("/app/o.py", n, "fill")) for _ in range(n)]
        for line in made:
            b.link(lines, line)
            b.link(line, order)
        for one in (order, own, lines, *made):
            b.decref(one)
        if n < 3:
            b.read(order, [(own, ".__dict__")])
            b.read(own, [(lines, "['lines']")])
            b.read(lines, [(line, i) for i, line in enumerate(made)])
            for line in made:
                b.read(line, [(order, ".order")])
            b.gc_call("collect")
    with b.build() as log:
        found = cycles(log)
    kinds = {group.signature: group for group in found.groups}
    named = (
        "list[] -> shop.Line; shop.Line.order -> shop.Order; shop.Order.lines -> list in o.py:fill"
    )
    assert kinds[named].count == 2
    assert kinds[named].example.path == "Order.lines -> list[0] -> Line.order -> Order"
    assert kinds[named].types == {"shop.Line": 3, "dict": 2, "list": 2, "shop.Order": 2}


def test_a_line_is_one_place_whether_exact_or_near() -> None:
    b = TraceBuilder()
    b.start()
    order = b.alloc("Order", module="shop", site=("/app/o.py", 6, "take"))
    lines = b.alloc("list", site=("/app/o.py", 6, "take", 1))
    b.link(order, lines)
    b.link(lines, order)
    b.decref(order)
    b.decref(lines)
    (group,) = cycles(b.build()).groups
    assert [(at.line, at.objects, at.near) for at in group.sites] == [(6, 2, False)]
