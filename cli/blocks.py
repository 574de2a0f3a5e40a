"""A block of code of which a recording shall tell: `with gcreplay.block("parse"):`.

Recorded programs import this: it imports nothing, and where nothing is recorded it does nothing.
"""

from __future__ import annotations

import sys


class block:
    """Marks begin and end of a block. Under `pytest --gcreplay` its test fails where the block
    makes more cyclic garbage, makes the collector visit more objects, or leaves more objects alive
    than that."""

    __slots__ = ("_begin", "_end")

    def __init__(
        self,
        name: str,
        *,
        limit_cyclic_garbage: int | None = None,
        limit_gc_objects: int | None = None,
        limit_leaked_objects: int | None = None,
    ) -> None:
        limits = {
            "limit_cyclic_garbage": limit_cyclic_garbage,
            "limit_gc_objects": limit_gc_objects,
            "limit_leaked_objects": limit_leaked_objects,
        }
        given = ", ".join(f"{key}={n:d}" for key, n in limits.items() if n is not None)
        self._begin = f"block {name} ({given})"
        self._end = f"end of block {name}"

    def __enter__(self) -> None:
        mark(self._begin)

    def __exit__(self, *error: object) -> None:
        mark(self._end)


def mark(label: str) -> None:
    """Set a mark in the recording, if this process is recorded."""
    capture = sys.modules.get("gcreplay_capture")
    if capture is not None:
        capture.mark(label)
