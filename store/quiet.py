"""numpy without its threads: BLAS starts one a core, and nothing here multiplies matrices."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
"""Read once, when numpy is imported."""


@contextmanager
def no_threads() -> Iterator[None]:
    """In this block libraries are imported that start threads otherwise. What a user says stays,
    and no program that is started later finds anything of it."""
    added = [name for name in _VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
