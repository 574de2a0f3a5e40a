"""When in the log what old objects gave up becomes garbage."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from recording import recorded_code

from gcreplay.replay.run import garbage_of
from gcreplay.store.events import U32, Op
from gcreplay.store.log import EventLog

OLD_RING = """
import gc
from gcreplay_capture import mark

class Node: pass

def ring(n):
    nodes = [Node() for _ in range(n)]
    for one, other in zip(nodes, nodes[1:] + nodes[:1]):
        one.next = other
    return nodes[0]

class Holder: pass

holder = Holder()
holder.ring = ring(1000)
gc.collect()                          # all of it is old, and was probed
spare = [[] for _ in range(2000)]
mark("lost")
holder.ring = None                    # no young object tells of it
spare += [[] for _ in range(2000)]
mark("late")
gc.collect()                          # the next probe of old objects
"""


def test_a_loss_between_two_probes_of_the_old_is_dated_between_them(tmp_path: Path) -> None:
    """Nothing but these probes tells of it, so it is put half-way between: where it was, here.
    Young probes in between met none of it."""
    done = recorded_code(tmp_path, OLD_RING, granularity=100)
    with EventLog.open(done.path) as log:
        marks = {label: sequence for sequence, label in log.marks()}
        due = garbage_of(log).due["sequence"].astype(np.int64)
    between = (due > marks["lost"]) & (due < marks["late"] - 300)
    assert between.sum() == 1000


WEAK = """
import gc, weakref

class W: pass

kept = []
for n in range(500):
    w = W()
    kept.append([weakref.ref(w, print), w])
gc.collect()
"""


def test_a_weak_reference_refers_to_its_target_since_it_was_born(tmp_path: Path) -> None:
    """No other object is born between it and the event that says so, or between the list that
    takes it over and the release by the code that made it; probes come only at collections."""
    done = recorded_code(tmp_path, WEAK, granularity=0)
    with EventLog.open(done.path) as log:
        events, types = log.events(), log.types
        births = np.flatnonzero(events.op == Op.ALLOC)
        shapes = [types[shape.type].name for shape in log.shapes]
        made = np.flatnonzero((events.op == Op.WEAKREF) & (events.c == 1))
        made = made[[shapes[events.b[births[target]]] == "W" for target in events.b[made]]]
        references = events.a[made]
        assert len(made) == 500
        late = np.searchsorted(births, made) - 1 - references
        assert set(late.tolist()) == {0}
        released = np.flatnonzero((events.op == Op.DECREF) & np.isin(events.a, references))
        late = np.searchsorted(births, released) - 1 - events.a[released]
        assert len(late) == 500
        probes = len(log.observed)  # one may fall between the two births
        assert (late == 1).sum() >= 500 - probes  # the list is born in between


LATE_RING = """
import gc

ring = None
for _ in range(2):
    ring = {1: 2}                     # nothing in it that the collector could follow
    gc.collect(1)
    ring[1] = ring                    # tracked from now on
    gc.set_threshold(0)
ring = None
"""


def test_what_is_tracked_late_is_lost_after_the_last_probe_that_did_not_show_it(
    tmp_path: Path,
) -> None:
    """The first collection found the dictionary in use and untracked; the second took it."""
    done = recorded_code(tmp_path, LATE_RING)
    with EventLog.open(done.path) as log:
        assert [seen.collected for seen in log.observed] == [0, 1]


REGISTRY = """
import gc

class Node: pass

registry = {n: [] for n in range(500)}
gc.collect()                          # it is old
for n in range(500):
    registry[n] = Node()
gc.collect()                          # the next probe of old objects
"""


def born(log: EventLog, name: str) -> U32:
    """The objects of the program that are of the type of that name."""
    events = log.events()
    types = np.array([log.types[shape.type].name for shape in log.shapes])
    births = np.flatnonzero(events.op == Op.ALLOC)
    return events.a[births][types[events.b[births]] == name]


def births_before(log: EventLog, places: NDArray[np.int64], objects: U32) -> NDArray[np.int64]:
    """How many other objects were born between each of these and an event."""
    births = np.flatnonzero(log.events().op == Op.ALLOC)
    return np.searchsorted(births, places) - 1 - objects


def test_what_was_put_into_an_old_object_is_held_by_it_since_its_birth(tmp_path: Path) -> None:
    """Young probes in between found a reference to each, and not that it is the old
    one's."""
    done = recorded_code(tmp_path, REGISTRY, granularity=33)
    with EventLog.open(done.path) as log:
        events, nodes = log.events(), born(log, "Node")
        linked = np.flatnonzero((events.op == Op.LINK) & np.isin(events.b, nodes))
        let_go = np.flatnonzero((events.op == Op.DECREF) & np.isin(events.a, nodes))
        assert len(linked) == len(let_go) == len(nodes) == 500
        assert set(births_before(log, linked, events.b[linked]).tolist()) == {0}
        assert set(births_before(log, let_go, events.a[let_go]).tolist()) == {0}


WATCHED_RINGS = """
import gc, weakref

class W: pass

kept = []
gc.disable()                          # no probe between a birth and the next but every 100
for n in range(500):
    w = W()
    w.me = w
    kept.append(weakref.ref(w, id))
w = None
gc.collect()
"""


def test_what_a_weak_reference_was_made_of_was_in_use_then(tmp_path: Path) -> None:
    """Each holds itself, and nothing else tells how long the code that made it had hold of it."""
    done = recorded_code(tmp_path, WATCHED_RINGS, granularity=100)
    with EventLog.open(done.path) as log:
        events, rings = log.events(), born(log, "W")
        watched = np.flatnonzero((events.op == Op.WEAKREF) & np.isin(events.b, rings))
        let_go = np.flatnonzero((events.op == Op.DECREF) & np.isin(events.a, rings))
        watched_at = dict(zip(events.b[watched].tolist(), watched.tolist(), strict=True))
        early = [at for at in let_go.tolist() if at < watched_at[int(events.a[at])]]
        assert len(let_go) == 500 and early == []
