"""CPython's collector when nothing but the program runs it."""

from __future__ import annotations

from typing import Self

from .cpython311 import CPython311
from .thresholds import WithThresholds


class Manual(CPython311):
    """CPython 3.11 with a first threshold of 0, whatever the program sets itself."""

    summary = "CPython 3.11's collector, run by the program's own gc.collect() calls alone"

    def __init__(self) -> None:
        super().__init__((0, 10, 10))

    @classmethod
    def from_arguments(cls, arguments: str) -> Self:
        return super(WithThresholds, cls).from_arguments(arguments)  # it takes none
