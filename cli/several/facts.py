"""What several recordings say of themselves, and how that is said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gcreplay.report.words.numbers import counted
from gcreplay.screen.outcome import OwnTime, own_time, program
from gcreplay.trace import opened


@dataclass(frozen=True, slots=True)
class Facts:
    """What a recording says of itself."""

    own: OwnTime | None
    threshold: tuple[int, int, int] | None
    argv: tuple[str, ...]
    complete: bool


def facts_of(names: Sequence[str]) -> dict[str, Facts]:
    """By name."""
    found = {}
    for name in names:
        with opened(Path(name)) as log:
            argv = log.meta.get("argv")
            found[name] = Facts(
                own_time(log),
                None if log.start is None else log.start.threshold,
                tuple(map(str, argv)) if isinstance(argv, list) else (),
                log.meta.get("complete") is not False,
            )
    return found


def words_of_all(facts: Mapping[str, Facts]) -> str:
    """What was recorded."""
    programs = {one.argv for one in facts.values()}
    own = sum(one.own.ns for one in facts.values() if one.own is not None)
    of = f" of {program(next(iter(programs)))}" if len(programs) == 1 and any(programs) else ""
    told = f"{counted(len(facts), 'recording')}{of}"
    if own:
        told += f": {own / 1e9:,.2f} s of their own"
    thresholds = {one.threshold for one in facts.values() if one.threshold is not None}
    if len(thresholds) == 1:
        told += f", recorded under {','.join(map(str, thresholds.pop()))}"
    return told


def cut(facts: Mapping[str, Facts]) -> list[str]:
    """Which are not whole."""
    return [
        f"{name} is cut short: its figures are of what is there."
        for name, one in facts.items()
        if not one.complete
    ]
