"""Runs by hand: three collections, or as many as a test wants, and figures that it names."""

from __future__ import annotations

from typing import Any

from gcreplay.replay import Collection, RunResult
from gcreplay.replay.results.dependence import Dependence

MIB = 2**20


def collection(sequence: int, generation: int, candidates: int, freed: int) -> Collection:
    return Collection(
        sequence, sequence, "threshold", generation, candidates, 100, 200, freed, 48 * freed,
        candidates - freed, freed, 0,
    )  # fmt: skip


THREE = (collection(1, 0, 10, 1), collection(4, 0, 700, 500), collection(8, 2, 3_000, 3))


def run_of(
    policy: str = "cpython-3.11", made: tuple[Collection, ...] = THREE, **figures: Any
) -> RunResult:
    """Figures that are not named are 0."""
    told: dict[str, Any] = dict.fromkeys(RunResult.__dataclass_fields__, 0)
    told |= {"policy": policy, "collections": made, "depends_on_collector": Dependence()}
    told |= {"first_revived": None, "first_unmoved": None, "notes": (), "bound": False}
    told |= {"died_by_refcount": (0,) * 5, "died_by_collector": (0,) * 5}
    return RunResult(**(told | figures))
