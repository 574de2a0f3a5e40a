"""A prediction beside what two real runs did: the figures, and how far they are apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gcreplay.replay import RunResult
from gcreplay.tracer import RealCollection


@dataclass(frozen=True, slots=True)
class Totals:
    """Figures of one run within the window; what is by generation in a tuple of three."""

    collections_by_generation: tuple[int, ...]
    collected_by_generation: tuple[int, ...]
    uncollectable: int
    peak_tracked: int

    @property
    def collections(self) -> int:
        return sum(self.collections_by_generation)

    @property
    def collected(self) -> int:
        return sum(self.collected_by_generation)

    def to_json(self) -> dict[str, Any]:
        return {
            "collections_by_generation": list(self.collections_by_generation),
            "collections": self.collections,
            "collected_by_generation": list(self.collected_by_generation),
            "collected": self.collected,
            "uncollectable": self.uncollectable,
            "peak_tracked": self.peak_tracked,
        }


COMPARED = ("collections", "collected", "uncollectable", "peak_tracked")
"""The figures that have an error."""


def predicted_totals(run: RunResult) -> Totals:
    return Totals(
        tuple(run.collections_by_generation),
        tuple(run.collected_by_generation),
        sum(c.uncollectable for c in run.collections),
        run.peak_tracked,
    )


def measured_totals(collections: Sequence[RealCollection]) -> Totals:
    """Raises ValueError when the run did not count the objects in its lists."""
    if any(c.tracked is None for c in collections):
        raise ValueError("the run was measured without sizes")
    return Totals(
        tuple(sum(c.generation == g for c in collections) for g in range(3)),
        tuple(sum(c.collected for c in collections if c.generation == g) for g in range(3)),
        sum(c.uncollectable for c in collections),
        max((c.tracked or 0 for c in collections), default=0),
    )


@dataclass(frozen=True, slots=True)
class Proof:
    """One policy: predicted, and measured in each real run."""

    policy: str
    predicted: RunResult
    measured: tuple[Totals, ...]

    @property
    def repeatable(self) -> bool:
        """Whether the program itself did the same each time."""
        return len(set(self.measured)) == 1

    def error(self, figure: str) -> float | None:
        """(predicted - measured) / measured in percent, of the first real run; None where nothing
        was measured but something predicted: there is no such number."""
        predicted = int(getattr(predicted_totals(self.predicted), figure))
        measured = int(getattr(self.measured[0], figure))
        if measured:
            return 100 * (predicted - measured) / measured
        return None if predicted else 0.0

    def beyond(self, tolerance: float) -> list[str]:
        """The figures whose error is above the tolerance, in percent."""
        errors = {figure: self.error(figure) for figure in COMPARED}
        return [name for name, error in errors.items() if error is None or abs(error) > tolerance]

    def to_json(self) -> dict[str, Any]:
        return {
            "policy": self.policy,
            "predicted": predicted_totals(self.predicted).to_json(),
            "measured": [totals.to_json() for totals in self.measured],
            "depends_on_collector": self.predicted.depends_on_collector.to_json(),
            "repeatable": self.repeatable,
            "error_percent": {figure: self.error(figure) for figure in COMPARED},
        }
