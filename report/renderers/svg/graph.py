"""A cycle, drawn so that it can be read like a text: objects below one another, each reference to
the next one straight down with its name beside it, every other one at the right in a lane of its
own. It is never wider than a telephone, and no name covers another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

from gcreplay.report.renderers.svg.draw import CHARACTER, drawing, elided, shown, tag, words
from gcreplay.report.view import Edge, Graph

BOX: Final = 25
"""So many characters of an object's text, 15 of a reference's name, are shown; a title has all."""
NAME: Final = 15
BOLD: Final = 8.3
"""The width of a bold character, in pixels."""
LINE, SLOT, GAP, LANE, PAD = 17.0, 20.0, 34.0, 12.0, 10.0


@dataclass(slots=True)
class _Box:
    """An object: where it stands, and how many references at its right are placed so far."""

    y: float
    height: float
    slots: int = 0

    def slot(self) -> float:
        """The height of the next reference at the right side."""
        self.slots += 1
        return self.y + SLOT * (self.slots - 0.5) + 2


def graph_svg(graph: Graph) -> str:
    """The drawing, 200 to 400 pixels wide whatever the graph is."""
    order = reading_order(graph)
    down, aside = _parted(graph, order)
    width = max((len(_text(graph, n, part)) for n in order for part in (0, 1)), default=4)
    right = width * BOLD + 2 * PAD
    boxes = _boxes(graph, order, aside)
    parts = [_down(edge, boxes, order) for edge in down]
    label = max((len(_label(edge)) for edge in aside), default=0) * CHARACTER + 16
    lanes = _lanes(aside, order)
    for edge, lane in zip(aside, lanes, strict=True):
        parts.append(_aside(edge, boxes, right, right + label + lane * LANE))
    parts += [_object(graph, n, boxes[n], right) for n in order]
    beside = max((len(_label(edge)) for edge in down), default=0) * CHARACTER + 40
    reach = right + label + max(lanes, default=0) * LANE + 8 if aside else 0
    height = max((box.y + box.height for box in boxes.values()), default=0.0)
    return drawing(max(right, reach, beside) + 2, height + 2, *parts)


def reading_order(graph: Graph) -> list[int]:
    """Each object after one that refers to it where that can be; as given where that is so."""
    order: list[int] = []
    targets: dict[int, list[int]] = {n: [] for n in range(len(graph.nodes))}
    for edge in graph.edges:
        targets[edge.source].append(edge.target)
    for first in range(len(graph.nodes)):
        waiting = [first]
        while waiting:
            node = waiting.pop()
            if node not in order:
                order.append(node)
                waiting += sorted(targets[node], reverse=True)
    return order


def _parted(graph: Graph, order: list[int]) -> tuple[list[Edge], list[Edge]]:
    """The references that go straight down, and the others."""
    following = dict(pairwise(order))
    down: dict[int, Edge] = {}
    aside = []
    for edge in graph.edges:
        if following.get(edge.source) == edge.target and edge.source not in down:
            down[edge.source] = edge
        else:
            aside.append(edge)
    return [down[n] for n in order if n in down], aside


def _boxes(graph: Graph, order: list[int], aside: list[Edge]) -> dict[int, _Box]:
    boxes, y = {}, 1.0
    for node in order:
        ends = sum((edge.source == node) + (edge.target == node) for edge in aside)
        height = max(LINE * (2 if graph.nodes[node].place else 1) + 10, SLOT * ends + 4)
        boxes[node] = _Box(y, height)
        y += height + GAP
    return boxes


def _lanes(aside: list[Edge], order: list[int]) -> list[int]:
    """A lane for each, near for short ones, so that no two in a lane meet."""
    row = {node: i for i, node in enumerate(order)}
    spans = [sorted((row[edge.source], row[edge.target])) for edge in aside]
    lanes = [0] * len(aside)
    taken: list[list[list[int]]] = []
    for i in sorted(range(len(aside)), key=lambda i: (spans[i][1] - spans[i][0], i)):
        low, high = spans[i]
        free = (
            n for n, lane in enumerate(taken) if all(high < a or b < low for a, b in lane)
        )
        lanes[i] = next(free, len(taken))
        if lanes[i] == len(taken):
            taken.append([])
        taken[lanes[i]].append([low, high])
    return lanes


def _text(graph: Graph, node: int, part: int) -> str:
    one = graph.nodes[node]
    return elided(shown((one.text, one.place)[part]), BOX)


def _label(edge: Edge) -> str:
    return elided(shown(edge.name), NAME) + (" ✂ cut here" if edge.cut else "")


def _named(edge: Edge, x: float, y: float) -> str:
    cut = " cut" if edge.cut else ""
    title = tag("title", escape(shown(edge.name)[:1000]))
    return tag("text", title, escape(_label(edge)), x=x, y=y, class_=f"edge-name{cut}")


def _arrow(d: str, tip: tuple[float, float], towards: tuple[int, int], cut: bool) -> str:
    """A line with a head at its tip, which points down or left."""
    x, y = tip
    head = f"M{x:g} {y:g}l-4-7h8z" if towards == (0, 1) else f"M{x:g} {y:g}l7-4v8z"
    kind = " cut" if cut else ""
    return tag("path", d=d, class_=f"edge{kind}") + tag("path", d=head, class_=f"tip{kind}")


def _down(edge: Edge, boxes: dict[int, _Box], order: list[int]) -> str:
    box, below = boxes[edge.source], boxes[edge.target]
    x, start = 24.0, box.y + box.height
    arrow = _arrow(f"M{x:g} {start:g}V{below.y - 5:g}", (x, below.y - 1), (0, 1), edge.cut)
    return arrow + _named(edge, x + 10, (start + below.y) / 2 + 3)


def _aside(edge: Edge, boxes: dict[int, _Box], right: float, lane: float) -> str:
    start, end = boxes[edge.source].slot(), boxes[edge.target].slot()
    d = f"M{right:g} {start:g}H{lane - 4:g}"
    bend = 4 if end > start else -4
    d += f"q4 0 4 {bend}V{end - bend:g}q0 {bend} -4 {bend}H{right + 5:g}"
    arrow = _arrow(d, (right + 1, end), (-1, 0), edge.cut)
    return arrow + _named(edge, right + 8, start - 4)


def _object(graph: Graph, node: int, box: _Box, width: float) -> str:
    one = graph.nodes[node]
    place = words(_text(graph, node, 1), PAD, box.y + 5 + 2 * LINE - 5, "place")
    return tag(
        "g",
        tag("title", escape(shown(f"{one.text} {one.place}".strip())[:1000])),
        tag("rect", x=1, y=box.y, width=width - 1, height=box.height, rx=5, class_="object"),
        words(_text(graph, node, 0), PAD, box.y + 5 + LINE - 4, "type"),
        place if one.place else "",
    )
