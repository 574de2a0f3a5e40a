"""Searching for a setting: what is tried is replayed in full, and judged by `choice`.

Thresholds are swept in one pass, and the front is replayed. Then come calls of the gc module that
the program could leave out, and what can be done at marks, each with the best thresholds so far.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic

from gcreplay.store.log import EventLog

from ..estimates.pauses import PauseModel, Pauses
from ..many import on_all_cores
from ..results.result import RunResult
from ..run import replay
from ..sweep.front import front, spread
from ..sweep.grid import policy_of
from ..sweep.sweep import Sweep
from .candidates import COLLECTOR, SETTINGS, changes, freezes, manual, thresholds, with_each
from .choice import Judge, One, Option, Tried, costs
from .lines import freezes_at_lines

_BEST = 3
"""Settings that a round hands to the next one."""

_REPLAYED = 8
"""Of those that the sweep finds and that memory allows: so many are replayed."""

_BEYOND = 4
"""Of all that it finds: they tell what more memory would buy."""


class Rounds(ABC, Generic[One]):
    """What is tried, one round after another; `present` is the setting of now."""

    def __init__(self, present: One, judge: Judge) -> None:
        self.present = present
        self.tried = {present.policy: present}
        self._judge = judge

    def run(self) -> list[One]:
        """All that was tried, the present setting first."""
        best = self._round(self._swept())
        changed = self._round(with_each(self._named(changes), [COLLECTOR]))
        for one in changed[:1]:
            action, _, _ = one.policy.rpartition("+")
            best = self._round([*policies_of(best), *with_each([action], thresholds())])
        points = [*self._named(freezes), *self._named(self._lines)]
        for one in self._round(with_each(points, [COLLECTOR]))[:_BEST]:
            action, _, _ = one.policy.rpartition("+")
            self._round(with_each([action], policies_of(best[:_BEST])))
        self._round(self._named(manual))
        return list(self.tried.values())

    @property
    def considered(self) -> int:
        """Settings that were swept or replayed, beside the present one."""
        return len({*self.tried, *map(policy_of, SETTINGS)} - {self.present.policy})

    @abstractmethod
    def _swept(self) -> list[str]:
        """Thresholds that are worth a replay, found in one pass."""

    @abstractmethod
    def _named(self, by: Callable[[EventLog], list[str]]) -> list[str]:
        """What it finds in what was recorded."""

    @abstractmethod
    def _lines(self, log: EventLog) -> list[str]:
        """Freezes before lines of it."""

    @abstractmethod
    def _replayed(self, policies: Sequence[str]) -> dict[str, One]:
        """By policy."""

    def _round(self, policies: Sequence[str]) -> list[One]:
        """Try them; those that are known to be allowed, the best first."""
        new = [one for one in dict.fromkeys(policies) if one not in self.tried]
        runs = self._replayed(new)
        self.tried |= {one: runs[one] for one in new}
        return self._judge.ordered(self.present, (self.tried[one] for one in policies))


class Search(Rounds[Tried]):
    """Of one recording; `present` is the run under the program's own settings."""

    def __init__(
        self,
        log: EventLog,
        present: RunResult,
        model: PauseModel,
        judge: Judge,
        on_step: Callable[[str, int], None] = lambda step, readings: None,
    ) -> None:
        """`on_step` is told of each step before it is made: what it does, and how often it reads
        the log."""
        self._log = log
        self._model = model
        self._on_step = on_step
        super().__init__(self._tried(present), judge)

    def _swept(self) -> list[str]:
        self._on_step(f"sweeping {len(SETTINGS)}", 1)
        found = Sweep(self._log, SETTINGS, price=self._model.estimate_table).run().settings
        pauses = [Pauses(one.pauses) for one in found]
        return worth_a_replay(
            [policy_of(one.setting) for one in found],
            [costs(each, one.peak_bytes) for one, each in zip(found, pauses, strict=True)],
            [allows(self._judge, self.present, one.peak_bytes) for one in found],
        )

    def _named(self, by: Callable[[EventLog], list[str]]) -> list[str]:
        return by(self._log)

    def _lines(self, log: EventLog) -> list[str]:
        return freezes_at_lines(log, self.present.run.collections)

    def _replayed(self, policies: Sequence[str]) -> dict[str, Tried]:
        self._on_step(f"replaying {len(policies)} more", len(policies))
        return {run.policy: self._tried(run) for run in on_all_cores(self._log, policies, replay)}

    def _tried(self, run: RunResult) -> Tried:
        return Tried(run, self._model.estimate(run.collections))


def allows(judge: Judge, present: Option, peak: int) -> bool:
    """Whether there is memory for it."""
    return judge.memory(present, peak) <= 1 + judge.limits.more_memory


def worth_a_replay(
    policies: Sequence[str], costs: Sequence[tuple[int, ...]], allowed: Sequence[bool]
) -> list[str]:
    """Of settings that were swept: some of the front, most of them such as memory allows."""
    best = front(costs)
    within = [i for i in best if allowed[i]]
    chosen = [*spread(within, costs, _REPLAYED), *spread(best, costs, _BEYOND)]
    return [policies[i] for i in dict.fromkeys(chosen)]


def policies_of(tried: Sequence[Option]) -> list[str]:
    return [one.policy for one in tried]
