"""What the collector examined: equal candidates show that every object is tracked as it was."""

from pathlib import Path

from recording import recorded_code

from gcreplay.replay.run import replay
from gcreplay.store.log import EventLog

CLASSES = """
import gc
from gcreplay_capture import mark
mark("begin")
kept = []
for i in range(40):
    class Above: pass                 # its table of subclasses is held by nothing that is shown,
    class Below(Above): pass          # and holds a weak reference to each of them
    kept.append([[] for _ in range(50)])
    del Above, Below
    gc.collect()
kept.clear()
for i in range(4000):
    kept.append([])
"""
FUTURES = """
import asyncio, gc
from gcreplay_capture import mark

class Future(asyncio.Future): pass

loop = asyncio.new_event_loop()
mark("begin")
for i in range(200):
    future = Future(loop=loop)
    future.iterator = future.__await__()   # dead ones are kept by their module for the next
    del future
    if i % 20 == 0:
        gc.collect()
loop.close()
"""


def candidates(path: Path) -> list[tuple[int, int]]:
    """Of each collection since "begin": as replayed, and as recorded."""
    with EventLog.open(path) as log:
        begin = next(sequence for sequence, label in log.marks() if label == "begin")
        made = [c.candidates for c in replay(log, "cpython-3.11").collections if c.sequence > begin]
        seen = [row.candidates for row in log.observed if row.sequence > begin]
    return list(zip(made, seen, strict=True))


def test_what_only_dead_classes_held_dies_with_them(tmp_path: Path) -> None:
    pairs = candidates(recorded_code(tmp_path, CLASSES).path)
    assert len(pairs) >= 40
    assert [made - seen for made, seen in pairs] == [0] * len(pairs)


def test_objects_in_a_list_of_their_module_are_dead(tmp_path: Path) -> None:
    """A replay that takes the lives of a FutureIter for one frees no cycle that it is part of."""
    pairs = candidates(recorded_code(tmp_path, FUTURES).path)
    assert len(pairs) >= 10
    assert [made - seen for made, seen in pairs] == [0] * len(pairs)
