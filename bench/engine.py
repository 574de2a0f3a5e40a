"""Events a second of the native engine, on a synthetic log of 10 million events.

The log is made up: a program that keeps 50,000 to 100,000 objects alive, replaces them at random,
drops most of what it makes at once, and leaves a cycle in 2 % of its steps. Times are wall time,
the least of several interleaved runs, but for the plain-Python engine of the tests, which runs once
over the first events of the same log. Instructions, which do not depend on the machine's load, are
counted by valgrind over a shorter log of the same kind. `python bench/engine.py [EVENTS]`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gcreplay.replay.engine.annotation import garbage_of
from gcreplay.replay.run import Replay
from gcreplay.store import EventLog, Events, Op
from gcreplay.store.events import Flag

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "replay"))
from reference import Reference

EVENTS = 10_000_000
LIVE = 50_000
REFERENCE_EVENTS = 300_000
COUNTED_EVENTS = 300_000
POLICIES: dict[str, dict[str, Any]] = {
    "refcount": {"rules": "never"},
    "generational:700,10,10": {"rules": "generational", "thresholds": (700, 10, 10)},
    "cpython-3.11": {"rules": "cpython-3.11", "modelled": False},
}
"""With how the engine of the tests is told the same."""
BATCH = 1 << 16


def synthetic(events: int, cyclic: float, seed: int = 1) -> Iterator[tuple[int, int, int, int]]:
    """Events (op, a, b, c) of a program with about LIVE objects alive; `cyclic` of its steps make
    a cycle and drop it."""
    random = np.random.default_rng(seed)
    table = list(range(LIVE))  # the long-lived objects, by place
    for new in table:
        yield Op.ALLOC, new, 0, 0
    new = made = LIVE
    while made < events:
        places = random.integers(0, LIVE, BATCH)
        kinds = random.random(BATCH)
        for place, kind in zip(places.tolist(), kinds.tolist(), strict=True):
            batch: list[tuple[int, int, int, int]] = [(Op.ALLOC, new, 0, 0)]
            if kind < cyclic:  # a cycle of two, dropped
                batch += [
                    (Op.ALLOC, new + 1, 0, 0),
                    (Op.LINK, new, new + 1, 0),
                    (Op.LINK, new + 1, new, 0),
                    (Op.DECREF, new + 1, 1, 0),
                    (Op.DECREF, new, 1, 0),
                ]
                new += 2
            elif kind < 0.80:  # short-lived, held once more and linked once
                old = table[place]
                batch += [(Op.INCREF, new, 1, 0), (Op.DECREF, new, 1, 0)]
                batch += [(Op.LINK, new, old, 0)]
                if kind < 0.5:  # and the program looks at an old one
                    batch += [(Op.INCREF, old, 1, 0), (Op.DECREF, old, 1, 0)]
                batch += [(Op.DECREF, new, 1, 0)]
                new += 1
            else:  # replaces a long-lived object, with one that holds another
                old = table[place]
                batch += [
                    (Op.ALLOC, new + 1, 0, 0),
                    (Op.LINK, new, new + 1, 0),
                    (Op.DECREF, new + 1, 1, 0),
                    (Op.DECREF, old, 1, 0),
                ]
                table[place] = new
                new += 2
            made += len(batch)
            yield from batch


def write(path: Path, events: int, cyclic: float = 0.02) -> None:
    with EventLog.create(path, force=True) as log:
        flags = Flag.GC | Flag.COUNTED | Flag.TRACKED
        log.add_shape(log.add_type("bench", "Node"), 48, flags)
        rows: list[tuple[int, int, int, int]] = []

        def append() -> None:
            table = np.array(rows, dtype=np.uint32)
            log.append(table[:, 0].astype(np.uint8), *(table[:, i].copy() for i in (1, 2, 3)))
            rows.clear()

        for row in synthetic(events, cyclic):
            rows.append(row)
            if len(rows) >= 1 << 18:
                append()
        append()


def least(*actions: Callable[[], object], times: int = 3) -> list[float]:
    """Seconds of the fastest run of each."""
    seconds: list[list[float]] = [[] for _ in actions]
    for _ in range(times):
        for action, taken in zip(actions, seconds, strict=True):
            started = time.perf_counter()
            action()
            taken.append(time.perf_counter() - started)
    return [min(taken) for taken in seconds]


def replayed(log: EventLog, policy: str, segments: list[Events] | None) -> Replay:
    run = Replay(log, policy)
    run.begin()
    for segment in log.segments() if segments is None else segments:
        run.apply(segment)
    run.result()
    return run


def plain(log: EventLog, policy: str) -> float:
    """Events a second of the plain-Python engine of the tests, over the first events."""
    head = log.window(0, min(REFERENCE_EVENTS, log.event_count))
    return len(head) / least(lambda: Reference(log, **POLICIES[policy]).apply(head), times=1)[0]


def peak_of(path: Path, policy: str) -> float:
    """Peak memory in MB of a process that replays the log and finds its garbage beforehand."""
    code = (
        "import re, sys; from gcreplay.store import EventLog; from gcreplay.replay import replay; "
        "replay(EventLog.open(sys.argv[1]), sys.argv[2]); "
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), policy], check=True, capture_output=True, text=True
    )
    return int(done.stdout) / 1024


def instructions(path: Path, code: str, *functions: str) -> int:
    """How many `code` executes in these functions, and what they call, over the log at `path`."""
    with tempfile.NamedTemporaryFile() as out:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}"]
        command += [f"--toggle-collect=__pyx_pw_*{function}" for function in functions]
        begin = "import sys; from gcreplay.store import EventLog; log = EventLog.open(sys.argv[1])"
        command += [sys.executable, "-c", f"{begin}\n{code}", str(path)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found is not None
    return int(found[1])


def counted(path: Path) -> Iterator[str]:
    """Lines with the instructions an event of each step."""
    if shutil.which("valgrind") is None:
        yield "instructions an event: not counted, valgrind is not there"
        return
    write(path, COUNTED_EVENTS)
    with EventLog.open(path) as log:
        n = log.event_count
    yield "instructions an event"
    advance, collect = "6Engine_*advance", "6Engine_*collect"
    find = "from gcreplay.replay.engine.annotation import garbage_of; garbage_of(log)"
    decoding = instructions(path, "list(log.segments())", "6_codec_*decode")
    finding = instructions(path, find, advance)
    yield f"{'decoding, but for zstd':28}{decoding / n:10.1f}"
    yield f"{'finding the garbage':28}{finding / n:10.1f}"
    for policy in POLICIES:
        replay = f"from gcreplay.replay import replay; replay(log, {policy!r})"
        both = instructions(path, replay, advance, collect)
        yield f"{policy:28}{(both - finding) / n:10.1f}"


def main(events: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.gcreplay"
        write(path, events)
        with EventLog.open(path) as log:
            n = log.event_count
            segments = list(log.segments())
            size = path.stat().st_size / n
            mix = ", ".join(
                f"{op.name.lower()} {count / n:.1%}" for op, count in log.op_counts.items() if count
            )
            print(f"{n:,} events ({mix}), {log.object_count:,} objects, {size:.2f} bytes an event")
            annotation = least(lambda: garbage_of(log), times=1)[0]
            print(f"finding the garbage, once a log, with decoding: {n / annotation / 1e6:.0f} M/s")
            print(
                f"\n{'':28}{'decoded':>10}{'from file':>12}{'share':>8}"
                f"{'plain Python':>15}{'ratio':>8}"
            )
            for policy in POLICIES:
                fast, read = (
                    n / seconds
                    for seconds in least(
                        lambda p=policy: replayed(log, p, segments),
                        lambda p=policy: replayed(log, p, None),
                    )
                )
                slow = plain(log, policy)
                print(
                    f"{policy:28}{fast / 1e6:8.1f} M{read / 1e6:10.1f} M{read / fast:8.0%}"
                    f"{slow / 1e6:13.3f} M{fast / slow:7.0f}x"
                )
            print(
                f"with {len(os.sched_getaffinity(0))} cores; at least 80 % is meant with two free"
            )
        print("", *counted(Path(folder) / "counted.gcreplay"), sep="\n")
        # Without cycles: what `never` keeps for good would be live heap, and grow with the log.
        write(path, events, 0)
        short = Path(folder) / "short.gcreplay"
        write(short, events // 10, 0)
        print("\npeak memory, MB    1/10 of the log   the whole log   ratio")
        for policy in ("refcount", "generational:700,10,10"):
            small, large = peak_of(short, policy), peak_of(path, policy)
            print(f"{policy:24}{small:10.1f}{large:16.1f}{large / small:8.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)
