"""Where a file is written that a user names: nothing but a regular file is ever replaced.

SQLite keeps what is not in a file yet, or what was in it before, in companions of that name. It
applies them to whatever file has the name later. So no new file is put beside an old companion.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from .errors import FileExists, StorageError

_KINDS = {stat.S_IFDIR: "directory", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
_MOST_LINKS: Final = 40
WAL: Final = "-wal"
JOURNAL: Final = "-journal"
_COMPANIONS: Final = (WAL, "-shm", JOURNAL)


def other_kind(path: Path) -> str | None:
    """What stands there that is no regular file, in a word; None for one, and for nothing.

    Raises OSError when that cannot be found out.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return None
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "device")


def own_descriptor(path: Path) -> int | None:
    """The number of the descriptor of ours that the path leads to, as /dev/stdout and /dev/fd/3
    do; None for a path in the file system."""
    ours = f"/proc/{os.getpid()}/fd"
    for _ in range(_MOST_LINKS):
        path = Path(os.path.realpath(path.parent), path.name)
        if str(path.parent) == ours:
            return int(path.name) if path.name.isdigit() else None
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def new_file(path: Path, *, force: bool) -> Path:
    """Where a new file of that name is to stand: at the end of the symbolic links, which stay.

    Raises FileExists when there is one already, unless `force`, StorageError for what is no
    regular file or was opened for us, `force` or not.
    """
    try:
        target = path.resolve()
        kind = other_kind(target)
        opened = own_descriptor(path) is not None
    except (OSError, RuntimeError) as error:  # a loop of links
        reason = error.strerror if isinstance(error, OSError) else "too many symbolic links"
        raise StorageError(f"{path}: {reason}") from error
    if kind is not None:
        raise StorageError(f"{path} is a {kind}: name a regular file to write to")
    if opened:
        raise StorageError(f"{path} is open already: name a regular file to write to")
    if os.path.lexists(target) and not force:
        raise FileExists(f"{path} exists: choose another name, or overwrite it with --force")
    return target


def new_database(path: Path, *, force: bool) -> Path:
    """As `new_file`, for a file of SQLite, beside which no companions of another may stand."""
    target = new_file(path, force=force)
    for left in companions(target):
        kind = other_kind(left)
        if kind is not None:
            raise StorageError(f"{left} is a {kind}, where SQLite wants a file: name another file")
        if not force:
            raise FileExists(
                f"{left} is left of another {path.name}: choose another name, or remove it with "
                f"--force"
            )
    return target


def companion(path: Path, suffix: str) -> Path:
    """SQLite puts them where a link leads."""
    path = path.resolve()
    return path.with_name(path.name + suffix)


def companion_names(path: Path) -> list[Path]:
    """Of all, whether they stand there or not."""
    return [companion(path, suffix) for suffix in _COMPANIONS]


def companions(path: Path) -> list[Path]:
    """Those that stand there."""
    return [path for path in companion_names(path) if os.path.lexists(path)]


def remove_companions(path: Path) -> None:
    """Before a new file is put there. Raises OSError."""
    for left in companions(path):
        left.unlink(missing_ok=True)


@contextmanager
def written_whole(path: Path, *, force: bool, database: bool = False) -> Iterator[Path]:
    """The path of a new file to write; it takes its place at `path` when the block succeeds.

    So a failure halfway leaves no half a file, and with `force` the old one as it was. A symbolic
    link stays and leads to the new file. It is made in a folder of its own in the same folder,
    whose name is short and nobody else's. Raises FileExists when the file exists and `force` is
    not given, StorageError when it is no regular file, or when the block fails for want of room or
    permission.
    """
    from tempfile import TemporaryDirectory  # slow to import, and not needed to record

    target = (new_database if database else new_file)(path, force=force)
    made = ""
    try:
        with TemporaryDirectory(prefix=".gcreplay-", dir=target.parent) as folder:
            part = Path(folder, "part")
            made = str(part)
            yield part
            if target.exists():
                part.chmod(stat.S_IMODE(target.stat().st_mode))
            if database:
                remove_companions(target)
            part.replace(target)
    except OSError as error:  # of a write, it names no file
        raise StorageError(f"{path}: {error.strerror or error}; it is not written") from error
    except StorageError as error:
        raise StorageError(str(error).replace(made, str(path)) if made else str(error)) from error
