"""What objects held, by name: attributes, keys, indices, locals.

A recording names them in readings: of one object at one moment. Of an older one, and for objects
that no reading has, there are the labels of LINK events, which logs made by hand have.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gcreplay.store.events import REPAIR_LABELS, Op
from gcreplay.store.log import EventLog
from gcreplay.store.readings import POSITION, Readings, label_text

from .births import births_of

OWN_DICT = ".__dict__"
_KEY = re.compile(r"\['([^\W\d]\w*)'\]")
_TITLED = {
    "module": "module {}",
    "type": "class {}",
    "function": "function {}",
    "builtin_function_or_method": "function {}",
    "code": "code of {}",
    "frame": "frame of {}",
    "generator": "generator {}",
    "coroutine": "coroutine {}",
    "async_generator": "async generator {}",
    "cell": "cell {}",
    "method": "method {}",
}


@dataclass(frozen=True, slots=True)
class Edge:
    """A reference: ids of two objects, and its name as people read it; "" where it has none."""

    source: int
    label: str
    target: int


def folded(label: str) -> str:
    """The name of a key of an instance's `__dict__`, as that of an attribute."""
    key = _KEY.fullmatch(label)
    return f".{key[1]}" if key else label


class Names:
    """The names in a recording.

    `known`: it has any. `readings`: all of them, in the order of the log.
    """

    def __init__(self, log: EventLog) -> None:
        self.readings: Readings = log.readings()
        self.labels = log.labels
        self.known = len(self.readings) > 0 or _links_are_labelled(log)
        self._births = births_of(log)
        self._type_of = np.array([shape.type for shape in log.shapes], np.uint32)
        self._types = log.types
        # Readings of one object stand together, in the order of the log.
        self._order = np.argsort(self.readings.object, kind="stable")
        self._sorted = self.readings.object[self._order]

    def reading(self, object: int, sequence: int | None = None) -> int | None:
        """Number of the last reading of an object at or before an event (None: of all)."""
        low, high = np.searchsorted(self._sorted, [object, object + 1])
        mine = self._order[low:high]
        if sequence is not None:
            mine = mine[: np.searchsorted(self.readings.sequence[mine], sequence, side="right")]
        return int(mine[-1]) if len(mine) else None

    def type(self, object: int) -> str:
        """Qualified name of its type."""
        return self._types[int(self._type_of[self._births.shape[object]])].qualified

    def title(self, object: int, sequence: int | None = None) -> str:
        """What a person would call it: `checkout` of a function or its frame; "": nothing known."""
        row = self.reading(object, sequence)
        return self.labels[int(self.readings.title[row])] if row is not None else ""

    def called(self, object: int, sequence: int | None = None) -> str:
        """The object in words: `frame of checkout`, `class Order`, else its type without module."""
        kind = self.type(object)
        title = self.title(object, sequence)
        if title and kind in _TITLED:
            return _TITLED[kind].format(title)
        if title and self._types[int(self._type_of[self._births.shape[object]])].kind == "type":
            return f"class {title}"
        return kind.rpartition(".")[2]

    def links(self, object: int, sequence: int | None = None) -> list[Edge]:
        """What its last reading at or before an event says it holds."""
        row = self.reading(object, sequence)
        if row is None:
            return []
        span = slice(int(self.readings.first[row]), int(self.readings.first[row + 1]))
        return [
            Edge(object, self.text(int(label)), int(target))
            for target, label in zip(
                self.readings.target[span], self.readings.label[span], strict=True
            )
        ]

    def edges(self, object: int, sequence: int | None = None) -> list[Edge]:
        """As `links`, where the `__dict__` of an instance is no object of its own: its keys are
        attributes. Whether something else holds that dict is for the caller to know."""
        edges = []
        for edge in self.links(object, sequence):
            inner = self.links(edge.target, sequence) if edge.label == OWN_DICT else []
            if inner and self.type(edge.target) == "dict":
                edges += [Edge(object, folded(one.label), one.target) for one in inner]
            else:
                edges.append(edge)
        return edges

    def text(self, label: int) -> str:
        """The name that a label stands for; "" for a position among all children."""
        return "" if label >= POSITION else label_text(self.labels, label)

    def path(self, edges: Sequence[Edge], sequence: int | None = None) -> str:
        """References one behind another: `Order.lines -> list[0] -> Line.order -> Order`."""
        if not edges:
            return ""
        steps = [f"{self.called(edge.source, sequence)}{edge.label}" for edge in edges]
        return " -> ".join([*steps, self.called(edges[-1].target, sequence)])


def _links_are_labelled(log: EventLog) -> bool:
    """Whether LINK events say labels, as those of logs made by hand do."""
    repairs = (*REPAIR_LABELS.values(), "")
    names = [i for i, label in enumerate(log.labels) if label not in repairs]
    if not names:
        return False
    return any(
        np.isin(segment.c[segment.op == np.uint8(Op.LINK)], names).any()
        for segment in log.segments()
    )
