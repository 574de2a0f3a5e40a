"""`gcreplay report`: one page; its findings decide the exit code, and nothing is overwritten."""

import json
from pathlib import Path

from command_line import Gcreplay

from gcreplay.reporting.made import ORDER


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
    for name in ("a", "b"):
        gcreplay("report", cycles, "-o", tmp_path / f"{name}.html")
        pages.append((tmp_path / f"{name}.html").read_text())
    assert pages[0] == pages[1] and pages[0].startswith("<!doctype html>")
