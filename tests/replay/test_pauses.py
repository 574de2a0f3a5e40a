"""The pause model: what it finds in collections whose times are made up, and what it never does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcreplay.replay.estimates.pauses import (
    CALIBRATED,
    RECORDED_LONGER,
    PauseError,
    PauseModel,
    Pauses,
    fit,
    least,
    work_of,
)
from gcreplay.replay.results.result import Collection

EXACT = PauseError(0.0, 0.0, 0.0)


def collection(candidates: int, links: int, freed: int, generation: int = 0) -> Collection:
    return Collection(
        sequence=0,
        allocation=0,
        cause="threshold",
        generation=generation,
        candidates=candidates,
        tracked=candidates,
        links=links,
        collected=0,
        bytes=0,
        survivors=candidates,
        freed=freed,
        uncollectable=0,
    )


def collections(seed: int, n: int = 60) -> list[Collection]:
    """Young and full ones, with and without garbage, links not proportional to candidates."""
    random = np.random.default_rng(seed)
    sizes = np.rint(10 ** random.uniform(2, 5.5, n)).astype(int)
    links = np.rint(sizes * random.uniform(0.3, 4, n)).astype(int)
    freed = np.where(random.random(n) < 0.5, np.rint(sizes * random.random(n)), 0).astype(int)
    full = random.random(n) < 0.3
    rows = zip(sizes.tolist(), links.tolist(), freed.tolist(), (2 * full).tolist(), strict=True)
    return [collection(*row) for row in rows]


def model(
    per_collection: float = 0.0,
    per_candidate: float = 0.0,
    per_link: float = 0.0,
    per_freed: float = 0.0,
    per_doubling: float = 0.0,
    per_old: float = 0.0,
) -> PauseModel:
    return PauseModel(
        per_collection,
        per_candidate,
        per_link,
        per_freed,
        per_doubling,
        per_old,
        source="measured",
        collections=0,
        error=EXACT,
    )


def coefficients(of: PauseModel) -> list[float]:
    return [getattr(of, name) for name in of.to_json() if name.startswith("per_")]


def test_an_estimate_worked_out_by_hand() -> None:
    """1,000 candidates and 2,000 links are 3,000 visits, log2(1 + 3) = 2 doublings:
    500 + 10 * 1,000 + 3 * 2,000 + 50 * 40 + 1 * 3,000 * 2 = 24,500, and in a full collection
    7 * 3,000 more."""
    known = model(500, 10, 3, 50, 1, 7)
    both = [collection(1000, 2000, 40), collection(1000, 2000, 40, 2)]
    assert known.estimate(both).each == (24_500, 45_500)
    assert known.estimate([]) == Pauses(())


@pytest.mark.parametrize("slower", [0.5, 1.0, 3.0])
def test_a_faster_or_slower_machine_is_found(slower: float) -> None:
    """Each term costs what it usually does, so many times: nothing else is to be told."""
    known = model(*(CALIBRATED * slower).tolist())
    made = collections(1)
    found = fit(made, known.estimate(made).each, "measured")
    assert found is not None
    # Durations are whole nanoseconds, which moves a coefficient in the fifth digit at most.
    assert coefficients(found) == pytest.approx(coefficients(known), rel=1e-3)
    assert (found.source, found.collections) == ("measured", 60)
    assert found.error.total == pytest.approx(0, abs=1e-3)
    assert found.error.p90 < 1e-2


def test_recorded_pauses_are_taken_for_longer_than_real_ones() -> None:
    known = model(*(CALIBRATED * RECORDED_LONGER).tolist())
    made = collections(1)
    found = fit(made, known.estimate(made).each, "recorded")
    assert found is not None
    assert coefficients(found) == pytest.approx(CALIBRATED.tolist(), rel=1e-3)


def two_objects(threshold: int, total: int = 840_000) -> list[Collection]:
    """Young collections that find as many rings of two objects as the threshold lets stand."""
    made = [collection(threshold, 2 * threshold, threshold)]
    return made * (total // threshold)


def test_garbage_that_any_setting_frees_is_no_gain() -> None:
    """Each ring costs the same, whenever it is freed, and the collections alone nothing: the
    recorded setting has collections of one size, which tell no term from another."""
    now, then = two_objects(700), two_objects(7000)
    found = fit(now, [70 * 700] * len(now), "measured")
    assert found is not None
    saved = found.estimate(now).total - found.estimate(then).total
    assert abs(saved) < found.difference_off(work_of(now), work_of(then))


def test_collections_that_find_nothing_are_a_gain_when_left_out() -> None:
    now = [collection(700, 1400, 0)] * 100 + [collection(60_000, 90_000, 0, 2)] * 20
    found = fit(now, [20_000] * 100 + [6_000_000] * 20, "measured")
    assert found is not None
    then = now[:10]
    saved = found.estimate(now).total - found.estimate(then).total
    assert saved > 0.9 * found.estimate(now).total
    assert found.difference_off(work_of(now), work_of(then)) < saved


def test_the_error_of_a_difference_worked_out_by_hand() -> None:
    """A full collection less: of a spread of 100 ns a collection, and nothing else, 2.5 * 100 ns,
    and 5 % of the 1,000 ns that both take."""
    spread = [[0.0] * 6 for _ in range(6)]
    spread[0][0] = 100.0**2
    known = replace(model(500), spread=tuple(map(tuple, spread)))
    two = [collection(0, 0, 0)] * 2
    assert known.difference_off(work_of(two), work_of(two[:1])) == pytest.approx(250 + 50)
    assert known.difference_off(work_of(two), work_of(two)) == pytest.approx(50)


def test_a_few_pauses_that_waited_for_something_else_hardly_count() -> None:
    """Every tenth collection takes 20 times as long: other work had the processor."""
    known = model(*CALIBRATED.tolist())
    made = collections(2, 200)
    took = [ns * 20 if i % 10 == 3 else ns for i, ns in enumerate(known.estimate(made).each)]
    found = fit(made, took, "measured")
    assert found is not None
    undisturbed = collections(3)
    total = found.estimate(undisturbed).total / known.estimate(undisturbed).total
    assert 0.95 < total < 1.1
    # The durations themselves sum to half as much again.
    assert sum(took) > 1.5 * known.estimate(made).total


def test_the_error_is_that_of_collections_not_fitted() -> None:
    """The second half of a pair takes twice as long as the first, with equal work: each half
    predicts the other by a factor of 2 or 1/2, 100 % and 50 % off."""
    known = model(*CALIBRATED.tolist())
    twice = [each for each in collections(4) for _ in range(2)]
    took = [ns * (1 + i % 2) for i, ns in enumerate(known.estimate(twice).each)]
    found = fit(twice, took, "measured")
    assert found is not None
    assert found.error.median == pytest.approx(0.75, rel=1e-2)  # the mean of the middle two
    assert found.error.p90 == pytest.approx(1.0, rel=1e-2)
    assert found.error.total == pytest.approx(0.0, abs=1e-2)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**6),
            st.integers(0, 10**6),
            st.integers(0, 10**6),
            st.integers(0, 10**9),
        ),
        min_size=20,
        max_size=40,
    )
)
def test_never_negative_and_monotone(rows: list[tuple[int, int, int, int]]) -> None:
    """Whatever the durations: more work never takes less."""
    made = [collection(candidates, links, freed) for candidates, links, freed, _ in rows]
    found = fit(made, [row[3] for row in rows], "recorded")
    assert found is not None
    assert all(np.isfinite(value) and value >= 0 for value in coefficients(found))
    less = found.estimate(made).each
    for name in ("candidates", "links", "freed"):
        more = found.estimate([replace(c, **{name: getattr(c, name) + 1000}) for c in made]).each
        assert all(a <= b for a, b in zip(less, more, strict=True))


def test_the_same_fit_twice() -> None:
    made = collections(5)
    took = [1000 + 7919 * i % 100_003 for i in range(len(made))]
    first, second = fit(made, took, "recorded"), fit(made, took, "recorded")
    assert first == second
    assert first is not None
    assert PauseModel.from_json(first.to_json()) == first


def test_too_few_collections_give_no_model() -> None:
    made = collections(6, 20)
    assert fit(made[:19], [1000] * 19, "recorded") is None
    assert fit(made, [1000] * 20, "recorded") is not None


def test_sums_of_pauses() -> None:
    """Of 200 pauses of 1 to 200 ns, 198 do not exceed 198: that is 99 %."""
    pauses = Pauses(tuple(range(200, 0, -1)))
    assert (pauses.total, pauses.longest, pauses.p99) == (20_100, 200, 198)
    assert (Pauses((7,)).p99, Pauses(()).p99, Pauses(()).longest) == (7, 0, 0)


def test_the_least_of_repeated_runs() -> None:
    assert least([[5, 9, 3], [6, 2, 3], [7, 8, 1]]) == [5, 2, 1]
