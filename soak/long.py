"""A long run: what the recorder takes of memory and disk while it lasts, sampled from outside."""

from __future__ import annotations

import contextlib
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from outcome import Outcome, failed, passed
from places import GCREPLAY, PROGRAMS, PYTHON

EVERY_SECONDS = 1.0
SPOOL_BYTES = 2 << 30
"""What is kept of a spool so that it can be recovered."""
GROWTH = 1.25
"""How much larger the peak of the second half may be than that of the first."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Bytes at one moment: memory of the program and of the recorder, the files on disk."""

    program: int
    recorder: int
    spool: int
    recording: int


def long_run(folder: Path, minutes: float) -> Outcome:
    """Record two million live objects for so long; memory and disk have to stay bounded."""
    seconds = 60 * minutes
    plain = _peak_of_plain(folder)
    recording = folder / "long.gcreplay"
    command = [GCREPLAY, "record", "--force", "-o", recording, PROGRAMS / "long.py", str(seconds)]
    with subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True) as recorder:
        assert recorder.stdout is not None
        samples = list(_samples(recorder, recording))
        out = recorder.stdout.read()
    told = _told(samples, plain)
    if recorder.returncode != 0 or out.strip() != "2000000":
        return failed("long run", f"exit code {recorder.returncode}, printed {out!r}; {told}")
    late = samples[len(samples) // 2 :]
    for what in ("program", "recorder"):
        before = max(getattr(one, what) for one in samples[: len(samples) // 2])
        after = max(getattr(one, what) for one in late)
        if after > GROWTH * before:
            return failed("long run", f"memory of the {what} grows without end; {told}")
    if max(one.spool for one in samples) > 1.25 * SPOOL_BYTES:
        return failed("long run", f"the spool is not released; {told}")
    return passed("long run", told)


def _told(samples: list[Sample], plain: int) -> str:
    peak = {
        name: max(getattr(one, name) for one in samples) / 2**20
        for name in ("program", "recorder", "spool", "recording")
    }
    return (
        f"MiB at most: program {peak['program']:.0f} (plain {plain / 2**20:.0f}), recorder "
        f"{peak['recorder']:.0f}, spool {peak['spool']:.0f}, recording {peak['recording']:.0f}"
    )


def _peak_of_plain(folder: Path) -> int:
    with subprocess.Popen(
        [str(PYTHON), str(PROGRAMS / "long.py"), "15"], cwd=folder, stdout=subprocess.DEVNULL
    ) as program:
        peak = 0
        while program.poll() is None:
            peak = max(peak, _memory(program.pid))
            time.sleep(EVERY_SECONDS)
    return peak


def _samples(recorder: subprocess.Popen[str], recording: Path) -> list[Sample]:
    spool = recording.with_name(recording.name + ".spool")
    samples = []
    while recorder.poll() is None:
        program = sum(_memory(pid) for pid in _children(recorder.pid))
        written = sum(map(_disk, recording.parent.glob(recording.name + "*"))) - _disk(spool)
        samples.append(Sample(program, _memory(recorder.pid), _disk(spool), written))
        time.sleep(EVERY_SECONDS)
    return samples


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in text.split()]
    return []


def _memory(pid: int) -> int:
    """Memory of a process that is no file's; 0 when the process is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return 1024 * int(line.split()[1])
    return 0


def _disk(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_blocks * 512
    return 0
