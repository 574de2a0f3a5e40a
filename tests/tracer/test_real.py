"""A measured run is a plain run under a setting, and says of each collection what it was."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from recording import BARE, FIXED, run_plain

from gcreplay.tracer import (
    CannotRecord,
    CollectAt,
    FreezeAt,
    FreezeLine,
    Plan,
    RealOptions,
    RealRun,
    run_real,
)

PROGRAM = """
import gc, json, sys
{setting}
class Node:
    pass
kept = []
for i in range(6000):
    node = Node()
    node.me, node.more = node, [i, (i, [])]
    if i % 7 == 0:
        kept.append(node)
    if i % 2000 == 1999:
        del kept[::2]
json.dump([gc.get_stats(), gc.get_threshold()], sys.stdout)
"""
SETTINGS = {
    "default": ("", Plan()),
    "100,5,5": ("gc.set_threshold(100, 5, 5)", Plan((100, 5, 5), apply_from="begin")),
    "5000,10,10": ("gc.set_threshold(5000, 10, 10)", Plan((5000, 10, 10), apply_from="begin")),
    "manual": ("gc.set_threshold(0, 10, 10)", Plan((0, 10, 10), apply_from="begin")),
    "freeze": ("gc.freeze()", Plan(None, (FreezeAt("begin"),))),
    "collect": ("gc.collect()", Plan(None, (CollectAt("begin"),))),
}
MARKED = "import gcreplay_capture\ngcreplay_capture.mark('begin')"


def measured(folder: Path, plan: Plan, program: str, sizes: bool = True) -> tuple[RealRun, str]:
    (folder / "program.py").write_text(program)
    with (folder / "out").open("w+b") as out:
        options = RealOptions(
            ["program.py"],
            plan,
            python=BARE,
            sizes=sizes,
            environment=dict(FIXED),
            directory=folder,
            stdout=out.fileno(),
        )
        run = run_real(options)
    assert run.exit_code == 0 and run.complete and run.missed == 0, run
    return run, (folder / "out").read_text()


@pytest.mark.parametrize("sizes", [True, False])
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_collections_are_those_of_a_plain_run(
    tmp_path: Path, setting: str, sizes: bool
) -> None:
    """The program itself tells what the collector did, with and without the measuring mode; its
    plain form has a stand-in of the same cost where the other one imports and marks."""
    line, plan = SETTINGS[setting]
    plain_form = PROGRAM.format(setting=f"import sys\nsys.intern('begin')\n{line}")
    (tmp_path / "plain.py").write_text(plain_form)
    for _ in range(2):
        plain = run_plain(tmp_path, "plain.py", python=BARE)
    run, said = measured(tmp_path, plan, PROGRAM.format(setting=MARKED), sizes)
    stats, thresholds = json.loads(plain.out)
    seen = json.loads(said)
    assert [s["collections"] for s in seen[0]] == [s["collections"] for s in stats]
    assert sum(s["collected"] for s in seen[0]) == sum(s["collected"] for s in stats)
    assert seen[1] == thresholds
    started = json.loads(run_plain(tmp_path, "-c", START, python=BARE).out)
    for g in range(3):
        noted = [c for c in run.collections if c.generation == g]
        assert len(noted) == seen[0][g]["collections"] - started[g]["collections"]
        assert sum(c.collected for c in noted) == (
            seen[0][g]["collected"] - started[g]["collected"]
        )


START = "import gc, json, sys; json.dump(gc.get_stats(), sys.stdout)"


def test_sizes_are_the_lengths_of_the_lists(tmp_path: Path) -> None:
    """In a loop of self-cycles each young collection finds the 700 that came before the newest:
    an object that triggers is not in the list yet, but the one that triggered last time is."""
    loop = f"{MARKED}\nclass Node: pass\ndef main():\n    for i in range(3600):\n"
    loop += "        node = Node()\n        node.me = node\nmain()\ngcreplay_capture.mark('end')\n"
    run, _ = measured(tmp_path, Plan(), loop)
    window = run.window("begin", "end")
    assert [c.candidates for c in window[1:]] == [701] * (len(window) - 1)
    assert [c.collected for c in window[1:]] == [700] * (len(window) - 1)
    growth = [b.tracked - a.tracked for a, b in pairwise(window[1:]) if a.tracked and b.tracked]
    assert growth == [1] * (len(window) - 2)  # one survivor a collection: the newest but one
    without, _ = measured(tmp_path, Plan(), loop, sizes=False)
    assert [c.collected for c in without.collections] == [c.collected for c in run.collections]
    assert {c.tracked for c in without.collections} == {None}


def test_marks_freeze_once_and_collect_at_every_nth(tmp_path: Path) -> None:
    text = "import gc, gcreplay_capture as c\nfor i in range(7):\n    c.mark('tick')\n"
    text += "    print(gc.get_freeze_count() > 0, sum(s['collections'] for s in gc.get_stats()))\n"
    text += "gc.unfreeze()\nc.mark('tick')\nprint(gc.get_freeze_count())\n"
    plan = Plan((0, 10, 10), (FreezeAt("tick"), CollectAt("tick", 3)))
    run, said = measured(tmp_path, plan, text)
    lines = [line.split() for line in said.splitlines()]
    frozen, collections = [line[0] for line in lines[:7]], [int(line[1]) for line in lines[:7]]
    assert frozen == ["True"] * 7
    assert [n - collections[0] for n in collections] == [0, 0, 1, 1, 1, 2, 2]
    assert lines[7] == ["0"]  # not a second time
    assert [mark.collections for mark in run.marks] == [0, 0, 0, 1, 1, 1, 2, 2]
    assert [c.called for c in run.collections] == [True, True]


def test_a_measured_threshold_holds_whatever_the_program_sets(tmp_path: Path) -> None:
    text = "import gc\ngc.set_threshold(1, 1, 1)\nprint(gc.get_threshold())\n"
    assert measured(tmp_path, Plan((900, 8, 7)), text)[1] == "(900, 8, 7)\n"
    assert measured(tmp_path, Plan(), text)[1] == "(1, 1, 1)\n"


@pytest.mark.parametrize(
    ("call", "asked", "done", "left_out"),
    [
        ("collect", "bool(gc.collect())", "True", "False"),
        ("disable", "gc.disable() or gc.isenabled()", "False", "True"),
        ("freeze", "gc.freeze() or gc.get_freeze_count() > 0", "True", "False"),
    ],
)
def test_calls_of_the_program_do_nothing_where_they_are_left_out(
    tmp_path: Path, call: str, asked: str, done: str, left_out: str
) -> None:
    text = f"import gc\nring = []\nring.append(ring)\ndel ring\nprint({asked})\n"
    assert measured(tmp_path, Plan(), text)[1] == f"{done}\n"
    assert measured(tmp_path, Plan(without=(call,)), text)[1] == f"{left_out}\n"


def test_what_the_plan_itself_does_is_not_left_out(tmp_path: Path) -> None:
    text = "import gc, gcreplay_capture as c\nc.mark('tick')\nprint(gc.get_freeze_count() > 0)\n"
    plan = Plan(None, (CollectAt("tick"), FreezeAt("tick")), without=("collect", "freeze"))
    run, said = measured(tmp_path, plan, text)
    assert said == "True\n"
    assert [c.called for c in run.collections] == [True]


def test_the_peak_of_memory_is_that_of_the_program_alone(tmp_path: Path) -> None:
    """Of ours nothing counts, though we have 200 MB; of the program all it had at one moment."""
    ours = bytearray(b"x") * 200_000_000
    small, _ = measured(tmp_path, Plan(), "pass")
    text = "a = bytearray(b'x') * 64_000_000\ndel a\n"
    large, _ = measured(tmp_path, Plan(), text)
    assert small.peak_bytes is not None and large.peak_bytes is not None
    assert small.peak_bytes < len(ours) // 4
    assert 63_000_000 < large.peak_bytes - small.peak_bytes < 66_000_000


def test_the_sentinel_is_not_seen_by_the_program(tmp_path: Path) -> None:
    text = "import gc\nfor _ in range(2):\n    gc.collect()\n"
    text += "    print([o for o in gc.get_objects() if 'capture' in type(o).__module__])\n"
    text += "    gc.freeze()\n    gc.unfreeze()\n"
    assert measured(tmp_path, Plan(), text)[1] == "[]\n[]\n"


def test_an_unusable_plan_or_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRecord, match="one line"):
        run_real(RealOptions(["-c", "pass"], Plan(None, (FreezeAt("a\nb"),))))
    with pytest.raises(CannotRecord, match="no such script"):
        run_real(RealOptions(["missing.py"], directory=tmp_path))


def test_a_run_that_ends_without_shutdown_is_told(tmp_path: Path) -> None:
    run = run_real(RealOptions(["-c", "import gc, os; gc.collect(); os._exit(3)"], python=BARE))
    assert (run.exit_code, run.complete, len(run.collections)) == (3, False, 1)
    assert "os._exit" in run.message


STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
held = open("held", "w")
print("runs", file=held, flush=True)
time.sleep(600)
"""
RUNNER = """
import signal
from gcreplay.tracer import RealOptions, run_real
signal.signal(signal.SIGINT, signal.default_int_handler)
run_real(RealOptions(["program.py"]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_program_does_not_outlive_who_measures_it(tmp_path: Path, number: signal.Signals) -> None:
    """The program holds one end of a pipe, and neither of the signals would end it."""
    (tmp_path / "program.py").write_text(STUBBORN)
    os.mkfifo(tmp_path / "held")
    with (
        subprocess.Popen(
            [sys.executable, "-c", RUNNER], cwd=tmp_path, stderr=subprocess.DEVNULL
        ) as runner,
        (tmp_path / "held").open() as held,
    ):
        assert held.readline() == "runs\n"
        runner.send_signal(number)
        assert runner.wait(60) != 0
        assert select.select([held], [], [], 60)[0], "the program runs on"
        assert held.read() == ""


AT_LINE = """
import gc
kept = [[number] for number in range(900)]
{pasted}
def main():
    more = [[number] for number in range(900)]
    print(gc.get_freeze_count(), gc.get_count()[0], gc.get_stats()[0]["collections"])
main()
"""


@pytest.mark.parametrize("file", ["program.py", "{folder}/program.py"])
def test_a_line_freezes_what_the_call_pasted_before_it_does(tmp_path: Path, file: str) -> None:
    """At the `def`, which makes a function: line 5."""
    plan = Plan(None, (FreezeLine(file.format(folder=tmp_path), 5),))
    _, said = measured(tmp_path, plan, AT_LINE.format(pasted="pass"))
    _, pasted = measured(tmp_path, Plan(), AT_LINE.format(pasted="gc.freeze()"))
    assert said == pasted
    assert int(said.split()[0]) > 900


@pytest.mark.parametrize(("file", "line"), [("ogram.py", 5), ("program.py", 50), ("x.py", 5)])
def test_another_line_freezes_nothing(tmp_path: Path, file: str, line: int) -> None:
    _, said = measured(tmp_path, Plan(None, (FreezeLine(file, line),)), AT_LINE.format(pasted=""))
    assert said.split()[0] == "0"


def test_a_line_freezes_once(tmp_path: Path) -> None:
    text = (
        "import gc\nfor i in range(3):\n    def f(): pass\n    print(gc.get_freeze_count() > 0)\n"
    )
    text += "    gc.unfreeze()\n"
    _, said = measured(tmp_path, Plan(None, (FreezeLine("program.py", 3),)), text)
    assert said.split() == ["True", "False", "False"]


def test_code_that_says_it_stands_at_line_0_is_at_no_line(tmp_path: Path) -> None:
    """As generated code does. An action at a mark has no line, and no file."""
    text = """
code = (lambda: [[1]] * 2).__code__.replace(co_firstlineno=0)
for _ in range(3):
    type(lambda: 0)(code, {})()
print("ended")
"""
    plan = Plan(None, (FreezeAt("never"), FreezeLine("program.py", 90)))
    assert measured(tmp_path, plan, text)[1].split() == ["ended"]


def test_marks_of_one_kind_are_counted_together(tmp_path: Path) -> None:
    labels = ["job 1", "job 22", "job", "job 3", "other 4", "job 5 a", "job 5", "job x", "job #"]
    text = "import gcreplay_capture as c\n" + "".join(f"c.mark({label!r})\n" for label in labels)
    run, _ = measured(tmp_path, Plan((0, 10, 10), (CollectAt("job #", 2),)), text)
    assert [mark.collections for mark in run.marks] == [0, 0, 1, 1, 1, 1, 1, 2, 2]
    assert [mark.label for mark in run.marks] == labels
