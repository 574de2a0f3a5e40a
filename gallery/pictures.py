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

from gallery.measure import BUILD, ROOT
from gcreplay.replay import Collection, RunResult
from gcreplay.replay.garbage import cycles
from gcreplay.replay.garbage.ended import ended
from gcreplay.replay.results.series import Axis, Steps, heap_steps
from gcreplay.replay.run import Replay
from gcreplay.report.parts.cycles import Advice, graph
from gcreplay.report.places import Places
from gcreplay.report.renderers.svg import Chart, picture
from gcreplay.report.view import (
    Column,
    Distribution,
    Dot,
    Line,
    Moment,
    Scatter,
    Series,
)
from gcreplay.store import EventLog

FOLDER = ROOT / "docs" / "pictures"
BINS = 300
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
    """What is needed, and garbage that waits under three first thresholds."""
    axis = _events(of.caches)
    edges = axis.edges(BINS)
    lines = []
    for threshold in (700, 2000, 5000):
        run = Replay(of.caches, f"cpython-3.11:{threshold},10,10")
        run.note_deaths()
        steps = heap_steps(run, run.run())
        lines.append(_line(f"garbage under {threshold:,}", steps.floating_bytes, axis, edges))
    thinning = _each(of.caches)
    title = "Garbage that waits for a collection"
    return Series("heap", title, "events", "bytes", edges, tuple(lines), thinning=thinning)


def pauses(of: Recordings) -> Series:
    """A pause is as long as what the collection visits."""
    axis = _events(of.caches)
    run = _run(of.caches, "cpython-3.11:100,10,10")
    moments = tuple(_moment(one, axis) for one in run.collections)
    title = "Objects that each collection visits"
    return Series("pauses", title, "events", "objects", np.array([0.0, axis.end]), (), moments)


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


def cycle(of: Recordings) -> Chart:
    """The cycle of an error, and the reference that is best cut."""
    found = cycles(of.errors)
    cut = Advice("handle:failure", "frame of handle", ":failure", "", ())
    return graph(1, found.groups[0], found, Places.of(of.errors), cut)


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


def _events(log: EventLog) -> Axis:
    start, end = float(log.start_sequence), float(log.event_count)
    return Axis("events", np.array([start, end]), np.array([0.0, end - start]))


def _each(log: EventLog) -> str:
    return f"each point is {(log.event_count - log.start_sequence) // BINS:,} events"


def _line(name: str, steps: Steps, axis: Axis, edges: np.ndarray) -> Line:
    thin = steps.thinned(axis.places(steps.at), edges)
    return Line(name, thin.low, thin.high, thin.mean)


def _moment(one: Collection, axis: Axis) -> Moment:
    at = float(axis.places([one.sequence])[0])
    kind = "full" if one.generation == 2 else "young"
    return Moment(at, kind, f"{one.candidates:,} objects", float(one.candidates))


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
