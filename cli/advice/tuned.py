"""A recording, the settings that were tried on it, and what is to be said of the one chosen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from gcreplay.advice.bearing import Bearing, Real
from gcreplay.advice.bearing import Figure as Claimed
from gcreplay.advice.paste import in_words, lines_of
from gcreplay.replay import RunResult, replay
from gcreplay.replay.estimates.pauses import TYPICAL, PauseModel
from gcreplay.replay.policies.policy import OLDEST
from gcreplay.replay.tuning.choice import Goal, Judge, Limits, Tried, on_front
from gcreplay.replay.tuning.search import Search
from gcreplay.report.words.numbers import counted, in_ms, in_percent, size_words
from gcreplay.screen.outcome import (
    ASSUMED_SHARE,
    PRESENT,
    change_words,
    milliseconds,
    own_time,
    program_words,
    share_of,
    sums,
)
from gcreplay.screen.output import Report, next_command
from gcreplay.screen.pauses import P99, pause_model, trust
from gcreplay.screen.progress import Steps, reading
from gcreplay.screen.tables.table import Cell, Figure, Size, Table
from gcreplay.store import EventLog
from gcreplay.store.marks import with_marks_read

_CLAIMS: Final[dict[Goal, Claimed]] = {
    "throughput": "gc_ns",
    "latency": "longest_ns",
    "p99": "p99_ns",
    "memory": "peak_bytes",
}

SHOWN: Final = 6
"""Settings of the front in the table, beside the present and the recommended one; JSON has all."""

WORTH_A_WORD_NS: Final = 1_000_000
"""Of the longest pause."""

LEAVE: Final = "Leave it as it is"

KEPT: Final = 0.02
"""Of the peak: what a freeze keeps of garbage and is not worth a word."""


class Tuned:
    """A recording, all that was tried on it, and what was chosen."""

    def __init__(
        self,
        log: EventLog,
        goal: Goal,
        limits: Limits,
        process_bytes: int | None = None,
        run: RunResult | None = None,
    ) -> None:
        """`process_bytes`: the most that the process really takes now, if that is known; `run`:
        the replay of its present setting, if that is made already."""
        self.log = log
        if run is None:
            with reading(log, "replaying"):
                run = replay(log, PRESENT)
        self.fitted = pause_model(log, run.collections)
        self.model: PauseModel = self.fitted or TYPICAL
        self.own = own_time(log)
        total = self.model.estimate(run.collections).total
        self.own_ns = self.own.ns if self.own is not None else ASSUMED_SHARE * total
        self.judge = Judge(goal, limits, self.own_ns, process_bytes)
        steps = Steps(
            log.event_count, lambda: f"{counted(len(search.tried), 'setting')} tried"
        )
        search = Search(log, run, self.model, self.judge, steps.begin)
        with reading(log, steps):
            self.tried = search.run()
        self.considered = search.considered
        self.present = search.present
        self.limits = limits
        self.failed: list[Bearing] = []
        self.proof: Bearing | None = None
        self.chosen = self.judge.chosen(self.present, self.tried[1:], self.model)

    def prove(self, now: Real, then: Real) -> bool:
        """Whether real runs of the chosen setting beside the present one bear it out; if not,
        another is chosen."""
        assert self.chosen is not None
        figure, share = self.claim()
        proof = Bearing(self.chosen.policy, now, then, figure, share, self.limits)
        if not proof.against:
            self.proof = proof
            return True
        self.failed.append(proof)
        out = {one.policy for one in self.failed}
        left = [one for one in self.tried[1:] if one.policy not in out]
        self.chosen = self.judge.chosen(self.present, left, self.model)
        return False

    def claim(self) -> tuple[Claimed, float]:
        """The figure that the chosen setting is chosen for, and the share of it that it saves."""
        assert self.chosen is not None
        now, then = self.present, self.chosen
        saved = {
            "gc_ns": (now.pauses.total, then.pauses.total),
            "longest_ns": (now.pauses.longest, then.pauses.longest),
            "p99_ns": (now.pauses.p99, then.pauses.p99),
            "peak_bytes": (now.peak, then.peak),
        }
        time = then.pauses.total < now.pauses.total
        figure: Claimed = _CLAIMS.get(self.judge.goal, "gc_ns" if time else "peak_bytes")
        before, after = saved[figure]
        return figure, (before - after) / before if before else 0.0

    def report(self, trace: str, form: str) -> Report:
        best = on_front([one for one in self.tried if one.known])
        lines, undo = (
            ([], "") if self.chosen is None else lines_of(self.chosen.policy, self.log, form)
        )
        said = self.answer()
        payload = {
            "trace": trace,
            "present": self.row(self.present),
            "front": [self.row(one) for one in best],
            "recommended": None if self.chosen is None else self.recommended(lines, undo),
            "reason": said,
            "proved": self.proved(),
        }
        tables = [self.comparison()] if self.chosen is not None else []
        tables.append(self.front_table(best))
        notes = [*self.in_vain(), *self.frozen(), self.trust()]
        if self.proof is not None:
            notes.append("Peak memory of real runs is that of the whole process.")
        if undo:
            notes.append(TRY)
        if self.chosen is not None:
            notes.append(LIKE)
        first = (said, program_words(self.log, self.own))
        lines_told = code(lines, undo)
        then = self.then(trace)
        return Report(tuple(tables), payload, (), first, tuple(notes), lines_told, then=then)

    def then(self, trace: str) -> str:
        """What to type next: what tries the setting on the program itself, else what makes less
        garbage."""
        if self.chosen is None:
            return next_command("cycles", trace) if trace else ""
        argv = self.log.meta.get("argv")
        if self.proof is not None or not isinstance(argv, list) or not argv:
            return ""
        return next_command("prove", "-p", self.chosen.policy, *argv)

    def proved(self) -> dict[str, Any] | None:
        """The real runs of what is recommended, or of what was tried last."""
        last = self.proof or (self.failed[-1] if self.failed else None)
        return None if last is None else last.to_json()

    def row(self, one: Tried) -> dict[str, Any]:
        return {
            "policy": one.policy,
            "collections_by_generation": one.run.collections_by_generation,
            "collected": one.run.collected,
            "pauses": sums(one.pauses),
            "gc_share": share_of(one.pauses, self.own_ns),
            "peak_bytes": one.peak,
            "peak_floating_bytes": one.run.peak_floating_bytes,
        }

    def recommended(self, lines: Sequence[str], undo: str) -> dict[str, Any]:
        assert self.chosen is not None
        now, then = self.present, self.chosen
        return {
            "policy": then.policy,
            "lines": list(lines),
            "undo": undo,
            "gain": {
                "gc_ns": now.pauses.total - then.pauses.total,
                "longest_ns": now.pauses.longest - then.pauses.longest,
                "p99_ns": now.pauses.p99 - then.pauses.p99,
                "peak_bytes": now.peak - then.peak,
            },
        }

    def answer(self) -> str:
        """What to do, in a sentence or two."""
        return self.nothing() if self.chosen is None else " ".join(self.to_do())

    @property
    def unknown(self) -> Tried | None:
        """Where most of what was tried is no prediction, as the program depends on its collector:
        the first that is none."""
        unknown = [one for one in self.tried[1:] if not one.known]
        return unknown[0] if len(unknown) * 2 > len(self.tried) - 1 else None

    def to_do(self) -> tuple[str, str]:
        """What to do, as a short sentence, and what it gains or why nothing is better."""
        if self.chosen is None:
            _, why = self.nothing().split(": ", 1)
            leave = "Leave the settings of the collector as they are."
            unknown = "It cannot be told which setting is better."
            return (leave if self.unknown is None else unknown), f"{why[0].upper()}{why[1:]}"
        name = with_marks_read(self.chosen.policy)
        change = in_words(self.chosen.policy, self.log) or f"Change this: {name}."
        return change, change_words(self.present, self.chosen, self.own_ns)

    def nothing(self) -> str:
        """Why nothing is recommended."""
        if (first := self.unknown) is not None:
            told = first.run.depends_on_collector.sentence()
            return (
                f"It cannot be told: under {with_marks_read(first.policy)} {told}. No prediction "
                f"holds for this program; try settings with `gcreplay prove`."
            )
        if self.failed:
            best = self.failed[0]
            return (
                f"{LEAVE}: {with_marks_read(best.policy)} was the best that was found, "
                f"and real runs do not bear it out: {best.against}."
            )
        now = self.present
        share = share_of(now.pauses, self.own_ns)
        of_cpu = "" if share is None else f", {in_percent(share)} of CPU"
        allowed = self.judge.allowed(now, self.tried)
        least = min((one.pauses.total for one in allowed), default=now.pauses.total)
        saved = max(0, now.pauses.total - least)
        return (
            f"{LEAVE}: the collector takes {in_ms(now.pauses.total)} ms{of_cpu}, and no setting "
            f"of the {self.considered} tried saves more than {in_ms(saved)} ms of it within the "
            f"limits (memory +{100 * self.limits.more_memory:.0f} %)."
            f"{self.with_more_memory()}{self.for_latency()}"
        )

    def for_latency(self) -> str:
        """What would be chosen for the longest pause, in a sentence, where it is worth a word."""
        if self.judge.goal == "latency":
            return ""
        judge = replace(self.judge, goal="latency")
        best = judge.chosen(self.present, self.tried[1:], self.model)
        now = self.present.pauses.longest
        if best is None or now - best.pauses.longest < WORTH_A_WORD_NS:
            return ""
        return (
            f" For the longest pause alone (--for latency) {with_marks_read(best.policy)} would "
            f"be better: from {in_ms(now)} to {in_ms(best.pauses.longest)} ms."
        )

    def with_more_memory(self) -> str:
        """What would be chosen if memory did not matter, in a sentence."""
        judge = replace(self.judge, goal="throughput", limits=replace(self.limits, more_memory=9.0))
        best = judge.chosen(self.present, self.tried[1:], self.model)
        if best is None:
            return ""
        more = self.judge.memory(self.present, best.peak) - 1
        return (
            f" With --max-memory +{math.ceil(100 * more)}% {with_marks_read(best.policy)} would "
            f"save {in_ms(self.present.pauses.total - best.pauses.total)} ms."
        )

    def in_vain(self) -> list[str]:
        """Young collections that found nothing."""
        young = [one for one in self.present.run.collections if one.generation < OLDEST]
        vain = sum(one.collected == 0 for one in young)
        if not young or 2 * vain < len(young):
            return []
        if vain == len(young):
            return [f"In vain: {counted(vain, 'young collection')} found 0 objects."]
        return [f"In vain: {vain:,} of {counted(len(young), 'young collection')} found 0 objects."]

    def frozen(self) -> list[str]:
        """Freezes, of the program or tried, that keep garbage: what is left of it at the end."""
        tried = {one.policy: one for one in self.tried}
        told = []
        for one in self.tried:
            action, _, rest = one.policy.rpartition("+")
            other = tried.get(rest)
            if other is None or rest != PRESENT:
                continue
            if action == "without:freeze":
                frozen, free, what = other, one, "gc.freeze() of the program keeps"
            elif action.startswith(("freeze@", "freeze-at:")):
                frozen, free, what = one, other, f"{with_marks_read(action)} would keep"
            else:
                continue
            kept = frozen.run.floating_bytes - free.run.floating_bytes
            if kept > KEPT * self.present.peak:
                told.append(f"{what} {size_words(kept)} of garbage.")
        return told

    def trust(self) -> str:
        if self.fitted is not None:
            return trust(self.log, self.fitted)
        return (
            f"Times are rough: {counted(len(self.log.observed), 'collection')} of the program "
            f"tell too little of this machine, so they are those of a typical one."
        )

    def comparison(self) -> Table:
        assert self.chosen is not None
        now, then = self.present, self.chosen
        rows = [
            ("GC time, ms", milliseconds(now.pauses.total), milliseconds(then.pauses.total)),
            (
                "longest pause, ms",
                milliseconds(now.pauses.longest),
                milliseconds(then.pauses.longest),
            ),
            ("p99 pause, ms", milliseconds(now.pauses.p99), milliseconds(then.pauses.p99)),
            ("full collections", _full(now), _full(then)),
            ("peak memory", Size(now.peak), Size(then.peak)),
        ]
        heads: tuple[str, ...] = ("", "now", "predicted")
        if self.proof is None:
            return Table(heads, tuple(rows), key="comparison")
        real = zip(_cells(self.proof.now), _cells(self.proof.then), strict=True)
        beside = tuple((*row, *both) for row, both in zip(rows, real, strict=True))
        return Table((*heads, "now, really", "then, really"), beside, key="comparison")

    def front_table(self, best: Sequence[Tried]) -> Table:
        rows = self.judge.shown(self.present, self.chosen, best, SHOWN)
        marked = {self.present.policy: "now"}
        if self.chosen is not None:
            marked[self.chosen.policy] = "recommended"
        return Table(
            ("GC ms", "% CPU", "longest ms", P99, "peak memory", "setting", ""),
            tuple(
                (
                    milliseconds(one.pauses.total),
                    Figure(100 * (share_of(one.pauses, self.own_ns) or 0)),
                    milliseconds(one.pauses.longest),
                    milliseconds(one.pauses.p99),
                    Size(one.peak),
                    with_marks_read(one.policy),
                    marked.get(one.policy, ""),
                )
                for one in rows
            ),
            title="No setting is better in all four:",
            key="settings",
        )


def code(lines: Sequence[str], undo: str) -> tuple[str, ...]:
    """The lines, and what takes them back."""
    return (*lines, "", f"# undo: {undo}") if lines else ()


TRY = (
    "To try it in production: give these lines to one of two like workers, let both do the same "
    "number of requests (equal work, not equal time), and compare their CPU time and memory."
)

LIKE = (
    "Is the recording like production? `gcreplay check RECORDING --against LOG` compares it with "
    "what production logs of its collector (examples/gc_log.py)."
)


def _cells(real: Real) -> tuple[Cell, ...]:
    """The figures of a comparison; memory is that of the whole process."""
    times = (real.gc_ns, real.longest_ns, real.p99_ns)
    return (*map(milliseconds, times), real.full, Size(real.peak_bytes))


def _full(one: Tried) -> int:
    return one.run.collections_by_generation[OLDEST]
