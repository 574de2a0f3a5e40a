"""Recorded once, replayed under other settings: what was predicted, and what really happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tables import bar, section, show, slashed, table
from workloads import Figures, Workloads, chosen, options

from gcreplay.replay import Policy, make_policy, replay
from gcreplay.replay.cpython311 import CPython311
from gcreplay.replay.policy import Heap
from gcreplay.store import EventLog
from gcreplay.store.events import GcCall

DEFAULT = "700,10,10"
CLOSE = "100,10,10"
INEXPRESSIBLE = {"manual": "collections at every Nth tick, which leaves no mark"}
HEADS = ["collections, predicted", "real", "truth", "young"]
HEADS += ["collected, predicted", "real", "truth", "garbage"]
NOTE = (
    "Inside the program's window; each setting holds from its start, as in the real runs "
    "(`freeze` from the end of the imports; `disabled` is the policy `manual`: only the program's "
    "own calls collect). Real: a plain run on this machine; truth: the stored run of another one. "
    "Young: error of the youngest generation's collections; garbage: error of all objects "
    "collected; of the real ones."
)


class FreezeAfterImports(CPython311):
    """CPython 3.11's collector in a program that calls gc.freeze() when its imports are done."""

    def on_mark(self, heap: Heap, label: str) -> None:
        if label == "imports_done":
            self.on_call(heap, GcCall.FREEZE, [])


@dataclass(frozen=True, slots=True)
class Prediction:
    """`revived`: events that name an object which the replayed collector had freed."""

    predicted: Figures
    real: Figures
    truth: Figures | None
    revived: int

    @property
    def young_error(self) -> float | None:
        return error(self.predicted.collections[0], self.real.collections[0])

    @property
    def garbage_error(self) -> float | None:
        return error(sum(self.predicted.collected), sum(self.real.collected))

    @property
    def close(self) -> bool:
        """Collections of each generation within 10 % or 1 of the real ones."""
        pairs = zip(self.predicted.collections, self.real.collections, strict=True)
        return all(abs(one - other) <= max(1, other / 10) for one, other in pairs)


def error(predicted: int, real: int) -> float | None:
    """Relative; None of a real 0 that was not predicted as 0."""
    return (predicted - real) / real if real else None if predicted else 0.0


def policy_of(setting: str) -> Policy:
    if setting == "freeze":
        return FreezeAfterImports()
    if setting == "disabled":
        return make_policy("manual")
    return make_policy(f"cpython-3.11:{DEFAULT if setting == 'default' else setting}")


def predict(
    workloads: Workloads, name: str, setting: str, recorded_under: str = "default"
) -> Prediction:
    """Replay a recording made under one setting as another one; run the program under the other."""
    path, _ = workloads.recording(name, recorded_under, marks=True)
    with EventLog.open(path) as log:
        run = replay(log, policy_of(setting), apply_from="start", window=("start", "end"))
    predicted = Figures(tuple(run.collections_by_generation), tuple(run.collected_by_generation))
    real, truth = workloads.plain(name, setting), workloads.truth(name, setting)
    return Prediction(predicted, real, truth, run.revived)


def sections(workloads: Workloads, names: list[str], settings: Sequence[str] = ()) -> Iterator[str]:
    rows: dict[tuple[str, str], Prediction] = {}
    for name in names:
        for setting in settings or workloads.settings(name):
            if setting not in INEXPRESSIBLE:
                rows[name, setting] = predict(workloads, name, setting)
    left_out = "; ".join(f"{setting} ({why})" for setting, why in INEXPRESSIBLE.items())
    young, garbage = (
        [abs(value) for one in rows.values() if (value := getattr(one, key)) is not None]
        for key in ("young_error", "garbage_error")
    )
    yield section(
        "What-if: recorded at the defaults, replayed under each setting",
        NOTE,
        _table(rows),
        f"Not expressible: {left_out}. Collections within 10 % or 1 of the real ones in every "
        f"generation: {sum(one.close for one in rows.values())} of {len(rows)}; error of young "
        f"collections: median {median(young):.1%}, most {max(young):.1%}; of garbage: median "
        f"{median(garbage):.1%}, most {max(garbage):.1%}. No bar.",
    )


def back_sections(workloads: Workloads, names: list[str]) -> Iterator[str]:
    """Recorded under closer collections, so that little stays unseen."""
    rows = {(name, "default"): predict(workloads, name, "default", CLOSE) for name in names}
    missed = [name for (name, _), one in rows.items() if not one.close]
    yield section(
        f"What-if: recorded at ({CLOSE}), replayed as the default",
        _table(rows),
        bar("collections within 10 % or 1 in every generation", not missed, ", ".join(missed)),
    )


def _table(rows: dict[tuple[str, str], Prediction]) -> str:
    return table(
        ["program", "setting", *HEADS, "revived", "within 10 % or 1"],
        [
            [
                name,
                setting,
                slashed(one.predicted.collections),
                slashed(one.real.collections),
                _same_or(one.truth and one.truth.collections, one.real.collections),
                _percent(one.young_error),
                slashed(one.predicted.collected),
                slashed(one.real.collected),
                _same_or(one.truth and one.truth.collected, one.real.collected),
                _percent(one.garbage_error),
                one.revived,
                "yes" if one.close else "no",
            ]
            for (name, setting), one in rows.items()
        ],
    )


def _same_or(values: tuple[int, ...] | None, real: tuple[int, ...]) -> str:
    if values is None:
        return "unknown"
    return "same" if values == real else slashed(values)


def _percent(value: float | None) -> str:
    return "not 0" if value is None else f"{value:+.1%}" if value else "0"


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--settings", help="as 'default;5000,10,10' (default: those of the truth)")
    parser.add_argument("--back", action="store_true", help=f"recorded at {CLOSE} instead")
    given = parser.parse_args()
    workloads, names = chosen(given)
    settings = given.settings.split(";") if given.settings else ()
    shown = back_sections(workloads, names) if given.back else sections(workloads, names, settings)
    show(shown, given.output)
