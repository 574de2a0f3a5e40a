"""A program that depends on its collector is told so where its figures would be a prediction."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Gcreplay

from gcreplay.store.builder import TraceBuilder

SENTENCE = (
    "generational:3,10,10: this program depends on its collector: once it would have met something "
    "else (at event 9: it asks a weak reference for an object of type app.Node that this policy "
    "has freed), so its figures are no prediction"
)


@pytest.fixture
def weak(tmp_path: Path) -> Path:
    """A ring that a weak reference gives again, three births later."""
    path = tmp_path / "weak.gcreplay"
    b = TraceBuilder()
    b.start()
    ring = b.alloc("Node", module="app")
    reference = b.alloc("weakref", module="weakref")
    b.link(ring, ring)
    b.weakref(reference, ring)
    b.decref(ring)
    for _ in range(3):
        b.alloc("list")
    b.weakref_used(reference, ring, hit=True)
    b.build(path).close()
    return path


def test_replay_says_it_of_the_policy_under_which_it_does(gcreplay: Gcreplay, weak: Path) -> None:
    told = gcreplay("replay", weak, "-p", "cpython-3.11", "-p", "generational:3,10,10")
    assert told.exit_code == 0
    assert " ".join(told.stdout.split()).count(SENTENCE) == 1
    assert told.stdout.count("depends on its collector") == 1


def test_json_has_the_count_and_the_first_example(gcreplay: Gcreplay, weak: Path) -> None:
    told = gcreplay("replay", weak, "-p", "generational:3,10,10", "--format", "json")
    runs = {run["policy"]: run["depends_on_collector"] for run in json.loads(told.stdout)["runs"]}
    assert runs == {
        "generational:3,10,10": {
            "count": 1,
            "first": {"event": 9, "type": "app.Node", "what": "hit"},
        },
        "never": {"count": 0, "first": None},
        "clairvoyant": {"count": 0, "first": None},
    }


def test_diff_says_it_of_its_side(gcreplay: Gcreplay, weak: Path) -> None:
    told = gcreplay("diff", weak, "-p", "cpython-3.11", "-p", "generational:3,10,10")
    assert " ".join(told.stdout.split()).count(SENTENCE) == 1
    assert told.stdout.count("depends on its collector") == 1


CACHE = """
import weakref
class Node: pass
known, kept, made = weakref.WeakValueDictionary(), [], 0
for i in range(3000):
    node = known.get(i % 30)
    if node is None:
        node = known[i % 30] = Node()
        node.me = node
    kept.append([])
"""


def test_prove_says_it_beside_what_was_really_measured(tmp_path: Path) -> None:
    """Recorded under 700, where the nodes are given again and again; under 100 they are gone."""
    (tmp_path / "app.py").write_text(CACHE)
    policy = ("-p", "cpython-3.11:100,10,10")
    done = subprocess.run(
        [sys.executable, "-m", "gcreplay", "prove", "--format", "json", *policy, "app.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    default, closer = json.loads(done.stdout)["proofs"]
    assert default["depends_on_collector"] == {"count": 0, "first": None}
    assert closer["depends_on_collector"]["count"] > 0
    assert closer["depends_on_collector"]["first"]["type"] == "__main__.Node"
    assert "cpython-3.11:100,10,10: this program depends on its collector" in done.stderr
    assert closer["measured"][0]["collected"] > default["measured"][0]["collected"]
