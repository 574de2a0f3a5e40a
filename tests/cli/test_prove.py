"""`prove`: predictions beside real runs, and when it says no."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest
from json_keys import unknown_keys

CYCLES = """
import sys
from gcreplay_capture import mark
class Node: pass
def work(n):
    for i in range(n):
        node = Node()
        node.me = node
mark("begin")
work(1500)
mark("half")
work(1500)
mark("end")
print("printed")
print(sys.stdin.read())
"""


def prove(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    (folder / "app.py").write_text(CYCLES)
    return subprocess.run(
        [sys.executable, "-m", "gcreplay", "prove", *args],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def proofs(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return {proof["policy"]: proof for proof in json.loads(done.stdout)["proofs"]}


def test_predictions_of_a_simple_program_are_exact(tmp_path: Path) -> None:
    """Between the marks 3,000 self-cycles are born and dropped. A collection comes with every
    201st, so 14 or 15 of them, 13 or 14 in the younger generations; freezing changes none of that.
    Collecting at the mark in the middle finds the first 1,500, and what start-up left behind."""
    by_policy = proofs(
        prove(
            tmp_path,
            *("-p", "cpython-3.11:200,10,10", "-p", "manual+every:half"),
            *("-p", "freeze@begin+generational:200,10,10"),
            *("--granularity", "20", "--full-probe", "100", "--window", "begin..end"),
            *("--apply-from", "begin", "--format", "json", "app.py"),
        )
    )
    assert next(iter(by_policy)) == "cpython-3.11"
    for proof in by_policy.values():
        assert proof["repeatable"]
        assert proof["predicted"]["collections"] == proof["measured"][0]["collections"]
        assert abs(proof["error_percent"]["collected"]) < 1
        seen = proof["measured"][0]["peak_tracked"]
        assert abs(proof["predicted"]["peak_tracked"] - seen) <= max(10, seen // 100)
    manual = by_policy["manual+every:half"]["measured"][0]
    assert manual["collections_by_generation"] == [0, 0, 1]
    assert 1500 <= manual["collected"] < 3000
    for policy in ("cpython-3.11:200,10,10", "freeze@begin+generational:200,10,10"):
        assert by_policy[policy]["measured"][0]["collections"] in (14, 15)


def test_a_window_leaves_out_what_is_before_and_behind(tmp_path: Path) -> None:
    done = prove(
        tmp_path, "-p", "manual+every:half", "--window", "half..end", "--format", "json", "app.py"
    )
    proof = proofs(done)["manual+every:half"]
    assert proof["measured"][0]["collections_by_generation"] == [0, 0, 1]
    assert proof["measured"][0]["collected"] >= 1500
    assert proof["predicted"]["collections_by_generation"] == [0, 0, 1]


def test_what_is_done_at_a_mark_stands_behind_it_also_between_adjacent_marks(
    tmp_path: Path,
) -> None:
    code = "from gcreplay_capture import mark\nfor label in '', 'b+..b,2', 'c+': mark(label)"
    policies = ['manual+every:""', 'manual+every:"b+..b,2"', 'manual+every:"c+",1']
    options = [word for policy in policies for word in ("-p", policy)]
    options += ["--window", '"b+..b,2".."c+"', "--apply-from", '""', "--format", "json"]
    by_policy = proofs(prove(tmp_path, *options, "-c", code))
    for policy, collections in zip(policies, (0, 1, 0), strict=True):
        proof = by_policy[policy]
        assert [run["collections"] for run in proof["measured"]] == [collections] * 2
        assert proof["predicted"]["collections"] == collections


def test_the_programs_output_is_not_among_the_figures(tmp_path: Path) -> None:
    (tmp_path / "given").write_text("from the file")
    done = prove(tmp_path, "--input", "given", "--format", "json", "app.py")
    json.loads(done.stdout)
    assert done.stderr.count("printed") == done.stderr.count("from the file") == 1
    assert not list(tmp_path.glob("*.gcreplay*"))


def test_the_recording_is_kept_and_can_be_used_again(tmp_path: Path) -> None:
    assert prove(tmp_path, "-o", "kept.gcreplay", "app.py").returncode == 0
    again = prove(tmp_path, "--trace", "kept.gcreplay", "app.py")
    assert again.returncode == 0
    assert "printed" not in again.stderr
    assert "is a recording of" not in again.stderr
    refused = prove(tmp_path, "-o", "kept.gcreplay", "app.py")
    assert refused.returncode == 2 and "--force" in refused.stderr


def test_an_error_above_the_tolerance_is_exit_code_1(tmp_path: Path) -> None:
    """A recording of another program predicts what this one does not do."""
    (tmp_path / "other.py").write_text(CYCLES.replace("1500", "4500"))
    recorded = [sys.executable, "-m", "gcreplay", "record", "-o", "other.gcreplay", "other.py"]
    subprocess.run(recorded, cwd=tmp_path, check=True, capture_output=True, input=b"")
    done = prove(tmp_path, "--trace", "other.gcreplay", "--tolerance", "10%", "app.py")
    assert done.returncode == 1
    assert "cpython-3.11: collections, collected off by more than 10%" in done.stderr
    without = prove(tmp_path, "--trace", "other.gcreplay", "app.py")
    assert without.returncode == 0
    said = "other.gcreplay is a recording of `other.py`, and what is really run is `app.py`"
    assert said in without.stderr


@pytest.mark.parametrize(
    ("code", "exit_code", "words"),
    [
        ("raise LookupError('its own words')", 1, "LookupError: its own words\n"),
        ("import sys; sys.exit(7)", 7, "Error: "),
    ],
)
def test_a_program_that_ends_in_an_error_is_not_compared(
    tmp_path: Path, code: str, exit_code: int, words: str
) -> None:
    done = prove(tmp_path, "-c", code)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert f"ended with exit code {exit_code} when it was recorded" in done.stderr
    meant = prove(tmp_path, "--exit-code", str(exit_code), "-o", "kept.gcreplay", "-c", code)
    assert (meant.returncode, "measured" in meant.stdout) == (0, True)
    given = prove(tmp_path, "--trace", "kept.gcreplay", "-c", code)
    assert (given.returncode, given.stdout) == (1, "")
    assert f"exit code {exit_code} when it was recorded" in given.stderr


COUNTED = """
import os, sys
runs = len(os.listdir("runs"))
open(f"runs/{runs}", "w").close()
if runs + 1 == int(sys.argv[1]):
    print("early\\n" * 50, "late \x1b[2J", file=sys.stderr)
    exec(sys.argv[2])
"""


@pytest.mark.parametrize(
    ("which", "how", "says"),
    [
        (
            2,
            "raise KeyError",
            "under cpython-3.11 (run 2 of 5) ended with exit code 1, the recorded",
        ),
        (5, "sys.exit(3)", "under manual (run 5 of 5) ended with exit code 3, the recorded"),
        (4, "os._exit(0)", "under manual (run 4 of 5) has no figures to its end"),
    ],
)
def test_a_real_run_that_fails_ends_it_with_its_own_last_words(
    tmp_path: Path, which: int, how: str, says: str
) -> None:
    (tmp_path / "runs").mkdir()
    done = prove(tmp_path, "-p", "manual", "-c", COUNTED, str(which), how)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("early") <= 40
    assert r"late \x1b[2J" in done.stderr
    assert says in done.stderr.splitlines()[-1]
    assert ("KeyError" in done.stderr) == (how == "raise KeyError")


def test_on_a_terminal_no_line_is_the_programs_and_ours(tmp_path: Path) -> None:
    """Blanks to the end of a line, and a return: the next line, or this one if it was empty."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    (tmp_path / "app.py").write_text("import sys; sys.stdout.write('not ended')")
    command = [sys.executable, "-m", "gcreplay", "prove", "app.py"]
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, check=True)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that nobody writes to it any more
        while part := os.read(ours, 1 << 16):
            shown += part
    os.close(ours)
    assert shown.startswith(b"run 1 of 3: recording\r\nnot ended" + b" " * 80 + b"\r")
    assert b"measured" in done.stdout


def test_a_program_that_is_not_repeatable_is_named(tmp_path: Path) -> None:
    """It leaves a file behind and does twice the work when it finds it."""
    once = "import os\nn = 9000 if os.path.exists('seen') else 3000\n"
    once += "if os.path.exists('first'): open('seen', 'w')\nopen('first', 'w')\n"
    once += "class Node: pass\nfor i in range(n):\n    x = Node(); x.me = x\n"
    done = prove(tmp_path, "--format", "json", "-c", once)
    proof = json.loads(done.stdout)["proofs"][0]
    assert not proof["repeatable"]
    first, second = (run["collections"] for run in proof["measured"])
    assert second > first
    assert "not repeatable" in done.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("-p", "never", "app.py"), "cannot be proved"),
        (("-p", "freeze@", "app.py"), "write freeze@MARK"),
        (("-p", "freeze@nowhere", "app.py"), "no mark 'nowhere'"),
        (("-p", "freeze@halv", "app.py"), "no mark 'halv' (did you mean half?); its marks are: "),
        (("-p", 'every:"a\\nb"', "app.py"), r"'a\nb': a mark to act at must be one line"),
        (("-p", "freze@half", "app.py"), "no policy 'freze@half' (did you mean freeze@MARK or "),
        (("--tolerance", "5", "app.py"), "such as 5%"),
        (("--window", "begin", "app.py"), "FIRST..LAST"),
        (("missing.py",), "does not exist"),
        (("--trace", "none.gcreplay", "app.py"), "none.gcreplay"),
        (("--input", "none", "app.py"), "none"),
        (("--trace", "a", "--full-probe", "9", "app.py"), "leave out"),
    ],
)
def test_wrong_usage_is_one_sentence(tmp_path: Path, args: tuple[str, ...], words: str) -> None:
    done = prove(tmp_path, *args)
    assert done.returncode in (1, 2)
    assert words in done.stderr and "Traceback" not in done.stderr


def test_pauses_are_predicted_from_the_runs_under_the_default(tmp_path: Path) -> None:
    """No time is asserted but that there is one: errors and sums belong together."""
    done = prove(
        tmp_path,
        *("-p", "cpython-3.11:200,10,10", "--pauses", "--format", "json", "-o", "kept.gcreplay"),
        *("-c", "for i in range(30000): x = []; x.append(x)"),
    )
    by_policy = proofs(done)
    told = json.loads(done.stdout)
    assert unknown_keys("prove", told | {"pauses": list(told["pauses"].values())}) == set()
    assert told["pause_model"]["source"] == "measured"
    # 30,000 cycles make 42 collections; those that found what was not foreseen are left out.
    assert (
        30
        <= told["pause_model"]["collections"]
        <= sum(by_policy["cpython-3.11"]["predicted"]["collections_by_generation"])
    )
    assert list(told["pauses"]) == ["cpython-3.11", "cpython-3.11:200,10,10"]
    for pauses in told["pauses"].values():
        predicted, measured = pauses["predicted"], pauses["measured"]
        assert measured["total_ns"] > measured["longest_ns"] >= measured["p99_ns"] > 0
        error = 100 * (predicted["total_ns"] - measured["total_ns"]) / measured["total_ns"]
        assert pauses["error_percent"]["total"] == pytest.approx(error)
    info = [sys.executable, "-m", "gcreplay", "info", "kept.gcreplay", "--format", "json"]
    kept = subprocess.run(info, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(kept.stdout)["pause_model"] == told["pause_model"]


def test_without_enough_collections_no_pause_is_predicted(tmp_path: Path) -> None:
    done = prove(tmp_path, "--pauses", "--format", "json", "-c", "pass")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["pause_model"] is None
    assert [each["predicted"] for each in told["pauses"].values()] == [None]
    shown = " ".join(prove(tmp_path, "-c", "pass").stdout.split())
    assert re.search(r"GC time is not predicted: the program made \d collections?", shown)


def test_the_table_begins_with_times_and_says_what_has_no_room(tmp_path: Path) -> None:
    done = prove(
        tmp_path,
        *("-p", "cpython-3.11:200,10,10", "-c", "for i in range(30000): x = []; x.append(x)"),
    )
    assert done.returncode == 0, done.stderr
    said, first, note = done.stdout.split("\n\n")
    assert re.match(r"GC time really measured: cpython-3.11 \d\S* ms \(the default\),", said)
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert set(first.split("cpython-3.11")[0].split()) >= {"policy", "GC", "CPU", "longest", "full"}
    rows = [line.split() for line in first.splitlines()]
    policies = ("cpython-3.11", "cpython-3.11:200,10,10")
    assert [row[0] for row in rows if "predicted" in row] == [*policies]
    assert [len([r for r in rows if what in r]) for what in ("measured", "error")] == [2, 2]
    told = " ".join(note.split())
    assert told.startswith("Predicted times are estimates from ")
    assert "No room here for peak tracked, by generation, uncollectable: --table settings" in told


@contextlib.contextmanager
def waiting(folder: Path, run: int) -> Iterator[tuple[subprocess.Popen[str], TextIO]]:
    """`prove` of a program that waits in that run, from 0, and a pipe whose one end it holds.

    It sleeps briefly: Python handles a signal that comes right before a sleep after it."""
    (folder / "app.py").write_text(
        "import os, time\n"
        f"if os.path.exists('run{run}'):\n"
        "    held = open('held', 'w')\n"
        "    print('waits', file=held, flush=True)\n"
        "    for _ in range(12000): time.sleep(0.05)\n"
        "open('run1', 'w').close()\n"
    )
    (folder / "run0").touch()
    os.mkfifo(folder / "held")
    command = subprocess.Popen(
        [sys.executable, "-m", "gcreplay", "prove", "app.py"],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with command, (folder / "held").open() as held:
        assert held.readline() == "waits\n"
        yield command, held


def test_sigterm_ends_the_real_run_with_the_command(tmp_path: Path) -> None:
    with waiting(tmp_path, run=1) as (command, held):
        command.terminate()
        out, err = command.communicate(timeout=60)
        assert select.select([held], [], [], 60)[0], "the program runs on"
    assert (command.returncode, out, err) == (128 + signal.SIGTERM, "", "Terminated.\n")
    assert not list(tmp_path.glob("gcreplay-*"))


@pytest.mark.parametrize("run", [0, 1])
def test_ctrl_c_ends_the_command_in_whichever_run(tmp_path: Path, run: int) -> None:
    with waiting(tmp_path, run) as (command, _):
        os.killpg(command.pid, signal.SIGINT)
        out, err = command.communicate(timeout=60)
    assert (command.returncode, out) == (128 + signal.SIGINT, "")
    assert err.endswith("Interrupted.\n")
    assert not list(tmp_path.glob("gcreplay-*"))
