"""A spool may be all there is of a recording: it is not replaced unasked, and it is named."""

import os
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from recording import run_recorded
from spool_records import BEGINNING, spool

from gcreplay.main import cli
from gcreplay.store.errors import FileExists
from gcreplay.store.log import EventLog
from gcreplay.tracer import RecordOptions, record, recover
from gcreplay.tracer.spool import left_beside

LEFT = spool(BEGINNING)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def recorded(folder: Path, *, force: bool) -> None:
    code = f"open({str(folder / 'ran')!r}, 'w')"
    record(RecordOptions(folder / "run.gcreplay", ["-c", code], force=force))


@pytest.mark.parametrize("there", [False, True], ids=["alone", "beside a recording"])
def test_a_spool_that_was_left_is_replaced_only_by_force(tmp_path: Path, there: bool) -> None:
    """And before the program starts; also where the recording alone would be told to exist."""
    left = tmp_path / "run.gcreplay.spool"
    left.write_bytes(LEFT)
    if there:
        (tmp_path / "run.gcreplay").write_bytes(b"")
    with pytest.raises(FileExists) as caught:
        recorded(tmp_path, force=False)
    assert f"gcreplay recover {left} makes a recording of it" in str(caught.value)
    assert left.read_bytes() == LEFT
    assert not (tmp_path / "ran").exists()
    recorded(tmp_path, force=True)
    assert names(tmp_path) == ["ran", "run.gcreplay"]


@pytest.mark.parametrize("force", [False, True])
def test_a_file_that_is_no_spool_is_never_replaced(tmp_path: Path, force: bool) -> None:
    (tmp_path / "run.gcreplay.spool").write_text("mine")
    with pytest.raises(FileExists, match=r"run\.gcreplay\.spool exists and is no spool"):
        recorded(tmp_path, force=force)
    assert (tmp_path / "run.gcreplay.spool").read_text() == "mine"
    assert names(tmp_path) == ["run.gcreplay.spool"]


@pytest.mark.parametrize("content", [b"", LEFT[:20], spool(b"")], ids=["empty", "begun", "created"])
def test_a_spool_with_nothing_in_it_bars_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.gcreplay.spool").write_bytes(content)
    recorded(tmp_path, force=False)
    assert names(tmp_path) == ["ran", "run.gcreplay"]


@pytest.mark.parametrize("size", [0, None], ids=["empty", "no facts yet"])
def test_a_recording_that_was_hardly_begun_is_continued(tmp_path: Path, size: int | None) -> None:
    """`recover` needs no --force for what a recorder left that was killed in its first moments."""
    output, left = tmp_path / "run.gcreplay", tmp_path / "run.gcreplay.spool"
    EventLog.create(output).close()
    with sqlite3.connect(output) as database:
        database.execute("DELETE FROM meta")
    if size is not None:
        os.truncate(output, size)
    left.write_bytes(LEFT)
    assert left_beside(output) == left
    assert recover(left, output).objects == 5
    with EventLog.open(output) as log:
        assert log.object_count == 5


def test_the_spool_of_a_living_recorder_is_not_left(tmp_path: Path) -> None:
    code = (
        "from gcreplay.tracer.spool import left_beside; import pathlib;"
        f"print(left_beside(pathlib.Path({str(tmp_path / 'run.gcreplay')!r})))"
    )
    done = run_recorded(tmp_path, "-c", code)
    assert done.out == "None\n"


def gcreplay(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words], prog_name="gcreplay")


@pytest.mark.parametrize("left", ["the spool", "an empty file", "a first write"])
def test_a_recording_that_was_never_whole_names_its_spool(tmp_path: Path, left: str) -> None:
    """As a recorder leaves it that is killed in its first half second."""
    path, spool_path = tmp_path / "run.gcreplay", tmp_path / "run.gcreplay.spool"
    spool_path.write_bytes(LEFT)
    if left != "the spool":
        path.touch()
    if left == "a first write":
        (tmp_path / "run.gcreplay-journal").write_bytes(bytes.fromhex("d9d505f920a163d7"))
    for words in (["info"], ["events"], ["export"], ["verify"], ["replay", "-p", "manual"]):
        told = gcreplay(*words, path)
        assert told.exit_code == (2 if left == "the spool" else 1)
        assert told.stderr.endswith(f"in its spool: gcreplay recover {spool_path}\n")
    assert gcreplay("recover", spool_path).exit_code == 0  # without --force
    assert names(tmp_path) == ["run.gcreplay", "run.gcreplay.spool"]
    told = gcreplay("info", path)
    assert (told.exit_code, told.stderr) == (0, "")


def test_info_names_the_spool_of_a_recording_that_was_cut(tmp_path: Path) -> None:
    path, spool_path = tmp_path / "run.gcreplay", tmp_path / "run.gcreplay.spool"
    spool_path.write_bytes(LEFT)
    with pytest.raises(ZeroDivisionError), EventLog.create(path, meta={"spool": spool_path.name}):
        raise ZeroDivisionError
    told = gcreplay("info", path)
    assert told.exit_code == 0
    assert "no, cut short" in told.stdout
    assert told.stderr == (
        f"All that was recorded is in its spool: gcreplay recover {spool_path}\n"
    )
