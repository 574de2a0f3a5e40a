"""Signs of life on standard error, only when a person watches and something takes over a second."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from gcreplay.text import plain

PATIENCE_SECONDS: Final = 1.0


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Show ``what`` and a spinner from the second second on; the value changes the text."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console  # where nobody watches nobody waits for it
    from rich.text import Text

    status = Console(stderr=True).status(Text(plain(what)))
    timer = threading.Timer(PATIENCE_SECONDS, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield lambda text: status.update(Text(plain(text)))
    finally:
        timer.cancel()
        timer.join()  # a start already under way must not come after the stop
        status.stop()
