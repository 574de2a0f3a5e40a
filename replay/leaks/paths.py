"""Ways from roots in words: steps of which each has the name of the reference that leads to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from gcreplay.store.events import I64, OPAQUE_LABEL
from gcreplay.store.log import EventLog

from ..references import OWN_DICT, Names, folded
from .holding import Holding
from .result import Step
from .seen import Seen

_TRIED: Final = 24
"""Objects of a kind whose ways are compared, to show the usual one."""
_DEEP: Final = 64
"""A way that is longer is not compared."""
_ROOTS: Final = ("module ", "class ")
"""What people know by name begins so."""


class Paths:
    """Puts ways in the heap into words."""

    def __init__(self, log: EventLog, seen: Seen, objects: int) -> None:
        self._names = Names(log)
        self._seen = seen
        self._objects = objects

    def path(self, way: Iterable[tuple[int, int]]) -> tuple[Step, ...]:
        """The steps from the root on; the own dictionary of an instance or a module is none, where
        the way leads on."""
        steps: list[Step] = []
        for link, vertex in reversed(list(way)):
            step = self._step(link, vertex)
            if steps and steps[-1].edge == OWN_DICT and steps[-1].type == "dict" and step.edge:
                steps.pop()
                step = replace(step, edge=folded(step.edge))
            steps.append(step)
        return tuple(steps)

    def _step(self, link: int, vertex: int) -> Step:
        heap = self._seen.heap
        label = int(heap.label[link]) if link >= 0 else 0
        edge = self._names.text(label) if label > OPAQUE_LABEL else ""
        if vertex >= self._objects:
            title = self._names.labels[self._seen.title[vertex - self._objects]]
            return Step(edge, int(heap.id[vertex]), "frame", f"frame of {title}")
        object_ = int(heap.id[vertex])
        return Step(edge, object_, self._names.type(object_), self._names.called(object_))


def usual(holding: Holding, paths: Paths, members: I64) -> tuple[tuple[Step, ...], tuple[int, int]]:
    """The path to one of these objects that most of those tried have, and how many do."""
    depth = holding.depth[members]
    near = members[depth <= _DEEP]
    if not len(near):
        return paths.path(holding.way(int(members[np.argmin(depth)]))), (1, 1)
    chosen = near[np.unique(np.linspace(0, len(near) - 1, _TRIED).astype(np.int64))]
    found = [paths.path(holding.way(int(vertex))) for vertex in chosen]
    shapes = [tuple((_unnumbered(step.edge), step.type) for step in path) for path in found]
    shape, times = Counter(shapes).most_common(1)[0]
    return found[shapes.index(shape)], (times, len(found))


def _unnumbered(edge: str) -> str:
    """The edge, with any index for the others."""
    return "[#]" if edge[1:-1].isdigit() else edge


def dotted(path: Sequence[Step]) -> str:
    """The path as code would name it; empty where it does not begin at a module or type, or a
    reference has no name."""
    for kind in _ROOTS:
        if path[0].called.startswith(kind) and all(step.edge for step in path[1:]):
            return path[0].called.removeprefix(kind) + "".join(step.edge for step in path[1:])
    return ""
