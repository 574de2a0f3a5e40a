"""Many replays of one recording, on all cores at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from gcreplay.store.log import EventLog

from .engine.annotation import garbage_of, share_garbage

Made = TypeVar("Made")


def on_all_cores(
    log: EventLog, policies: Sequence[str], make: Callable[[EventLog, str], Made]
) -> Iterator[Made]:
    """`make(log, policy)` for each of them, in the order in which they are done: in a thread with a
    handle of its own on the file. The garbage is found once. A log in memory has one handle."""
    if not policies:
        return
    path, garbage = log.path, garbage_of(log)
    if path is None:
        yield from (make(log, policy) for policy in policies)
        return

    def one(policy: str) -> Made:
        with EventLog.open(path) as again:
            share_garbage(again, garbage)
            again.on_read = log.on_read
            return make(again, policy)

    pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)))
    try:
        for future in as_completed([pool.submit(one, policy) for policy in policies]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)
