"""The gallery's pages say what its runs came to, and nothing that is no longer true."""

import dataclasses
import re
from pathlib import Path

import pytest

from gallery import pages
from gallery.comparison import misses
from gallery.entries import ENTRIES
from gallery.entry import Entry
from gallery.figures import Counts, Figures, Times, load
from gallery.measure import ROOT, record_command
from gallery.reports import MOST_BYTES
from gcreplay.replay import make_policy


@pytest.fixture(scope="module")
def known() -> dict[Entry, Figures]:
    return {entry: load(pages.results(entry)) for entry in ENTRIES}


def test_ten_programs_of_ten_kinds_stand_in_it() -> None:
    assert len(ENTRIES) == len({entry.name for entry in ENTRIES}) == 10
    assert len({entry.kind for entry in ENTRIES}) == 10


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_each_program_can_be_run_and_changed_as_it_says(entry: Entry) -> None:
    text = (ROOT / entry.program).read_text()
    assert record_command(entry)[-1 - len(entry.arguments)] == entry.program
    assert entry.change is None or text.count(entry.change.before) == 1
    for setting in entry.settings:
        make_policy(setting)
    marked = re.findall(r"(?:freeze@|disabled-until:|every:)(\w+)", " ".join(entry.settings))
    assert all(re.search(rf'mark\(f?"{mark}', text) for mark in marked)


def test_each_answer_is_three_sentences_that_its_figures_bear_out(
    known: dict[Entry, Figures],
) -> None:
    for entry, figures in known.items():
        assert len(entry.answer) == 3
        assert pages.untrue(entry, figures) == []


def test_the_pages_are_those_of_the_figures(known: dict[Entry, Figures]) -> None:
    for name, text in pages.texts(known).items():
        assert (pages.FOLDER / name).read_text() == text


def test_nothing_in_the_folder_is_of_no_program() -> None:
    names = {entry.name for entry in ENTRIES} | {"index", "examples", "pictures"}
    assert {path.stem for path in pages.FOLDER.iterdir()} == names


def test_no_file_names_a_folder_of_the_machine_that_made_it() -> None:
    for path in pages.FOLDER.iterdir():
        assert str(ROOT) not in path.read_text("utf-8")
        assert str(Path.home()) not in path.read_text("utf-8")


def test_no_file_is_too_large_for_a_repository() -> None:
    assert all(path.stat().st_size < MOST_BYTES for path in pages.FOLDER.iterdir())


def test_a_sentence_that_is_no_longer_true_stops_the_pages(
    known: dict[Entry, Figures], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bullets,) = (entry for entry in ENTRIES if entry.name == "bullets")
    now = known[bullets].now
    found = dataclasses.replace(now, real=(dataclasses.replace(now.real[0], collected=3),))
    settings = (found, *known[bullets].settings[1:])
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    (tmp_path / "bullets.json").write_text(
        dataclasses.replace(known[bullets], settings=settings).dump()
    )
    with pytest.raises(SystemExit, match="in vain: they found no object"):
        pages.write((bullets,))
    assert [path.name for path in tmp_path.iterdir()] == ["bullets.json"]


def test_a_prediction_that_missed_is_said_with_both_numbers(known: dict[Entry, Figures]) -> None:
    figures = next(iter(known.values()))
    setting = dataclasses.replace(
        figures.now,
        predicted=Counts((90, 9, 1), 1000, 50),
        real=(Counts((72, 7, 1), 1000, 50),),
        predicted_times=Times(15.0, 4.0),
        real_times=Times(20.0, 4.5),
    )
    missed = misses(dataclasses.replace(figures, settings=(setting,), changed=None))
    assert missed == [  # 100 for 80, 15 for 20; 4.0 for 4.5 is near
        "Missed under `cpython-3.11`: 100 collections were predicted, and 80 were real, +25 %.",
        "Missed under `cpython-3.11`: 15.0 ms of GC time were predicted, and 20.0 were real, "
        "-25 %.",
    ]


def test_what_is_kept_is_read_back_as_it_was(known: dict[Entry, Figures], tmp_path: Path) -> None:
    for entry, figures in known.items():
        (tmp_path / entry.name).write_text(figures.dump())
        assert load(tmp_path / entry.name) == figures
