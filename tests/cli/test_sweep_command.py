"""`sweep` on recordings written by hand, figures worked out.

`cycles.gcreplay` keeps node 0 and drops 1,500 nodes of 48 bytes that hold themselves; it was
"recorded" under 700,10,10. Under T0 = 100 the birth of node 100 collects the nodes 0 to 99, and
from there every 101st birth those before it: 14 collections up to node 1,413. The 12th is a middle
one, as 11 young ones were made, and visits node 0 once more.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from command_line import Gcreplay
from service import write_worker

from gcreplay.commands import sweep as module
from gcreplay.replay import RunResult, replay
from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder

SMALL = ("--t0", "100,700,2000", "--t1", "10")


def swept(gcreplay: Gcreplay, *args: object) -> dict[str, Any]:
    told = gcreplay("sweep", *args, "--format", "json")
    assert told.exit_code == 0, told.stderr
    payload = json.loads(told.stdout)
    assert isinstance(payload, dict)
    return payload


def test_a_sweep_counts_what_collectors_would_do(gcreplay: Gcreplay, cycles: Path) -> None:
    payload = swept(gcreplay, cycles, *SMALL)
    assert list(payload) == ["trace", "settings", "front"]
    present, small, large, recorded = payload["settings"]
    assert small == {
        "policy": "cpython-3.11:100,10,10",
        "exact": True,
        "collections_by_generation": [13, 1, 0],
        "collected": 1412,
        "work": {"visited": 100 + 13 * 101 + 1, "links": 99 + 13 * 101},
        "peak_bytes": 48 * 103,  # node 0 and nodes 100 to 201
        "peak_objects": 103,
        "peak_floating_bytes": 48 * 101,
        "pauses": None,
    }
    assert large["policy"] == "cpython-3.11:2000,10,10"
    assert large["collections_by_generation"] == [0, 0, 0]
    assert present["policy"] == "cpython-3.11"
    assert recorded == {**present, "policy": "cpython-3.11:700,10,10"}
    assert present["collected"] == 1400


def test_what_no_other_beats_is_the_front(gcreplay: Gcreplay, cycles: Path) -> None:
    """Less work takes more memory here; of two settings that do the same the first is named."""
    payload = swept(gcreplay, cycles, *SMALL)
    names = [payload["settings"][i]["policy"] for i in payload["front"]]
    assert names == ["cpython-3.11", "cpython-3.11:100,10,10", "cpython-3.11:2000,10,10"]
    settings = payload["settings"]
    worse = swept(gcreplay, cycles, "--t0", "100", "--t1", "10,10000")
    (rare,) = [s for s in worse["settings"] if s["policy"] == "cpython-3.11:100,10000,10"]
    assert rare["work"]["visited"] == settings[1]["work"]["visited"] - 1
    assert settings[1]["policy"] not in [worse["settings"][i]["policy"] for i in worse["front"]]


def test_the_table_begins_with_time_and_marks_the_front(gcreplay: Gcreplay, cycles: Path) -> None:
    told = gcreplay("sweep", cycles, *SMALL)
    heading, *rows = told.stdout.split("\n\n")[1].splitlines()
    assert heading.split("  ")[0] == "setting"
    assert (
        " ".join(heading.split()[1:])
        == "GC ms % CPU longest ms full peak memory peak garbage front"
    )
    assert [row.split()[0] for row in rows] == ["2000,10,10", "present", "700,10,10", "100,10,10"]
    assert [row.endswith("*") for row in rows] == [True, True, False, True]
    assert all(len(line) <= 80 for line in [heading, *rows])
    assert "2 settings swept in one pass, exactly as replays would" in told.stderr


def test_the_answer_comes_first(gcreplay: Gcreplay, tmp_path: Path) -> None:
    """Worker b of service.py: 7 collections in 7.4905 ms beside 50 ms; one node is kept, and all
    5,001 of 48 bytes are there at once where nothing is collected, or 703 of them now."""
    path = tmp_path / "b.gcreplay"
    write_worker(path, kept=1, cycles=5000)
    told = gcreplay("sweep", path, *SMALL, "--t0", "700,2000,7000")
    assert " ".join(told.stdout.split("\n\n")[0].split()).startswith(
        "Best: 7000,10,10. Predicted: GC time from 7.49 to 0.00 ms (13.0 % to 0.00 % of CPU), "
        "longest pause from 1.07 to 0.00 ms, peak memory from 33.0 KiB to 234.4 KiB. "
        "app.py --fast: "
    )
    marks = {line.split()[0]: line.split()[-1] for line in told.stdout.splitlines() if line}
    assert (marks["7000,10,10"], marks["2000,10,10"], marks["present"]) == ("best", "*", "*")


def test_where_nothing_is_gained_the_answer_says_so(gcreplay: Gcreplay, tmp_path: Path) -> None:
    write_worker(tmp_path / "c.gcreplay", kept=100)
    told = gcreplay("sweep", tmp_path / "c.gcreplay", *SMALL)
    said = "No setting suits it better than that of now, with a tenth more memory.\n"
    assert told.stdout.startswith(said)
    assert "best" not in told.stdout


def test_other_policies_are_replayed_beside_it(gcreplay: Gcreplay, cycles: Path) -> None:
    payload = swept(gcreplay, cycles, *SMALL, "-p", "manual", "-p", "generational:700,10,10")
    assert [s["policy"] for s in payload["settings"][-2:]] == ["manual", "generational:700,10,10"]
    assert [s["collected"] for s in payload["settings"][-2:]] == [0, 1400]


def write_touched(path: Path, cycles: int) -> None:
    """As `write_cycles`, but the program uses each node once more when nothing reaches it."""
    trace = TraceBuilder(argv=["touched.py"])
    trace.start()
    for _ in range(cycles):
        cycle = trace.alloc("Node")
        trace.link(cycle, cycle)
        trace.decref(cycle)
        trace.resize(cycle, 8)
    trace.build(path).close()


def test_where_the_pass_is_not_exact_the_front_is_replayed(
    gcreplay: Gcreplay, tmp_path: Path
) -> None:
    path = tmp_path / "touched.gcreplay"
    write_touched(path, 900)
    told = gcreplay("sweep", path, "--t0", "10..1000:20", "--t1", "5,10", "--format", "json")
    payload = json.loads(told.stdout)
    exact = [s for s in payload["settings"] if s["exact"]]
    assert len(payload["settings"]) == 41
    assert len(exact) == 11
    assert all(payload["settings"][i]["exact"] for i in payload["front"])
    assert "40 settings searched in one pass, which is not exact for this recording" in told.stderr
    assert "(touched)" in told.stderr
    with EventLog.open(path) as log:
        stored = {run.policy: run for run in log.runs()}
        for one in exact:
            assert one["collected"] == replay(log, one["policy"]).collected
    assert set(stored) == {one["policy"] for one in exact}


def test_an_interrupted_sweep_goes_on(
    gcreplay: Gcreplay, cycles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def interrupted(log: EventLog, policy: str) -> RunResult:
        asked.append(policy)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return replay(log, policy)

    monkeypatch.setattr(module, "replay", interrupted)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    policies = ("-p", "manual", "-p", "generational:700,10,10")
    assert gcreplay("sweep", cycles, "--t0", "100", *policies).exit_code == 130
    assert asked == ["cpython-3.11", "manual", "generational:700,10,10"]
    told = gcreplay("sweep", cycles, "--t0", "100", *policies)
    assert told.exit_code == 0
    assert asked[3:] == ["generational:700,10,10"]
    assert "1 full replay made, 2 known from before" in told.stderr


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--t0", "many"), '--t0 "many": '),
        (("--t1", "5..1:3"), '--t1 "5..1:3": '),
        (("--t2", "1..5"), '--t2 "1..5": '),
        (("--t0", "100000..2000000:9000", "--t1", "1,2"), "settings; a sweep takes up to 10,000"),
        (("-p", "nosuch"), "there is no policy 'nosuch'"),
    ],
)
def test_numbers_mistyped_are_wrong_usage(
    gcreplay: Gcreplay, cycles: Path, option: tuple[str, ...], said: str
) -> None:
    told = gcreplay("sweep", cycles, *option)
    assert told.exit_code == 2
    assert said in told.stderr


def test_a_range_is_in_equal_ratios(gcreplay: Gcreplay, cycles: Path) -> None:
    payload = swept(gcreplay, cycles, "--t0", "1..10000:5,50", "--t1", "10")
    names = [s["policy"] for s in payload["settings"][1:]]
    assert names == [f"cpython-3.11:{n},10,10" for n in (1, 10, 50, 100, 1000, 10000)]
