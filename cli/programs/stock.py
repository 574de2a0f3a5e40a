"""Which policies a stock interpreter can really run, and the plan under which it does."""

from gcreplay.replay import Policy
from gcreplay.replay.policies.actions import Action, Every, Freeze, FreezeBefore, Without
from gcreplay.replay.policies.cpython311 import CPython311
from gcreplay.replay.policies.generational import Generational
from gcreplay.replay.policies.manual import Manual
from gcreplay.replay.policies.marked import AtMarks
from gcreplay.store.errors import UsageError
from gcreplay.tracer import CollectAt, FreezeAt, FreezeLine, Plan

Thresholds = tuple[int, int, int]


def plan_of(name: str, policy: Policy, apply_from: str | None) -> Plan:
    """The plan that does in a real run what the policy does in a replay.

    Raises UsageError for a policy that no stock interpreter has, CannotRecord for marks that
    cannot be handed to one.
    """
    given = policy.actions if type(policy) is AtMarks else ()
    collector = policy.collector if type(policy) is AtMarks else policy
    without = tuple(one.call.name.lower() for one in given if isinstance(one, Without))
    actions = tuple(_real(name, one) for one in given if not isinstance(one, Without))
    plan = Plan(_thresholds(name, collector), actions, apply_from, without)
    plan.text(sizes=True)  # marks at which no real run could act are said before any run
    return plan


def _thresholds(name: str, collector: Policy) -> Thresholds | None:
    if type(collector) in (Generational, CPython311, Manual):
        fixed = collector.fixed  # type: ignore[attr-defined]
        return None if fixed is None else (fixed[0], fixed[1], fixed[2])
    raise _unknown(name)


def _unknown(name: str) -> UsageError:
    return UsageError(
        f"{name}: no stock interpreter can really run it, so it cannot be proved; known are "
        f"generational and cpython-3.11 with thresholds, manual, freeze@MARK, "
        f"freeze-at:FILE:LINE, every:MARK and without:CALL"
    )


def _real(name: str, action: Action) -> FreezeAt | FreezeLine | CollectAt:
    match action:
        case Freeze(mark):
            return FreezeAt(mark)
        case FreezeBefore(file, line):
            return FreezeLine(file, line)
        case Every(mark, n):
            return CollectAt(mark, n)
    raise _unknown(name)
