"""What objects held, by name: attributes, keys, indices, locals.

A recording names them in readings: of one object at one moment. Of an older one, and for objects
that no reading has, there are the labels of LINK events, which logs made by hand have.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from gcreplay.store.events import REPAIR_LABELS, U32, Op
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


def titles(readings: Readings, objects: int) -> U32:
    """By object, what a person would call it, as it was last read to be called: id in the log's
    labels, 0 none."""
    title = np.zeros(objects, np.uint32)
    titled = readings.title != 0
    title[readings.object[titled]] = readings.title[titled]  # of the same object the last stands
    return title


class Names:
    """The names in a recording.

    `known`: it has any. `readings`: all of them, in the order of the log.
    """

    def __init__(self, log: EventLog) -> None:
        self.readings: Readings = log.readings()
        self.labels = log.labels
        self.known = len(self.readings) > 0 or _links_are_labelled(log)
        self._title = titles(self.readings, log.object_count)
        self._shape = births_of(log).shape
        self._types = [log.types[shape.type] for shape in log.shapes]

    def type(self, object: int) -> str:
        """Qualified name of its type."""
        return str(self._types[self._shape[object]].qualified)

    def called(self, object: int) -> str:
        """The object in words: `frame of checkout`, `class Order`, else its type without module."""
        kind = self._types[self._shape[object]]
        title = self.labels[int(self._title[object])]
        if title and kind.qualified in _TITLED:
            return _TITLED[kind.qualified].format(title)
        if title and kind.kind == "type":
            return f"class {title}"
        return str(kind.qualified).rpartition(".")[2]

    def text(self, label: int) -> str:
        """The name that a label stands for; "" for a position among all children."""
        return "" if label >= POSITION else label_text(self.labels, label)


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
