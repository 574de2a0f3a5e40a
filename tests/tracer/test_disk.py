"""No room, no permission, a size limit: the recording ends, the program does not."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from recording import checked, run_plain, run_recorded

from gcreplay.replay import verify
from gcreplay.store.encoding.segments import SegmentWriter
from gcreplay.store.errors import FileExists, GcreplayError, StorageError
from gcreplay.store.log import EventLog
from gcreplay.store.rules.validate import validate
from gcreplay.tracer import CannotRecord, RecordOptions, record, recover

PROGRAM = """
class Node: pass
kept = []
for i in range(120_000):
    a = Node(); a.me = a; a.more = [{"i": (i, [i])}]
    if i % 3 == 0: kept.append(a.more)
print("ended")
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "gcreplay-test", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small file system cannot be mounted here: not permitted")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_the_recording_and_not_the_program(
    small_disk: Path, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    plain = run_plain(tmp_path, "program.py")
    done = run_recorded(tmp_path, "program.py", output=small_disk / "run.gcreplay")
    assert done.ran == plain
    assert plain.out == "ended\n"
    assert not done.summary.complete
    assert "space" in done.summary.message or "full" in done.summary.message
    with EventLog.open(done.path) as log:  # readable up to there
        validate(log)
        assert log.meta["complete"] is False
        assert verify(log).equal  # no collection is missing of what is there
    left = small_disk / "run.gcreplay.spool"
    if left.exists():  # the recording had less room than the spool: nothing is lost
        assert str(left) in done.summary.message
        recovered = recover(left, tmp_path / "elsewhere.gcreplay")
        assert recovered.events >= done.summary.events
        checked(recovered.output)


def test_what_was_written_before_a_disk_was_full_lacks_no_collection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fills between two segments of what was read at once."""
    commit, commits = SegmentWriter._commit, iter(range(100))

    def filling(writer: SegmentWriter, columns: list[np.ndarray]) -> None:
        if next(commits) >= 4:
            raise StorageError("the disk is full")
        commit(writer, columns)

    (tmp_path / "program.py").write_text(PROGRAM)
    monkeypatch.setattr(SegmentWriter, "_commit", filling)
    done = run_recorded(tmp_path, "program.py")
    assert "full" in done.summary.message
    commits = iter(range(100))
    again = tmp_path / "again.gcreplay"
    with pytest.raises(StorageError):  # now of a spool that can be read as fast as it is written
        recover(done.path.with_name(done.path.name + ".spool"), again)
    for path in (done.path, again):
        with EventLog.open(path) as log:
            assert len(log.segment_table) == 4
            assert verify(log).equal
            assert verify(log).recorded > 100


def test_a_disk_that_is_full_from_the_start(small_disk: Path, tmp_path: Path) -> None:
    with (small_disk / "ballast").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    (tmp_path / "program.py").write_text("print('ran')")
    with pytest.raises(GcreplayError) as caught:
        run_recorded(tmp_path, "program.py", output=small_disk / "run.gcreplay")
    assert str(small_disk) in str(caught.value)
    assert sorted(path.name for path in small_disk.iterdir()) == ["ballast"]


def test_a_size_limit_of_the_spool(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    done = run_recorded(tmp_path, "program.py", spool_limit=1 << 20)
    assert (done.ran.exit_code, done.out) == (0, "ended\n")
    assert not done.summary.complete
    assert "limit" in done.summary.message
    assert checked(done.path).recorded > 0
    assert not list(tmp_path.glob("*.spool*"))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("print('ran')")
    with pytest.raises(CannotRecord, match="missing"):
        run_recorded(tmp_path, "program.py", output="missing/run.gcreplay")
    assert [path.name for path in tmp_path.iterdir()] == ["program.py"]


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "run.gcreplay").write_text("mine")
    with pytest.raises(FileExists, match="--force"):
        record(RecordOptions(tmp_path / "run.gcreplay", ["-c", "pass"]))
    assert (tmp_path / "run.gcreplay").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_disk_that_fills_at_the_very_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the log has buffered finds no room, nor does its closing: the program's exit code is
    still the program's, and the spool is kept."""

    def no_room(log: EventLog, *_: object, **__: object) -> None:
        raise StorageError("the disk is full")

    (tmp_path / "program.py").write_text("import sys; sys.exit(5)")
    monkeypatch.setattr(EventLog, "event_count", property(no_room))
    monkeypatch.setattr(EventLog, "close", no_room)
    done = run_recorded(tmp_path, "program.py")
    assert done.ran.exit_code == 5
    assert not done.summary.complete
    assert "the disk is full; all is in the spool" in done.summary.message
    assert (tmp_path / "run.gcreplay.spool").exists()


def test_a_recording_that_cannot_be_begun_once_the_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise StorageError("run.gcreplay: the disk is full")

    old, left = tmp_path / "run.gcreplay", tmp_path / "run.gcreplay.spool"
    old.write_bytes(b"an older recording")
    (tmp_path / "program.py").write_text(PROGRAM)
    plain = run_plain(tmp_path, "program.py")
    with monkeypatch.context() as patched:
        patched.setattr(EventLog, "create", no_room)
        done = run_recorded(tmp_path, "program.py")
    assert done.ran == plain
    assert not done.summary.complete
    assert done.summary.message == (
        "run.gcreplay: the disk is full; all is in the spool, so make room and say: "
        f"gcreplay recover {left}"
    )
    assert old.read_bytes() == b"an older recording"
    assert recover(left, old, force=True).complete
    checked(old)
