"""What an installation says that makes no recordings."""

import runpy
import sys
import warnings

import pytest
from command_line import Gcreplay

from gcreplay import installation

SAID = (
    f"This gcreplay was installed with Python {sys.version.split()[0]}, where it replays "
    f"recordings and makes none; install it with CPython 3.11 to record."
)
HELPS = [["--help"], ["record", "--help"], ["prove", "--help"]]


@pytest.mark.parametrize("arguments", HELPS)
def test_an_installation_with_another_python_says_at_once_that_it_only_replays(
    gcreplay: Gcreplay, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr(installation, "RECORDS", False)
    told = gcreplay(*arguments)
    assert told.exit_code == 0
    assert SAID in " ".join(told.stdout.split())


@pytest.mark.parametrize("arguments", HELPS)
def test_one_with_cpython_3_11_does_not(gcreplay: Gcreplay, arguments: list[str]) -> None:
    assert "makes none" not in gcreplay(*arguments).stdout


@pytest.mark.parametrize(
    ("name", "version", "said"),
    [
        ("cpython", (3, 11, 9), ""),
        ("cpython", (3, 12, 0), f"{SAID}\n"),
        ("pypy", (3, 11, 9), f"{SAID}\n"),
    ],
)
def test_make_says_it_too(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    version: tuple[int, ...],
    said: str,
) -> None:
    monkeypatch.setattr(sys.implementation, "name", name)
    monkeypatch.setattr(sys, "version_info", version)
    with warnings.catch_warnings(action="ignore"):  # that it is imported already
        runpy.run_module("gcreplay.installation", run_name="__main__")
    assert capsys.readouterr().out == said
