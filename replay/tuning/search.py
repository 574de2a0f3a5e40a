"""Looking for a setting: what is tried is replayed in full, and judged by `choice`.

Three rounds, each of which begins with the best of the one before: calls of the gc module that the
program could leave out; thresholds; and what can be done at marks, with fewer collections of older
generations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gcreplay.store.log import EventLog

from ..estimates.pauses import PauseModel
from ..results.result import RunResult
from ..run import replay
from .candidates import COLLECTOR, changes, freezes, manual, rarer, thresholds, with_each
from .choice import Judge, Tried

Replayed = Callable[[EventLog, Sequence[str]], list[RunResult]]

_BEST = 3
"""Settings that a round hands to the next one."""


def one_by_one(log: EventLog, policies: Sequence[str]) -> list[RunResult]:
    """The runs of these policies."""
    return [replay(log, policy) for policy in policies]


class Search:
    """What was tried on a recording; `present` is the run under the program's own settings."""

    def __init__(
        self,
        log: EventLog,
        present: RunResult,
        model: PauseModel,
        judge: Judge,
        replayed: Replayed = one_by_one,
    ) -> None:
        self._log = log
        self._model = model
        self._judge = judge
        self._replayed = replayed
        self.present = self._tried(present)
        self.tried = {present.policy: self.present}

    def run(self) -> list[Tried]:
        """All that was tried, the present setting first."""
        left_out = self._round(changes(self._log), [COLLECTOR])
        kept = [""] + [one.policy.rpartition("+")[0] for one in left_out[:1]]
        best = self._round(kept, thresholds())
        base = [one.policy for one in best[:_BEST]]
        self._round([""], rarer(base))
        self._round(freezes(self._log), base)
        self._round([""], manual(self._log))
        return list(self.tried.values())

    def _round(self, actions: Sequence[str], policies: Sequence[str]) -> list[Tried]:
        """Try each action with each policy; those that are known to be allowed, the best first."""
        named = [part for one in actions for part in ([one] if one else [])]
        wanted = [*(policies if "" in actions else []), *with_each(named, policies)]
        new = [one for one in dict.fromkeys(wanted) if one not in self.tried]
        for run in self._replayed(self._log, new):
            self.tried[run.policy] = self._tried(run)
        return self._judge.ordered(self.present, (self.tried[one] for one in wanted))

    def _tried(self, run: RunResult) -> Tried:
        return Tried(run, self._model.estimate(run.collections))
