"""Settings to sweep: numbers as they are typed, and the grid of them."""

from __future__ import annotations

import re
from itertools import product

from gcreplay.store.errors import UsageError
from gcreplay.store.values import I32_MOST, shown, whole_from

from .sweep import Setting

_RANGE = re.compile(r"(?P<low>.+?)\.\.(?P<high>[^:]+):(?P<count>.+)")
MOST = 10_000
"""Settings of one sweep."""


def numbers_from(name: str, text: str) -> list[int]:
    """`5,10,50`, or `100..100000:20` for twenty numbers in equal ratios; raises UsageError."""
    try:
        numbers = [n for part in text.split(",") for n in _part(name, part)]
    except ValueError as error:
        raise UsageError(
            f"{name} {shown(text)}: {error}; write numbers as in 5,10,50, or 100..100000:20 for "
            f"twenty in equal ratios"
        ) from None
    return sorted(set(numbers))


def _part(name: str, part: str) -> list[int]:
    wide = _RANGE.fullmatch(part)
    if wide is None:
        return [whole_from("each", part, 0, I32_MOST)]
    low = whole_from("the first", wide["low"], 1, I32_MOST)
    high = whole_from("the last", wide["high"], low, I32_MOST)
    count = whole_from("how many", wide["count"], 2, MOST)
    return [round(low * (high / low) ** (i / (count - 1))) for i in range(count)]


def grid(t0: str, t1: str, t2: str) -> list[Setting]:
    """All combinations, ascending; raises UsageError."""
    axes = [numbers_from(f"--t{i}", text) for i, text in enumerate((t0, t1, t2))]
    settings = list(product(*axes))
    if len(settings) > MOST:
        raise UsageError(f"these are {len(settings):,} settings; a sweep takes up to {MOST:,}")
    return [(a, b, c) for a, b, c in settings]


def policy_of(setting: Setting) -> str:
    """The name of the policy that a setting stands for."""
    return "cpython-3.11:" + ",".join(map(str, setting))
