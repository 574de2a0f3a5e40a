"""Replaying a log as if some of its references were weak."""

from __future__ import annotations

from collections.abc import Sequence

from gcreplay.store.log import EventLog

from .. import run
from ..policies.policy import Policy
from ..results.result import RunResult
from .cut import Cut
from .without import cut_log


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
        return run.replay(cut.log, policy, apply_from=apply_from, window=window)
