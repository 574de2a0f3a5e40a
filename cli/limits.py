"""Limits on the change between two runs: `--fail-if 'collected>+10%'`.

A limit is FIGURE, then `>`, `>=`, `<` or `<=`, then a bound. A bound with a sign speaks of the
change from the first run to the second (`+10%`, `-500`), one without of the second run's figure.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from gcreplay.replay.results.diff import FIGURES
from gcreplay.replay.results.versions import FOUND
from gcreplay.store.errors import UsageError
from gcreplay.store.marks import meant
from gcreplay.store.values import decimal_from, shown

COMPARISONS: Final[Mapping[str, Callable[[Fraction, Fraction], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
LIMIT: Final = re.compile(r"\s*(\w+)\s*(>=|<=|>|<)\s*([+-]?)([0-9.]+)(%?)\s*")


@dataclass(frozen=True, slots=True)
class Limit:
    """A condition under which a comparison fails. `relative`: the bound is a change, not a figure;
    `percent`: it is a change in percent of the first run's figure."""

    text: str
    figure: str
    comparison: str
    bound: Fraction
    relative: bool
    percent: bool

    def broken_by(self, before: int, after: int) -> bool:
        """Whether the figures `before` and `after` meet the condition, computed exactly."""
        if not self.relative:
            reached = Fraction(after)
        elif self.percent:
            # As before * bound, so that a first figure of 0 needs no division.
            return COMPARISONS[self.comparison](
                Fraction((after - before) * 100), self.bound * before
            )
        else:
            reached = Fraction(after - before)
        return COMPARISONS[self.comparison](reached, self.bound)

    def told(self, before: int, after: int) -> str:
        """What is said of figures that meet the condition."""
        change = f"went from {before:,} to {after:,} ({after - before:+,})"
        return f"{self.text}: {self.figure} {change}"


def parse_limit(text: str) -> Limit:
    """Read a limit; raises UsageError with the grammar or the known figures."""
    match = LIMIT.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--fail-if {shown(text)} is no limit: write FIGURE>BOUND, for example 'collected>+10%'"
        )
    figure, comparison, sign, number, percent = match.groups()
    known = (*FIGURES, *FOUND)
    if figure not in known:
        raise UsageError(
            f"--fail-if {shown(text)}: there is no figure {figure}{meant(figure, known)}; known "
            f"are {', '.join(known)}"
        )
    if percent and not sign:
        raise UsageError(
            f"--fail-if {shown(text)}: a percentage is a change, so it needs a sign: +{number}%"
        )
    try:
        size = decimal_from("the bound", number)
    except ValueError as error:
        raise UsageError(f"--fail-if {shown(text)}: {error}") from None
    bound = -size if sign == "-" else size
    return Limit(text.strip(), figure, comparison, bound, bool(sign), bool(percent))
