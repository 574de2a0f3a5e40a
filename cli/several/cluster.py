"""Tasks on an existing Dask cluster. Paths are sent, and no data: workers see the same files.

The one place that knows Dask, of which it asks for an executor; Dask itself gives what a worker
that died had not answered to another one.
"""

import logging
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from gcreplay.several import tasks as there
from gcreplay.several.named import Recording, mark_of
from gcreplay.several.tasks import Task
from gcreplay.several.workers import Workers, answers_of
from gcreplay.store import EventLog
from gcreplay.store.errors import GcreplayError, UsageError

SECONDS: Final = 10
"""An address that does not answer by then has no scheduler, and one that has no worker none."""


@contextmanager
def cluster(
    address: str, recordings: Sequence[Recording], files: Sequence[str]
) -> Iterator[Workers]:
    """Its workers, which were seen to have this version and to see these recordings and files."""
    try:
        from distributed import Client, KilledWorker
    except ImportError:
        raise UsageError(
            "--dask needs Dask, which is not installed here: pip install 'gcreplay[dask]'"
        ) from None
    for name in ("distributed", "distributed.client", "distributed.core"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what happens is said in sentences
    client = _client(Client, address)
    try:
        with client.get_executor(pure=False) as executor:
            _check(client, address, recordings, files)
            yield _Cluster(executor)
    except KilledWorker as error:
        raise GcreplayError(
            f"a replay has ended several workers of {address}, for lack of memory perhaps"
        ) from error
    except (CancelledError, OSError) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise GcreplayError(f"the Dask cluster at {address} has gone: start it again") from error
    finally:
        client.close(timeout=SECONDS)


class _Cluster:
    def __init__(self, executor: Any) -> None:
        self._executor = executor

    def answers(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Any]]:
        return answers_of(self._executor, dict(enumerate(tasks)))


def _client(make: Any, address: str) -> Any:
    try:
        client = make(address, timeout=SECONDS, set_as_default=False)
    except ValueError as error:
        raise UsageError(
            f"--dask {address} is no address of a Dask scheduler, such as tcp://host:8786: {error}"
        ) from None
    except (OSError, TimeoutError):
        raise GcreplayError(
            f"no Dask scheduler answers at {address}: start one with `dask scheduler`"
        ) from None
    try:
        client.wait_for_workers(1, timeout=SECONDS)
    except TimeoutError:
        client.close()
        raise GcreplayError(
            f"the Dask scheduler at {address} has no workers: start some with `dask worker "
            f"{address}`"
        ) from None
    return client


def _check(
    client: Any, address: str, recordings: Sequence[Recording], files: Sequence[str]
) -> None:
    """Raises GcreplayError with the first worker that cannot do what is asked."""
    said = client.run(seen, recordings, files, on_error="return")
    for worker, answer in sorted(said.items()):
        if isinstance(answer, ImportError | AttributeError):
            raise GcreplayError(f"the worker {worker} has no gcreplay {there.VERSION}: {answer}")
        if isinstance(answer, BaseException):
            raise GcreplayError(f"the worker {worker} does not work: {answer}")
        theirs, host, missing = answer
        if theirs != there.VERSION:
            raise GcreplayError(
                f"the worker {worker} has gcreplay {theirs}, and you have {there.VERSION}: "
                f"results could differ"
            )
        if missing:
            raise GcreplayError(
                f"the worker {worker} on {host} does not see {missing[0]} as it is here: paths are "
                f"sent, so workers must share the folder"
            )


def seen(recordings: Sequence[Recording], files: Sequence[str]) -> tuple[str, str, list[str]]:
    """On a worker: its version, its machine, and what it does not see as whoever asks does."""
    missing = [one.path for one in recordings if not _sees(one)]
    missing += [path for path in files if not Path(path).is_file()]
    return there.VERSION, socket.gethostname(), missing


def _sees(recording: Recording) -> bool:
    try:
        with EventLog.open(Path(recording.path)) as log:
            return mark_of(log) == recording.mark
    except (GcreplayError, OSError):
        return False
