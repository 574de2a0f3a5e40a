"""`gcreplay diff`: two replays side by side, and limits on their change."""

import os
import re
import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from gcreplay.help import Sectioned
from gcreplay.limits import Limit, parse_limit
from gcreplay.options import alone, cut_option, policy_option, several_options, window_bounds
from gcreplay.replay import DiffResult, diff, make_policy
from gcreplay.replay.cuts import Cut, CutLog
from gcreplay.replay.estimates.pauses import PauseModel, work_of
from gcreplay.replay.policies.registry import runs_a_file
from gcreplay.replay.results.diff import Change
from gcreplay.replay.results.versions import FOUND
from gcreplay.report.words.text import markdown
from gcreplay.screen.changes import (
    MEMORY_FIRST,
    change_cells,
    change_row,
    is_rare_and_nowhere,
    kept_longer_table,
    time_rows,
)
from gcreplay.screen.cuts import counted, cut_json, effect, gained, named, without
from gcreplay.screen.outcome import PRESENT, Outcome, own_time
from gcreplay.screen.output import Report, format_option, say, show
from gcreplay.screen.pauses import pause_model, trust
from gcreplay.screen.progress import reading, working
from gcreplay.screen.tables.table import Cell, Table
from gcreplay.screen.verdict import compared
from gcreplay.screen.wording import Wording
from gcreplay.several.named import names_several, short_names
from gcreplay.store import EventLog
from gcreplay.store.errors import UsageError
from gcreplay.store.events import Run
from gcreplay.store.marks import with_marks_read
from gcreplay.store.values import I64_MOST, whole_from
from gcreplay.trace import opened

FORMS = (
    "TRACE -p A -p B, or ONE TWO [-p POLICY], or two stored runs as TRACE#1 TRACE#2, or "
    "TRACE --cut REFERENCE [-p POLICY]; of several "
    "recordings or a folder FOLDER -p A -p B, or ONE_FOLDER TWO_FOLDER -p POLICY"
)


@click.command(cls=Sectioned, options_metavar="[OPTIONS]")
@click.argument("operands", nargs=-1, required=True, metavar="TRACE|RUN|FOLDER...")
@policy_option("Two for one recording, one at most for two.")
@click.option(
    "--fail-if",
    "limit_texts",
    multiple=True,
    metavar="LIMIT",
    help="Exit with 1 when met, as 'collected>+10%'; repeatable.",
)
@cut_option("One side as if this reference were weak; repeatable.")
@click.option("--pauses", "show_pauses", is_flag=True, help="Show the 99 % quantile of pauses.")
@several_options
@format_option("figures", "sites", "lives", "recordings")
@click.pass_context
def command(
    ctx: click.Context,
    operands: tuple[str, ...],
    policies: tuple[str, ...],
    limit_texts: tuple[str, ...],
    cuts: tuple[str, ...],
    show_pauses: bool,
    each: bool,
    jobs: int | None,
    dask: str | None,
    output_format: str,
) -> None:
    """Compare two replays: figures and their change, the first event at which the heaps differ,
    and what one keeps longer than the other, by type and site. Two recordings are two versions of
    a program: what is better or worse, new and gone garbage and leaks, and where, whatever lines
    have moved. Of several recordings, two policies over all of them; or two folders, by the names
    of the recordings in them.

    \b
    Example:
      gcreplay diff demo.gcreplay -p cpython-3.11 -p generational:5000,10,10
      gcreplay diff base.gcreplay head.gcreplay --fail-if 'new_groups>0'
      gcreplay diff demo.gcreplay#1 demo.gcreplay#2
      gcreplay diff demo.gcreplay --cut Line.order
      gcreplay diff workers/ -p cpython-3.11 -p generational:5000,10,10
    """
    limits = [parse_limit(text) for text in limit_texts]
    parsed = [Cut.parse(text) for text in cuts]
    cut = None
    if not cuts and (traces := _several(operands, policies)) is not None:
        from gcreplay.several.comparing import compared_together  # it brings what one needs not

        report, met, ended = compared_together(
            traces, policies, limits, jobs, dask, each=each, pauses=show_pauses
        )
        show(report, output_format)
        for told in met:
            say(told)
        ctx.exit(ended)
    alone(each=each, jobs=jobs, dask=dask)
    with ExitStack() as stack:
        sides = _sides(operands, policies, bool(cuts))
        first, second = (_opened(side, stack) for side in sides)
        if cuts:
            first, second, cut = _one_cut(first, second, parsed, len(operands) == 1, stack)
        options = _common_options(first, second)
        with reading(first.log, "replaying both", second.log):
            result = diff(
                (first.log, first.policy),
                (second.log, second.policy),
                apply_from=options.get("apply_from"),
                window=window_bounds(options.get("window")),
            )
        with working("fitting pauses"):
            model = pause_model(first.recorded) or pause_model(second.recorded)
        whole = not options.get("window")
        outcomes = [
            Outcome.of(run, model, own_time(side.recorded) if whole else None, side.cuts)
            for side, run in ((first, result.first), (second, result.second))
        ]
        if len(operands) == 1 or first.trace.resolve() == second.trace.resolve():
            report = _report(result, first, second, outcomes, model, show_pauses=show_pauses)
            figures = (*result.figures, *_found(limits, first, second))
        else:
            report, figures = _of_versions(
                result, first, second, outcomes, model, show_pauses=show_pauses
            )
    if cut is not None:
        report = _told_of_cut(report, cut, outcomes, (first, second))
    show(report, output_format)
    broken = [told for limit in limits for told in _broken(limit, figures)]
    for told in broken:
        say(told)
    ctx.exit(1 if broken else 0)


@dataclass(frozen=True, slots=True)
class Side:
    """What one side of the comparison names: a recording and a policy, or a stored run of it."""

    trace: Path
    policy: str | None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A side with its log open; `stored` is the run that it names, if it names one."""

    trace: Path
    name: str
    log: EventLog
    policy: str
    stored: Run | None
    uncut: EventLog | None = None
    cuts: tuple[str, ...] = ()

    @property
    def recorded(self) -> EventLog:
        """The log as it was recorded, where `log` is without `cuts`."""
        return self.uncut or self.log


def _several(operands: Sequence[str], policies: Sequence[str]) -> list[Path] | None:
    """The recordings or folders that are compared together; None for two replays alone."""
    named = [_named(operand) for operand in operands]
    paths = [path for path, run_id in named if run_id is None]
    folders = sum(path.is_dir() for path in paths)
    together = folders == len(operands) == 2 if len(policies) == 1 else len(policies) == 2
    if together and len(paths) == len(operands) and names_several(paths):
        for policy in policies:
            make_policy(policy)
        return paths
    if folders:
        raise UsageError(f"diff compares two replays, or two of each of several: {FORMS}")
    return None


def _sides(operands: Sequence[str], policies: Sequence[str], cut: bool) -> tuple[Side, Side]:
    """The two that are compared; of one recording that is cut the policy need not be said twice."""
    named = [_named(operand) for operand in operands]
    runs = sum(run_id is not None for _, run_id in named)
    if cut and (runs or any(path.is_dir() for path, _ in named)):
        raise UsageError(
            "--cut compares a recording as it is with itself, or with one in which the cut is "
            "made: TRACE --cut REFERENCE, or BASE HEAD --cut REFERENCE"
        )
    if cut and len(named) == 1 and len(policies) < 2:
        policies = [policies[0] if policies else PRESENT] * 2
    match (len(named), runs, len(policies)):
        case (1, 0, 2):
            trace = named[0][0]
            return Side(trace, policies[0]), Side(trace, policies[1])
        case (2, 0, 0 | 1):
            policy = policies[0] if policies else PRESENT
            return Side(named[0][0], policy), Side(named[1][0], policy)
        case (2, 2, 0):
            return Side(named[0][0], None, named[0][1]), Side(named[1][0], None, named[1][1])
    raise UsageError(f"diff compares two replays: {FORMS}")


def _named(operand: str) -> tuple[Path, int | None]:
    """`demo.gcreplay#2` is run 2 of that recording, unless a file has that very name."""
    run = re.fullmatch(r"(.+)#([0-9]+)", operand, re.DOTALL)
    if run is None or os.path.exists(operand):  # noqa: PTH110 - a long name is no file
        return Path(operand), None
    try:
        return Path(run[1]), whole_from("the number of a run", run[2], 1, I64_MOST)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _opened(side: Side, stack: ExitStack) -> Opened:
    log = stack.enter_context(opened(side.trace))
    if side.run_id is None:
        assert side.policy is not None
        return Opened(side.trace, str(side.trace), log, side.policy, None)
    run = log.run(side.run_id)
    if runs_a_file(run.policy):
        raise UsageError(
            f"{side.trace}#{run.id} was replayed under {run.policy}, and a recording runs no file: "
            f"compare with -p {shlex.quote(run.policy)} if you trust that file"
        )
    return Opened(side.trace, f"{side.trace}#{run.id}", log, run.policy, run)


def _one_cut(
    first: Opened, second: Opened, cuts: Sequence[Cut], alone: bool, stack: ExitStack
) -> tuple[Opened, Opened, CutLog]:
    """One recording is compared with itself without these references; of two the first is without
    them, and shows whether the second is as was predicted."""
    whole = second if alone else first
    cut = stack.enter_context(without(whole.log, cuts))
    assert cut is not None
    texts = tuple(map(str, cuts))
    less = replace(whole, log=cut.log, uncut=whole.log, cuts=texts)
    return (first, less, cut) if alone else (less, second, cut)


def _common_options(first: Opened, second: Opened) -> dict[str, Any]:
    """The options under which both runs were made; the replays of a comparison share them."""
    options = [side.stored.options if side.stored else {} for side in (first, second)]
    if options[0] != options[1]:
        raise UsageError(
            f"{first.name} and {second.name} were made with different --apply-from or --window: "
            "replay one of them again with the other's"
        )
    return dict(options[0])


def _report(
    result: DiffResult,
    first: Opened,
    second: Opened,
    outcomes: Sequence[Outcome],
    model: PauseModel | None,
    *,
    show_pauses: bool,
) -> Report:
    """One model, the first recording's, estimates the pauses of both: a change is one of work."""
    headings = _with_cuts(
        [with_marks_read(side.policy) for side in (first, second)], (first, second)
    )
    if headings[0] == headings[1]:
        headings = [first.name, second.name]
    where = _where(result, first.log, second.log)
    times = _times(outcomes, show_pauses=show_pauses) if model else []
    counted_in_both = sorted(result.figures, key=lambda each: each.figure not in MEMORY_FIRST)
    changes = [change_row(each) for each in counted_in_both if not is_rare_and_nowhere(each)]
    figures = Table(("figure", *headings, "change", "change %"), (*times, *changes))
    tables = [figures]
    if result.kept_longer:
        tables.append(kept_longer_table(result.kept_longer, headings))
    depends, remarks = _told_of_both(result, first, second, headings)
    note = trust(first.log, model)
    own = [own_time(first.log)] if outcomes[0].share is not None else []
    notes = [f"First difference of the heaps: {where}."]
    notes += [note, *(one.words() for one in own if one)] if model else []
    words = (_answer(outcomes, headings, model) if model else note,)
    payload = _payload(result, outcomes, model)
    return Report(
        tuple(tables), payload, tuple(remarks), words, tuple(notes), warnings=tuple(depends)
    )


def _found(limits: Sequence[Limit], first: Opened, second: Opened) -> tuple[Change, ...]:
    """Figures of garbage and leaks, where a limit asks for them."""
    if not any(limit.figure in FOUND for limit in limits):
        return ()
    from gcreplay.versions.found import found_in  # it brings what other figures need not

    return found_in((first.log, second.log), (first.policy, second.policy))


def _of_versions(
    result: DiffResult,
    first: Opened,
    second: Opened,
    outcomes: Sequence[Outcome],
    model: PauseModel | None,
    *,
    show_pauses: bool,
) -> tuple[Report, tuple[Change, ...]]:
    """Two recordings are taken for two versions of a program."""
    from gcreplay.versions.compared import Versions  # it brings what one recording needs not
    from gcreplay.versions.markdown import as_comment
    from gcreplay.versions.text import headlines, left_out, next_commands, tables

    headings = list(short_names([first.name, second.name]).values())
    if first.policy != second.policy:
        headings = [
            f"{heading}, {with_marks_read(side.policy)}"
            for heading, side in zip(headings, (first, second), strict=True)
        ]
    headings = _with_cuts(headings, (first, second))
    found = Versions.of(result, (first.log, second.log), headings, outcomes, show_pauses)
    depends, remarks = _told_of_both(result, first, second, headings)
    notes = [] if found.equal else [*left_out(found), trust(first.log, model)]
    notes += next_commands(found, second.name)
    report = Report(
        tuple(tables(found)),
        {**_payload(result, outcomes, model), "versions": found.to_json()},
        tuple(remarks),
        tuple(headlines(found)),
        tuple(notes),
        warnings=tuple(depends),
        comment=as_comment(found, [*depends, trust(first.log, model)]),
    )
    return report, found.figures


def _with_cuts(headings: Sequence[str], sides: Sequence[Opened]) -> list[str]:
    return [f"{one}{', cut' * bool(side.cuts)}" for one, side in zip(headings, sides, strict=True)]


def _told_of_cut(
    report: Report, cut: CutLog, outcomes: Sequence[Outcome], sides: Sequence[Opened]
) -> Report:
    """The report, whose first line says which side is without what; of one recording, also what
    that gains."""
    first, second = sides
    was, now = outcomes
    if first.cuts:
        said = f"{first.name} without {named(cut)}, as predicted, against {second.name} as recorded"
        words = (f"{said}.", *report.words)
    elif first.policy == second.policy:
        words = (effect(was, now, cut),)
    else:
        before, after = (with_marks_read(side.policy) for side in sides)
        told = f"{before} as recorded against {after} without {named(cut)}"
        words = (f"{told}: {gained(was, now)}.",)
    return replace(
        report,
        payload={**report.payload, "cut": cut_json(cut)},
        words=words,
        remarks=(*report.remarks, counted(cut)),
        warnings=(*([cut.lost.sentence()] if cut.lost.objects else []), *report.warnings),
        comment=f"{markdown(words[0])}\n\n{report.comment}" if report.comment else "",
    )


def _told_of_both(
    result: DiffResult, first: Opened, second: Opened, headings: Sequence[str]
) -> tuple[list[str], list[str]]:
    """What a reader has to know of the two runs before the figures, and beside them."""
    remarks = [
        f"{side.name}: {with_marks_read(side.policy)} gives another result today than the stored "
        f"one"
        for side, run in ((first, result.first), (second, result.second))
        if side.stored is not None and side.stored.result_hash != run.result_hash
    ]
    depends = [
        f"{heading}: {run.depends_on_collector.sentence()}"
        for heading, run in zip(headings, (result.first, result.second), strict=True)
        if run.depends_on_collector.count
    ]
    remarks += [
        f"{heading}: {note}."
        for heading, run in zip(headings, (result.first, result.second), strict=True)
        for note in run.notes
    ]
    return depends, remarks


def _payload(
    result: DiffResult, outcomes: Sequence[Outcome], model: PauseModel | None
) -> dict[str, Any]:
    return {
        **result.to_json(),
        "pause_model": model and model.to_json(),
        "first": outcomes[0].to_json(),
        "second": outcomes[1].to_json(),
    }


def _answer(outcomes: Sequence[Outcome], headings: Sequence[str], model: PauseModel) -> str:
    """What the second costs more or less than the first, in a sentence."""
    (first, second), (name, other) = outcomes, headings
    if first.pauses is None or second.pauses is None:
        return f"{name if first.pauses is None else other} is a bound that takes no time."
    off = model.difference_off(work_of(first.run.collections), work_of(second.run.collections))
    return compared(first.pauses.total, second.pauses.total, off, other, name)


def _times(outcomes: Sequence[Outcome], *, show_pauses: bool) -> list[tuple[Cell, ...]]:
    """Rows of what a person asks first; memory and full collections are counted further below."""
    full = [None if one.run.bound else one.full for one in outcomes]
    return [*time_rows(outcomes, pauses=show_pauses), ("full", *full, *change_cells(*full))]


def _where(result: DiffResult, first: EventLog, second: EventLog) -> str:
    if result.parting is None:
        return "none: they are equal throughout"
    sequence = result.parting.sequence
    log = first if sequence < first.event_count else second
    _, op, told = next(Wording(log).lines(log.window(sequence, sequence + 1)))
    return f"event {sequence:,}: {op} {told}"


def _broken(limit: Limit, figures: Sequence[Change]) -> list[str]:
    return [
        limit.told(each.first, each.second)
        for each in figures
        if each.figure == limit.figure and limit.broken_by(each.first, each.second)
    ]
