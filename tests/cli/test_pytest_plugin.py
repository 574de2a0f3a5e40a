"""`pytest --gcreplay`: which tests fail by their limits, and what is told of all."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from execnet import gateway_base

from gcreplay.pytest.figures import Figures, figures, with_evidence
from gcreplay.pytest.limits import Limit
from gcreplay.pytest.verdict import increased, over, table, verdict
from gcreplay.store.builder import TraceBuilder

TESTS = """
import gc, warnings, gcreplay, pytest

KEPT, REPLACED = [], [None]

class Order:
    def __init__(self):
        self.lines = [Line(self), Line(self)]

class Line:
    def __init__(self, order):
        self.order = order

@pytest.mark.limit_cyclic_garbage(0)
def test_over():
    Order()

@pytest.mark.limit_cyclic_garbage(4)
def test_at_its_limit():
    Order()

@pytest.mark.limit_cyclic_garbage(3)
def test_collects_itself():
    gc.disable()
    Order()
    gc.collect()
    gc.enable()
    gc.freeze()

@pytest.mark.limit_cyclic_garbage(0)
def test_breaks_its_cycle():
    order = Order()
    order.lines.clear()

@pytest.mark.limit_cyclic_garbage(1, filter_fn=lambda group: "test_shop.Line" in group.types)
def test_filtered():
    Order()

@pytest.mark.limit_cyclic_garbage(0, filter_fn=lambda group: "test_shop.Line" not in group.types)
def test_filtered_out():
    Order()

@pytest.mark.limit_leaked_objects(0)
def test_keeps_one():
    KEPT.append(Order())

def test_blocks(gc_garbage):
    Order()
    with gcreplay.block("free", limit_cyclic_garbage=0):
        [[]]
    with gc_garbage("of two", limit_cyclic_garbage=7):
        Order()
        Order()

def test_grows(gc_leaks):
    gc_leaks(lambda: KEPT.append(Line(None)), times=5, warm_up=1)

def test_does_not_grow(gc_leaks):
    def call():
        REPLACED[0] = Line(None)
    gc_leaks(call, times=5, warm_up=1)

@pytest.mark.limit_gc_objects(0)
def test_works():
    every = [Line(None) for _ in range(1000)]

def test_fails():
    assert KEPT == 1

def test_warns():
    warnings.warn("told by the test")
"""
FAILED = {
    "test_over": "4 objects of cyclic garbage, 0 allowed",
    "test_collects_itself": "4 objects of cyclic garbage, 3 allowed",
    "test_filtered": "4 objects of cyclic garbage, 1 allowed",
    "test_keeps_one": "4 objects made and left alive, 0 allowed",
    "test_blocks": "block of two: 8 objects of cyclic garbage, 7 allowed",
    "test_grows": "leaks of test_grows.<locals>.<lambda>: 5 objects made and left alive, 0 allowed",
    "test_works": "the collector visits N objects, 0 allowed",
}


@dataclass(frozen=True, slots=True)
class Session:
    exit_code: int
    out: str
    folder: Path

    def failed(self) -> dict[str, str]:
        """What the summary says of each failed test."""
        lines = re.findall(r"^FAILED test_shop.py::(\w+) - (.*)$", self.out, re.MULTILINE)
        return {name: re.sub(r"visits \d+", "visits N", told) for name, told in lines}


def run(folder: Path, *arguments: str) -> Session:
    """A session of pytest on these tests, in a wide terminal."""
    (folder / "test_shop.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", *arguments]
    environment = {**os.environ, "COLUMNS": "150", "PYTHONHASHSEED": "0"}
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER"):
        environment.pop(name, None)
    ran = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return Session(ran.returncode, ran.stdout + ran.stderr, folder)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("alone")
    yield run(folder, "--gcreplay", "--gcreplay-keep", "kept", "--junitxml", "junit.xml")


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    yield run(tmp_path_factory.mktemp("workers"), "--gcreplay", "-n", "1")


def test_those_over_a_limit_fail(alone: Session) -> None:
    failed = alone.failed()
    assert failed.pop("test_fails").startswith("assert [<test_shop.")
    assert failed == FAILED
    assert alone.exit_code == 1
    assert "8 failed, 5 passed, 1 warning" in alone.out
    assert "told by the test" in alone.out


def test_it_says_what_was_made_where(alone: Session) -> None:
    told = alone.out.partition("_ test_over _")[2].partition("\n____")[0].splitlines()[1:]
    assert told == [
        "4 objects of cyclic garbage, 0 allowed",
        "  1 cycle                                          test_shop.py:8 Order.__init__",
        "    Order.lines -> list[1] -> Line.order -> Order",
        "     8  self.lines = [Line(self), Line(self)]",
    ]


def test_it_says_what_holds_a_leak(alone: Session) -> None:
    told = alone.out.partition("_ test_keeps_one _")[2].partition("\n____")[0].splitlines()[1:]
    assert told[0] == "4 objects made and left alive, 0 allowed"
    assert "  1 test_shop.Order, made at test_shop.py:45 test_keeps_one" in told
    assert "    held by module test_shop.KEPT -> list[0] -> Order" in told


def test_workers_of_xdist_are_recorded(workers: Session) -> None:
    failed = workers.failed()
    failed.pop("test_fails")
    assert failed == FAILED
    assert "8 failed, 5 passed, 1 warning" in workers.out
    assert workers.exit_code == 1


def test_the_recording_is_kept(alone: Session) -> None:
    assert [path.name for path in (alone.folder / "kept").iterdir()] == ["tests.gcreplay"]


def test_reporters_know_the_failures(alone: Session) -> None:
    text = (alone.folder / "junit.xml").read_text()
    assert 'failures="8"' in text
    assert "4 objects of cyclic garbage, 0 allowed" in text


def test_markers_say_that_they_do_nothing_unasked(tmp_path: Path) -> None:
    ran = run(tmp_path)
    assert ran.out.count("only hold with --gcreplay") == 1
    assert set(ran.failed()) == {"test_fails"}


def test_a_limit_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "test_odd.py").write_text(
        "import pytest\n@pytest.mark.limit_cyclic_garbage(-1)\ndef test_odd(): pass\n"
    )
    ran = run(tmp_path, "--gcreplay", "test_odd.py")
    assert ran.exit_code == 4
    assert (
        "ERROR: test_odd.py::test_odd: limit_cyclic_garbage takes a whole number from 0, not -1"
        in ran.out
    )


def test_a_recorded_process_that_dies_fails_the_session(tmp_path: Path) -> None:
    (tmp_path / "test_dies.py").write_text("import os\ndef test_dies(): os._exit(0)\n")
    ran = run(tmp_path, "--gcreplay", "test_dies.py")
    assert ran.exit_code == 1
    assert "test_dies.py::test_dies: the recorded process ended in it, exit code 0" in ran.out


def test_it_imports_nothing_of_ours_unasked(tmp_path: Path) -> None:
    (tmp_path / "test_modules.py").write_text(
        "import sys\n"
        "def test_modules():\n"
        "    ours = sorted(name for name in sys.modules if name.startswith('gcreplay'))\n"
        "    assert ours == ['gcreplay', 'gcreplay.blocks', 'gcreplay.pytest',"
        " 'gcreplay.pytest.plugin']\n"
        "    assert 'numpy' not in sys.modules\n"
    )
    assert run(tmp_path, "test_modules.py").exit_code == 0


@functools.cache
def two_tests() -> list[Figures]:
    """`one` makes two self-cycles, of which the program collects one, and drops a node; `two` makes
    a node that is kept; behind both pytest makes a self-cycle."""
    b = TraceBuilder(python="3.11.7")
    b.start()
    b.mark("test one")
    for _ in range(2):
        cycle = b.alloc("Node", module="app", site=("app.py", 3, "loop"))
        b.link(cycle, cycle, label=".me")
        b.decref(cycle)
        b.gc_call("collect", 2)
        b.gc_call("unfreeze")
    b.decref(b.alloc("Node", module="app", site=("app.py", 4, "drop")))
    b.mark("end of test one")
    b.mark("test two")
    b.alloc("Node", module="app", site=("app.py", 9, "keep"))
    b.mark("end of test two")
    cycle = b.alloc("Node", module="app", site=("_pytest", 1, "report"))
    b.link(cycle, cycle, label=".me")
    b.decref(cycle)
    b.mark("end of all tests")
    with b.build() as log:
        return with_evidence(log, figures(log))


def test_garbage_is_that_of_the_test_which_made_it() -> None:
    one, two = two_tests()
    assert [(group.objects, group.sites[0].line) for group in one.garbage] == [(2, 3)]
    assert one.leaked == two.garbage == ()
    assert [(group.objects, group.sites[0].line) for group in two.leaked] == [(1, 9)]
    assert (one.visited, two.visited) == (2, 0)  # each collection finds one


def test_what_xdist_reads_beside_a_test_of_a_worker_is_no_part_of_it() -> None:
    """Its code comes to the worker as text, as other code may."""
    read = gateway_base.Popen2IO.read.__code__
    b = TraceBuilder(python="3.11.7")
    b.mark("test one")
    b.alloc("memoryview", site=("<string>", read.co_firstlineno, "Popen2IO.read"))
    b.alloc("Node", module="app", site=("<string>", read.co_firstlineno, "make"))
    b.mark("end of test one")
    b.mark("end of all tests")
    with b.build() as log:
        (one,) = figures(log)
    assert [group.types for group in one.leaked] == [{"app.Node": 1}]


def test_more_than_in_the_last_run() -> None:
    one, two = two_tests()
    assert increased(one, [2, 0], verbose=False) == []
    assert increased(one, [1, 0], verbose=False)[0] == (
        "2 objects of cyclic garbage, 1 in the last run"
    )
    assert increased(two, [0, 0], verbose=False) == [
        "1 object made and left alive, 0 in the last run",
        "  1 app.Node, made at app.py:9 keep",
    ]


def test_a_filter_keeps_what_counts() -> None:
    one, _ = two_tests()
    limit = {"limit_cyclic_garbage": Limit(1, lambda group: group.sites[0].function != "loop")}
    assert over(one, limit, verbose=False) == []
    limit = {"limit_cyclic_garbage": Limit(1, lambda group: group.types == {"app.Node": 2})}
    assert over(one, limit, verbose=False)[0] == "2 objects of cyclic garbage, 1 allowed"


def test_a_filter_that_raises_fails_the_test() -> None:
    one, _ = two_tests()
    limit = {"limit_cyclic_garbage": Limit(0, lambda group: group.nonsense)}
    assert verdict(one, limit, None, verbose=False) == [
        "its filter_fn failed, AttributeError: 'Group' object has no attribute 'nonsense'"
    ]


def test_leaks_stand_in_the_table_by_their_number_as_garbage_does() -> None:
    """Ten tests with 2 objects of garbage do not hide one that leaves 3."""
    one, two = two_tests()
    rows = table([*[one] * 10, replace(two, leaked=two.leaked * 3)])
    assert rows[1].split()[:3] == ["0", "0", "3"]


def test_the_table_fits() -> None:
    assert all(len(line) <= 80 for line in table(two_tests()))


def test_numbers_in_the_table_stand_apart() -> None:
    one, _ = two_tests()
    (group,) = one.garbage
    many = replace(one, garbage=(replace(group, objects=12_000, bytes=1_014_000),))
    head, row, *_ = table([many])
    assert row.split()[:4] == ["12,000", "990.2", "KiB", "2"]
    assert (row[18:28].strip(), head[19:28]) == ("2", "GC visits")
