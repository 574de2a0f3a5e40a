"""A recording that is not what happened any more: `verify` says so, and where."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from command_line import Gcreplay

from gcreplay.main import cli
from gcreplay.store import EventLog, Events, Flag, Op

PROGRAM = """
class Node: pass
for i in range(5000):
    node = Node()
    node.me = node
"""
Damage = Callable[[EventLog, Events, int], None]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded loop whose births nearly all count; about seven collections by threshold."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "loop.py").write_text(PROGRAM)
    path = folder / "loop.gcreplay"
    done = CliRunner().invoke(cli, ["record", "-o", str(path), str(folder / "loop.py")])
    assert done.exit_code == 0, done.output
    return path


def damaged(recording: Path, target: Path, damage: Damage, birth: int = 0) -> Path:
    """A copy of the recording with one thing in it changed."""
    with EventLog.open(recording) as log, EventLog.create(target, meta=log.meta) as copy:
        copy.take_names(log.names)
        events = log.events()
        damage(copy, events, birth)
        copy.append(*events.columns())
        copy.add_observed(log.observed)
    return target


def uncount(copy: EventLog, events: Events, birth: int) -> None:
    """The birth of that object did not move the young counter."""
    (at,) = np.flatnonzero((events.op == Op.ALLOC) & (events.a == birth))
    shape = copy.shapes[events.b[at]]
    assert Flag.COUNTED in shape.flags
    events.b[at] = copy.add_shape(shape.type, shape.size, shape.flags & ~Flag.COUNTED)


def raise_threshold(copy: EventLog, events: Events, birth: int) -> None:
    """701 where the interpreter had 700."""
    (at,) = np.flatnonzero(events.op == Op.START)
    state = json.loads(copy.arguments[events.a[at]])
    assert state["threshold"] == [700, 10, 10]
    events.a[at] = copy.add_argument(json.dumps({**state, "threshold": [701, 10, 10]}))


def difference(gcreplay: Gcreplay, path: Path) -> dict:  # type: ignore[type-arg]
    told = gcreplay("verify", path, "--format", "json")
    assert told.exit_code == 1
    return json.loads(told.stdout)["first_difference"]  # type: ignore[no-any-return]


def triggers(recording: Path) -> list[int]:
    """The objects whose births triggered the recorded collections."""
    with EventLog.open(recording) as log:
        assert all(seen.cause == "threshold" for seen in log.observed)
        return [seen.allocation for seen in log.observed]


def test_the_whole_recording_is_what_happened(gcreplay: Gcreplay, recording: Path) -> None:
    assert len(triggers(recording)) >= 6
    assert gcreplay("verify", recording).exit_code == 0
    untouched = damaged(recording, recording.with_name("copy.gcreplay"), lambda *_: None)
    assert gcreplay("verify", untouched).exit_code == 0


def test_one_flag_of_thousands_of_births_is_found_at_the_next_collection(
    gcreplay: Gcreplay, recording: Path, tmp_path: Path
) -> None:
    """Collection number 3 comes one birth late, as one of the births before it did not count."""
    at = triggers(recording)
    path = damaged(recording, tmp_path / "flag.gcreplay", uncount, birth=(at[2] + at[3]) // 2)
    first = difference(gcreplay, path)
    assert first["index"] == 3
    assert "position" in first["what"]
    assert (first["recorded"]["allocation"], first["replayed"]["allocation"]) == (at[3], at[3] + 1)
    told = gcreplay("verify", path).stdout
    where = f"it ran at object {at[3]:,} (threshold), in the replay at object {at[3] + 1:,} (thre"
    assert told.startswith("unequal: ")
    sentences = " ".join(told.split())  # lines are folded
    assert f"the first is collection 3: {where}" in sentences
    assert "\nlikely cause: nothing in the recording tells why\n" in told
    assert "First difference: collection 3, in position" in told


def test_one_threshold_is_found_at_the_first_collection(
    gcreplay: Gcreplay, recording: Path, tmp_path: Path
) -> None:
    """The counter must exceed 701 now, so the first collection comes one birth late."""
    at = triggers(recording)
    first = difference(gcreplay, damaged(recording, tmp_path / "t0.gcreplay", raise_threshold))
    assert first["index"] == 0
    assert (first["recorded"]["allocation"], first["replayed"]["allocation"]) == (at[0], at[0] + 1)


def hold(copy: EventLog, events: Events, birth: int) -> None:
    """Running code had one reference more to that object, which so lives on for ever."""
    first_decref = np.flatnonzero((events.op == Op.DECREF) & (events.a == birth))[0]
    events.op[first_decref] = Op.INCREF


def test_the_types_that_the_replay_keeps_are_named(
    gcreplay: Gcreplay, recording: Path, tmp_path: Path
) -> None:
    """A node is kept where the interpreter freed it, beside the one that the variable holds."""
    birth = triggers(recording)[1] + 100
    with EventLog.open(recording) as log:
        births = log.events()
        (at,) = np.flatnonzero((births.op == Op.ALLOC) & (births.a >= birth))[:1]
        assert log.types[log.shapes[births.b[at]].type].qualified == "__main__.Node"
    first = difference(gcreplay, damaged(recording, tmp_path / "held.gcreplay", hold, birth))
    assert (first["index"], first["what"]) == (2, ["collected"])
    assert first["recorded"]["collected"] - first["replayed"]["collected"] == 1
    assert {
        "type": "__main__.Node",
        "freed": first["replayed"]["collected"],
        "used_later": 0,
        "never_named": 2,
    } in first["types"]


GIVEN_UP = """
import gc
class Node: pass
kept = [Node() for i in range(50)]
gc.collect()
young = [Node() for i in range(100)]
kept.clear()
for i in range(2000):
    node = Node()
    node.me = node
"""


def test_without_repairs_the_same_figures_stand_beside_those_with(
    gcreplay: Gcreplay, tmp_path: Path
) -> None:
    """Fifty objects die by `clear`, which no probe has seen: kept for ever instead, they leave the
    young counter fifty higher, and the first automatic collection comes fifty births earlier."""
    (tmp_path / "clear.py").write_text(GIVEN_UP)
    recording = tmp_path / "clear.gcreplay"
    assert gcreplay("record", "-o", recording, tmp_path / "clear.py").exit_code == 0
    told = gcreplay("verify", recording, "--without-repairs", "--format", "json")
    assert told.exit_code == 0
    result = json.loads(told.stdout)
    without = result["without_repairs"]
    assert result["repairs"]["stale_link"] >= 50
    assert without["recorded"] == result["recorded"] == result["position_equal"]
    first = without["first_difference"]
    assert (first["index"], without["repairs"]) == (1, {})
    assert first["recorded"]["allocation"] - first["replayed"]["allocation"] == 50
    shown = gcreplay("verify", recording, "--without-repairs").stdout
    assert "with repairs  without" in shown
    assert "Without repairs, first difference: collection 1, in position" in shown
    assert "without_repairs" not in json.loads(
        gcreplay("verify", recording, "--format", "json").stdout
    )


def test_other_candidates_are_shown_and_are_no_difference(
    gcreplay: Gcreplay, recording: Path, tmp_path: Path
) -> None:
    """One collection examined an object more than the log has."""
    path = tmp_path / "candidates.gcreplay"
    with EventLog.open(recording) as log, EventLog.create(path, meta=log.meta) as copy:
        copy.take_names(log.names)
        copy.append(*log.events().columns())
        first, *others = log.observed
        copy.add_observed([replace(first, candidates=first.candidates + 1), *others])
    told = gcreplay("verify", path)
    assert told.exit_code == 0
    verdict, _, *figures = told.stdout.splitlines()
    assert verdict.startswith("equal: ")
    shown = dict(line.rsplit(maxsplit=1) for line in figures[: figures.index("")])
    assert int(shown["candidates equal"]) == int(shown["collected equal"]) - 1 == len(others)
