"""The settings that are worth trying on a recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from gcreplay.store.events import GcCall
from gcreplay.store.log import EventLog
from gcreplay.store.marks import kind, written

COLLECTOR: Final = "cpython-3.11"
"""The collector of the recorded interpreter; alone, under the program's own settings."""

FIRST: Final = (
    *(700, 1_000, 2_000, 3_000, 5_000, 7_000, 10_000, 15_000, 20_000, 30_000, 50_000),
    *(100_000, 200_000),
)
"""First thresholds: round numbers, as people write them."""

OLDER: Final = ((10, 10), (50, 10), (10, 50))
"""T1 and T2: the default ones, fewer middle collections, fewer full ones."""

SETTINGS: Final = tuple((t0, t1, t2) for t1, t2 in OLDER for t0 in FIRST)
"""What is swept."""

_CALLS: Final = {
    GcCall.DISABLE: "without:disable",
    GcCall.FREEZE: "without:freeze",
    GcCall.COLLECT: "without:collect",
}
_MOST_KINDS = 6
_EVERY = (1, 10, 100)


def thresholds() -> list[str]:
    """The default and larger first thresholds, for what is not swept."""
    return [f"{COLLECTOR}:{t0},10,10" for t0 in FIRST]


def changes(log: EventLog) -> list[str]:
    """Calls of the gc module that the program makes and could leave out: each, and all of them."""
    made = {GcCall(call) for _, call, *_ in log.gc_calls()}
    each = [action for call, action in _CALLS.items() if call in made]
    return [*each, "+".join(each)] if len(each) > 1 else each


def freezes(log: EventLog) -> list[str]:
    """A freeze at the first mark of each kind."""
    first: dict[str, str] = {}
    for _, label in log.marks():
        first.setdefault(kind(label), label)
    return [f"freeze@{written(label)}" for label in list(first.values())[:_MOST_KINDS]]


def manual(log: EventLog) -> list[str]:
    """No automatic collection, and one at each, each tenth or each hundredth mark of a name, or
    of a kind that has several."""
    passed = Counter(label for _, label in log.marks())
    kinds = Counter(kind(label) for label in passed)
    for label, times in list(passed.items()):
        if kinds[kind(label)] > 1:
            passed[kind(label)] += times
    often = [label for label, times in passed.most_common(_MOST_KINDS) if times > 1]
    return [
        f"every:{written(label)}{',' + str(n) if n > 1 else ''}+manual"
        for label in often
        for n in _EVERY
        if n < passed[label]
    ]


def with_each(actions: Sequence[str], policies: Sequence[str]) -> list[str]:
    """Each action combined with each policy."""
    return [f"{action}+{policy}" for action in actions for policy in policies]
