"""How one item of the soak ended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """`verdict`: passed, listed (fails for a reason that is written down) or failed."""

    name: str
    verdict: str
    told: str


def passed(name: str, told: str) -> Outcome:
    return Outcome(name, "passed", told)


def listed(name: str, told: str) -> Outcome:
    return Outcome(name, "listed", told)


def failed(name: str, told: str) -> Outcome:
    return Outcome(name, "FAILED", told)
