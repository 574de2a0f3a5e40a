"""The collector of CPython 3.14.5 and later (Python/gc.c, branch 3.14 after gh-148726)."""

from __future__ import annotations

from typing import ClassVar

from .cpython313 import CPython313
from .policy import Untrack


class CPython3145(CPython313):
    """CPython 3.13's, brought back after the incremental one of 3.14.0 to 3.14.4.

    Dicts are never untracked, and immortal objects are untracked when a collection meets them
    (update_refs) instead of moving to the permanent generation.
    """

    summary = "CPython 3.14.5's collector: 3.13's; dicts are never untracked"
    versions: ClassVar[tuple[str, ...]] = tuple(f"3.14.{micro}" for micro in range(5, 40))
    untracks = Untrack.TUPLES | Untrack.IMMORTALS
    untracks_in_full = Untrack.TUPLES | Untrack.IMMORTALS
