"""What the ingest does and holds, counted: no figure here is a time."""

from pathlib import Path

import pytest
from recording import recorded_code

from gcreplay.tracer import ingest
from gcreplay.tracer._ingest import Ingest

N = 500
MAKE = f"""
import gc

class Node: pass

def held_by_itself():
    node = Node()
    node.me = node
    return node

n = {N}
"""
SHAPES = {
    "a chain, asked from its head": """
old = [held_by_itself()]
for _ in range(n):
    old.append(Node())
    old[-2].next = old[-1]
""",
    "a chain, asked from its end": """
old = [held_by_itself()]
for _ in range(n):
    old.append(Node())
    old[-2].next = old[-1]
old.reverse()
""",
    "a ring with many doors": """
old = [Node() for _ in range(n)]
for one, other in zip(old, old[1:] + old[:1]):
    one.next = other
""",
    "many that many hold": """
holders = [held_by_itself() for _ in range(n // 10)]
old = holders + [Node() for _ in range(n)]
for holder in holders:
    holder.held = old[n // 10:]
del holder, holders
""",
    "layers, each held by all of the one before": """
old = layer = [held_by_itself() for _ in range(10)]
for _ in range(n // 10):
    below = [Node() for _ in range(10)]
    for node in layer:
        node.below = below
    old = old + below
    layer = below
del below, layer, node
""",
}
LET_GO = """
gc.collect()  # all of it is old, and was probed
old.clear()   # each has lost a holder, and is garbage
gc.collect()
"""


@pytest.mark.parametrize("shape", SHAPES)
def test_a_probe_meets_each_object_once_in_search_of_what_holds_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    native = ingest_of(MAKE + SHAPES[shape] + LET_GO, tmp_path, monkeypatch)
    assert N <= native.visits <= native.members


FEW_STAY = """
import gc
stay = []
for _ in range(500):
    stay.append([])
    [[] for _ in range(1000)]
gc.collect()
"""


def test_objects_that_stay_among_many_that_die_keep_no_room_for_these(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One in a thousand stays: a tenth of the room that all would take is for the interpreter's."""
    native = ingest_of(FEW_STAY, tmp_path, monkeypatch)
    assert native.objects > 500_000
    assert native.page_bytes < 64 * native.objects / 10


WORK = """
import gc
held = [{held} for _ in range(10)]
gc.collect()
gc.disable()
young = [set() for _ in range(2000)]  # each full probe shows them again
for _ in range(60_000):
    set()  # no free list has it
"""


@pytest.mark.parametrize("held", ["[None] * {}", "[(None,) * {} + (bytearray(),)]"])
def test_probes_of_many_links_of_few_objects_are_paid_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    """Sixteen links cost an object, eight objects a birth: at 80 per cent a probe of a million links
    is paid for by 9,766 births, and more. A tuple is read by the probe of its holder, each time where
    a bytearray in it may have grown."""

    def probes(links: int) -> int:
        code = WORK.format(held=held.format(links))
        none, some = (
            ingest_of(code, tmp_path, monkeypatch, probe_budget=budget).members
            for budget in (0, 80)
        )
        return (some - none) // 2000

    assert 0 < probes(100_000) <= 60_000 // 9_766 < probes(0)


def test_probes_of_many_young_objects_are_paid_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the collector off all stay young: a probe of n of them stands for n / 16 births, so that
    each of 20,000 is probed 16 times in the mean, and the last probe reads all once more."""
    code = "import gc\ngc.disable()\nfor i in range(20_000):\n    a = []\n    a.append(a)\n"
    none, some = (
        ingest_of(code, tmp_path, monkeypatch, granularity=each).members for each in (0, 100)
    )
    assert 20_000 < some - none < 17 * 20_000


def ingest_of(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **closely: int) -> Ingest:
    """The native ingest that has recorded a program."""
    made: list[Ingest] = []

    class Watched(Ingest):
        def __init__(self) -> None:
            made.append(self)

    monkeypatch.setattr(ingest, "Ingest", Watched)
    recorded_code(folder, code, **closely)
    (native,) = made
    return native
