"""Whose code a file is, and the name that it keeps wherever it is installed or checked out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

_INSTALLED: Final = re.compile(r".*/((?:site|dist)-packages/.+)", re.DOTALL)
_STANDARD: Final = re.compile(r".*/lib(?:64)?/(python3\.\d+/.+)", re.DOTALL)
_FROZEN: Final = "<frozen "


class Origin(StrEnum):
    """Whose code a file is. UNKNOWN is that of objects whose site nobody has seen."""

    OWN = "own"
    INSTALLED = "installed"
    STANDARD = "standard library"
    UNKNOWN = "unknown"


def origin(file: str) -> Origin:
    """Whose code a file is, by its path: a package that is installed for editing is one's own."""
    if not file:
        return Origin.UNKNOWN
    if _INSTALLED.fullmatch(file):
        return Origin.INSTALLED
    if file.startswith(_FROZEN) or _STANDARD.fullmatch(file):
        return Origin.STANDARD
    return Origin.OWN


def installed_name(file: str) -> str | None:
    """From `site-packages` on for what is installed, from `python3.11` on for the standard library:
    these are the same in every environment. None for all else."""
    for kind in (_INSTALLED, _STANDARD):
        if found := kind.fullmatch(file):
            return found[1]
    return None


def root_of(files: Iterable[str]) -> str:
    """The folder that all one's own files have in common, with a slash at its end; "" where there
    is none."""
    own = [file for file in files if origin(file) is Origin.OWN and "/" in file]
    folder = os.path.commonpath({file.rpartition("/")[0] for file in own}) if _alike(own) else ""
    return os.path.join(folder, "") if folder.strip("/") else ""  # noqa: PTH118 - of text


def _alike(files: Sequence[str]) -> bool:
    """Whether there are any, all from the root or none."""
    return len({file.startswith("/") for file in files}) == 1
