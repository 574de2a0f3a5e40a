"""Where a program depends on its collector: a policy meets there that the program would have done
something else under it, and what follows in the recording is no prediction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

What = Literal["hit", "miss", "region"]
"""A weak reference gave what the policy has freed; or nothing, where the policy still holds it; or
the program used what a finalizer or callback made or saved that the policy has not run."""

_SAID = {
    "hit": "it asks a weak reference for an object of type {} that this policy has freed",
    "miss": "it asks a weak reference in vain for an object of type {} that this policy still "
    "holds",
    "region": "it uses an object of type {} of a finalizer or callback that this policy has not "
    "run",
}


@dataclass(frozen=True, slots=True)
class Example:
    """The first event that shows it, and the type of the object that it is about."""

    event: int
    type: str
    what: What


@dataclass(frozen=True, slots=True)
class Dependence:
    """`count`: uses that would have gone otherwise, in the whole replay."""

    count: int = 0
    first: Example | None = None

    def to_json(self) -> dict[str, Any]:
        return {"count": self.count, "first": asdict(self.first) if self.first else None}

    def sentence(self) -> str:
        """What to know of a prediction where `count` is not 0; empty where it is."""
        if self.first is None:
            return ""
        times = "once" if self.count == 1 else f"{self.count:,} times"
        first = "" if self.count == 1 else "first "
        return (
            f"this program depends on its collector: {times} it would have met something else "
            f"({first}at event {self.first.event:,}: "
            f"{_SAID[self.first.what].format(self.first.type)}), so its figures are no prediction"
        )
