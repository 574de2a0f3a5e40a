"""The program as a process: it finds what it would find without us before it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_PROCESS_IDS = ("LISTEN_PID", "WATCHDOG_PID", "SYSTEMD_EXEC_PID")
"""Variables by which systemd speaks to the process of that number alone."""


def split_command(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """What follows the interpreter, as it reads it: its own options, and the program: a script,
    `-`, or `-m MODULE` or `-c CODE` apart from what stood before in the same word."""
    at = 0
    while at < len(argv) and argv[at].startswith("-") and argv[at] != "-":
        word = argv[at]
        if word == "--":
            return list(argv[: at + 1]), list(argv[at + 1 :])
        if word.startswith("--"):
            at += 2 if word == "--check-hash-based-pycs" else 1
            continue
        last = next((i for i, letter in enumerate(word) if letter in "cmWX"), None)
        if last is not None and word[last] in "cm":
            before = [word[:last]] if last > 1 else []
            value = [word[last + 1 :]] if word[last + 1 :] else []
            return [*argv[:at], *before], [f"-{word[last]}", *value, *argv[at + 1 :]]
        at += 2 if last == len(word) - 1 else 1
    return list(argv[:at]), list(argv[at:])


def alone(argv: Sequence[str]) -> bool:
    """Whether the interpreter is told to ignore its environment, or site."""
    options, _ = split_command(argv)
    letters = [re.split("[WX]", word)[0] for word in options if re.match("-[^-]", word)]
    return bool(set("EIS") & set("".join(letters)))


def start_program(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    directory: Path | None = None,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start it with the open files that we were given; our own are closed in it.

    What was meant for us by our number is made to mean the program. An ignored SIGCHLD is ignored
    in the program alone, for else nobody would know how it ended.
    """
    own = str(os.getpid())
    meant = [name for name in _PROCESS_IDS if environment.get(name) == own]
    deaf = signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN

    def in_the_program() -> None:
        if deaf:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.environ.clear()  # is what it starts with
        os.environ.update(environment)
        os.environ.update(dict.fromkeys(meant, str(os.getpid())))
        if "LISTEN_PID" in meant:
            os.environ.pop("LISTEN_PIDFDID", None)  # the same in another way; it may be left out

    special = bool(meant) or deaf
    if deaf:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return subprocess.Popen(
        command,
        env=None if special else environment,
        preexec_fn=in_the_program if special else None,
        close_fds=False,
        cwd=directory,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
    )


def let_go() -> None:
    """Close what we were given for the program alone: who waits for its last copy to be closed,
    as the reader of a pipe, must not wait for us."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208
        try:
            given = os.get_inheritable(number)
        except OSError:  # the listing's own
            continue
        if number < 2:
            os.dup2(nothing, number, inheritable=False)
        elif given and number > 2:
            os.close(number)
    os.close(nothing)
