"""File names of sites as people read them; JSON and exports have them whole."""

import os
import re
from typing import Final

_INSTALLED: Final = re.compile(r".*/((?:site|dist)-packages/.+)", re.DOTALL)
_STANDARD: Final = re.compile(r".*/lib(?:64)?/(python3\.\d+/.+)", re.DOTALL)
_NEAR: Final = "near "


def short(file: str) -> str:
    """From `site-packages` on for what is installed, from `python3.11` on for the standard library,
    from the current folder on for what lies in it; whole for all else."""
    for kind in (_INSTALLED, _STANDARD):
        if found := kind.fullmatch(file):
            return found[1]
    try:
        here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118 - of text, not of files
    except OSError:  # the folder is gone
        return file
    return file.removeprefix(here) if here != os.sep else file


def place(site: str) -> str:
    """The site of a table, `FILE:LINE` or `near FILE:LINE`, with a short name."""
    near = _NEAR if site.startswith(_NEAR) else ""
    return near + short(site.removeprefix(near))
