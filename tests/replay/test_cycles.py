"""Cycles: their components, what hangs from them, their groups; against a plain program."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_cycles import components, hanging
from reference.player import Reference
from strategies import valid_logs

from gcreplay.replay.engine.annotation import garbage_of
from gcreplay.replay.garbage import cycles
from gcreplay.replay.garbage.joining import SUMS
from gcreplay.store import TraceBuilder
from gcreplay.store.log import EventLog

POLICIES: dict[str, dict[str, Any]] = {
    "generational:3,2,1": {"rules": "generational", "thresholds": (3, 2, 1)},
    "cpython-3.11:2,1,1": {"rules": "cpython-3.11", "thresholds": (2, 1, 1)},
    "never": {"rules": "never"},
}


@dataclass(frozen=True)
class Dead:
    """An object that went in a collection: its links, how often collections visited it, and for
    how many events it was garbage."""

    links: list[int]
    bytes: int
    visited: int
    floated: int


Freed = dict[int, Dead]
"""By id, what one collection freed."""


class Noting(Reference):
    """The plain engine, which notes the garbage that goes in each collection.

    What a collection finds counts as it was then, if it is dead when the collection is over, by
    whatever its finalizers did. So does what dies with it: in what the collector deletes, or
    garbage that a finalizer or callback lets go of. What these save is garbage no more.
    """

    def note(self, log: EventLog) -> None:
        self.since = log.start_sequence
        self.unreachable = {int(id): int(at) for at, id in garbage_of(log).due.tolist()}
        self.freed: list[Freed] = []
        self.saved_for = 0
        self.visits: Counter[int] = Counter()
        self.found: Freed = {}

    def is_floating(self, id: int) -> bool:
        return self.unreachable.get(id, self.sequence + 1) <= self.sequence

    def floated(self, id: int) -> int:
        begin = self.unreachable.get(id, self.sequence)
        return max(0, self.sequence - max(begin, self.since))

    def seen(self, id: int, thing: Any, *, found: bool) -> Dead:
        links = [target for target, _ in thing.links]
        visited = max(self.visits[id], found)
        return Dead(links, thing.size + thing.owned, visited, self.floated(id))

    def mortal(self, young: list[int]) -> list[int]:
        young = super().mortal(young)
        self.visits.update(id for id in young if self.is_floating(id))
        return young

    def call_back(self, garbage: list[int], into: int) -> int:
        """The first step behind the search."""
        self.found = {id: self.seen(id, self.things[id], found=True) for id in garbage}
        self.freed.append({})
        return super().call_back(garbage, into)

    def let_go(self, kept: list[int]) -> None:
        """The first step behind the finalizers."""
        for id in self.found:
            saved = id in self.things and id not in self.dying and id not in kept
            if saved and self.is_floating(id):
                self.saved_for += self.floated(id)
                del self.unreachable[id]
        super().let_go(kept)

    def bury(self, id: int, thing: Any) -> None:
        if self.collecting or (self.causing and (id in self.found or self.is_floating(id))):
            self.freed[-1][id] = self.found.get(id) or self.seen(id, thing, found=False)
        super().bury(id, thing)

    def left(self) -> Freed:
        """What is garbage at the end and was not freed."""
        rest = {id: thing for id, thing in self.things.items() if self.is_floating(id)}
        return {id: self.seen(id, thing, found=False) for id, thing in rest.items()}


def played(log: EventLog, rules: dict[str, Any]) -> Noting:
    reference = Noting(log, **rules)
    reference.note(log)
    for events in log.segments():
        reference.apply(events)
    return reference


def summed(parts: list[Freed]) -> dict[str, int]:
    """Cycles and what hangs from them, in numbers; `loose`: what hangs from none, as a finalizer
    has hung it there, or taken apart what held it."""
    total = dict.fromkeys(("count", *SUMS, "loose"), 0)
    for freed in parts:
        graph = {id: [t for t in dead.links if t in freed] for id, dead in freed.items()}
        inside = components(graph)
        members = {id for cycle in inside for id in cycle}
        total["count"] += len(inside)
        total["loose"] += len(freed.keys() - members - hanging(graph, inside).keys())
        for id, dead in freed.items():
            kind = "" if id in members else "hanging_"
            total[f"{kind}objects"] += 1
            total[f"{kind}bytes"] += dead.bytes
            total["visited"] += dead.visited
            total["floating_object_events"] += dead.floated
    return total


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(valid_logs(), st.sampled_from(sorted(POLICIES)))
def test_cycles_and_what_hangs_from_them_are_those_of_a_plain_program(
    log: EventLog, policy: str
) -> None:
    with log:
        found = cycles(log, policy)
        run, total = found.run, found.total()
        plain = played(log, POLICIES[policy])
        expected = summed([*plain.freed, plain.left()])
    loose = sum(group.hanging_objects for group in found.groups if not group.count)
    assert {**total, "loose": loose} == expected
    assert total["visited"] <= found.gc_visited
    assert total["floating_object_events"] + plain.saved_for == run.floating_object_events
    if not run.regions_run:
        assert loose == 0
        assert total["objects"] + total["hanging_objects"] == (
            run.freed_by_collector + run.floating_objects
        )


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


def test_what_was_saved_once_has_not_floated_since() -> None:
    """Unreachable from event 3 to the collection, event 4, which saves it; the last frees it."""
    b = TraceBuilder()
    keeper = b.alloc("list")
    node = b.alloc("Node", module="app", finalizer=1)
    b.link(node, node, label=".me")
    b.decref(node)
    b.gc_call("collect")
    with b.inside(node):
        b.link(keeper, node)
    b.decref(keeper)
    b.gc_call("collect")
    with b.build() as log:
        found = cycles(log)
    assert (found.total()["objects"], found.run.freed_by_collector) == (1, 1)
    assert found.total()["floating_object_events"] == 0
    assert found.run.floating_object_events == 1


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


def _nodes(b: TraceBuilder, n: int, near: bool, start: str = "start") -> None:
    """T.node -> list[0] -> T, made in T.__init__; the line of a list from a free list is near."""
    for _ in range(n):
        node = b.alloc("T", module="app", site=("/app/t.py", 7, start))
        where = ("/app/t.py", 8, "stop", 1) if near else ("/app/t.py", 3, "T.__init__")
        items = b.alloc("list", site=where)
        b.link(node, items, label=".node")
        b.link(items, node, label="[0]")
        b.decref(items)
        b.decref(node)


def test_a_kind_is_one_whether_its_lists_come_from_a_free_list_or_not() -> None:
    """Most of them, here; the place is that of those that are known."""
    b = TraceBuilder()
    _nodes(b, 3, near=True)
    _nodes(b, 2, near=False)
    (group,) = cycles(b.build()).groups
    assert (group.count, group.types) == (5, {"app.T": 5, "list": 5})
    assert group.signature == "app.T.node -> list; list[] -> app.T in t.py:T.__init__"
    assert [(at.line, at.objects) for at in group.sites] == [(3, 2), (7, 5), (8, 3)]


def test_what_is_known_of_a_cycle_is_not_given_up_for_a_kind_that_is_made_elsewhere() -> None:
    """The same shape, of nodes of which none is made where those of T.__init__ are."""
    b = TraceBuilder()
    _nodes(b, 3, near=True, start="other")
    _nodes(b, 2, near=False)
    ends = {
        group.signature.rpartition(" in ")[2]: group.count for group in cycles(b.build()).groups
    }
    assert ends == {"t.py:other": 3, "t.py:T.__init__": 2}


def test_a_kind_of_which_all_places_are_near_joins_the_only_one_of_its_shape_and_file() -> None:
    b = TraceBuilder()
    for n, site in enumerate(
        [
            ("/app/t.py", 3, "make"),
            ("/app/u.py", 3, "make"),
            ("/app/t.py", 9, "later", 1),
            ("/app/v.py", 9, "later", 1),
        ],
        start=1,
    ):
        for _ in range(n):
            items = b.alloc("list", site=site)
            b.link(items, items, label="[0]")
            b.decref(items)
    ends = {
        group.signature.rpartition(" in ")[2]: group.count for group in cycles(b.build()).groups
    }
    assert ends == {"t.py:make": 4, "u.py:make": 2, "v.py:later": 4}
