"""Marks as people name them, and names that come close to one that there is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcreplay.store.marks import mark_from, meant, spelled, with_marks_read, written


@pytest.mark.parametrize(
    ("written", "mark"),
    [
        ("ready", "ready"),
        ('"ready"', "ready"),
        ('""', ""),
        ('"a+b"', "a+b"),
        (r'"a\nb\x1b\u202e\U0001f600\\\""', 'a\nb\x1b\u202e\U0001f600\\"'),
        ('"C:\\dir"', "C:\\dir"),
        ('"a', '"a'),
        ('a"b"', 'a"b"'),
        ('"a"b"', '"a"b"'),
        ("", ""),
    ],
)
def test_a_mark_stands_as_it_is_or_in_quotes(written: str, mark: str) -> None:
    assert mark_from(written) == mark


@given(st.text(st.one_of(st.sampled_from('"\\+.,1n\n\x1b'), st.characters(codec="utf-8"))))
def test_every_mark_can_be_named(mark: str) -> None:
    quoted = mark.replace("\\", "\\\\").replace('"', '\\"')
    assert mark_from(f'"{quoted}"') == mark
    assert mark_from(written(mark)) == mark


def test_a_mark_is_written_in_quotes_where_it_needs_them() -> None:
    names = ["request 1", "a+b", "x,2", "t=1", "job #", 'a"b', "C:\\dir", ""]
    wanted = ["request 1", '"a+b"', '"x,2"', "t=1", "job #", r'"a\"b"', r'"C:\\dir"', '""']
    assert [written(name) for name in names] == wanted


def test_marks_are_said_as_they_are_to_be_named() -> None:
    said = spelled(["a", "b c", "a+b", "a..b", ".a", "a.", "x,2", "x,y", "", "a"])
    assert said == 'a, b c, "a+b", "a..b", ".a", "a.", "x,2", x,y, ""'
    assert spelled([]) == "none"
    assert spelled(["\x1b", "C:\\dir"]) == '"\x1b", "C:\\dir"'  # shown, they are escaped once
    assert spelled(map(str, range(22))).endswith("18, 19 and 2 others")


def test_a_name_that_comes_close_is_said() -> None:
    assert meant("redy", ["ready", "done", "ready"]) == " (did you mean ready?)"
    assert meant("request 1o", ["request 1", "request 2"]) == (
        " (did you mean request 1 or request 2?)"
    )
    assert meant("abcd", ["abcde", "abc", "abcdxyz"]) == " (did you mean abcde, abc or abcdxyz?)"
    assert meant("evry", {"every": "every:MARK", "b": "b"}) == " (did you mean every:MARK?)"
    assert meant("x", ["ready"]) == ""


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (
            r'manual+every:"\u202eodd\x1b"+freeze@"a\\b"',
            'manual+every:"\u202eodd\x1b"+freeze@"a\\b"',
        ),
        (r'every:"a\"b"', r'every:"a\"b"'),
        (r"every:a\nb", r"every:a\nb"),
        ("cpython-3.11:700,10,10", "cpython-3.11:700,10,10"),
    ],
)
def test_marks_of_a_policy_are_read_before_they_are_shown(typed: str, read: str) -> None:
    assert with_marks_read(typed) == read
