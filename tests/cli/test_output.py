"""Tables in each format: what a reader of a pipe, a page or a spreadsheet gets."""

import csv
import io
import json

import pytest

from gcreplay.output import Report, Table, as_csv, as_markdown, as_text, show, size_words

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
