"""Whether a signal was sent to a whole process group, which no receiver can tell by itself."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

_PATIENCE_SECONDS = 0.01
"""Who signals each process of a service takes some time from the first to the last."""
_BESIDE = Path(__file__).with_name("beside.py")


class Witness:
    """A process of our group that gets every signal sent to the group, and does nothing but stop
    the program when we are stopped. It ends when we do."""

    def __init__(self) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", _BESIDE],
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def watch_over(self, program: int) -> None:
        """From now on the program, a process number, is stopped when we are."""
        self._say(b"\0" + program.to_bytes(4, "little"))

    def got(self, number: int) -> bool:
        """Whether this signal, which we got, has come to the group since it was last asked for."""
        if not self._asked(number):
            time.sleep(_PATIENCE_SECONDS)
            return self._asked(number)
        return True

    def _asked(self, number: int) -> bool:
        answer = self._process.stdout
        assert answer is not None
        return self._say(bytes([number])) and answer.read(1) == b"\1"

    def _say(self, what: bytes) -> bool:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it is gone
            return self._process.stdin.write(what) == len(what)
        return False

    def close(self) -> None:
        self._process.kill()
        with self._process:  # closes the pipes
            pass
