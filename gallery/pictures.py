"""The pictures of the documentation, drawn from recordings of examples.

Each is made by one function. They show counts and bytes, which are the same each time, and no
times. `python -m gallery.pictures` writes them (`make pictures`), a test makes them again.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gallery import charts
from gallery.measure import BUILD, ROOT
from gcreplay.replay import RunResult
from gcreplay.replay.garbage.ended import ended
from gcreplay.replay.run import Replay
from gcreplay.report.renderers.svg import Chart, picture
from gcreplay.report.view import Column, Distribution, Dot, Graph, Scatter, Series
from gcreplay.store import EventLog

FOLDER = ROOT / "docs" / "pictures"
PRESENT = "cpython-3.11"
THRESHOLDS = (100, 300, 700, 1400, 3000, 5000, 9000, 16000)


@dataclass(frozen=True, slots=True)
class Recordings:
    """Of two examples: caches that are dropped as large cycles, and errors that hold themselves."""

    caches: EventLog
    errors: EventLog


def record(folder: Path) -> Recordings:
    """With probes at fixed numbers of allocations, no site packages and a bare environment, so that
    counts are those of the interpreter and the program alone."""
    return Recordings(*(_recorded(folder, name) for name in ("lru_cache", "requests")))


def _recorded(folder: Path, name: str) -> EventLog:
    trace = folder / f"{name}.gcreplay"
    command = [str(Path(sys.executable).with_name("gcreplay")), "record", "--force"]
    command += ["--granularity", "50", "--full-probe", "700", "--python", sys.executable]
    command += ["-o", str(trace), "--", "-S", f"examples/{name}.py"]
    bare = {"PATH": os.defpath, "PYTHONHASHSEED": "0"}
    subprocess.run(command, cwd=ROOT, env=bare, check=True, capture_output=True)
    return EventLog.open(trace)


def heap(of: Recordings) -> Series:
    """Garbage that waits under three first thresholds."""
    return charts.garbage(of.caches, {f"{n:,}": f"{PRESENT}:{n},10,10" for n in (700, 2000, 5000)})


def pauses(of: Recordings) -> Series:
    """A pause is as long as what the collection visits."""
    return charts.visits(of.caches, f"{PRESENT}:100,10,10")


def settings(of: Recordings) -> Scatter:
    """The collector's work against the most memory, by first threshold."""
    runs = {f"{first:,}": _run(of.caches, f"cpython-3.11:{first},10,10") for first in THRESHOLDS}
    points = {
        name: (sum(c.candidates for c in run.collections), run.peak_bytes)
        for name, run in runs.items()
    }
    dots = tuple(
        Dot(name, x, y, _role(name, points), f"{name},10,10: {x:,} objects visited, {y:,} bytes")
        for name, (x, y) in points.items()
    )
    work, memory = Column("objects visited", "number"), Column("peak memory", "size")
    return Scatter("settings", "Work against memory, by first threshold", work, memory, dots)


def cycle(of: Recordings) -> Graph:
    """The cycle of an error, and the reference that is best cut."""
    return charts.cycle(of.errors, "handle:failure", "frame of handle", ":failure")


def ages(of: Recordings) -> Distribution:
    """How many objects are made in the life of one, by how it dies."""
    died = ended(of.caches).ages
    counts = (("by reference count", died.objects[0]), ("in a collection", died.objects[1]))
    title = "Objects by their age at death"
    return Distribution("ages", title, "objects", died.edges.astype(np.float64), counts)


PICTURES: dict[str, Callable[[Recordings], Chart]] = {
    "heap": heap,
    "pauses": pauses,
    "settings": settings,
    "cycle": cycle,
    "ages": ages,
}


def drawn(of: Recordings) -> dict[str, str]:
    """The pictures by name, as SVG; a comment says of which interpreter."""
    made_by = f"<!-- CPython {platform.python_version()} -->"
    return {name: f"{picture(make(of))}\n{made_by}\n" for name, make in PICTURES.items()}


def _run(log: EventLog, policy: str) -> RunResult:
    return Replay(log, policy).run()


def _role(name: str, points: dict[str, tuple[int, int]]) -> str:
    x, y = points[name]
    if name == "700":
        return "present"
    beaten = any(a <= x and b <= y and (a, b) != (x, y) for a, b in points.values())
    return "other" if beaten else "front"


def main() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in drawn(record(BUILD)).items():
        (FOLDER / f"{name}.svg").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
