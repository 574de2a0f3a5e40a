"""`sweep`, `tune` and `diff` of several recordings: the service of service.py, figures worked out.

The first of n collections frees 699 objects and the others 701, as one of the first 701 is kept and
one is being born: worker a takes 2 * 1 ms + 1,400 * 100 ns, worker b 7 ms + 4,905 * 100 ns.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest
from command_line import Gcreplay
from service import write_service, write_worker

from gcreplay.several.named import Recording
from gcreplay.several.workers import processes
from gcreplay.store import EventLog

SMALL = ("--t0", "700,2000,7000", "--t1", "10")
A, B = 2_140_000, 7_490_500
FIGURES = ("collections_by_generation", "collected", "peak_bytes", "pauses", "work")


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `workers`, in the current one."""
    monkeypatch.chdir(tmp_path)
    write_service(Path("workers"))
    return Path("workers")


def told(gcreplay: Gcreplay, *args: object, code: int = 0) -> dict[str, Any]:
    done = gcreplay(*args, "--jobs", "1", "--format", "json")
    assert done.exit_code == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def setting(found: dict[str, Any], policy: str) -> dict[str, Any]:
    (one,) = [one for one in found["settings"] if one["policy"] == policy]
    return dict(one)


# sweep


def test_a_folder_is_swept_recording_by_recording_and_summed(
    gcreplay: Gcreplay, service: Path
) -> None:
    found = told(gcreplay, "sweep", service, *SMALL)
    assert list(found) == ["traces", "settings", "front", "recommended", "failed"]
    assert found["traces"] == ["workers/a.gcreplay", "workers/b.gcreplay", "workers/c.gcreplay"]
    now = setting(found, "cpython-3.11")
    assert now["total"]["pauses"] == {
        "total_ns": A + B,
        "longest_ns": 1_070_100,
        "p99_ns": 1_070_100,
    }
    assert now["total"]["collections_by_generation"] == [9, 0, 0]
    assert now["total"]["collected"] == 1400 + 4905
    assert now["worst"]["gc_ns"] == {"trace": "workers/b.gcreplay", "value": B}
    alone = {}
    for name in found["traces"]:
        payload = json.loads(gcreplay("sweep", name, *SMALL, "--format", "json").stdout)
        alone[name] = {one["policy"]: one for one in payload["settings"]}
    for one in found["settings"]:
        for each in one["each"]:
            single = alone[each["trace"]][one["policy"]]
            assert {key: each[key] for key in FIGURES} == {key: single[key] for key in FIGURES}
    assert found["failed"] == []


def test_the_first_lines_say_what_suits_all_and_who_gains_least(
    gcreplay: Gcreplay, service: Path
) -> None:
    """c has nothing to gain."""
    done = gcreplay("sweep", service, *SMALL, "--jobs", "1", "--each")
    said = " ".join(done.stdout.split("\n\n")[0].split())
    assert said.startswith(
        "Best for all: 7000,10,10. Predicted in sum: GC time from 9.63 to 0.00 ms (6.03 % to "
        "0.00 % of CPU), longest pause of all from 1.07 to 0.00 ms, all peaks together from "
    )
    assert "Least gains c: GC time from 0.00 to 0.00 ms, peak memory " in said
    assert said.endswith(
        "3 recordings of app.py --fast: 0.15 s of their own, recorded under 700,10,10"
    )
    each = done.stdout.split("Each now, and then under cpython-3.11:7000,10,10:\n")[1]
    rows = [line.split()[:3] for line in each.split("\n\n")[0].splitlines()]
    assert rows[-3:] == [
        ["a", "2.14", "0.00"],
        ["b", "7.49", "0.00"],
        ["c", "0.00", "0.00"],
    ]
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_what_comes_out_does_not_depend_on_the_order_or_on_who_works(
    gcreplay: Gcreplay, service: Path
) -> None:
    traces = sorted(service.iterdir())
    for command in ("sweep", "tune"):
        once = gcreplay(command, service, "--jobs", "1", "--format", "json").stdout
        assert (
            once == gcreplay(command, *reversed(traces), "--jobs", "3", "--format", "json").stdout
        )


def test_runs_are_stored_in_their_recordings_and_not_made_again(
    gcreplay: Gcreplay, service: Path
) -> None:
    first = gcreplay("sweep", service, *SMALL, "-p", "manual", "--jobs", "1")
    assert "6 full replays made; `gcreplay info` lists them" in first.stderr
    with EventLog.open(service / "b.gcreplay") as log:
        assert [run.policy for run in log.runs()] == ["cpython-3.11", "manual"]
    again = gcreplay("sweep", service, *SMALL, "-p", "manual", "--jobs", "1")
    assert again.stdout == first.stdout
    assert "0 full replays made" in again.stderr


# tune


def test_one_setting_is_recommended_for_all(gcreplay: Gcreplay, service: Path) -> None:
    found = told(gcreplay, "tune", service)
    keys = ["traces", "present", "front", "recommended", "reason", "proved", "failed"]
    assert list(found) == keys
    chosen = found["recommended"]
    assert chosen["policy"] == "cpython-3.11:7000,10,10"
    assert chosen["lines"][-1] == "gc.set_threshold(7_000, 10, 10)"
    assert chosen["gain"]["total"]["gc_ns"] == A + B
    assert chosen["gain"]["worst"] == {
        "trace": "workers/c.gcreplay",
        "gc_ns": 0,
        "longest_ns": 0,
        "peak_bytes": 0,
    }
    assert [each["gc_ns"] for each in chosen["gain"]["each"]] == [A, B, 0]


def test_the_table_of_tune_is_one_in_a_pipe(gcreplay: Gcreplay, service: Path) -> None:
    """A row has all of a setting: what it takes, in which worker most, and what is said of it."""
    for name in "abc":
        (service / f"{name}.gcreplay").replace(service / f"worker-1000{name}.gcreplay")
    done = gcreplay("tune", service, "--jobs", "1")
    assert max(map(len, done.stdout.splitlines())) <= 80
    rows = [line.split() for line in done.stdout.splitlines() if "cpython-3.11" in line]
    best, now = (next(row for row in rows if row[-1] == mark) for mark in ("best", "now"))
    assert best[:3] + best[-2:] == ["0.00", "0.00", "0.00", "cpython-3.11:7000,10,10", "best"]
    assert now[:3] == ["9.63", "6.03", "1.07"]
    assert now[-4:] == ["7.49", "worker-1000b", "cpython-3.11", "now"]


def test_a_line_to_freeze_at_is_no_file_to_run(gcreplay: Gcreplay, service: Path) -> None:
    """Its run is stored and compared by its number, as of any policy without a file."""
    frozen = "freeze-at:app.py:2+cpython-3.11:2000,10,10"
    now = setting(told(gcreplay, "sweep", service, *SMALL, "-p", frozen), frozen)
    assert now["exact"]
    assert "0 full replays made" in gcreplay("sweep", service, *SMALL, "-p", frozen).stderr
    with EventLog.open(service / "b.gcreplay") as log:
        stored = [run.id for run in log.runs() if run.policy in ("cpython-3.11", frozen)]
    done = gcreplay("diff", *(f"{service / 'b.gcreplay'}#{one}" for one in stored))
    assert done.exit_code == 0, done.stderr


def test_a_limit_of_memory_holds_in_each(gcreplay: Gcreplay, service: Path) -> None:
    """30,000 cycles of 400 bytes: with a tenth of the process more 3,392 can wait, as in a tune of
    that one alone; the peaks of all four together would let 5,000 wait."""
    write_worker(service / "d.gcreplay", cycles=30_000, size=400)
    found = told(gcreplay, "tune", service, "--for", "throughput")
    assert found["recommended"]["policy"] == "cpython-3.11:3000,10,10"


def test_only_what_all_have_is_tried(gcreplay: Gcreplay, service: Path) -> None:
    """The others pass a mark; a freeze at it would fail on the one that does not."""
    write_worker(service / "d.gcreplay", cycles=1500, mark=None)
    found = told(gcreplay, "tune", service)
    assert (len(found["traces"]), found["failed"]) == (4, [])


# diff


def test_two_policies_are_compared_over_all(gcreplay: Gcreplay, service: Path) -> None:
    found = told(gcreplay, "diff", service, "-p", "cpython-3.11", "-p", "manual")
    figures = {one["figure"]: one for one in found["total"]["figures"]}
    assert (figures["collected"]["first"], figures["collected"]["second"]) == (6305, 0)
    assert found["total"]["first"]["pauses"]["total_ns"] == A + B
    assert found["worst"]["peak_objects"]["trace"] == "workers/b.gcreplay"
    for each in found["each"]:
        alone = gcreplay(
            *("diff", each["trace"], "-p", "cpython-3.11", "-p", "manual", "--format", "json")
        )
        single = json.loads(alone.stdout)
        assert each["figures"] == single["figures"]
        assert each["first_difference"] == single["first_difference"]
    nodes = found["kept_longer"][0]
    assert (nodes["type"], nodes["site"]) == ("app.Node", "app.py:5")
    assert nodes["objects_first"] == nodes["objects_second"] == 6500


@pytest.mark.parametrize("collector", ["", "+cpython-3.11:2000,10,10"])
def test_a_freeze_before_a_line_is_no_policy_in_a_file(
    gcreplay: Gcreplay, service: Path, collector: str
) -> None:
    """Line 2 of app.py makes what each of them keeps: nothing is there to be frozen before it."""
    asked = ("-p", collector[1:] or "cpython-3.11", "-p", f"freeze-at:app.py:2{collector}")
    found = told(gcreplay, "diff", service, *asked)
    figures = {one["figure"]: one for one in found["total"]["figures"]}
    assert figures["collected"]["second"] == figures["collected"]["first"] > 0
    gcreplay("replay", service / "b.gcreplay", *asked)
    stored = gcreplay("diff", f"{service}/b.gcreplay#1", f"{service}/b.gcreplay#2")
    assert stored.exit_code == 0, stored.stderr


def test_a_limit_is_met_by_any_of_them(gcreplay: Gcreplay, service: Path) -> None:
    """Without a collector a's peak grows by 799 of 703 objects, b's by 4,299."""
    asked = ("diff", service, "-p", "cpython-3.11", "-p", "manual", "--jobs", "1")
    done = gcreplay(*asked, "--fail-if", "peak_objects>+1000")
    assert done.exit_code == 1
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("peak_objects")]
    assert said.endswith("in workers/b.gcreplay")
    assert gcreplay(*asked, "--fail-if", "peak_objects>+5000").exit_code == 0


def test_two_folders_are_compared_by_names(gcreplay: Gcreplay, service: Path) -> None:
    shutil.copytree(service, "after")
    write_worker(Path("after/b2.gcreplay"), kept=1, cycles=1500)
    Path("after/b2.gcreplay").replace("after/b.gcreplay")
    found = told(gcreplay, "diff", service, "after", "-p", "cpython-3.11")
    assert found["others"] == ["after/a.gcreplay", "after/b.gcreplay", "after/c.gcreplay"]
    figures = {one["figure"]: one for one in found["total"]["figures"]}
    assert (figures["collected"]["first"], figures["collected"]["second"]) == (6305, 2800)
    Path("after/c.gcreplay").unlink()
    found = told(gcreplay, "diff", service, "after", "-p", "cpython-3.11", code=1)
    assert found["traces"] == ["workers/a.gcreplay", "workers/b.gcreplay"]
    assert found["failed"] == [
        {
            "trace": "workers/c.gcreplay",
            "error": "workers/c.gcreplay: after has none of that name",
        }
    ]


# What is wrong


def spoil(path: Path) -> None:
    """One byte of its segment is another one; the file opens as before."""
    with sqlite3.connect(path) as connection:
        (data,) = connection.execute("SELECT payload FROM segments").fetchone()
        data = bytes([*data[:-1], data[-1] ^ 1])
        connection.execute("UPDATE segments SET payload = ?", (data,))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_one_that_is_damaged_is_named_and_left_out(
    gcreplay: Gcreplay, service: Path, jobs: str
) -> None:
    whole = gcreplay("sweep", service, *SMALL, "--jobs", jobs, "--format", "json").stdout
    write_worker(service / "d.gcreplay", cycles=2000)
    spoil(service / "d.gcreplay")
    (service / "e.gcreplay").write_text("no recording")
    (service / "f.gcreplay").symlink_to("nowhere")
    (service / "g.gcreplay").mkdir()
    done = gcreplay("sweep", service, *SMALL, "--jobs", jobs, "--format", "json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert [one["trace"] for one in found["failed"]] == [f"workers/{x}.gcreplay" for x in "efgd"]
    assert {**found, "failed": []} == json.loads(whole)
    assert "Left out: workers/e.gcreplay is no SQLite file" in done.stderr
    assert "Left out: workers/d.gcreplay: segment 0, " in done.stderr


def test_where_none_is_left_it_fails_as_one_would(gcreplay: Gcreplay, service: Path) -> None:
    done = gcreplay("sweep", service, *SMALL, "--jobs", "1", "-p", "freeze@x")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "No recording can be used: " in done.stderr
    assert "workers/a.gcreplay: the recording has no mark 'x'" in done.stderr


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (("sweep", "workers/a.gcreplay", "workers/a.gcreplay"), "is named twice"),
        (("sweep", "empty"), "the folder empty has no recording"),
        (("sweep", "workers/a.gcreplay", "--each"), "are for several recordings"),
        (("tune", "workers/a.gcreplay", "--dask", "tcp://x:1"), "are for several recordings"),
        (("sweep", "workers", "--dask", "tcp://x:1", "--jobs", "2"), "give one"),
        (("diff", "workers", "-p", "manual"), "ONE_FOLDER TWO_FOLDER -p POLICY"),
        (("diff", "workers", "workers/a.gcreplay", "-p", "manual"), "ONE_FOLDER TWO_FOLDER"),
        (("sweep", "workers", "-p", "nosuch"), "there is no policy 'nosuch'"),
    ],
)
def test_wrong_usage_is_one_sentence(
    gcreplay: Gcreplay, service: Path, asked: tuple[str, ...], sentence: str
) -> None:
    Path("empty").mkdir()
    done = gcreplay(*asked)
    assert (done.exit_code, done.stdout) == (2, "")
    assert sentence in " ".join(done.stderr.split())


# Processes

MORTAL = """
import os, signal, time
from pathlib import Path
from gcreplay.replay.policies.generational import Generational

HERE = Path(__file__).parent

class Mortal(Generational):
    '''The first replay is killed with the process that makes it.'''
    def begin(self, heap, start):
        super().begin(heap, start)
        if os.environ.get("MORTAL") and not (HERE / "dead").exists():
            (HERE / "dead").touch()
            os.kill(os.getpid(), signal.SIGKILL)

class Endless(Generational):
    def begin(self, heap, start):
        (HERE / f"at-it.{os.getpid()}").touch()
        time.sleep(600)
"""


def test_a_process_that_is_killed_is_replaced(
    gcreplay: Gcreplay, service: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("mine.py").write_text(MORTAL)
    asked = ("sweep", service, *SMALL, "-p", "mine.py:Mortal:900,10,10", "--format", "json")
    here = gcreplay(*asked, "--jobs", "1")
    assert here.exit_code == 0, here.stderr
    monkeypatch.setenv("MORTAL", "1")
    there = gcreplay(*asked, "--jobs", "2")
    assert Path("dead").exists()
    assert there.stdout == here.stdout


def test_a_process_that_cannot_be_started_is_said(
    gcreplay: Gcreplay, service: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(process: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(SpawnProcess, "start", start)
    done = gcreplay("sweep", service, *SMALL, "--jobs", "2")
    assert (done.exit_code, done.stdout, done.stderr) == (
        1,
        "",
        "Error: no worker process can be started: Resource temporarily unavailable: with --jobs 1 "
        "none is needed\n",
    )


class HoldsInterrupts:
    """A task that says whether its process was started with SIGINT held back."""

    recordings = (Recording("none", "none", ""),)

    def do(self) -> bool:
        return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_ctrl_c_finds_no_process_that_imports() -> None:
    """One that is still importing would show where it was; the command itself is interrupted."""
    with processes(2) as workers:
        assert dict(workers.answers([HoldsInterrupts(), HoldsInterrupts()])) == {0: True, 1: True}
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def alive(pid: int) -> bool:
    try:
        return b"Z" not in Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_command(service: Path, ended_by: signal.Signals) -> None:
    """Ctrl-C reaches all of them; the runs that were done by then are stored."""
    Path("mine.py").write_text(MORTAL)
    run = subprocess.Popen(
        [
            *(sys.executable, "-m", "gcreplay", "sweep", service, *SMALL),
            *("-p", "mine.py:Endless", "--jobs", "2"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    while run.poll() is None and len(at_it := list(Path().glob("at-it.*"))) < 2:
        time.sleep(0.05)
    if ended_by == signal.SIGINT:
        os.killpg(run.pid, ended_by)
    else:
        run.kill()
    _, err = run.communicate(timeout=60)
    if ended_by == signal.SIGINT:
        assert (run.returncode, err) == (130, b"Interrupted.\n")
    pids = [int(path.suffix[1:]) for path in at_it]
    while any(map(alive, pids)):
        time.sleep(0.05)
    for name in ("a", "b", "c"):
        with EventLog.open(service / f"{name}.gcreplay") as log:
            assert [run.policy for run in log.runs()] == ["cpython-3.11"]
