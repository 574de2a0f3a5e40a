"""The core of a report: cost, heap, pauses, policies, settings, trust, and how to make it again."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal

from gcreplay.advice.paste import lines_of
from gcreplay.advice.tuned import Tuned
from gcreplay.commands.replay import BOUNDS, best_of
from gcreplay.programs.probes import too_wide
from gcreplay.replay import RunResult, make_policy
from gcreplay.replay.estimates.pauses import PauseModel
from gcreplay.replay.policies.policy import OLDEST
from gcreplay.replay.results.clock import Axis
from gcreplay.replay.results.series import HeapSteps, heap_steps
from gcreplay.replay.results.verify import VerifyResult, verify
from gcreplay.replay.run import Replay
from gcreplay.replay.tuning.choice import Limits, Tried, on_front
from gcreplay.report.parts.cost import Advice, Outcomes, cost
from gcreplay.report.parts.heap import heap
from gcreplay.report.parts.pauses import pauses
from gcreplay.report.parts.policies import policies
from gcreplay.report.parts.runs import Played, Role
from gcreplay.report.parts.settings import Setting, settings
from gcreplay.report.parts.trust import Facts, again, moved, trust
from gcreplay.report.view import Finding, Section
from gcreplay.report.words.numbers import counted
from gcreplay.screen.outcome import (
    PRESENT,
    Outcome,
    OwnTime,
    is_recorded,
    own_time,
    program_words,
    share_of,
)
from gcreplay.screen.pauses import pause_model, too_few
from gcreplay.screen.pauses import trust as trust_in_times
from gcreplay.screen.progress import Runs, reading
from gcreplay.store import EventLog
from gcreplay.store.marks import with_marks_read

Told = tuple[Section, list[Finding]]

MORE_MEMORY: Final = 0.10
"""What `tune` allows unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for. trace: as it names the recording. suggest: cuts are tried.
    own: the command line that makes this report again."""

    trace: Path
    policies: tuple[str, ...]
    deadline_ms: float
    search: bool
    suggest: bool = False
    own: str = ""

    def command(self, *words: str) -> str:
        """A command line on the recording."""
        first, *rest = words
        return shlex.join(["gcreplay", first, str(self.trace), *rest])


class Core:
    """All that the core of a report rests on: replays, verification, and the search."""

    def __init__(self, log: EventLog, asked: Asked) -> None:
        """Raises UsageError for a policy that there is not, before anything is replayed."""
        self.log = log
        self.asked = asked
        wanted = list(dict.fromkeys([PRESENT, *asked.policies, *BOUNDS]))
        plays = [Replay(log, one) for one in wanted]
        plays[0].note_deaths()
        replays = Runs("replay", len(plays))
        self.runs: list[RunResult] = []
        self.steps: HeapSteps
        for i, play in enumerate(plays):
            with replays.one(play.name, log):
                self.runs.append(play.run())
                if not i:
                    self.steps = heap_steps(play, self.runs[0])
            plays[i] = None  # type: ignore[call-overload]  # a heap is large
        self.axis = Axis.of(log)
        with reading(log, "verifying"):
            self.verified: VerifyResult = verify(log)
        self.model: PauseModel | None = pause_model(log, self.runs[0].collections)
        self.own: OwnTime | None = own_time(log)
        self.outcomes = [Outcome.of(run, self.model, self.own) for run in self.runs]
        self.tuned: Tuned | None = None
        if asked.search and is_recorded(log):
            self.tuned = Tuned(log, "balance", Limits(MORE_MEMORY), run=self.runs[0])
        self.advice = self._advice()

    @property
    def subject(self) -> str:
        """What was recorded, in a line."""
        return program_words(self.log, self.own) if is_recorded(self.log) else "A log, not a run"

    @property
    def depends(self) -> list[str]:
        """Why figures of policies are no prediction."""
        return [
            f"{with_marks_read(run.policy)}: {run.depends_on_collector.sentence()}."
            for run in self.runs
            if run.policy not in BOUNDS and run.depends_on_collector.count
        ]

    def sections(self) -> dict[str, Told]:
        """By id."""
        played = self._played()
        now, bounds = played[0], tuple(played[-len(BOUNDS) :])
        command, tuned = self.asked.command, self.tuned
        found = {
            "cost": cost(now, bounds, self.advice, self._why_no_times(), command("tune")),
            "heap": heap(
                self.steps,
                self.axis,
                now.run,
                now.pauses,
                self.log.marks(),
                command("sweep"),
            ),
            "pauses": pauses(
                self.axis,
                now.run,
                now.pauses,
                self.asked.deadline_ms,
                command("tune", "--for", "latency"),
            ),
            "policies": policies(played, self._verdict(), self.depends, self._replay()),
            "settings": settings(
                [] if tuned is None else list(_settings(tuned)),
                0 if tuned is None else tuned.considered,
                command("tune"),
                f"No other settings were tried. To try them: {command('tune')}",
            ),
            "trust": trust(self._facts(), command("verify")),
            "again": again(self._commands(), self._versions()),
        }
        return found

    def _played(self) -> list[Played]:
        roles: list[Role] = ["present"]
        roles += ["bound" if run.policy in BOUNDS else "given" for run in self.runs[1:]]
        return [
            Played(one.name, one.run, one.pauses, one.share, role)
            for one, role in zip(self.outcomes, roles, strict=True)
        ]

    def _verdict(self) -> str:
        if len(self.runs) == 1 + len(BOUNDS):
            return ""
        best = best_of(self.outcomes, self.model)
        return "" if best is None else best.sentence

    def _why_no_times(self) -> str:
        if self.model is not None:
            return ""
        return f"The collector's time is not estimated: {too_few(self.log)}."

    def _advice(self) -> Advice | None:
        tuned = self.tuned
        if tuned is None:
            return None
        said, told = tuned.to_do()
        if tuned.chosen is None:
            outcome: Outcomes = "leave" if tuned.unknown is None else "unknown"
            return Advice(outcome, said, told, notes=tuple(tuned.in_vain()))
        lines, undo = lines_of(tuned.chosen.policy, self.log, "python")
        saves = tuned.present.pauses.total - tuned.chosen.pauses.total
        code = (*lines, "", f"# undo: {undo}") if lines else ()
        notes = (*tuned.in_vain(), *tuned.frozen())
        return Advice("change", said, told, code, undo, saves, notes)

    def _facts(self) -> Facts:
        meta = self.log.meta
        children, granularity = meta.get("children"), meta.get("granularity")
        wide = [too_wide(self.log, one.policy, make_policy(one.policy)) for one in self.runs]
        return Facts(
            self.verified,
            is_recorded(self.log),
            bool(meta.get("complete", True)),
            children if isinstance(children, int) else 0,
            granularity if isinstance(granularity, int) else None,
            self._estimates(),
            [*self.depends, *self._unknown()],
            [f"{with_marks_read(one)}." for one in wide if one],
            [f"{with_marks_read(run.policy)}: {note}." for run in self.runs for note in run.notes],
            self._moved(),
            any(one.qualified == "threading.Thread" for one in self.log.types),
        )

    def _moved(self) -> list[str]:
        """Of the runs that are shown, and of what is recommended."""
        runs = [run for run in self.runs if run.policy not in BOUNDS]
        if self.tuned is not None and self.tuned.chosen is not None:
            runs += [self.tuned.chosen.run]
        shown = {run.policy: run for run in runs}
        return [
            sentence
            for name, run in shown.items()
            for sentence in moved(with_marks_read(name), run, own=name == PRESENT)
        ]

    def _unknown(self) -> list[str]:
        """Whether the search came to predictions at all."""
        if self.tuned is None or self.tuned.unknown is None:
            return []
        tried = self.tuned.tried[1:]
        unknown = sum(not one.known for one in tried)
        return [
            f"{unknown:,} of {counted(len(tried), 'setting')} tried are no prediction: this "
            "program depends on its collector."
        ]

    def _estimates(self) -> str:
        return trust_in_times(self.log, self.model)

    def _replay(self) -> str:
        asked = [word for one in self.asked.policies for word in ("-p", one)]
        return self.asked.command("replay", *asked)

    def _commands(self) -> list[tuple[str, str]]:
        asked = self.asked
        commands = [("record the program", line)] if (line := _recorded_by(self.log, asked)) else []
        commands += [
            ("this report", asked.own),
            ("the policies side by side", self._replay()),
            ("the replay beside what really ran", asked.command("verify")),
        ]
        if self.tuned is not None:
            commands.append(("the search for a setting", asked.command("tune")))
        return commands

    def _versions(self) -> dict[str, str]:
        meta, start = self.log.meta, self.log.start
        facts = {
            "gcreplay": version("gcreplay"),
            "recorded Python": str(meta.get("python") or "not said"),
            "replayed with Python": platform.python_version(),
        }
        if start is not None:
            facts["thresholds at the start"] = ", ".join(map(str, start.threshold))
        for name, key in (
            ("probes every N net allocations", "granularity"),
            ("full probes every N allocations", "full_probe"),
            ("probe budget in %", "probe_budget"),
        ):
            if isinstance(meta.get(key), int):
                facts[name] = f"{meta[key]:,}"
        facts["events"] = f"{self.log.event_count:,}"
        facts["objects"] = f"{self.log.object_count:,}"
        for run in self.runs:
            facts[f"result of {with_marks_read(run.policy)}"] = run.result_hash
        return facts


def _recorded_by(log: EventLog, asked: Asked) -> str:
    """The command line that recorded it, "" where that is not known."""
    meta = log.meta
    argv = meta.get("argv")
    if not is_recorded(log) or not isinstance(argv, list) or not argv:
        return ""
    words = ["gcreplay", "record", "-o", asked.trace.name]
    for option, key in (
        ("--granularity", "granularity"),
        ("--full-probe", "full_probe"),
        ("--probe-budget", "probe_budget"),
    ):
        if isinstance(given := meta.get(key), int) and given:
            words += [option, str(given)]
    if meta.get("labels") is True:
        words.append("--labels")
    if isinstance(executable := meta.get("executable"), str) and executable:
        words += ["--python", executable]
    return shlex.join([*words, *map(str, argv)])


def _settings(tuned: Tuned) -> Iterator[Setting]:
    """All that was tried and is known, by GC time."""
    known = [one for one in tuned.tried if one.known or one is tuned.present]
    front = {one.policy for one in on_front([one for one in tuned.tried if one.known])}
    for one in sorted(known, key=lambda one: (one.costs, one.policy)):
        yield Setting(
            one.policy,
            with_marks_read(one.policy),
            one.pauses,
            share_of(one.pauses, tuned.own_ns),
            one.peak,
            one.run.collections_by_generation[OLDEST],
            _role(tuned, one, front),
        )


def _role(
    tuned: Tuned, one: Tried, front: set[str]
) -> Literal["present", "recommended", "front", "other"]:
    if one is tuned.present:
        return "present"
    if one is tuned.chosen:
        return "recommended"
    return "front" if one.policy in front else "other"
