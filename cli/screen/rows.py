"""Settings of a comparison, each with its figures: what `sweep` shows, and what is summed over
several recordings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gcreplay.replay import Collection, make_policy
from gcreplay.replay.estimates.pauses import PauseModel, Pauses
from gcreplay.replay.sweep.grid import policy_of
from gcreplay.replay.sweep.sweep import Swept
from gcreplay.screen.outcome import sums


@dataclass(frozen=True, slots=True)
class Sums:
    """What is shown of pauses, in nanoseconds."""

    total: int
    longest: int
    p99: int

    @classmethod
    def of(cls, pauses: "Pauses | Sums | None") -> "Sums | None":
        return None if pauses is None else cls(pauses.total, pauses.longest, pauses.p99)


@dataclass(frozen=True, slots=True)
class Row:
    """One setting. exact: the figures are those of a replay."""

    policy: str
    exact: bool
    collections_by_generation: tuple[int, ...]
    collected: int
    visited: int
    links: int
    peak_objects: int
    peak_bytes: int
    peak_floating_bytes: int
    pauses: Pauses | Sums | None

    @property
    def costs(self) -> tuple[float, ...]:
        """GC time, longest pause and peak memory; without a pause model work stands for time."""
        if self.pauses is None:
            return (self.visited + self.links, self.peak_bytes)
        return (self.pauses.total, self.pauses.longest, self.peak_bytes)

    def to_json(self) -> dict[str, Any]:
        return {
            "policy": self.policy,
            "exact": self.exact,
            "collections_by_generation": list(self.collections_by_generation),
            "collected": self.collected,
            "work": {"visited": self.visited, "links": self.links},
            "peak_bytes": self.peak_bytes,
            "peak_objects": self.peak_objects,
            "peak_floating_bytes": self.peak_floating_bytes,
            "pauses": self.pauses and sums(self.pauses),
        }


def row_of_lane(one: Swept, model: PauseModel | None, exact: bool) -> Row:
    return Row(
        policy=policy_of(one.setting),
        exact=exact,
        collections_by_generation=one.collections_by_generation,
        collected=one.collected,
        visited=one.visited,
        links=one.links,
        peak_objects=one.peak_objects,
        peak_bytes=one.peak_bytes,
        peak_floating_bytes=one.peak_floating_bytes,
        pauses=None if model is None else Pauses(one.pauses),
    )


def row_of_run(run: Mapping[str, Any], model: PauseModel | None) -> Row:
    timed = model is not None and not make_policy(run["policy"]).foresees  # a bound does no work
    return Row(
        policy=run["policy"],
        exact=True,
        collections_by_generation=tuple(run["collections_by_generation"]),
        collected=run["collected"],
        visited=run["work"]["visited"],
        links=run["work"]["links"],
        peak_objects=run["peak_objects"],
        peak_bytes=run["peak_bytes"],
        peak_floating_bytes=run["peak_floating_bytes"],
        pauses=model.estimate(collections_of(run)) if model is not None and timed else None,
    )


def collections_of(run: Mapping[str, Any]) -> list[Collection]:
    return [Collection(**one) for one in run["collections"]]
