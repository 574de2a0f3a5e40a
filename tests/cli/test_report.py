"""`gcreplay report`: one page; its findings decide the exit code, and nothing is overwritten."""

import json
import shlex
from pathlib import Path

import pytest
from click.testing import Result
from command_line import Gcreplay, write_cycles

from gcreplay.reporting.made import ORDER
from gcreplay.store.builder import TraceBuilder


def test_json_has_all_sections_in_order_and_findings_with_their_keys(
    gcreplay: Gcreplay, cycles: Path
) -> None:
    told = json.loads(gcreplay("report", cycles, "--format", "json").stdout)
    ids = [section["id"] for section in told["sections"]]
    assert ids == [one for one in ORDER if one in ids] and {"cost", "heap", "trust"} <= set(ids)
    assert all(set(one) == {"id", "level", "text", "figure", "command"} for one in told["findings"])
    heap = next(one for one in told["sections"] if one["id"] == "heap")["blocks"][0]
    assert (heap["block"], heap["x_unit"]) == ("series", "events")


def test_a_finding_of_the_level_is_named_and_fails(gcreplay: Gcreplay, cycles: Path) -> None:
    asked = ("report", cycles, "--format", "markdown", "--fail-if")
    failed, passed = gcreplay(*asked, "notice"), gcreplay(*asked, "serious")
    assert (failed.exit_code, passed.exit_code) == (1, 0)
    assert "--fail-if notice: " in failed.stderr and "--fail-if" not in passed.stderr
    assert failed.stdout.startswith("## ")


def test_a_file_that_is_there_is_kept_unless_forced(
    gcreplay: Gcreplay, cycles: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there.md"
    there.write_text("mine")
    refused = gcreplay("report", cycles, "-o", there)
    assert refused.exit_code == 2 and "there.md exists" in refused.stderr
    assert there.read_text() == "mine"
    assert gcreplay("report", cycles, "-o", there, "--force").exit_code == 0
    assert there.read_text().startswith("## ")  # as its name ends


def test_html_of_the_same_recording_is_the_same(
    gcreplay: Gcreplay, cycles: Path, tmp_path: Path
) -> None:
    pages = []
    for _ in range(2):
        gcreplay("report", cycles, "-o", tmp_path / "a.html", "--force")
        pages.append((tmp_path / "a.html").read_text())
    assert pages[0] == pages[1] and pages[0].startswith("<!doctype html>")


def test_the_folder_that_it_is_made_in_changes_nothing(
    gcreplay: Gcreplay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, other = tmp_path / "code", tmp_path / "other"
    builder = TraceBuilder()
    builder.start()
    for line in (3, 4):
        node = builder.alloc("Node", module="app", site=(f"{code}/app.py", line, "loop"))
        builder.link(node, node, label=".me")
        builder.decref(node)
    builder.gc_call("collect")
    trace = tmp_path / "run.gcreplay"
    builder.build(trace).close()
    told = []
    for folder in (code, other):
        folder.mkdir()
        monkeypatch.chdir(folder)
        told.append(gcreplay("report", trace, "--format", "json").stdout)
    assert told[0] == told[1] and "app.py:3 loop" in told[0]


def commands_of(report: Result) -> list[str]:
    """The lines to paste of the last section."""
    again = json.loads(report.stdout)["sections"][-1]
    return [line.partition("  # ")[0] for line in again["blocks"][0]["text"].splitlines()]


def test_the_report_tells_the_very_command_that_makes_it_again(
    gcreplay: Gcreplay, cycles: Path
) -> None:
    policy = "generational:50,2,2"
    options = ("-p", policy, "-p", "never", "--deadline", "2ms", "--no-search", "--suggest")
    more = ("--format", "json", "--compare", policy, "--fail-if", "serious")
    words = ["gcreplay", "report", str(cycles), *options, *more]
    told = gcreplay(*words[1:])
    command = [line for line in commands_of(told) if " report " in line]
    assert [sorted(shlex.split(line)) for line in command] == [sorted(words)]
    assert gcreplay(*shlex.split(command[0])[1:]).stdout == told.stdout


def test_a_confidential_report_tells_its_command_without_names_of_files(
    gcreplay: Gcreplay, cycles: Path, tmp_path: Path
) -> None:
    other = tmp_path / "secret.gcreplay"
    write_cycles(other, 800)
    asked = ("--confidential", "--no-search", "-p", "never", "--format", "json", "--compare", other)
    told = gcreplay("report", cycles, *asked, "-o", "-")
    assert [line for line in commands_of(told) if " report " in line] == [
        "gcreplay report recording.gcreplay -p never --format json --no-search "
        "--compare other.gcreplay --confidential"
    ]
