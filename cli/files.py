"""Output files: whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gcreplay.store.errors import FileExists


@contextmanager
def written_whole(target: Path, *, force: bool) -> Iterator[Path]:
    """A path beside `target` to write to; it takes the target's place when the block succeeds.

    So a failure halfway leaves no half a file, and with `force` the old one as it was. Raises
    FileExists when the target exists and `force` is not given.
    """
    if target.exists() and not force:
        raise FileExists(f"{target} exists: choose another name, or overwrite it with --force")
    beside = target.with_name(f"{target.name}.part")
    beside.unlink(missing_ok=True)
    try:
        yield beside
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
