"""Garbage and cycles in the report, as data: of logs written by hand."""

from collections.abc import Iterator

import pytest

from gcreplay.replay.garbage import ended
from gcreplay.report.parts.cycles import Advice, cycles
from gcreplay.report.parts.garbage import garbage
from gcreplay.report.places import Places
from gcreplay.report.view import Figures, Graph, Section, Table, Words
from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder

SHOP = "/srv/shop/orders.py"


@pytest.fixture(scope="module")
def orders() -> Iterator[EventLog]:
    """Two orders with a line each that refers back, of which a collection frees one; and one kind
    of a library."""
    b = TraceBuilder()
    b.start()
    for i in range(2):
        order = b.alloc("Order", module="shop", size=64, site=(SHOP, 41, "Order.__init__"))
        line = b.alloc("Line", module="shop", size=80, site=(SHOP, 17, "Line.__init__"))
        b.link(order, line, label=".line")
        b.link(line, order, label="['order']")
        b.decref(line)
        b.decref(order)
        other = b.alloc("Node", module="lib", size=48, site=("/v/site-packages/lib.py", 3, "f"))
        b.link(other, other)
        b.decref(other)
        if i == 0:
            b.gc_call("collect")
    with b.build() as log:
        log.add_lines({(SHOP, 41): "    self.line = Line(self)\n", (SHOP, 17): "x"})
        yield log


def table(section: Section, id: str) -> Table:
    return next(one for one in section.blocks if isinstance(one, Table) and one.id == id)


def test_garbage_stands_by_type_and_by_line(orders: EventLog) -> None:
    section, findings = garbage(ended(orders), Places.of(orders), "gcreplay cycles x")
    figures = next(one for one in section.blocks if isinstance(one, Figures))
    assert [(one.text, one.note) for one in figures.figures[:2]] == [
        ("3 objects", "192 B"),
        ("3 objects", "192 B"),
    ]
    by_type = table(section, "garbage-types")
    assert [[cell.raw for cell in row] for row in by_type.rows] == [
        ["shop.Line", 1, 80, 33.333, 1, 80, 33.333],
        ["shop.Order", 1, 64, 33.333, 1, 64, 33.333],
        ["lib.Node", 1, 48, 33.333, 1, 48, 33.333],
    ]
    by_line = table(section, "garbage-lines")
    assert [(row[0].text, row[0].full, row[1].raw, row[2].raw) for row in by_line.rows] == [
        ("orders.py:17 Line.__init__", f"{SHOP}:17 Line.__init__", "shop.Line", 1),
        ("orders.py:41 Order.__init__", f"{SHOP}:41 Order.__init__", "shop.Order", 1),
        ("site-packages/lib.py:3 f", "/v/site-packages/lib.py:3 f", "lib.Node", 1),
    ]
    assert all(len(row) == len(by_line.columns) for row in by_line.rows)
    assert all(column.help for one in (by_type, by_line) for column in one.columns)
    assert [one.text for one in findings] == ["4 of 6 objects of garbage are made in your code."]


def test_a_cycle_is_a_graph_with_named_edges_and_its_source(orders: EventLog) -> None:
    found = ended(orders).cycles
    places = Places.of(orders)
    section, findings = cycles(found, places, "gcreplay cycles x", None, "gcreplay suggest")
    first, second = (one for one in section.blocks if isinstance(one, Graph))
    assert [node.text for node in first.nodes] == ["Order", "Line"]
    assert [(one.source, one.target, one.name, one.cut) for one in first.edges] == [
        (0, 1, ".line", False),
        (1, 0, "['order']", False),
    ]
    assert first.nodes[0].place == "orders.py:41 Order.__init__"
    assert [(one.place, one.full, one.text) for one in first.sources] == [
        ("orders.py:17", f"{SHOP}:17", "x"),
        ("orders.py:41", f"{SHOP}:41", "self.line = Line(self)"),
    ]
    assert "2 times, 2 objects and 144 B each" in first.words[0]
    assert "It is made in a library, not in your code." in second.words
    assert [one.text for one in section.blocks if isinstance(one, Words)] == [
        "A reference without a name: the recording has read none for it.",
        "Which of these references is best cut? This tries each in a replay:",
        "gcreplay suggest",
    ]
    assert [one.text for one in findings] == [
        "One kind of cycles in your code: 4 objects that only the collector frees, "
        "66.7 % of its work; made at orders.py:17 Line.__init__."
    ]


def test_the_reference_that_is_best_cut_is_marked(orders: EventLog) -> None:
    found = ended(orders).cycles
    own = found.groups[0]
    advice = Advice("Order.line", "Order", ".line", "2 objects fewer", ("weak: ...",), (), "x is y")
    section, findings = cycles(
        found, Places.of(orders), "", {own.signature: advice}, "gcreplay suggest"
    )
    first = section.blocks[0]
    assert isinstance(first, Graph)
    assert [one.cut for one in first.edges] == [True, False]
    assert first.words[-3:] == (
        "Best cut: Order.line. 2 objects fewer.",
        "weak: ...",
        "Take care: x is y.",
    )
    assert findings[1].id == "cycles-cut"


def test_a_long_cycle_is_drawn_by_its_ends() -> None:
    b = TraceBuilder()
    b.start()
    chain = [b.alloc(f"T{i:02}", module="m", site=("a.py", 1, "f")) for i in range(20)]
    for i, one in enumerate(chain):
        b.link(one, chain[(i + 1) % 20], label=f".n{i}")
    for one in chain:
        b.decref(one)
    with b.build() as log:
        section, _ = cycles(ended(log).cycles, Places.of(log), "")
    drawn = section.blocks[0]
    assert isinstance(drawn, Graph)
    names = [node.text for node in drawn.nodes]
    assert len(names) == 12
    assert names[6] == "(9 more)"
    at = [(one.source, one.target) for one in drawn.edges]
    assert at == [(i, (i + 1) % 12) for i in range(12)]


def test_a_librarys_cycle_that_costs_next_to_nothing_is_counted_not_drawn() -> None:
    """One examination of 1,000 is for the library's cycle, the others are for the program's."""
    b = TraceBuilder()
    b.start(enabled=False)
    for i in range(1000):
        place = ("/v/site-packages/lib.py", 3, "f") if i == 0 else (SHOP, 41, "f")
        node = b.alloc("Node", module="lib" if i == 0 else "shop", site=place)
        b.link(node, node)
        b.decref(node)
    b.gc_call("collect")
    with b.build() as log:
        section, _ = cycles(ended(log).cycles, Places.of(log), "gcreplay cycles x")
    (drawn,) = [one for one in section.blocks if isinstance(one, Graph)]
    assert drawn.nodes[0].text == "Node"
    assert drawn.nodes[0].place.startswith("orders.py:41")
    told = [one.text for one in section.blocks if isinstance(one, Words)]
    assert "Not drawn: 1 more kind, 0.10 % of the collector's work." in told


def test_without_garbage_a_sentence_says_so() -> None:
    b = TraceBuilder()
    b.start()
    b.decref(b.alloc("list"))
    with b.build() as log:
        found, places = ended(log), Places.of(log)
        for section, findings in (garbage(found, places, "x"), cycles(found.cycles, places, "x")):
            assert "freed" in section.meaning
            assert (section.blocks, section.command, findings) == ((), "", [])
