"""gc callbacks that reach garbage, and give it something or take it apart."""

from pathlib import Path

import pytest
from recording import recorded_code

TOUCHING = """
import gc, weakref
class Node: pass
refs = []
def told(phase, info):
    if phase == "{phase}":
        for ref in refs:
            node = ref()
            if node is not None: {act}
        refs.clear()
gc.callbacks.append(told)
for n in range(3000):
    node = Node(); node.me = node; node.old = [node]; refs.append(weakref.ref(node))
"""


BORN = "node.new = []", "node.old.append([node])", "node.new = Node(); node.new.old = node"
"""A probe that finds garbage with such a link dates it to after the callback, and what the link
leads to was born before that."""

BROKEN = "vars(node).clear()", "node.me = None; node.old = None"
"""A cycle of older garbage dies in the callback that breaks it: no link of its own, nor of what
died with it, makes it garbage of that collection."""


@pytest.mark.parametrize("probes", [(0, 0), (50, 700), (100, 0), (7, 100)])
@pytest.mark.parametrize("act", [*BORN, *BROKEN])
@pytest.mark.parametrize("phase", ["start", "stop"])
def test_what_a_callback_does_to_garbage_is_recorded_in_its_order(
    tmp_path: Path, phase: str, act: str, probes: tuple[int, int]
) -> None:
    code = TOUCHING.replace("{phase}", phase).replace("{act}", act)
    recorded_code(tmp_path, code, granularity=probes[0], full_probe=probes[1])
