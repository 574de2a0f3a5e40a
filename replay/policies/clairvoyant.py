"""The bound no collector can beat: it knows the whole log."""

from __future__ import annotations

from .refcount import Refcount


class Clairvoyant(Refcount):
    """Frees every piece of garbage right after the last event that touches it.

    It makes no collections and no work; the engine frees by the schedule that annotation.py finds.
    """

    summary = "bound: frees cyclic garbage right after its last touch, without work"
    foresees = True
