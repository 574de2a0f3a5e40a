"""Files that commands write and read: whole or not at all, and never one that is no file."""

import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, TextIO

from gcreplay.store.errors import GcreplayError, NotFound, StorageError
from gcreplay.store.place import new_file, other_kind

MOST_LINKS: Final = 40


@contextmanager
def written_whole(target: Path, *, force: bool) -> Iterator[Path]:
    """A path beside `target` to write to; it takes the target's place when the block succeeds.

    So a failure halfway leaves no half a file, and with `force` the old one as it was. A symbolic
    link stays and leads to the new file. Raises FileExists when the target exists and `force` is
    not given, StorageError when it is no regular file, or when the block fails for want of room or
    permission.
    """
    place = new_file(target, force=force)
    beside = place.with_name(f"{place.name}.{os.getpid()}.part")  # two commands have two
    try:
        yield beside
        if place.exists():
            beside.chmod(stat.S_IMODE(place.stat().st_mode))
        beside.replace(place)
    except OSError as error:  # of a write, it names no file
        raise StorageError(f"{target}: {error.strerror or error}; it is not written") from error
    except StorageError as error:
        raise StorageError(str(error).replace(str(beside), str(target))) from error
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def text_output(target: Path, *, force: bool) -> Iterator[TextIO]:
    """An open text file: `target` as `written_whole` makes it, or what stands there already and
    takes text as it comes, as /dev/stdout, a pipe or a terminal does."""
    descriptor = own_descriptor(target)
    if descriptor is None and other_kind(target) is None:
        with written_whole(target, force=force) as beside, _text(beside) as file:
            yield file
        return
    try:
        with _text(target if descriptor is None else descriptor) as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StorageError(f"{target}: {error.strerror or error}") from error


def _text(where: Path | int, mode: Literal["r", "w"] = "w") -> TextIO:
    """A file by its name, or by one of our descriptors, which stays open."""
    if isinstance(where, int):
        return os.fdopen(os.dup(where), mode, encoding="utf-8")
    return where.open(mode, encoding="utf-8")


@contextmanager
def text_input(source: str) -> Iterator[TextIO]:
    """An open text file; `-` and names such as /dev/stdin are what was opened for us already.

    Raises NotFound, StorageError, GcreplayError for what may never begin or end.
    """
    path = Path(source)
    descriptor = 0 if source == "-" else own_descriptor(path)
    if descriptor is None:
        try:
            kind = other_kind(path)
            if kind is None and not path.exists():
                raise NotFound(f"{source} does not exist: check the name")
        except OSError as error:
            raise StorageError(f"{source}: {error.strerror or error}") from error
        if kind == "pipe":
            raise GcreplayError(
                f"{source} is a pipe: give it as standard input, gcreplay import -o FILE - < PIPE"
            )
        if kind is not None:
            raise GcreplayError(f"{source} is a {kind}, no file of JSON Lines")
    if descriptor == 0:
        if sys.stdin is None:
            raise GcreplayError(f"{source}: standard input is closed")
        stdin = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8")
        yield stdin
        stdin.detach()
        return
    try:
        with _text(path if descriptor is None else descriptor, "r") as file:
            yield file
    except OSError as error:
        raise StorageError(f"{source}: {error.strerror or error}") from error


def own_descriptor(path: Path) -> int | None:
    """The number of the descriptor of ours that the path leads to, as /dev/stdout and /dev/fd/3
    do; None for a path in the file system."""
    ours = f"/proc/{os.getpid()}/fd"
    for _ in range(MOST_LINKS):
        path = Path(os.path.realpath(path.parent), path.name)
        if str(path.parent) == ours:
            return int(path.name) if path.name.isdigit() else None
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None
