"""What the runs of one program came to: plain data, kept as JSON beside its page."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Counts:
    """Collections by generation, objects that they found, most objects that one began with."""

    collections: tuple[int, int, int]
    collected: int
    peak_tracked: int


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of all pauses together and of the longest; None where there is no estimate."""

    total: float | None
    longest: float | None


NO_TIMES = Times(None, None)


class Ran:
    """What sentences say of real runs, first of the first of them."""

    __slots__ = ()
    real: tuple[Counts, ...]
    real_times: Times
    peak: int

    @property
    def ms(self) -> float:
        """Really measured, as all times that a sentence names unless it says predicted."""
        return self.real_times.total or 0.0

    @property
    def longest(self) -> float:
        return self.real_times.longest or 0.0

    @property
    def runs(self) -> int:
        return sum(self.real[0].collections)

    @property
    def found(self) -> int:
        return self.real[0].collected

    @property
    def peak_mb(self) -> float:
        return self.peak / MB


@dataclass(frozen=True, slots=True)
class Setting(Ran):
    """One setting: predicted from the recording, and what real runs did.

    peak, floating: bytes, predicted: of all recorded objects alive, and of garbage not yet freed.
    asked: how often the program asked for objects that this setting would have freed.
    """

    policy: str
    predicted: Counts
    real: tuple[Counts, ...]
    predicted_times: Times
    real_times: Times
    peak: int
    floating: int
    visited: int
    asked: int

    @property
    def full(self) -> int:
        return self.real[0].collections[2]

    @property
    def floating_mb(self) -> float:
        return self.floating / MB

    @property
    def same_each_time(self) -> bool:
        return len(set(self.real)) == 1


@dataclass(frozen=True, slots=True)
class Changed(Ran):
    """The program with one line changed: what a replay predicted of it, and what it really did.

    peak, alive: bytes of recorded objects, most and at the end, of the changed program itself,
    which was recorded as well. alive is None where it was not asked for.
    """

    before: str
    after: str
    predicted: Counts | None
    predicted_peak: int | None
    predicted_alive: int | None
    real: tuple[Counts, ...]
    predicted_times: Times
    real_times: Times
    peak: int
    alive: int | None
    output: str

    @property
    def expected(self) -> Counts:
        assert self.predicted is not None
        return self.predicted

    @property
    def expected_mb(self) -> float:
        return (self.predicted_alive or 0) / MB

    @property
    def alive_mb(self) -> float:
        return (self.alive or 0) / MB


@dataclass(frozen=True, slots=True)
class Holder:
    """What keeps alive what grows. kept: bytes that would be gone with it; share: of what grew,
    how much it holds, 1.0 for all."""

    name: str
    kept: int
    share: float

    @property
    def percent(self) -> float:
        return 100 * self.share

    @property
    def kept_mb(self) -> float:
        return self.kept / MB


@dataclass(frozen=True, slots=True)
class Cycle:
    """The kind of cycle that the collector works most for. share: of the objects it looked at."""

    count: int
    objects: int
    bytes: int
    share: float
    place: str
    path: str
    cut: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything about one program. own_ms: CPU time without collections, really measured;
    settings: the present one first. alive: bytes at the end, where it was asked for."""

    python: str
    packages: tuple[tuple[str, str], ...]
    commit: str
    events: int
    objects: int
    verdict: str
    exact: bool
    output: str
    own_ms: float
    alive: int | None
    settings: tuple[Setting, ...]
    changed: Changed | None
    cycle: Cycle | None
    holder: Holder | None

    @property
    def now(self) -> Setting:
        return self.settings[0]

    @property
    def then(self) -> Setting:
        return self.settings[1]

    @property
    def other(self) -> Setting:
        return self.settings[2]

    @property
    def change(self) -> Changed:
        assert self.changed is not None
        return self.changed

    @property
    def kept(self) -> Holder:
        assert self.holder is not None
        return self.holder

    @property
    def ring(self) -> Cycle:
        assert self.cycle is not None
        return self.cycle

    @property
    def share(self) -> float:
        """GC time per cent of CPU time, under the present setting."""
        return 100 * self.now.ms / (self.now.ms + self.own_ms)

    @property
    def saved(self) -> float:
        """GC time per cent less under the second setting."""
        return 100 - 100 * self.then.ms / self.now.ms

    @property
    def alive_mb(self) -> float:
        return (self.alive or 0) / MB

    @property
    def waiting_now(self) -> int:
        """Cycles of the first kind that wait for a collection at once: as many as the most garbage
        has room for, as nearly all garbage is of that kind."""
        return round(self.now.floating * self.ring.count / self.ring.bytes)

    @property
    def waiting_then(self) -> int:
        return round(self.then.floating * self.ring.count / self.ring.bytes)

    def dump(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"


def load(path: Path) -> Figures:
    """Raises OSError and KeyError: a file that `dump` wrote has all of it."""
    of = json.loads(path.read_text())
    of["packages"] = tuple(map(tuple, of["packages"]))
    of["settings"] = tuple(map(_setting, of["settings"]))
    of["changed"] = of["changed"] and _changed(of["changed"])
    of["cycle"] = of["cycle"] and Cycle(**of["cycle"])
    of["holder"] = of["holder"] and Holder(**of["holder"])
    return Figures(**of)


def _counts(of: dict[str, Any]) -> Counts:
    first, second, third = of["collections"]
    return Counts((first, second, third), of["collected"], of["peak_tracked"])


def _setting(of: dict[str, Any]) -> Setting:
    of["predicted"] = _counts(of["predicted"])
    of["real"] = tuple(map(_counts, of["real"]))
    of["predicted_times"] = Times(**of["predicted_times"])
    of["real_times"] = Times(**of["real_times"])
    return Setting(**of)


def _changed(of: dict[str, Any]) -> Changed:
    of["predicted"] = of["predicted"] and _counts(of["predicted"])
    of["real"] = tuple(map(_counts, of["real"]))
    of["predicted_times"] = Times(**of["predicted_times"])
    of["real_times"] = Times(**of["real_times"])
    return Changed(**of)
