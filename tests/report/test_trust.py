"""How far a recording is trusted: what makes figures wrong is serious, the rest is graded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hand_made import run_of

from gcreplay.replay.results.verify import Difference, VerifyResult
from gcreplay.report.parts.trust import Facts, again, moved, trust
from gcreplay.report.view import Finding, Table, Words

EQUAL = VerifyResult("as recorded", 5, 5, 5, 5, 5, 5, 9, 9, None, {})
WHY = Difference(3, ("generation",), None, None, (), ("the program has threads",))
UNEQUAL = replace(
    EQUAL, verdict="one missing", replayed=4, position_equal=4, generation_equal=3,
    collected_equal=4, first_difference=WHY,
)  # fmt: skip
FINE = Facts(EQUAL, True, True, 0, 500, "Times are rough.", (), (), ())


def found(facts: Facts) -> dict[str, Finding]:
    section, told = trust(facts, "gcreplay verify a")
    said = [(one.text, one.level) for one in section.blocks if isinstance(one, Words)]
    assert said == [(one.text, one.level) for one in told]  # the section says all of it
    return {one.id: one for one in told}


def test_of_a_recording_that_is_as_the_interpreter_ran_nothing_is_above_info() -> None:
    assert {one: told.level for one, told in found(FINE).items()} == {
        "equal": "info", "probes": "info", "estimates": "info",
    }  # fmt: skip
    assert found(FINE)["probes"].figure == 500


def test_a_replay_that_differs_is_serious_and_says_by_how_much_and_why() -> None:
    told = found(replace(FINE, verified=UNEQUAL))["unequal"]
    assert (told.level, told.figure) == ("serious", 2)  # of 5 collections 3 are equal in all
    assert "one missing" in told.text and "the program has threads" in told.text


@pytest.mark.parametrize(
    ("facts", "id", "level", "figure"),
    [
        (replace(FINE, depends=["x: it depends."]), "depends", "serious", None),
        (replace(FINE, moved=["x: 3 uses."]), "moved", "warning", None),
        (replace(FINE, too_wide=["x: too wide."]), "too-wide", "warning", None),
        (replace(FINE, complete=False), "cut-short", "warning", None),
        (replace(FINE, notes=["x: a note."]), "policy-note", "notice", None),
        (replace(FINE, children=3), "children", "notice", 3),
        (replace(FINE, recorded=False), "not-recorded", "notice", None),
        (replace(FINE, granularity=None), "probes", "info", 0),
    ],
)
def test_each_limit_is_graded(facts: Facts, id: str, level: str, figure: float | None) -> None:
    assert (found(facts)[id].level, found(facts)[id].figure) == (level, figure)


@pytest.mark.parametrize(
    ("facts", "level"),
    [
        (FINE, "notice"),
        (replace(FINE, moved=["x: 3 uses."]), "warning"),
        (replace(FINE, verified=UNEQUAL), "warning"),
    ],
)
def test_threads_are_a_warning_where_something_did_not_fit(facts: Facts, level: str) -> None:
    assert found(replace(facts, threads=True))["threads"].level == level
    assert "threads" not in found(facts)


def test_what_a_policy_could_not_place_is_counted_by_kind() -> None:
    run = run_of(revived=1_200, displaced=2, unmoved=3, lapsed=4)
    told = moved("x", run, own=False)
    assert [one.split()[:2] for one in told] == [
        ["x:", "1,200"], ["x:", "2"], ["x:", "3"], ["x:", "4"],
    ]  # fmt: skip
    # The recorded policy collects where finalizers were recorded: none is out of its place.
    assert [one.split()[1] for one in moved("x", run, own=True)] == ["1,200", "3", "4"]
    assert moved("x", run_of(), own=False) == []


def test_again_has_lines_to_paste_and_facts_by_name() -> None:
    section, told = again([("it", "gcreplay a"), ("", "gcreplay b")], {"events": "7"})
    code, table = section.blocks
    assert isinstance(code, Words) and isinstance(table, Table)
    assert code.code and code.text == "gcreplay a  # it\ngcreplay b" and not told
    assert [[cell.text for cell in row] for row in table.rows] == [["events", "7"]]
