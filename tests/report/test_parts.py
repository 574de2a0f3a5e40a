"""The core sections of a report as data, of runs made by hand: figures, marks, levels."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pytest
from hand_made import MIB, THREE, collection, run_of

from gcreplay.replay.estimates.pauses import Pauses
from gcreplay.replay.results.clock import Axis
from gcreplay.replay.results.series import HeapSteps, Steps
from gcreplay.report.parts import heap as heap_part
from gcreplay.report.parts import pauses as pauses_part
from gcreplay.report.parts.cost import Advice, cost
from gcreplay.report.parts.heap import heap
from gcreplay.report.parts.pauses import pauses
from gcreplay.report.parts.policies import policies
from gcreplay.report.parts.runs import Played, of_cpu, size_cell, time_cells
from gcreplay.report.parts.settings import Setting, settings
from gcreplay.report.view import Distribution, Figures, Scatter, Section, Series, Table, Words

TOOK = Pauses((1_500_000, 1_600_000, 12_000_000))  # 15.1 ms in all
NOW = Played("as now", run_of(peak_bytes=3 * MIB), TOOK, 0.031, "present")
BOUNDS = tuple(
    Played(name, run_of(name, (), peak_bytes=size, bound=True), None, None, "bound")
    for name, size in (("never", 8 * MIB), ("clairvoyant", MIB))
)
EVENTS = Axis("events", np.array([0.0, 10.0]), np.array([0.0, 10.0]), 0)


def words(section: Section) -> str:
    return " ".join(one.text for one in section.blocks if isinstance(one, Words))


T = TypeVar("T")


def one_of(section: Section, kind: type[T]) -> T:
    (found,) = (one for one in section.blocks if isinstance(one, kind))
    return found


def test_cost_shows_time_share_longest_pause_and_peak() -> None:
    section, findings = cost(NOW, BOUNDS, None, "", "gcreplay tune a")
    figures = one_of(section, Figures).figures
    assert [one.text for one in figures] == ["15.1 ms", "3.10 %", "12.0 ms", "3.0 MiB"]
    assert "3 collections" in figures[0].note and "1.0 MiB" in figures[3].note
    assert not findings and "gcreplay tune a" in words(section)


def test_cost_without_times_says_why_and_counts_collections() -> None:
    now = Played("as now", run_of(peak_bytes=10), None, None, "present")
    section, _ = cost(now, (), None, "There is no clock.", "gcreplay tune a")
    figures = one_of(section, Figures).figures
    assert [one.text for one in figures] == ["3", "10 B"] and figures[1].note == ""
    assert "There is no clock." in words(section)


@pytest.mark.parametrize(
    ("outcome", "level", "figure"),
    [("change", "notice", 4.0), ("leave", "info", None), ("unknown", "warning", None)],
)
def test_the_advice_is_a_finding_with_what_it_saves_in_ms(
    outcome: str, level: str, figure: float | None
) -> None:
    advice = Advice(outcome, "Do so.", code=("import gc", "gc.x()"), undo="u", saves_ns=4_000_000)  # type: ignore[arg-type]
    section, (found,) = cost(NOW, BOUNDS, advice, "", "gcreplay tune a")
    assert (found.id, found.level, found.figure) == ("setting", level, figure)
    assert [one.text for one in section.blocks if isinstance(one, Words) and one.code] == [
        "import gc\ngc.x()"
    ]


def steps(at: list[int], value: list[int]) -> Steps:
    return Steps(np.array(at, np.int64), np.array(value, np.int64))


def heap_of(axis: Axis, **figures: int) -> tuple[Section, list[float | None]]:
    """Live bytes of 100, 300 from event 4 on, and 50 from event 8 on."""
    none = steps([0], [0])
    held = HeapSteps(0, 10, steps([0, 4, 8], [100, 300, 50]), none, none, none)
    section, found = heap(held, axis, run_of(**figures), TOOK, [(2, "ready")], "gcreplay sweep a")
    return section, [one.figure for one in found if one.id == "floating"]


def memory(section: Section) -> Series:
    return next(one for one in section.blocks if isinstance(one, Series))


def test_the_heap_has_each_event_and_its_collections_and_marks() -> None:
    chart = memory(heap_of(EVENTS)[0])
    assert chart.lines[0].high.tolist() == [100] * 4 + [300] * 4 + [50] * 2
    assert [(one.at, one.kind) for one in chart.moments] == [
        (1, "young"), (4, "young"), (8, "full"), (2, "mark"),
    ]  # fmt: skip
    assert chart.moments[3].text == "ready" and "12.0 ms" in chart.moments[2].text
    assert chart.thinning == ""


def test_thinning_keeps_the_peak_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap_part, "BINS", 2)
    monkeypatch.setattr(heap_part, "YOUNG_SHOWN", 1)
    section, _ = heap_of(EVENTS)
    chart = memory(section)
    assert chart.start.tolist() == [0, 5, 10] and "5 events" in chart.thinning
    assert chart.lines[0].low.tolist() == [100, 50] and chart.lines[0].high.tolist() == [300, 300]
    assert chart.lines[0].mean.tolist() == [(4 * 100 + 300) / 5, (3 * 300 + 2 * 50) / 5]
    # Of the two young ones the one at event 4 freed most; the full one is always drawn.
    assert [one.at for one in chart.moments if one.kind != "mark"] == [4, 8]
    assert "2 young collections" in words(section)


def test_seconds_of_a_bin_are_said() -> None:
    axis = Axis("s", np.array([0.0, 10.0]), np.array([0.0, 16.0]), 500)
    assert "2.00 ms" in memory(heap_of(axis)[0]).thinning  # 16 s in 8,000 bins


@pytest.mark.parametrize(("floating", "found"), [(76, [76]), (75, [])])
def test_garbage_above_a_quarter_of_the_peak_is_a_finding(
    floating: int, found: list[float]
) -> None:
    assert heap_of(EVENTS, peak_bytes=300, peak_floating_bytes=floating)[1] == found


def test_pauses_above_the_deadline_are_counted() -> None:
    section, (found,) = pauses(EVENTS, NOW.run, TOOK, 1.55, "gcreplay tune a")
    assert (found.id, found.level, found.figure) == ("deadline", "notice", 2.0)
    assert "2 pauses of 3" in found.text
    chart = one_of(section, Series)
    assert [(one.at, one.kind, one.value) for one in chart.moments] == [
        (1, "young", 1.5), (4, "young", 1.6), (8, "full", 12.0),
    ]  # fmt: skip
    assert chart.deadline == 1.55


def test_no_pause_above_the_deadline_is_no_finding() -> None:
    section, found = pauses(EVENTS, NOW.run, TOOK, 12.0, "gcreplay tune a")
    assert not found and "12.0 ms" in words(section)


def test_pauses_stand_in_columns_of_half_a_doubling() -> None:
    told = one_of(pauses(EVENTS, NOW.run, TOOK, 10, "")[0], Distribution)
    # 1,500 and 1,600 µs lie from 2 ** 10.5 to 2 ** 11, 12,000 µs from 2 ** 13.5 to 2 ** 14.
    assert told.edges[[0, -1]] == pytest.approx([1.448154, 16.384])
    assert [(name, counts.tolist()) for name, counts in told.counts] == [
        ("young", [2, 0, 0, 0, 0, 0, 0]), ("full", [0, 0, 0, 0, 0, 0, 1]),
    ]  # fmt: skip


def test_of_too_many_pauses_the_longest_of_each_stretch_are_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pauses_part, "MOST", 2)
    chart = one_of(pauses(EVENTS, NOW.run, TOOK, 10, "")[0], Series)
    assert [one.value for one in chart.moments] == [1.6, 12.0] and "5 events" in chart.thinning


@pytest.mark.parametrize("made", [(), THREE])
def test_without_pauses_there_is_no_chart(made: tuple[object, ...]) -> None:
    section, found = pauses(EVENTS, run_of(made=made), None, 10, "")  # type: ignore[arg-type]
    assert not found and [type(one) for one in section.blocks] == [Words]


def test_policies_have_raw_figures_and_bounds_have_none_of_collections() -> None:
    given = Played("other", run_of("x", peak_floating_bytes=7, freed_by_collector=504), None, None,
                   "given")  # fmt: skip
    section, _ = policies([NOW, given, *BOUNDS], "The other.", ["It depends."], "")
    table = one_of(section, Table)
    assert table.marked == (0,)
    titles = [one.title for one in table.columns]
    rows = [dict(zip(titles, row, strict=True)) for row in table.rows]
    times = ("GC ms", "% CPU", "longest ms", "p99 ms", "full", "collections", "examined")
    assert [rows[0][one].raw for one in times] == pytest.approx([15.1, 3.1, 12, 12, 1, 3, 3_710])
    assert rows[0]["collections"].text == "2/0/1"
    assert [rows[1][one].raw for one in ("GC ms", "garbage", "freed")] == [None, 7, 504]
    assert [(row["full"].raw, row["collections"].raw) for row in rows[2:]] == [(None, None)] * 2
    levels = {one.text: one.level for one in section.blocks if isinstance(one, Words)}
    assert levels == {"The other.": "info", "It depends.": "serious"}


def tried(policy: str, role: str) -> Setting:
    return Setting(policy, policy, TOOK, 0.5, 2 * MIB, 1, role)  # type: ignore[arg-type]


def test_settings_draw_all_and_list_the_front() -> None:
    roles = ("front", "recommended", "other", "present")
    section, _ = settings([tried(one[0], one) for one in roles], 1_234, "", "")
    chart, table = one_of(section, Scatter), one_of(section, Table)
    assert [(one.role, one.x, one.y) for one in chart.dots] == [
        (role, 12.0, 2.0 * MIB) for role in roles
    ]
    assert [row[6].raw for row in table.rows] == ["f", "r", "p"] and table.marked == (1, 2)
    assert "1,234 settings" in words(section)


def test_without_settings_it_says_how_to_get_them() -> None:
    section, _ = settings([], 0, "gcreplay tune a", "Try gcreplay tune a")
    assert section.blocks == (Words("Try gcreplay tune a"),)


def test_cells_of_times_are_milliseconds_and_percent() -> None:
    assert [one.raw for one in time_cells(TOOK, 0.25)] == [15.1, 25.0, 12.0, 12.0]
    assert [one.raw for one in time_cells(TOOK, None)] == [15.1, None, 12.0, 12.0]
    assert [one.text for one in time_cells(None, 0.25)] == [""] * 4
    assert (size_cell(1536).raw, size_cell(1536).text) == (1536, "1.5 KiB")
    assert (of_cpu(None), of_cpu(0.029)) == ("", ", 2.90 % of CPU")


def test_a_full_collection_is_one_of_the_oldest_generation() -> None:
    made = (collection(1, 1, 5, 0), collection(2, 2, 5, 0), collection(3, 2, 5, 0))
    assert Played("x", run_of(made=made), None, None, "given").full == 2
