"""File names of sites as people read them; JSON and exports have them whole."""

from collections.abc import Sequence
from typing import Final

from gcreplay.replay.modules import installed_name

_NEAR: Final = "near "
UNKNOWN: Final = "an unknown place"


def short(file: str, *roots: str) -> str:
    """From `site-packages` on for what is installed, from `python3.11` on for the standard library,
    from the first of `roots` that it lies in on, whole for all else. Such a root is the folder that
    all of one's own files have in common."""
    if (name := installed_name(file)) is not None:
        return name
    root = next((one for one in roots if file.startswith(one)), "")
    return file.removeprefix(root)


def made_at(
    file: str, line: int, function: str, near: bool = False, roots: Sequence[str] = ()
) -> str:
    """Where objects were made: `shop/orders.py:41 Order.__init__`, `near` before it where the line
    is not quite known."""
    if not file:
        return UNKNOWN
    return f"{_NEAR if near else ''}{short(file, *roots)}:{line} {function}".rstrip()


def place(site: str, *roots: str) -> str:
    """The site of a table, `FILE:LINE` or `near FILE:LINE`, with a short name."""
    near = _NEAR if site.startswith(_NEAR) else ""
    return near + short(site.removeprefix(near), *roots)
