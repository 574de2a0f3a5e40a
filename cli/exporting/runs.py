"""The runs that an export shows: the recorded one, and a replay for each policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gcreplay.exporting.ends import Ends
from gcreplay.exporting.timeline import (
    Run,
    heap_after,
    heaps_of,
    recorded_run,
    replayed_run,
)
from gcreplay.replay.results.clock import Clock
from gcreplay.replay.run import Replay
from gcreplay.screen.outcome import PRESENT
from gcreplay.screen.pauses import pause_model, too_few
from gcreplay.screen.progress import Runs, reading
from gcreplay.store import EventLog
from gcreplay.store.errors import UsageError


def timed_runs(log: EventLog, policies: Sequence[str]) -> Iterator[Run]:
    """The recorded run, then one a policy, each made when it is asked for.

    Raises UsageError, before the first, for a log without times, and for policies where no times
    can be estimated.
    """
    clock = Clock.of(log)
    if clock is None:
        raise UsageError(
            f"{log.path} has no times (no ticks), as logs written by hand: no timeline can be made"
        )
    plays = [Replay(log, policy) for policy in policies]
    replays = Runs("replay", 1 + len(plays))
    with replays.one(PRESENT, log):
        present = Replay(log, PRESENT).run().collections
    model = pause_model(log, present)
    if model is None and plays:
        raise UsageError(f"the pauses of {plays[0].name} cannot be estimated: {too_few(log)}")
    marks = log.marks()

    def runs() -> Iterator[Run]:
        yield recorded_run(clock, log.observed, present, marks, PRESENT)
        for play in plays:
            assert model is not None
            with replays.one(play.name, log):
                made = play.run().collections
            yield replayed_run(clock, made, model.estimate(made).each, marks, play.name)

    return iter(list(runs()))  # nothing is written while a person is told of a replay


def export_tables(
    log: EventLog, folder: Path, policies: Sequence[str], told: Mapping[str, str], *, force: bool
) -> dict[str, int]:
    """Write the tables for notebooks; the value has the number of rows of each. Raises UsageError
    where pyarrow is missing, and as `write_tables`."""
    try:
        from gcreplay.exporting.tables import Made, write_tables  # only here: it is an extra
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("pyarrow"):
            raise
        raise UsageError("--parquet needs pyarrow: pip install 'gcreplay[parquet]'") from None
    plays = [Replay(log, policy) for policy in policies]
    replays = Runs("replay", 1 + len(plays))
    with replays.one(PRESENT, log):
        ends, present = Ends.of(log, PRESENT)
    model = pause_model(log, present)

    def runs() -> Iterator[Made]:
        observed = log.observed
        took = [one.duration_ns for one in observed]
        yield Made("recorded", observed, heaps_of(observed, present), took, False)
        for play in plays:
            with replays.one(play.name, log):
                made = play.run().collections
            known = None if model is None else model.estimate(made).each
            yield Made(play.name, made, [heap_after(one) for one in made], known, True)

    told = {**told, "policy": PRESENT}
    made = list(runs())  # nothing is written while a person is told of a replay
    with reading(log, f"writing {folder}"):
        return write_tables(log, folder, ends, made, told, force=force)
