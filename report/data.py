"""A report as data for JSON: the view with plain lists and numbers, each block with its kind."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, get_args

import numpy as np

from gcreplay.report.view import Block, View

_BLOCKS = get_args(Block)


def data(view: View) -> dict[str, Any]:
    """The view; a block says in `block` what it is, in small letters: `words`, `table`, ..."""
    told = _plain(view)
    assert isinstance(told, dict)
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if is_dataclass(value):
        told = {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
        if isinstance(value, _BLOCKS):
            return {"block": type(value).__name__.lower(), **told}
        return told
    return value
