"""Who does tasks: this process, or processes of this machine, which do not share what Python holds
for itself alone while it decodes, fits and prices.

A worker that is killed is replaced, and what it had not answered is done again.
"""

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, Final, Protocol

from gcreplay.several.tasks import VERSION, Task, attempt
from gcreplay.store.errors import GcreplayError
from gcreplay.store.quiet import no_threads

DEATHS: Final = 3
"""So many killed workers, and the machine is believed to have its reasons."""


class Workers(Protocol):
    """Answers to tasks, with their places, in the order in which they are found."""

    def answers(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Any]]: ...


class InThisProcess:
    """One after another."""

    def answers(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Any]]:
        for i, task in enumerate(tasks):
            yield i, attempt(task, VERSION)


class Processes:
    """So many processes; they end with this one, however it ends."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._pool: ProcessPoolExecutor | None = None
        self._deaths = 0

    def answers(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Any]]:
        left = dict(enumerate(tasks))
        while left:
            try:
                for i, answer in answers_of(self._started(), left):
                    del left[i]
                    yield i, answer
            except BrokenExecutor:
                self._replace()
            except OSError as error:  # a task's own is an answer
                raise GcreplayError(
                    f"no worker process can be started: {error.strerror or error}: with --jobs 1 "
                    f"none is needed"
                ) from error

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._number, context, initializer=_begin)
        return self._pool

    def _replace(self) -> None:
        self._deaths += 1
        if self._deaths == DEATHS:
            raise GcreplayError(
                f"worker processes were killed {DEATHS} times, for lack of memory perhaps: with "
                f"--jobs 1 there is one replay at a time"
            )
        self.end(at_once=True)

    def end(self, *, at_once: bool) -> None:
        """`at_once`: what they are at is given up."""
        if self._pool is None:
            return
        if at_once:
            for process in multiprocessing.active_children():
                process.terminate()
        self._pool.shutdown(cancel_futures=True)
        self._pool = None


def answers_of(executor: Executor, tasks: Mapping[int, Task]) -> Iterator[tuple[int, Any]]:
    """From any executor of the standard library's kind; what is left when nobody asks further is
    given up."""
    with no_threads(), _interrupts_held():  # a process may be started for it
        futures: dict[Future[Any], int] = {
            executor.submit(attempt, task, VERSION): i for i, task in tasks.items()
        }
    try:
        for future in as_completed(list(futures)):
            yield futures.pop(future), future.result()
    finally:
        for future in futures:
            future.cancel()


@contextmanager
def processes(number: int | None) -> Iterator[Workers]:
    """So many, or one a core."""
    number = number or len(os.sched_getaffinity(0))
    if number == 1:
        yield InThisProcess()
        return
    started = Processes(number)
    try:
        yield started
    except BaseException:
        started.end(at_once=True)
        raise
    started.end(at_once=False)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits. A process that is started here waits for good: it is to import without it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """In a new process: without the one that asks it ends."""
    gc.freeze()
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
