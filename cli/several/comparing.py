"""`gcreplay diff` of several recordings: two policies over the same ones, or one policy over two
folders, whose recordings are compared by their names."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gcreplay.limits import Limit
from gcreplay.replay.estimates.pauses import PauseModel
from gcreplay.replay.results.diff import FIGURES, Change, KeptLonger
from gcreplay.replay.results.versions import FOUND
from gcreplay.report.words.numbers import counted, in_ms
from gcreplay.screen.changes import (
    MEMORY_FIRST,
    change_cells,
    change_row,
    kept_longer_table,
)
from gcreplay.screen.outcome import milliseconds, sums
from gcreplay.screen.output import Report
from gcreplay.screen.pauses import P99
from gcreplay.screen.rows import Sums
from gcreplay.screen.tables.table import Cell, Signed, Table
from gcreplay.screen.verdict import compared
from gcreplay.several.named import Recording, Wrong, checked, recordings_of, short_names
from gcreplay.several.replays import Asked, over, require, workers_for
from gcreplay.several.tasks import Compare, Compared, is_bound, priced, work_done
from gcreplay.store.marks import with_marks_read


@dataclass(frozen=True, slots=True)
class Pair:
    """Two recordings of one name, or one recording twice."""

    first: Recording
    second: Recording


@dataclass(frozen=True, slots=True)
class Told:
    """A comparison of a pair, with its times where there is a model."""

    name: str
    other: str
    found: Compared
    times: tuple[Sums | None, Sums | None]

    def change(self, figure: str) -> int:
        before, after = self.found.figures[figure]
        return after - before

    def to_json(self) -> dict[str, Any]:
        parting = self.found.parting
        return {
            "trace": self.name,
            "other": self.other,
            "figures": [
                asdict(Change.of(name, *pair)) for name, pair in self.found.figures.items()
            ],
            "first_difference": parting and {"sequence": parting[0], "event": parting[1]},
            "first": {"pauses": self.times[0] and sums(self.times[0])},
            "second": {"pauses": self.times[1] and sums(self.times[1])},
        }


def compared_together(
    operands: Sequence[Path],
    policies: Sequence[str],
    limits: Sequence[Limit],
    jobs: int | None,
    dask: str | None,
    *,
    each: bool,
    pauses: bool,
) -> tuple[Report, list[str], int]:
    """What to show, the limits that were met, and the exit code."""
    both = (policies[0], policies[-1])
    pairs, wrong = _pairs(operands, policies)
    require(pairs, wrong)
    everything = sorted(
        {one for pair in pairs for one in (pair.first, pair.second)}, key=lambda one: one.name
    )
    found = any(limit.figure in FOUND for limit in limits)
    with workers_for(everything, policies, jobs, dask) as workers:
        asked = Asked([pair.first for pair in pairs], wrong, workers)
        told = over(asked, lambda: _told(asked, pairs, both, found))
    report = _report(told, both, asked, each=each, pauses=pauses)
    broken = [sentence for limit in limits for sentence in _broken(limit, told)]
    return report, broken, 1 if broken or asked.wrong else 0


def _pairs(operands: Sequence[Path], policies: Sequence[str]) -> tuple[list[Pair], list[Wrong]]:
    if len(policies) == 2:
        good, wrong = checked(recordings_of(operands))
        return [Pair(one, one) for one in good], wrong
    named = [recordings_of([folder]) for folder in operands]
    sides = [{Path(one.name).name: one for one in side} for side in named]
    good, wrong = checked([one for side in named for one in side])
    known = {one.name: one for one in good}
    pairs = []
    for file in sorted({*sides[0], *sides[1]}):
        first, second = (side.get(file) for side in sides)
        if first is None or second is None:
            there, missing = (first, operands[1]) if first is not None else (second, operands[0])
            assert there is not None
            wrong.append(Wrong(there.name, f"{there.name}: {missing} has none of that name"))
        elif first.name in known and second.name in known:
            pairs.append(Pair(known[first.name], known[second.name]))
    return pairs, wrong


def _told(
    asked: Asked, pairs: Sequence[Pair], policies: tuple[str, str], with_found: bool
) -> list[Told]:
    good = [pair for pair in pairs if pair.first in asked.good]
    tasks = [
        Compare(pair.first, policies[0], pair.second, policies[1], asked.folder, with_found)
        for pair in good
    ]
    found: list[Compared] = asked.answers(tasks, f"comparing {counted(len(good), 'recording')}")
    own = [one.model for one in found if one.model is not None]
    most = max(own, key=lambda one: one.collections, default=None)
    return [
        Told(
            pair.first.name,
            pair.second.name,
            one,
            (
                _times(one, 0, policies[0], one.model or most),
                _times(one, 1, policies[1], one.model or most),
            ),
        )
        for pair, one in zip(good, found, strict=True)
    ]


def _times(found: Compared, side: int, policy: str, model: PauseModel | None) -> Sums | None:
    if model is None or is_bound(policy):
        return None
    return priced(found.sides[side].made, model)


def _totals(told: Sequence[Told]) -> dict[str, tuple[int, int]]:
    """The sums, by figure."""
    return {
        figure: (
            sum(one.found.figures[figure][0] for one in told),
            sum(one.found.figures[figure][1] for one in told),
        )
        for figure in FIGURES
    }


def _times_of_all(told: Sequence[Told], side: int) -> Sums | None:
    each = [one.times[side] for one in told]
    known = [one for one in each if one is not None]
    if len(known) < len(each):
        return None
    return Sums(
        sum(one.total for one in known),
        max(one.longest for one in known),
        max(one.p99 for one in known),
    )


def _worst(told: Sequence[Told], figure: str) -> Told:
    """The recording in which it grows most; of equal ones the first."""
    return max(told, key=lambda one: one.change(figure))


def _report(
    told: Sequence[Told], policies: tuple[str, str], asked: Asked, *, each: bool, pauses: bool
) -> Report:
    headings = [with_marks_read(one) for one in policies]
    if headings[0] == headings[1]:
        headings = [str(Path(name).parent) for name in (told[0].name, told[0].other)]
    times = [_times_of_all(told, side) for side in (0, 1)]
    totals = _totals(told)
    kept = _kept_longer(told)
    payload = {
        "traces": [one.name for one in told],
        "others": [one.other for one in told],
        "policies": list(policies),
        "total": {
            "figures": [asdict(Change.of(name, *pair)) for name, pair in totals.items()],
            "first": {"pauses": times[0] and sums(times[0])},
            "second": {"pauses": times[1] and sums(times[1])},
        },
        "worst": {
            figure: {"trace": worst.name, "change": worst.change(figure)}
            for figure in FIGURES
            for worst in [_worst(told, figure)]
        },
        "each": [one.to_json() for one in told],
        "kept_longer": [row.to_json() for row in kept],
        "failed": [one.to_json() for one in asked.wrong],
    }
    tables = [_figures_table(told, headings, totals, times, pauses=pauses)]
    if each:
        tables.append(_each_table(told, headings))
    if kept:
        tables.append(kept_longer_table(kept, headings))
    depends = [
        f"{one.name}, {heading}: {side.depends}"
        for one in told
        for heading, side in zip(headings, one.found.sides, strict=True)
        if side.depends
    ]
    words = [f"{counted(len(told), 'recording')}. {_answer(told, headings, times)}"]
    return Report(
        tuple(tables), payload, tuple(asked.remarks()), tuple(words), warnings=tuple(depends)
    )


def _answer(told: Sequence[Told], headings: Sequence[str], times: Sequence[Sums | None]) -> str:
    first, second = times
    if first is None or second is None:
        return "GC time is not estimated: the work stands for it."
    models = [one.found.model for one in told if one.found.model is not None]
    least_sure = max(models, key=lambda one: one.sums_off)
    before, after = (
        np.sum([work_done(one.found.sides[side].made) for one in told], axis=0) for side in (0, 1)
    )
    off = least_sure.difference_off(before, after)
    sentence = compared(first.total, second.total, off, headings[1], headings[0])
    worst = max(told, key=_more_time)
    short = short_names([one.name for one in told])
    its_before, its_after = worst.times
    assert its_before is not None and its_after is not None
    return (
        f"In sum, {sentence} In the worst, {short[worst.name]}, it is {in_ms(its_after.total)} ms "
        f"for {in_ms(its_before.total)}."
    )


def _more_time(one: Told) -> int:
    before, after = one.times
    return (after.total if after else 0) - (before.total if before else 0)


def _figures_table(
    told: Sequence[Told],
    headings: Sequence[str],
    totals: Mapping[str, tuple[int, int]],
    times: Sequence[Sums | None],
    *,
    pauses: bool,
) -> Table:
    """Sums, and where they grow most."""
    short = short_names([one.name for one in told])
    rows: list[tuple[Cell, ...]] = []
    first, second = times
    if first is not None and second is not None:
        names = [("GC ms", "total"), ("longest ms", "longest"), *([(P99, "p99")] if pauses else [])]
        for heading, name in names:
            pair = [milliseconds(getattr(side, name)) for side in (first, second)]
            rows.append((heading, *pair, *change_cells(*pair), None, ""))
    for figure in sorted(FIGURES, key=lambda one: one not in MEMORY_FIRST):
        change, worst = Change.of(figure, *totals[figure]), _worst(told, figure)
        grown = worst.change(figure)
        rows.append((*change_row(change), Signed(grown), short[worst.name] if grown else ""))
    columns = ("figure", *headings, "change", "change %", "worst", "worst in")
    return Table(columns, tuple(rows), spare=("change",))


def _each_table(told: Sequence[Told], headings: Sequence[str]) -> Table:
    short = short_names([one.name for one in told])
    rows = []
    for one in told:
        before, after = one.times
        cells: list[Cell] = [
            None if time is None else milliseconds(time.total) for time in (before, after)
        ]
        for figure in ("collected", "peak_bytes"):
            cells += one.found.figures[figure]
        parting = one.found.parting
        cells.append("none" if parting is None else f"event {parting[0]:,}")
        rows.append((short[one.name], *cells))
    columns = ("GC ms A", "GC ms B", "collected A", "collected B", "peak A", "peak B")
    return Table(
        ("recording", *columns, "heaps differ from"),
        tuple(rows),
        title=f"Each (A: {headings[0]}, B: {headings[1]}):",
        key="recordings",
    ).without(None)


def _kept_longer(told: Sequence[Told]) -> list[KeptLonger]:
    """Of all together, the largest change first."""
    found: dict[tuple[str, str, str], KeptLonger] = {}
    for one in told:
        for row in one.found.kept_longer:
            if one.name != one.other and not row.site:
                continue  # what was there before two recordings began
            name = (row.type, row.site, row.function)
            found[name] = found[name] + row if name in found else row
    return sorted(found.values(), key=lambda row: (-abs(row.change), row.type, row.site))


def _broken(limit: Limit, told: Sequence[Told]) -> list[str]:
    """A limit holds in each recording."""
    return [
        f"{limit.told(before, after)} in {one.name}"
        for one in told
        for before, after in [one.found.figures[limit.figure]]
        if limit.broken_by(before, after)
    ]
