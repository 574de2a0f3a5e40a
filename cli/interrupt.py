"""Ctrl-C: an exception while a command works, the end at once before that.

Half an import need not be unwound, and would tell of it in many lines; some swallow the exception.
"""

import os
import signal
from types import FrameType
from typing import NoReturn


def interrupted(number: int, frame: FrameType | None) -> NoReturn:
    """Nothing has been begun yet."""
    os.write(2, b"Interrupted.\n")
    os._exit(128 + signal.SIGINT)


def ends_at_once() -> None:
    """Unless Ctrl-C is ignored, as it is in the background of a script."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupted)


def raises() -> None:
    """From now on there may be something to put in order."""
    if signal.getsignal(signal.SIGINT) is interrupted:
        signal.signal(signal.SIGINT, signal.default_int_handler)
