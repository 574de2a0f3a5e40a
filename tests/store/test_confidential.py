"""A confidential view of a log: no name of the program's code in it, all counts as they were."""

from collections.abc import Iterator

import pytest

from gcreplay.replay.garbage import cycles
from gcreplay.replay.modules import Origin, origin
from gcreplay.store import EventLog
from gcreplay.store.builder import TraceBuilder
from gcreplay.store.confidential import Confidential

WORD = "hush"
OWN = f"/home/{WORD}/app/{WORD}.py"
THEIRS = f"/home/{WORD}/lib/python3.11/site-packages/{WORD}/x.py"
PYTHONS = f"/home/{WORD}/lib/python3.11/json/decoder.py"


@pytest.fixture(scope="module")
def log() -> Iterator[EventLog]:
    """The word in every kind of name but that of a type."""
    b = TraceBuilder(
        python="3.11.7", argv=[f"{WORD}.py", WORD], executable=f"/{WORD}/python", own=WORD
    )
    b.start()
    b.mark(f"{WORD}:1")
    b.mark(f"{WORD}:2")
    b.mark(WORD)
    for file in (OWN, THEIRS, PYTHONS, OWN):
        ring = b.alloc("Order", module=f"{WORD}.shop", site=(file, 3, f"{WORD}.take"))
        local = b.alloc(f"{WORD}.<locals>.Line", module="__main__", site=(file, 4, WORD))
        frame = b.alloc("frame", site=(file, 5, "Order.<listcomp>"))
        b.link(ring, local, label=f"['{WORD}']")
        b.link(local, ring, label=f".{WORD}")
        b.link(ring, frame, label=f"['not a {WORD}']")
        b.link(frame, ring, label=f":{WORD}")
        b.link(frame, frame, label="[77]")
        b.incref(ring, label=WORD)
        b.decref(ring, 2)
        b.decref(local)
        b.read(frame, [(ring, f":{WORD}"), (frame, "[77]")], title=WORD)
        b.decref(frame)
    with b.build() as built:
        built.add_lines({(OWN, 3): f"self.{WORD} = 1"})
        built.save_run(f"freeze@{WORD}", {}, {}, "0" * 64)
        yield built


def test_no_name_of_the_program_is_in_it(log: EventLog) -> None:
    shown = Confidential(log)
    names = [[str(row) for row in table.rows] for table in shown.names.tables]
    told = f"{names} {shown.meta} {shown.lines} {shown.runs()} {shown.marks()} {shown.labels}"
    told += f"{shown.sites} {shown.types}"
    assert WORD not in told
    assert "77" not in str(shown.labels)
    assert shown.meta["python"] == "3.11.7"


def test_types_keep_their_names_and_files_their_owners(log: EventLog) -> None:
    shown = Confidential(log)
    assert [(one.module.rstrip("0123456789"), one.name) for one in shown.types] == [
        ("module_", "Order"),
        ("__main__", f"{shown.types[1].name.partition('.')[0]}.<locals>.Line"),
        ("builtins", "frame"),
    ]
    assert [origin(one.file) for one in shown.sites[1::3]] == [
        Origin.OWN,
        Origin.INSTALLED,
        Origin.STANDARD,
    ]
    assert shown.sites[3].function == "Order.<listcomp>"


def test_one_name_has_one_number_whatever_it_names(log: EventLog) -> None:
    shown = Confidential(log)
    number = shown.sites[2].function
    kept = shown.labels
    at = {text: kept[i] for i, text in enumerate(log.labels)}
    assert at[f".{WORD}"] == f".{number}"
    assert at[f"['{WORD}']"] == f"['{number}']"
    assert at[f":{WORD}"] == f":{number}"
    assert at[f"['not a {WORD}']"].startswith("['key ")
    assert at["[77]"][1:-1].isdecimal()
    assert (at[""], at["(opaque)"]) == ("", "(opaque)")


def test_marks_of_one_kind_stay_of_one_kind(log: EventLog) -> None:
    first, second, other = (label for _, label in Confidential(log).marks())
    assert (first[-2:], second[-2:]) == (":1", ":2")
    assert first[:-2] == second[:-2] != other


def test_cycles_are_as_many_of_as_many_kinds(log: EventLog) -> None:
    real, shown = cycles(log), cycles(Confidential(log))
    assert shown.total() == real.total()
    assert shown.run == real.run
    assert len(shown.groups) == len(real.groups) == 3
    assert WORD not in str(shown.to_json())
