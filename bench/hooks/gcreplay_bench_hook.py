"""Runs inside a bench's program, in recorded and in real runs alike: its phases as marks, and a
mark "tick" at each N-th call of its tick()."""

import os
import sys

from gcreplay_capture import mark


def phase(name):
    if name == "start":
        _mark_ticks(sys.modules["_common"], int(os.environ["GCREPLAY_BENCH_EVERY"]))
    mark(name)


def _mark_ticks(common, every):
    below = common.tick
    ticks = 0

    def tick():
        nonlocal ticks
        below()
        ticks += 1
        if ticks % every == 0:
            mark("tick")

    common.tick = tick
