"""Where a file is written that a user names: nothing but a regular file is ever replaced."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .errors import FileExists, StorageError

_KINDS = {stat.S_IFDIR: "directory", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}


def other_kind(path: Path) -> str | None:
    """What stands there that is no regular file, in a word; None for one, and for nothing.

    Raises OSError when that cannot be found out.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "device")


def new_file(path: Path, *, force: bool) -> Path:
    """Where a new file of that name is to stand: at the end of the symbolic links, which stay.

    Raises FileExists when there is one already, unless `force`, StorageError for what is no
    regular file, `force` or not.
    """
    try:
        target = path.resolve()
        kind = other_kind(target)
    except (OSError, RuntimeError) as error:  # a loop of links
        reason = error.strerror if isinstance(error, OSError) else "too many symbolic links"
        raise StorageError(f"{path}: {reason}") from error
    if kind is not None:
        raise StorageError(f"{path} is a {kind}: name a regular file to write to")
    if os.path.lexists(target) and not force:
        raise FileExists(f"{path} exists: choose another name, or overwrite it with --force")
    return target
