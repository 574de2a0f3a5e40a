"""What a program of the gallery is described by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gallery import charts
from gallery.figures import Figures
from gcreplay.report.renderers.svg import Chart
from gcreplay.store import EventLog


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, with figures as `{f.now.ms:.0f}`, and whether it is true of them."""

    text: str
    holds: Callable[[Figures], bool]


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the program, what is to stand there instead, and what predicts that: a reference
    that is gone then, as `replay --cut` names it, or a policy, or neither."""

    before: str
    after: str
    cut: str = ""
    policy: str = ""

    @property
    def predicted_by(self) -> list[str]:
        """Options of `replay`."""
        named = {"--cut": self.cut, "-p": self.policy}
        return [word for option, name in named.items() if name for word in (option, name)]


@dataclass(frozen=True, slots=True)
class Picture:
    """says: what it shows, in one sentence."""

    draw: Callable[[EventLog], Chart]
    says: str


VISITS = Picture(
    lambda log: charts.visits(log, "cpython-3.11"),
    "Each dot is a collection, its height the number of objects that it visits, over the events "
    "of the recording; full ones are marked.",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """program: from the checkout; packages: as pip takes them; settings: to be predicted and really
    run, besides the present one; shows: the command that answers, after `gcreplay`; drawn: the
    picture of its page."""

    name: str
    title: str
    kind: str
    question: str
    program: str
    shows: str
    answer: tuple[Claim, ...] = ()
    packages: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    drawn: Picture = VISITS
    change: Change | None = None
