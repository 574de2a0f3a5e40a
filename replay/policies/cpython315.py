"""The collector of CPython 3.15 (Python/gc.c, tag v3.15.0)."""

from __future__ import annotations

from typing import ClassVar

from .cpython3145 import CPython3145


class CPython315(CPython3145):
    """CPython 3.14.5's. What 3.15 changes is not seen in a replay: weak references without a
    callback are cleared after finalizers instead of before (handle_weakref_callbacks,
    clear_weakrefs), and uses of weak references inside finalizers count nowhere.
    """

    summary = "CPython 3.15's collector: in a replay the same as 3.14.5's"
    versions: ClassVar[tuple[str, ...]] = ("3.15",)
