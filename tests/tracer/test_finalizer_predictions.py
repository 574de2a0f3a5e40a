"""What is predicted of programs with finalizers and callbacks, beside their real runs."""

from pathlib import Path
from textwrap import dedent

import pytest
from finalizer_text import BEGIN, PROGRAMS
from recording import FIXED, recorded_code

from gcreplay.replay import replay
from gcreplay.store.log import EventLog
from gcreplay.tracer.real import Plan, RealOptions, run_real

RINGS = 3000


@pytest.mark.parametrize("probes", [(0, 0), (33, 2000)], ids=["at collections", "close"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_prediction_is_close_to_the_real_run(
    tmp_path: Path, name: str, probes: tuple[int, int]
) -> None:
    """Collections within 2 % or one, collected within 5 % of the garbage; below the recorded
    threshold and above it."""
    code = BEGIN + dedent(PROGRAMS[name][1]) + "\ngc.collect()"
    done = recorded_code(tmp_path, code, granularity=probes[0], full_probe=probes[1])
    with EventLog.open(done.path) as log:
        for threshold in (100, 2000):
            predicted = replay(log, f"cpython-3.11:{threshold},10,10")
            plan = Plan((threshold, 10, 10))
            run = RealOptions(["program.py"], plan, directory=tmp_path, environment=dict(FIXED))
            real = run_real(run).collections
            off = abs(len(predicted.collections) - len(real))
            assert off <= max(1, len(real) / 50)
            off = abs(predicted.collected - sum(one.collected for one in real))
            assert off <= RINGS / 20
