"""Types of extensions that do what the interpreter's own do not: keep dead objects in lists of their
own, show a child twice, save their objects in tp_dealloc, have blocks of their own, are heap types that
neither a class statement nor a spec has made."""

import shlex
import subprocess
import sysconfig
from pathlib import Path

import pytest
from recording import Recorded, recorded_code, run_plain, run_recorded
from test_names import Read

from gcreplay.replay.results.verify import verify
from gcreplay.store.events import Flag, Op
from gcreplay.store.log import EventLog
from gcreplay.store.readings import Reason
from gcreplay.store.rules.validate import validate

PROBES = [0, 1, 100]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the extension of odd_types.c, which a program in it can import."""
    compiler = shlex.split(sysconfig.get_config_var("CC"))
    source = Path(__file__).with_name("odd_types.c")
    include = f"-I{sysconfig.get_path('include')}"
    target = tmp_path / f"odd_types{sysconfig.get_config_var('EXT_SUFFIX')}"
    subprocess.run(
        [*compiler, "-shared", "-fPIC", "-O1", include, str(source), "-o", str(target)], check=True
    )
    return tmp_path


def births(done: Recorded, name: str) -> int:
    """How many objects of the type the log knows."""
    with EventLog.open(done.path) as log:
        op, _, shape, _ = log.events().columns()
        ours = [log.types[each.type].qualified == name for each in log.shapes]
        return sum(ours[i] for i in shape[op == Op.ALLOC])


KEPT = """
import gc, odd_types
for i in range(3000):
    thing = odd_types.Kept(); thing.link = [thing, [i]]
gc.collect()                                         # the last probe
print(sum(generation["collected"] for generation in gc.get_stats()))
"""


@pytest.mark.parametrize("granularity", PROBES)
def test_an_object_in_a_list_of_its_type_is_dead_and_its_next_life_another(
    folder: Path, granularity: int
) -> None:
    """Each of the 3,000 lives until a collection finds it; 8 blocks wait after each."""
    done = recorded_code(folder, KEPT, granularity=granularity)
    assert int(done.lines[0]) > 8000
    assert births(done, "odd_types.Kept") == 3000


def test_the_list_of_memory_errors_is_such_a_one(tmp_path: Path) -> None:
    code = KEPT.replace("odd_types.Kept()", "MemoryError()").replace("thing.link", "thing.args")
    done = recorded_code(tmp_path, code.replace(", odd_types", ""))
    assert int(done.lines[0]) > 8000
    assert births(done, "MemoryError") == 3000


OLD = """
import gc, odd_types
class Node: pass
old = []
for i in range(200):
    thing = odd_types.Kept(); thing.link = [thing, [i]]
    old.append(odd_types.Kept())
    if i % 7 == 0: old[i // 2] = odd_types.Kept()    # dies old, and comes back young
    old[-1].link = old[i // 3]
    node = Node(); node.me = node; node.kept = odd_types.Kept(); node.kept.link = node
    if i % 20 == 0: gc.collect(i // 20 % 3)
gc.collect()
"""
TORN = """
import gc, odd_types
class Told:
    def __del__(self): gc.collect(0)                 # while what holds it is torn down
held = []
for i in range(400):
    thing = odd_types.Kept(); thing.link = Told()
    held += [odd_types.Kept(), odd_types.Kept()]
    held[-1].link = Told(); held[-2].link = (held[-2], Told())
    if i % 50 == 20: held.clear()
    if i % 30 == 0: gc.collect(1)
"""
DEEP = """
import gc, odd_types
class Told:
    def __del__(self): gc.collect(0)
gc.set_threshold(50)
for i in range(30):
    top = odd_types.Kept()
    for k in range(300):
        thing = odd_types.Kept(); thing.link = [top] if k % 3 else top; top = thing
    thing.link = [thing, Told()] if i % 3 == 0 else Told()
    del top, thing
"""


@pytest.mark.parametrize("granularity", PROBES)
@pytest.mark.parametrize("code", [OLD, TORN, DEEP], ids=["old", "torn", "deep"])
def test_what_waits_in_a_list_of_its_type_is_told_from_what_is_torn_down(
    folder: Path, code: str, granularity: int
) -> None:
    (folder / "program.py").write_text(code)
    plain = run_plain(folder, "program.py")
    assert recorded_code(folder, code, granularity=granularity).ran == plain


NAMED = """
import gc, odd_types
for i in range(2000):
    thing = odd_types.{type}(); thing.link = [thing]
    if i % 100 == 99: odd_types.saved.clear()
gc.collect()
"""


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("Saved", "objects of odd_types.Saved were alive after a collection that counted them"),
        ("Owned", "odd_types.Owned has a tp_free of its own"),
    ],
)
def test_what_a_log_cannot_tell_of_a_type_is_named_where_the_replay_differs(
    folder: Path, name: str, cause: str
) -> None:
    (folder / "program.py").write_text(NAMED.replace("{type}", name))
    done = run_recorded(folder, "program.py")
    assert (done.ran.exit_code, done.summary.complete) == (0, True)
    with EventLog.open(done.path) as log:
        validate(log)
        first = verify(log).first_difference
    assert first is not None
    assert cause in first.causes[0]


TWICE = """
import gc, odd_types
class Below(odd_types.Twice): pass
for i in range(2000):
    one = Below(); one.me = one                      # its dict seems held: not collected
    two = [Below()]; two.append(two)                 # has no dict: collected
print(sum(generation["collected"] for generation in gc.get_stats()))
print(sum(type(each) is Below and each.__dict__ != {} for each in gc.get_objects()))
"""


@pytest.mark.parametrize("granularity", PROBES)
def test_a_child_shown_more_often_than_it_is_held_counts_as_reachable(
    folder: Path, granularity: int
) -> None:
    """The collector takes two references off the one that there is. What is left is not 0."""
    done = recorded_code(folder, TWICE, granularity=granularity)
    collected, kept = map(int, done.lines)
    assert collected > 3000
    assert kept == 2000


FAILING = """
import gc, odd_types
for i in range(6000):
    cycle = [odd_types.failing()]; cycle.append(cycle)
    if i % 5 == 0: kept = [odd_types.failing() for _ in range(i % 7)]
print(sum(generation["collections"] for generation in gc.get_stats()))
"""


def test_what_is_born_while_an_exception_is_set_begins_no_collection(folder: Path) -> None:
    """The next birth begins it. All of these are such births but for the lists."""
    done = recorded_code(folder, FAILING)
    assert int(done.lines[0]) > 8
    with EventLog.open(done.path) as log:
        op, _, shape, _ = log.events().columns()
        barred = [
            Flag.BARRED in each.flags and log.types[each.type].qualified == "odd_types.Twice"
            for each in log.shapes
        ]
        born = sum(barred[i] for i in shape[op == Op.ALLOC])
    assert born == 6000 + sum(i % 7 for i in range(0, 6000, 5))


MADE = """
import odd_types
held = [odd_types.Made() for _ in range(20)]
for thing in held[10:]: thing.link = held
"""


def test_a_type_made_by_hand_is_asked_what_its_objects_hold(folder: Path) -> None:
    """The first ten hold only their class, as if a class statement without attributes had made it."""
    done = recorded_code(folder, MADE)
    links = Read(done.path).links("Made", Reason.END)
    assert links == [{".__class__ -> type"}] * 10 + [
        {".__class__ -> type", "(child 1) -> list"}
    ] * 10
