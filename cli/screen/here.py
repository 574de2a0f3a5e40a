"""The folder that a command runs in: files in it are named from there on a screen."""

import os


def here(*roots: str) -> tuple[str, ...]:
    """Folders to name files from, the current one first, unless it is the root folder or gone."""
    try:
        folder = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118 - of text, not of files
    except OSError:
        return roots
    return roots if folder == os.sep else (folder, *roots)
