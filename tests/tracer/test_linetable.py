"""Lines of instructions, from whatever stands in a code object's table."""

import inspect
import sys
from types import CodeType

from hypothesis import given
from hypothesis import strategies as st

from gcreplay.tracer._linetable import LineTable

FIRST = st.integers(0, 2**32 - 1)
OFFSETS = st.lists(st.one_of(st.integers(0, 200), st.integers(0, 2**32)), min_size=1, max_size=5)
# Heads of entries more often than plain bytes give them, with long numbers behind.
ENTRY = st.builds(
    lambda code, size, rest: bytes([128 | code << 3 | size]) + rest,
    st.integers(0, 15),
    st.integers(0, 7),
    st.one_of(st.binary(max_size=3), st.just(b"\x7f" * 40), st.just(b"\x40")),
)
TABLES = st.one_of(st.binary(max_size=60), st.lists(ENTRY, max_size=8).map(b"".join))


def code_objects(code: CodeType) -> list[CodeType]:
    inner = [found for found in code.co_consts if isinstance(found, CodeType)]
    return [code, *(each for found in inner for each in code_objects(found))]


def test_the_line_of_every_instruction_is_the_one_cpython_says() -> None:
    assert sys.implementation.cache_tag == "cpython-311"
    for module in (inspect, st):
        source = compile(inspect.getsource(module), "x.py", "exec")
        for code in code_objects(source):
            table = LineTable(code.co_linetable, code.co_firstlineno)
            lines = [line or 0 for line, *_ in code.co_positions()]
            assert [table.line(2 * i) for i in range(len(lines))] == lines
            backwards = LineTable(code.co_linetable, code.co_firstlineno)
            assert [backwards.line(2 * i) for i in reversed(range(len(lines)))] == lines[::-1]


@given(TABLES, FIRST, OFFSETS)
def test_any_table_gives_a_line_that_there_can_be_or_none(
    content: bytes, first: int, offsets: list[int]
) -> None:
    table = LineTable(content, first)
    for offset in offsets:
        assert 0 <= table.line(offset) < 2**31


@given(TABLES, FIRST, OFFSETS)
def test_a_line_does_not_depend_on_what_was_asked_before(
    content: bytes, first: int, offsets: list[int]
) -> None:
    table = LineTable(content, first)
    assert [table.line(n) for n in offsets] == [LineTable(content, first).line(n) for n in offsets]


def test_what_a_number_cut_short_stands_before_has_no_line() -> None:
    whole = b"\x80\x00" + b"\xf0\x02\x00\x00\x00"  # line 5, then a line more
    cut = b"\x80\x00" + b"\xf0"
    assert [LineTable(whole, 5).line(n) for n in (0, 2, 4)] == [5, 6, 0]
    assert [LineTable(cut, 5).line(n) for n in (0, 2)] == [5, 0]
    assert LineTable(cut + b"\x7f" * 1000, 5).line(2) == 0
