"""Which other processes have a lock of a file, as the kernel lists them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def holders(path: Path, *, kind: str = "") -> list[int]:
    """Their numbers, in order; only of locks of that kind, READ or WRITE, where one is named. Those
    of other machines and of other containers are not listed.

    The file is not opened for it: closing it again would give up the locks that we have.
    """
    found: set[int] = set()
    with suppress(OSError, ValueError, IndexError):
        wanted = path.stat()
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()
            if words[1] == "->":  # it waits for the lock in the line before
                continue
            _, _, _, how, process, place, *_ = words
            major, minor, inode = place.split(":")
            device = os.makedev(int(major, 16), int(minor, 16))
            same = int(inode) == wanted.st_ino and (
                device == wanted.st_dev or _opened(int(process), path)
            )
            if same and how.startswith(kind) and int(process) > 0:
                found.add(int(process))
    return sorted(found - {os.getpid()})


def _opened(process: int, path: Path) -> bool:
    """Whether that process has the file open: some file systems are listed by another number."""
    with suppress(OSError):
        target = path.resolve()
        return any(fd.resolve() == target for fd in Path(f"/proc/{process}/fd").iterdir())
    return False
