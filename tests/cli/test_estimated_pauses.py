"""Estimated pauses beside results: worked out by hand, and never in the hash.

`cycles.gcreplay` under T0 = 700 (see test_replay_and_diff.py): a collection of 700 candidates that
frees 699, and one of 701 that frees all. At 1,000 ns a collection, 10 a candidate, 100 a freed
object: 1,000 + 7,000 + 69,900 = 77,900 and 1,000 + 7,010 + 70,100 = 78,110.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Gcreplay, write_cycles

from gcreplay.replay import replay
from gcreplay.replay.estimates.pauses import RECORDED_LONGER, PauseError, PauseModel
from gcreplay.screen.pauses import measured_model, quiet
from gcreplay.store import EventLog
from gcreplay.store.events import ObservedCollection
from gcreplay.tracer.real import RealCollection

DEFAULT = "generational:700,10,10"
MODEL = PauseModel(
    1000.0, 10.0, 0.0, 100.0, 0.0, 0.0, "measured", 60, PauseError(0.03, 0.125, 0.25)
)


def store(path: Path, model: PauseModel) -> None:
    with EventLog.open(path, writable=True) as log:
        log.set_meta(pauses=model.to_json())


def replayed(gcreplay: Gcreplay, path: Path) -> dict[str, Any]:
    told = gcreplay("replay", path, "-p", DEFAULT, "--format", "json")
    assert told.exit_code == 0, told.stderr
    return dict(json.loads(told.stdout))


def test_a_stored_model_gives_estimates_outside_the_hash(gcreplay: Gcreplay, cycles: Path) -> None:
    without = replayed(gcreplay, cycles)
    assert without["pause_model"] is None
    assert "pauses" not in without["runs"][0]
    store(cycles, MODEL)
    told = replayed(gcreplay, cycles)
    run = told["runs"][0]
    assert run["pauses"] == {"total_ns": 156_010, "longest_ns": 78_110, "p99_ns": 78_110}
    assert [made["pause_ns"] for made in run["collections"]] == [77_900, 78_110]
    assert told["pause_model"] == MODEL.to_json()
    assert run["result_hash"] == without["runs"][0]["result_hash"]
    never, clairvoyant = told["runs"][1:]
    assert never["pauses"] == {"total_ns": 0, "longest_ns": 0, "p99_ns": 0}
    assert "pauses" not in clairvoyant  # it frees without work


def test_stored_runs_hold_no_estimate(gcreplay: Gcreplay, cycles: Path) -> None:
    store(cycles, MODEL)
    replayed(gcreplay, cycles)
    with EventLog.open(cycles) as log:
        for run in log.runs():
            assert "pauses" not in run.result
            assert not any("pause_ns" in made for made in run.result["collections"])


def test_the_table_shows_the_quantile_when_asked(gcreplay: Gcreplay, cycles: Path) -> None:
    store(cycles, MODEL)
    plain = gcreplay("replay", cycles, "-p", DEFAULT, "--format", "csv")
    assert plain.stdout.splitlines()[0].startswith("policy,GC ms,longest ms,full,")
    told = gcreplay("replay", cycles, "-p", DEFAULT, "--pauses", "--format", "csv")
    head, first = told.stdout.splitlines()[:2]
    assert head.startswith("policy,GC ms,longest ms,p99 ms,full,")
    assert first.startswith(f'"{DEFAULT}",0.15601,0.07811,0.07811,0,')


def test_diff_estimates_both_sides_with_one_model(
    gcreplay: Gcreplay, cycles: Path, tmp_path: Path
) -> None:
    store(cycles, MODEL)
    other = tmp_path / "other.gcreplay"
    write_cycles(other, 1500)
    store(other, PauseModel(9e9, 0.0, 0.0, 0.0, 0.0, 0.0, "measured", 60, MODEL.error))
    told = gcreplay("diff", cycles, other, "-p", DEFAULT, "--pauses", "--format", "json")
    assert told.exit_code == 0, told.stderr
    payload = json.loads(told.stdout)
    assert payload["pause_model"] == MODEL.to_json()
    assert payload["first"]["pauses"] == payload["second"]["pauses"]
    assert payload["second"]["pauses"]["total_ns"] == 156_010
    write_cycles(more := tmp_path / "more.gcreplay", 3000)
    table = gcreplay("diff", cycles, more, "-p", DEFAULT, "--pauses").stdout
    assert "longest ms" in table


def test_info_shows_the_model_and_its_error(gcreplay: Gcreplay, cycles: Path) -> None:
    assert "pause model" not in gcreplay("info", cycles).stdout
    store(cycles, MODEL)
    told = " ".join(gcreplay("info", cycles).stdout.split())
    assert "total +3%, single ones off by 12% (median), 25% (p90)" in told
    assert json.loads(gcreplay("info", cycles, "--format", "json").stdout)["pause_model"] == (
        MODEL.to_json()
    )


@pytest.mark.parametrize("shown", ["replay", "info"])
def test_a_recording_is_fitted_to_its_own_collections(
    gcreplay: Gcreplay, tmp_path: Path, shown: str
) -> None:
    """40 collections whose durations follow the model; the 41st, of another generation than the
    replay's, is left out."""
    path = tmp_path / "own.gcreplay"
    write_cycles(path, 701 * 41)
    with EventLog.open(path, writable=True) as log:
        made = replay(log, "cpython-3.11").collections
        took = MODEL.estimate(made).each
        assert len(made) == 41
        log.add_observed(
            ObservedCollection(
                sequence=c.sequence,
                allocation=c.allocation,
                cause=c.cause,
                generation=c.generation if i < 40 else 2,
                candidates=c.candidates,
                collected=c.collected,
                uncollectable=0,
                long_lived_total=0,
                long_lived_pending=0,
                duration_ns=ns,
            )
            for i, (c, ns) in enumerate(zip(made, took, strict=True))
        )
    arguments = ("-p", "never") if shown == "replay" else ()
    told = json.loads(gcreplay(shown, path, *arguments, "--format", "json").stdout)
    model = PauseModel.from_json(told["pause_model"])
    assert (model.source, model.collections) == ("recorded", 40)
    # These collections are all alike, so only their sum is determined.
    assert model.estimate(made).total == pytest.approx(sum(took) / RECORDED_LONGER, rel=1e-3)
    with EventLog.open(path) as log:
        assert ("pauses" in log.meta) == (shown == "replay")  # info writes nothing


def real(generation: int, pause_ns: int, collected: int) -> RealCollection:
    return RealCollection(generation, False, 0, pause_ns, None, None, collected, 0)


def test_of_repeated_real_runs_the_least_counts_where_they_agree() -> None:
    """The third run made other collections, so its pauses say nothing of the first one's."""
    first = [real(0, 50, 7), real(1, 90, 8)]
    second = [real(0, 60, 7), real(1, 80, 8)]
    third = [real(0, 1, 7), real(1, 1, 9)]
    assert quiet([first, second, third]) == [50, 80]


def test_a_model_of_real_runs_uses_the_collections_that_were_foreseen(tmp_path: Path) -> None:
    """30 collections; the last real one found another number of objects and is left out."""
    path = tmp_path / "own.gcreplay"
    write_cycles(path, 701 * 30)
    with EventLog.open(path) as log:
        made = replay(log, "cpython-3.11").collections
        took = MODEL.estimate(made).each
        run = [real(c.generation, ns, c.collected) for c, ns in zip(made, took, strict=True)]
        run[-1] = real(run[-1].generation, 10**9, 0)
        model = measured_model(log, [run])
    assert model is not None
    assert (model.source, model.collections) == ("measured", 29)
    assert model.estimate(made).total == pytest.approx(sum(took), rel=1e-3)
