"""Figures of a setting over several recordings: their sum, the worst one, and each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gcreplay.replay.estimates.pauses import PauseModel
from gcreplay.replay.policies.policy import OLDEST
from gcreplay.replay.tuning.choice import INTERPRETER, Judge, Limits, Option
from gcreplay.screen.outcome import (
    ASSUMED_SHARE,
    longest_words,
    milliseconds,
    peak_words,
    sums,
    time_cells,
    time_words,
)
from gcreplay.screen.rows import Row, Sums
from gcreplay.screen.tables.table import Cell, Size, Table
from gcreplay.several.facts import Facts
from gcreplay.several.named import short_names
from gcreplay.several.tasks import Made, Ran, work_done
from gcreplay.store.marks import with_marks_read

WORST: Final = ("gc_ns", "longest_ns", "peak_bytes")
"""What the worst recording is named for."""


@dataclass(frozen=True, slots=True)
class Together:
    """A setting's figures by recording, in the order of their names. depends: by name, why these
    figures are no prediction. made: by name, its collections, where they are known."""

    policy: str
    rows: Mapping[str, Row]
    depends: Mapping[str, str]
    made: Mapping[str, Made] = field(compare=False)

    @property
    def known(self) -> bool:
        """Whether the figures are a prediction in all recordings."""
        return not self.depends

    @property
    def exact(self) -> bool:
        return all(row.exact for row in self.rows.values())

    @property
    def timed(self) -> bool:
        return all(row.pauses is not None for row in self.rows.values())

    @property
    def pauses(self) -> Sums:
        """The sum over all; longest and p99 are those of the worst recording, which the others
        keep below."""
        each = [row.pauses for row in self.rows.values() if row.pauses is not None]
        return Sums(
            sum(one.total for one in each),
            max((one.longest for one in each), default=0),
            max((one.p99 for one in each), default=0),
        )

    @property
    def work(self) -> npt.NDArray[np.float64] | None:
        """What all collections did in sum; None where they are not known each."""
        if len(self.made) < len(self.rows):
            return None
        total: npt.NDArray[np.float64] = np.sum(
            [work_done(one) for one in self.made.values()], axis=0
        )
        return total

    @property
    def peak(self) -> int:
        """As if all were at their peaks at once: what workers of one machine need at most."""
        return self._sum("peak_bytes")

    @property
    def full(self) -> int:
        return sum(row.collections_by_generation[OLDEST] for row in self.rows.values())

    @property
    def costs(self) -> tuple[int, ...]:
        """GC time, longest pause, peak memory: what a front is made by. Without times work."""
        if not self.timed:
            return (self._sum("visited") + self._sum("links"), self.peak)
        return (self.pauses.total, self.pauses.longest, self.peak)

    def _sum(self, figure: str) -> int:
        return sum(getattr(row, figure) for row in self.rows.values())

    def total(self) -> dict[str, Any]:
        """The JSON of the sums; it has the keys of a single row."""
        by_generation = [row.collections_by_generation for row in self.rows.values()]
        return {
            "collections_by_generation": [sum(column) for column in zip(*by_generation)],  # noqa: B905
            "collected": self._sum("collected"),
            "work": {"visited": self._sum("visited"), "links": self._sum("links")},
            "peak_bytes": self.peak,
            "peak_objects": self._sum("peak_objects"),
            "peak_floating_bytes": self._sum("peak_floating_bytes"),
            "pauses": sums(self.pauses) if self.timed else None,
        }

    def worst(self) -> dict[str, Any]:
        """The recording with the most of each of WORST; of equal ones the first."""
        return {
            figure: self._most({name: value_of(row, figure) for name, row in self.rows.items()})
            for figure in WORST
        }

    def _most(self, values: Mapping[str, int | None]) -> dict[str, Any] | None:
        known = {name: value for name, value in values.items() if value is not None}
        name = max(known, key=lambda one: known[one], default=None)
        return None if name is None else {"trace": name, "value": known[name]}

    def to_json(self) -> dict[str, Any]:
        each = [{"trace": name, **_figures(row)} for name, row in self.rows.items()]
        return {
            "policy": self.policy,
            "exact": self.exact,
            "total": self.total(),
            "worst": self.worst(),
            "each": each,
        }


def value_of(row: Row, figure: str) -> int | None:
    if figure == "peak_bytes":
        return row.peak_bytes
    if row.pauses is None:
        return None
    return row.pauses.total if figure == "gc_ns" else row.pauses.longest


def _figures(row: Row) -> dict[str, Any]:
    return {key: value for key, value in row.to_json().items() if key != "policy"}


def together(policy: str, ran: Mapping[str, tuple[Row, Ran | None]]) -> Together:
    return Together(
        policy,
        {name: row for name, (row, _) in ran.items()},
        {
            name: made.depends
            for name, (_, made) in ran.items()
            if made is not None and made.depends
        },
        {name: ran.made for name, (_, ran) in ran.items() if ran is not None},
    )


class JudgeOfAll(Judge):
    """As of one recording, with a process each. A limit of memory holds in each of them: where one
    worker grows over it, it does not help that another one shrinks."""

    def memory(self, present: Option, peak: int) -> float:
        assert isinstance(present, Together)
        others = len(present.rows) * INTERPRETER
        return (others + peak) / (others + max(present.peak, 1))

    def _allows(self, present: Option, one: Option) -> bool:
        assert isinstance(present, Together) and isinstance(one, Together)
        most = 1 + self.limits.more_memory
        pairs = ((row, one.rows[name]) for name, row in present.rows.items())
        grown = [_grown(before, after) for before, after in pairs]
        return max(grown) <= most and super()._allows(present, one)


def _grown(before: Row, after: Row) -> float:
    return (INTERPRETER + after.peak_bytes) / (INTERPRETER + before.peak_bytes)


def own_of_all(facts: Mapping[str, Facts], now: Together) -> int:
    """The CPU time of all programs for themselves."""
    total = 0
    for name, row in now.rows.items():
        own = facts[name].own
        total += own.ns if own is not None else ASSUMED_SHARE * (value_of(row, "gc_ns") or 0)
    return total


def best_of(
    now: Together, rows: Sequence[Together], own_ns: int, models: Sequence[PauseModel]
) -> Together | None:
    """Which of those that were swept `tune` would choose; the first row is `now`."""
    if not models or not now.timed:
        return None
    judge = JudgeOfAll("balance", Limits(0.1), own_ns)
    least_sure = max(models, key=lambda one: (one.sums_off, one.singles_off))
    return judge.chosen(now, [one for one in rows[1:] if one.timed], least_sure)


# What is gained


@dataclass(frozen=True, slots=True)
class Gain:
    """What a setting saves in a recording, or in all; where it is negative, it costs."""

    gc_ns: int
    longest_ns: int
    peak_bytes: int

    def to_json(self) -> dict[str, int]:
        return {
            "gc_ns": self.gc_ns,
            "longest_ns": self.longest_ns,
            "peak_bytes": self.peak_bytes,
        }


def gains(now: Together, then: Together) -> dict[str, Gain]:
    """By recording."""
    return {
        name: Gain(
            *((value_of(row, key) or 0) - (value_of(then.rows[name], key) or 0) for key in WORST)
        )
        for name, row in now.rows.items()
    }


def gain_of_all(now: Together, then: Together) -> Gain:
    return Gain(
        now.pauses.total - then.pauses.total,
        now.pauses.longest - then.pauses.longest,
        now.peak - then.peak,
    )


def least_gain(now: Together, then: Together) -> str:
    """The recording that gains least of its time; of equal ones the one whose memory grows most."""

    def worth(name: str) -> tuple[float, int]:
        before, gain = now.rows[name].pauses, each[name]
        took = before.total if before is not None else 0
        return (gain.gc_ns / took if took else 0.0, gain.peak_bytes)

    each = gains(now, then)
    return min(each, key=worth)


def gain_json(now: Together, then: Together) -> dict[str, Any]:
    """The JSON of what is gained: `total`, `worst` and `each`."""
    each = gains(now, then)
    worst = least_gain(now, then)
    return {
        "total": gain_of_all(now, then).to_json(),
        "worst": {"trace": worst, **each[worst].to_json()},
        "each": [{"trace": name, **gain.to_json()} for name, gain in each.items()],
    }


def sums_words(now: Together, then: Together, own_ns: int | None) -> str:
    """The sum and the worst, in two sentences."""
    before, after = now.pauses, then.pauses
    worst = least_gain(now, then)
    row, new = now.rows[worst], then.rows[worst]
    assert row.pauses is not None and new.pauses is not None
    return (
        f"Predicted in sum: {time_words(before, after, own_ns)}, "
        f"{longest_words(before, after, 'longest pause of all')}, "
        f"{peak_words(now.peak, then.peak, 'all peaks together')}. Least gains "
        f"{short_names(list(now.rows))[worst]}: {time_words(row.pauses, new.pauses, None)}, "
        f"{peak_words(row.peak_bytes, new.peak_bytes)}."
    )


# Tables


def each_table(now: Together, then: Together | None, own_ns: Mapping[str, int]) -> Table:
    """One row a recording: now, and under the setting."""
    short = short_names(list(now.rows))
    heads = ("GC ms", "% CPU", "longest ms", "peak")
    if then is None:
        rows = [(short[name], *_each(row, own_ns.get(name))) for name, row in now.rows.items()]
        return Table(("recording", *heads), tuple(rows), title="Each now:", key="recordings")
    both = []
    for name, row in now.rows.items():
        cells = (_each(one, own_ns.get(name)) for one in (row, then.rows[name]))
        both.append((short[name], *(cell for pair in zip(*cells, strict=True) for cell in pair)))
    columns = [f"{head} {when}" for head in heads for when in ("now", "then")]
    title = f"Each now, and then under {with_marks_read(then.policy)}:"
    return Table(("recording", *columns), tuple(both), title=title, key="recordings")


def _each(row: Row, own_ns: int | None) -> tuple[Cell, ...]:
    return (*time_cells(row.pauses, own_ns), Size(row.peak_bytes))


def setting_cells(one: Together, own_ns: int | None) -> tuple[Cell, ...]:
    """Cells under SETTING."""
    worst = one.worst()["gc_ns"]
    short = short_names(list(one.rows))
    pauses = one.pauses if one.timed else None
    return (
        *time_cells(pauses, own_ns),
        one.full,
        Size(one.peak),
        None if worst is None else milliseconds(worst["value"]),
        None if worst is None else short[worst["trace"]],
    )


SETTING: Final = ("GC ms", "% CPU", "longest ms", "full", "peaks", "worst GC ms", "worst")
"""Of all recordings: sums, the longest pause of any, and the one that the collector takes most."""
