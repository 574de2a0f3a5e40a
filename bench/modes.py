"""Every mode of the replay side in one run: events a second, beside plain Python and libcachesim's
LRU; threads; logs of growing length.

The log is that of bench/engine.py, and so is plain Python, over its first events. Times are CPU
seconds of the process, the least of interleaved runs; of threads wall time. libcachesim is no
dependency of ours: where it is not installed the line says so. A request to a cache is other work
than an event of a heap: its LRU is an anchor, no rival. `python bench/modes.py [EVENTS [LONGEST]]`.
"""

from __future__ import annotations

import importlib.util
import os
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from engine import EVENTS, peak_of, plain, replayed, synthetic, write
from sweep import SETTINGS, seconds, swept

from gcreplay.replay.engine.annotation import garbage_of, garbage_with_heap, share_garbage
from gcreplay.store import EventLog, Op

GENERATIONAL = "generational:700,10,10"
DECODED = ("refcount", GENERATIONAL, "cpython-3.11", "cpython-3.14.2", "pep848", "mark-sweep")
TIMES = 5
SWEEPS = 2
LRU_REQUESTS = 1_000_000
LRU_SIZE = 10_000


def with_region(path: Path, events: int) -> None:
    """The same log, at its end an object whose finalizer made another one."""
    write(path, events)
    with EventLog.open(path, writable=True) as log:
        new = log.object_count
        rows = np.array(
            [
                (Op.ALLOC, new, 0, 0),
                (Op.LINK, new, new, 0),
                (Op.DECREF, new, 1, 0),
                (Op.INSIDE, new, 1, 0),
                (Op.ALLOC, new + 1, 0, 0),
                (Op.DECREF, new + 1, 1, 0),
                (Op.INSIDE, new, 0, 0),
            ],
            dtype=np.uint32,
        )
        log.append(rows[:, 0].astype(np.uint8), *(rows[:, i].copy() for i in (1, 2, 3)))


def lru(folder: Path) -> float | None:
    """Requests a second of libcachesim's LRU over the objects that the events name; None without
    libcachesim."""
    if importlib.util.find_spec("libcachesim") is None:
        return None
    from libcachesim import LRU, TraceReader, TraceType

    path = folder / "requests.oracleGeneral.bin"
    with path.open("wb") as file:
        for i, (_, a, _, _) in zip(
            range(LRU_REQUESTS), synthetic(LRU_REQUESTS, 0.02), strict=False
        ):
            file.write(struct.pack("<IQIq", i, a, 1, -1))
    taken = []
    for _ in range(TIMES):
        reader = TraceReader(str(path), TraceType.ORACLE_GENERAL_TRACE)
        taken.append(seconds(lambda r=reader: LRU(LRU_SIZE).process_trace(r)))  # type: ignore[misc]
    return LRU_REQUESTS / min(taken)


def rates(path: Path, owned: Path) -> Iterator[tuple[str, float]]:
    """Each mode with its events a second."""
    with EventLog.open(path) as log, EventLog.open(owned) as regions:
        segments, apart = list(log.segments()), list(regions.segments())
        garbage_of(log), garbage_of(regions)
        actions: dict[str, Callable[[], object]] = {
            f"{name}, decoded": lambda p=name: replayed(log, p, segments)  # type: ignore[misc]
            for name in DECODED
        }
        actions[f"{GENERATIONAL}, from file"] = lambda: replayed(log, GENERATIONAL, None)
        actions[f"{GENERATIONAL}, owned regions"] = lambda: replayed(regions, GENERATIONAL, apart)
        actions["annotation, from file"] = lambda: garbage_with_heap(log)
        taken: dict[str, list[float]] = {name: [] for name in actions}
        for _ in range(TIMES):
            for name, action in actions.items():
                taken[name].append(seconds(action))
        n = log.event_count
        for name, times in taken.items():
            yield name, n / min(times)
        yield f"{GENERATIONAL}, plain Python", plain(log, GENERATIONAL)
        settings = min(seconds(lambda: swept(log)) for _ in range(SWEEPS))
        yield f"sweep, {len(SETTINGS)} settings at once", n / settings
        yield "the same, events times settings", n * len(SETTINGS) / settings


def at_once(path: Path) -> float:
    """How much faster two replays are in two threads than one after the other."""
    with (
        EventLog.open(path) as one,
        EventLog.open(path) as other,
        ThreadPoolExecutor(2) as threads,
    ):
        segments = list(one.segments())
        share_garbage(other, garbage_of(one))
        alone, together = [], []
        for _ in range(TIMES):
            began = time.perf_counter()
            replayed(one, GENERATIONAL, segments)
            alone.append(time.perf_counter() - began)
            began = time.perf_counter()
            list(threads.map(lambda log: replayed(log, GENERATIONAL, segments), (one, other)))
            together.append(time.perf_counter() - began)
    return 2 * min(alone) / min(together)


def growing(folder: Path, longest: int) -> Iterator[str]:
    """Lines of logs without cycles, whose heap does not grow: events a second from file, memory."""
    for events in (longest // 50, longest // 5, longest):
        path = folder / "long.gcreplay"
        write(path, events, 0)
        with EventLog.open(path) as log:
            n = log.event_count
            garbage_of(log)
            rate = n / min(seconds(lambda: replayed(log, GENERATIONAL, None)) for _ in range(3))
        yield f"{n:14,}{rate / 1e6:12.1f} M{peak_of(path, GENERATIONAL):14.1f}"


def main(events: int, longest: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, owned = folder / "bench.gcreplay", folder / "owned.gcreplay"
        write(path, events)
        with_region(owned, events)
        print(f"{'a second':44}")
        for mode, rate in rates(path, owned):
            print(f"{mode:44}{rate / 1e6:10.2f} M events", flush=True)
        requests = lru(folder)
        told = "not installed" if requests is None else f"{requests / 1e6:10.2f} M requests"
        print(f"{'libcachesim, LRU, with reading its file':44}{told}")
        print(
            f"\ntwo replays in two threads: {at_once(path):.2f} times as fast as one after the "
            f"other, with {len(os.sched_getaffinity(0))} cores"
        )
        print(f"\n{'events':>14}{'a second':>14}{'peak, MB':>14}", flush=True)
        for line in growing(folder, longest):
            print(line, flush=True)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(EVENTS, 5 * EVENTS)[len(given) :])
