"""Looking for a setting: what is tried is replayed in full, and judged by `choice`.

Thresholds are swept in one pass, and the front is replayed. Then come calls of the gc module that
the program could leave out, and what can be done at marks, each with the best thresholds so far.
"""

from __future__ import annotations

from collections.abc import Sequence

from gcreplay.store.log import EventLog

from ..estimates.pauses import PauseModel, Pauses
from ..many import on_all_cores
from ..results.result import RunResult
from ..run import replay
from ..sweep.front import front, spread
from ..sweep.grid import policy_of
from ..sweep.sweep import Sweep
from .candidates import COLLECTOR, SETTINGS, changes, freezes, manual, thresholds, with_each
from .choice import Judge, Tried, costs
from .lines import freezes_at_lines

_BEST = 3
"""Settings that a round hands to the next one."""

_REPLAYED = 8
"""Of those that the sweep finds and that memory allows: so many are replayed."""

_BEYOND = 4
"""Of all that it finds: they tell what more memory would buy."""


class Search:
    """What was tried on a recording; `present` is the run under the program's own settings."""

    def __init__(self, log: EventLog, present: RunResult, model: PauseModel, judge: Judge) -> None:
        self._log = log
        self._model = model
        self._judge = judge
        self.present = self._tried(present)
        self.tried = {present.policy: self.present}

    def run(self) -> list[Tried]:
        """All that was tried, the present setting first."""
        best = self._round(self._swept())
        changed = self._round(with_each(changes(self._log), [COLLECTOR]))
        for one in changed[:1]:
            action, _, _ = one.policy.rpartition("+")
            best = self._round([*policies_of(best), *with_each([action], thresholds())])
        lines = freezes_at_lines(self._log, self.present.run.collections)
        frozen = self._round(with_each([*freezes(self._log), *lines], [COLLECTOR]))
        for one in frozen[:_BEST]:
            action, _, _ = one.policy.rpartition("+")
            self._round(with_each([action], policies_of(best[:_BEST])))
        self._round(manual(self._log))
        return list(self.tried.values())

    def _swept(self) -> list[str]:
        """Thresholds that are worth a replay, found in one pass over the log."""
        found = Sweep(self._log, SETTINGS, price=self._model.estimate_table).run().settings
        most = 1 + self._judge.limits.more_memory
        pauses = [Pauses(one.pauses) for one in found]
        cost = [costs(each, one.peak_bytes) for one, each in zip(found, pauses, strict=True)]
        best = front(cost)
        allowed = [i for i in best if self._judge.memory(self.present, found[i].peak_bytes) <= most]
        chosen = [*spread(allowed, cost, _REPLAYED), *spread(best, cost, _BEYOND)]
        return [policy_of(found[i].setting) for i in dict.fromkeys(chosen)]

    def _round(self, policies: Sequence[str]) -> list[Tried]:
        """Try them; those that are known to be allowed, the best first."""
        new = [one for one in dict.fromkeys(policies) if one not in self.tried]
        runs = {run.policy: run for run in on_all_cores(self._log, new, replay)}
        self.tried |= {one: self._tried(runs[one]) for one in new}
        return self._judge.ordered(self.present, (self.tried[one] for one in policies))

    def _tried(self, run: RunResult) -> Tried:
        return Tried(run, self._model.estimate(run.collections))


def policies_of(tried: Sequence[Tried]) -> list[str]:
    return [one.policy for one in tried]
