"""Tables in each format: what a reader of a pipe, a page or a spreadsheet gets."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcreplay.report.words.numbers import size_words
from gcreplay.screen.output import Report, _indented, as_text, show
from gcreplay.screen.tables.folding import cells
from gcreplay.screen.tables.formats import as_csv, as_markdown
from gcreplay.screen.tables.layout import laid_out
from gcreplay.screen.tables.table import Cell, Counts, Figure, Place, Size, Table, words

TABLE = Table(("policy", "collected"), (("never", 0), ("a|b", 12345)))


def test_text_is_aligned_with_numbers_to_the_right() -> None:
    assert as_text(TABLE).splitlines() == [
        "policy  collected",
        "never           0",
        "a|b        12,345",
    ]


def test_text_without_headings_has_no_heading_line() -> None:
    assert as_text(Table(("fact", "value"), (("events", 7),), bare=True)) == "events  7"


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


RUNS = Table(
    ("policy", "GC ms", "longest ms", "peak memory", "peak garbage"),
    (
        ("generational:5000,10,10+freeze@ready", 1234, 22, Size(5 << 20), Size(1 << 10)),
        ("never", 0, None, Size(7 << 30), Size(2 << 30)),
    ),
    key="runs",
    spare=("peak garbage",),
)


def test_where_there_is_room_headings_and_rows_are_a_line_each() -> None:
    assert as_text(RUNS, 82).splitlines() == [
        "policy                                GC ms  longest ms  peak memory  peak garbage",
        "generational:5000,10,10+freeze@ready  1,234          22      5.0 MiB       1.0 KiB",
        "never                                     0                  7.0 GiB       2.0 GiB",
    ]


def test_with_less_room_headings_stand_in_several_lines() -> None:
    assert as_text(RUNS, 81).splitlines() == [
        "                                             longest     peak     peak",
        "policy                                GC ms       ms   memory  garbage",
        "generational:5000,10,10+freeze@ready  1,234       22  5.0 MiB  1.0 KiB",
        "never                                     0           7.0 GiB  2.0 GiB",
    ]


def test_a_policy_is_broken_behind_an_action_alone() -> None:
    assert as_text(RUNS, 62).splitlines()[1:] == [
        "policy                    GC ms       ms   memory  garbage",
        "generational:5000,10,10+  1,234       22  5.0 MiB  1.0 KiB",
        "freeze@ready",
        "never                         0           7.0 GiB  2.0 GiB",
    ]


def test_what_has_no_room_at_all_is_the_least_important(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And how to see it is said: 54 columns are the widths above, and a blank between each."""
    monkeypatch.setenv("COLUMNS", "53")
    show(Report((RUNS,), {}, then="Next: gcreplay tune x"), "table")
    table, less, then = capsys.readouterr().out.split("\n\n")
    assert "garbage" not in table
    assert "7.0 GiB" in table
    assert " ".join(less.split()) == (
        "No room here for peak garbage: --table runs shows all, as do 54 columns."
    )
    assert then == "Next: gcreplay tune x\n"


def test_without_spare_columns_those_at_the_right_go_first() -> None:
    table = Table(("a", "b", "c"), (("x" * 12, 10**9, 10**9),))
    assert as_text(table, 30).splitlines() == [
        "a                         b",
        "x" * 12 + "  1,000,000,000",
    ]


SITES = Table(
    ("type", "made at", "objects"),
    (
        ("dict", Place("/srv/app/shop/orders.py:41 Order.__init__"), 3),
        ("list", Place("/srv/app/web/orders.py:7 Order.lines.<locals>.pick"), 4),
        ("set", Place("near /srv/app/web/views.py:1234 checkout"), 400_000),
    ),
)


def test_a_path_loses_its_first_folders_but_never_what_tells_it_from_others() -> None:
    """shop/orders.py is not web/orders.py, and there is one views.py alone."""
    assert [line.split("  ")[1] for line in as_text(SITES, 60).splitlines()[1:]] == [
        "/srv/app/shop/orders.py:41 Order.__init__",
        ".../web/orders.py:7 Order.lines.<locals>.pick",
        " near /srv/app/web/views.py:1234 checkout",
    ]
    assert as_text(SITES, 47).splitlines() == [
        "type  made at                           objects",
        "dict  shop/orders.py:41 Order.__init__        3",
        "list  /srv/app/web/orders.py:7                4",
        "      Order.lines.<locals>.pick",
        "set   near .../views.py:1234 checkout   400,000",
    ]


def test_one_table_is_shown_in_full_with_what_its_columns_mean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gcreplay.screen.output.chosen_table", lambda: "runs")
    monkeypatch.setenv("COLUMNS", "50")
    show(Report((TABLE, RUNS), {}), "table")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == (
        "generational:5000,10,10+freeze@ready  1,234          22      5.0 MiB       1.0 KiB"
    )
    assert "longest ms    the longest pause" in lines
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show(Report((TABLE, RUNS), {}), "table")
    told = capsys.readouterr().out
    assert max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", told).splitlines())) <= 50
    assert "2.0 GiB" in told


def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(Report((TABLE,), {}), "table")
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    show(Report((TABLE,), {}), "table")
    assert capsys.readouterr().out.startswith("\x1b[1mpolicy")
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as changed:
            changed.setenv(name, value)
            show(Report((TABLE,), {}), "table")
            assert "\x1b" not in capsys.readouterr().out


def test_csv_has_one_value_a_cell_and_its_unit_in_the_heading() -> None:
    table = Table(
        ("setting", "GC ms", "runs", "peak"),
        (("a", Figure(1.23456789), Counts((90, 8, 1)), Size(5 << 20)), ("b", None, None, None)),
    )
    assert as_csv(table).splitlines() == [
        "setting,GC ms,runs young,runs middle,runs old,peak (bytes)",
        "a,1.234568,90,8,1,5242880",
        "b,,,,,",
    ]


def test_where_a_column_has_several_units_they_stand_with_the_names_of_rows() -> None:
    rows = (("GC ms", Figure(1.5), Figure(2.5)), ("peak", Size(1024), Size(2048)))
    assert as_csv(Table(("", "now", "then"), rows)).splitlines() == [
        ",now,then",
        "GC ms,1.5,2.5",
        "peak (bytes),1024,2048",
    ]


KINDS = ("number", "text", "short text", "figures as text", "place", "counts")


@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=2, max_size=14),
    long=st.integers(13, 40),
    digits=st.integers(2, 14),
    width=st.integers(60, 140),
)
def test_what_is_shown_fits_and_no_figure_loses_a_digit(
    kinds: list[str], long: int, digits: int, width: int
) -> None:
    numbers = iter(range(10**digits, 10**digits + 20 * len(kinds)))

    def cell(kind: str) -> Cell:
        match kind:
            case "number":
                return next(numbers)
            case "figures as text":
                return f"{next(numbers):,}/0/0"
            case "counts":
                return Counts((next(numbers), 0, 0))
            case "place":
                return Place(f"/srv/{'x' * long}/app.py:{next(numbers)} f")
            case _:
                return {"text": "ab cd " * (long // 6) + "x"}.get(kind, "12/3/4")

    rows = tuple(("generational:5000", *map(cell, kinds)) for _ in range(2))
    heads = ("policy", *(f"a longer heading {i}" for i in range(len(kinds))))
    table = Table(heads, rows)
    laid = laid_out(table, width)
    assert max(map(cells, laid.lines)) <= width
    shown = [i for i, head in enumerate(heads) if head not in laid.left_out]
    whole = [
        words(row[i])
        for row in rows
        for i in shown
        if isinstance(row[i], int | Counts) or str(row[i]).endswith("/0/0")
    ]
    printed = "\n".join(laid.lines).split()
    assert all(printed.count(figure) >= whole.count(figure) for figure in whole)
    assert laid_out(table, laid.needed).left_out == ()
    assert laid.needed <= width or laid_out(table, laid.needed - 1).left_out


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


def test_a_long_comment_goes_on_in_a_comment() -> None:
    code = _indented([f"# {'word ' * 20}end", "", "gc.freeze()"])
    assert code == f"    # {'word ' * 14}word\n    # {'word ' * 5}end\n\n    gc.freeze()"
