"""Predicted without a reference, and really run without it: collections are the same, the peak of
all objects is within 5 %. All programs stand in bench/cuts.py."""

from pathlib import Path

import pytest
from recording import run_measured, run_recorded

from gcreplay.replay.cuts import Cut, cut_log
from gcreplay.replay.cuts.suggest import suggest
from gcreplay.replay.run import replay
from gcreplay.store import EventLog

PROGRAMS = Path(__file__).parents[1] / "programs"


@pytest.mark.parametrize(
    ("name", "text", "lost"),
    [("tree", "Node.parent", 0), ("taskgroup", "TaskGroup.__aexit__:me", 1)],
)
def test_a_cut_does_what_it_does_in_the_source(tmp_path: Path, name: str, text: str, lost: int):
    """lost: the task of the last group is garbage when asyncio.run asks the weak set of all tasks
    for it."""
    program = str(PROGRAMS / f"{name}.py")
    closely = {"granularity": 50, "full_probe": 700}
    whole = run_recorded(tmp_path, program, **closely)
    less = run_recorded(tmp_path, program, "cut", output="cut.gcreplay", **closely)
    _, real = run_measured(tmp_path, program, "cut")
    with EventLog.open(whole.path) as log, cut_log(log, [Cut.parse(text)]) as cut:
        assert str(suggest(log)[0].cut) == text
        assert cut.lost.objects == lost
        predicted = replay(cut.log, "cpython-3.11")
    with EventLog.open(less.path) as log:
        made = replay(log, "cpython-3.11")
    assert len(predicted.collections) == len(real.collections) > 0
    assert predicted.collected == sum(one.collected for one in real.collections)
    visited = sum(one.candidates for one in predicted.collections)
    assert visited == pytest.approx(sum(one.candidates for one in real.collections), rel=0.05)
    assert predicted.peak_bytes == pytest.approx(made.peak_bytes, rel=0.05)
