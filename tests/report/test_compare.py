"""Two recordings and two policies compared, as data: of logs written by hand."""

from pathlib import Path

import pytest

from gcreplay.report.view import Section, Table, Words
from gcreplay.reporting.comparing import check_other, with_policy, with_recording
from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.errors import UsageError


def version(kinds: dict[str, int], line: int = 3) -> EventLog:
    """A program in which so many objects of each type hold themselves and are dropped."""
    b = TraceBuilder(python="3.11.7")
    b.start(threshold=(4, 10, 10))
    kept = b.alloc("Kept", module="app", size=64, site=("app.py", 1, "main"))
    b.incref(kept)
    for type, n in kinds.items():
        for _ in range(n):
            one = b.alloc(type, module="app", size=100, site=("app.py", line, f"make_{type}"))
            b.link(one, one, label=".me")
            b.decref(one)
    return b.build()


def tables(section: Section) -> dict[str, list[list[object]]]:
    return {
        one.id: [[cell.raw for cell in row] for row in one.rows]
        for one in section.blocks
        if isinstance(one, Table)
    }


def test_what_is_new_gone_and_more_in_another_recording() -> None:
    with version({"Old": 3, "Same": 10}) as base, version({"Same": 20, "New": 5}, line=8) as head:
        section, findings = with_recording(
            base, head, ("a", "b"), ("a.gcreplay", "b.gcreplay"), "cpython-3.11"
        )
    told = tables(section)
    assert [row[:5] for row in told["compare-new-cycles"]] == [
        ["app.New", "app.py:8", 0, 5, 500],
    ]
    assert [row[:5] for row in told["compare-more-cycles"]] == [
        ["app.Same", "app.py:8", 10, 20, 2000],
    ]
    assert [row[:5] for row in told["compare-gone-cycles"]] == [
        ["app.Old", "app.py:3", 3, 0, 300],
    ]
    figures = {row[0]: row[1:] for row in told["compare-figures"]}
    assert figures["garbage_objects"] == [13, 25, 12, 92.308]
    assert [(one.id, one.level, one.figure, one.text) for one in findings] == [
        (
            "new-cycles-1",
            "warning",
            5.0,
            "New cycle: 5 objects of app.New, made at app.py:8 make_New.",
        ),
        (
            "more-cycles-1",
            "notice",
            10.0,
            "More of these cycles: 10 -> 20 objects of app.Same, made at app.py:8 make_Same.",
        ),
        (
            "gone-cycles-1",
            "info",
            -3.0,
            "Cycle gone: 3 objects of app.Old, made at app.py:3 make_Old.",
        ),
    ]
    assert section.meaning.startswith("b against a. Better and worse: 1 kind of cycles gone")
    assert section.command == "gcreplay diff a.gcreplay b.gcreplay"
    assert not any(isinstance(one, Words) for one in section.blocks)


def test_two_equal_recordings_say_that_nothing_is_new() -> None:
    with version({"Same": 3}) as base, version({"Same": 3}) as head:
        section, findings = with_recording(base, head, ("a", "b"), ("a", "b"), "cpython-3.11")
    assert [one.text for one in section.blocks if isinstance(one, Words)] == [
        "Nothing is new: no kind of cycles, and none that grows."
    ]
    assert findings == []


def test_another_policy_on_the_same_recording() -> None:
    with version({"Node": 12}) as log:
        section, findings = with_policy(log, "a.gcreplay", "cpython-3.11", "never")
    told = tables(section)
    figures = {row[0]: row[1:4] for row in told["compare-figures"]}
    assert figures["collected"][1] == 0
    assert figures["peak_floating_objects"][1] == 12
    ((type, _, objects, *_),) = told["compare-kept"]
    assert (type, objects) == ("app.Node", 12)
    assert [one.id for one in findings] == ["compare"]
    assert section.command == "gcreplay diff a.gcreplay -p cpython-3.11 -p never"


def test_compare_names_a_recording_or_a_policy(tmp_path: Path) -> None:
    check_other("generational:5000,10,10")
    check_other(str(tmp_path / "gone.gcreplay"))
    with pytest.raises(UsageError, match="takes another recording or a policy"):
        check_other("nonsense")
