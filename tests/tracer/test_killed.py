"""SIGKILL of the program or of the recorder, and what `recover` makes of it."""

import contextlib
import os
import platform
import random
import signal
import sqlite3
import string
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from recording import FIXED, checked, collections, run_plain, run_recorded

from gcreplay.replay import verify
from gcreplay.store.errors import FileExists, GcreplayError, NotFound
from gcreplay.store.log import EventLog
from gcreplay.store.rules.validate import validate
from gcreplay.tracer import BrokenSpool, CannotRecord, NotASpool, recover, spool

PROGRAM = """
import os, sys
class Node: pass
def make(n):
    for i in range(n):
        a = Node(); a.me = a; a.more = [{"i": (i,)}]
make(20_000)
print("made", flush=True)
sys.stdin.readline()
make(20_000)
print("ended", flush=True)
"""


@contextlib.contextmanager
def killed_recorder(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A recorder killed while its program waits for a line of input."""
    (folder / "program.py").write_text(PROGRAM)
    recorder = subprocess.Popen(
        [sys.executable, "-m", "gcreplay", "record", "-o", "run.gcreplay", *options, "program.py"],
        cwd=folder,
        env={**os.environ, **FIXED},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with recorder:
        assert recorder.stdout is not None and recorder.stdin is not None
        assert recorder.stdout.readline() == "made\n"
        when_begun(folder / "run.gcreplay")
        recorder.kill()
        recorder.wait()
        yield recorder


def when_begun(path: Path) -> None:
    """The recorder makes its file while the program starts."""
    while True:
        with contextlib.suppress(GcreplayError), EventLog.open(path) as log:
            if "complete" in log.meta:
                return
        time.sleep(0.01)


def ended(recorder: subprocess.Popen[str]) -> None:
    """Give the orphaned program its line and wait for its end: that of its output."""
    assert recorder.stdout is not None and recorder.stdin is not None
    recorder.stdin.write("go on\n")
    recorder.stdin.flush()
    assert recorder.stdout.read() == "ended\n"  # the program is unharmed


def when_let_go(spool_path: Path) -> None:
    while (held := spool.Spool(spool_path)).written_by is not None:
        held.close()
        time.sleep(0.01)
    held.close()


def test_a_killed_recorder_harms_nothing_and_recover_gets_all(tmp_path: Path) -> None:
    output, left = tmp_path / "run.gcreplay", tmp_path / "run.gcreplay.spool"
    with killed_recorder(tmp_path) as recorder:
        with EventLog.open(output) as log:  # opens at once, as far as it got
            assert log.meta["complete"] is False
            assert verify(log).equal
        with sqlite3.connect(f"file:{output}?mode=ro", uri=True) as left_as_it_is:
            beyond = (
                "SELECT count(*) FROM observed WHERE sequence >= (SELECT sum(events) FROM segments)"
            )
            assert left_as_it_is.execute(beyond).fetchall() == [(0,)]
        with pytest.raises(CannotRecord, match="still runs"):
            recover(left, output)
        ended(recorder)
        when_let_go(left)
    summary = recover(left, output)  # no --force: it replaces what it continues
    assert (summary.complete, summary.message) == (True, "")
    checked(output)
    recovered = collections(output)
    with EventLog.open(output) as log:
        assert log.meta["argv"] == ["program.py"]
        assert log.meta["recovered"] is True
        events = log.event_count
    whole = run_recorded(tmp_path, "program.py", stdin="go on\n", output="whole.gcreplay")
    assert recovered == collections(whole.path)
    assert left.exists()
    assert recover(left, output, force=True).events == events  # and it can be done again


def test_a_spool_alone_knows_the_program(tmp_path: Path) -> None:
    """Also when the recorder was killed before it had begun the recording."""
    with killed_recorder(tmp_path, "--granularity", "300") as recorder:
        ended(recorder)
        when_let_go(tmp_path / "run.gcreplay.spool")
    for left in tmp_path.glob("run.gcreplay*"):
        if left.suffix != ".spool":
            left.unlink()
    summary = recover(tmp_path / "run.gcreplay.spool", tmp_path / "elsewhere.gcreplay")
    with EventLog.open(summary.output) as log:
        told = {key: log.meta[key] for key in ("argv", "python", "executable", "granularity")}
        assert told == {
            "argv": ["program.py"],
            "python": platform.python_version(),
            "executable": sys.executable,
            "granularity": 300,
        }


@pytest.mark.parametrize("length", [10, 100_000])
def test_facts_that_are_too_long_are_left_out_and_no_others(tmp_path: Path, length: int) -> None:
    code = "".join(random.Random(5).choices(string.printable, k=length))
    facts = {"argv": ["-c", code], "granularity": 7, "python": "3.11.7"}
    made = spool.Spool.create(tmp_path / "x.spool", facts=facts)
    assert made.facts == (facts if length == 10 else {"granularity": 7, "python": "3.11.7"})
    assert made.path.stat().st_size == spool.HEADER
    made.close()


def test_a_finished_recording_is_not_replaced_by_recover(tmp_path: Path) -> None:
    with killed_recorder(tmp_path) as recorder:
        ended(recorder)
        when_let_go(tmp_path / "run.gcreplay.spool")
    left, output = tmp_path / "run.gcreplay.spool", tmp_path / "run.gcreplay"
    assert recover(left, output).complete
    for path in (output, tmp_path / "other"):
        path.touch()
        before = path.read_bytes()
        with pytest.raises(FileExists):
            recover(left, path)
        assert path.read_bytes() == before


def test_both_are_killed(tmp_path: Path) -> None:
    left, output = tmp_path / "run.gcreplay.spool", tmp_path / "run.gcreplay"
    with killed_recorder(tmp_path):
        held = spool.Spool(left)
        os.kill(held.written_by or 0, signal.SIGKILL)
        held.close()
        when_let_go(left)
    summary = recover(left, output)
    assert not summary.complete
    assert "end was not recorded" in summary.message
    assert checked(output).recorded >= 20_000 // 701


def test_a_spool_cut_short_is_told(tmp_path: Path) -> None:
    """As after a power cut: less is there than was committed."""
    with killed_recorder(tmp_path) as recorder:
        ended(recorder)
        when_let_go(tmp_path / "run.gcreplay.spool")
    whole = (tmp_path / "run.gcreplay.spool").read_bytes()
    length = spool.Spool(tmp_path / "run.gcreplay.spool").waiting
    for part in (4096, 5000, 4096 + length // 2, 4096 + length - 1):
        cut = tmp_path / f"{part}.spool"
        cut.write_bytes(whole[:part])
        summary = recover(cut, tmp_path / f"{part}.gcreplay")
        assert not summary.complete
        assert summary.message
        with EventLog.open(summary.output) as log:
            assert log.event_count == summary.events
            validate(log)


def test_a_spool_of_version_2_is_for_the_gcreplay_that_wrote_it(tmp_path: Path) -> None:
    made = spool.Spool.create(tmp_path / "x.spool")
    made.close()
    content = bytearray((tmp_path / "x.spool").read_bytes())
    content[8] = 2
    (tmp_path / "x.spool").write_bytes(content)
    with pytest.raises(
        NotASpool, match="version 2, this gcreplay reads 3: recover it with the gcr"
    ):
        recover(tmp_path / "x.spool", tmp_path / "x.gcreplay")


@pytest.mark.parametrize("content", [b"", b"text", b"gcrspool", b"gcrspool" + b"\xff" * 5000])
def test_what_is_no_spool_is_said_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.spool").write_bytes(content)
    with pytest.raises(NotASpool, match=r"x\.spool"):
        recover(tmp_path / "x.spool", tmp_path / "x.gcreplay")
    assert not (tmp_path / "x.gcreplay").exists()


def test_a_missing_spool(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        recover(tmp_path / "missing.spool", tmp_path / "x.gcreplay")


def test_a_long_run_gives_its_disk_space_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond KEEP_BYTES (made small here) the spool holds what was not taken yet, and a chunk."""
    monkeypatch.setattr(spool, "KEEP_BYTES", 1 << 20)
    blocks: list[int] = []
    close = spool.Spool.close

    def measured(self: spool.Spool, *, remove: bool = False) -> None:
        blocks.append(self.path.stat().st_blocks * 512)
        assert self.released + 8192 >= self.consumed
        close(self, remove=remove)

    (tmp_path / "program.py").write_text(PROGRAM.replace("20_000", "600_000"))
    plain = run_plain(tmp_path, "program.py")
    with monkeypatch.context() as patched:
        patched.setattr(spool.Spool, "close", measured)
        done = run_recorded(tmp_path, "program.py")
    assert done.ran == plain
    checked(done.path)
    # Six records a round, of two bytes and more: all of it together would be over 14 MB.
    assert done.summary.objects > 2 * 1_200_000
    assert blocks[-1] < 17 << 20  # one chunk of 16 MiB that is being written, and less than a page


def test_a_released_beginning_cannot_be_recovered(tmp_path: Path) -> None:
    with killed_recorder(tmp_path) as recorder:
        ended(recorder)
        when_let_go(tmp_path / "run.gcreplay.spool")
    left = spool.Spool(tmp_path / "run.gcreplay.spool")
    left.consumed += 100_000
    left._release()
    left.close()
    before = (tmp_path / "run.gcreplay").read_bytes()
    with pytest.raises(BrokenSpool, match="released"):
        recover(tmp_path / "run.gcreplay.spool", tmp_path / "run.gcreplay")
    assert (tmp_path / "run.gcreplay").read_bytes() == before
