"""The collector of CPython 3.13 (Python/gc.c, tag v3.13.0)."""

from __future__ import annotations

from typing import ClassVar

from .cpython312 import CPython312


class CPython313(CPython312):
    """CPython 3.12's, with a first threshold of 2000 (gc_select_generation, gc_collect_main).

    The incremental collector of its pre-releases was taken out before 3.13.0; the threshold stayed.
    """

    summary = "CPython 3.13's collector: 3.12's, with thresholds 2000,10,10"
    versions: ClassVar[tuple[str, ...]] = ("3.13",)
    defaults = (2000, 10, 10)
