"""How sure the number of collected objects is, when a recording knows references from looks only.

Two facts about such a log can turn what a collection finds. References that running code held
between two looks are not all in it, so a replay may take for garbage what the program still used:
where a later event uses an object, it was none. And a full collection waits until a quarter as
many objects have survived as there are old ones: near that, a few objects decide. So the log is
replayed with the first mended and with the second leaning either way, alone and together; the
range holds all that came of it.
"""

from __future__ import annotations

from dataclasses import replace

from gcreplay.store.log import EventLog

from ..policies.asking import asking
from ..policies.registry import make_policy
from ..results.result import RunResult
from ..run import Replay

LEANS = (0.8, 0.9, 1.0, 1.1, 1.2)
"""Shares of the long-lived survivors that the 25 % rule counts."""


def replay_in_range(
    log: EventLog,
    policy: str,
    *,
    apply_from: str | None = None,
    window: tuple[str, str] | None = None,
) -> RunResult:
    """As `replay`, with `collected_low` and `collected_high`; takes up to ten replays.

    Of a log whose counts are exact both are what was collected. Raises as `replay`.
    """

    def run(spare: bool, share: float) -> RunResult | None:
        one = Replay(log, policy, apply_from=apply_from, window=window, spare=spare)
        with asking(one.wanted, one.name):
            leans = share == 1.0 or bool(one.wanted.lean(share))
        return one.run() if leans else None

    point = run(False, 1.0)
    assert point is not None
    collected = [point.collected]
    if log.meta.get("counts") == "probed" and not make_policy(policy).counts_only:
        others = (run(spare, share) for spare in (False, True) for share in LEANS)
        collected += [other.collected for other in others if other is not None]
    return replace(point, collected_low=min(collected), collected_high=max(collected))
