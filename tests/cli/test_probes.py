"""How finely is probed follows from what will be asked, and where it was too little is said."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Gcreplay

from gcreplay.programs.probes import probing
from gcreplay.store import EventLog

PROGRAM = "for i in range(3000): x = []; x.append(x)"


@pytest.mark.parametrize(
    ("options", "probed"),
    [
        ([], (0, 0, 0)),
        (["--for", "verify"], (0, 0, 0)),
        (["--for", "what-if"], (100, 0, 80)),
        (["--for", "cpython-3.11:90,10,10", "--for", "generational:300,10,10"], (30, 0, 80)),
        (["--for", "cpython-3.11:5000,10,10"], (100, 0, 80)),
        (["--for", "manual", "--for", "cpython-3.11"], (100, 0, 80)),
        (["--for", "cpython-3.11:60,10,10+freeze@start"], (20, 0, 80)),
        (["--for", "cpython-3.13:60,10,10"], (20, 0, 80)),
        (["--for", "cpython-3.14.2:90,10,0"], (30, 0, 80)),
        (["--for", "pep848:60,10,0"], (100, 0, 80)),
        (["--for", "at:start=60,10,10+cpython-3.11:90,10,10"], (20, 0, 80)),
        (["--for", "at:start=0,10,10+cpython-3.11"], (100, 0, 80)),
        (["--for", "what-if", "--granularity", "7"], (7, 0, 80)),
        (["--for", "what-if", "--granularity", "0", "--probe-budget", "0"], (0, 0, 0)),
        (["--for", "what-if", "--full-probe", "700"], (100, 700, 0)),
    ],
)
def test_a_purpose_chooses_how_finely_to_probe(
    tmp_path: Path, options: list[str], probed: tuple[int, int, int]
) -> None:
    output = tmp_path / "run.gcreplay"
    command = ["record", "-o", str(output), *options, "-c", "pass"]
    subprocess.run([sys.executable, "-m", "gcreplay", *command], check=True)
    with EventLog.open(output) as log:
        meta = log.meta
    assert (meta["granularity"], meta["full_probe"], meta["probe_budget"]) == probed


def test_the_smallest_threshold_decides() -> None:
    chosen = probing(None, None, None, predicting=True, thresholds=(5000, 1, 700))
    assert chosen == (1, 0, 80)


@pytest.mark.parametrize(
    ("purpose", "said"),
    [
        ("speed", '--for "speed" is neither verify nor what-if, and there is no policy'),
        ("whatif", "nor what-if (did you mean what-if?), and there is no policy 'whatif'; known"),
        ("manul", "and there is no policy 'manul' (did you mean manual?); known are refcount"),
        ("generational:x", 'Error: "x" are no thresholds'),
    ],
)
def test_a_purpose_that_is_none_is_said_before_the_program_starts(
    gcreplay: Gcreplay, purpose: str, said: str
) -> None:
    told = gcreplay("record", "--for", purpose, "-c", "raise SystemExit(9)")
    assert told.exit_code == 2
    assert said in told.stderr


def test_a_threshold_finer_than_the_probes_carries_a_remark(
    gcreplay: Gcreplay, tmp_path: Path
) -> None:
    """The recorded thresholds themselves are exact, whatever the probes. PEP 848's T0 is kB."""
    output = tmp_path / "run.gcreplay"
    command = ["record", "-o", str(output), "--granularity", "100", "-c", PROGRAM]
    subprocess.run([sys.executable, "-m", "gcreplay", *command], check=True)
    fine, wide = "cpython-3.11:299,10,10", "cpython-3.11:300,10,10"
    policies = ["-p", fine, "-p", wide, "-p", "cpython-3.11", "-p", "manual", "-p", "pep848:1,9,0"]
    told = gcreplay("replay", output, *policies, "--format", "json")
    remarks = {run["policy"]: run["remark"] for run in json.loads(told.stdout)["runs"]}
    sentence = (
        f"{fine} collects every 299 allocations, and this recording was probed every 100: the "
        f"figures are less sure than from `gcreplay record --for {fine}`"
    )
    assert remarks.pop(fine) == sentence
    assert set(remarks.values()) == {None}
    assert sentence in gcreplay("replay", output, *policies).stderr.splitlines()


def test_a_threshold_set_at_a_mark_is_one_too(gcreplay: Gcreplay, tmp_path: Path) -> None:
    """Each T0 but the recorded one counts, and the smallest decides."""
    output = tmp_path / "run.gcreplay"
    marked = f"import gcreplay_capture; gcreplay_capture.mark('go')\n{PROGRAM}"
    command = ["record", "-o", str(output), "--granularity", "100", "-c", marked]
    subprocess.run([sys.executable, "-m", "gcreplay", *command], check=True)
    fine = ("at:go=50,10,10+cpython-3.11", "at:go=700,9,9+cpython-3.11:299,10,10")
    wide = ("at:go=300,10,10+cpython-3.11", "at:go=0,10,10+cpython-3.11", "at:go=700,9,9+manual")
    words = [word for policy in (*fine, *wide) for word in ("-p", policy)]
    told = json.loads(gcreplay("replay", output, *words, "--format", "json").stdout)
    remarks = {run["policy"]: run["remark"] or "" for run in told["runs"]}
    assert " collects every 50 allocations" in remarks[fine[0]]
    assert " collects every 299 allocations" in remarks[fine[1]]
    assert [remarks[policy] for policy in wide] == ["", "", ""]


def test_without_probes_of_their_own_collections_are_the_probes(
    gcreplay: Gcreplay, tmp_path: Path
) -> None:
    output = tmp_path / "run.gcreplay"
    command = ["record", "-o", str(output), "-c", PROGRAM]
    subprocess.run([sys.executable, "-m", "gcreplay", *command], check=True)
    policies = [f"generational:{t},10,10" for t in (600, 700, 2000, 2100)]
    words = [word for policy in policies for word in ("-p", policy)]
    told = json.loads(gcreplay("replay", output, *words, "--format", "json").stdout)
    remarks = {run["policy"]: run["remark"] for run in told["runs"]}
    assert [bool(remarks[policy]) for policy in policies] == [True, False, True, False]


def test_a_log_made_by_hand_needs_no_probes(gcreplay: Gcreplay, cycles: Path) -> None:
    told = gcreplay("replay", cycles, "-p", "generational:5,10,10", "--format", "json")
    assert {run["remark"] for run in json.loads(told.stdout)["runs"]} == {None}
