"""`gcreplay diff` of two recordings: two versions of a program, of which lines have moved.

`shop(lines, orders)` makes orders that hold themselves, each dropped at once, at line `lines` + 3
of a checkout of its own; what collections find of them is counted by hand.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from command_line import Gcreplay

from gcreplay.store.builder import TraceBuilder


def shop(
    path: Path,
    checkout: str,
    *,
    moved: int = 0,
    orders: int = 1500,
    function: str = "serve",
    script: str = "shop/orders.py",
) -> Path:
    """1 + orders objects; under T0 = 700 births 701, 1,402, 2,103 and 2,804 collect: of 1,500
    orders they find 1,400, of 3,000 2,802."""
    trace = TraceBuilder(python="3.11.7", argv=[script])
    trace.start()
    file = f"{checkout}/{script}"
    trace.incref(trace.alloc("Node", module="shop", site=(file, 1 + moved, "main")))
    for _ in range(orders):
        order = trace.alloc("Order", module="shop", site=(file, 3 + moved, function))
        trace.link(order, order, label=".me")
        trace.decref(order)
    trace.build(path).close()
    return path


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return shop(tmp_path / "base.gcreplay", "/a/checkout1")


def compared(gcreplay: Gcreplay, *args: object) -> dict[str, Any]:
    told = gcreplay("diff", *args, "--format", "json")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)["versions"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_lines_that_moved_in_another_checkout_are_no_change(
    gcreplay: Gcreplay, base: Path, tmp_path: Path, form: str
) -> None:
    head = shop(tmp_path / "head.gcreplay", "/b/checkout2", moved=40)
    told = gcreplay("diff", base, head, "--format", form)
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout.replace("*", "") == "No change: all counts are equal.\n"
    assert compared(gcreplay, base, head)["sites"] == []


def test_a_script_of_another_name_has_the_same_garbage(gcreplay: Gcreplay, tmp_path: Path) -> None:
    first, second = (
        shop(tmp_path / f"{name}.gcreplay", "/a", script=f"shop/{name}.py")
        for name in ("old", "new")
    )
    told = gcreplay("diff", first, second)
    assert (told.exit_code, told.stdout) == (0, "No change: all counts are equal.\n")


def test_what_is_more_is_worse_and_says_where(
    gcreplay: Gcreplay, base: Path, tmp_path: Path
) -> None:
    head = shop(tmp_path / "head.gcreplay", "/b/checkout2", moved=40, orders=3000)
    found = compared(gcreplay, base, head)
    assert found["verdict"] == "worse"
    assert found["better"] == []
    (site,) = found["sites"]
    assert (site["type"], site["function"]) == ("shop.Order", "serve")
    assert (site["lines_first"], site["lines_second"]) == ([3], [43])
    assert (site["objects_first"], site["objects_second"]) == (1500, 3000)
    shown = gcreplay("diff", base, head).stdout
    assert re.search(r"shop.Order +shop/orders.py:43 serve +3,000 +\+1,500", shown)
    assert "checkout" not in shown


def test_what_is_less_is_better(gcreplay: Gcreplay, base: Path, tmp_path: Path) -> None:
    head = shop(tmp_path / "head.gcreplay", "/b/checkout2", orders=750)
    told = gcreplay("diff", base, head)
    assert told.stdout.startswith("Better: ")
    assert "worse" not in told.stdout


def test_changes_below_a_thousandth_are_one_line(
    gcreplay: Gcreplay, base: Path, tmp_path: Path
) -> None:
    """One order of 1,500 is 0.07 % of them."""
    head = shop(tmp_path / "head.gcreplay", "/b/checkout2", orders=1499)
    found = compared(gcreplay, base, head)
    assert (found["verdict"], found["sites"]) == ("no change", [])
    told = gcreplay("diff", base, head).stdout
    assert "And 1 change of sites below 0.1%" in told
    comment = gcreplay("diff", base, head, "--format", "markdown").stdout
    assert (
        comment
        == "**No change** of 0.1% in garbage or leaks, nor of 1% in GC work or peak memory.\n"
    )


def test_without_a_policy_two_recordings_are_replayed_as_they_ran(
    gcreplay: Gcreplay, base: Path, tmp_path: Path
) -> None:
    head = shop(tmp_path / "head.gcreplay", "/b/checkout2", orders=3000)
    assert compared(gcreplay, base, head) == compared(gcreplay, base, head, "-p", "cpython-3.11")


def test_the_comment_folds_what_is_not_asked_first(
    gcreplay: Gcreplay, base: Path, tmp_path: Path
) -> None:
    head = shop(tmp_path / "head.gcreplay", "/b/checkout2", orders=3000)
    told = gcreplay("diff", base, head, "--format", "markdown").stdout
    assert told.startswith("**Worse**: ")
    seen, _, folded = told.partition("<details>")
    assert "| garbage objects | 1,500 | 3,000 |" in seen
    assert "| freed by count |" in folded and "| freed by count |" not in seen
    assert told.count("<details>") == told.count("</details>") == 3
    assert re.search(r"</summary>\n\n\|", told)  # GitHub reads a table there behind an empty line


@pytest.mark.parametrize(
    ("limit", "met"),
    [
        ("new_groups>0", True),  # an Order that is made by another function than before
        ("garbage_groups>+0", False),
        ("garbage_objects>+1%", False),
        ("garbage_objects>=1500", True),
        ("new_leaks>0", False),
        ("leaked_objects>+0%", False),
    ],
)
def test_limits_know_what_was_found(
    gcreplay: Gcreplay, base: Path, tmp_path: Path, limit: str, met: bool
) -> None:
    head = shop(tmp_path / "head.gcreplay", "/b/checkout2", function="serve_all")
    told = gcreplay("diff", base, head, "--fail-if", limit)
    assert (told.exit_code, limit in told.stderr) == (int(met), met)


@pytest.mark.parametrize("together", [False, True])
def test_limits_know_it_of_two_policies_and_of_folders(
    gcreplay: Gcreplay, base: Path, together: bool
) -> None:
    named = [base.parent, "--jobs", "1"] if together else [base]
    for limit, met in (("new_groups>0", 0), ("garbage_objects>1499", 1)):
        told = gcreplay(*("diff", *named, "-p", "cpython-3.11", "-p", "manual", "--fail-if", limit))
        assert told.exit_code == met


def test_new_and_gone_garbage_is_told_with_its_place(
    gcreplay: Gcreplay, base: Path, tmp_path: Path
) -> None:
    head = shop(tmp_path / "head.gcreplay", "/b/checkout2", moved=40, function="serve_all")
    shown = gcreplay("diff", base, head).stdout
    assert shown.startswith("Better and worse: 1 kind of cycles gone; but 1 new kind of cycles.")
    new, _, gone = shown.partition("Garbage that is gone:")
    assert "made at shop/orders.py:43 serve_all" in new
    assert "made at shop/orders.py:3 serve\n" in gone
    comment = gcreplay("diff", base, head, "--format", "markdown").stdout
    assert "made at `shop/orders.py:43 serve_all`" in comment.partition("<details>")[0]
    assert "<details><summary>Garbage that is gone: 1</summary>" in comment
