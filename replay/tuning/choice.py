"""Which of many settings to choose: what is wanted, what is allowed, and what is worth it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from typing import Final, Literal, Protocol, TypeVar

from ..estimates.pauses import F64, PauseModel, Pauses, Times, work_of
from ..results.result import RunResult
from ..sweep.front import front, spread

Goal = Literal["balance", "throughput", "latency", "p99", "memory"]

MEMORY_WEIGHT: Final = 0.2
"""In balance one per cent of the time weighs as much as five per cent of the memory: of what is
left of it, so that to halve it weighs as much at each size."""

INTERPRETER: Final = 10 << 20
"""Bytes that a process takes beside the recorded objects, at least: an interpreter alone."""

LESS_MEMORY: Final = 0.05
"""Predicted peaks were within 5 % of the real ones."""

LEAST_GAIN: Final = 0.005
"""Of the whole time; in balance of what weighs as much. Less is not worth a line."""

NEARLY: Final = 0.1
"""Of the best gain: what a milder setting may lack of it."""

HOPELESS: Final = 0.1
"""Of the whole time: a setting that takes so much more than that of now is on the front for a
little memory or a short pause, and nobody's choice."""


class Option(Protocol):
    """What is judged: a setting tried on one recording, or on several together."""

    @property
    def policy(self) -> str: ...
    @property
    def pauses(self) -> Times: ...
    @property
    def peak(self) -> int: ...
    @property
    def known(self) -> bool: ...
    @property
    def costs(self) -> tuple[int, ...]: ...
    @property
    def work(self) -> F64 | None: ...


One = TypeVar("One", bound=Option)


@dataclass(frozen=True, slots=True)
class Tried:
    """A setting, its run, and what its collections would take."""

    run: RunResult
    pauses: Pauses

    @property
    def policy(self) -> str:
        return self.run.policy

    @property
    def peak(self) -> int:
        return self.run.peak_bytes

    @property
    def known(self) -> bool:
        """Whether its figures are a prediction: the program does not meet its collector in them."""
        return self.run.depends_on_collector.count == 0

    @property
    def work(self) -> F64:
        """What its collections did in sum."""
        return work_of(self.run.collections)

    @property
    def costs(self) -> tuple[int, int, int, int]:
        """GC time, longest and 99th pause, peak memory: what a front is made by."""
        return costs(self.pauses, self.peak)


def costs(pauses: Pauses, peak: int) -> tuple[int, int, int, int]:
    return (pauses.total, pauses.longest, pauses.p99, peak)


@dataclass(frozen=True, slots=True)
class Limits:
    """more_memory: relative to what the process has now at most. pause_ns: the longest pause;
    p99_ns: what 99 % of the pauses do not exceed; None: any."""

    more_memory: float
    pause_ns: int | None = None
    p99_ns: int | None = None

    def keeps(self, longest_ns: int, p99_ns: int) -> bool:
        """Whether such pauses are allowed."""
        given = ((self.pause_ns, longest_ns), (self.p99_ns, p99_ns))
        return all(most is None or took <= most for most, took in given)


@dataclass(frozen=True, slots=True)
class Judge:
    """How settings are compared: the goal, the limits, the program's own nanoseconds, and the bytes
    that its process really takes now at most, where that is known.

    Objects have the bytes that they alone own, so that the process grows by what they do.
    """

    goal: Goal
    limits: Limits
    own_ns: int
    process_bytes: int | None = None

    def loss(self, present: Option, one: Option) -> float:
        """Less is better; 0 for a setting that costs nothing."""
        match self.goal:
            case "throughput":
                return self._share(one)
            case "latency":
                return one.pauses.longest / (self.own_ns or 1)
            case "p99":
                return one.pauses.p99 / (self.own_ns or 1)
            case "memory":
                return self.memory(present, one.peak) + 0.001 * self._share(one)
        return self._share(one) + MEMORY_WEIGHT * log(self.memory(present, one.peak))

    def memory(self, present: Option, peak: int) -> float:
        """What the process would take with such a peak of recorded objects, over that of now."""
        whole = max(self.process_bytes or 0, INTERPRETER + present.peak)
        return (whole + peak - present.peak) / whole

    def allowed(self, present: Option, tried: Iterable[One]) -> list[One]:
        return [one for one in tried if one.known and self._allows(present, one)]

    def _allows(self, present: Option, one: Option) -> bool:
        if self.memory(present, one.peak) > 1 + self.limits.more_memory:
            return False
        return self.limits.keeps(one.pauses.longest, one.pauses.p99)

    def ordered(self, present: Option, tried: Iterable[One]) -> list[One]:
        """Those that are allowed, the best first; of equal ones what was tried first."""
        allowed = self.allowed(present, tried)
        return sorted(allowed, key=lambda one: (self.loss(present, one), one.costs))

    def chosen(self, present: Option, tried: Iterable[One], model: PauseModel) -> One | None:
        """The mildest of those that gain nearly as much as the best; None where that is not worth
        a line, or no more than the estimates may be off."""
        ordered = [one for one in self.ordered(present, tried) if self._sure(present, one, model)]
        if not ordered:
            return None
        now = self.loss(present, present)
        most = now - self.loss(present, ordered[0])
        if most < self._least(present):
            return None
        enough = [one for one in ordered if now - self.loss(present, one) >= (1 - NEARLY) * most]
        return min(enough, key=lambda one: (parts(one.policy), one.peak, one.costs))

    def shown(self, present: One, chosen: One | None, best: Sequence[One], most: int) -> list[One]:
        """What a table shows, by GC time: the present setting, the chosen one, and so many of the
        front that are not hopeless."""
        always = [present] if chosen is None else [present, chosen]
        limit = self._share(present) + HOPELESS
        others = [one for one in best if one not in always and self._share(one) <= limit]
        few = spread(range(len(others)), [one.costs for one in others], most)
        return sorted([*always, *(others[i] for i in few)], key=lambda one: one.costs)

    def _share(self, one: Option) -> float:
        return one.pauses.total / max(self.own_ns + one.pauses.total, 1)

    def _least(self, present: Option) -> float:
        if self.goal in ("latency", "p99"):
            return LEAST_GAIN * self.loss(present, present)
        return LEAST_GAIN

    def _sure(self, present: Option, one: Option, model: PauseModel) -> bool:
        """Whether it is better in something that counts, by more than that may be off."""
        saved = present.pauses.total - one.pauses.total
        before, after = present.work, one.work
        if before is None or after is None:
            off = model.sums_off * present.pauses.total
        else:
            off = model.difference_off(before, after)
        time = saved > off
        memory = self.memory(present, one.peak) < 1 - LESS_MEMORY
        match self.goal:
            case "throughput":
                return time
            case "latency" | "p99":
                now = self.loss(present, present)
                return now - self.loss(present, one) > model.singles_off * now
            case "memory":
                return memory
        return time or memory


def parts(policy: str) -> int:
    """Of how many actions and collectors a setting is made: fewer is simpler."""
    return policy.count("+") + 1


def on_front(tried: Sequence[One]) -> list[One]:
    """Those that no other equals or betters in all costs, by GC time; of equal ones the simplest,
    or what was tried first."""
    ordered = sorted(tried, key=lambda one: (one.costs, parts(one.policy)))
    return [ordered[i] for i in front([one.costs for one in ordered])]
