"""Mark and sweep by growth: lgc.c of Lua 5.4, counted in containers."""

from __future__ import annotations

from typing import Any

from gcreplay.store.events import StartState
from gcreplay.store.log import EventLog

from .player import Reference


class MarkSweep(Reference):
    """A replay; `pause`: percent of what the last collection left, at which the next begins."""

    def __init__(self, log: EventLog, rules: str, *, pause: int = 200, **options: Any) -> None:
        self.pause = pause
        super().__init__(log, rules, **options)

    def begin(self, state: StartState) -> None:
        super().begin(state)
        self.estimate = sum(map(len, self.lists[:3]))

    def exceeds(self) -> bool:
        """setpause: the growth that is left until `pause` percent of the estimate."""
        threshold = max(1, self.estimate * self.pause // 100 - self.estimate)
        return self.enabled and self.counts[0] > threshold

    def due(self) -> int:
        return 2

    def collect(
        self, g: int, cause: str, sequence: int | None = None, allocation: int | None = None
    ) -> None:
        super().collect(2, cause, sequence, allocation)
        self.estimate = self.made[-1].survivors
