"""Requests to end a recorder: the program's as long as it runs, the recorder's own after that."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from types import FrameType


class Requests:
    """What was asked. `ended_by`: the signal that came to the recorder when the program had ended.

    Ctrl-C reaches the program through the terminal, SIGTERM only through us.
    """

    def __init__(self) -> None:
        self.ended_by: signal.Signals | None = None
        self._program: subprocess.Popen[bytes] | None = None

    def adopt(self, program: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """From now on this is the program."""
        self._program = program
        return program

    def answer(self, number: int, frame: FrameType | None) -> None:
        if self._program is None:
            return
        if self._program.poll() is not None:
            self.ended_by = signal.Signals(number)
        elif number == signal.SIGTERM:
            self._program.send_signal(number)


@contextlib.contextmanager
def requests() -> Iterator[Requests]:
    """Ctrl-C and SIGTERM are answered by the value. (No SIG_IGN: what starts later would inherit
    that.)"""
    asked = Requests()
    with contextlib.ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is signal.SIG_IGN:
                continue  # the program ignores it too
            with contextlib.suppress(ValueError):  # not in the main thread
                stack.callback(signal.signal, number, signal.signal(number, asked.answer))
        yield asked
