"""`costs`: where the collector's time goes, on a log whose times are worked out by hand.

START is event 0, then 60 objects of the import system are born, events 1 to 60; the tick at event
61 says 4 ms. 95 % of the 60 are born before event 58, which is 4 ms * 58 / 61 = 3.80 ms after the
start. Every collection takes 1 ms. Behind `request 1` the program takes 3 ms itself and collects
once, behind `request 2` 5 ms and collects twice, behind `done` 1 ms; to exit 9 ms.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Gcreplay

from gcreplay.replay.estimates.pauses import PauseError, PauseModel
from gcreplay.replay.results.phases import intervals
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.events import ObservedCollection

MODEL = PauseModel(1e6, 0.0, 0.0, 0.0, 0.0, 0.0, "recorded", 60, PauseError(0.0, 0.1, 0.2))
TOLD = {"own_cpu_ns": 13_000_000, "exit_cpu_ns": 9_000_000, "pauses": MODEL.to_json()}
CLEAN, OTHER = ("app.py", 7, "clean"), ("app.py", 9, "other")


def write(path: Path, *, imports: int = 60, **told: Any) -> None:
    b = TraceBuilder(counts="probed", **told)
    b.start()
    for _ in range(imports):
        b.alloc("Spec", module="importlib", site=("<frozen importlib._bootstrap>", 5, "load"))
    b.tick(4_000_000)
    b.mark("request 1")
    ring = b.alloc("Node", module="app")
    b.link(ring, ring)
    b.decref(ring)
    b.gc_call("collect", site=CLEAN)
    b.tick(7_000_000)
    b.mark("request 2")
    b.gc_call("collect", 0, site=OTHER)
    b.gc_call("collect", site=CLEAN)
    b.tick(12_000_000)
    b.mark("done")
    b.tick(13_000_000)
    b.build(path).close()


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "app.gcreplay"
    write(path, **TOLD)
    return path


def rows(text: str, first: str) -> list[str]:
    """The lines from the one that begins so to the next blank one, single blanks between words."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    start = next(i for i, line in enumerate(lines) if line.startswith(first))
    return lines[start : lines.index("", start)]


def test_it_says_what_the_collector_takes_where_and_by_whom(gcreplay: Gcreplay, app: Path) -> None:
    told = gcreplay("costs", app)
    assert told.exit_code == 0, told.stderr
    assert " ".join(told.stdout.split("\n\n")[0].splitlines()) == (
        "Under cpython-3.11 the collector takes 3.00 ms, 18.8 % of CPU, 100% of it in request #; "
        "3.00 ms in 3 explicit collections, 1 object found."
    )
    *lines, last = told.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert last == f"Next: gcreplay cycles {app}"


def test_phases_have_quantiles_of_their_time_and_of_the_collectors(
    gcreplay: Gcreplay, app: Path
) -> None:
    """Of two the less is the median and the greater all other quantiles: 4 ms and 7 ms."""
    assert rows(gcreplay("costs", app).stdout, "(imports)") == [
        "(imports) 1 3.80 3.80 3.80 0.00 0.00 0.00 0.00 0.00 0/0/0",
        "(start-up) 1 0.20 0.20 0.20 0.00 0.00 0.00 0.00 0.00 0/0/0",
        "request # 2 4.00 7.00 7.00 3.00 1.00 2.00 2.00 27.3 1/0/2",
        "done 1 1.00 1.00 1.00 0.00 0.00 0.00 0.00 0.00 0/0/0",
        "(exit) 1 9.00 9.00 9.00 1.00",
    ]


def test_callers_have_what_leaving_them_out_would_change(gcreplay: Gcreplay, app: Path) -> None:
    """Without those at line 9 the two full ones remain, without those at line 7 the young one."""
    told = [line.rsplit(" ", 2)[0] for line in rows(gcreplay("costs", app).stdout, "app.py:7")]
    assert told == ["app.py:7 2 2.00 1 1.00 0", "app.py:9 1 1.00 0 2.00 2"]


def test_the_documented_keys(gcreplay: Gcreplay, app: Path) -> None:
    told = json.loads(gcreplay("costs", app, "--format", "json").stdout)
    assert set(told) == {"trace", "policy", "pause_model", "phases", "exit", "callers"}
    assert told["policy"] == "cpython-3.11"
    assert told["phases"][2] == {
        "phase": "request #",
        "times": 2,
        "ns": {"total": 11_000_000, "p50": 4_000_000, "p95": 7_000_000, "p99": 7_000_000},
        "gc_ns": {"total": 3_000_000, "p50": 1_000_000, "p95": 2_000_000, "p99": 2_000_000},
        "collections_by_generation": [1, 0, 2],
        "collected": 1,
    }
    assert told["exit"] == {"cpu_ns": 9_000_000, "alive": 60, "gc_ns": 1_000_000}
    clean = told["callers"][0]
    assert clean["left_out"].pop("peak_bytes") > 0
    assert clean == {
        "file": "app.py",
        "line": 7,
        "function": "clean",
        "from_c": False,
        "calls": 2,
        "gc_ns": 2_000_000,
        "collected": 1,
        "left_out": {"gc_ns": 1_000_000, "collections_by_generation": [1, 0, 0]},
    }


def test_another_policy_has_its_own_times_and_no_callers(gcreplay: Gcreplay, app: Path) -> None:
    """The 61 births collect six times at a threshold of 9, five of these while it imports."""
    options = ("-p", "cpython-3.11:9,10,10", "--format", "json")
    told = json.loads(gcreplay("costs", app, *options).stdout)
    phases = {phase["phase"]: phase for phase in told["phases"]}
    assert told["callers"] == []
    assert phases["(imports)"]["collections_by_generation"] == [5, 0, 0]
    assert phases["(imports)"]["gc_ns"]["total"] == 5_000_000


def test_few_imports_are_a_part_of_start_up(gcreplay: Gcreplay, tmp_path: Path) -> None:
    path = tmp_path / "few.gcreplay"
    write(path, imports=49, **TOLD)
    told = json.loads(gcreplay("costs", path, "--format", "json").stdout)
    assert [phase["phase"] for phase in told["phases"]] == ["(start-up)", "request #", "done"]
    assert told["phases"][0]["ns"]["total"] == 4_000_000


def test_without_ticks_at_marks_no_phase_has_a_length(gcreplay: Gcreplay, tmp_path: Path) -> None:
    """As in older recordings, whose ticks stand at collections alone."""
    path = tmp_path / "old.gcreplay"
    write(path, pauses=MODEL.to_json())
    told = gcreplay("costs", path)
    assert rows(told.stdout, "request # 2") == [
        "request # 2 3.00 1.00 2.00 2.00 1/0/2",
        "done 1 0.00 0.00 0.00 0.00 0/0/0",
        "(exit) 1 1.00",
    ]


def test_with_too_few_collections_for_a_model_the_recorded_times_stand(
    gcreplay: Gcreplay, tmp_path: Path
) -> None:
    path = tmp_path / "few.gcreplay"
    write(path, **{**TOLD, "pauses": None})
    from gcreplay.store import EventLog

    with EventLog.open(path, writable=True) as log:
        at = [sequence for sequence, *_ in log.gc_calls()]
        log.add_observed(
            ObservedCollection(sequence, 61, "call", 2, 60, 0, 0, 0, 0, 250_000) for sequence in at
        )
    told = gcreplay("costs", path)
    assert "the collector takes 0.75 ms" in " ".join(told.stdout.split())
    assert "GC times are those of the recorded collections" in told.stdout
    other = gcreplay("costs", path, "-p", "manual")
    assert (other.exit_code, other.stdout) == (1, "")
    assert other.stderr == (
        f"Error: {path} does not tell what collections under manual would take, as the program "
        "made 3 collections (in 0.75 ms) and a model is fitted to 20 or more: "
        "without -p costs says what those of the recording took\n"
    )


def test_a_program_without_marks_is_one_phase(gcreplay: Gcreplay, tmp_path: Path) -> None:
    path = tmp_path / "plain.gcreplay"
    b = TraceBuilder(counts="probed", **TOLD)
    b.start()
    b.gc_call("collect", 0)
    b.tick(2_000_000)
    b.build(path).close()
    told = json.loads(gcreplay("costs", path, "--format", "json").stdout)
    assert [(phase["phase"], phase["ns"]["total"]) for phase in told["phases"]] == [
        ("(program)", 3_000_000)
    ]


def test_calls_from_c_and_from_nowhere_are_told_so(gcreplay: Gcreplay, tmp_path: Path) -> None:
    path = tmp_path / "c.gcreplay"
    b = TraceBuilder(counts="probed", **TOLD)
    b.start()
    b.gc_call("collect", from_c=True)
    b.gc_call("collect", 0)
    b.build(path).close()
    told = gcreplay("costs", path, "--format", "json").stdout
    shown = gcreplay("costs", path).stdout
    assert [each["from_c"] for each in json.loads(told)["callers"]] == [True, False]
    assert [line.split()[0] for line in rows(shown, "C code")] == ["C", "unknown"]


def test_one_explicit_collection_is_said_as_one(gcreplay: Gcreplay, tmp_path: Path) -> None:
    path = tmp_path / "one.gcreplay"
    b = TraceBuilder(counts="probed", **TOLD)
    b.start()
    b.gc_call("collect")
    b.build(path).close()
    said = " ".join(gcreplay("costs", path).stdout.split())
    assert "; 1.00 ms in 1 explicit collection, 0 objects found." in said


def test_one_policy_at_a_time(gcreplay: Gcreplay, app: Path) -> None:
    told = gcreplay("costs", app, "-p", "manual", "-p", "never")
    assert (told.exit_code, told.stdout) == (2, "")


def test_what_is_imported_late_makes_no_import_of_the_work_before_it(tmp_path: Path) -> None:
    """60 specs are the imports, 95 % of them up to event 58; then 100 events of work, more than all
    before, and 60 late specs."""
    spec = ("<frozen importlib._bootstrap>", 5, "load")
    b = TraceBuilder(counts="probed")
    b.start()
    for site in (*[spec] * 60, *[CLEAN] * 100, *[spec] * 60):
        b.alloc("Node", module="app", site=site)
    with b.build(tmp_path / "late.gcreplay") as log:
        found = [(one.phase, one.begin, one.stop) for one in intervals(log)]
        assert found == [("(imports)", 0, 58), ("(program)", 58, 221)]
