"""What the tests of the command line share."""

from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from gcreplay.store.builder import TraceBuilder

Gcreplay = Callable[..., Result]


def write_cycles(path: Path, cycles: int) -> None:
    """A node that is kept, then `cycles` nodes that each hold themselves and are dropped.

    Only a collector can free those. 5 + 3 * cycles events, 1 + cycles objects, and no free list
    that could serve them.
    """
    trace = TraceBuilder(python="3.11.7", argv=["cycles.py"])
    trace.start()
    trace.mark("begin")
    kept = trace.alloc("Node", module="app", site=("cycles.py", 1, "main"))
    trace.incref(kept)
    for _ in range(cycles):
        cycle = trace.alloc("Node", module="app", site=("cycles.py", 3, "loop"))
        trace.link(cycle, cycle, label=".me")
        trace.decref(cycle)
    trace.mark("end")
    trace.build(path).close()
