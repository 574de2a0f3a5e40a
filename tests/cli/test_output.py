"""Tables in each format: what a reader of a pipe, a page or a spreadsheet gets."""

import csv
import io
import json
import re
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcreplay.report.words.numbers import size_words
from gcreplay.screen.output import Report, Table, as_csv, as_markdown, as_text, show, words

TABLE = Table(("policy", "collected"), (("never", 0), ("a|b", 12345)))


def test_text_is_aligned_with_numbers_to_the_right() -> None:
    assert as_text(TABLE).splitlines() == [
        "policy  collected",
        "never           0",
        "a|b        12,345",
    ]


def test_text_without_headings_has_no_heading_line() -> None:
    assert as_text(Table(("", ""), (("events", "7"),))) == "events  7"


def test_markdown_escapes_bars_and_sets_numbers_to_the_right() -> None:
    assert as_markdown(TABLE).splitlines() == [
        "| policy | collected |",
        "| --- | ---: |",
        "| never | 0 |",
        "| a\\|b | 12,345 |",
    ]


def test_csv_holds_plain_numbers() -> None:
    assert list(csv.reader(io.StringIO(as_csv(TABLE)))) == [
        ["policy", "collected"],
        ["never", "0"],
        ["a|b", "12345"],
    ]


def test_nothing_is_an_empty_cell() -> None:
    assert as_text(Table(("a", "b"), ((None, 1),))).splitlines()[1] == "   1"


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (3 << 30, "3.0 GiB")],
)
def test_sizes_are_told_in_the_largest_fitting_unit(size: int, told: str) -> None:
    assert size_words(size) == told


@pytest.mark.parametrize("width", [60, 80, 100, 132, 200])
def test_a_terminal_shows_every_figure_beside_its_policy_however_narrow(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What does not fit stands below, behind the names of the rows again."""
    columns = ("policy", *(f"column {i}" for i in range(8)))
    figures = {
        "generational:5000,10,10": [*range(1_111_111, 1_111_119)],
        "never": [*range(2_222_221, 2_222_229)],
    }
    rows = tuple((policy, *numbers) for policy, numbers in figures.items())
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show(Report((Table(columns, rows),), {}), "table")
    printed = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    lines = printed.splitlines()
    assert max(map(len, lines)) <= width
    for policy, numbers in figures.items():
        behind = [line.split()[1:] for line in lines if line.split()[:1] == [policy]]
        assert [each for part in behind for each in part] == [f"{n:,}" for n in numbers]


def test_rows_that_two_columns_name_have_both_in_each_part(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in `prove`, where a policy has a row of what was predicted and one of what was."""
    rows = (
        ("generational:5000,10,10", "predicted", *range(111_111, 111_119)),
        ("", "measured", *range(222_221, 222_229)),
    )
    columns = ("policy", "", *(f"column {i}" for i in range(8)))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show(Report((Table(columns, rows, names=2),), {}), "table")
    printed = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    lines = [line.split() for line in printed.splitlines()]
    assert max(map(len, printed.splitlines())) <= 80
    predicted = [words for words in lines if "111,1" in " ".join(words)]
    measured = [words for words in lines if "222,2" in " ".join(words)]
    assert len(predicted) == len(measured) > 1
    assert {tuple(words[:2]) for words in predicted} == {("generational:5000,10,10", "predicted")}
    assert {words[0] for words in measured} == {"measured"}
    assert [n for words in measured for n in words[1:]] == [f"{n:,}" for n in rows[1][2:]]


def test_a_pipe_breaks_no_figure_that_is_written_as_text() -> None:
    """As in `prove`, whose columns hold per cents too: what has no room stands in another part."""
    rows = (
        ("cpython-3.11:5000,10,10", "measured", "12,345,678,901", "1,234,567/12,345/678"),
        ("", "error", "+0.0%", ""),
    )
    text = as_text(Table(("policy", "", "collected", "by generation"), rows, names=2))
    assert {"12,345,678,901", "1,234,567/12,345/678"} <= set(text.split())
    assert text.count("measured") == 1
    wide = Table(("policy", "", *"abcd"), tuple((*row, *row[2:]) for row in rows), names=2)
    assert as_text(wide).split().count("1,234,567/12,345/678") == 2
    assert max(map(len, as_text(wide).splitlines())) <= 80


KINDS = ("number", "text", "short text", "figures as text")


@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=2, max_size=14),
    long=st.integers(13, 40),
    digits=st.integers(2, 14),
    width=st.integers(60, 140),
)
def test_no_figure_loses_a_digit_at_any_width(
    kinds: list[str], long: int, digits: int, width: int
) -> None:
    """Folded columns take what figures leave, and no more."""
    text = {"text": "ab cd " * (long // 6) + "x", "short text": "12/3/4"}
    numbers = iter(range(10**digits, 10**digits + 2 * len(kinds)))
    rows = tuple(
        (
            "generational:5000",
            *(
                f"{next(numbers):,}/0/0"
                if kind == "figures as text"
                else text.get(kind) or next(numbers)
                for kind in kinds
            ),
        )
        for _ in range(2)
    )
    heads = ("policy", *(f"a longer heading {i}" for i in range(len(kinds))))
    out = io.StringIO()
    with (
        patch.dict("os.environ", {"COLUMNS": str(width)}),
        patch("sys.stdout", out),
        patch.object(out, "isatty", lambda: True, create=True),
    ):
        show(Report((Table(heads, rows),), {}), "table")
    printed = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert max(map(len, printed.splitlines())) <= width
    cells = [each for row in rows for each in row[1:]]
    wanted = sorted(words(each) for each in cells if isinstance(each, int) or each[-4:] == "/0/0")
    assert sorted(word for word in printed.split() if "," in word or word in wanted) == wanted


def test_json_is_the_payload_and_remarks_go_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(Report((TABLE,), {"collected": 12345}, ("stored",)), "json")
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"collected": 12345}
    assert printed.err == "stored\n"


def test_csv_prints_the_first_table_alone(capsys: pytest.CaptureFixture[str]) -> None:
    show(Report((TABLE, Table(("other",), (("x",),))), {}), "csv")
    assert "other" not in capsys.readouterr().out
