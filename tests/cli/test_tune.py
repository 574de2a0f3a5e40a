"""`tune`: what it finds on logs whose times are worked out by hand.

A collection takes 1 ms, and 100 ns for each object that it frees; the program takes 50 ms.
"""

import ast
import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import Gcreplay

from gcreplay.advice.paste import lines_of
from gcreplay.replay import replay
from gcreplay.replay.estimates.pauses import PauseError, PauseModel, Pauses
from gcreplay.replay.tuning.choice import Judge, Limits, Tried
from gcreplay.replay.tuning.lines import freezes_at_lines
from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder

MODEL = PauseModel(1e6, 0.0, 0.0, 100.0, 0.0, 0.0, "measured", 60, PauseError(0.03, 0.1, 0.2))
TOLD: dict[str, Any] = {
    "argv": ["path/to/app.py", "--fast"],
    "counts": "probed",
    "own_cpu_ns": 50_000_000,
    "pauses": MODEL.to_json(),
}
MB = 1_000_000
WHERE = {
    "gunicorn": "# gunicorn.conf.py",
    "uvicorn": "# the application's module",
    "pytest": "# conftest.py",
}
KEYS = {"trace", "present", "front", "recommended", "reason", "proved"}


def cycles(trace: TraceBuilder, number: int, size: int = 48) -> None:
    """Objects that each hold themselves and are dropped: only a collector can free them."""
    for _ in range(number):
        one = trace.alloc("Node", module="app", size=size)
        trace.link(one, one, label=".me")
        trace.decref(one)


def kept(trace: TraceBuilder, number: int, size: int = 48) -> None:
    for _ in range(number):
        trace.incref(trace.alloc("Tile", module="app", size=size))


def tuned(gcreplay: Gcreplay, path: Path, *options: str) -> dict[str, Any]:
    told = gcreplay("tune", path, *options, "--format", "json")
    assert told.exit_code == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    assert set(found) == KEYS
    return found


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """1,500 cycles beside 1 MiB: 2 collections at 700, 1 at 1,000, none from 2,000 on."""
    path = tmp_path / "app.gcreplay"
    b = TraceBuilder(**TOLD)
    b.start()
    kept(b, 1, 1 << 20)
    b.mark("ready")
    cycles(b, 1500)
    b.build(path).close()
    return path


def test_the_answer_comes_first_and_the_lines_after_it(gcreplay: Gcreplay, app: Path) -> None:
    told = gcreplay("tune", app)
    assert told.exit_code == 0, told.stderr
    answer = " ".join(told.stdout.split("\n\n")[0].splitlines())
    assert answer.startswith(
        "Call gc.set_threshold(2_000, 10, 10) at the top of app.py. Predicted: GC time from 2.14 "
        "to 0.00 ms (4.10 % to 0.00 % of CPU), longest pause from 1.07 to 0.00 ms, peak memory "
        "from 1.0 MiB to 1.1 MiB."
    )
    said = "Is the recording like production? `gcreplay check RECORDING --against LOG`"
    assert said in " ".join(told.stdout.split())
    lines = [line.strip() for line in told.stdout.splitlines()]
    at = lines.index("import gc")
    assert lines[at : at + 6] == [
        "import gc",
        "",
        "# at the top of app.py; the default is 700, 10, 10",
        "gc.set_threshold(2_000, 10, 10)",
        "",
        "# undo: gc.set_threshold(700, 10, 10)",
    ]
    assert max(map(len, told.stdout.splitlines())) <= 80


def test_json_has_the_documented_keys(gcreplay: Gcreplay, app: Path) -> None:
    found = tuned(gcreplay, app)
    assert found["present"]["policy"] == "cpython-3.11"
    assert found["present"]["pauses"]["total_ns"] == 2_140_000
    assert found["recommended"]["policy"] == "cpython-3.11:2000,10,10"
    assert found["recommended"]["lines"][-1] == "gc.set_threshold(2_000, 10, 10)"
    assert found["recommended"]["gain"]["gc_ns"] == 2_140_000
    assert found["recommended"]["gain"]["longest_ns"] == 1_070_100
    assert found["recommended"]["gain"]["peak_bytes"] < 0
    assert found["proved"] is None


def test_the_front_has_the_present_setting_where_nothing_is_better_in_all(
    gcreplay: Gcreplay, app: Path
) -> None:
    """700 has the least memory, 1,000 takes half the time, 2,000 none."""
    front = [one["policy"] for one in tuned(gcreplay, app)["front"]]
    assert front == ["cpython-3.11:2000,10,10", "cpython-3.11:1000,10,10", "cpython-3.11"]


def test_a_little_memory_for_all_the_time_is_no_row(gcreplay: Gcreplay, tmp_path: Path) -> None:
    """A collection at each of 1,500 marks has the least peak, and takes 1.5 s beside 50 ms; one at
    each hundredth takes 15 ms, for 2.14 now. JSON has all of the front."""
    path = tmp_path / "often.gcreplay"
    b = TraceBuilder(**TOLD)
    b.start()
    for _ in range(1500):
        b.mark("request")
        cycles(b, 1)
    b.build(path).close()
    front = {one["policy"]: one["pauses"]["total_ns"] for one in tuned(gcreplay, path)["front"]}
    assert front["every:request+manual"] == 1500 * 1_000_000 + 1499 * 100
    shown = gcreplay("tune", path).stdout.split("No setting is better in all four:")[1]
    assert "cpython-3.11:1000,10,10" in shown
    assert "every:" not in shown


def test_a_limit_of_memory_is_kept(gcreplay: Gcreplay, tmp_path: Path) -> None:
    """30,000 cycles of 400 bytes: 701 of them, and 10 MiB for the interpreter, are 10.8 MB. With a
    tenth of that more 3,392 can wait, with a fifth 6,083."""
    path = tmp_path / "garbage.gcreplay"
    b = TraceBuilder(**TOLD)
    b.start()
    cycles(b, 30_000, 400)
    b.build(path).close()
    narrow = tuned(gcreplay, path)
    assert narrow["recommended"]["policy"] == "cpython-3.11:3000,10,10"
    wide = tuned(gcreplay, path, "--max-memory", "+20%", "--for", "throughput")
    assert wide["recommended"]["policy"] == "cpython-3.11:5000,10,10"


def test_a_limit_of_the_pause_is_kept(gcreplay: Gcreplay, app: Path) -> None:
    """Collections of 1,000 take 1.1 ms, of 700 a little less; none takes nothing."""
    found = tuned(gcreplay, app, "--max-pause", "1.08ms")
    assert found["recommended"]["policy"] == "cpython-3.11:2000,10,10"


def test_what_99_per_cent_do_not_exceed_is_a_column_and_a_figure(
    gcreplay: Gcreplay, app: Path
) -> None:
    """2 pauses: p99 is the longer one."""
    found = tuned(gcreplay, app)
    assert found["present"]["pauses"]["p99_ns"] == 1_070_100
    assert found["recommended"]["gain"]["p99_ns"] == 1_070_100
    told = [" ".join(line.split()) for line in gcreplay("tune", app).stdout.splitlines()]
    assert "p99 pause, ms 1.07 0.00" in told
    assert "2.14 4.10 1.07 1.07 1.0 MiB cpython-3.11 now" in told


@pytest.mark.parametrize(
    ("limit", "policy"),
    [
        ("--max-p99", "cpython-3.11:1000,10,10"),
        ("--max-pause", "without:collect+cpython-3.11:1000,10,10"),
    ],
)
def test_one_long_pause_of_200_is_no_p99(
    gcreplay: Gcreplay, tmp_path: Path, limit: str, policy: str
) -> None:
    """One call finds 20,000 objects and takes 3 ms whatever the thresholds are; the others take
    1.1 ms at 1,000. 111,000 cycles are 221 pauses at the program's 500, 110 at 1,000 and 55 at
    2,000, of which the longest is p99."""
    path = tmp_path / "long.gcreplay"
    b = TraceBuilder(**{**TOLD, "own_cpu_ns": 1_000_000_000})
    b.start(threshold=(500, 10, 10))
    cycles(b, 111_000, 500)
    b.gc_call("disable")
    cycles(b, 20_000, 16)
    b.gc_call("collect")
    b.build(path).close()
    found = tuned(gcreplay, path, limit, "1.15ms", "--max-memory", "+100%")["recommended"]
    assert found["policy"] == policy


def test_nothing_is_said_where_nothing_is_worth_it(gcreplay: Gcreplay, tmp_path: Path) -> None:
    """2 ms of 1 s are 0.2 %."""
    path = tmp_path / "calm.gcreplay"
    b = TraceBuilder(**{**TOLD, "own_cpu_ns": 1_000_000_000})
    b.start()
    cycles(b, 1500)
    b.build(path).close()
    found = tuned(gcreplay, path)
    assert found["recommended"] is None
    assert found["reason"].startswith(
        "Leave it as it is: the collector takes 2.14 ms, 0.21 % of CPU"
    )
    assert "no setting of the 39 tried" in found["reason"]  # 13 first thresholds, 3 of the others
    told = gcreplay("tune", path)
    assert "import gc" not in told.stdout and "like production" not in told.stdout


def test_collections_in_vain_are_counted(gcreplay: Gcreplay, tmp_path: Path) -> None:
    """8,000 that are kept are eleven collections; the eleventh is due after 11 * 701 births."""
    path = tmp_path / "kept.gcreplay"
    b = TraceBuilder(**TOLD)
    b.start()
    kept(b, 8000)
    b.build(path).close()
    assert "In vain: 11 young collections found 0 objects." in gcreplay("tune", path).stdout


def test_a_collector_that_the_program_switched_off_is_switched_on(
    gcreplay: Gcreplay, tmp_path: Path
) -> None:
    path = tmp_path / "off.gcreplay"
    b = TraceBuilder(**{**TOLD, "own_cpu_ns": 1_000_000_000})
    b.start()
    b.gc_call("disable", site=("app.py", 3, "main"))
    cycles(b, 30_000, 1000)
    b.build(path).close()
    found = tuned(gcreplay, path)["recommended"]
    assert found["policy"].startswith("without:disable+cpython-3.11")
    assert "# leave out gc.disable() at app.py:3" in found["lines"]
    assert found["gain"]["peak_bytes"] > 20_000_000
    assert found["gain"]["gc_ns"] < 0


def test_a_threshold_of_nothing_is_replaced(gcreplay: Gcreplay, tmp_path: Path) -> None:
    path = tmp_path / "zero.gcreplay"
    b = TraceBuilder(**{**TOLD, "own_cpu_ns": 1_000_000_000})
    b.start()
    b.gc_call("set_threshold", 0, 10, 10, site=("app.py", 4, "main"))
    cycles(b, 30_000, 1000)
    b.build(path).close()
    found = tuned(gcreplay, path)["recommended"]
    assert found["gain"]["peak_bytes"] > 20_000_000
    assert "# leave out gc.set_threshold() at app.py:4" in found["lines"]


def test_a_freeze_that_keeps_garbage_is_left_out(gcreplay: Gcreplay, tmp_path: Path) -> None:
    """600 cycles of 100 kB are garbage when they are frozen, so that nothing frees them: 60 MB. Of
    those of 10 kB 196 wait at the end, as 4 * 701 are collected; without the freeze 95."""
    path = tmp_path / "frozen.gcreplay"
    b = TraceBuilder(**{**TOLD, "own_cpu_ns": 1_000_000_000})
    b.start()
    cycles(b, 600, 100_000)
    b.gc_call("freeze", site=("app.py", 5, "main"))
    cycles(b, 3_000, 10_000)
    b.build(path).close()
    assert "gc.freeze() of the program keeps 58.2 MiB of garbage." in gcreplay("tune", path).stdout
    found = tuned(gcreplay, path)["recommended"]
    assert found["policy"].startswith("without:freeze+cpython-3.11")
    assert "# leave out gc.freeze() at app.py:5" in found["lines"]
    assert found["gain"]["peak_bytes"] > 0


def test_nothing_is_told_of_a_program_that_depends_on_its_collector(
    gcreplay: Gcreplay, tmp_path: Path
) -> None:
    """At 700 the ring is gone when the weak reference is asked for it, above 1,000 it is not."""
    path = tmp_path / "weak.gcreplay"
    b = TraceBuilder(**TOLD)
    b.start()
    ring = b.alloc("Node", module="app")
    reference = b.alloc("weakref", module="weakref")
    b.link(ring, ring)
    b.weakref(reference, ring)
    b.decref(ring)
    kept(b, 800)
    b.weakref_used(reference, ring, hit=False)
    kept(b, 9000)
    b.build(path).close()
    found = tuned(gcreplay, path)
    assert found["recommended"] is None
    assert found["reason"].startswith("It cannot be told: under cpython-3.11:")
    assert "this program depends on its collector" in found["reason"]
    assert found["reason"].endswith("try settings with `gcreplay prove`.")


@pytest.mark.parametrize("form", ["python", "gunicorn", "uvicorn", "pytest"])
def test_the_lines_are_python_at_each_place(gcreplay: Gcreplay, app: Path, form: str) -> None:
    lines = tuned(gcreplay, app, "--as", form)["recommended"]["lines"]
    calls = [node for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.Call)]
    assert [ast.unparse(call) for call in calls] == ["gc.set_threshold(2000, 10, 10)"]


@pytest.mark.parametrize(
    ("policy", "default"),
    [
        ("cpython-3.11:2000,10,10", "; default: gc.set_threshold(700, 10, 10)"),
        ("freeze@ready+cpython-3.11", "; default: no freeze"),
        (
            "freeze@ready+cpython-3.11:2000,10,10",
            "; defaults: gc.set_threshold(700, 10, 10), no freeze",
        ),
        ("without:disable", ""),
    ],
)
@pytest.mark.parametrize("form", WHERE)
def test_defaults_are_of_what_is_written(app: Path, form: str, policy: str, default: str) -> None:
    with EventLog.open(app) as log:
        lines, _ = lines_of(policy, log, form)
    assert lines[0] == WHERE[form] + default


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--max-memory", "10"), '--max-memory "10" is no percentage such as +10%: it lacks the %'),
        (("--max-p99", "5s"), '--max-p99 "5s" is no time such as 5ms: it lacks the ms'),
        (("--max-pause", "5"), '--max-pause "5" is no time such as 5ms: it lacks the ms'),
    ],
)
def test_limits_are_checked(
    gcreplay: Gcreplay, app: Path, options: tuple[str, ...], sentence: str
) -> None:
    told = gcreplay("tune", app, *options)
    assert (told.exit_code, told.stdout) == (2, "")
    assert sentence in told.stderr


VAIN = """
class Bullet:
    def __init__(self, number):
        self.position = [number, number]
for _ in range(60):
    bullets = [Bullet(number) for number in range(2000)]
    bullets.clear()
print("printed")
"""
WASTE = """
import gc
gc.disable()
class Node: pass
for _ in range(6000):
    node = Node()
    node.me, node.more = node, bytearray(10_000)
"""


def really_tuned(folder: Path, program: str, *options: str) -> dict[str, Any]:
    (folder / "app.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-m", "gcreplay", "tune", *options, "--format", "json", "app.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert set(found) == KEYS
    return found


def test_what_is_recommended_of_a_program_is_really_run(tmp_path: Path) -> None:
    """4,000 bullets and lists are alive at most: over 10,000 nothing is ever collected, and then
    the real runs make no collection either."""
    found = really_tuned(tmp_path, VAIN, "-o", "kept.gcreplay")
    proved = found["proved"]
    assert proved["policy"] == found["recommended"]["policy"]
    assert proved["borne_out"]
    assert (proved["then"]["gc_ns"], proved["then"]["full_collections"]) == (0, 0)
    assert proved["now"]["gc_ns"] > 0
    assert (tmp_path / "kept.gcreplay").exists()


def test_a_program_that_has_switched_its_collector_off_really_takes_less_memory(
    tmp_path: Path,
) -> None:
    """60 MB of garbage; at 700 cycles 7 MB wait for a collection."""
    found = really_tuned(tmp_path, WASTE)
    assert found["recommended"]["policy"].startswith("without:disable+")
    proved = found["proved"]
    assert proved["now"]["peak_bytes"] - proved["then"]["peak_bytes"] > 30_000_000


def test_options_of_a_program_are_not_ours(gcreplay: Gcreplay, app: Path) -> None:
    told = gcreplay("tune", app, "--exit-code", "3")
    assert (told.exit_code, told.stdout) == (2, "")
    assert "A recording is tuned as it is" in told.stderr


def test_the_articles_claim_comes_out_as_a_figure(gcreplay: Gcreplay, tmp_path: Path) -> None:
    """examples/bullets.py: 1,000 against 10,000. Of 2,000 bullets each has two lists, so 6,000
    objects are made and dropped at a time, and none is ever garbage of the collector."""
    path = tmp_path / "bullets.gcreplay"
    script = Path(__file__).parents[2] / "examples" / "bullets.py"
    subprocess.run(
        [sys.executable, "-m", "gcreplay", "record", "-o", str(path), str(script)],
        check=True,
        capture_output=True,
    )
    settings = ("-p", "cpython-3.11:1000,10,10", "-p", "cpython-3.11:10000,10,10")
    told = json.loads(gcreplay("replay", path, *settings, "--format", "json").stdout)
    runs = {run["policy"]: run for run in told["runs"]}
    often, never = runs["cpython-3.11:1000,10,10"], runs["cpython-3.11:10000,10,10"]
    assert sum(often["collections_by_generation"]) >= 5 * 100
    assert sum(never["collections_by_generation"]) == 0
    assert often["collected"] == 0


def test_a_recording_takes_no_arguments(gcreplay: Gcreplay, app: Path) -> None:
    told = gcreplay("tune", app, "8000")
    assert (told.exit_code, told.stdout) == (2, "")
    assert "app.gcreplay is a recording, which takes no arguments" in " ".join(told.stderr.split())


def test_a_cut_recording_is_said_to_be_cut(gcreplay: Gcreplay, app: Path) -> None:
    assert "cut short" not in gcreplay("tune", app).stdout
    with EventLog.open(app, writable=True) as log:
        log.set_meta(complete=False)
    assert "cut short: all figures are of what is there" in gcreplay("tune", app).stdout


def test_lines_to_freeze_at_follow_imports_and_growth(tmp_path: Path) -> None:
    """The imports end at spec 58 of 60: the next line is 3, as 2 is near one, and of a module 4. Of
    240 objects half are there among the 120 tiles of line 3: the next is 4. Behind nine tenths line
    5 has been met already."""
    b = TraceBuilder(**TOLD)
    b.start(threshold=(9, 1000, 10))
    b.alloc("early", module="app", site=("/src/app.py", 1, "<module>"))
    for _ in range(60):
        b.alloc("Spec", module="importlib", site=("<frozen importlib._bootstrap>", 5, "load"))
    b.alloc("lib", module="lib", site=("/venv/lib/python3.11/site-packages/lib.py", 1, "<module>"))
    b.alloc("near", module="app", site=("/src/app.py", 2, "<module>", 1))
    for _ in range(120):
        b.alloc("Tile", module="app", site=("/src/app.py", 3, "load"))
    b.alloc("function", module="app", site=("/src/app.py", 4, "<module>"))
    for _ in range(60):
        b.alloc("Tile", module="app", site=("/src/app.py", 5, "serve"))
    with b.build(tmp_path / "app.gcreplay") as log:
        made = replay(log, "cpython-3.11").collections
        assert freezes_at_lines(log, made) == ["freeze-at:app.py:3", "freeze-at:app.py:4"]
        lines, undo = lines_of("freeze-at:app.py:4+cpython-3.11:900,10,10", log, "python")
        assert lines == [
            "import gc",
            "",
            "# at the top of app.py; the default is 700, 10, 10",
            "gc.set_threshold(900, 10, 10)",
            "",
            '# once, before line 4 of "app.py"; default: no freeze',
            "gc.freeze()",
        ]
        assert undo == "gc.set_threshold(9, 1_000, 10); gc.unfreeze()"
        lines, _ = lines_of("freeze-at:app.py:5", log, "python")
        assert '# once, before line 5 of "app.py", in "serve", and only the first time;' in lines[2]


def test_a_mark_ends_no_comment(tmp_path: Path) -> None:
    b = TraceBuilder(**TOLD)
    b.start()
    b.mark("x\nimport os")
    with b.build(tmp_path / "app.gcreplay") as log:
        for form in ("python", "gunicorn", "uvicorn", "pytest"):
            lines, _ = lines_of('freeze@"x\nimport os"+every:"x\nimport os"', log, form)
            read = ast.walk(ast.parse("\n".join(lines)))
            assert [ast.unparse(one) for one in read if isinstance(one, ast.Import)] == [
                "import gc"
            ]


def test_a_process_grows_by_what_its_objects_do() -> None:
    """3 MB more of 12 MB are 7.5 % of a process of 40 MB, and 13.3 % of 10 MiB and 12 MB."""
    with TraceBuilder().build() as log:
        run = replay(log, "cpython-3.11")
    small, large = (
        Tried(dataclasses.replace(run, peak_bytes=n), Pauses(())) for n in (12 * MB, 15 * MB)
    )
    limits = Limits(0.1)
    assert Judge("balance", limits, 1, 40 * MB).memory(small, large.peak) == 1.075
    alone = Judge("balance", limits, 1).memory(small, large.peak)
    assert alone == 1 + 3 * MB / ((10 << 20) + 12 * MB)
    assert Judge("balance", limits, 1, 40 * MB).allowed(small, [large]) == [large]
    assert Judge("balance", limits, 1).allowed(small, [large]) == []
