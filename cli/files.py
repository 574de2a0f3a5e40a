"""Files that commands write and read: whole or not at all, and never one that is no file."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, TextIO

from gcreplay.store.errors import GcreplayError, NotFound, StorageError, UsageError
from gcreplay.store.exchange.lines import bounded_lines
from gcreplay.store.place import new_file, other_kind, own_descriptor, written_whole


@contextmanager
def text_output(target: Path, *, force: bool) -> Iterator[TextIO]:
    """An open text file: `target` as `written_whole` makes it, or what stands there already and
    takes text as it comes, as /dev/stdout, a pipe or a terminal does."""
    descriptor, whole = None, True
    with suppress(OSError):  # the attempt to write will say it
        descriptor = own_descriptor(target)
        whole = descriptor is None and other_kind(target) is None
    if whole:
        with written_whole(target, force=force) as part, _text(part) as file:
            yield file
        return
    try:
        with _text(target if descriptor is None else descriptor) as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StorageError(f"{target}: {error.strerror or error}") from error


def check_free(target: Path, *, force: bool) -> None:
    """Before long work: raises what `text_output` would raise then, as FileExists, and UsageError
    where the folder is missing."""
    with suppress(OSError):
        if own_descriptor(target) is None and other_kind(target) is None:
            folder = new_file(target, force=force).parent
            if not folder.is_dir():
                raise UsageError(f"{target}: there is no folder {folder}: make it first")


def spare(target: Path | None, *recordings: Path) -> None:
    """Raises UsageError where the file to write is a recording that is read: not even --force
    may lose that."""
    for one in recordings:
        with suppress(OSError):
            if target is not None and target.samefile(one):
                raise UsageError(f"{target} is the recording that is read: choose another name")


def _text(where: Path | int, mode: Literal["r", "w"] = "w") -> TextIO:
    """A file by its name, or by one of our descriptors, which stays open."""
    if isinstance(where, int):
        return os.fdopen(os.dup(where), mode, encoding="utf-8")
    return where.open(mode, encoding="utf-8")


@contextmanager
def text_lines(source: str) -> Iterator[Iterator[str]]:
    """The lines of a text file; `-` and names such as /dev/stdin are what was opened for us
    already.

    Raises NotFound, StorageError, GcreplayError for what may never begin or end.
    """
    path = Path(source)
    descriptor = 0 if source == "-" else own_descriptor(path)
    if descriptor is None:
        _check_regular(source, path)
    if descriptor == 0:
        if sys.stdin is None:
            raise GcreplayError(f"{source}: standard input is closed")
        stdin = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8")
        yield _lines(source, stdin)
        stdin.detach()
        return
    try:
        file = _text(path if descriptor is None else descriptor, "r")
    except OSError as error:
        raise StorageError(f"{source}: {error.strerror or error}") from error
    with file:
        yield _lines(source, file)


def _check_regular(source: str, path: Path) -> None:
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


def _lines(source: str, file: TextIO) -> Iterator[str]:
    """What goes wrong while they are read is told of the source, not of what is written."""
    try:
        yield from bounded_lines(file)
    except OSError as error:
        raise StorageError(f"{source}: {error.strerror or error}") from error
