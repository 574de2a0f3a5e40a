"""Is a recording like production? Figures that do not depend on how long either ran, each with the
bound within which it counts as alike, and why that is the bound."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from gcreplay.production.activity import GENERATIONS, Activity
from gcreplay.replay.estimates.pauses import LEAST
from gcreplay.report.words.numbers import counted

MACHINE: Final = 2.0
"""Another machine, or a busier one, is taken to run the same program at most so much faster or
slower."""
RECORDING: Final = {"recorded": (1.2, 2.0), "measured": (1.0, 1.0)}
"""How many times the CPU time of other runs the recorded one takes: least and most seen."""
PAUSES: Final = (1.03, 1.6)
"""The same of recorded pauses."""
CACHES: Final = 1.25
"""What a machine's caches may change in a share of the same machine's time."""
GARBAGE: Final = 0.20
QUARTER: Final = 0.25
NAMES: Final = ("young", "middle", "full")
ENOUGH: Final = 5
"""Pauses whose median says something."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A figure of both. `low` and `high`: within these production's is alike; `because`: why these.
    `alike` is None where it cannot be told, and `because` says why not."""

    figure: str
    recorded: str | float | None
    production: str | float | None
    low: float | None
    high: float | None
    alike: bool | None
    because: str

    @property
    def ratio(self) -> float | None:
        """Production's over the recording's."""
        if isinstance(self.recorded, str) or isinstance(self.production, str):
            return None
        if not self.recorded or self.production is None:
            return None
        return self.production / self.recorded

    def to_json(self) -> dict[str, Any]:
        return {
            "figure": self.figure,
            "recorded": self.recorded,
            "production": self.production,
            "ratio": self.ratio,
            "bound": None if self.low is None else [self.low, self.high],
            "alike": self.alike,
            "because": self.because,
        }


def likenesses(recorded: Activity, production: Activity) -> list[Likeness]:
    """Every figure that both may have, also where one has it not."""
    return [
        _python(recorded, production),
        _threshold(recorded, production),
        *_mix(recorded, production),
        _garbage(recorded, production),
        _rate(recorded, production),
        _share(recorded, production),
        *_pauses(recorded, production),
        *_heap(recorded, production),
    ]


def _unknown(figure: str, recorded: Any, production: Any, because: str) -> Likeness:
    return Likeness(figure, recorded, production, None, None, None, because)


def _within(
    figure: str, recorded: float, production: float, low: float, high: float, because: str
) -> Likeness:
    """Alike where production's is at least `low` and at most `high` times the recorded one."""
    least, most = low * recorded, high * recorded
    alike = least <= production <= most
    return Likeness(figure, recorded, production, least, most, alike, because)


def _python(recorded: Activity, production: Activity) -> Likeness:
    ours, theirs = recorded.python, production.python
    if ours is None or theirs is None:
        return _unknown("Python", ours, theirs, _silent(ours, "its Python"))
    because = "another version makes other objects, and collects them by other rules"
    alike = ours.split(".")[:2] == theirs.split(".")[:2]
    return Likeness("Python", ours, theirs, None, None, alike, because)


def _threshold(recorded: Activity, production: Activity) -> Likeness:
    ours, theirs = _written(recorded), _written(production)
    if ours is None or theirs is None:
        return _unknown("thresholds", ours, theirs, _silent(ours, "its thresholds"))
    because = "what is found, and when, follows from them"
    return Likeness("thresholds", ours, theirs, None, None, ours == theirs, because)


def _written(one: Activity) -> str | None:
    return None if one.threshold is None else ",".join(map(str, one.threshold))


def _mix(recorded: Activity, production: Activity) -> Iterator[Likeness]:
    """How many of the collections are of the older generations, and asked for."""
    parts: list[tuple[str, int | None, int | None]] = [
        (f"{NAMES[generation]}, of 1,000", recorded.collections[generation],
         production.collections[generation])
        for generation in range(1, GENERATIONS)
    ]  # fmt: skip
    parts.append(("by gc.collect(), of 1,000", recorded.explicit, production.explicit))
    for figure, ours, theirs in parts:
        if ours is None or theirs is None:
            yield _unknown(figure, None, None, "the log does not say it")
        elif few := _too_few(recorded, production):
            yield _unknown(figure, None, None, few)
        else:
            yield _part(figure, (ours, recorded.total), (theirs, production.total))


def _part(figure: str, ours: tuple[int, int], theirs: tuple[int, int]) -> Likeness:
    """`ours` and `theirs`: how many of how many. The share of the longer one says how many the
    shorter one is to have, but for a quarter and for chance."""
    (_, fewer), (count, most) = sorted((ours, theirs), key=lambda part: part[1])
    expected = count * fewer / most
    apart = 1000 * (1 + QUARTER * expected + 2 * math.sqrt(expected)) / fewer
    recorded, production = (1000 * n / total for n, total in (ours, theirs))
    because = (
        "a quarter, since full collections come when the heap has grown by one; and one more and "
        "two standard errors for chance, in the shorter of both"
    )
    return _apart(figure, recorded, production, apart, because)


def _apart(figure: str, recorded: float, production: float, most: float, because: str) -> Likeness:
    """As `_within`, where the bound is a difference."""
    low, high = max(0.0, recorded - most), recorded + most
    alike = low <= production <= high
    return Likeness(figure, recorded, production, low, high, alike, because)


def _garbage(recorded: Activity, production: Activity) -> Likeness:
    figure = "collected a collection"
    if few := _too_few(recorded, production):
        return _unknown(figure, None, None, few)
    ours, theirs = (each.collected / each.total for each in (recorded, production))
    chance = 2 * math.hypot(_standard_error(recorded.found), _standard_error(production.found))
    because = "20 %, twice the least gain that tune speaks of; and two standard errors for chance"
    return _apart(figure, ours, theirs, GARBAGE * ours + chance, because)


def _standard_error(values: Sequence[int]) -> float:
    if len(values) < 2:
        return 0.0
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return math.sqrt(variance / len(values))


def _rate(recorded: Activity, production: Activity) -> Likeness:
    figure = "collections a second of CPU"
    if recorded.cpu_ns is None or production.cpu_ns is None:
        return _unknown(figure, None, None, _silent(recorded.cpu_ns, "its CPU time"))
    if few := _too_few(recorded, production):
        return _unknown(figure, None, None, few)
    least, most = RECORDING[recorded.cpu_of]
    ours, theirs = (1e9 * a.total / (a.cpu_ns or 1) for a in (recorded, production))
    because = "another machine takes half or twice the time" + (
        ", and a recorded run 1.2 to 2 times it" if most > 1 else ""
    )
    return _within(figure, ours, theirs, least / MACHINE, most * MACHINE, because)


def _share(recorded: Activity, production: Activity) -> Likeness:
    figure = "GC % of CPU"
    if not recorded.cpu_ns or not production.cpu_ns:
        return _unknown(figure, None, None, _silent(recorded.cpu_ns, "its CPU time"))
    if recorded.gc_ns is None or production.gc_ns is None:
        return _unknown(figure, None, None, "the log does not say how long collections take")
    if few := _too_few(recorded, production):
        return _unknown(figure, None, None, few)
    ours = 100 * recorded.gc_ns / recorded.cpu_ns
    theirs = 100 * production.gc_ns / production.cpu_ns
    least, most = RECORDING[recorded.cpu_of]
    low, high = least / PAUSES[1] / CACHES, most / PAUSES[0] * CACHES
    because = (
        "a recorded run takes 1.2 to 2 times the time, its pauses 1.03 to 1.6 times, and a quarter "
        "for caches: else the machine falls out of a share"
    )
    return _within(figure, ours, theirs, low, high, because)


def _pauses(recorded: Activity, production: Activity) -> Iterator[Likeness]:
    for generation, name in enumerate(NAMES):
        figure = f"median pause, {name}, us"
        ours, theirs = recorded.pauses_ns[generation], production.pauses_ns[generation]
        if not any(production.pauses_ns):
            yield _unknown(figure, None, None, "the log does not say how long collections take")
        elif min(len(ours), len(theirs)) < ENOUGH:
            where = "the recording" if len(ours) < ENOUGH else "the log"
            because = f"{where} has fewer than {ENOUGH} {name} collections"
            yield _unknown(figure, _us(ours), _us(theirs), because)
        else:
            because = (
                "another machine takes half or twice the time, and recorded pauses 1.03 to 1.6 "
                "times it"
            )
            low, high = 1 / PAUSES[1] / MACHINE, MACHINE / PAUSES[0]
            yield _within(figure, _us(ours) or 0, _us(theirs) or 0, low, high, because)


def _us(values: Sequence[int]) -> float | None:
    return median(values) / 1000 if values else None


def _heap(recorded: Activity, production: Activity) -> Iterator[Likeness]:
    because = "full collections come when the heap has grown by a quarter"
    sides = (recorded, production)
    if recorded.alive and production.alive:
        ours, theirs = (float(median(each.alive)) for each in sides)
        yield _within("tracked after a full one", ours, theirs, 1 - QUARTER, 1 + QUARTER, because)
    if recorded.at_exit is not None and production.at_exit is not None:
        ours, theirs = float(recorded.at_exit), float(production.at_exit)
        yield _within("tracked at exit", ours, theirs, 1 - QUARTER, 1 + QUARTER, because)
    if recorded.candidates and production.candidates and not _too_few(*sides):
        ours, theirs = (sum(each.candidates or ()) / each.total for each in sides)
        because = "pauses grow with them: a quarter more of the one is a quarter more of the other"
        yield _within("candidates a collection", ours, theirs, 0.75, 1.25, because)


def _silent(ours: object, what: str) -> str:
    """Which of both does not say it."""
    return f"{'the recording' if ours is None else 'the log'} does not say {what}"


def _too_few(recorded: Activity, production: Activity) -> str | None:
    for name, each in (("the recording", recorded), ("the log", production)):
        if each.total < LEAST:
            return f"{name} has {counted(each.total, 'collection')}, and it takes {LEAST}"
    return None
