"""Estimated pauses beside results: where the model comes from, and how its figures are said.

They stand outside `result_hash`: a result is the same on every machine, a time is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gcreplay.output import Cell, Table
from gcreplay.replay import RunResult, replay
from gcreplay.replay.estimates.pauses import LEAST, PauseModel, Pauses, fit, least
from gcreplay.store import EventLog
from gcreplay.store.marks import with_marks_read

if TYPE_CHECKING:
    from gcreplay.tracer.real import RealCollection

META: Final = "pauses"
"""The model's place in the meta of a recording, as `PauseModel.to_json` gives it."""

COLUMNS: Final = ("pauses ms", "longest ms", "p99 ms")


def pause_model(log: EventLog) -> PauseModel | None:
    """The recording's model: the stored one, or one fitted to the collections of its own run.

    For that the run's own settings are replayed; where recorded and replayed collections are not
    the same, they tell nothing. None for a recording that has too few collections.
    """
    stored = log.meta.get(META)
    if isinstance(stored, dict):
        try:
            return PauseModel.from_json(stored)
        except ValueError:
            pass  # of another version: fitted anew
    observed = log.observed
    if len(observed) < LEAST:
        return None
    pairs = [
        (made, seen.duration_ns)
        for made, seen in zip(replay(log, "cpython-3.11").collections, observed, strict=False)
        if (made.allocation, made.generation) == (seen.allocation, seen.generation)
    ]
    return fit([made for made, _ in pairs], [took for _, took in pairs], "recorded")


def quiet(runs: Sequence[Sequence[RealCollection]]) -> list[int]:
    """Nanoseconds of each collection, the least over the real runs that made the first one's."""
    shapes = [[(one.generation, one.collected) for one in run] for run in runs]
    same = [run for run, shape in zip(runs, shapes, strict=True) if shape == shapes[0]]
    return least([one.pause_ns for one in run] for run in same)


def measured_model(log: EventLog, runs: Sequence[Sequence[RealCollection]]) -> PauseModel | None:
    """Fitted to whole, unrecorded runs of the program under the settings it was recorded under,
    where they made the collections that the replay of the recording makes."""
    pairs = [
        (made, ns)
        for made, real, ns in zip(
            replay(log, "cpython-3.11").collections, runs[0], quiet(runs), strict=False
        )
        if (made.generation, made.collected) == (real.generation, real.collected)
    ]
    return fit([made for made, _ in pairs], [ns for _, ns in pairs], "measured")


def store_model(log: EventLog, model: PauseModel | None) -> None:
    """Put the model into the recording, so that it need not be fitted again."""
    if model is not None and log.meta.get(META) != model.to_json():
        log.set_meta(**{META: model.to_json()})


def with_pauses(run: RunResult, model: PauseModel | None) -> dict[str, Any]:
    """The JSON of a run, with `pauses` and a `pause_ns` for each collection.

    Without a model, and of the clairvoyant bound, whose collections do no work, as it is.
    """
    values = run.to_json()
    if model is None or run.bound:
        return values
    pauses = model.estimate(run.collections)
    collections = [
        {**made, "pause_ns": ns}
        for made, ns in zip(values["collections"], pauses.each, strict=True)
    ]
    return {**values, "collections": collections, "pauses": _sums(pauses)}


def _sums(pauses: Pauses) -> dict[str, int]:
    return {"total_ns": pauses.total, "longest_ns": pauses.longest, "p99_ns": pauses.p99}


def pause_cells(run: RunResult, model: PauseModel | None) -> tuple[Cell, ...]:
    """Milliseconds under COLUMNS."""
    if model is None or run.bound:
        return (None, None, None)
    pauses = model.estimate(run.collections)
    return tuple(round(ns / 1e6, 2) for ns in (pauses.total, pauses.longest, pauses.p99))


def trust(model: PauseModel | None) -> str:
    """How far an estimate may be trusted, in a sentence."""
    if model is None:
        return f"Pauses are not estimated: the recording has fewer than {LEAST} collections to fit"
    return f"Pauses are estimates in ms, {in_short(model)}"


def in_short(model: PauseModel) -> str:
    """Where the model comes from and its error on collections that it did not see."""
    error = model.error
    source = {
        "recorded": "recorded collections, whose objects were looked at just before",
        "measured": "collections of an unrecorded run",
    }.get(model.source, model.source)
    return (
        f"fitted to {model.collections:,} {source}: total {error.total:+.0%}, "
        f"single ones off by {error.median:.0%} (median), {error.p90:.0%} (p90)"
    )


def model_lines(model: PauseModel) -> Sequence[tuple[Cell, Cell]]:
    """The model as lines of `info`."""
    return [
        ("pause model", in_short(model)),
        (
            "pause in ns",
            f"{model.per_collection:,.0f} a collection + {model.per_candidate:.1f} a candidate + "
            f"{model.per_link:.1f} a link + {model.per_freed:.0f} a freed object + "
            f"{model.per_doubling:.2f} a visit and doubling + "
            f"{model.per_old:.1f} a visit of a full one",
        ),
    ]


@dataclass(frozen=True, slots=True)
class PauseProof:
    """Predicted and measured pauses of one setting."""

    policy: str
    predicted: Pauses
    measured: Pauses

    def error(self, figure: str) -> float | None:
        """In percent of the measured one, of "total", "longest" or "p99"; None without any."""
        predicted, measured = getattr(self.predicted, figure), getattr(self.measured, figure)
        return 100 * (predicted - measured) / measured if measured else None

    def to_json(self) -> dict[str, Any]:
        return {
            "predicted": _sums(self.predicted),
            "measured": _sums(self.measured),
            "error_percent": {f: self.error(f) for f in ("total", "longest", "p99")},
        }


def proof_table(proofs: Sequence[PauseProof]) -> Table:
    """One row a setting, milliseconds and percent."""
    rows = tuple(
        (
            with_marks_read(proof.policy),
            *(
                cell
                for figure in ("total", "longest")
                for cell in (
                    round(getattr(proof.predicted, figure) / 1e6, 2),
                    round(getattr(proof.measured, figure) / 1e6, 2),
                    proof.error(figure),
                )
            ),
        )
        for proof in proofs
    )
    heads = [
        f"{figure} {what}" for figure in ("total", "longest") for what in ("", "real", "% off")
    ]
    return Table(("pauses, ms", *(head.strip() for head in heads)), rows)
