"""A service of three workers, as tests of several recordings see it, written by hand.

A collection takes 1 ms, and 100 ns for each object that it frees; each worker takes 50 ms. Under
700,10,10 the one that drops 1,500 cycles makes 2 collections, the one that drops 5,000 makes 7, and
the one that keeps 100 objects makes none.
"""

from pathlib import Path
from typing import Any

from gcreplay.replay.estimates.pauses import PauseError, PauseModel
from gcreplay.store.builder import TraceBuilder

MODEL = PauseModel(1e6, 0.0, 0.0, 100.0, 0.0, 0.0, "measured", 60, PauseError(0.03, 0.1, 0.2))
TOLD: dict[str, Any] = {
    "argv": ["path/to/app.py", "--fast"],
    "counts": "probed",
    "own_cpu_ns": 50_000_000,
    "pauses": MODEL.to_json(),
}


def write_worker(
    path: Path, *, kept: int = 0, cycles: int = 0, size: int = 48, mark: str | None = "ready"
) -> None:
    """Keeps so many objects, passes a mark, and drops objects that each hold themselves."""
    trace = TraceBuilder(**TOLD)
    trace.start()
    for _ in range(kept):
        trace.incref(trace.alloc("Tile", module="app", site=("app.py", 2, "load")))
    if mark is not None:
        trace.mark(mark)
    for _ in range(cycles):
        one = trace.alloc("Node", module="app", size=size, site=("app.py", 5, "work"))
        trace.link(one, one, label=".me")
        trace.decref(one)
    trace.build(path).close()


def write_service(folder: Path) -> Path:
    folder.mkdir()
    write_worker(folder / "a.gcreplay", kept=1, cycles=1500)
    write_worker(folder / "b.gcreplay", kept=1, cycles=5000)
    write_worker(folder / "c.gcreplay", kept=100)
    return folder
