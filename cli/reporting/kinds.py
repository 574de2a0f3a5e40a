"""What a report tells of garbage, cycles, ages and what is alive: two replays, and the sections."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from gcreplay.assigned import Sources, Taken
from gcreplay.replay.garbage import Cycles, ended
from gcreplay.replay.leaks import leaks
from gcreplay.report.parts.ages import ages
from gcreplay.report.parts.alive import alive
from gcreplay.report.parts.cycles import Advice, cycles
from gcreplay.report.parts.garbage import garbage
from gcreplay.report.places import Places
from gcreplay.report.view import Finding, Section
from gcreplay.report.words.places import short
from gcreplay.screen.cuts import found_cuts, gained, ways
from gcreplay.screen.outcome import Outcome
from gcreplay.screen.pauses import pause_model
from gcreplay.screen.progress import reading
from gcreplay.store import EventLog

Told = tuple[Section, list[Finding]]


def kinds(
    log: EventLog, trace: str, policy: str | None = None, *, suggesting: bool = False
) -> tuple[Told, Told, Told, Told]:
    """Garbage, cycles, ages and what is alive. trace: the recording in commands. policy: None is
    the recorded setting. suggesting: cuts are tried, a replay each. Raises as `ended`."""
    places = Places.of(log)
    asked = [] if policy is None else ["-p", policy]

    def command(*words: str) -> str:
        return shlex.join(["gcreplay", *words])

    with reading(log, "finding garbage and cycles"):
        found = ended(log, policy)
    show = command("cycles", trace, *asked)
    advice = _advice(log, found.cycles, trace, places.root) if suggesting else None
    with reading(log, "finding what is alive"):
        living = leaks(log)
    return (
        garbage(found, places, show),
        cycles(found.cycles, places, show, advice, command("cycles", trace, *asked, "--suggest")),
        ages(found.ages, found.cycles.run, command("sweep", trace)),
        alive(living, places, command("leaks", trace)),
    )


def _advice(log: EventLog, found: Cycles, trace: str, root: str) -> Mapping[str, Advice]:
    """The best cuts, by the kind of cycles in which each was found."""
    model, sources = pause_model(log), Sources(log.lines)
    told: dict[str, Advice] = {}
    for one in found_cuts(log, found):
        sites = one.group.sites
        taken = sources.taken(one.cut, sites[0].function if sites else "")
        before, after = (Outcome.of(run, model, None) for run in (one.before, one.after))
        told.setdefault(
            one.group.signature,
            Advice(
                str(one.cut),
                one.cut.holder,
                one.cut.label,
                gained(before, after),
                ways(one),
                _lines(taken, root),
                one.lost.sentence() if one.lost.objects else "",
                shlex.join(["gcreplay", "cycles", trace, "--cut", str(one.cut)]),
            ),
        )
    return told


def _lines(taken: Taken, root: str) -> tuple[str, ...]:
    """Where one's own code takes the reference, and last uses it."""
    said = [("Set at", line) for line in taken.set_at[:3]]
    said += [("Last used at", taken.last_used_at)] if taken.last_used_at else []
    return tuple(
        f"{what} {short(line.file, root)}:{line.number}: {line.text}" for what, line in said
    )
