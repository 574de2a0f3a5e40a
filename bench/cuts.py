"""References cut in a replay, and really cut in the source: what was predicted, and what happens.

Each program of tests/programs is recorded as it is and replayed without one reference. Its version
in which that is cut is really run, and recorded for what no real run tells: the peak of objects.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tables import section, table

from gcreplay.replay.cuts import Cut, cut_log
from gcreplay.replay.cuts.suggest import suggest, visited
from gcreplay.replay.run import replay
from gcreplay.store import EventLog
from gcreplay.tracer import RealOptions, RecordOptions, record, run_real

PROGRAMS = Path(__file__).resolve().parent.parent / "tests" / "programs"
CASES = {
    "tree": "Node.parent",
    "client": "Client.on_reply",
    "checkout": "checkout:error",
    "closures": "visit.cell_contents",
    "cached": "Report._total.__self__",
    "taskgroup": "TaskGroup.__aexit__:me",
}
"""By program: the reference that its other version does not take."""
HEADS = ["program", "cut", "figure", "as it is", "predicted", "real", "error", "suggested"]
NOTE = (
    "The same hash seed in all runs. Collections, collected and visited are of a real, unrecorded "
    "run of the version that is cut; the peak is of a recording of it, as the memory of a process "
    "says nothing so small. Suggested: what `cycles --suggest` names first."
)
FIXED = {"PYTHONHASHSEED": "0"}


@dataclass(frozen=True, slots=True)
class Figures:
    """What is compared."""

    collections: int
    collected: int
    visited: int
    peak_bytes: int


PROBES = {
    "closely (`--granularity 50 --full-probe 700`)": (50, 700),
    "with no probes of its own": (0, 0),
}


def recorded(folder: Path, probes: tuple[int, int], name: str, *arguments: str) -> Path:
    """A recording of the program."""
    output = folder / f"{name}{len(arguments)}.gcreplay"
    granularity, full_probe = probes
    done = record(
        RecordOptions(
            output=output,
            argv=[str(PROGRAMS / f"{name}.py"), *arguments],
            granularity=granularity,
            full_probe=full_probe,
            probe_budget=0,
            force=True,
            environment=FIXED,
        )
    )
    if done.exit_code:
        raise SystemExit(f"{name} failed: {done.message}")
    return output


def replayed(log: EventLog) -> Figures:
    """Under the recorded setting."""
    run = replay(log, "cpython-3.11")
    return Figures(len(run.collections), run.collected, visited(run), run.peak_bytes)


def really(name: str, peak_bytes: int) -> Figures:
    """Of a run of the version that is cut, which nobody records."""
    run = run_real(RealOptions([str(PROGRAMS / f"{name}.py"), "cut"], environment=FIXED))
    made = run.collections
    return Figures(
        len(made),
        sum(one.collected for one in made),
        sum(one.candidates for one in made),
        peak_bytes,
    )


def compared(
    folder: Path, probes: tuple[int, int], name: str
) -> tuple[Figures, Figures, Figures, str]:
    """The program as it is, cut in the replay and cut in the source; what is suggested first."""
    with EventLog.open(recorded(folder, probes, name)) as log:
        before = replayed(log)
        with cut_log(log, [Cut.parse(CASES[name])]) as cut:
            predicted = replayed(cut.log)
        first = next(iter(suggest(log)), None)
    with EventLog.open(recorded(folder, probes, name, "cut")) as log:
        peak = replayed(log).peak_bytes
    return before, predicted, really(name, peak), str(first.cut) if first else "-"


def error(predicted: int, real: int) -> str:
    """In per cent of what is real."""
    return "0 %" if predicted == real else f"{100 * (predicted - real) / max(1, real):+.1f} %"


def report(title: str, probes: tuple[int, int]) -> str:
    """The table of recordings with such probes."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in CASES:
            before, predicted, real, first = compared(Path(folder), probes, name)
            for figure in Figures.__slots__:
                was, told, is_ = (getattr(one, figure) for one in (before, predicted, real))
                head = (name, f"`{CASES[name]}`") if figure == "collections" else ("", "")
                last = f"`{first}`" if figure == "collections" else ""
                cells = (f"{was:,}", f"{told:,}", f"{is_:,}", error(told, is_))
                rows.append((*head, figure.replace("_", " "), *cells, last))
    return section(f"Cutting references, recorded {title}", table(HEADS, rows), NOTE)


if __name__ == "__main__":
    for title, probes in PROBES.items():
        sys.stdout.write(report(title, probes) + "\n\n")
