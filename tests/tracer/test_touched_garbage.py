"""gc callbacks that reach garbage and give it something: what they made is not older than they."""

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


LOOKS = [(0, 0), (50, 700), (100, 0), (7, 100)]


@pytest.mark.parametrize("looks", LOOKS)
@pytest.mark.parametrize(
    "act", ["node.new = []", "node.old.append([node])", "node.new = Node(); node.new.old = node"]
)
@pytest.mark.parametrize("phase", ["start", "stop"])
def test_what_a_callback_gives_garbage_is_born_before_it_is_linked(
    tmp_path: Path, phase: str, act: str, looks: tuple[int, int]
) -> None:
    """A look that finds garbage with such a link dates it to after the callback."""
    code = TOUCHING.replace("{phase}", phase).replace("{act}", act)
    recorded_code(tmp_path, code, granularity=looks[0], full_probe=looks[1])


@pytest.mark.parametrize("looks", LOOKS)
@pytest.mark.parametrize("act", ["vars(node).clear()", "node.me = None; node.old = None"])
@pytest.mark.parametrize("phase", ["start", "stop"])
def test_a_cycle_of_older_garbage_that_a_callback_breaks_dies_in_the_callback(
    tmp_path: Path, phase: str, act: str, looks: tuple[int, int]
) -> None:
    """No link of its own, nor of what died with it, makes it garbage of that collection."""
    code = TOUCHING.replace("{phase}", phase).replace("{act}", act)
    recorded_code(tmp_path, code, granularity=looks[0], full_probe=looks[1])
