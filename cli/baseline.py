"""Kinds of garbage that a project knows of and accepts: in a file, or in its pyproject.toml."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gcreplay.store.errors import GcreplayError, UsageError
from gcreplay.store.marks import meant
from gcreplay.store.place import written_whole

HEADING: Final = (
    "# Kinds of cycles that are known: a line each. `gcreplay cycles TRACE --baseline FILE`",
    "# fails where there are others, `--write-baseline FILE` writes the kinds of now.",
)


def from_file(path: Path) -> frozenset[str]:
    """The signatures in a baseline. Raises GcreplayError where it cannot be read."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(
            f"there is no file {path}: --write-baseline {path} writes the kinds of now to it"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise GcreplayError(f"{path}: {reason}") from error
    lines = (line.strip() for line in text.splitlines())
    return frozenset(line for line in lines if line and not line.startswith("# "))


def write(path: Path, signatures: Iterable[str]) -> None:
    """Write a baseline in place of the one there. Raises StorageError."""
    with written_whole(path, force=True) as part:
        part.write_text("\n".join([*HEADING, *sorted(signatures), ""]), "utf-8")


def from_project() -> frozenset[str] | None:
    """`accept` of `[tool.gcreplay]` in the nearest pyproject.toml, here or in a folder above; None
    where nothing is said. Raises GcreplayError for one that says it wrongly."""
    try:
        here = Path.cwd()
    except OSError:  # the folder is gone
        return None
    for folder in (here, *here.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            return _accepted(path)
    return None


def _accepted(path: Path) -> frozenset[str] | None:
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise GcreplayError(f"{path} cannot be read: {error}") from error
    tool = told.get("tool")
    ours = tool.get("gcreplay") if isinstance(tool, dict) else None
    if not isinstance(ours, dict):
        return None
    for key in ours:
        if key != "accept":
            known = meant(key, {"accept"})
            raise GcreplayError(f"{path}: [tool.gcreplay] has no {key!r}{known}")
    if "accept" not in ours:
        return None
    accept = ours["accept"]
    if not isinstance(accept, list) or not all(isinstance(one, str) for one in accept):
        raise GcreplayError(f"{path}: accept of [tool.gcreplay] must be a list of signatures")
    return frozenset(accept)
