"""Which references a cut means: `Line.order`, `shop.Registry['lines']`, `checkout:error`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from gcreplay.store.errors import UsageError
from gcreplay.store.values import shown

_KINDS = r"frame\ of|code\ of|(async\ )?generator|coroutine|function|module|class|cell|method"
_TEXT = re.compile(
    rf"""
    (?P<kind>(?:{_KINDS})\ )?
    (?P<holder>.+?)
    (?P<label> \.\w+ | \[.*\] | \(.*\) | :\(stack\) | :\.?\w+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_KEY = re.compile(r"""\[(?P<quote>['"])(?P<key>.*)(?P=quote)\]""", re.DOTALL)
_EXAMPLES = "Line.order, shop.Registry['lines'] or checkout:error"


@dataclass(frozen=True, slots=True)
class Cut:
    """All references with one label from the objects of one name.

    holder: name of a type, bare or with its module, or what an object is called: a frame has the
    name of its function. titled: only the latter. label: as the log's labels are written.
    """

    holder: str
    label: str
    titled: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """The cut that a text says; raises UsageError for what says none."""
        found = _TEXT.fullmatch(text)
        if found is None:
            raise UsageError(
                f"--cut {shown(text)} names no reference: write a type and a label such as "
                f"{_EXAMPLES}"
            )
        label = found["label"]
        if key := _KEY.fullmatch(label):
            label = f"['{key['key']}']"
        return cls(found["holder"], label, found["kind"] is not None)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of such references of an instance, and of its dictionary if it has one."""
        return (self.label, f"['{self.label[1:]}']") if self.label[0] == "." else (self.label,)

    def means(self, name: str) -> bool:
        """Whether this name of a type or an object is the holder's."""
        return name == self.holder or name.endswith(f".{self.holder}")

    def __str__(self) -> str:
        return f"{self.holder}{self.label}"
