"""Do bytes mean memory? The peak of a replay beside the peak memory of the real process.

Five programs (memory/): strings, bytearrays and numpy arrays in cyclic structures, an ORM, and a
parser's tree. Each is recorded once and really run under each setting; compared is by how much
more memory a setting takes than the default, predicted and real.
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tables import bar, section, show, table
from workloads import BENCH, BUILD

from gcreplay.replay import replay
from gcreplay.store import EventLog
from gcreplay.tracer import Plan, RealOptions, RealRunner, RecordOptions, record

NAMES = ("strings", "buffers", "arrays", "orm", "parser")
DEFAULT = "700,10,10"
SETTINGS: Mapping[str, tuple[int, int, int]] = {"5000,10,10": (5000, 10, 10), "manual": (0, 10, 10)}
RUNS = 3
CLOSE = 0.15
PROBES = {"at the defaults": (0, 0, 0), "as `prove` records": (100, 0, 80)}
"""Granularity, full probe and budget of the recordings."""
ENVIRONMENT = {"PYTHONHASHSEED": "0"}
NOTE = (
    "Real: peak memory of the process (`VmHWM` when the interpreter begins to finalize), the "
    f"median of {RUNS} runs that are not recorded; the setting holds from the program's start. "
    "Predicted: `peak_bytes` of a replay of one recording. Growth is over the default, in MB; what "
    "is there before (the interpreter, its modules) is in neither. The allocator takes memory from "
    "the system in pieces of 1 MiB, so that a real growth of a few MB is that coarse."
)


@dataclass(frozen=True, slots=True)
class Cell:
    """Growth of the peak over the default, in bytes."""

    predicted: int
    real: int

    @property
    def error(self) -> float:
        return (self.predicted - self.real) / abs(self.real)


def real_peak(name: str, thresholds: tuple[int, int, int] | None) -> int:
    """In bytes."""
    options = RealOptions(
        [f"{name}.py"],
        Plan(thresholds),
        sizes=False,
        environment=ENVIRONMENT,
        directory=BENCH / "memory",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    runs = [RealRunner(None).run(options) for _ in range(RUNS)]
    if any(run.exit_code or not run.complete for run in runs):
        raise SystemExit(f"{name} under {thresholds}: {[run.message for run in runs]}")
    return int(median(run.peak_bytes or 0 for run in runs))


def recording(name: str, probes: tuple[int, int, int]) -> Path:
    path = BUILD / f"memory-{name}.gcreplay"
    options = RecordOptions(
        path,
        [str(BENCH / "memory" / f"{name}.py")],
        None,
        *probes,
        force=True,
        environment=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    done = record(options)
    if done.exit_code or not done.complete:
        raise SystemExit(f"{name} recorded: {done.message}")
    return path


def predicted(name: str, probes: tuple[int, int, int]) -> dict[str, int]:
    """Growth by setting."""
    with EventLog.open(recording(name, probes)) as log:
        default = replay(log, f"cpython-3.11:{DEFAULT}").peak_bytes
        policies = {
            setting: "manual" if setting == "manual" else f"cpython-3.11:{setting}"
            for setting in SETTINGS
        }
        return {
            setting: replay(log, policy).peak_bytes - default
            for setting, policy in policies.items()
        }


def sections(names: Sequence[str] = NAMES) -> Iterator[str]:
    BUILD.mkdir(parents=True, exist_ok=True)
    rows = []
    cells: dict[str, list[Cell]] = {how: [] for how in PROBES}
    for name in names:
        default = real_peak(name, None)
        real = {setting: real_peak(name, at) - default for setting, at in SETTINGS.items()}
        grown = {how: predicted(name, probes) for how, probes in PROBES.items()}
        for setting in SETTINGS:
            row: list[object] = [name, setting, _mb(default), _mb(real[setting])]
            for how in PROBES:
                cell = Cell(grown[how][setting], real[setting])
                cells[how].append(cell)
                row += [_mb(cell.predicted), f"{cell.error:+.0%}"]
            rows.append(row)
    heads = ["program", "setting", "real peak at the default", "real growth"]
    for how in PROBES:
        heads += [f"predicted, recorded {how}", "error"]
    yield section(
        "Memory: growth of the peak over the default", NOTE, table(heads, rows), *_bars(cells)
    )


def _bars(cells: Mapping[str, Sequence[Cell]]) -> Iterator[str]:
    for how, all_of_them in cells.items():
        near = sum(abs(one.error) <= CLOSE for one in all_of_them)
        yield bar(
            f"within {CLOSE:.0%} of the real growth, recorded {how} ({near} of {len(all_of_them)})",
            near == len(all_of_them),
        )


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", nargs="*", help=", ".join(NAMES))
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the table there too")
    given = parser.parse_args()
    show(sections(given.programs or NAMES), given.output)
