"""`--cut`: a recording by hand of 1,000 orders whose lines hold them, figures worked out."""

import json
from pathlib import Path

import pytest
from command_line import Gcreplay

from gcreplay.store.builder import TraceBuilder


def errors(
    folder: Path,
    label: str,
    variable: str,
    *,
    site: tuple[str, int, str] | None = None,
    used: bool = False,
) -> Path:
    """A recording of 800 errors, each in a variable of the frame that it leads to by `label`; of
    one that is `used` the frame is asked for when only the error holds it."""
    function, _, local = variable.partition(":")
    b = TraceBuilder()
    for _ in range(800):
        error = b.alloc("ValueError", site=site)
        frame = b.alloc("frame")
        b.link(error, frame)
        b.link(frame, error)
        b.read(error, [(frame, label)])
        b.read(frame, [(error, f":{local}")], title=function)
        b.decref(frame)
        if used:
            b.incref(frame)
            b.decref(frame)
        b.decref(error)
    path = folder / "errors.gcreplay"
    b.build(path).close()
    return path


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """1,000 orders, each dropped at once, and an entry that only a register holds. Collections come
    at births 701 and 1,402: 349 orders with their lines, then 350; the order held at the first
    has grown older than its line, and stays. The peak, at the second: the register, 351 orders
    with a line and the order that is born, 52,850 bytes."""
    return built(tmp_path / "orders.gcreplay", ".line", ".order")


def built(path: Path, *labels: str) -> Path:
    """A recording in which an order takes its line, and the line its order, where these are among
    the labels."""
    b = TraceBuilder()
    register = b.alloc("Register", module="shop", size=100)
    for _ in range(1_000):
        order = b.alloc("Order", module="shop", size=100, site=("shop.py", 3, "order"))
        line = b.alloc("Line", module="shop", size=50)
        for holder, target, label in ((order, line, ".line"), (line, order, ".order")):
            if label in labels:
                b.link(holder, target, label=label)
        b.decref(line)
        b.decref(order)
    entry = b.alloc("Entry", module="shop", size=10, site=("shop.py", 9, "enter"))
    b.link(register, entry, label=".last")
    b.decref(entry)
    b.incref(entry)
    b.build(path).close()
    return path


def test_the_first_row_is_the_program_as_it_is_and_all_others_are_cut(
    gcreplay: Gcreplay, orders: Path
):
    told = gcreplay(
        "replay", orders, "-p", "cpython-3.11", "--cut", "Line.order", "--format", "json"
    )
    said = json.loads(told.stdout)
    rows = [(run["policy"], run.get("cuts"), run["collected"]) for run in said["runs"]]
    cut = ["Line.order"]
    assert rows == [
        ("cpython-3.11", None, 1398),
        ("cpython-3.11", cut, 0),
        ("never", cut, 0),
        ("clairvoyant", cut, 0),
    ]
    assert said["cut"]["named"] == 1_000 and said["cut"]["still_used"]["objects"] == 0
    assert [run["freed_by_refcount"] for run in said["runs"]] == [0, 2_000, 2_000, 2_000]


def test_the_first_line_says_what_is_gained(gcreplay: Gcreplay, orders: Path):
    told = gcreplay("replay", orders, "-p", "cpython-3.11", "--cut", "Line.order")
    lines = told.output.splitlines()
    said = (
        "Without Line.order: objects to collect from 1,398 to 0, peak memory from 51.6 KiB to "
        "250 B."
    )
    assert " ".join(lines).startswith(said)
    assert any(line.startswith("cpython-3.11, cut") for line in lines)


def test_what_would_change_the_program_is_a_warning(gcreplay: Gcreplay, orders: Path):
    told = gcreplay("replay", orders, "--cut", "Register.last")
    said = " ".join(told.output.split())
    assert (
        "a weak reference would change the program: it still uses an object that nothing else "
        "holds (first at event 6,004: INCREF 2001 by 1, of a shop.Entry made at shop.py:9)"
    ) in said


@pytest.mark.parametrize(
    ("text", "exit_code", "said"),
    [
        ("Line", 2, 'Error: --cut "Line" names no reference: write a type and a label such as'),
        ("Line.lines", 2, "no such reference from a Line (did you mean Line.order?)"),
    ],
)
def test_a_cut_that_means_nothing_is_said_in_a_sentence(
    gcreplay: Gcreplay, orders: Path, text: str, exit_code: int, said: str
):
    told = gcreplay("replay", orders, "--cut", text)
    assert told.exit_code == exit_code
    assert said in " ".join(told.output.split())


# -- cycles --


def test_what_is_left_is_shown_as_if_the_reference_were_weak(gcreplay: Gcreplay, orders: Path):
    told = gcreplay("cycles", orders, "--cut", "Line.order", "--format", "json")
    said = json.loads(told.stdout)
    assert (said["groups"], said["cut"]["named"]) == ([], 1_000)


def test_the_reference_that_leads_back_is_suggested(gcreplay: Gcreplay, orders: Path):
    """Cutting either frees all; the line holds what was made before it."""
    said = json.loads(gcreplay("cycles", orders, "--suggest", "--format", "json").stdout)
    (one,) = said["suggestions"]
    assert (one["cut"], one["collected"], one["by_hand"]) == ("Line.order", [1_398, 0], False)
    assert one["site"] == {"file": "shop.py", "line": 3, "function": "order", "objects": 1_000}
    told = gcreplay("cycles", orders, "--suggest").output.splitlines()
    assert [line.strip() for line in told[-3:]] == [
        "made at shop.py:3 order",
        "weak: `self.order = weakref.ref(...)` in Line, asked as `self.order()`",
        "by hand: `it.order = None` when the Line is done with",
    ]


def test_a_variable_of_a_frame_is_cleared_by_hand_and_what_is_needed_comes_last(
    gcreplay: Gcreplay, tmp_path: Path
):
    trace = errors(tmp_path, ".frame", "checkout:error", used=True)
    said = gcreplay("cycles", trace, "--suggest", "--format", "json").stdout
    (one,) = json.loads(said)["suggestions"]
    assert (one["cut"], one["by_hand"]) == ("checkout:error", True)
    told = gcreplay("replay", trace, "--cut", "ValueError.frame").output
    assert "still uses 800 objects that nothing else holds" in " ".join(told.split())


@pytest.mark.parametrize(
    ("target", "way"),
    [
        ("list", "by hand: `it.own = None` when the Order is done with"),
        ("Client", "weak: only where something else holds the Client while it is used"),
    ],
)
def test_no_weak_reference_is_advised_that_cannot_be_or_would_be_dead(
    gcreplay: Gcreplay, tmp_path: Path, target: str, way: str
):
    """The order makes what it holds; the way back has no name."""
    b = TraceBuilder()
    for _ in range(800):
        order = b.alloc("Order", module="shop")
        own = b.alloc(target)
        b.link(order, own, label=".own")
        b.link(own, order)
        b.decref(own)
        b.decref(order)
    b.build(tmp_path / "own.gcreplay").close()
    told = gcreplay("cycles", tmp_path / "own.gcreplay", "--suggest").output.splitlines()
    assert told[-1].strip() == way and "weakref" not in "".join(told)


@pytest.mark.parametrize(
    ("site", "shown"),
    [
        (None, "made at an unknown place"),
        (("a\x1b[7m.py", 9, "checkout"), "made at a\\x1b[7m.py:9 checkout"),
    ],
)
def test_where_it_is_made_is_said_whatever_is_known_of_it(
    gcreplay: Gcreplay, tmp_path: Path, site: tuple[str, int, str] | None, shown: str
):
    trace = errors(tmp_path, ".frame", "checkout:error", site=site)
    told = gcreplay("cycles", trace, "--suggest").output.splitlines()
    assert shown in [line.strip() for line in told]


def test_what_code_of_a_package_takes_is_said_to_be_its_own(gcreplay: Gcreplay, tmp_path: Path):
    """An error in a variable of asyncio's: what the user can do comes first."""
    where = ("/usr/lib/python3.11/asyncio/taskgroups.py", 9, "TaskGroup.__aexit__")
    trace = errors(tmp_path, ".__traceback__", "TaskGroup.__aexit__:me", site=where)
    told = gcreplay("cycles", trace, "--suggest").output.splitlines()
    assert [line.strip() for line in told[-2:]] == [
        "by hand: traceback.clear_frames(error.__traceback__) where it is handled",
        "(TaskGroup.__aexit__ is asyncio's, not yours: there, `del me` at its end)",
    ]


def test_where_two_references_hold_the_same_no_single_cut_is_said_to_be_enough(
    gcreplay: Gcreplay, tmp_path: Path
):
    """Job.error and the variable `saved` of its frame; either alone keeps the cycle."""
    b = TraceBuilder()
    for _ in range(800):
        error, job, frame = (b.alloc(one) for one in ("ValueError", "Job", "frame"))
        b.link(error, job, label=".job")
        b.link(error, frame, label=".frame")
        b.link(job, error, label=".error")
        b.link(frame, error, label=":saved")
        b.link(job, frame, label=".at")
        b.link(frame, job, label=":job")
        for one in (error, job, frame):
            b.decref(one)
    path = tmp_path / "two.gcreplay"
    b.build(path).close()
    said = json.loads(gcreplay("cycles", path, "--suggest", "--format", "json").stdout)
    assert said["suggestions"] == []
    told = " ".join(gcreplay("cycles", path, "--suggest").output.split())
    assert "More than one reference may hold a cycle together" in told


def test_a_cut_and_a_search_for_one_do_not_go_together(gcreplay: Gcreplay, orders: Path):
    told = gcreplay("cycles", orders, "--suggest", "--cut", "Line.order")
    assert told.exit_code == 2 and "give one of them" in told.output


# -- diff --


def figures(told: str) -> dict[str, tuple[int, int]]:
    return {one["figure"]: (one["first"], one["second"]) for one in json.loads(told)["figures"]}


def test_one_recording_is_compared_with_itself_without_the_reference(
    gcreplay: Gcreplay, orders: Path
):
    told = gcreplay("diff", orders, "--cut", "Line.order", "--format", "json").stdout
    said, found = json.loads(told), figures(told)
    assert (found["collected"], found["peak_bytes"]) == ((1_398, 0), (52_850, 250))
    assert found["freed_by_refcount"] == (0, 2_000)
    assert (said["first"].get("cuts"), said["second"]["cuts"]) == (None, ["Line.order"])
    assert said["first_difference"]["sequence"] == 4  # behind three births and `.line`
    assert {row["type"] for row in said["kept_longer"]} == {"shop.Order", "shop.Line"}
    table = " ".join(gcreplay("diff", orders, "--cut", "Line.order").output.split())
    assert table.startswith(
        "Without Line.order: objects to collect from 1,398 to 0, peak memory from 51.6"
    )
    assert "figure cpython-3.11 cpython-3.11, cut change" in table


def test_from_one_policy_to_another_the_second_is_without_the_reference(
    gcreplay: Gcreplay, orders: Path
):
    cut = ("--cut", "Line.order", "-p", "never", "-p", "cpython-3.11")
    told = " ".join(gcreplay("diff", orders, *cut).output.split())
    head = "never as recorded against cpython-3.11 without Line.order: objects to collect"
    assert told.startswith(f"{head} from 0 to 0, ")


def test_of_two_recordings_the_first_is_without_the_reference(
    gcreplay: Gcreplay, orders: Path, tmp_path: Path
):
    """The change is really made in the second: the prediction is right."""
    head = built(tmp_path / "head.gcreplay", ".line")
    told = gcreplay("diff", orders, head, "--cut", "Line.order", "--format", "json").stdout
    changed = {name for name, (first, second) in figures(told).items() if first != second}
    assert changed == set()
    words = " ".join(gcreplay("diff", orders, head, "--cut", "Line.order").output.split())
    assert "without Line.order, as predicted, against" in words


def test_stored_runs_are_not_cut(gcreplay: Gcreplay, orders: Path):
    gcreplay("replay", orders, "-p", "cpython-3.11")
    told = gcreplay("diff", f"{orders}#1", f"{orders}#2", "--cut", "Line.order")
    assert told.exit_code == 2 and "TRACE --cut REFERENCE" in told.output
