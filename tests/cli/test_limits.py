"""`--fail-if` limits: what breaks them, computed exactly."""

import pytest

from gcreplay.limits import parse_limit
from gcreplay.store.errors import UsageError


@pytest.mark.parametrize(
    ("limit", "before", "after", "broken"),
    [
        ("collected>+10%", 100, 110, False),  # exactly 10 % more is not more than 10 %
        ("collected>+10%", 100, 111, True),
        ("collected>=+10%", 100, 110, True),
        ("collected>+10%", 0, 0, False),
        ("collected>+10%", 0, 1, True),  # any growth from nothing is more than 10 %
        ("collected<-50%", 100, 49, True),
        ("collected<-50%", 100, 50, False),
        ("collected>+5", 100, 105, False),
        ("collected>+5", 100, 106, True),
        ("collected<-5", 100, 94, True),
        ("collected>100", 0, 100, False),  # without a sign: the second run's own figure
        ("collected>100", 0, 101, True),
        ("collected<=100", 500, 100, True),
        (" collected > +0.5% ", 1000, 1005, False),
        ("collected>+0.5%", 1000, 1006, True),
    ],
)
def test_a_limit(limit: str, before: int, after: int, broken: bool) -> None:
    assert parse_limit(limit).broken_by(before, after) is broken


def test_the_figure_is_named() -> None:
    assert parse_limit("peak_objects<=+0").figure == "peak_objects"


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ("collected", "FIGURE>BOUND"),
        ("collected=5", "FIGURE>BOUND"),
        ("collected>ten", "FIGURE>BOUND"),
        ("garbage>+10%", "collections"),  # names the known figures
        ("collected>10%", "+10%"),
    ],
)
def test_a_malformed_limit_says_how_to_write_one(limit: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_limit(limit)
    assert says in str(error.value)
