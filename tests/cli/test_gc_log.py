"""`examples/gc_log.py`: what it writes of a real program, and that the program does not notice."""

import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from command_line import Gcreplay

EXAMPLES = Path(__file__).parents[2] / "examples"
GARBAGE = """
    for number in range(%d):
        ring = [[] for _ in range(%d)]
        ring.append(ring)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(EXAMPLES / "gc_log.py", tmp_path)
    return tmp_path


def logged(folder: Path, program: str, begin: str = 'gc_log.start("gc.jsonl")') -> str:
    """Run the program under the module, in that folder; what it printed."""
    text = f"import gc, gc_log, os\n{begin}\n{textwrap.dedent(program)}"
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "gc.jsonl").read_text().splitlines()]


def test_each_collection_is_a_line_with_what_gc_says_of_it(folder: Path) -> None:
    told = """
        gc.disable()
        gc.collect()
        gc.set_threshold(500, 5, 7)
        ring = []
        ring.append(ring)
        del ring
        print(gc.collect(1), gc.collect())
    """
    assert logged(folder, told).split() == ["1", "0"]
    head, *made, _ = lines(folder)
    assert head["gc_log"] == 1
    assert head["python"] == sys.version.split()[0]
    assert head["threshold"] == [700, 10, 10]
    assert [each["generation"] for each in made[-3:]] == [2, 1, 2]
    assert [each["collected"] for each in made[-2:]] == [1, 0]
    assert [each["threshold"] for each in made[-3:]] == [[700, 10, 10], [500, 5, 7], [500, 5, 7]]


def test_counts_are_those_that_started_the_collection(folder: Path) -> None:
    """The first threshold and a few more: what a callback is called with counts too."""
    logged(folder, GARBAGE % (3000, 1))
    young = [each["count"][0] for each in lines(folder)[1:-1]]
    assert len(young) > 5
    assert all(700 < count < 710 for count in young)


def test_cpu_time_grows_and_holds_the_collections(folder: Path) -> None:
    logged(folder, GARBAGE % (3000, 1))
    told = lines(folder)
    cpu = [each["cpu_ns"] for each in told]
    assert cpu == sorted(cpu)
    assert 0 < sum(each.get("duration_ns", 0) for each in told) < cpu[-1] - cpu[0]


def test_the_exit_is_a_line_and_what_is_collected_behind_it_is_none(folder: Path) -> None:
    printed = logged(folder, "kept = [[] for _ in range(5000)]\nprint(len(gc.get_objects()))")
    last = lines(folder)[-1]
    assert "generation" not in last
    assert int(printed) - 100 < last["heap"] < int(printed) + 100


def test_children_write_lines_of_their_own(folder: Path) -> None:
    program = """
        child = os.fork()
        gc.collect(0)
        if child:
            os.waitpid(child, 0)
            print(os.getpid(), child)
        else:
            os._exit(0)
    """
    pids = {int(word) for word in logged(folder, program).split()}
    assert {each["pid"] for each in lines(folder) if each.get("generation") == 0} == pids


def test_a_log_that_cannot_be_written_any_more_stops_nothing(folder: Path) -> None:
    begin = 'os.mkdir("logs"); gc_log.start("logs/gc.jsonl")'
    program = 'os.remove("logs/gc.jsonl"); os.rmdir("logs"); print(gc.collect() >= 0)'
    assert logged(folder, program, begin) == "True\n"


def test_no_descriptor_of_the_program_is_ever_written_to(folder: Path) -> None:
    """It closes all it has, as a daemon does, and opens files of its own in their place."""
    program = """
        os.closerange(3, 100)
        own = [open(f"own{n}", "w") for n in range(5)]
        os.chdir("/")
        gc.collect()
        print(sum(os.fstat(each.fileno()).st_size for each in own))
    """
    assert logged(folder, program) == "0\n"
    assert any(each.get("generation") == 2 for each in lines(folder))


def test_a_moved_log_is_begun_anew(folder: Path) -> None:
    logged(folder, 'gc.collect(); os.rename("gc.jsonl", "old.jsonl"); gc.collect()')
    assert [each.get("generation") for each in lines(folder)] == [2, None]
    assert (folder / "old.jsonl").exists()


def check(
    gcreplay: Gcreplay, folder: Path, recorded: str, production: str
) -> dict[str, dict[str, Any]]:
    """Figures of `check`; the first program is recorded, the second writes the log."""
    text = textwrap.dedent(recorded)
    record = [
        sys.executable,
        "-m",
        "gcreplay",
        "record",
        "--force",
        "-o",
        "app.gcreplay",
        "-c",
        text,
    ]
    subprocess.run(record, cwd=folder, check=True, capture_output=True)
    logged(folder, production)
    return compared(gcreplay, folder)


def compared(gcreplay: Gcreplay, folder: Path) -> dict[str, dict[str, Any]]:
    args = ("check", folder / "app.gcreplay", "--against", folder / "gc.jsonl")
    told = json.loads(gcreplay(*args, "--format", "json").stdout)
    return {each["figure"]: each for each in told["figures"]}


COUNTED = (
    "Python",
    "thresholds",
    "middle, of 1,000",
    "full, of 1,000",
    "by gc.collect(), of 1,000",
)
"""No time is among them, nor in `collected a collection` and `tracked at exit`."""


def test_the_same_program_unrecorded_is_like_its_recording(
    gcreplay: Gcreplay, folder: Path
) -> None:
    found = check(gcreplay, folder, GARBAGE % (1000, 60), GARBAGE % (1000, 60))
    counted = [*COUNTED, "collected a collection", "tracked at exit"]
    assert {name: found[name]["alike"] for name in counted} == dict.fromkeys(counted, True)


def test_a_longer_run_of_it_is_too(gcreplay: Gcreplay, folder: Path) -> None:
    found = check(gcreplay, folder, GARBAGE % (1000, 60), GARBAGE % (4000, 60))
    assert all(found[name]["alike"] for name in (*COUNTED, "collected a collection"))


def test_another_input_is_not(gcreplay: Gcreplay, folder: Path) -> None:
    """Most of what it makes is kept."""
    kept = "kept = []\n" + textwrap.dedent(GARBAGE % (1000, 60)) + "    kept.append(ring)\n"
    found = check(gcreplay, folder, GARBAGE % (1000, 60), kept)
    assert found["collected a collection"]["alike"] is False
    assert found["tracked at exit"]["alike"] is False


def test_other_thresholds_are_not(gcreplay: Gcreplay, folder: Path) -> None:
    other = "gc.set_threshold(1000, 10, 10)\n" + textwrap.dedent(GARBAGE % (1000, 60))
    found = check(gcreplay, folder, GARBAGE % (1000, 60), other)
    assert found["thresholds"]["production"] == "1000,10,10"
    assert found["thresholds"]["alike"] is False


def test_explicit_collections_are_told_from_automatic_ones(
    gcreplay: Gcreplay, folder: Path
) -> None:
    asked = "import gc\n" + textwrap.dedent(GARBAGE % (300, 60)) + "    gc.collect(0)\n"
    found = check(gcreplay, folder, asked, asked)
    figure = found["by gc.collect(), of 1,000"]
    assert figure["alike"] is True
    assert figure["recorded"] > 900
    (folder / "gc.jsonl").unlink()
    logged(folder, GARBAGE % (300, 60))
    found = compared(gcreplay, folder)
    assert found["by gc.collect(), of 1,000"]["alike"] is False
