"""The names of references are those by which Python itself reaches what an object holds.

`named_graphs.py` makes random graphs and says what it has made; here the same is read off its
recording, from its one root on: a name that stands for another object leads the walk astray.
"""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recording import run_recorded

from gcreplay.store.events import Op
from gcreplay.store.log import EventLog
from gcreplay.store.readings import POSITION, Reason, label_text

PROGRAM = Path(__file__).with_name("named_graphs.py")
KINDS = 56
Told = list[tuple[str, str | None, int, list[tuple[str, int, str, bool]]] | None]
numbers = st.integers(0, 10_000)
graphs = st.tuples(
    st.permutations(range(KINDS)),
    st.lists(st.tuples(numbers, numbers, numbers), min_size=3 * KINDS, max_size=3 * KINDS),
)
"""Of each kind three, in some order, and what each of them holds."""


class Read:
    """What a recording says that objects held when they were read for that reason."""

    def __init__(self, log: EventLog, reason: Reason) -> None:
        events, shapes, types = log.events(), log.shapes, log.types
        born = events.op == Op.ALLOC
        self.types = [types[shapes[shape].type].name.rpartition(".")[2] for shape in events.b[born]]
        self.titles: dict[int, str] = {}
        self.links: dict[int, list[tuple[str, int, bool]]] = {}
        readings, labels = log.readings(), log.labels
        for i, holder in enumerate(readings.object.tolist()):
            if readings.reason[i] != reason:
                continue
            part = slice(*readings.first[i : i + 2].tolist())
            self.titles[holder] = labels[readings.title[i]]
            self.links[holder] = [
                (label_text(labels, name), target, 0 < name < POSITION)
                for target, name in zip(
                    readings.target[part].tolist(), readings.label[part].tolist(), strict=True
                )
            ]

    def by_name(self, holder: int) -> dict[str, list[int]]:
        found = defaultdict(list)
        for name, target, _ in self.links[holder]:
            found[name].append(target)
        return found


def compared(told: Told, read: Read) -> list[str]:
    """Where the two differ, in words. Objects are matched by the names that lead to them."""
    roots = [holder for holder in read.links if read.types[holder] == "Root"]
    assert len(roots) == 1
    objects, faults, queue = {0: roots[0]}, [], [(0, "")]
    for number, way in queue:  # which grows
        if (here := told[number]) is None:
            continue
        kind, title, references, links = here
        holder = objects[number]
        if holder not in read.links:
            faults.append(f"{way} {kind}: was not read")
            continue
        if read.types[holder] != kind:
            faults.append(f"{kind}: is a {read.types[holder]} in the recording")
            continue
        if title is not None and read.titles[holder] != title:
            faults.append(f"{kind}: is called {read.titles[holder]!r}, not {title!r}")
        if len(read.links[holder]) != references:
            faults.append(f"{kind}: holds {len(read.links[holder])} objects, not {references}")
        for name, target, named in read.links[holder]:
            if not named:
                faults.append(f"{kind}: its {read.types[target]} {name} has no name")
        found = read.by_name(holder)
        expected = defaultdict(list)
        for name, target, type_name, certain in links:
            expected[name].append((target, type_name, certain))
        for name, targets in expected.items():
            seen = found.get(name, [])
            if len(seen) < sum(certain for *_, certain in targets):
                others = sorted(found.keys() - expected.keys())
                faults.append(f"{kind}: has no {name} to a {targets[0][1]}, but {others[:9]}")
            elif len(targets) == len(seen) == 1:
                ((target, type_name, _),) = targets
                if read.types[seen[0]] != type_name:
                    faults.append(f"{kind}{name}: is a {read.types[seen[0]]}, not a {type_name}")
                elif target not in objects:
                    objects[target] = seen[0]
                    queue.append((target, f"{kind}{name}"))
                elif objects[target] != seen[0]:
                    faults.append(f"{kind}{name}: is another {type_name}")
            elif len(seen) > len(targets):
                faults.append(f"{kind}: has {name} {len(seen)} times, not {len(targets)}")
    met = set(objects.values())
    if len(met) != len(objects):
        faults.append("two objects of Python are one in the recording")
    return sorted(Counter(faults))


def recording_of(folder: Path, graph: Any, fate: str, *, labels: bool) -> tuple[Told, Path]:
    kinds, held = graph
    spec = [[kinds[i % KINDS], *picks] for i, picks in enumerate(held)]
    done = run_recorded(folder, str(PROGRAM), json.dumps(spec), fate, labels=labels)
    assert done.ran.exit_code == 0, done.ran.err
    return json.loads(done.lines[0]), done.path


once = settings(max_examples=1, suppress_health_check=[HealthCheck.function_scoped_fixture])


@once
@given(graphs)
def test_what_is_kept_has_the_names_that_python_has(tmp_path: Path, graph: Any) -> None:
    told, path = recording_of(tmp_path, graph, "kept", labels=False)
    with EventLog.open(path) as log:
        assert compared(told, Read(log, Reason.END)) == []


@once
@given(graphs)
def test_garbage_has_them_too_and_had_them_at_the_probe_before(tmp_path: Path, graph: Any) -> None:
    told, path = recording_of(tmp_path, graph, "garbage", labels=True)
    with EventLog.open(path) as log:
        garbage, probes = Read(log, Reason.GARBAGE), Read(log, Reason.LOOK)
    assert compared(told, garbage) == []
    for holder, links in garbage.links.items():
        assert sorted(probes.links[holder]) == sorted(links)
