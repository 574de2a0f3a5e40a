"""A page is under a megabyte whatever was recorded, and says what it leaves out."""

from __future__ import annotations

from dataclasses import replace

from sample_view import sample

from gcreplay.report.fitted import STEPS, page
from gcreplay.report.renderers.html import html
from gcreplay.report.view import Cell, Column, Section, Table, View, Words

COMMAND = "gcreplay report a.gcreplay -o a.html"
ALL = f"all: {COMMAND} --format json -o all.json"


def table(name: str, rows: int, path: int) -> Table:
    """Of rows that are told by a path of so many characters."""
    columns = (Column("at", "place"), Column("objects"))
    cells = (
        (Cell(f"{i:05d}{'x' * path}", f"{i:05d}{'x' * path}"), Cell(i, str(i))) for i in range(rows)
    )
    return Table(name, name, columns, tuple(cells), marked=(1, rows - 1))


def view_of(*tables: Table) -> View:
    section = Section("garbage", "Garbage", "By line.", "", tables)
    return replace(sample(), sections=(section,), made_by=COMMAND)


def words(view: View) -> list[str]:
    return [one.text for one in view.sections[0].blocks if isinstance(one, Words)]


def told(view: View) -> str:
    """A page whose length is 1,000 bytes a row, and 10 a character above that in a cell."""
    tables = [one for one in view.sections[0].blocks if isinstance(one, Table)]
    SEEN.append(view)
    longest = max(len(row[0].text) for one in tables for row in one.rows)
    return "x" * (sum(1_000 * len(one.rows) for one in tables) + 10 * longest)


SEEN: list[View] = []


def test_the_longest_tables_lose_rows_until_the_page_has_room() -> None:
    SEEN.clear()
    # 150 + 40 rows are too many, and so are 75 + 40; 37 + 37 have room in 80,000 bytes.
    page(view_of(table("long", 4211, 0), table("short", 40, 0)), told, 80_000)
    long, short = (one for one in SEEN[-1].sections[0].blocks if isinstance(one, Table))
    assert (len(long.rows), len(short.rows)) == (37, 37)
    assert (long.marked, short.marked) == ((1,), (1,))
    assert words(SEEN[-1]) == [f"37 of 4,211 rows; {ALL}", f"37 of 40 rows; {ALL}"]
    assert SEEN[-1].notes == sample().notes  # no text was cut


def test_texts_are_cut_where_rows_alone_do_not_do() -> None:
    SEEN.clear()
    page(view_of(table("long", 2, 5_000)), told, 2_000 + 10 * 1_003)
    cell = SEEN[-1].sections[0].blocks[0].rows[1][0]  # type: ignore[union-attr]
    assert cell.text == f"00001{'x' * 995}..." and len(SEEN) == 2
    assert SEEN[-1].notes[-1] == f"Texts of more than 1,000 characters end in ...; {ALL}"


def test_a_view_that_has_room_is_drawn_as_it_is() -> None:
    SEEN.clear()
    view = view_of(table("small", 150, 3))
    page(view, told)
    assert [view] == SEEN


def test_a_real_page_of_long_paths_and_many_rows_is_under_a_megabyte() -> None:
    view = view_of(*(table(f"t{i}", 400, 4_096) for i in range(6)))
    text = page(view, html)
    assert len(text.encode()) <= 1_000_000
    assert text == page(view, html)
    # Six tables of 150 rows with 1,000 characters hold 900,000 of them, twice: as text and to copy.
    assert "75 of 400 rows" in text


def test_the_last_step_has_room_for_any_text_of_a_table() -> None:
    SEEN.clear()
    page(view_of(table("long", 400, 50_000)), told, 0)
    rows, characters = STEPS[-1]
    last = SEEN[-1].sections[0].blocks[0]
    assert isinstance(last, Table)
    assert len(last.rows) == rows
    assert {len(row[0].text) for row in last.rows} == {characters + 3}
