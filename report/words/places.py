"""File names of sites as people read them; JSON and exports have them whole."""

import os
from typing import Final

from gcreplay.replay.modules import installed_name

_NEAR: Final = "near "
UNKNOWN: Final = "an unknown place"


def short(file: str, root: str = "") -> str:
    """From `site-packages` on for what is installed, from `python3.11` on for the standard library,
    from the current folder on for what lies in it, from `root` on for what lies there; whole for
    all else. `root`: the folder that all of one's own files have in common."""
    if (name := installed_name(file)) is not None:
        return name
    try:
        here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118 - of text, not of files
    except OSError:  # the folder is gone
        here = os.sep
    if here != os.sep and file.startswith(here):
        return file.removeprefix(here)
    return file.removeprefix(root)


def made_at(file: str, line: int, function: str, near: bool = False, root: str = "") -> str:
    """Where objects were made: `shop/orders.py:41 Order.__init__`, `near` before it where the line
    is not quite known."""
    if not file:
        return UNKNOWN
    return f"{_NEAR if near else ''}{short(file, root)}:{line} {function}".rstrip()


def place(site: str, root: str = "") -> str:
    """The site of a table, `FILE:LINE` or `near FILE:LINE`, with a short name."""
    near = _NEAR if site.startswith(_NEAR) else ""
    return near + short(site.removeprefix(near), root)
