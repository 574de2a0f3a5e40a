"""`gcreplay tune`: the setting that suits a program, in lines to paste."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import click

from gcreplay.commands.replay import replayed
from gcreplay.options import trace_argument
from gcreplay.outcome import PRESENT, milliseconds, own_time, program_words, share_of, sums
from gcreplay.output import (
    Cell,
    Figure,
    Report,
    Size,
    Table,
    counted,
    format_option,
    show,
    size_words,
    words,
)
from gcreplay.paste import FORMS, lines_of
from gcreplay.pauses import pause_model, trust
from gcreplay.progress import working
from gcreplay.replay.estimates.pauses import TYPICAL, PauseModel
from gcreplay.replay.policies.policy import OLDEST
from gcreplay.replay.tuning.choice import Goal, Judge, Limits, Tried, front
from gcreplay.replay.tuning.search import Search
from gcreplay.store import EventLog
from gcreplay.store.errors import UsageError
from gcreplay.store.marks import with_marks_read
from gcreplay.store.values import decimal_from, shown
from gcreplay.trace import opened

SHOWN = 6
"""Settings of the front in the table; JSON has all."""

ASSUMED_SHARE = 20
"""Where nobody knows the program's own time: so many times what its collector takes."""


@click.command()
@trace_argument
@click.option(
    "--for",
    "goal",
    type=click.Choice([one for one in get_args(Goal) if one != "balance"]),
    help="What counts: least GC time, shortest longest pause, or least peak memory.  [default: "
    "time and memory, 1 % of CPU for 10 % of the peak]",
)
@click.option(
    "--max-memory",
    default="+10%",
    show_default=True,
    metavar="+P%",
    help="So much more peak memory than now at most.",
)
@click.option("--max-pause", metavar="5ms", help="The longest pause at most.")
@click.option(
    "--as",
    "form",
    type=click.Choice(FORMS),
    default="python",
    show_default=True,
    help="Where the lines are to stand.",
)
@format_option
def command(
    trace: Path,
    goal: Goal | None,
    max_memory: str,
    max_pause: str | None,
    form: str,
    output_format: str,
) -> None:
    """Find the setting of the collector that suits a recorded program, and say what it gains and
    costs.

    \b
    Example:
      gcreplay tune demo.gcreplay
      gcreplay tune demo.gcreplay --for latency --max-memory +20% --as gunicorn
    """
    limits = Limits(_percent(max_memory), None if max_pause is None else _nanoseconds(max_pause))
    with opened(trace) as log:
        tuned = Tuned(log, goal or "balance", limits)
        report = tuned.report(str(trace), form)
    show(report, output_format)


class Tuned:
    """A recording, all that was tried on it, and what was chosen."""

    def __init__(self, log: EventLog, goal: Goal, limits: Limits) -> None:
        self.log = log
        with working("replaying"):
            run = replayed(log, [PRESENT], None, None)[0]
        self.fitted = pause_model(log, run)
        self.model: PauseModel = self.fitted or TYPICAL
        self.own = own_time(log)
        total = self.model.estimate(run.collections).total
        self.own_ns = self.own.ns if self.own is not None else ASSUMED_SHARE * total
        self.judge = Judge(goal, limits, self.own_ns)
        search = Search(log, run, self.model, self.judge)
        with working(lambda: f"searching: {counted(len(search.tried), 'setting')} tried"):
            self.tried = search.run()
        self.present = search.present
        self.chosen = self.judge.chosen(self.present, self.tried[1:], self.model)

    def report(self, trace: str, form: str) -> Report:
        best = front([one for one in self.tried if one.known])
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
            "proved": None,
        }
        tables = [self.comparison()] if self.chosen is not None else []
        tables.append(self.front_table(best))
        notes = [*self.in_vain(), self.trust()]
        if undo:
            notes.append(TRY)
        first = (said, program_words(self.log, self.own))
        return Report(tuple(tables), payload, (), first, tuple(notes), code(lines, undo))

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
                "peak_bytes": now.peak - then.peak,
            },
        }

    def answer(self) -> str:
        """What to do, in a sentence or two."""
        now, then = self.present, self.chosen
        if then is None:
            return self.nothing()
        name = with_marks_read(then.policy)
        return (
            f"Change this: {name}. It takes {_ms(then.pauses.total)} ms of GC time for "
            f"{_ms(now.pauses.total)}{self.shares(then)}, a longest pause of "
            f"{_ms(then.pauses.longest)} ms for {_ms(now.pauses.longest)}, and a peak of "
            f"{size_words(then.peak)} for {size_words(now.peak)}."
        )

    def shares(self, then: Tried) -> str:
        before, after = (share_of(one.pauses, self.own_ns) for one in (self.present, then))
        if before is None or after is None:
            return ""
        return f" ({_percentage(before)} -> {_percentage(after)} of CPU)"

    def nothing(self) -> str:
        """Why nothing is recommended."""
        unknown = [one for one in self.tried[1:] if not one.known]
        if unknown and len(unknown) * 2 > len(self.tried) - 1:
            first = unknown[0]
            told = first.run.depends_on_collector.sentence()
            return (
                f"It cannot be told: under {with_marks_read(first.policy)} {told}. No prediction "
                f"holds for this program; try settings with `gcreplay prove`."
            )
        now = self.present
        share = share_of(now.pauses, self.own_ns)
        of_cpu = "" if share is None else f", {_percentage(share)} of CPU"
        allowed = self.judge.allowed(now, self.tried)
        least = min((one.pauses.total for one in allowed), default=now.pauses.total)
        saved = max(0, now.pauses.total - least)
        return (
            f"Leave it as it is: the collector takes {_ms(now.pauses.total)} ms{of_cpu}, and no "
            f"setting of the {len(self.tried) - 1} tried that is allowed saves more than "
            f"{_ms(saved)} ms of it."
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
        rows: list[tuple[Cell, ...]] = [
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
        return Table(("", "now", "predicted"), tuple(rows))

    def front_table(self, best: Sequence[Tried]) -> Table:
        rows = [self.present, *(one for one in best if one is not self.present)]
        marked = {self.present.policy: "now"}
        if self.chosen is not None:
            marked[self.chosen.policy] = "recommended"
        return Table(
            ("GC ms", "% CPU", "longest ms", "peak memory", "setting", ""),
            tuple(
                (
                    milliseconds(one.pauses.total),
                    Figure(100 * (share_of(one.pauses, self.own_ns) or 0)),
                    milliseconds(one.pauses.longest),
                    Size(one.peak),
                    with_marks_read(one.policy),
                    marked.get(one.policy, ""),
                )
                for one in rows
            ),
            title="No setting is better in all three:",
        )


def code(lines: Sequence[str], undo: str) -> tuple[str, ...]:
    """The lines, and what takes them back."""
    return (*lines, "", f"# undo: {undo}") if lines else ()


TRY = (
    "To try it in production: give these lines to one of two like workers, let both do the same "
    "number of requests (equal work, not equal time), and compare their CPU time and memory."
)


def _full(one: Tried) -> int:
    return one.run.collections_by_generation[OLDEST]


def _ms(ns: int) -> str:
    return words(milliseconds(ns))


def _percentage(share: float) -> str:
    return f"{words(Figure(100 * share))} %"


def _percent(text: str) -> float:
    try:
        if not text.endswith("%"):
            raise ValueError("it lacks the %")
        return float(decimal_from("it", text[:-1].removeprefix("+"))) / 100
    except ValueError as error:
        raise UsageError(
            f"--max-memory {shown(text)} is no percentage such as +10%: {error}"
        ) from None


def _nanoseconds(text: str) -> int:
    try:
        if not text.endswith("ms"):
            raise ValueError("it lacks the ms")
        return int(decimal_from("it", text[:-2].strip()) * 1_000_000)
    except ValueError as error:
        raise UsageError(f"--max-pause {shown(text)} is no time such as 5ms: {error}") from None
