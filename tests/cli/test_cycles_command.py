"""`gcreplay cycles`: a screen, JSON, and a check against what is accepted."""

import json
from pathlib import Path

import pytest
from command_line import Gcreplay, write_cycles

from gcreplay.store.builder import TraceBuilder
from gcreplay.store.events import ObservedCollection

SIGNATURE = "app.Node.me -> app.Node in cycles.py:loop"


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three nodes that hold themselves, and no configuration in the folder."""
    monkeypatch.chdir(tmp_path)
    write_cycles(tmp_path / "t.gcreplay", 3)
    return Path("t.gcreplay")


def test_the_screen_names_the_cycle_and_its_place(gcreplay: Gcreplay, trace: Path) -> None:
    done = gcreplay("cycles", trace)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "3 objects of 1 kind of cycles in your code wait for a collection that never",
        "comes.",
        "",
        "1  3 times, 1 object, 48 B each".ljust(64) + "cycles.py:3 loop",
        "     Node.me -> Node",
        "     in a cycle 1 Node; garbage for 4 events each",  # 7, 4 and 1
        "",
        "Next: gcreplay cycles t.gcreplay --suggest",
    ]


def test_json_has_the_keys_that_are_promised(gcreplay: Gcreplay, trace: Path) -> None:
    told = json.loads(gcreplay("cycles", trace, "--format", "json").stdout)
    assert list(told) == ["trace", "policy", "groups", "total"]
    (group,) = told["groups"]
    numbers = ("count", "objects", "bytes", "hanging_objects", "hanging_bytes", "visited")
    assert list(group) == ["shape", "types", "sites", *numbers, "floating_object_events", "example"]
    assert group["shape"] == [{"from": "app.Node", "label": ".me", "to": "app.Node"}]
    assert group["types"] == {"app.Node": 3}
    assert group["sites"] == [{"file": "cycles.py", "line": 3, "function": "loop", "objects": 3}]
    assert group["example"] == {
        "objects": [{"id": 1, "type": "app.Node", "site": "cycles.py:3 loop"}],
        "edges": [{"from": 1, "label": ".me", "to": 1}],
    }
    assert [group[name] for name in numbers] == [3, 3, 144, 0, 0, 0]
    assert {name: told["total"][name] for name in numbers} == {n: group[n] for n in numbers}


def test_only_kinds_that_are_not_in_the_baseline_fail(gcreplay: Gcreplay, trace: Path) -> None:
    Path("none.txt").write_text("# nothing is accepted\n")
    done = gcreplay("cycles", trace, "--baseline", "none.txt")
    assert done.exit_code == 1
    assert SIGNATURE in done.stderr
    assert gcreplay("cycles", trace, "--write-baseline", "known.txt").exit_code == 0
    assert SIGNATURE in Path("known.txt").read_text().splitlines()
    assert gcreplay("cycles", trace, "--baseline", "known.txt").exit_code == 0


def test_the_project_says_what_is_accepted(gcreplay: Gcreplay, trace: Path) -> None:
    project = Path("pyproject.toml")
    project.write_text("[tool.gcreplay]\naccept = []\n")
    assert gcreplay("cycles", trace).exit_code == 1
    project.write_text(f'[tool.gcreplay]\naccept = ["{SIGNATURE}"]\n')
    assert gcreplay("cycles", trace).exit_code == 0
    project.write_text("[tool.gcreplay]\naccpt = []\n")
    assert "has no 'accpt' (did you mean accept?)" in gcreplay("cycles", trace).stderr
    project.write_text("[tool.gcreplay]\naccept = 3\n")
    done = gcreplay("cycles", trace)
    assert done.exit_code == 1
    assert "accept of [tool.gcreplay] must be a list of signatures" in done.stderr


def test_kinds_are_chosen_by_place_type_and_time(gcreplay: Gcreplay, trace: Path) -> None:
    def kinds(*options: str) -> int:
        told = gcreplay("cycles", trace, "--format", "json", *options).stdout
        return len(json.loads(told)["groups"])

    chosen = [("--site", "cycles.py:3"), ("--site", "loop"), ("--type", "Node")]
    assert [kinds(*one) for one in [*chosen, ("--since", "begin")]] == [1, 1, 1, 1]
    left_out = [("--site", "cycles.py:4"), ("--type", "Nod"), ("--since", "end")]
    assert [kinds(*one) for one in left_out] == [0, 0, 0]


def test_the_last_line_is_the_next_command_whatever_is_found(
    gcreplay: Gcreplay, trace: Path
) -> None:
    write_cycles(Path("none.gcreplay"), 0)
    with_libraries = TraceBuilder()
    cycle = with_libraries.alloc("Node", site=("/usr/lib/python3.11/ast.py", 3, "parse"))
    with_libraries.link(cycle, cycle, label=".me")
    with_libraries.decref(cycle)
    with_libraries.build(Path("library.gcreplay")).close()
    for arguments, following in (
        (["library.gcreplay"], "cycles library.gcreplay --suggest"),
        ([trace, "--type", "Nod"], f"cycles {trace}"),
        (["none.gcreplay"], "leaks none.gcreplay"),
    ):
        told = gcreplay("cycles", *arguments).stdout.splitlines()
        assert told[-2:] == ["", f"Next: gcreplay {following}"]


@pytest.mark.parametrize("policy", ["clairvoyant", "nonsense"])
def test_a_policy_without_collections_is_refused(
    gcreplay: Gcreplay, trace: Path, policy: str
) -> None:
    done = gcreplay("cycles", trace, "-p", policy)
    assert done.exit_code == 2
    assert policy in done.stderr


def test_what_ran_in_collections_is_told_with_where_they_began(
    gcreplay: Gcreplay, tmp_path: Path
) -> None:
    """Two finalizers that leave no trace, of two collections: the readings tell them."""
    b = TraceBuilder(argv=["app.py"])
    for line in (7, 9):
        conn = b.alloc("Conn", module="app", finalizer=1)
        b.link(conn, conn, label=".me")
        b.decref(conn)
        made = b.alloc("Order", module="app", site=("app.py", line, "serve"))
        b.read(conn, [(conn, ".me")])
        b.incref(made)
    with b.build(tmp_path / "f.gcreplay") as log:
        log.add_observed(
            [
                ObservedCollection(at, object, "threshold", 0, 1, 1, 0, 0, 0, 1)
                for at, object in ((4, 1), (9, 3))
            ]
        )
    told = " ".join(gcreplay("cycles", tmp_path / "f.gcreplay").stdout.split())
    assert (
        "In recorded collections ran app.Conn.__del__, 2 times; they began at app.py:7 serve and "
        "1 other place."
    ) in told
