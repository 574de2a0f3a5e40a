"""Figures in words, and the round numbers of an axis. `charts.js` says the same in the browser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SIZES: Final = ("B", "KiB", "MiB", "GiB", "TiB")
TIMES: Final = ((60.0, "min", 180.0), (1.0, "s", 1.0), (1e-3, "ms", 1e-3), (1e-6, "µs", 0.0))
"""Seconds in a unit, its name, and from where on it is used."""


def digits(number: float) -> str:
    """A number with three digits that count: 12,345; 41.2; 0.00372."""
    if not math.isfinite(number):
        return "–"
    size = abs(number)
    if size == 0 or size >= 99.95:
        return f"{number:,.0f}"
    return f"{number:.{max(0, 2 - math.floor(math.log10(size) + 1e-9))}f}"


def amount(number: float, unit: str) -> str:
    """A figure with its unit: 1536 bytes -> 1.5 KiB; 0.25 s -> 250 ms."""
    if not math.isfinite(number):
        return "–"
    if unit == "bytes":
        power = _power(number)
        return f"{number:,.0f} B" if not power else f"{number / 1024**power:,.1f} {SIZES[power]}"
    if unit == "s":
        second, name = _time(abs(number))
        return f"{digits(number / second)} {name}"
    if unit == "percent":
        return f"{digits(number)} %"
    whole = f"{number:,.0f}" if number == round(number) else digits(number)
    return f"{whole} {unit}".rstrip()


def _power(number: float) -> int:
    size, power = abs(number), 0
    while size >= 1024 and power < len(SIZES) - 1:
        size, power = size / 1024, power + 1
    return power


def _time(seconds: float) -> tuple[float, str]:
    if seconds == 0:
        return 1.0, "s"
    return next((second, name) for second, name, least in TIMES if seconds >= least)


@dataclass(frozen=True, slots=True)
class Ticks:
    """Round numbers of an axis and how they are written."""

    at: Sequence[float]
    labels: Sequence[str]


def ticks(low: float, high: float, unit: str, number: int) -> Ticks:
    """About `number` round numbers from low to high."""
    divisor, name = _unit(max(abs(low), abs(high)), high - low, unit)
    step = round_step((high - low) / divisor / max(number, 1))
    first = math.ceil(low / divisor / step - 1e-9)
    last = math.floor(high / divisor / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    multiples = [i * step for i in range(first, last + 1)]
    labels = [f"{m:,.{decimals}f} {name}".rstrip() for m in multiples]
    labels = ["0" if label in ("0 k", "0 M") else label for label in labels]
    return Ticks([m * divisor for m in multiples], labels)


def top(high: float, unit: str, number: int) -> float:
    """The end of an axis from 0 that has room for `high`: the next round number."""
    if high <= 0:
        return 1.0
    divisor, _ = _unit(high, high, unit)
    step = round_step(high / divisor / number)
    return math.ceil(high / divisor / step - 1e-9) * step * divisor


def _unit(high: float, span: float, unit: str) -> tuple[float, str]:
    if unit == "bytes":
        power = _power(high)
        return 1024.0**power, SIZES[power]
    if unit == "s":
        return _time(span)
    if unit == "percent":
        return 1.0, "%"
    if unit in ("events", "objects", "") and high >= 1e4:
        return (1e6, "M") if high >= 1e6 else (1e3, "k")
    return 1.0, unit if unit == "ms" else ""


def round_step(rough: float) -> float:
    """The next of 1, 2, 5, 10, 20 ..."""
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough) + 1e-9)
    return next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))
