"""`gcreplay tune` of several recordings: one setting for all workers of a service."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gcreplay.advice.paste import lines_of
from gcreplay.advice.tuned import SHOWN, TRY, code
from gcreplay.replay.estimates.pauses import TYPICAL
from gcreplay.replay.tuning.candidates import SETTINGS
from gcreplay.replay.tuning.choice import Goal, Limits, on_front
from gcreplay.replay.tuning.lines import freezes_at_lines
from gcreplay.replay.tuning.search import Rounds, allows, policies_of, worth_a_replay
from gcreplay.report.words.numbers import counted, in_ms
from gcreplay.screen.outcome import PRESENT, share_of
from gcreplay.screen.output import Report
from gcreplay.screen.tables.table import Table
from gcreplay.several.facts import Facts, cut, facts_of, words_of_all
from gcreplay.several.named import Wrong
from gcreplay.several.replays import Asked, Lost, Replays, over, working_on
from gcreplay.several.together import (
    SETTING,
    JudgeOfAll,
    Together,
    each_table,
    gain_json,
    own_of_all,
    setting_cells,
    sums_words,
)
from gcreplay.several.told import trust_in_all
from gcreplay.store import EventLog
from gcreplay.store.errors import GcreplayError
from gcreplay.store.marks import with_marks_read
from gcreplay.trace import opened


def tuned_together(
    traces: Sequence[Path],
    goal: Goal,
    limits: Limits,
    form: str,
    jobs: int | None,
    dask: str | None,
    *,
    each: bool,
) -> tuple[Report, int]:
    """What to show, and the exit code."""
    with working_on(traces, (), jobs, dask) as asked:
        replays = Replays(asked, fallback=TYPICAL, store=False)
        report = over(asked, lambda: _report(asked, replays, goal, limits, form, each=each))
    return report, 1 if asked.wrong else 0


class _Search(Rounds[Together]):
    """What is tried is tried on all of them; what is found in recordings must be in each."""

    def __init__(self, asked: Asked, replays: Replays, present: Together, judge: JudgeOfAll):
        super().__init__(present, judge)
        self._asked = asked
        self._replays = replays

    def _swept(self) -> list[str]:
        lanes, _ = self._replays.swept(SETTINGS)
        allowed = [allows(self._judge, self.present, one.peak) for one in lanes]
        return worth_a_replay(policies_of(lanes), [one.costs for one in lanes], allowed)

    def _named(self, by: Callable[[EventLog], list[str]]) -> list[str]:
        first, *others = (self._of(name, by) for name in self._asked.names)
        return [one for one in first if all(one in other for other in others)]

    def _of(self, name: str, by: Callable[[EventLog], list[str]]) -> list[str]:
        try:
            with opened(Path(name)) as log:
                return by(log)
        except GcreplayError as error:
            self._asked.leave_out([Wrong(name, str(error), error.exit_code)])
            raise Lost from None

    def _lines(self, log: EventLog) -> list[str]:
        return freezes_at_lines(log, ())  # the one behind the imports

    def _replayed(self, policies: Sequence[str]) -> dict[str, Together]:
        return self._replays.run(policies)


def _report(
    asked: Asked, replays: Replays, goal: Goal, limits: Limits, form: str, *, each: bool
) -> Report:
    replays.present()
    facts = facts_of(asked.names)
    now = replays.run([PRESENT])[PRESENT]
    own_ns = own_of_all(facts, now)
    judge = JudgeOfAll(goal, limits, own_ns)
    search = _Search(asked, replays, now, judge)
    tried = search.run()
    model = max(replays.models or [TYPICAL], key=lambda one: (one.sums_off, one.singles_off))
    chosen = judge.chosen(now, tried[1:], model)
    best = on_front([one for one in tried if one.known])
    lines, undo = ([], "") if chosen is None else _lines(chosen.policy, asked.names, form)
    said = _answer(now, chosen, tried, search.considered, own_ns)
    payload = {
        "traces": asked.names,
        "present": _json(now, facts),
        "front": [_json(one, facts) for one in best],
        "recommended": chosen
        and {
            "policy": chosen.policy,
            "lines": lines,
            "undo": undo,
            "gain": gain_json(now, chosen),
        },
        "reason": said,
        "proved": None,
        "failed": [one.to_json() for one in asked.wrong],
    }
    tables = [_front_table(now, chosen, judge.shown(now, chosen, best, SHOWN), own_ns)]
    if each:
        own = {name: one.own.ns for name, one in facts.items() if one.own is not None}
        tables.append(each_table(now, chosen, own))
    notes = [*_in_vain(replays), trust_in_all(replays, now), *([TRY] if chosen else [])]
    return Report(
        tuple(tables),
        payload,
        (*asked.remarks(), *cut(facts)),
        (said, words_of_all(facts)),
        tuple(notes),
        code(lines, undo),
    )


def _json(one: Together, facts: Mapping[str, Facts]) -> dict[str, Any]:
    """As of any setting, with shares of the programs' own time."""
    values = one.to_json()
    for each in values["each"]:
        row, own = one.rows[each["trace"]], facts[each["trace"]].own
        each["gc_share"] = row.pauses and share_of(row.pauses, None if own is None else own.ns)
    return values


def _answer(
    now: Together,
    then: Together | None,
    tried: Sequence[Together],
    considered: int,
    own_ns: int,
) -> str:
    """What to do, or why nothing."""
    if then is not None:
        name = with_marks_read(then.policy)
        return f"Change this in all: {name}. {sums_words(now, then, own_ns)}"
    unknown = [one for one in tried[1:] if not one.known]
    if unknown and len(unknown) * 2 > len(tried) - 1:
        name, told = next(iter(unknown[0].depends.items()))
        return (
            f"It cannot be told: under {with_marks_read(unknown[0].policy)}, in {name}, {told}. No "
            f"prediction holds for this program; try settings with `gcreplay prove`."
        )
    return (
        f"Leave them as they are: the collector takes {in_ms(now.pauses.total)} ms in sum, and no "
        f"setting of the {considered} tried gains enough in all of them together within the "
        f"limits that hold in each."
    )


def _lines(policy: str, names: Sequence[str], form: str) -> tuple[list[str], str]:
    """Those of the first; and calls to leave out that others make elsewhere."""
    lines: list[str] = []
    undo = ""
    for i, name in enumerate(names):
        with opened(Path(name)) as log:
            its, back = lines_of(policy, log, form)
        if i == 0:
            lines, undo = its, back
        lines += [one for one in its if one.startswith("# leave out") and one not in lines]
    return lines, undo


def _in_vain(replays: Replays) -> list[str]:
    """Young collections that found nothing."""
    each = [ran.vain for ran in replays.ran(PRESENT).values()]
    young, vain = (sum(column) for column in zip(*each, strict=True))
    if not young or 2 * vain < young:
        return []
    return [f"In vain: {vain:,} of {counted(young, 'young collection')} found 0 objects."]


def _front_table(
    now: Together, chosen: Together | None, rows: Sequence[Together], own_ns: int
) -> Table:
    """The setting stands behind the figures, where it may be folded."""
    marked = {now.policy: "now"}
    if chosen is not None:
        marked[chosen.policy] = "best"
    return Table(
        (*SETTING, "setting", ""),
        tuple(
            (
                *setting_cells(one, own_ns),
                with_marks_read(one.policy),
                marked.get(one.policy, ""),
            )
            for one in rows
        ),
        title="No setting is better in sum, longest pause and peaks at once:",
        key="settings",
        spare=("full", "worst GC ms", "worst"),
    )
