"""Whether anything of the program ran, told from what was recorded."""

from __future__ import annotations

import numpy as np

from gcreplay.store.events import Op
from gcreplay.store.log import EventLog

NO_PYTHON = {"SyntaxError", "IndentationError", "TabError"}


def why_not_begun(log: EventLog) -> str:
    """Why nothing of a program with exit code 1 ran; empty where something did.

    The interpreter raises an error of runpy's own for `-m` and folders alone, and nothing of the
    program has run then but what its module lies in.
    """
    types = {(each.module, each.name) for each in log.types}
    if ("runpy", "_Error") in types:
        return "the interpreter found nothing to run, as it says above"
    if types & {("builtins", name) for name in NO_PYTHON} and not _begun(log):
        return "the interpreter cannot read the program, as it says above"
    return ""


def _begun(log: EventLog) -> bool:
    """Whether a script or a command has begun: a function is made of it first, the only one that is
    born where no code runs. What runs `-m` and folders is itself code, of runpy."""
    if any(site.file == "<frozen runpy>" for site in log.sites):
        return True
    functions = {i for i, each in enumerate(log.types) if each.name == "function"}
    shapes = [each.id for each in log.shapes if each.type in functions]
    return any(
        bool(np.isin(part.b[(part.op == Op.ALLOC) & (part.c == 0)], shapes).any())
        for part in log.segments(log.start_sequence)
    )
