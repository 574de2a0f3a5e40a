"""How finely to probe a program for what is to be asked of its recording."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # a plain recording starts its program before they are imported
    from gcreplay.replay import Policy
    from gcreplay.store import EventLog

WIDEST: Final = 100
"""Young objects are probed at least so often where other settings are to be predicted."""
PROBES_A_THRESHOLD: Final = 3
WHOLE_HEAP_PERCENT: Final = 80

Probing = tuple[int, int, int]


def probing(
    granularity: int | None,
    full_probe: int | None,
    probe_budget: int | None,
    *,
    predicting: bool,
    thresholds: Sequence[int] = (),
) -> Probing:
    """Granularity, full probe and probe budget: as they were given, else by what is asked for, to
    predict settings with these thresholds or to probe only at the collections themselves."""
    if not predicting:
        return granularity or 0, full_probe or 0, probe_budget or 0
    if granularity is None:
        granularity = min([WIDEST, *map(granularity_for, thresholds)])
    if probe_budget is None:
        probe_budget = 0 if full_probe else WHOLE_HEAP_PERCENT
    return granularity, full_probe or 0, probe_budget


def granularity_for(threshold: int) -> int:
    """The net allocations between two probes by which that threshold can be predicted."""
    return max(1, threshold // PROBES_A_THRESHOLD)


def thresholds_of(policy: Policy) -> list[int]:
    """Each T0 of a policy's own, from the start or at marks, by which it collects; PEP 848's are no
    allocations, but kB."""
    from gcreplay.replay.policies.actions import At
    from gcreplay.replay.policies.marked import AtMarks
    from gcreplay.replay.policies.pep848 import Pep848
    from gcreplay.replay.policies.thresholds import WithThresholds

    collector = policy.collector if type(policy) is AtMarks else policy
    actions = policy.actions if type(policy) is AtMarks else ()
    if isinstance(collector, Pep848) or not isinstance(collector, WithThresholds):
        return []
    own = [collector.fixed] if collector.fixed else []
    own += [action.thresholds for action in actions if isinstance(action, At)]
    return [first for first, *_ in own if first]


def too_wide(log: EventLog, name: str, policy: Policy) -> str | None:
    """What to say of a policy that collects more often than the recording was probed for; None
    where its probes suffice, or where it needs none."""
    start, meta = log.start, log.meta
    if start is None or meta.get("counts") != "probed":
        return None
    given = meta.get("granularity")
    recorded = start.threshold[0]
    every = given if isinstance(given, int) and given else recorded
    others = [one for one in thresholds_of(policy) if one != recorded]
    if not others or not every or every <= granularity_for(threshold := min(others)):
        return None
    often = f"every {threshold:,} allocations" if threshold > 0 else "at every birth"
    return (
        f"{name} collects {often}, and this recording was probed every {every:,}: the figures "
        f"are less sure than from `gcreplay record --for {shlex.quote(name)}`"
    )
