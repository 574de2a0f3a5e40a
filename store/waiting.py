"""Who is told what is waited for."""

from __future__ import annotations

from collections.abc import Callable


def nobody(sentence: str) -> None:
    """Where nobody is to be told."""


tell: Callable[[str], None] = nobody
"""Called once a wait, with a sentence; a command puts its own there."""
