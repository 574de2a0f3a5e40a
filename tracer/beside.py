"""What the witness runs (see witness.py), an interpreter that imports nothing of ours.

Every signal is blocked, so what was sent to the group waits here for whoever asks by its number.
Nobody can catch SIGSTOP: when it stops the recorder alone, the program is stopped from here.
"""

import os
import select
import signal

_POLL_SECONDS = 0.1


def main() -> None:
    recorder, program = os.getppid(), 0
    held = False  # the program was stopped from here
    while True:
        if not select.select([0], [], [], _POLL_SECONDS)[0]:
            if program and stopped(recorder):
                os.kill(program, signal.SIGSTOP)  # not reaped by who is stopped, so still this one
                held = True
            elif held:
                held = False
                if stopped(program):  # both were continued between our check and our signal
                    os.kill(program, signal.SIGCONT)
            continue
        asked = os.read(0, 1)
        if not asked:
            return
        if asked == b"\0":
            program = int.from_bytes(os.read(0, 4), "little")
            continue
        os.write(1, bytes([signal.sigtimedwait(asked, 0) is not None]))


def stopped(process: int) -> bool:
    """Whether that process is stopped."""
    with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123
        return file.read().rpartition(b")")[2].split()[0] == b"T"


if __name__ == "__main__":
    main()
