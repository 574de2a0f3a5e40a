"""`--dask`: the same tasks on a real cluster of two worker processes, one of which is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command_line import Gcreplay
from service import write_service

from gcreplay.store import EventLog

PYTHON = [sys.executable, "-m"]
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
OTHER_VERSION = """
import gcreplay.several.tasks
gcreplay.several.tasks.VERSION = "0.0.9"
from distributed.cli.dask_worker import main
main()
"""
SLOW = """
import os, time
from pathlib import Path
from gcreplay.replay.policies.generational import Generational

HERE = Path(__file__).parent

class Slow(Generational):
    '''Before the flag stands, the first replay on each worker tells who does it, and waits.'''
    def begin(self, heap, start):
        super().begin(heap, start)
        while not (HERE / "go").exists():
            (HERE / f"at-it.{os.getpid()}").touch()
            time.sleep(0.05)
"""


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, *command], **QUIET)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler without workers."""
    told = tmp_path_factory.mktemp("dask") / "scheduler.json"
    where = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(told), "--no-dashboard")
    with running("-m", "distributed.cli.dask_scheduler", *where):
        while not told.exists() or not told.read_text():
            time.sleep(0.05)
        yield json.loads(told.read_text())["address"]


WORKER = ("--no-nanny", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")


@contextmanager
def worker(address: str) -> Iterator[subprocess.Popen[bytes]]:
    with running("-m", "distributed.cli.dask_worker", address, *WORKER) as process:
        yield process


def started(*args: object, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PYTHON, "gcreplay", *map(str, args)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_cluster_gives_the_same_bytes_whoever_is_killed(
    gcreplay: Gcreplay, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also under a policy in a file that is named from the folder of whoever asks."""
    write_service(tmp_path / "workers")
    (tmp_path / "slow.py").write_text(SLOW)
    asked = ("sweep", "workers", "--t0", "700,2000", "--t1", "10", "-p", "slow.py:Slow:900,10,10")
    asked += ("--format", "json")
    with worker(scheduler) as first, worker(scheduler) as second:
        run = started(*asked, "--dask", scheduler, folder=tmp_path)
        workers = {str(one.pid): one for one in (first, second)}
        while run.poll() is None and len(at_it := list(tmp_path.glob("at-it.*"))) < 2:
            time.sleep(0.05)
        victim = workers[at_it[0].suffix[1:]]
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        (tmp_path / "go").touch()
        out, err = run.communicate(timeout=60)
        assert run.returncode == 0, err
    for name in ("a", "b", "c"):
        with EventLog.open(tmp_path / "workers" / f"{name}.gcreplay") as log:
            assert len(log.runs()) == 2
        with EventLog.open(tmp_path / "workers" / f"{name}.gcreplay", writable=True) as log:
            log.discard_runs()
    monkeypatch.chdir(tmp_path)
    assert gcreplay(*asked, "--jobs", "1").stdout == out
    assert json.loads(out)["traces"] == [f"workers/{name}.gcreplay" for name in "abc"]


def test_what_a_cluster_cannot_do_is_said_in_one_sentence(
    gcreplay: Gcreplay, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_service(tmp_path / "workers")
    from gcreplay.several import cluster

    monkeypatch.setattr(cluster, "SECONDS", 2)
    asked = ("tune", folder, "--dask")
    told = gcreplay(*asked, scheduler)
    assert (told.exit_code, told.stdout) == (1, "")
    assert "has no workers: start some with `dask worker tcp://127.0.0.1:" in told.stderr
    told = gcreplay(*asked, "tcp://127.0.0.1:1")
    assert (told.exit_code, told.stdout) == (1, "")
    assert "Error: no Dask scheduler answers at tcp://127.0.0.1:1" in told.stderr
    told = gcreplay(*asked, "nonsense://there")
    assert (told.exit_code, told.stdout) == (2, "")
    assert "--dask nonsense://there is no address of a Dask scheduler" in told.stderr
    with running("-c", OTHER_VERSION, scheduler, *WORKER):
        monkeypatch.setattr(cluster, "SECONDS", 30)
        told = gcreplay(*asked, scheduler)
        assert (told.exit_code, told.stdout) == (1, "")
        assert "has gcreplay 0.0.9, and you have 0.1.0" in told.stderr


def test_a_worker_that_does_not_see_the_files_is_named() -> None:
    """As a worker with another disk would: there is no such file, or another one of that name."""
    from gcreplay.several.cluster import seen
    from gcreplay.several.named import Recording

    _, _, missing = seen([Recording("here", "/nowhere/a.gcreplay", "mark")], ["/nowhere/p.py"])
    assert missing == ["/nowhere/a.gcreplay", "/nowhere/p.py"]


def test_without_dask_it_says_what_to_install(
    gcreplay: Gcreplay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_service(tmp_path / "workers")
    monkeypatch.setitem(sys.modules, "distributed", None)
    told = gcreplay("sweep", folder, "--dask", "tcp://127.0.0.1:1")
    assert (told.exit_code, told.stdout) == (2, "")
    assert "pip install 'gcreplay[dask]'" in told.stderr
