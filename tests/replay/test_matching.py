"""Two versions of a program: which file and which site of one is which of the other."""

from dataclasses import replace
from pathlib import Path

import pytest

from gcreplay.replay import diff
from gcreplay.replay.modules import Origin, origin, root_of
from gcreplay.replay.results.matching import Place, same_files, same_places
from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder


def log_of(*sites: tuple[str, int, str], argv: tuple[str, ...] = ()) -> EventLog:
    """Makes one list at each site, and drops it."""
    trace = TraceBuilder(python="3.11.7", argv=list(argv))
    trace.start()
    for site in sites:
        trace.decref(trace.alloc("list", site=site))
    return trace.build()


def files_of(first: tuple[str, ...], second: tuple[str, ...]) -> dict[str, str]:
    logs = [log_of(*((file, 1, "f") for file in files)) for files in (first, second)]
    found = same_files(*logs)
    return {file: name for file, name in found.items() if file}


@pytest.mark.parametrize(
    ("file", "of"),
    [
        ("/srv/shop/orders.py", Origin.OWN),
        ("orders.py", Origin.OWN),
        ("<string>", Origin.OWN),
        ("/venv/lib/python3.11/site-packages/flask/app.py", Origin.INSTALLED),
        ("/usr/lib/python3/dist-packages/apt/cache.py", Origin.INSTALLED),
        ("/usr/lib/python3.11/json/decoder.py", Origin.STANDARD),
        ("<frozen importlib._bootstrap>", Origin.STANDARD),
        ("", Origin.UNKNOWN),
    ],
)
def test_whose_code_a_file_is(file: str, of: Origin) -> None:
    assert origin(file) is of


def test_the_root_is_the_folder_that_ones_own_files_share() -> None:
    standard = "/usr/lib/python3.11/json/decoder.py"
    assert root_of(["/a/one/shop/orders.py", "/a/one/run.py", standard, "<string>"]) == "/a/one/"
    assert root_of(["/a/one/run.py"]) == "/a/one/"
    assert root_of(["/a/run.py", "/b/run.py"]) == ""
    assert root_of(["/a/run.py", "b/run.py"]) == ""
    assert root_of([]) == ""


def test_files_of_two_checkouts_match_by_what_is_below_their_roots() -> None:
    first = ("/a/one/shop/orders.py", "/a/one/shop/__init__.py", "/a/one/tools/__init__.py")
    second = ("/b/two/tools/__init__.py", "/b/two/shop/orders.py", "/b/two/shop/__init__.py")
    assert files_of(first, second) == {
        "/a/one/shop/orders.py": "/b/two/shop/orders.py",
        "/a/one/shop/__init__.py": "/b/two/shop/__init__.py",
        "/a/one/tools/__init__.py": "/b/two/tools/__init__.py",
    }


def test_installed_files_match_by_package_and_the_standard_library_in_any_release() -> None:
    first = (
        "/a/.venv/lib/python3.11/site-packages/flask/app.py",
        "/opt/3.11.7/lib/python3.11/json/decoder.py",
        "<frozen runpy>",
    )
    second = (
        "/b/env/lib/python3.12/site-packages/flask/app.py",
        "/usr/lib/python3.12/json/decoder.py",
        "<frozen runpy>",
    )
    assert files_of(first, second) == dict(zip(first, second, strict=True))


def test_a_file_of_another_name_matches_only_as_the_program_that_was_started() -> None:
    first = log_of(("/a/before.py", 1, "f"), ("/a/old.py", 1, "f"), argv=("-Xdev", "before.py"))
    second = log_of(("/a/after.py", 1, "f"), ("/a/new.py", 1, "f"), argv=("./after.py", "-v"))
    found = same_files(first, second)
    assert found == {"": "", "/a/before.py": "/a/after.py"}


def place(line: int, function: str = "f", file: str = "a.py") -> Place:
    return Place("list", file, function, False, line)


def test_places_of_one_function_match_in_the_order_of_their_lines() -> None:
    found = list(same_places([place(1), place(9)], [place(12), place(4)], {}))
    assert found == [((place(1),), (place(4),)), ((place(9),), (place(12),))]


def test_where_a_function_has_more_places_than_before_they_are_one() -> None:
    found = list(same_places([place(1), place(9)], [place(2), place(5), place(10)], {}))
    assert found == [((place(1), place(9)), (place(2), place(5), place(10)))]


def test_places_that_only_one_has_stand_alone() -> None:
    found = list(same_places([place(1, "f")], [place(1, "g"), place(2, "g")], {}))
    assert found == [
        ((place(1, "f"),), ()),
        ((), (place(1, "g"), place(2, "g"))),
    ]


def test_where_a_line_is_only_near_the_function_is_one_place() -> None:
    near = replace(place(7), near=True)
    assert list(same_places([place(1), near], [place(1), place(7)], {})) == [
        ((place(1), near), (place(1), place(7)))
    ]


def test_a_moved_line_elsewhere_is_no_change() -> None:
    first = log_of(("/a/one/shop.py", 5, "serve"), ("/a/one/shop.py", 9, "serve"))
    second = log_of(("/b/two/shop.py", 15, "serve"), ("/b/two/shop.py", 19, "serve"))
    assert diff((first, "manual"), (second, "manual")).kept_longer == ()


def test_what_a_site_makes_more_is_told_with_its_line_in_the_second() -> None:
    first = log_of(("/a/shop.py", 5, "serve"))
    second = log_of(("/b/shop.py", 6, "serve"), ("/b/shop.py", 6, "serve"))
    (row,) = diff((first, "manual"), (second, "manual")).kept_longer
    assert (row.site, row.function) == ("/b/shop.py:6", "serve")
    assert (row.lines_first, row.lines_second) == ((5,), (6,))
    assert (row.first.objects, row.second.objects) == (1, 2)


def test_bytes_are_held_from_birth_to_death_and_what_is_grown_from_then_on() -> None:
    """56 bytes live from event 1 to 4, 100 more from event 2 to 3, 40 more from then on."""
    trace = TraceBuilder(python="3.11.7")
    trace.start()
    grown = trace.alloc("list", site=("a.py", 1, "f"))
    trace.resize(grown, 100)
    trace.resize(grown, 40)
    trace.decref(grown)
    empty = TraceBuilder(python="3.11.7")
    empty.start()
    (row,) = diff((empty.build(), "manual"), (trace.build(), "manual")).kept_longer
    assert row.second.byte_events == 56 * 3 + 100 + 40
    assert (row.second.object_events, row.second.alive) == (3, 0)


def test_a_recording_that_is_opened_twice_is_one_with_each_place_by_itself(
    tmp_path: Path,
) -> None:
    """Two lists that hold themselves, each dropped: one policy keeps both, one frees both at once.
    Between two recordings their places would be one, as a line of them is only near."""
    path = tmp_path / "one.gcreplay"
    trace = TraceBuilder(python="3.11.7")
    trace.start()
    for site in (("a.py", 1, "f"), ("a.py", 2, "f", 1)):
        cycle = trace.alloc("list", site=site)
        trace.link(cycle, cycle)
        trace.decref(cycle)
    trace.build(path).close()
    with EventLog.open(path) as first, EventLog.open(path) as second:
        rows = diff((first, "never"), (second, "clairvoyant")).kept_longer
    assert {(row.site, row.lines_first) for row in rows} == {
        ("a.py:1", (1,)),
        ("near a.py:2", (2,)),
    }
