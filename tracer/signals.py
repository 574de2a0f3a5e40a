"""Signals to a recorder: the program's as long as it runs, the recorder's own after that."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from types import FrameType

from .witness import Witness

# What the kernel tells a process of its own doing, and what nobody can handle.
_OWN = {
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGCHLD,
    signal.SIGFPE,
    signal.SIGILL,
    signal.SIGKILL,
    signal.SIGPIPE,
    signal.SIGSEGV,
    signal.SIGSTOP,
    signal.SIGSYS,
    signal.SIGTRAP,
    signal.SIGXCPU,
    signal.SIGXFSZ,
}
_ENDING = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM}
_OF_TERMINALS = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}


class Requests:
    """What was asked. `ended_by`: the signal that came to the recorder when the program had ended.

    Ctrl-C, and whatever else is sent to the process group, reaches the program by itself; what is
    sent to the recorder alone is passed on.
    """

    def __init__(self, witness: Witness | None = None) -> None:
        self.ended_by: signal.Signals | None = None
        self._witness = witness
        self._program: subprocess.Popen[bytes] | None = None
        self._over = False
        self._early: list[int] = []
        self._lock = threading.Lock()

    def adopt(self, program: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """From now on this is the program; it gets what came before."""
        with self._lock:
            self._program = program
        if self._witness is not None:
            self._witness.watch_over(program.pid)
        for number in self._early:
            program.send_signal(number)
        return program

    def program_ended(self) -> None:
        """From now on signals are ours. (To be said by the main thread, which by then has handled
        every signal that came before the program's end was known.)"""
        self._over = True

    def stop_with_program(self) -> None:
        """Stop when the program was stopped from the terminal, as the shell waits for us to; `fg`
        then continues both."""
        if self._program is None or self._over:
            return
        with contextlib.suppress(ChildProcessError):
            seen = os.waitid(os.P_PID, self._program.pid, os.WSTOPPED | os.WNOHANG)
            if seen is not None and seen.si_status in _OF_TERMINALS:
                os.kill(os.getpid(), signal.SIGSTOP)

    def answer(self, number: int, frame: FrameType | None) -> None:
        if self._over and number in _ENDING:
            self.ended_by = signal.Signals(number)

    def pass_on(self, came: int, numbers: frozenset[int]) -> None:
        """Give the program what comes down that pipe, a byte a signal, until it is closed. (In a
        thread of its own: the main one can be at the native ingest for seconds.)"""
        while taken := os.read(came, 512):
            for number in dict.fromkeys(taken):
                if number not in numbers:
                    continue
                reached = self._witness is not None and self._witness.got(number)
                with self._lock:
                    program = self._program
                    if program is None:
                        self._early.append(number)
                if program is not None and not reached and not self._over:
                    with contextlib.suppress(PermissionError):  # it is another user's by now
                        program.send_signal(number)


@contextlib.contextmanager
def requests() -> Iterator[Requests]:
    """Signals are answered by the value. (No SIG_IGN: what starts later would inherit that.)"""
    if threading.current_thread() is not threading.main_thread():
        yield Requests()  # nobody else can handle signals
        return
    with contextlib.ExitStack() as stack:
        witness = Witness()
        stack.callback(witness.close)
        asked = Requests(witness)
        numbers = _ours()
        came, wake = os.pipe()
        os.set_blocking(wake, False)
        thread = threading.Thread(target=asked.pass_on, args=(came, numbers), daemon=True)
        thread.start()
        stack.callback(os.close, came)
        stack.callback(thread.join)
        stack.callback(os.close, wake)
        stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(wake, warn_on_full_buffer=False))
        for number in numbers:
            stack.callback(signal.signal, number, signal.signal(number, asked.answer))
        yield asked


def _ours() -> frozenset[int]:
    """The signals to take over: not those that we ignore, for the program then ignores them too,
    nor those that our caller has its own use for."""
    return frozenset(
        int(number)
        for number in signal.valid_signals() - _OWN
        if (handler := signal.getsignal(number)) is signal.SIG_DFL
        or (number in (signal.SIGINT, signal.SIGTERM) and handler is not signal.SIG_IGN)
    )
