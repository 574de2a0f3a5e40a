"""Where one's own source takes the reference that is to be cut."""

import json
from pathlib import Path

import pytest
from command_line import Gcreplay

from gcreplay.assigned import Sources
from gcreplay.replay.cuts import Cut
from gcreplay.store.builder import TraceBuilder

SOURCE = '''\
class Order:
    def __init__(self, lines):
        self.lines = [Line(self, one) for one in lines]

class Line:
    def __init__(self, order, text):
        self.text, self.order = text, order
        self.lines = None

    @staticmethod
    def moved(line, order):
        line.order = order

    def close(self):
        self.order = None

def handle(text):
    failure = None
    try:
        return parse(text)
    except ValueError as error:
        failure = error
    def again():
        failure = "no"
        return again
    return str(failure)
'''


def sources(tmp_path: Path, kept: dict[int, str] | None = None) -> Sources:
    path = tmp_path / "shop.py"
    path.write_text(SOURCE)
    lines = {1: "class Order:"} if kept is None else kept
    return Sources({(str(path), number): text for number, text in lines.items()})


@pytest.mark.parametrize(
    ("cut", "set_at", "last"),
    [
        ("Line.order", [7], None),  # not the static method's, and None closes no cycle
        ("Order.lines", [3], None),  # of its class, not of another
        ("Line.lines", [], None),
        ("handle:failure", [22], 26),  # its own, not that of the function within
        ("handle.<locals>.again:failure", [], None),
        ("again.cell_contents", [23], None),
        ("handle['text']", [], None),
    ],
)
def test_lines_are_those_of_that_class_or_function(
    tmp_path: Path, cut: str, set_at: list[int], last: int | None
):
    taken = sources(tmp_path).taken(Cut.parse(cut), "handle")
    assert [line.number for line in taken.set_at] == set_at
    assert (taken.last_used_at.number if taken.last_used_at else None) == last


def test_source_without_a_line_that_the_recording_has_is_another(tmp_path: Path):
    cut = Cut.parse("Line.order")
    assert sources(tmp_path, {5: "class Line:", 99: "gone"}).taken(cut, "").set_at == ()
    assert sources(tmp_path, {6: "class Line:"}).taken(cut, "").set_at == ()
    assert Sources({(str(tmp_path / "none.py"), 1): ""}).taken(cut, "").set_at == ()


def test_what_is_no_python_tells_none(tmp_path: Path):
    path = tmp_path / "shop.py"
    path.write_text("self.order = (\n")
    found = Sources({(str(path), 1): "self.order = ("}).taken(Cut.parse("Line.order"), "")
    assert found.set_at == ()


def test_a_suggestion_says_the_line(gcreplay: Gcreplay, tmp_path: Path):
    path = tmp_path / "shop.py"
    path.write_text(SOURCE)
    b = TraceBuilder()
    for _ in range(800):
        order = b.alloc("Order", module="shop", site=(str(path), 17, "handle"))
        line = b.alloc("Line", module="shop", site=(str(path), 3, "Order.__init__"))
        b.link(order, line, label=".lines")
        b.link(line, order, label=".order")
        b.decref(line)
        b.decref(order)
    with b.build(tmp_path / "t.gcreplay") as log:
        log.add_lines({(str(path), 17): "def handle(text):"})
    told = gcreplay("cycles", tmp_path / "t.gcreplay", "--suggest").output.splitlines()
    assert [line.strip() for line in told[-4:-2]] == [
        "made at shop.py:3 Order.__init__",
        "set at shop.py:7  self.text, self.order = text, order",
    ]
    said = gcreplay("cycles", tmp_path / "t.gcreplay", "--suggest", "--format", "json").stdout
    (one,) = json.loads(said)["suggestions"]
    text = "self.text, self.order = text, order"
    assert one["set_at"] == [{"file": str(path), "line": 7, "text": text}]
    assert one["last_used_at"] is None
