"""Replaying a log as if some of its references were weak."""

from __future__ import annotations

from collections.abc import Sequence

from gcreplay.store.log import EventLog

from ..policies.policy import Policy
from ..results.result import RunResult
from ..run import Replay
from .cut import Cut
from .without import CutLog, cut_log


def replay(
    log: EventLog,
    policy: str | Policy,
    *,
    cuts: Sequence[Cut],
    apply_from: str | None = None,
    window: tuple[str, str] | None = None,
) -> RunResult:
    """As `replay.run.replay`, without the references that the cuts mean; raises as that and as
    `cut_log`."""
    with cut_log(log, cuts) as cut:
        return replay_of(cut, policy, apply_from=apply_from, window=window).run()


def replay_of(
    cut: CutLog,
    policy: str | Policy,
    *,
    apply_from: str | None = None,
    window: tuple[str, str] | None = None,
) -> Replay:
    """A replay of a log that was cut, ready to run. Births and deaths follow the free-list model:
    what is recorded of them is true of the uncut program only."""
    play = Replay(cut.log, policy, apply_from=apply_from, window=window)
    play.modelled = True
    return play
