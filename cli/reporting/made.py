"""The whole report: its sections in order, the answer first, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

from gcreplay.report.parts.cost import Advice
from gcreplay.report.view import Finding, Level, Section, View
from gcreplay.reporting.comparing import compared_with
from gcreplay.reporting.core import Asked, Core
from gcreplay.reporting.kinds import kinds
from gcreplay.screen.outcome import program
from gcreplay.screen.progress import reading
from gcreplay.store import EventLog

LEVELS: Final[tuple[Level, ...]] = get_args(Level)
"""The least first."""

ORDER: Final = (
    "compare",
    "cost",
    "heap",
    "pauses",
    "policies",
    "settings",
    "garbage",
    "cycles",
    "ages",
    "alive",
    "trust",
    "again",
)


def report(
    log: EventLog,
    asked: Asked,
    other: str | None = None,
    notes: tuple[str, ...] = (),
) -> View:
    """other: a recording or a policy to compare with. notes: what a reader has to know of it all.
    A `Confidential` log tells of another recording only what it tells of itself."""
    core = Core(log, asked)
    told = core.sections()
    made = kinds(log, str(asked.trace), suggesting=asked.suggest)
    told |= {section.id: (section, found) for section, found in made}
    if other is not None:
        with reading(log, "comparing"):
            told["compare"] = compared_with(log, asked.trace, other, asked.policies)
    sections = [told[name] for name in ORDER if name in told]
    findings = ordered([one for _, found in sections for one in found])
    argv = log.meta.get("argv")
    name = program(argv) if isinstance(argv, list) else asked.trace.name
    return View(
        f"The garbage collector of {name}",
        core.subject,
        answer(findings, core.advice, told["cost"][0]),
        findings,
        tuple(section for section, _ in sections),
        asked.own,
        notes,
    )


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The gravest first; of equal ones in the order of the sections."""
    return tuple(sorted(findings, key=lambda one: -LEVELS.index(one.level)))


def answer(findings: Sequence[Finding], advice: Advice | None, cost: Section) -> tuple[str, ...]:
    """What to do and what it gains, a sentence each, and before them what makes figures wrong."""
    wrong = [one.text for one in findings if one.level == "serious"]
    if advice is None:
        return (*wrong, f"No other settings were tried yet: {cost.command}")
    return (*wrong, *filter(None, (advice.sentence, advice.gain)))


def failing(findings: Sequence[Finding], level: Level | None) -> Sequence[Finding]:
    """Those of that level or above."""
    if level is None:
        return ()
    return [one for one in findings if LEVELS.index(one.level) >= LEVELS.index(level)]
