"""Recorded once, replayed under other settings: what was predicted, and what really happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tables import bar, section, show, slashed, table
from workloads import Real, Workloads, chosen, options

from gcreplay.replay import RunResult, replay
from gcreplay.store import EventLog
from gcreplay.tracer import CollectAt, FreezeAt, Plan

DEFAULT = "700,10,10"
CLOSE = "100,10,10"
LEFT_OUT = ("disabled",)  # nothing is collected but by the program's own calls
AT_END = CollectAt("end")
HEADS = ["collections, predicted", "real", "2 % or 1", "collected, predicted", "real", "error"]
HEADS += ["5 %", "peak tracked, predicted", "real", "error", "revived"]
NOTE = (
    "Inside the program's window; each setting holds from its start (`freeze` from the end of the "
    "imports, `manual` with a gc.collect() at every N-th tick), in the replay as in the real run, "
    "which is not recorded: the capture's measuring mode only notes its collections. Recorded and "
    "real runs have the same hook, which passes the same marks. Garbage: what the program's window "
    "leaves to a collector, the most of any of its settings, where that is what the real run "
    "collected in the window and what a gc.collect() at its end still finds. The errors of "
    "collected are relative to that, those of peak tracked objects to the real peak."
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One program under one setting. `garbage`: see NOTE."""

    predicted: RunResult
    real: Real
    garbage: int

    @property
    def collections_close(self) -> bool:
        """The total within 2 % or 1."""
        predicted, real = sum(self.predicted.collections_by_generation), sum(self.real.collections)
        return abs(predicted - real) <= max(1, real / 50)

    @property
    def generations_close(self) -> bool:
        """Those of each generation within 10 % or 1."""
        pairs = zip(self.predicted.collections_by_generation, self.real.collections, strict=True)
        return all(abs(one - other) <= max(1, other / 10) for one, other in pairs)

    @property
    def collected_error(self) -> float:
        return (self.predicted.collected - sum(self.real.collected)) / max(1, self.garbage)

    @property
    def collected_close(self) -> bool:
        return abs(self.collected_error) <= 0.05

    @property
    def peak_error(self) -> float:
        real = self.real.peak_tracked
        return (self.predicted.peak_tracked - real) / real if real else 0.0


def policy_of(setting: str) -> str:
    special = {
        "default": f"cpython-3.11:{DEFAULT}",
        "freeze": f"freeze@imports_done+cpython-3.11:{DEFAULT}",
        "manual": "manual+every:tick",
    }
    return special.get(setting) or f"cpython-3.11:{setting}"


def plan_of(setting: str) -> Plan:
    """What a real run does for the same setting; it looks for what is left at the end."""
    if setting == "freeze":
        return Plan(None, (FreezeAt("imports_done"), AT_END), "start")
    if setting == "manual":
        return Plan((0, 10, 10), (CollectAt("tick"), AT_END), "start")
    t0, t1, t2 = map(int, (DEFAULT if setting == "default" else setting).split(","))
    return Plan((t0, t1, t2), (AT_END,), "start")


def cells(
    workloads: Workloads, name: str, settings: Sequence[str], recorded_under: str = "default"
) -> dict[tuple[str, str], Cell]:
    """Replay one recording of a program under each setting, and really run it under each."""
    real = {setting: workloads.real(name, setting, plan_of(setting)) for setting in settings}
    garbage = max(sum(one.collected) + one.left for one in real.values())
    path, _ = workloads.recording(name, recorded_under, marks=True)
    with EventLog.open(path) as log:
        return {
            (name, setting): Cell(
                replay(log, policy_of(setting), apply_from="start", window=("start", "end")),
                real[setting],
                garbage,
            )
            for setting in settings
        }


def settings_of(workloads: Workloads, name: str) -> list[str]:
    return [setting for setting in workloads.settings(name) if setting not in LEFT_OUT]


def sections(workloads: Workloads, names: list[str], settings: Sequence[str] = ()) -> Iterator[str]:
    rows: dict[tuple[str, str], Cell] = {}
    for name in names:
        rows |= cells(workloads, name, settings or settings_of(workloads, name))
    yield section(
        f"What-if: recorded {workloads.how}, replayed under each setting",
        NOTE,
        _table(rows),
        _bars(rows),
    )


def back_sections(workloads: Workloads, names: list[str]) -> Iterator[str]:
    """Recorded under closer collections, so that little stays unseen."""
    rows: dict[tuple[str, str], Cell] = {}
    for name in names:
        rows |= cells(workloads, name, ["default"], CLOSE)
    far = [name for (name, _), one in rows.items() if not one.generations_close]
    yield section(
        f"What-if: recorded at ({CLOSE}), replayed as the default",
        _table(rows),
        bar("collections of each generation within 10 % or 1", not far, ", ".join(far)),
        _bars(rows),
    )


def _bars(rows: dict[tuple[str, str], Cell]) -> str:
    def missing(close: str) -> list[str]:
        return [f"{n} {s}" for (n, s), one in rows.items() if not getattr(one, close)]

    collections, collected = missing("collections_close"), missing("collected_close")
    peaks = [f"{n} {s}" for (n, s), one in rows.items() if abs(one.peak_error) > 0.05]
    share = 1 - len(collected) / len(rows)
    return "\n".join(
        [
            bar(
                f"collections within 2 % or 1 ({len(rows) - len(collections)} of {len(rows)})",
                not collections,
                ", ".join(collections),
            ),
            bar(
                f"collected within 5 % of the garbage in 90 % of the cells ({share:.0%})",
                share >= 0.9,
                ", ".join(collected),
            ),
            bar(
                f"peak tracked objects within 5 % ({len(rows) - len(peaks)} of {len(rows)})",
                not peaks,
                ", ".join(peaks),
            ),
        ]
    )


def _table(rows: dict[tuple[str, str], Cell]) -> str:
    return table(
        ["program", "setting", *HEADS],
        [
            [
                name,
                setting,
                slashed(one.predicted.collections_by_generation),
                slashed(one.real.collections),
                _yes(one.collections_close),
                slashed(one.predicted.collected_by_generation),
                slashed(one.real.collected),
                f"{one.collected_error:+.1%}",
                _yes(one.collected_close),
                one.predicted.peak_tracked,
                one.real.peak_tracked,
                f"{one.peak_error:+.1%}",
                one.predicted.revived,
            ]
            for (name, setting), one in rows.items()
        ],
    )


def _yes(met: bool) -> str:
    return "yes" if met else "**no**"


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--settings", help="as 'default;5000,10,10' (default: those of the truth)")
    parser.add_argument("--back", action="store_true", help=f"recorded at {CLOSE} instead")
    given = parser.parse_args()
    workloads, names = chosen(given)
    settings = given.settings.split(";") if given.settings else ()
    shown = back_sections(workloads, names) if given.back else sections(workloads, names, settings)
    show(shown, given.output)
