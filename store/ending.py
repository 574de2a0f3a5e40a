"""How a program ended, in words."""

from __future__ import annotations

import signal

WITHOUT_SHUTDOWN = "the program ended without the interpreter's shutdown (os._exit or os.exec)"


def signal_name(exit_code: object) -> str | None:
    """The signal that ended a program of this exit code, which is then the signal's number below
    0; None for other codes."""
    if not isinstance(exit_code, int) or exit_code >= 0:
        return None
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"


def without_shutdown(exit_code: object) -> str:
    """Why a program ended that did not shut its interpreter down."""
    by_signal = signal_name(exit_code)
    return WITHOUT_SHUTDOWN if by_signal is None else f"{by_signal} ended the program"
