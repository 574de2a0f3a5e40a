"""`export --parquet`: a recording as tables, one row an object, a collection or a mark.

In the recording event N stands at N - 1 µs of the program's own time. Object 0 was there before and
dies at the end; object 1 is kept and owns 100 bytes; object 2 is a text; objects 3 to 802 hold
themselves and are dropped, three events each, the first at event 8. When more than 700 are counted,
which are those from object 1 to 702 without the text (event 2105), a collection frees objects 3 to
701 and keeps objects 0 and 1, which are in generation 1 then.
"""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from command_line import Gcreplay
from service import TOLD

from gcreplay.exporting.columns import TABLES
from gcreplay.main import cli
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.events import ObservedCollection

parquet = pytest.importorskip("pyarrow.parquet")
PAGE = Path(__file__).parents[2] / "docs" / "guide" / "notebook.md"
OTHER = "cpython-3.11:600,10,10"
SITE = ("app.py", 3, "loop")


def write_run(path: Path) -> None:
    trace = TraceBuilder(python="3.11.7", **TOLD)
    found = trace.alloc("list", size=56)
    trace.start()
    kept = trace.alloc("Node", module="app", size=48, site=("app.py", 1, "main", 1))
    trace.incref(kept)
    trace.resize(kept, 100)
    text = trace.alloc("str", size=50)
    trace.decref(text)
    trace.mark("request 1")
    for _ in range(800):
        one = trace.alloc("Node", module="app", size=48, site=SITE)
        trace.link(one, one)
        trace.decref(one)
    trace.decref(found)
    trace.mark("request 2")
    trace.tick(2_409_000)
    with trace.build(path) as log:
        seen = ObservedCollection(2105, 702, "threshold", 0, 701, 699, 0, 0, 0, 200_000)
        log.add_observed([seen])


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    path = folder / "run.gcreplay"
    write_run(path)
    told = CliRunner().invoke(
        cli, ["export", str(path), "--parquet", str(folder / "tables"), "-p", OTHER]
    )
    assert told.exit_code == 0, told.stderr
    assert "803 objects, 2 collections, 2 marks" in told.stderr
    return folder / "tables"


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parquet.read_table(folder / f"{table}.parquet").to_pylist()
    return found


def test_an_object_says_where_it_was_made_and_how_it_ended(tables: Path) -> None:
    objects = rows(tables, "objects")
    assert [one["id"] for one in objects] == list(range(803))
    nowhere = {"file": None, "line": None, "function": None, "near": False}
    alive = {"death": None, "death_s": None, "freed_by": "alive", "generation": None}
    never = {"garbage": None, "garbage_s": None}
    here = {"file": "app.py", "line": 3, "function": "loop", "near": False, "site_id": 2}
    node = {"type": "Node", "module": "app", "type_id": 1}
    assert objects[0] == {
        "id": 0,
        **{"type": "list", "module": "builtins", "type_id": 0, "site_id": 0, "bytes": 56},
        **nowhere,
        **{"birth": None, "birth_s": None, "death": 2408, "death_s": 2407e-6},
        **{"freed_by": "refcount", "generation": 1},
        **never,
    }
    assert objects[1] == {
        "id": 1,
        **node,
        **{"file": "app.py", "line": 1, "function": "main", "near": True, "site_id": 1},
        **{"birth": 2, "birth_s": 1e-6, "bytes": 48 + 100},
        **alive,
        **never,
    }
    assert objects[2] == {
        "id": 2,
        **{"type": "str", "module": "builtins", "type_id": 2, "site_id": 0, "bytes": 50},
        **nowhere,
        **{"birth": 5, "birth_s": 4e-6, "death": 6, "death_s": 5e-6},
        **{"freed_by": "refcount", "generation": None},
        **never,
    }
    collected = {"death": 2105, "death_s": 2104e-6, "freed_by": "collector", "generation": 0}
    for number in (3, 701, 702, 802):
        birth = 8 + 3 * (number - 3)
        assert objects[number] == {
            "id": number,
            **node,
            **here,
            **{"birth": birth, "birth_s": pytest.approx((birth - 1) / 1e6), "bytes": 48},
            **(collected if number < 702 else alive),
            **{"garbage": birth + 2, "garbage_s": pytest.approx((birth + 1) / 1e6)},
        }


def test_collections_of_the_run_and_of_a_policy(tables: Path) -> None:
    """The policy collects when object 602 is born, event 1805, and frees objects 3 to 601."""
    recorded, replayed = rows(tables, "collections")
    common = {"number": 0, "generation": 0, "cause": "threshold", "uncollectable": 0}
    assert recorded == {
        "run": "recorded",
        **common,
        **{"event": 2105, "own_s": 2104e-6, "begin_s": 2104e-6, "pause_s": 200e-6},
        **{"estimated": False, "candidates": 701, "collected": 699, "heap_size": 2},
    }
    assert replayed == {
        "run": OTHER,
        **common,
        **{"event": 1805, "own_s": 1804e-6, "begin_s": 1804e-6, "pause_s": 1059.9e-6},
        **{"estimated": True, "candidates": 601, "collected": 599, "heap_size": 2},
    }


def test_marks_sites_and_types(tables: Path) -> None:
    assert rows(tables, "marks") == [
        {"event": 7, "own_s": 6e-6, "label": "request 1", "kind": "request #"},
        {"event": 2409, "own_s": 2408e-6, "label": "request 2", "kind": "request #"},
    ]
    sites = [(one["file"], one["line"], one["near"]) for one in rows(tables, "sites")]
    assert sites == [("", 0, False), ("app.py", 1, True), ("app.py", 3, False)]
    types = [(one["module"], one["name"], one["kind"]) for one in rows(tables, "types")]
    assert types == [
        ("builtins", "list", "list"),
        ("app", "Node", "other"),
        ("builtins", "str", "other"),
    ]


def test_the_metadata_and_the_page_say_what_each_column_means(tables: Path) -> None:
    page = PAGE.read_text()
    for name, columns in TABLES.items():
        metadata = parquet.read_schema(tables / f"{name}.parquet").metadata
        assert metadata[b"recording"] == b"run.gcreplay"
        for one in columns:
            assert metadata[one.name.encode()].decode() == one.meaning
            assert f"| `{one.name}` | {one.type} | {one.meaning} |" in page


def test_without_times_there_are_none(gcreplay: Gcreplay, cycles: Path) -> None:
    assert gcreplay("export", cycles, "--parquet", cycles.with_name("t")).exit_code == 0
    first = rows(cycles.with_name("t"), "objects")[1]
    assert (first["birth"], first["birth_s"], first["garbage_s"]) == (4, None, None)
    assert {one["own_s"] for one in rows(cycles.with_name("t"), "marks")} == {None}


def test_nothing_is_overwritten_without_force(gcreplay: Gcreplay, cycles: Path) -> None:
    folder = cycles.with_name("t")
    folder.mkdir()
    mine = folder / "types.parquet"
    mine.write_text("mine")
    told = gcreplay("export", cycles, "--parquet", folder)
    assert told.exit_code == 2
    assert "--force" in told.stderr
    assert [path.name for path in folder.iterdir()] == ["types.parquet"]
    assert mine.read_text() == "mine"
    assert gcreplay("export", cycles, "--parquet", folder, "--force").exit_code == 0
    assert len(list(folder.iterdir())) == len(TABLES)
    told = gcreplay("export", cycles, "--parquet", cycles)
    assert (told.exit_code, len(told.stderr.splitlines())) == (1, 1)


def test_without_pyarrow_one_sentence_says_what_to_install(
    gcreplay: Gcreplay, cycles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("gcreplay.exporting.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    told = gcreplay("export", cycles, "--parquet", cycles.with_name("t"))
    assert told.exit_code == 2
    assert "pip install 'gcreplay[parquet]'" in told.stderr
    assert not cycles.with_name("t").exists()


def rounded(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """In any order, and to nanoseconds: the libraries may add in different orders."""
    numbers = [
        tuple(round(one, 6) if isinstance(one, float) else one for one in row) for row in rows
    ]
    return sorted(numbers, key=str)


def test_the_page_asks_both_libraries_the_same(
    gcreplay: Gcreplay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("polars")
    pytest.importorskip("duckdb")
    program = Path(__file__).parents[2] / "examples" / "requests.py"
    monkeypatch.chdir(tmp_path)
    assert gcreplay("record", "-o", "requests.gcreplay", program).exit_code == 0
    assert gcreplay("export", "requests.gcreplay", "--parquet", "tables").exit_code == 0
    names: dict[str, Any] = {}
    for code in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        exec(code, names)
    for answer in ("survived", "waited", "kept"):
        polars = rounded(names[answer].rows())
        assert polars
        assert polars == rounded(names[f"{answer}_too"].fetchall())
    assert "ValueError" in {row[0] for row in names["survived"].rows()}
