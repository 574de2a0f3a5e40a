"""Garbage for logs made by hand."""

from __future__ import annotations

from gcreplay.store import TraceBuilder


def self_cycle(
    b: TraceBuilder,
    type: str = "Node",
    *,
    size: int | None = None,
    finalizer: int = 0,
    label: str | None = None,
) -> int:
    """x = Node(); x.me = x; del x: three events, and an object that only itself holds."""
    node = b.alloc(type, module="demo", size=size, finalizer=finalizer)
    b.link(node, node, label=label)
    b.decref(node)
    return node


def self_cycles(b: TraceBuilder, n: int) -> None:
    """So many of them."""
    for _ in range(n):
        self_cycle(b, label="me")
