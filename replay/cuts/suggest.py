"""The fewest cuts that leave the least for a collector, each verified by a replay.

Greedy: of the references that close the largest kinds of cycles, the one without which the fewest
objects are collected; then the same of the log without it. Where several free as much, one that
leads back comes first: from what is made later to what is made earlier. Its target has another
holder while it is used. One that the user's own code takes comes before those of
packages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gcreplay.store.errors import NotFound, UsageError
from gcreplay.store.log import EventLog

from ..garbage import Cycles, Group, cycles
from ..results.result import RunResult
from .chosen import Names
from .cut import Cut
from .owners import Owners
from .without import Lost, cut_log

MOST_CUTS = 4
MOST_KINDS = 3
"""So many kinds of cycles, the largest that are left, are searched for each cut."""
WORTH = 0.05
"""A cut is worth saying that frees this share of all that is collected."""
OUT_OF_REACH = frozenset(
    (
        ".__class__",
        ".__dict__",
        ".__mro__",
        ".__bases__",
        ".__base__",
        ".__subclasses__",
        ".__closure__",
        ".__self__",
        ".__wrapped__",
        ".__globals__",
        ".__func__",
        ".__traceback__",
        ".tb_frame",
        ".tb_next",
        ".f_back",
    )
)
"""References that the interpreter makes, and no line of a program takes back."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A cut that is worth making. before, after: the runs without it and with it, all earlier ones
    made. by_hand: it is a variable, which is cleared and not made weak. back: it leads, mostly, to
    what was made before its holder, so something else holds that. target: what is held, by its
    qualified type. group: the kind of cycles that it was found in. lost: what the program would
    miss of all cuts so far. owner: the package whose code takes the reference, "" the user's."""

    cut: Cut
    before: RunResult
    after: RunResult
    lost: Lost
    by_hand: bool
    back: bool
    target: str
    group: Group
    owner: str

    @property
    def freed(self) -> int:
        """So many fewer objects are collected."""
        return self.before.collected - self.after.collected

    def to_json(self) -> dict[str, Any]:
        sites = self.group.sites
        return {
            "cut": str(self.cut),
            "holder": self.cut.holder,
            "label": self.cut.label,
            "target": self.target,
            "owner": self.owner,
            "by_hand": self.by_hand,
            "leads_back": self.back,
            "site": sites[0].to_json() if sites else None,
            "collected": [self.before.collected, self.after.collected],
            "peak_bytes": [self.before.peak_bytes, self.after.peak_bytes],
            "visited": [visited(self.before), visited(self.after)],
            "still_used": self.lost.to_json(),
        }


@dataclass(frozen=True, slots=True)
class _Tried:
    candidate: _Candidate
    run: RunResult
    lost: Lost
    back: float

    def rank(self, before: RunResult) -> tuple[bool, int, bool, bool, float]:
        """The best is the largest: safe, what it frees in twentieths, in own code, by hand, leading
        back."""
        of = self.candidate
        freed = before.collected - self.run.collected
        share = round(20 * freed / max(1, before.collected))
        return (not self.lost.objects, share, not of.owner, of.by_hand, self.back)


@dataclass(frozen=True, slots=True)
class _Candidate:
    cut: Cut
    target: str
    by_hand: bool
    group: Group
    owner: str


def suggest(
    log: EventLog,
    found: Cycles | None = None,
    on_try: Callable[[int, int, int, str], None] = lambda cut, number, of, name: None,
) -> list[Suggestion]:
    """The cuts for a recording, in the order in which they are made.

    on_try: told before each replay: of which cut it is (1 for the first), its number of how many
    for that cut, and the reference.
    found: its cycles under the policy that is meant, where they are known already; else those of
    the recorded setting. Raises as `cycles`.
    """
    found = cycles(log) if found is None else found
    policy, first = found.policy, found.run
    names, owners = Names(log), Owners(log)
    made: list[Suggestion] = []
    before = first
    while len(made) < MOST_CUTS and before.collected:
        cuts = [one.cut for one in made]
        candidates = _candidates(found, cuts, owners)
        tried = []
        for number, candidate in enumerate(candidates, start=1):
            on_try(len(cuts) + 1, number, len(candidates), str(candidate.cut))
            if (one := _try(names, policy, cuts, candidate)) is not None:
                tried.append(one)
        if not tried:
            break
        best = max(tried, key=lambda one: one.rank(before))
        if before.collected - best.run.collected < WORTH * first.collected:
            break
        of = best.candidate
        back = best.back >= 0.5
        made.append(
            Suggestion(
                of.cut,
                before,
                best.run,
                best.lost,
                of.by_hand,
                back,
                of.target,
                of.group,
                of.owner,
            )
        )
        before = best.run
        if before.collected < WORTH * first.collected:
            break
        with cut_log(log, [*cuts, of.cut], names) as rest:
            found = cycles(rest.log, policy)
    return made


def _candidates(found: Cycles, cuts: Sequence[Cut], owners: Owners) -> list[_Candidate]:
    """The references by name in an example of each of the largest kinds."""
    seen: dict[str, _Candidate] = {}
    for group in [group for group in found.groups if _named(group)][:MOST_KINDS]:
        objects, edges = group.example.objects, group.example.edges
        for holder, edge, target in zip(objects, edges, [*objects[1:], objects[0]], strict=True):
            if not edge.label or edge.label in OUT_OF_REACH or edge.label[0] in "[(":
                continue
            try:
                cut = Cut.parse(f"{holder.called}{edge.label}")
            except UsageError:
                continue  # a name that is none in a program
            if cut not in cuts:
                by_hand = edge.label[0] == ":" or edge.label == ".cell_contents"
                owner = owners.of(holder.id, holder.called, holder.type, edge.label)
                seen.setdefault(str(cut), _Candidate(cut, target.type, by_hand, group, owner))
    return list(seen.values())


def _named(group: Group) -> bool:
    return any(edge.label for edge in group.example.edges)


def _try(names: Names, policy: str, cuts: Sequence[Cut], candidate: _Candidate) -> _Tried | None:
    """What the cut does behind those that are made; None where the log has no such reference."""
    from ..run import replay

    try:
        with cut_log(names.log, [*cuts, candidate.cut], names) as cut:
            run = replay(cut.log, policy)
            links, chosen = names.links, cut.chosen.links
            back = float(np.mean(links.target[chosen] < links.source[chosen]))
            return _Tried(candidate, run, cut.lost, back)
    except NotFound:
        return None


def visited(run: RunResult) -> int:
    """Objects that all collections together visited."""
    return sum(one.candidates for one in run.collections)
