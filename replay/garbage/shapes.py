"""Which cycles are alike: those with the same links by type, name and type.

How many objects there are does not matter, so that a tree of ten nodes and one of a thousand have
one shape. Indices are one name, `[]`, and so are keys of one type, `[str]`: they are data. Keys of
an instance's `__dict__` are attributes, which are code.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gcreplay.store.events import OPAQUE_LABEL, U32

from ..references import OWN_DICT, folded

ANY_INDEX = "[]"
ANY_TEXT = "[str]"
MOST_WORDS = 160
_INDEX = re.compile(r"\[\d+\]")
_CHILD = re.compile(r"\(child \d+\)")


@dataclass(frozen=True, slots=True, order=True)
class ShapeEdge:
    """A link of a shape: qualified names of two types, and the name; "" where nobody knows it."""

    source: str
    label: str
    target: str

    def to_json(self) -> dict[str, str]:
        return {"from": self.source, "label": self.label, "to": self.target}


Shape = tuple[ShapeEdge, ...]
"""The links of a shape, sorted."""


def types_of(shape: Shape) -> frozenset[tuple[str, str]]:
    """The types of its links, without names."""
    return frozenset((edge.source, edge.target) for edge in shape)


def shape_label(label: str) -> str:
    """What a name counts as in a shape."""
    if _INDEX.fullmatch(label):
        return ANY_INDEX
    if label.startswith("['"):
        return ANY_TEXT
    return "" if _CHILD.fullmatch(label) else label


@dataclass(frozen=True, slots=True, eq=False)
class LabelTable:
    """How labels count in shapes. texts: by number in shapes. folded, attribute: uint32 by label,
    such a number; the second is for keys of a `__dict__`. indexed: the number of indices.
    own_dict: the label `.__dict__`, 0 where there is none."""

    texts: tuple[str, ...]
    folded: U32
    attribute: U32
    indexed: int
    own_dict: int

    @classmethod
    def of(cls, labels: Sequence[str]) -> LabelTable:
        numbers: dict[str, int] = {"": 0}
        plain, attribute = (np.zeros(max(2, len(labels)), np.uint32) for _ in range(2))
        for i, label in enumerate(labels):
            if i == OPAQUE_LABEL:
                continue
            plain[i] = numbers.setdefault(shape_label(label), len(numbers))
            attribute[i] = numbers.setdefault(shape_label(folded(label)), len(numbers))
        indexed = numbers.setdefault(ANY_INDEX, len(numbers))
        own = labels.index(OWN_DICT) if OWN_DICT in labels else 0
        return cls(tuple(numbers), plain, attribute, indexed, own)


def shapes_of(
    links: U32, components: int, types: Sequence[str], labels: Sequence[str]
) -> tuple[U32, list[Shape]]:
    """Number of the shape of each component, and the shapes.

    links: uint32[4, n], place of the component, type, number of the label and type of each.
    """
    place, source, label, target = (column.astype(np.uint64) for column in links)
    wide, broad = np.uint64(len(labels)), np.uint64(len(types))
    code = (source * wide + label) * broad + target
    codes, edge = np.unique(code, return_inverse=True)
    edges = [
        ShapeEdge(
            types[int(one // broad // wide)], labels[int(one // broad % wide)], types[one % broad]
        )
        for one in codes.tolist()
    ]
    every = np.uint64(max(1, len(codes)))
    pairs = np.unique(place * every + edge.astype(np.uint64))
    first = np.searchsorted(pairs // every, np.arange(components + 1, dtype=np.uint64))
    edge = (pairs % every).astype(np.uint32)
    known: dict[bytes, int] = {}
    shape = np.zeros(components, np.uint32)
    raw, ends = edge.tobytes(), (first * 4).tolist()
    for i in range(components):
        shape[i] = known.setdefault(raw[ends[i] : ends[i + 1]], len(known))
    return shape, [
        tuple(sorted({edges[one] for one in np.frombuffer(text, np.uint32).tolist()}))
        for text in known
    ]


def signature(shape: Shape, functions: Sequence[str]) -> str:
    """The shape and functions in a line that stays the same where lines of code move. A long one is
    cut, and ends with what tells it from others that begin like it."""
    links = "; ".join(f"{edge.source}{edge.label} -> {edge.target}" for edge in shape)
    text = links + "".join(f" in {function}" for function in functions if function)
    if len(text) <= MOST_WORDS:
        return text
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    ending = "".join(f" in {function}" for function in functions if function)
    room = max(20, MOST_WORDS - len(ending) - len(digest) - 6)
    return f"{links[:room]}... #{digest}{ending}"
