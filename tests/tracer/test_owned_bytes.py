"""What an object alone owns is in its bytes: its tables, its buffers, and what only it holds."""

import sys
from pathlib import Path

import pytest
from recording import BARE, recorded_code

from gcreplay.replay.run import replay
from gcreplay.store.events import Op
from gcreplay.store.log import EventLog

PROGRAM = """
import gc
from gcreplay_capture import mark
def probe(name):
    mark(name)
    gc.collect()
class Node:
    __slots__ = ("data", "me", "more")
"""


def owned(
    folder: Path, code: str, name: str, *, python: str = BARE, granularity: int = 0
) -> list[int]:
    """Bytes more than their blocks that objects of a type are told to own, in order, after the
    first mark."""
    done = recorded_code(folder, PROGRAM + code, python=python, granularity=granularity)
    with EventLog.open(done.path) as log:
        op, a, b, c = log.events().columns()
        names = [log_type.qualified for log_type in log.types]
        shapes = [names[shape.type] for shape in log.shapes]
        types = [shapes[shape] for shape in b[op == Op.ALLOC].tolist()]
        first = int((op == Op.MARK).argmax())
        told = [i for i in (op == Op.RESIZE).nonzero()[0].tolist() if i > first]
        return [int(b[i]) | int(c[i]) << 32 for i in told if types[a[i]] == name]


def block(size: int) -> int:
    """What pymalloc hands out for so many bytes, or malloc with its header."""
    return -(-size // 16) * 16 if size <= 512 else -(-(size + 8) // 16) * 16


def test_a_buffer_that_one_node_holds_is_its_own(tmp_path: Path) -> None:
    code = 'probe("a"); node = Node(); node.data = bytearray(48_000); probe("b")'
    # A bytearray takes 56 bytes, and its buffer one byte more than it is long.
    assert owned(tmp_path, code, "__main__.Node") == [64 + block(48_001)]


def test_what_two_objects_hold_is_in_the_bytes_of_neither(tmp_path: Path) -> None:
    code = """
probe("a")
one, two = Node(), Node()
one.data = two.data = bytearray(48_000)
one.more = two.more = "ä" * 1000
three = Node()
three.data = bytes(100)
probe("b")
"""
    assert owned(tmp_path, code, "__main__.Node") == [block(133)]


def test_a_string_is_counted_where_it_has_one_holder_left(tmp_path: Path) -> None:
    code = """
probe("a")
one, two = Node(), Node()
one.data = two.data = "-" * len(gc.__name__) * 500
probe("b")
one.data = None
two.me = two
probe("c")
"""
    # 48 bytes, a thousand characters and the byte behind them.
    assert owned(tmp_path, code, "__main__.Node") == [block(48 + 1000 + 1)]


def test_an_object_that_gives_its_buffer_away_owns_it_no_more(tmp_path: Path) -> None:
    code = """
probe("a")
node = Node()
node.data = bytes(5000)
probe("b")
node.data = None
probe("c")
"""
    # A bytes object has 33 bytes beside its own.
    assert owned(tmp_path, code, "__main__.Node") == [block(5033), 0]


def test_a_buffer_that_grows_where_it_stands_is_read_again(tmp_path: Path) -> None:
    code = """
probe("a")
node = Node()
node.data = bytearray(1000)
probe("b")
probe("c")
node.data *= 50
probe("d")
"""
    told = owned(tmp_path, code, "__main__.Node")
    assert told[0] == 64 + block(1001)
    assert len(told) == 2 and 64 + block(50_001) <= told[1] < 64 + 60_000


def test_a_list_owns_its_items_and_the_numbers_that_only_it_holds(tmp_path: Path) -> None:
    code = """
probe("a")
kept = [None] * 1000
probe("b")
kept[:8] = map(int, "1000 2000 3000 4000 5000 6000 7000 8000".split())
probe("c")
"""
    assert owned(tmp_path, code, "list")[-2:] == [block(8000), block(8000) + 8 * 32]


def test_a_list_that_grows_owns_more(tmp_path: Path) -> None:
    code = """
probe("a")
kept = [[]] * 100
probe("b")
kept *= 7
probe("c")
"""
    assert owned(tmp_path, code, "list")[-2:] == [block(800), block(5600)]


def test_tables_of_dictionaries_and_sets_are_their_own(tmp_path: Path) -> None:
    code = """
probe("a")
known = dict.fromkeys(range(8), [])
members = set(range(8))
probe("b")
"""
    # Of 16 places 10 can be used; each has an index of a byte, and hash, key and value.
    assert owned(tmp_path, code, "dict")[-1:] == [32 + 16 + 10 * 24]
    # Eight in the table of eight that stands in the set are too many: 32 are next.
    assert owned(tmp_path, code, "set") == [32 * 16]


def test_what_a_tuple_alone_holds_is_its_only_holder_s(tmp_path: Path) -> None:
    code = """
probe("a")
one, two, three = Node(), Node(), Node()
one.data = (bytes(1000), (bytes(2000), []))
two.data = three.data = (bytes(3000), [])
probe("b")
"""
    assert owned(tmp_path, code, "__main__.Node") == [block(1033) + block(2033)]
    assert owned(tmp_path, code, "tuple") == []


def test_a_dictionary_that_no_collector_sees_owns_what_it_holds(tmp_path: Path) -> None:
    code = """
probe("a")
node = Node()
node.data = {"one": bytes(1000)}
probe("b")
node.data["two"] = bytes(2000)
probe("c")
"""
    table = block(32 + 8 + 5 * 16)
    both = table + block(1033) + block(2033)
    assert owned(tmp_path, code, "dict")[-2:] == [table + block(1033), both]


def test_attributes_are_their_object_s_own(tmp_path: Path) -> None:
    code = """
class Plain:
    def __init__(self, text):
        self.one = self.two = self
        self.text = text
for _ in range(40): Plain("")
probe("a")
kept = Plain(str(10**50))
probe("b")
"""
    # Room for one attribute more than there are: four values, and eight bytes in front.
    assert owned(tmp_path, code, "__main__.Plain") == [block(8 + 4 * 8) + block(48 + 51 + 1)]


def test_the_peak_of_a_replay_has_what_garbage_owns(tmp_path: Path) -> None:
    code = """
def ring():
    node = Node()
    node.data, node.me = bytearray(48_000), node
for _ in range(3000): ring()
gc.collect()
"""
    done = recorded_code(tmp_path, PROGRAM + code, python=BARE)
    with EventLog.open(done.path) as log:
        default, without = (replay(log, policy) for policy in ("cpython-3.11", "manual"))
    garbage = 3000 * (64 + block(48_001))
    assert garbage < without.peak_bytes < garbage + 4_000_000
    assert default.peak_bytes < garbage * 701 // 3000 + 4_000_000


def by_malloc(size: int) -> int:
    """What malloc hands out for so many bytes; numpy asks it for data and for dimensions."""
    return max(32, -(-(size + 8) // 16) * 16)


ARRAYS = """
import numpy
class Derived(numpy.ndarray): pass
probe("a")
node = Node()
"""


@pytest.mark.parametrize(
    ("held", "bytes_of_it"),
    [
        ("numpy.ones(5000)", 96 + by_malloc(16) + by_malloc(40_000)),
        ("numpy.ones((50, 20), 'f4')", 96 + by_malloc(32) + by_malloc(4000)),
        ("numpy.ones((50, 20), order='F')", 96 + by_malloc(32) + by_malloc(8000)),
        ("numpy.zeros(0)", 96 + by_malloc(16) + by_malloc(8)),
        ("numpy.array(1.5)", 96 + by_malloc(8)),
        # So large that malloc maps pages for it.
        ("numpy.ones(4_000_000, 'u1')", 96 + by_malloc(16) + by_malloc(4_000_000)),
        # A view owns no data; what it shows is its alone.
        ("numpy.ones(5000)[::-2]", 2 * (96 + by_malloc(16)) + by_malloc(40_000)),
        ("numpy.frombuffer(bytes(7000), 'u1')", 96 + by_malloc(16) + block(7033)),
    ],
)
def test_an_array_of_numpy_owns_its_data(tmp_path: Path, held: str, bytes_of_it: int) -> None:
    code = f'{ARRAYS}node.data = {held}; probe("b")'
    told = owned(tmp_path, code, "__main__.Node", python=sys.executable)
    assert told == [bytes_of_it]


def test_an_array_counts_where_one_object_holds_it_and_its_view(tmp_path: Path) -> None:
    code = f'{ARRAYS}node.data = numpy.ones(5000); node.more = node.data[:10]; probe("b")'
    array, view = 96 + by_malloc(16) + by_malloc(40_000), 96 + by_malloc(16)
    assert owned(tmp_path, code, "__main__.Node", python=sys.executable) == [array + view]


def test_an_array_that_another_object_shows_counts_for_neither(tmp_path: Path) -> None:
    code = f"""{ARRAYS}
node.data = numpy.ones(5000)
other = Node()
other.data = node.data[:10]
probe("b")
"""
    told = owned(tmp_path, code, "__main__.Node", python=sys.executable)
    assert told == [96 + by_malloc(16)]


def test_an_array_of_a_derived_class_owns_its_data(tmp_path: Path) -> None:
    code = f'{ARRAYS}node.data = numpy.ones(5000).copy().view(Derived); probe("b")'
    told = owned(tmp_path, code, "__main__.Derived", python=sys.executable)
    assert told == [by_malloc(16) + 96 + by_malloc(16) + by_malloc(40_000)]


@pytest.mark.parametrize("base", ["array.array", "Mine"])
def test_an_array_of_the_standard_library_owns_its_items(tmp_path: Path, base: str) -> None:
    code = f"""
import array
class Mine(array.array): pass
probe("a")
kept = {base}("d", bytes(8000))
print(kept.__sizeof__() - {base}.__basicsize__)
probe("b")
kept.extend(range(9000))
print(kept.__sizeof__() - {base}.__basicsize__)
probe("c")
"""
    name = base if "." in base else f"__main__.{base}"
    lines = recorded_code(tmp_path, PROGRAM + code, python=BARE).lines
    assert owned(tmp_path, code, name) == [block(int(said)) for said in lines]


def test_a_deque_owns_its_blocks(tmp_path: Path) -> None:
    code = """
from collections import deque
probe("a")
kept = deque([[]] * 1000)
blocks = (kept.__sizeof__() - deque.__basicsize__) // 528
print(blocks)
probe("b")
kept.clear()
probe("c")
"""
    lines = recorded_code(tmp_path, PROGRAM + code, python=BARE).lines
    # The one that is left when it is empty, and the 16 that it keeps for later.
    assert owned(tmp_path, code, "collections.deque")[-2:] == [
        int(lines[0]) * block(528),
        17 * block(528),
    ]


def test_a_file_in_memory_owns_what_was_written_to_it(tmp_path: Path) -> None:
    code = """
import io
probe("a")
kept = io.BytesIO()
kept.write(bytes(70_000))
print(kept.__sizeof__() - io.BytesIO.__basicsize__)
probe("b")
shared = bytes(50_000)
other = io.BytesIO(shared)
probe("c")
"""
    lines = recorded_code(tmp_path, PROGRAM + code, python=BARE).lines
    assert owned(tmp_path, code, "_io.BytesIO") == [block(int(lines[0]))]


def test_what_a_memoryview_shows_counts_where_nothing_else_holds_it(tmp_path: Path) -> None:
    code = 'probe("a"); kept = memoryview(bytearray(9000)); probe("b")'
    assert owned(tmp_path, code, "managedbuffer") == [64 + block(9001)]


def test_a_class_that_only_has_the_name_of_a_buffer_is_none(tmp_path: Path) -> None:
    code = """
Deque = type("collections.deque", (), {"__slots__": ("__weakref__",)})
Array = type("numpy.ndarray", (), {"__slots__": ("__weakref__",)})
probe("a")
kept = [Deque(), Array()]
probe("b")
"""
    assert owned(tmp_path, code, "__main__.collections.deque") == []
    assert owned(tmp_path, code, "__main__.numpy.ndarray") == []


def test_what_running_code_held_too_counts_when_it_has_let_go(tmp_path: Path) -> None:
    code = """
def made():
    data = bytes(5000)
    node = Node()
    node.data = data
    early = [[] for _ in range(300)]
    return node
probe("a")
kept = made()
later = [[] for _ in range(300)]
probe("b")
"""
    told = owned(tmp_path, code, "__main__.Node", granularity=100)
    assert told == [block(5033)]
