"""Pauses predicted from one recording at the defaults, and those of real runs under each setting.

`python bench/pauses.py w03 --settings 5000,10,10`. Real runs are unrecorded: the capture's
measuring mode notes how long each collection takes, and reads no object.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tables import bar, section, show, table
from whatif import policy_of
from workloads import Workloads, chosen, options, variables

from gcreplay.replay import Collection, replay
from gcreplay.replay.estimates.pauses import PauseModel
from gcreplay.screen.pauses import measured_model, pause_model, quiet
from gcreplay.store import EventLog
from gcreplay.tracer.real import RealOptions, RealRun, RealRunner

ROUNDS = 3
GOAL = 0.30
WINDOW = ("start", "end")
LEFT_OUT = {"manual", "disabled"}  # manual: a real run needs the hook that passes its marks
NOTE = (
    "Inside the program's window, in which real collections ran. Two models, both of the default "
    "setting alone, and both used on the collections that the replay predicts, so that their "
    "errors hold those of the what-if: *recorded* is what a plain recording gives, *measured* is "
    "fitted to {rounds} unrecorded runs. Real: {rounds} interleaved unrecorded runs, the least of "
    "each collection where they made the same ones. Errors are predicted over real, less 1. Times "
    "are noisy, the more so when the machine does other work."
)

Cell = tuple[str, str]
"""A program and a setting."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Of the sum of the window's pauses, and of its longest one; relative."""

    total: float
    longest: float


def real_runs(
    workloads: Workloads, cells: Sequence[Cell], rounds: int
) -> dict[Cell, list[RealRun]]:
    """Unrecorded runs of each program under each setting, which it applies itself."""
    runner = RealRunner(workloads.python, workloads.environment({}))
    runs: dict[Cell, list[RealRun]] = {cell: [] for cell in cells}
    for _ in range(rounds):
        for name, setting in cells:
            asked = RealOptions(
                [f"{name}.py"],
                sizes=False,
                environment=variables(setting) | workloads.hook(name),
                directory=workloads.cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            done = runner.run(asked)
            if done.exit_code or not done.complete:
                raise SystemExit(f"{name} under {setting} did not run to its end: {done.message}")
            runs[name, setting].append(done)
    return runs


def errors(
    model: PauseModel, predicted: Sequence[Collection], real: Sequence[int]
) -> Errors | None:
    pauses = model.estimate(predicted)
    if not real:
        return None
    return Errors(pauses.total / sum(real) - 1, pauses.longest / max(real) - 1)


def bias(log: EventLog, runs: Sequence[RealRun]) -> list[str]:
    """Durations in the recording over unrecorded ones, by generation, and of all."""
    took = quiet([run.collections for run in runs])
    pairs = list(zip(log.observed, runs[0].collections, took, strict=False))
    told = []
    for wanted in ({0}, {1}, {2}, {0, 1, 2}):
        here = [
            (seen.duration_ns, ns)
            for seen, real, ns in pairs
            if seen.generation == real.generation and seen.generation in wanted
        ]
        told.append(f"{sum(a for a, _ in here) / sum(b for _, b in here):.2f}" if here else "")
    return told


def sections(
    workloads: Workloads, names: list[str], settings: Sequence[str] = (), rounds: int = ROUNDS
) -> Iterator[str]:
    cells = [
        (name, setting)
        for name in names
        for setting in settings or workloads.settings(name)
        if setting not in LEFT_OUT
    ]
    defaults = [(name, "default") for name in names if (name, "default") not in cells]
    paths = {name: workloads.recording(name, marks=True)[0] for name in names}
    runs = real_runs(workloads, [*defaults, *cells], rounds)
    rows: list[list[object]] = []
    biases: list[list[object]] = []
    found: dict[str, list[Errors]] = {"recorded": [], "measured": []}
    for name in names:
        with EventLog.open(paths[name]) as log:
            models = {
                "recorded": pause_model(log),
                "measured": measured_model(log, [run.collections for run in runs[name, "default"]]),
            }
            biases.append([name, *bias(log, runs[name, "default"])])
            for setting in [setting for program, setting in cells if program == name]:
                policy = policy_of(setting)
                predicted = replay(log, policy, apply_from="start", window=WINDOW).collections
                real = quiet([run.window(*WINDOW) for run in runs[name, setting]])
                row: list[object] = [name, setting, len(predicted), len(real)]
                for source, model in models.items():
                    off = model and errors(model, predicted, real)
                    if off is None:
                        row += ["", ""]
                        continue
                    row += [f"{off.total:+.0%}", f"{off.longest:+.0%}"]
                    if setting != "default":
                        found[source].append(off)
                rows.append(row)
    heads = ["collections, predicted", "real"]
    heads += [f"{what}, {source}" for source in found for what in ("total", "longest")]
    yield section(
        "Pauses: predicted from the default setting, and real",
        NOTE.format(rounds=rounds),
        table(["program", "setting", *heads], rows),
        "\n".join(_bars(source, all_of_it) for source, all_of_it in found.items()),
    )
    yield section(
        "Pauses: recorded over unrecorded, by generation",
        "A recording probes the objects right before the collector does. The sum of durations in "
        "the recording over that of the unrecorded runs.",
        table(["program", "young", "1", "2", "all"], biases),
    )


def _bars(source: str, found: Sequence[Errors]) -> str:
    lines = []
    for what in ("total", "longest"):
        off = [abs(getattr(one, what)) for one in found]
        if off:
            within = sum(value <= GOAL for value in off)
            told = f"{within} of {len(off)}, median {median(off):.0%}, most {max(off):.0%}"
            goal = f"{what} within {GOAL:.0%}, {source}, other settings than the default"
            lines.append(bar(goal, within == len(off), told))
    return "\n".join(lines)


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--settings", help="as '700,5,5;freeze' (default: those of the truth)")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    workloads, names = chosen(given)
    settings = given.settings.split(";") if given.settings else ()
    show(sections(workloads, names, settings, given.rounds), given.output)
