"""Estimated pauses beside results: where the model comes from, and how its figures are said.

They stand outside `result_hash`: a result is the same on every machine, a time is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gcreplay.replay import Collection, replay
from gcreplay.replay.estimates.pauses import (
    ELSEWHERE,
    HELD,
    LEAST,
    PauseModel,
    Pauses,
    fit,
    least,
)
from gcreplay.report.words.numbers import counted, in_ms
from gcreplay.screen.outcome import MEASURED, PRESENT, Outcome, is_recorded, milliseconds, sums
from gcreplay.screen.tables.table import Cell
from gcreplay.store import EventLog

if TYPE_CHECKING:
    from gcreplay.tracer.real import RealCollection

META: Final = "pauses"
"""The model's place in the meta of a recording, as `PauseModel.to_json` gives it."""

LONGER: Final = "which take longer than real ones, on a busy machine twice as long"
P99: Final = "p99 ms"


def pause_model(log: EventLog, present: Sequence[Collection] | None = None) -> PauseModel | None:
    """The recording's model: the stored one, or one fitted to the collections of its own run.

    For that the run's own settings are replayed, unless `present` has its collections; where
    recorded and replayed collections are not the same, they tell nothing. None for a recording that
    has too few collections.
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
    made_again = replay(log, PRESENT).collections if present is None else present
    pairs = [
        (made, seen.duration_ns)
        for made, seen in zip(made_again, observed, strict=False)
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
            replay(log, PRESENT).collections, runs[0], quiet(runs), strict=False
        )
        if (made.generation, made.collected) == (real.generation, real.collected)
    ]
    return fit([made for made, _ in pairs], [ns for _, ns in pairs], "measured")


def store_model(log: EventLog, model: PauseModel | None, own_ns: int | None = None) -> None:
    """Put the model into the recording, so that it need not be fitted again; and the CPU time of
    unrecorded runs, where it was measured."""
    facts: dict[str, Any] = {}
    if model is not None:
        facts[META] = model.to_json()
    if own_ns is not None:
        facts[MEASURED] = own_ns
    if any(log.meta.get(key) != value for key, value in facts.items()):
        log.set_meta(**facts)


def p99_cell(outcome: Outcome) -> Cell:
    """The pause that 99 % do not exceed, in ms."""
    return None if outcome.pauses is None else milliseconds(outcome.pauses.p99)


def trust(log: EventLog, model: PauseModel | None) -> str:
    """How far estimates may be trusted, or why there are none, in a sentence."""
    if model is None:
        return f"GC time is not estimated, so the work stands first: {too_few(log)}."
    within = f": it was within {ELSEWHERE:.0%} in {HELD} tests"
    held = within if model.sums_off == ELSEWHERE else ""
    return (
        f"Times are estimates from {_source(model)}. Under another setting the GC time may be "
        f"{model.sums_off:.0%} off{held}. "
        f"The difference between two settings is off by fewer ms. "
        f"All else is counted; memory is that of recorded objects."
    )


def trust_in_proof(log: EventLog, model: PauseModel | None) -> str:
    """The same where the errors stand beside the estimates."""
    if model is None:
        return f"GC time is not predicted: {too_few(log)}."
    return f"Predicted times are estimates from {_source(model)}."


def _source(model: PauseModel) -> str:
    if model.source == "measured":
        return f"{model.collections:,} collections of unrecorded runs"
    return f"{model.collections:,} recorded collections, {LONGER}"


def too_few(log: EventLog) -> str:
    """Why there is no model, in words."""
    observed = log.observed
    if not observed and not is_recorded(log):
        return "no interpreter ran this log"
    if len(observed) >= LEAST:
        return f"the replay makes fewer than {LEAST} of the collections that were recorded"
    took = sum(each.duration_ns for each in observed)
    own = f" (in {in_ms(took)} ms)" if observed else ""
    return (
        f"the program made {counted(len(observed), 'collection')}{own} and a model is fitted to "
        f"{LEAST} or more"
    )


def in_short(model: PauseModel) -> str:
    """Where the model comes from and its error on collections that it did not see."""
    error = model.error
    source = {
        "recorded": "recorded collections, whose objects were probed just before",
        "measured": "collections of an unrecorded run",
    }.get(model.source, model.source)
    return (
        f"fitted to {model.collections:,} {source}: total {error.total:+.0%}, "
        f"single ones off by {error.median:.0%} (median), {error.p90:.0%} (p90)"
    )


def model_words(model: PauseModel) -> Sequence[str]:
    """The model in sentences."""
    return [
        f"Model of pauses: {in_short(model)}.",
        (
            f"It says, in ns: {model.per_collection:,.0f} a collection + "
            f"{model.per_candidate:.1f} a candidate + {model.per_link:.1f} a link + "
            f"{model.per_freed:.0f} a freed object + "
            f"{model.per_doubling:.2f} a visit and doubling + "
            f"{model.per_old:.1f} a visit of a full one."
        ),
    ]


@dataclass(frozen=True, slots=True)
class PauseProof:
    """Predicted and measured pauses of one setting; without a model none are predicted."""

    policy: str
    predicted: Pauses | None
    measured: Pauses

    def error(self, figure: str) -> float | None:
        """In percent of the measured one, of "total", "longest" or "p99"; None without any."""
        if self.predicted is None:
            return None
        predicted, measured = getattr(self.predicted, figure), getattr(self.measured, figure)
        return 100 * (predicted - measured) / measured if measured else None

    def to_json(self) -> dict[str, Any]:
        return {
            "predicted": None if self.predicted is None else sums(self.predicted),
            "measured": sums(self.measured),
            "error_percent": {f: self.error(f) for f in ("total", "longest", "p99")},
        }
