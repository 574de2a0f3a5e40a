"""Numbers on the command line: digits of one script within bounds, or one sentence."""

from pathlib import Path

import pytest
from command_line import Gcreplay
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ODD = [
    "",
    " 5",
    "5 ",
    "1_000",
    "٣",
    "²",
    "0x10",
    "1e3",
    "5.",
    "nan",
    "inf",
    "--",
    "9" * 5000,
    "1\n",
]
"""What Python's own `int` or `float` takes, and we do not, or the other way round."""
COMMANDS = {
    "from": ("events", "{trace}", "--from", "{n}"),
    "to": ("events", "{trace}", "--to", "{n}"),
    "around": ("events", "{trace}", "--around", "{n}"),
    "granularity": ("record", "-o", "{new}", "--granularity", "{n}", "-c", "pass"),
    "full probe": ("record", "-o", "{new}", "--full-probe", "{n}", "-c", "pass"),
    "probe budget": ("record", "-o", "{new}", "--probe-budget", "{n}", "-c", "pass"),
    "tolerance": ("prove", "-o", "{new}", "--tolerance", "{n}%", "-c", "pass"),
    "thresholds": ("replay", "{trace}", "-p", "generational:700,{n},10"),
    "own collector": ("replay", "{trace}", "-p", "cpython-3.11:{n},10,10"),
    "limit": ("diff", "{trace}", "-p", "never", "-p", "manual", "--fail-if", "collected>{n}"),
    "run": ("diff", "{trace}#{n}", "{trace}#1"),
}


def refused(gcreplay: Gcreplay, trace: Path, command: str, number: str) -> str:
    before = trace.read_bytes()
    new = trace.with_name("new.gcreplay")
    told = gcreplay(*(part.format(trace=trace, new=new, n=number) for part in COMMANDS[command]))
    assert (told.exit_code, told.stdout, len(told.stderr.splitlines())) == (2, "", 1), told.stderr
    assert len(told.stderr) < 400 + len(str(trace))
    assert trace.read_bytes() == before
    assert [*trace.parent.iterdir()] == [trace]
    return told.stderr


@pytest.mark.parametrize(
    ("command", "number"),
    [
        (command, number)
        for command in COMMANDS
        for number in ODD
        # `trace#no number` is the name of a file; a limit may have spaces.
        if command != "run" and not (command == "limit" and number != number.strip())
    ],
)
def test_what_is_no_number_is_refused(
    gcreplay: Gcreplay, cycles: Path, command: str, number: str
) -> None:
    refused(gcreplay, cycles, command, number)


@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("from", "-1"),
        ("to", "9223372036854775808"),
        ("around", "-0.5"),
        ("granularity", "2147483648"),
        ("full probe", "-1"),
        ("probe budget", "10001"),
        ("tolerance", "-5"),
        ("thresholds", "2147483648"),
        ("thresholds", "-2147483649"),
        ("run", "0"),
        ("run", "9223372036854775808"),
        ("run", "9" * 5000),
    ],
)
def test_a_number_out_of_range_is_refused(
    gcreplay: Gcreplay, cycles: Path, command: str, number: str
) -> None:
    assert number[:9] in refused(gcreplay, cycles, command, number) or len(number) > 4000


@pytest.mark.parametrize("action", ["every:end,0", "every:end," + "9" * 5000, "every:", "freeze@"])
def test_an_action_at_no_mark_or_no_number_is_refused(
    gcreplay: Gcreplay, cycles: Path, action: str
) -> None:
    told = gcreplay("replay", cycles, "-p", action)
    assert (told.exit_code, told.stdout, len(told.stderr.splitlines())) == (2, "", 1)
    assert "is no action at a mark" in told.stderr


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(command=st.sampled_from([*COMMANDS]), number=st.text(max_size=12).filter(str.isprintable))
def test_whatever_stands_for_a_number_ends_in_no_traceback(
    gcreplay: Gcreplay, cycles: Path, command: str, number: str
) -> None:
    """Text that has no ASCII digit is no number of ours."""
    if not any(each.isascii() and each.isdigit() for each in number) and "#" not in number:
        new = cycles.with_name("new.gcreplay")
        parts = [part.format(trace=cycles, new=new, n=number) for part in COMMANDS[command]]
        told = gcreplay(*parts)
        assert told.exit_code in (1, 2)
        assert told.exception is None or isinstance(told.exception, SystemExit)
        assert [*cycles.parent.iterdir()] == [cycles]
