"""What is alive and what of it grows: the values that `leaks` returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..modules import Origin, origin, root_of
from .growth import Growth


@dataclass(frozen=True, slots=True)
class Step:
    """An object on a way from a root, and the name of the reference that leads to it: `.order`,
    `[3]`, empty for the root and where it is unknown. called: the object in words, `module shop`.
    A running frame is one of no object, 4294967295."""

    edge: str
    object: int
    type: str
    called: str

    def to_json(self) -> dict[str, Any]:
        return {
            "edge": self.edge,
            "object": self.object,
            "type": self.type,
            "called": self.called,
        }


@dataclass(frozen=True, slots=True)
class Kind:
    """Objects of one type from one site that are alive: how many, and their own bytes (shallow).

    growth, bytes_growth: of their number and of their bytes, None where that cannot be told.
    """

    type: str
    file: str
    line: int
    function: str
    near: bool
    objects: int
    bytes: int
    growth: Growth | None
    bytes_growth: Growth | None

    @property
    def own(self) -> bool:
        """Whether it is made in the user's own code."""
        return origin(self.file) is Origin.OWN

    @property
    def built_in(self) -> bool:
        """Whether the type is one of `builtins`."""
        return "." not in self.type

    @property
    def multiplies(self) -> bool:
        """Whether there are steadily more of them; else they may become larger."""
        return self.growth is not None and self.growth.steady

    @property
    def growing(self) -> bool:
        return any(one is not None and one.steady for one in (self.growth, self.bytes_growth))

    def to_json(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "site": {
                "file": self.file,
                "line": self.line,
                "function": self.function,
                "near": self.near,
            },
            "objects": self.objects,
            "shallow_bytes": self.bytes,
            "growing": self.growing,
            "objects_growth": self.growth and self.growth.to_json(),
            "bytes_growth": self.bytes_growth and self.bytes_growth.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Holder:
    """One object that keeps others alive: every way to them passes through it.

    path: to it, from a root that is a module or a type if one leads there. name: the same in one
    word, as `shop.audit.HISTORY`, or empty. kept: bytes of what is asked about that it keeps, and
    share of all of that. retained: bytes that would be free without it, shallow: its own.
    """

    path: tuple[Step, ...]
    name: str
    kept: int
    share: float
    retained: int
    shallow: int

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "path": [step.to_json() for step in self.path],
            "kept_bytes": self.kept,
            "share": round(self.share, 4),
            "retained_bytes": self.retained,
            "shallow_bytes": self.shallow,
        }


@dataclass(frozen=True, slots=True)
class Leak:
    """A kind that grows, with those that grow along with it, kept by the same holder. Of all these
    `kind` is the one that tells most: made in one's own code, of no built-in type, near the holder.

    retained: bytes that would be free without its objects. path: to one of them. alike: of so
    many objects tried, how many have such a path. unseen: how many of its objects something
    refers to that no recorded object shows: running code, or C.
    growth: in bytes, of all these kinds together; None where they do not grow.
    """

    kind: Kind
    similar: tuple[Kind, ...]
    retained: int
    path: tuple[Step, ...]
    alike: tuple[int, int]
    unseen: int
    holder: Holder | None
    growth: Growth | None

    def to_json(self) -> dict[str, Any]:
        return {
            **self.kind.to_json(),
            "retained_bytes": self.retained,
            "path": [step.to_json() for step in self.path],
            "path_of": {"alike": self.alike[0], "looked_at": self.alike[1]},
            "held_by_nothing_visible": self.unseen,
            "holder": self.holder and self.holder.to_json(),
            "growth": self.growth and self.growth.to_json(),
            "similar": [kind.to_json() for kind in self.similar],
        }


@dataclass(frozen=True, slots=True)
class Leaks:
    """What is alive right before event `sequence`, by type and site, the most bytes first.

    between: the marks between which all of it was born, or became larger, if two were given.
    objects, bytes: all of it. unit, steps: what growth is counted in, a kind of marks or, where
    empty, events. enough: whether there is enough of that to tell growth. named: whether
    references have names there. whole: whether all links there are known, as they are where all
    of the heap was read.
    growing: what is made in one's own code first, then by how fast it grows. staying: between
    marks, where nothing grows, what was born there and is alive. holder: what keeps most of all
    that grew, or stays.
    """

    sequence: int
    between: tuple[str, str] | None
    objects: int
    bytes: int
    unit: str
    steps: int
    enough: bool
    named: bool
    whole: bool
    kinds: tuple[Kind, ...]
    growing: tuple[Leak, ...]
    staying: tuple[Leak, ...]
    holder: Holder | None

    @property
    def root(self) -> str:
        """The folder that all one's own files have in common, as `root_of` says it."""
        return root_of(kind.file for kind in self.kinds)

    def to_json(self) -> dict[str, Any]:
        return {
            "sequence": self.sequence,
            "between": self.between,
            "objects": self.objects,
            "bytes": self.bytes,
            "unit": self.unit or "events",
            "steps": self.steps,
            "enough_to_tell": self.enough,
            "named": self.named,
            "whole_heap_read": self.whole,
            "growing": [leak.to_json() for leak in self.growing],
            "staying": [leak.to_json() for leak in self.staying],
            "holder": self.holder and self.holder.to_json(),
            "alive": [kind.to_json() for kind in self.kinds],
        }
