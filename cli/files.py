"""Output files: whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gcreplay.store.errors import FileExists, StorageError


@contextmanager
def written_whole(target: Path, *, force: bool) -> Iterator[Path]:
    """A path beside `target` to write to; it takes the target's place when the block succeeds.

    So a failure halfway leaves no half a file, and with `force` the old one as it was. Raises
    FileExists when the target exists and `force` is not given, StorageError when the block fails
    for want of room or permission.
    """
    if target.exists() and not force:
        raise FileExists(f"{target} exists: choose another name, or overwrite it with --force")
    beside = target.with_name(f"{target.name}.part")
    beside.unlink(missing_ok=True)
    try:
        yield beside
        beside.replace(target)
    except OSError as error:  # of a write, it names no file
        raise StorageError(f"{target}: {error.strerror or error}; it is not written") from error
    except StorageError as error:
        raise StorageError(str(error).replace(str(beside), str(target))) from error
    finally:
        beside.unlink(missing_ok=True)
