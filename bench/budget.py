"""What each addition costs: instructions of the recorded program and of the ingest, and bytes.

`python bench/budget.py w03 --commits 479eac4 1a2b3c4 .` builds each commit apart, once, and
compares them in this order; `.` is this checkout as it stands. An addition is what a commit has
more than the one before it. Instructions are counted by valgrind, which no other load changes; it
takes some fifty times as long as the programs, of which two are taken unless others are named.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from instructions import taken
from tables import section, show, table
from workloads import BUILD, CHECKOUT, EMPTY, VALGRIND, Workloads, chosen, options

from gcreplay.store import EventLog

BEFORE = "479eac4"
"""The last commit before the work that is to keep to a budget."""
HERE = "."
PROGRAMS = ("w03", "w06")
NOTE = (
    "Of the program: instructions of its process while it is recorded, over those of a plain run. "
    "Ingest: instructions for an event, as in the table of the ingest. Both less what `-c pass` "
    "takes in the same way. Bytes: of the whole recording, for an event. In brackets the change "
    "from the line above."
)


@dataclass(frozen=True, slots=True)
class Costs:
    """What recording one program costs: a ratio, instructions and bytes for an event."""

    program: float
    ingest: float
    size: float
    events: int


def costs(workloads: Workloads, names: Sequence[str], plain: Mapping[str, int]) -> dict[str, Costs]:
    """By program; `plain` are the instructions of plain runs."""
    path = BUILD / "budget.gcreplay"
    start, start_ingest = workloads.instructions_recorded(path, EMPTY), taken(workloads, EMPTY)
    found = {}
    for name in names:
        program = [f"{name}.py"]
        more = workloads.instructions_recorded(path, program) - start
        with EventLog.open(path) as log:
            events = log.event_count
        ingest = taken(workloads, program)
        found[name] = Costs(
            more / plain[name],
            (ingest.instructions - start_ingest.instructions)
            / (ingest.events - start_ingest.events),
            path.stat().st_size / events,
            events,
        )
    return found


def gcreplay_of(commit: str) -> Path:
    """The command of that commit, built in a folder of its own."""
    if commit == HERE:
        return Path(sys.executable).parent / "gcreplay"
    folder = BUILD / "commits" / _git("rev-parse", "--short=12", commit)
    if not (folder / "ready").exists():
        print(f"building {commit} in {folder.relative_to(CHECKOUT)} ...", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        archive = subprocess.run(
            ["git", "-C", str(CHECKOUT), "archive", commit], check=True, capture_output=True
        )
        subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
        python = f"PYTHON={Path(sys.base_prefix, 'bin', 'python3')}"
        make = ["make", "-C", str(folder), "build", python, "VENV=.venv"]
        subprocess.run(make, check=True, capture_output=True)
        (folder / "ready").touch()
    return folder / ".venv" / "bin" / "gcreplay"


def sections(
    workloads: Workloads, names: Sequence[str], commits: Sequence[str] = (BEFORE, HERE)
) -> Iterator[str]:
    title = f"Budget: what each commit costs, recorded {workloads.how}"
    if shutil.which(VALGRIND[0]) is None:
        yield section(title, "Not counted: there is no valgrind here.")
        return
    start = workloads.instructions_plain(EMPTY)
    plain = {name: _plain(workloads, name) - start for name in names}
    found = {
        commit: costs(workloads.recorded_by(gcreplay_of(commit)), names, plain)
        for commit in commits
    }
    rows = []
    for which in ("median", *names):
        before: list[float] = []
        for commit, by_name in found.items():
            figures = _figures(by_name.values() if which == "median" else [by_name[which]])
            rows.append(
                [
                    *(which, _said(commit)),
                    *map(_with_change, figures, before or figures, ("{:.3f}", "{:.0f}", "{:.3f}")),
                ]
            )
            before = figures
    heads = ["program", "commit", "program, recorded / plain", "ingest, an event", "bytes an event"]
    yield section(title, NOTE, table(heads, rows))


def some_of(names: Sequence[str]) -> list[str]:
    """As many as there is patience for."""
    return [name for name in names if name.startswith(PROGRAMS)] or list(names[:1])


def _plain(workloads: Workloads, name: str) -> int:
    workloads.cost_plain([f"{name}.py"])  # warms the caches
    return workloads.instructions_plain([f"{name}.py"])


def _figures(of: Iterable[Costs]) -> list[float]:
    each = list(of)
    figures: tuple[Callable[[Costs], float], ...]
    figures = (lambda one: one.program, lambda one: one.ingest, lambda one: one.size)
    return [median(map(figure, each)) for figure in figures]


def _with_change(value: float, before: float, form: str) -> str:
    change = "" if value == before else f" ({value / before - 1:+.1%})"
    return form.format(value) + change


def _said(commit: str) -> str:
    """The commit and its subject, such that a table can hold it."""
    if commit == HERE:
        return "this checkout"
    return _git("log", "-1", "--format=%h %s", commit).replace("|", "\\|")


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(CHECKOUT), *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--commits", nargs="+", default=[BEFORE, HERE], metavar="COMMIT")
    given = parser.parse_args()
    workloads, names = chosen(given)
    show(
        sections(workloads, names if given.programs else some_of(names), given.commits),
        given.output,
    )
