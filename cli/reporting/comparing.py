"""What `report --compare` tells: another recording, or another policy, beside this one."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gcreplay.replay import RunResult, make_policy
from gcreplay.replay.estimates.pauses import PauseModel, work_of
from gcreplay.replay.modules import root_of
from gcreplay.replay.results.diff import diff
from gcreplay.report.parts.compare import Times, compare_policies, compare_recordings
from gcreplay.report.places import Places
from gcreplay.report.view import Finding, Section
from gcreplay.reporting.confidential import OTHER
from gcreplay.screen.outcome import PRESENT, Outcome, own_time
from gcreplay.screen.pauses import pause_model
from gcreplay.screen.verdict import compared
from gcreplay.screen.wording import Wording
from gcreplay.store import EventLog
from gcreplay.store.confidential import Confidential
from gcreplay.store.errors import UsageError
from gcreplay.trace import opened
from gcreplay.versions.compared import Versions
from gcreplay.versions.text import place_words, site_words

Told = tuple[Section, list[Finding]]


def names_recording(other: str) -> bool:
    """Whether --compare names a recording: a file that there is, or what is called like one."""
    return os.path.exists(other) or other.endswith(".gcreplay")  # noqa: PTH110 - long is no file


def compared_with(
    log: EventLog,
    trace: Path,
    other: str,
    policies: Sequence[str],
) -> Told:
    """What --compare asks for. policies: those of -p, of which the last is held against another.
    Where the log is a confidential view, so is the other."""
    policy = policies[-1] if policies else PRESENT
    if not names_recording(other):
        return with_policy(log, str(trace), policy, other)
    with opened(Path(other)) as base:
        if not isinstance(log, Confidential):
            paths = (other, str(trace))
            return with_recording(base, log, names_of(Path(other), trace), paths, policy)
        names = ("the other recording", "this recording")
        paths = (str(OTHER), str(trace))
        return with_recording(Confidential(base, log), log, names, paths, policy)


def check_other(other: str) -> None:
    """Raises UsageError for what is neither."""
    if not names_recording(other):
        try:
            make_policy(other)
        except UsageError as error:
            raise UsageError(
                f"--compare takes another recording or a policy; {other!r} is no file, and {error}"
            ) from None


def with_policy(log: EventLog, trace: str, policy: str, other: str) -> Told:
    """The recording under `policy`, the first, and under another."""
    result = diff((log, policy), (log, other))
    model = pause_model(log)
    outcomes = _outcomes((log, log), (result.first, result.second), model)
    places = Places.of(log)
    return compare_policies(
        (policy, other),
        _verdict(outcomes, (policy, other), model),
        _times(outcomes),
        result.figures,
        _parting(log, result.parting.sequence if result.parting else None),
        result.kept_longer,
        lambda one: places.words(one.file, _line(one.site), one.function, one.site[:5] == "near "),
        shlex.join(["gcreplay", "diff", trace, "-p", policy, "-p", other]),
    )


def with_recording(
    base: EventLog, log: EventLog, names: tuple[str, str], paths: tuple[str, str], policy: str
) -> Told:
    """Another recording, the base, and this one. names: in headings; paths: in commands."""
    result = diff((base, policy), (log, policy))
    model = pause_model(base) or pause_model(log)
    outcomes = _outcomes((base, log), (result.first, result.second), model)
    root = root_of(site.file for each in (base, log) for site in each.sites)
    found = replace(Versions.of(result, (base, log), names, outcomes), shown_from=(root,))
    return compare_recordings(
        names,
        "".join(found.verdict()),
        _times(outcomes),
        found.figures,
        found.garbage,
        found.leaks,
        found.sites[0],
        lambda one: place_words(found, one),
        lambda one: site_words(found, one),
        shlex.join(["gcreplay", "diff", *paths]),
    )


def names_of(base: Path, trace: Path) -> tuple[str, str]:
    """What tells the two apart: names of files, with their folders where these are equal."""
    return (base.name, trace.name) if base.name != trace.name else (str(base), str(trace))


def _outcomes(
    logs: tuple[EventLog, EventLog],
    runs: tuple[RunResult, RunResult],
    model: PauseModel | None,
) -> tuple[Outcome, Outcome]:
    first, second = (
        Outcome.of(run, model, own_time(log)) for log, run in zip(logs, runs, strict=True)
    )
    return first, second


def _times(outcomes: tuple[Outcome, Outcome]) -> list[Times]:
    first, second = (one.pauses for one in outcomes)
    if first is None or second is None:
        return []
    return [
        Times("GC time ms", first.total / 1e6, second.total / 1e6),
        Times("longest ms", first.longest / 1e6, second.longest / 1e6),
    ]


def _verdict(
    outcomes: tuple[Outcome, Outcome], names: tuple[str, str], model: PauseModel | None
) -> str:
    first, second = outcomes
    if model is None:
        return "Times are not known on this recording; all else is counted."
    if first.pauses is None or second.pauses is None:
        return f"{names[first.pauses is not None]} is a bound that takes no time."
    off = model.difference_off(work_of(first.run.collections), work_of(second.run.collections))
    return compared(first.pauses.total, second.pauses.total, off, names[1], names[0])


def _parting(log: EventLog, sequence: int | None) -> str:
    if sequence is None:
        return "none, they are equal throughout"
    _, op, told = next(Wording(log).lines(log.window(sequence, sequence + 1)))
    return f"event {sequence:,}, {op} {told}"


def _line(site: str) -> int:
    return int(site.rpartition(":")[2] or 0)
