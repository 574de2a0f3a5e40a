"""Signs of life on standard error, only when a person watches and something takes over a second."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console

PATIENCE_SECONDS: Final = 1.0


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Show ``what`` and a spinner from the second second on; the value changes the text."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: None
        return
    status = console.status(what)
    timer = threading.Timer(PATIENCE_SECONDS, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield status.update
    finally:
        timer.cancel()
        timer.join()  # a start already under way must not come after the stop
        status.stop()
